//! The schema repository: every class the server knows, with everything it inherits.

mod error;
mod inherit;
mod link;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::Class;
use super::mof::{self, Names};

pub use error::SchemaError;

/// The MOF files below `schemas/`, put into the program when it is built.
static BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// All classes the server knows.
#[derive(Debug)]
pub struct Schema {
    /// In alphabetical order without regard to case.
    classes: Vec<Arc<Class>>,
    /// Beside each class: the class itself, then its descendants in alphabetical order.
    families: Vec<Box<[Arc<Class>]>>,
    /// Where a class stands, by its name as the MOF writes it.
    index: HashMap<Arc<str>, usize>,
}

impl Schema {
    /// The schema this program was built with (`schemas/`).
    pub fn builtin() -> Result<Self, SchemaError> {
        Self::from_mof(BUILTIN.iter().copied())
    }

    /// The schema that MOF files declare, each given with the name that errors show. Classes may be used before the
    /// file that declares them.
    pub fn from_mof<N, T>(files: impl Iterator<Item = (N, T)>) -> Result<Self, SchemaError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let mut names = Names::default();
        let mut declarations = Vec::new();
        for (name, text) in files {
            declarations.extend(mof::parse_with(name.as_ref(), text.as_ref(), &mut names)?);
        }
        Ok(Self::of(link::resolve(declarations)?))
    }

    fn of(mut classes: Vec<Arc<Class>>) -> Self {
        classes.sort_by(|a, b| compare(a.name(), b.name()));
        let index: HashMap<Arc<str>, usize> =
            classes.iter().enumerate().map(|(i, class)| (class.name().clone(), i)).collect();
        let mut families: Vec<Vec<Arc<Class>>> = classes.iter().map(|class| vec![class.clone()]).collect();
        for class in &classes {
            for ancestor in class.ancestors() {
                if let Some(family) = index.get(ancestor).and_then(|&i| families.get_mut(i)) {
                    family.push(class.clone());
                }
            }
        }
        Self { classes, families: families.into_iter().map(Vec::into_boxed_slice).collect(), index }
    }

    fn position(&self, name: &str) -> Option<usize> {
        // Nearly every name is spelt as the MOF does, so the search is the exception.
        let exact = self.index.get(name).copied();
        exact.or_else(|| self.classes.binary_search_by(|class| compare(class.name(), name)).ok())
    }

    /// A class by name, in any case.
    pub fn class(&self, name: &str) -> Option<&Arc<Class>> {
        self.position(name).and_then(|i| self.classes.get(i))
    }

    /// A class and all its subclasses, the class first; nothing if the class is unknown.
    pub fn with_subclasses(&self, name: &str) -> &[Arc<Class>] {
        self.position(name).and_then(|i| self.families.get(i)).map_or(&[], |family| &**family)
    }

    /// All classes in alphabetical order.
    pub fn classes(&self) -> impl Iterator<Item = &Arc<Class>> {
        self.classes.iter()
    }

    /// The declaration that makes a class out of its superclass, for writing it as MOF. Overrides that change nothing
    /// are left out.
    pub fn declaration(&self, class: &Class) -> mof::ClassDeclaration {
        let superclass = class.superclass().and_then(|name| self.class(name)).map(|c| &**c);
        inherit::declaration(class, superclass)
    }

    /// The same with everything that the class inherits.
    pub fn whole_declaration(&self, class: &Class) -> mof::ClassDeclaration {
        inherit::declaration(class, None)
    }
}

/// The order of names, which have no case (DSP0004).
fn compare(a: &str, b: &str) -> Ordering {
    a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
