//! Object paths: what names one instance within a server.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::Value;

/// The name of an instance: CIM namespace, class and keys.
///
/// Two paths are equal when namespace, class and key names agree without regard to case and key values agree
/// exactly. Keys are kept in alphabetical order without regard to case.
#[derive(Clone, Debug)]
pub struct ObjectPath {
    namespace: Arc<str>,
    class: Arc<str>,
    keys: Vec<(Arc<str>, Value)>,
}

impl ObjectPath {
    /// A path; `\` in the namespace is read as `/`.
    pub fn new(namespace: impl Into<Arc<str>>, class: impl Into<Arc<str>>, keys: Vec<(Arc<str>, Value)>) -> Self {
        let mut namespace = namespace.into();
        if namespace.contains('\\') {
            namespace = namespace.replace('\\', "/").into();
        }
        let mut keys = keys;
        // Without regard to case, or paths that differ in the case of key names alone would line up wrongly.
        keys.sort_by(|a, b| compare(&a.0, &b.0));
        Self { namespace, class: class.into(), keys }
    }

    /// The CIM namespace, for example `root/cimv2`.
    pub fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    /// The class.
    pub fn class(&self) -> &Arc<str> {
        &self.class
    }

    /// The keys in alphabetical order.
    pub fn keys(&self) -> &[(Arc<str>, Value)] {
        &self.keys
    }

    /// A key's value; names are compared without case.
    pub fn key(&self, name: &str) -> Option<&Value> {
        self.keys.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// A string key's text.
    pub fn key_str(&self, name: &str) -> Option<&str> {
        self.key(name).and_then(Value::as_str)
    }

    /// Whether both name the same keys with the same values, whatever their classes and namespaces.
    pub fn same_keys(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|(a, b)| a.0.eq_ignore_ascii_case(&b.0) && a.1 == b.1)
    }
}

/// The order of names, which have no case (DSP0004).
fn compare(a: &str, b: &str) -> Ordering {
    a.bytes().map(|c| c.to_ascii_lowercase()).cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

impl PartialEq for ObjectPath {
    fn eq(&self, other: &Self) -> bool {
        self.namespace.eq_ignore_ascii_case(&other.namespace)
            && self.class.eq_ignore_ascii_case(&other.class)
            && self.same_keys(other)
    }
}

impl fmt::Display for ObjectPath {
    /// The WBEM URI form without authority: `root/cimv2:CIM_X.Key="value"` (DSP0207).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.class)?;
        for (i, (name, value)) in self.keys.iter().enumerate() {
            f.write_str(if i == 0 { "." } else { "," })?;
            match value {
                Value::String(text) => write!(f, "{name}=\"{}\"", quoted(text))?,
                Value::Reference(path) => write!(f, "{name}=\"{}\"", quoted(&path.to_string()))?,
                Value::Datetime(time) => write!(f, "{name}=\"{time}\"")?,
                Value::Boolean(truth) => write!(f, "{name}={truth}")?,
                Value::Uint8(n) => write!(f, "{name}={n}")?,
                Value::Uint16(n) => write!(f, "{name}={n}")?,
                Value::Uint32(n) => write!(f, "{name}={n}")?,
                Value::Uint64(n) => write!(f, "{name}={n}")?,
                Value::Sint8(n) => write!(f, "{name}={n}")?,
                Value::Sint16(n) => write!(f, "{name}={n}")?,
                Value::Sint32(n) => write!(f, "{name}={n}")?,
                Value::Sint64(n) => write!(f, "{name}={n}")?,
                Value::Real32(n) => write!(f, "{name}={n}")?,
                Value::Real64(n) => write!(f, "{name}={n}")?,
                Value::Char16(unit) => write!(f, "{name}='\\x{unit:04X}'")?,
                // No type of a key; a peer may still have sent one.
                Value::Null | Value::Instance(_) | Value::Array(_) => write!(f, "{name}=NULL")?,
            }
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(namespace: &str, class: &str, keys: &[(&str, Value)]) -> ObjectPath {
        ObjectPath::new(namespace, class, keys.iter().map(|(n, v)| (Arc::from(*n), v.clone())).collect())
    }

    #[test]
    fn names_have_no_case_and_values_have() {
        let one = path("root/cimv2", "CIM_X", &[("Name", "a".into()), ("CreationClassName", "b".into())]);
        let same = path("Root\\CIMv2", "cim_x", &[("creationclassname", "b".into()), ("name", "a".into())]);
        assert_eq!(one, same);
        assert_eq!(same.key_str("NAME"), Some("a"));
        assert_ne!(one, path("root/cimv2", "CIM_X", &[("Name", "A".into()), ("CreationClassName", "b".into())]));
        assert_ne!(one, path("root/cimv2", "CIM_X", &[("Name", "a".into())]));
        assert!(one.same_keys(&path("x", "y", &[("Name", "a".into()), ("CreationClassName", "b".into())])));
    }

    #[test]
    fn a_path_is_shown_as_a_wbem_uri() {
        let inner = path("root/cimv2", "CIM_Y", &[("ID", "a\"b".into())]);
        let values = [("Id", 7u32.into()), ("Left", inner.into()), ("On", true.into()), ("Ratio", 1.5f64.into())];
        assert_eq!(
            path("root/cimv2", "CIM_X", &values).to_string(),
            r#"root/cimv2:CIM_X.Id=7,Left="root/cimv2:CIM_Y.ID=\"a\\\"b\"",On=true,Ratio=1.5"#
        );
    }

    proptest! {
        #[test]
        fn the_order_of_keys_is_no_difference(
            keys in proptest::collection::btree_map("[A-Za-z]{1,4}", "[a-c\\\\\",=]{0,3}", 0..5),
            upper: bool,
        ) {
            let folded: std::collections::BTreeMap<_, _> =
                keys.into_iter().map(|(n, v)| (n.to_lowercase(), v)).collect();
            let given: Vec<(Arc<str>, Value)> =
                folded.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())).collect();
            let other = given.iter().rev().map(|(n, v)| {
                let name = if upper { n.to_uppercase().into() } else { n.clone() };
                (name, v.clone())
            });
            let (one, two) = (ObjectPath::new("n", "C", given.clone()), ObjectPath::new("n", "C", other.collect()));
            prop_assert_eq!(&one, &two);
        }

        #[test]
        fn different_keys_are_shown_differently(a in "[ab\\\\\",]{0,4}", b in "[ab\\\\\",]{0,4}") {
            let shown = |text: &str| path("n", "C", &[("K", text.into()), ("L", "x".into())]).to_string();
            prop_assert_eq!(a == b, shown(&a) == shown(&b));
        }
    }
}
