//! What the audit log tells of a call's arguments: enough to know what was asked for, in a bounded length, and no secrets.

use super::Arguments;
use crate::audit::without_secrets;
use crate::cim::Value;

/// The longest text of an argument, in characters.
const LONGEST_TEXT: usize = 256;
/// How many elements of an array are told.
const ELEMENTS: usize = 8;

/// The arguments, such as `URI="file:///srv/hello.deb", InstallOptions={3}`.
pub(super) fn told(arguments: &Arguments) -> String {
    let given = arguments.0.iter().filter(|(_, value)| !matches!(value, Value::Null));
    given.map(|(name, value)| format!("{name}={}", value_told(value))).collect::<Vec<_>>().join(", ")
}

fn value_told(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("{:?}", text_told(text)),
        Value::Char16(unit) => format!("'\\x{unit:04X}'"),
        Value::Reference(path) => format!("{:?}", path.to_string()),
        // Its properties may be secrets.
        Value::Instance(instance) => format!("an instance of {}", instance.class().name()),
        Value::Array(elements) => array_told(elements),
        plain => plain.plain_text().unwrap_or_default(),
    }
}

fn array_told(elements: &[Value]) -> String {
    if elements.len() > ELEMENTS && elements.iter().all(|element| matches!(element, Value::Uint8(_))) {
        return format!("{} octets", elements.len());
    }
    let mut told: Vec<String> = elements.iter().take(ELEMENTS).map(value_told).collect();
    if elements.len() > ELEMENTS {
        told.push(format!("… {} in all", elements.len()));
    }
    format!("{{{}}}", told.join(", "))
}

/// A text that is not too long; of an address without what may be a secret.
fn text_told(text: &str) -> String {
    let shown = without_secrets(text);
    match shown.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", shown.get(..at).unwrap_or_default()),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: impl Into<Value>) -> String {
        told(&Arguments(vec![("A".into(), value.into())]))
    }

    #[test]
    fn arguments_are_told_without_what_may_be_secret() {
        assert_eq!(told(&Arguments::default()), "");
        assert_eq!(told(&Arguments(vec![("N".into(), Value::Null), ("B".into(), true.into())])), "B=true");
        assert_eq!(one("a \"b\"\n"), r#"A="a \"b\"\n""#);
        assert_eq!(one("https://ann:s3cret@h:1/p/a.deb?token=s3cret#s3cret"), r#"A="https://…@h:1/p/a.deb?…""#);
        assert_eq!(one("file:///srv/it@home/a.deb"), r#"A="file:///srv/it@home/a.deb""#);
        assert_eq!(one("https://h?u@s3cret/"), r#"A="https://h?…""#);
    }

    #[test]
    fn arguments_are_told_in_a_bounded_length() {
        assert_eq!(one("ä".repeat(300).as_str()).chars().count(), "A=\"…\"".chars().count() + LONGEST_TEXT);
        assert_eq!(one(Value::array([3u16, 4])), "A={3, 4}");
        assert_eq!(one(Value::array(vec![0u8; 1000])), "A=1000 octets");
        assert_eq!(one(Value::array(vec![7u16; 1000])), "A={7, 7, 7, 7, 7, 7, 7, 7, … 1000 in all}");
    }
}
