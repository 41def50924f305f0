//! Filters by path, the dialect of a filter that names none (DSP0226 8.3, annex D).

use std::sync::Arc;

use super::document::{document, write_selected};
use super::exchange::Look;
use crate::cim::{Class, Instance, Schema};
use crate::soap::{Fault, FaultKind};
use crate::wire::UriForm;
use crate::xml::xpath::XPath;
use crate::xml::{Element, Writer, element};

/// A path: a condition on instances, or parts of them that are wanted.
#[derive(Debug)]
pub(super) struct PathFilter {
    expression: XPath,
    class: Arc<Class>,
    form: UriForm,
    look: Look,
}

impl PathFilter {
    /// The filter of the instances of a class, shown in that form.
    pub(super) fn new(
        text: &str,
        schema: &Schema,
        class: &Arc<Class>,
        form: &UriForm,
        look: Look,
    ) -> Result<Self, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::EnumerationCannotProcessFilter, why);
        let expression = XPath::parse(text).map_err(|error| refuse(error.to_string()))?;
        let filter = Self { expression, class: class.clone(), form: form.clone(), look };
        let family = schema.with_subclasses(class.name());
        match filter.expression.child_of_root(&filter.root()) {
            Some(name) if family.iter().all(|class| class.property(name).is_none_or(|p| *p.name != *name)) => {
                Err(refuse(format!("class {} has no property {name}", class.name())))
            }
            _ => Ok(filter),
        }
    }

    /// Whether it lets instances through as they are; otherwise it takes parts out of them.
    pub(super) fn is_condition(&self) -> bool {
        self.expression.is_whole(&self.root())
    }

    /// Whether it selects anything of an instance.
    pub(super) fn matches(&self, instance: &Instance) -> bool {
        self.document(instance).is_some_and(|document| self.expression.matches(&document))
    }

    /// Writes the parts of an instance that it selects (R8.6-1).
    pub(super) fn write(&self, w: &mut Writer, instance: &Instance) {
        let document = self.document(instance);
        let selected = document.as_ref().map(|document| self.expression.select(document)).unwrap_or_default();
        write_selected(w, &selected, &self.form);
    }

    fn document(&self, instance: &Instance) -> Option<Element> {
        document(instance, &self.look.style(&self.form), &self.expression, self.class.name()).ok()
    }

    /// The element of any instance of the class, as far as paths tell.
    fn root(&self) -> Element {
        element("", self.class.name())
    }
}
