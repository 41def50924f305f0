//! Whether the service is well, in words.

use super::Exposition;

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailment {
    /// Of what: one word.
    pub part: &'static str,
    /// A sentence that tells an operator what is wrong and what to look at.
    pub words: String,
}

impl Ailment {
    /// Of this part, in these words.
    pub fn new(part: &'static str, words: impl Into<String>) -> Self {
        Self { part, words: words.into() }
    }
}

/// What a service tells of itself to those who watch it.
pub trait Watched: Send + Sync {
    /// Writes its figures. Blocks.
    fn write(&self, exposition: &mut Exposition);

    /// What is not as it should be; nothing if all is well. Blocks.
    fn ailments(&self) -> Vec<Ailment>;
}
