//! What comes with a method call beside its message, because it is too large to be held in memory.

use std::path::Path;

use tempfile::TempPath;

/// The octets of a parameter in a file, which goes when this value does.
#[derive(Debug)]
pub struct Upload(Result<TempPath, String>);

impl Upload {
    /// All octets came.
    pub fn new(file: TempPath) -> Self {
        Self(Ok(file))
    }

    /// What came cannot be read; `why` is a sentence of its own.
    pub fn damaged(why: String) -> Self {
        Self(Err(why))
    }

    /// The file, or why there is none.
    pub fn file(&self) -> Result<&Path, &str> {
        match &self.0 {
            Ok(file) => Ok(file),
            Err(why) => Err(why),
        }
    }
}
