//! References as one text: `NAMESPACE:CLASS.Key="value",Key="value"`, which is how CIM writes them (DSP0004, 8.2.5), both ways.

use super::{Resource, ResourceError};
use crate::soap::EndpointReference;
use crate::wire::SelectorValue;

/// The reference as a text.
pub fn path_text(reference: &EndpointReference) -> String {
    // What a host sends may be anything; then its address is all that can be told.
    Resource::of(reference).map_or_else(|_| reference.address.clone(), |resource| resource.to_string())
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(namespace) = self.selectors.namespace() {
            write!(f, "{namespace}:")?;
        }
        let class = self.class_name();
        f.write_str(if class.is_empty() { &self.uri } else { class })?;
        for (place, selector) in self.selectors.keys().enumerate() {
            let value = match &selector.value {
                SelectorValue::Text(text) => text.clone(),
                SelectorValue::Endpoint(endpoint) => path_text(endpoint),
            };
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "{}{}=\"{escaped}\"", if place == 0 { '.' } else { ',' }, selector.name)?;
        }
        Ok(())
    }
}

impl Resource {
    /// Reads a class, or an instance, as [`path_text`] writes it. The class may be a resource URI in front of the keys, too.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        let refuse = || ResourceError::Path(text.chars().take(200).collect());
        let (head, keys) = match text.find("=\"") {
            None => (text, None),
            Some(equals) => {
                let dot = text.get(..equals).and_then(|before| before.rfind('.')).ok_or_else(refuse)?;
                (text.get(..dot).unwrap_or_default(), text.get(dot + 1..))
            }
        };
        let (namespace, class) = match head.split_once(':') {
            Some((namespace, class)) if !class.starts_with("//") => (Some(namespace), class),
            _ => (None, head),
        };
        let mut resource = Self::class(class, namespace)?;
        let mut rest = keys.unwrap_or_default();
        while !rest.is_empty() {
            let (name, value) = rest.split_once("=\"").ok_or_else(refuse)?;
            let (value, behind) = quoted(value).ok_or_else(refuse)?;
            resource.selectors.set(name.trim(), SelectorValue::Text(value));
            rest = match behind.strip_prefix(',') {
                Some(more) if !more.is_empty() => more,
                None if behind.is_empty() => "",
                _ => return Err(refuse()),
            };
        }
        Ok(resource)
    }

    /// The reference to it at a host of this address.
    pub(super) fn reference(&self, address: &str) -> EndpointReference {
        EndpointReference::to_resource(address, &self.uri, &self.selectors)
    }
}

/// A text up to its closing quotation mark, and what stands behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(place + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_and_read() {
        for text in [
            "LMI_Job",
            "LMI_Job.InstanceID=\"LMI:LMI_Job:1\"",
            "root/interop:CIM_Thing.A=\"a \\\"b\\\" \\\\ c=\\\",\",B=\"\"",
            "PG_ComputerSystem.CreationClassName=\"PG_ComputerSystem\",Name=\"web1.example\"",
        ] {
            let resource = Resource::parse(text).unwrap();
            assert_eq!(resource.to_string(), text);
            assert_eq!(path_text(&resource.reference("https://web1/wsman")), text);
        }
        let by_uri = Resource::parse("http://example.com/x/CIM_A.Name=\"b\"").unwrap();
        assert_eq!((by_uri.uri.as_str(), by_uri.selectors.text("Name")), ("http://example.com/x/CIM_A", Some("b")));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in
            ["", "CIM_A.Name=\"b", "CIM_A.Name=\"b\",", "CIM_A.Name=\"b\"x", "CIM_A.A=\"b\",c", "Name=\"b\"", "a b"]
        {
            assert!(Resource::parse(text).is_err(), "{text}");
        }
    }
}
