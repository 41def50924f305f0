//! Values as a person writes them: `NAME=VALUE`, several of one name for an array, and references as paths.

use super::outcome::Failed;
use crate::cim::DateTime;
use crate::console::{ConsoleError, Resource, Session};
use crate::wire::PlainValue;

/// Named values. The same name again makes an array; a name alone is NULL.
pub(super) fn values(written: &[String]) -> Result<Vec<(String, PlainValue)>, Failed> {
    let mut values: Vec<(String, PlainValue)> = Vec::new();
    for one in written {
        let (name, value) = match one.split_once('=') {
            Some((name, text)) => (name, value(text)),
            None => (one.as_str(), PlainValue::Null),
        };
        let name = named(name).ok_or_else(|| Failed::Usage(format!("{one:?} names nothing; write NAME=VALUE")))?;
        match values.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            Some((_, PlainValue::Array(items))) => items.push(value),
            Some((_, first)) => *first = PlainValue::Array(vec![first.clone(), value]),
            None => values.push((name, value)),
        }
    }
    Ok(values)
}

/// Named references, each as `NAME=PATH`.
pub(super) fn references(written: &[String]) -> Result<Vec<(String, Resource)>, Failed> {
    let one = |one: &String| {
        let parts = one.split_once('=').and_then(|(name, path)| Some((named(name)?, path)));
        let (name, path) = parts.ok_or_else(|| Failed::Usage(format!("{one:?} is no reference; write NAME=CLASS")))?;
        Ok((name, Resource::parse(path)?))
    };
    written.iter().map(one).collect()
}

/// The values and the references that a request brings to one host.
pub(super) async fn at(
    session: &Session,
    mut values: Vec<(String, PlainValue)>,
    references: &[(String, Resource)],
) -> Result<Vec<(String, PlainValue)>, ConsoleError> {
    for (name, resource) in references {
        values.push((name.clone(), session.reference_to(resource).await?.into()));
    }
    Ok(values)
}

fn named(name: &str) -> Option<String> {
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then(|| name.to_owned())
}

/// A time in CIM's form is sent as one; nothing else has that form.
fn value(text: &str) -> PlainValue {
    const LENGTH: usize = 25;
    match DateTime::parse(text) {
        Ok(time) if text.len() == LENGTH && !text.contains('T') => PlainValue::Datetime(time.to_xml()),
        _ => PlainValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &[&str]) -> Result<Vec<(String, PlainValue)>, Failed> {
        values(&written.iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let read = read(&["A=1", "B", "C=", "a=x=y", "A=3", "T=00000000000130.000000:000"]).unwrap();
        let expected = [
            ("A", PlainValue::from(["1", "x=y", "3"])),
            ("B", PlainValue::Null),
            ("C", PlainValue::from("")),
            ("T", PlainValue::Datetime("PT1M30S".to_owned())),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for wrong in ["=1", "", " =", "a b=1", "<a>=1"] {
            assert!(read(&[wrong]).unwrap_err().to_string().contains("write NAME=VALUE"), "{wrong}");
        }
        assert!(references(&["Target".to_owned()]).is_err());
        assert!(references(&["Target=a b".to_owned()]).is_err());
    }
}
