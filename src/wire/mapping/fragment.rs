//! Parts of instances: projections (DSP0226 R8.6-1, DSP0227 R8.2.1-10).

use super::tags::PREFIX;
use super::write::{Style, Tag, write_elements};
use crate::cim::Class;
use crate::cim::query::Found;
use crate::xml::Writer;

/// Writes properties in `wsman:XmlFragment`. `class` is the class of the instance they were found in. With `bare_names` the
/// elements have no namespace, which is how Windows answers WQL. `wsman`, `xsi`, `cim` and `wsa` must be declared.
pub fn write_fragment(w: &mut Writer, class: &Class, properties: &[Found], bare_names: bool, style: &Style<'_>) {
    w.start("wsman:XmlFragment");
    if !bare_names {
        w.attribute_parts("xmlns:p", &style.form.class_uri_parts(class.name()));
    }
    for Found { class: holder, name, shape, value } in properties {
        let tag = if bare_names {
            Tag::Bare(name)
        } else if holder.name() == class.name() {
            Tag::Prefixed(PREFIX, name)
        } else {
            Tag::Declaring(style.form.class_uri_parts(holder.name()), name)
        };
        write_elements(w, tag, shape, value, style);
    }
    w.end("wsman:XmlFragment");
}
