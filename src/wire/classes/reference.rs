//! References to classes: the resource URI of the format, and the class as a selector.

use super::ClassFormat;
use crate::wire::names::{ANONYMOUS, CIM_NAMESPACE_SELECTOR, CLASS_NAME_SELECTOR};
use crate::xml::Writer;

/// Writes the `wsa:EndpointReference` of a class. `wsa` and `wsman` must be declared.
pub fn write_class_reference(w: &mut Writer, format: ClassFormat, namespace: &str, class: &str) {
    w.start("wsa:EndpointReference").leaf("wsa:Address", ANONYMOUS).start("wsa:ReferenceParameters");
    w.leaf("wsman:ResourceURI", format.resource_uri()).start("wsman:SelectorSet");
    for (name, value) in [(CIM_NAMESPACE_SELECTOR, namespace), (CLASS_NAME_SELECTOR, class)] {
        w.start("wsman:Selector").attribute("Name", name).text(value).end("wsman:Selector");
    }
    w.end("wsman:SelectorSet").end("wsa:ReferenceParameters").end("wsa:EndpointReference");
}
