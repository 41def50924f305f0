//! Which instance of a class is meant.

use clap::Args;

use super::outcome::Failed;
use super::values::references;
use crate::console::{ConsoleError, Resource, Session};

/// The keys of an instance as a person writes them.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// The keys of the instance [default: the only instance of the class].
    #[arg(value_name = "KEY=VALUE")]
    keys: Vec<String>,
    /// A key that is a reference: CLASS.KEY="VALUE",KEY="VALUE", or CLASS alone for its only instance.
    #[arg(long, short = 'k', value_name = "KEY=PATH")]
    key_reference: Vec<String>,
    /// The CIM namespace [default: the host's own].
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
}

/// An instance that is found anew on each host.
#[derive(Debug)]
pub(super) struct Meant {
    resource: Resource,
    references: Vec<(String, Resource)>,
}

impl Keys {
    /// The instance of a class that has them.
    pub(super) fn of(&self, class: &str) -> Result<Meant, Failed> {
        let resource = Resource::class(class, self.namespace.as_deref())?.with_keys(&self.keys)?;
        Ok(Meant { resource, references: references(&self.key_reference)? })
    }
}

impl Meant {
    /// Whether there are any keys.
    pub(super) fn has_keys(&self) -> bool {
        self.resource.has_keys() || !self.references.is_empty()
    }

    /// The instance of this host.
    pub(super) async fn at(&self, session: &Session) -> Result<Resource, ConsoleError> {
        let mut resource = self.resource.clone();
        for (name, referred) in &self.references {
            resource = resource.with_reference(name, session.reference_to(referred).await?);
        }
        session.only(&resource).await
    }
}
