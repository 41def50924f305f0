//! The association filter (DSP0227 8.2).

use super::fields::filled;
use super::names::WSMB;
use super::resource::shown;
use crate::soap::{EndpointReference, Fault, FaultKind};
use crate::xml::{Element, ElementExt, Writer, element};

/// Which side of associations a client wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationKind {
    /// The instances at the other end (CIM Associators).
    AssociatedInstances,
    /// The links themselves (CIM References).
    AssociationInstances,
}

/// Follow associations from an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationFilter {
    /// What is wanted.
    pub kind: AssociationKind,
    /// The instance to start from.
    pub object: EndpointReference,
    /// The class of the links. The standard has it for associated instances alone; wsmancli gives it for links too.
    pub association_class: Option<String>,
    /// The reference by which the links point to the object.
    pub role: Option<String>,
    /// The class of what is returned.
    pub result_class: Option<String>,
    /// The reference by which the links point to what is at their other end. As with `association_class`.
    pub result_role: Option<String>,
    /// The properties to be returned; all if there are none.
    pub include_properties: Vec<String>,
}

const ASSOCIATED: &str = "AssociatedInstances";
const ASSOCIATIONS: &str = "AssociationInstances";

/// What may stand in a filter at most once.
const ONCE: [&str; 5] = ["Object", "AssociationClassName", "Role", "ResultClassName", "ResultRole"];

impl AssociationFilter {
    /// All associated instances of an object.
    pub fn associated(object: EndpointReference) -> Self {
        Self {
            kind: AssociationKind::AssociatedInstances,
            object,
            association_class: None,
            role: None,
            result_class: None,
            result_role: None,
            include_properties: Vec::new(),
        }
    }

    /// Reads what a filter of this dialect holds. Children come in any order; an empty one is as good as none.
    pub(super) fn read(filter: &Element) -> Result<Self, Fault> {
        let refuse = |why: String| Fault::new(FaultKind::EnumerationCannotProcessFilter, why);
        let mut held = filter.elements();
        let (Some(content), None) = (held.next(), held.next()) else {
            return Err(refuse(format!("an association filter holds one wsmb:{ASSOCIATED} or wsmb:{ASSOCIATIONS}")));
        };
        let kind = match (content.namespace_uri(), content.name.as_str()) {
            (WSMB, ASSOCIATED) => AssociationKind::AssociatedInstances,
            (WSMB, ASSOCIATIONS) => AssociationKind::AssociationInstances,
            (_, other) => {
                return Err(refuse(format!(
                    "an association filter holds wsmb:{ASSOCIATED} or wsmb:{ASSOCIATIONS}, not {}",
                    shown(other)
                )));
            }
        };
        let object = content
            .child(WSMB, "Object")
            .ok_or_else(|| Fault::schema(format!("wsmb:{} holds no wsmb:Object", content.name)))?;
        let object = EndpointReference::read(object)?;
        if object.resource_uri_text().is_none() {
            return Err(refuse("wsmb:Object names no instance: it holds no wsman:ResourceURI".to_owned()));
        }
        check_children(content)?;
        let text = |name| filled(content, WSMB, name).map(str::to_owned);
        Ok(Self {
            kind,
            object,
            association_class: text("AssociationClassName"),
            role: text("Role"),
            result_class: text("ResultClassName"),
            result_role: text("ResultRole"),
            include_properties: content
                .children_named(WSMB, "IncludeResultProperty")
                .map(|p| p.text().to_owned())
                .filter(|p| !p.is_empty())
                .collect(),
        })
    }

    /// Writes what a filter of this dialect holds. `wsmb` and `wsa` must be declared.
    pub(super) fn write(&self, w: &mut Writer) {
        let tag = match self.kind {
            AssociationKind::AssociatedInstances => "wsmb:AssociatedInstances",
            AssociationKind::AssociationInstances => "wsmb:AssociationInstances",
        };
        w.start(tag).element(&self.object.to_element(WSMB, "Object"));
        let mut leaf = |name: &str, text: &Option<String>| {
            if let Some(text) = text {
                w.element(&element(WSMB, name).with_text(text.clone()));
            }
        };
        match self.kind {
            AssociationKind::AssociatedInstances => {
                leaf("AssociationClassName", &self.association_class);
                leaf("Role", &self.role);
                leaf("ResultClassName", &self.result_class);
                leaf("ResultRole", &self.result_role);
            }
            AssociationKind::AssociationInstances => {
                leaf("AssociationClassName", &self.association_class);
                leaf("ResultClassName", &self.result_class);
                leaf("Role", &self.role);
                leaf("ResultRole", &self.result_role);
            }
        }
        for property in &self.include_properties {
            w.leaf("wsmb:IncludeResultProperty", property);
        }
        w.end(tag);
    }
}

/// What is not known is refused: passed over, it would let more through than was asked for.
fn check_children(content: &Element) -> Result<(), Fault> {
    let refuse = |child: &Element, why: &str| {
        let reason = format!("{} in wsmb:{} {why}", shown(&child.name), content.name);
        Err(Fault::new(FaultKind::EnumerationCannotProcessFilter, reason))
    };
    for (i, child) in content.elements().enumerate().filter(|(_, child)| child.namespace_uri() == WSMB) {
        let name = child.name.as_str();
        if name != "IncludeResultProperty" && !ONCE.contains(&name) {
            return refuse(child, "is not known; leave it out");
        }
        if ONCE.contains(&name) && content.elements().take(i).any(|before| before.is(WSMB, name)) {
            return refuse(child, "is given twice");
        }
    }
    Ok(())
}
