//! Strings of octets: arrays of uint8 that travel as base64 (DSP0230, cimBase64Binary).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cim::Value;
use crate::xml::Writer;

/// Writes octets; what is NULL among them counts as 0.
pub(super) fn write_octets(w: &mut Writer, items: &[Value]) {
    let octet = |item: &Value| if let Value::Uint8(octet) = item { *octet } else { 0 };
    let octets: Vec<u8> = items.iter().map(octet).collect();
    w.text(&STANDARD.encode(octets));
}

/// Reads a string of octets. White space between the characters is nothing. The error is a sentence of its own.
pub(super) fn read_octets(text: &str) -> Result<Value, String> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let octets = STANDARD.decode(text).map_err(|error| format!("it is not base64: {error}"))?;
    Ok(Value::array(octets))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{Mapping, Style, write_instance};
    use super::*;
    use crate::cim::{Instance, Schema};
    use crate::wire::names::TRANSFER_PREFIXES;
    use crate::xml::{ElementExt, Limits, read};

    const MOF: &str = "class CIM_Image { [Key] string Name; [OctetString] uint8 Image[]; uint8 Numbers[]; };";

    proptest! {
        #[test]
        fn octets_survive(octets: Vec<u8>) {
            let schema = Schema::from_mof([("test.mof", MOF)].into_iter()).unwrap();
            let class = schema.class("CIM_Image").unwrap();
            let mut instance = Instance::new(class.clone());
            instance.set("Name", "x").unwrap().set("Image", Value::array(octets.iter().copied())).unwrap();
            instance.set("Numbers", Value::array(octets)).unwrap();
            let mut w = Writer::new(usize::MAX);
            w.start("x").namespaces(TRANSFER_PREFIXES);
            write_instance(&mut w, &instance, &Style::default());
            w.end("x");
            let text = String::from_utf8(w.finish()).unwrap();
            let limits = Limits { elements: 1000, ..Limits::default() };
            let namespace: Arc<str> = "root/cimv2".into();
            let mapping = Mapping { schema: &schema, namespace: &namespace, precise_arrays: false };
            let given = mapping.instance(read(&text, &limits).unwrap().elements().next().unwrap(), class).unwrap();
            prop_assert_eq!(given.instance.get("Image"), instance.get("Image"));
        }
    }

    #[test]
    fn octets_given_one_by_one_are_none_of_them_null() {
        let schema = Schema::from_mof([("test.mof", MOF)].into_iter()).unwrap();
        let mapping = Mapping { schema: &schema, namespace: &"root/cimv2".into(), precise_arrays: false };
        let class = schema.class("CIM_Image").unwrap();
        let of = |second: &str| {
            let nil = "http://www.w3.org/2001/XMLSchema-instance";
            let text = format!("<CIM_Image xmlns:x='{nil}'><Image>1</Image>{second}</CIM_Image>");
            mapping.instance(&read(&text, &Limits::default()).unwrap(), class).map(|given| given.instance)
        };
        assert_eq!(of("<Image>2</Image>").unwrap().get("Image"), Some(&Value::array([1u8, 2])));
        assert_eq!(of("<Image x:nil='1'/>").unwrap_err().to_string(), "property Image: an octet is given as NULL");
    }

    #[test]
    fn what_is_no_base64_is_named() {
        assert_eq!(read_octets("AQ\n ID"), Ok(Value::array([1u8, 2, 3])));
        assert_eq!(read_octets(""), Ok(Value::array([0u8; 0])));
        assert!(read_octets("AQ?D").unwrap_err().starts_with("it is not base64"));
    }
}
