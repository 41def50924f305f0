//! What a request is about, as a person names it: a class or a whole resource URI, and keys.

use crate::soap::{EndpointReference, Fault};
use crate::wire::names::CIM_NAMESPACE_SELECTOR;
use crate::wire::{ResourceUri, SelectorSet, SelectorValue, UriForm};

/// The CIM namespace of Windows' classes that nobody says one for.
const WINDOWS_NAMESPACE: &str = "root/cimv2";
/// Classes that Windows alone has, and so under its own form of resource URIs.
const WINDOWS_PREFIXES: [&str; 3] = ["Win32_", "MSFT_", "Msvm_"];

/// A class, or an instance of it if there are keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The resource URI.
    pub uri: String,
    /// The keys, and the CIM namespace if one was named.
    pub selectors: SelectorSet,
}

/// What names no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// Neither class nor URI.
    #[error("{0:?} is neither the name of a class nor a resource URI")]
    Class(String),
    /// Neither class nor path.
    #[error("{0:?} names no instance; write CLASS.KEY=\"VALUE\",KEY=\"VALUE\", or CLASS if there is only one")]
    Path(String),
    /// A key without a value.
    #[error("{0:?} is no key; write NAME=VALUE")]
    Key(String),
}

impl Resource {
    /// The class of that name, or of that resource URI, in a CIM namespace or in the one that the host takes.
    pub fn class(name: &str, namespace: Option<&str>) -> Result<Self, ResourceError> {
        let uri = uri_of(name, namespace).ok_or_else(|| ResourceError::Class(name.chars().take(100).collect()))?;
        let selectors = match namespace {
            // Windows' form of the URI has the namespace in it.
            Some(namespace) if !is_windows(&uri) => {
                SelectorSet::default().with(CIM_NAMESPACE_SELECTOR, namespace.replace('\\', "/"))
            }
            _ => SelectorSet::default(),
        };
        Ok(Self { uri, selectors })
    }

    /// A class of the standards or of a vendor that is known here.
    pub(super) fn known(class: &str) -> Self {
        Self { uri: UriForm::Vendor.class_uri(class), selectors: SelectorSet::default() }
    }

    /// The same with keys, each `NAME=VALUE`.
    pub fn with_keys(mut self, keys: &[String]) -> Result<Self, ResourceError> {
        for key in keys {
            let (name, value) = key
                .split_once('=')
                .filter(|(name, _)| !name.trim().is_empty())
                .ok_or_else(|| ResourceError::Key(key.chars().take(100).collect()))?;
            self.selectors.set(name.trim(), SelectorValue::Text(value.to_owned()));
        }
        Ok(self)
    }

    /// The same with a key that is a reference.
    #[must_use]
    pub fn with_reference(mut self, name: &str, reference: EndpointReference) -> Self {
        self.selectors.set(name, SelectorValue::Endpoint(Box::new(reference)));
        self
    }

    /// What a reference leads to.
    pub fn of(reference: &EndpointReference) -> Result<Self, Fault> {
        let uri = reference.resource_uri_text().unwrap_or_default().to_owned();
        Ok(Self { uri, selectors: reference.selectors()? })
    }

    /// Whether it names an instance and not the class alone.
    pub fn has_keys(&self) -> bool {
        self.selectors.keys().next().is_some()
    }

    /// The name of the class; empty if the URI is of something else.
    pub fn class_name(&self) -> &str {
        match self.uri.rsplit_once('/') {
            Some((_, name)) if name != "*" => name,
            _ => "",
        }
    }

    /// All classes beside this one, which queries are asked of (DSP0227 R8.2.1-1).
    pub(super) fn all_classes(&self) -> Self {
        let uri = match ResourceUri::parse(&self.uri) {
            Ok(ResourceUri::Class { form: form @ UriForm::Wmi { .. }, .. }) => form.class_uri("*"),
            _ => UriForm::Dmtf.class_uri("*"),
        };
        Self { uri, selectors: self.selectors.clone() }
    }
}

fn is_windows(uri: &str) -> bool {
    matches!(ResourceUri::parse(uri), Ok(resource) if resource.namespace().is_some())
}

fn uri_of(name: &str, namespace: Option<&str>) -> Option<String> {
    let name = name.trim();
    if name.contains("://") {
        return Some(name.to_owned());
    }
    let is_class = !name.is_empty()
        && name != "*"
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_of_windows = |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let form = if WINDOWS_PREFIXES.into_iter().any(is_of_windows) {
        UriForm::Wmi { namespace: namespace.unwrap_or(WINDOWS_NAMESPACE).replace('\\', "/").into() }
    } else {
        UriForm::Vendor
    };
    is_class.then(|| form.class_uri(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_under_its_vendors_uri() {
        for (name, namespace, uri) in [
            ("CIM_Job", None, "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Job"),
            ("LMI_Job", Some("root/cimv2"), "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Job"),
            ("Win32_Service", None, "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service"),
            ("win32_X", Some("root\\x"), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/x/win32_X"),
            ("http://example.com/thing", None, "http://example.com/thing"),
        ] {
            let resource = Resource::class(name, namespace).unwrap();
            assert_eq!(resource.uri, uri);
            let told = resource.selectors.namespace().is_some();
            assert_eq!(told, namespace.is_some() && !uri.contains("microsoft"), "{name}");
        }
        for name in ["", "*", "CIM Job", "1", "ä"] {
            assert!(Resource::class(name, None).is_err(), "{name}");
        }
    }

    #[test]
    fn keys_are_selectors() {
        let keys = ["Name=a=b".to_owned(), "InstanceID=".to_owned()];
        let resource = Resource::class("CIM_Job", None).unwrap().with_keys(&keys).unwrap();
        assert_eq!((resource.selectors.text("name"), resource.selectors.text("InstanceID")), (Some("a=b"), Some("")));
        assert!(resource.has_keys() && resource.class_name() == "CIM_Job");
        for wrong in ["Name", "=x"] {
            let refused = Resource::class("CIM_Job", None).unwrap().with_keys(&[wrong.to_owned()]).unwrap_err();
            assert_eq!(refused, ResourceError::Key(wrong.to_owned()));
        }
    }

    #[test]
    fn queries_are_asked_of_all_classes() {
        let all = |name| Resource::class(name, None).unwrap().all_classes().uri;
        assert_eq!(all("LMI_Job"), "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/*");
        assert_eq!(all("Win32_Service"), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*");
    }
}
