//! Plain instances into elements.

use super::{PlainInstance, PlainValue};
use crate::cim::DateTime;
use crate::xml::Writer;

/// Prefixes of the instances inside each other, by depth; deeper ones use them over again, each declares its own.
const PREFIXES: [(&str, &str); 2] = [("p", "xmlns:p"), ("q", "xmlns:q")];

impl PlainInstance {
    /// Writes it as the element of its class, or as `Method_INPUT`. `xsi`, `cim` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        let [(prefix, declaration), _] = PREFIXES;
        w.start_in(prefix, &self.class).attribute(declaration, &self.resource_uri);
        self.write_properties(w, 0);
        w.end_in(prefix, &self.class);
    }

    fn write_properties(&self, w: &mut Writer, depth: usize) {
        let (prefix, _) = at(depth);
        for (name, value) in &self.properties {
            match value {
                PlainValue::Array(items) => items.iter().for_each(|item| write_one(w, prefix, name, item, depth)),
                one => write_one(w, prefix, name, one, depth),
            }
        }
    }
}

fn write_one(w: &mut Writer, prefix: &'static str, name: &str, value: &PlainValue, depth: usize) {
    w.start_in(prefix, name);
    match value {
        // An array in an array is none of CIM's values.
        PlainValue::Null | PlainValue::Array(_) => {
            w.raw_attribute(" xsi:nil=\"true\"");
        }
        PlainValue::Text(text) => {
            w.text(text);
        }
        PlainValue::Datetime(text) => {
            let is_interval = matches!(DateTime::parse(text), Ok(DateTime::Interval(_)));
            w.leaf(if is_interval { "cim:Interval" } else { "cim:Datetime" }, text);
        }
        PlainValue::Reference(endpoint) => endpoint.write(w),
        PlainValue::Instance(instance) => {
            let (inner, declaration) = at(depth + 1);
            w.attribute(declaration, &instance.resource_uri);
            w.attribute_parts("xsi:type", &[inner, ":", &instance.class, "_Type"]);
            instance.write_properties(w, depth + 1);
        }
    }
    w.end_in(prefix, name);
}

fn at(depth: usize) -> (&'static str, &'static str) {
    let [even, odd] = PREFIXES;
    if depth.is_multiple_of(2) { even } else { odd }
}
