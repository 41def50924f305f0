//! Filters of enumerations and subscriptions.

use super::names::{WSMAN, dialect};
use super::{AssociationFilter, SelectorSet};
use crate::soap::names::FAULT_DETAIL;
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer, XMLNode, element};

/// A filter: what the items of an enumeration or the events of a subscription must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Follow associations.
    Association(Box<AssociationFilter>),
    /// Properties that equal selectors (DSP0226 annex E).
    Selectors(SelectorSet),
    /// A sentence in a query language.
    Query {
        /// The URI of the language, as it was written; XPath 1.0 if there was none.
        dialect: String,
        /// The sentence.
        text: String,
    },
}

/// Which kind of request a filter stands in; the faults are named accordingly.
#[derive(Clone, Copy)]
pub(super) struct FilterFaults {
    /// The namespace of the older element Filter.
    pub(super) namespace: &'static str,
    /// Both elements are there.
    pub(super) both: FaultKind,
    /// The content does not suit the dialect.
    pub(super) content: FaultKind,
}

impl Filter {
    /// A query in the CIM query language.
    pub fn cql(text: impl Into<String>) -> Self {
        Self::Query { dialect: dialect::CQL.to_owned(), text: text.into() }
    }

    /// A query in Windows' query language.
    pub fn wql(text: impl Into<String>) -> Self {
        Self::Query { dialect: dialect::WQL.to_owned(), text: text.into() }
    }

    /// The filter in a request's body, under `wsman:Filter` or the older name; not both (R8.3-3, R10.2.2-3).
    pub(super) fn child(body: &Element, faults: FilterFaults) -> Result<Option<Self>, Fault> {
        match (body.child(WSMAN, "Filter"), body.child(faults.namespace, "Filter")) {
            (Some(_), Some(_)) => {
                Err(Fault::new(faults.both, "the request holds two filters; give wsman:Filter alone"))
            }
            (Some(filter), None) | (None, Some(filter)) => Self::read(filter, faults.content).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn read(filter: &Element, unsuitable: FaultKind) -> Result<Self, Fault> {
        if is_mixed(filter) {
            return Err(Fault::new(unsuitable, "a filter holds text or one element, not both and not several"));
        }
        let named = filter.attribute("", "Dialect").map(str::trim).filter(|d| !d.is_empty());
        let language = named.unwrap_or(dialect::XPATH);
        if language.eq_ignore_ascii_case(dialect::ASSOCIATION) {
            return AssociationFilter::read(filter).map(|f| Self::Association(Box::new(f)));
        }
        if language.eq_ignore_ascii_case(dialect::SELECTOR) {
            let set = filter.child(WSMAN, "SelectorSet");
            let set = set.ok_or_else(|| Fault::new(unsuitable, "a selector filter holds one wsman:SelectorSet"))?;
            return SelectorSet::read(set).map(Self::Selectors).map_err(|fault| match fault.detail() {
                Some(detail) => selectors_fault(unsuitable, detail, fault.reason().to_owned()),
                None => fault,
            });
        }
        if filter.elements().next().is_some() {
            return Err(Fault::new(unsuitable, "a filter in a query language holds text only"));
        }
        Ok(Self::Query { dialect: language.to_owned(), text: filter.text().to_owned() })
    }

    /// Writes `wsman:Filter`. `wsman`, `wsmb` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        let language = match self {
            Self::Association(_) => dialect::ASSOCIATION,
            Self::Selectors(_) => dialect::SELECTOR,
            Self::Query { dialect, .. } => dialect,
        };
        w.start("wsman:Filter").attribute("Dialect", language);
        match self {
            Self::Association(filter) => filter.write(w),
            Self::Selectors(set) => {
                w.element(&set.to_element());
            }
            Self::Query { text, .. } => {
                w.text(text);
            }
        }
        w.end("wsman:Filter");
    }
}

/// Whether a filter holds what none may hold, whatever its dialect (DSP0226 R8.2.1-3, R10.2.2-5).
fn is_mixed(filter: &Element) -> bool {
    let has_text = filter.children.iter().filter_map(XMLNode::as_text).any(|text| !text.trim().is_empty());
    filter.elements().count() > usize::from(!has_text)
}

/// The fault for selectors that no filter can be made of: it has the detail that they have in a request (DSP0226 RE-5).
pub fn selectors_fault(kind: FaultKind, detail: FaultDetail, reason: String) -> Fault {
    Fault::new(kind, reason)
        .with_element(element(WSMAN, "FaultDetail").with_text([FAULT_DETAIL, detail.name()].concat()))
}
