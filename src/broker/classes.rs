//! Classes themselves: the CIM operations GetClass and GetSubClasses (DSP0227 clause 15).

use std::sync::Arc;

use super::Broker;
use crate::access::Caller;
use crate::cim::{CimError, Class};

impl Broker {
    /// Gets one class.
    pub fn get_class(&self, caller: &Caller, namespace: &str, name: &str) -> Result<Arc<Class>, CimError> {
        self.check_reading(caller)?;
        self.class(namespace, name).cloned()
    }

    /// The direct subclasses of a class, or the classes without a superclass; with `deep` their subclasses too. In the order
    /// of the schema.
    pub fn subclasses(
        &self,
        caller: &Caller,
        namespace: &str,
        of: Option<&str>,
        deep: bool,
    ) -> Result<Vec<Arc<Class>>, CimError> {
        self.check_reading(caller)?;
        let superclass = of.map(|name| self.class(namespace, name)).transpose()?;
        let is_below = |class: &Class| match superclass {
            Some(above) if deep => class.ancestors().contains(above.name()),
            Some(above) => class.superclass() == Some(above.name()),
            None => deep || class.superclass().is_none(),
        };
        let below = self.schema.classes().filter(|class| is_below(class) && self.is_addressable(namespace, class));
        Ok(below.cloned().collect())
    }
}
