//! What the values of a feature are restricted to, as far as XML Schema can say it.

use crate::cim::{CimType, Qualifiers, Value, ValueMapEntry};

/// Some of the values that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    /// These.
    Values(Vec<String>),
    /// All from one to another, both included; an end that is not there is that of the type.
    Range(Option<String>, Option<String>),
}

/// The alternatives that qualifiers allow for values of a type; none if every value is allowed.
///
/// A value map with `..` allows every value: that entry stands for all that the others leave. MaxLen is passed by, although
/// DSP0230 maps it: real packages have longer texts than CIM_ManagedElement.Caption allows for, and the schema of a service
/// lets pass what the service sends.
pub(super) fn facets(cim_type: CimType, qualifiers: &Qualifiers) -> Vec<Facet> {
    match qualifiers.value_map(cim_type) {
        Some(entries) => value_map(&entries),
        None => limits(cim_type, qualifiers).into_iter().collect(),
    }
}

/// The alternatives of a value map; none if it allows every value.
fn value_map(entries: &[ValueMapEntry<'_>]) -> Vec<Facet> {
    let (mut values, mut ranges) = (Vec::new(), Vec::new());
    let decimal = |number: &i128| number.to_string();
    for entry in entries {
        match entry {
            ValueMapEntry::Rest => return Vec::new(),
            ValueMapEntry::Text(text) => values.push((*text).to_owned()),
            ValueMapEntry::Number(number) => values.push(decimal(number)),
            ValueMapEntry::Range(from, to) => {
                ranges.push(Facet::Range(from.as_ref().map(decimal), to.as_ref().map(decimal)));
            }
        }
    }
    let values = (!values.is_empty()).then_some(Facet::Values(values));
    values.into_iter().chain(ranges).collect()
}

/// MinValue and MaxValue.
fn limits(cim_type: CimType, qualifiers: &Qualifiers) -> Option<Facet> {
    let limit = |name| qualifiers.get(name).and_then(Value::plain_text).filter(|_| is_integer(cim_type));
    match (limit("MinValue"), limit("MaxValue")) {
        (None, None) => None,
        (least, most) => Some(Facet::Range(least, most)),
    }
}

fn is_integer(cim_type: CimType) -> bool {
    use CimType as T;
    matches!(cim_type, T::Uint8 | T::Uint16 | T::Uint32 | T::Uint64 | T::Sint8 | T::Sint16 | T::Sint32 | T::Sint64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::Value;

    fn mapped(cim_type: CimType, entries: &[&str]) -> Vec<Facet> {
        let map = Value::array(entries.iter().copied());
        facets(cim_type, &Qualifiers(vec![("ValueMap".into(), map)]))
    }

    fn values(values: &[&str]) -> Facet {
        Facet::Values(values.iter().map(|v| (*v).to_owned()).collect())
    }

    fn range(from: Option<&str>, to: Option<&str>) -> Facet {
        Facet::Range(from.map(str::to_owned), to.map(str::to_owned))
    }

    #[test]
    fn a_value_map_is_its_values_and_its_ranges_in_decimal() {
        let found = mapped(CimType::Uint16, &["2", "0x10", "20..30", "0x8000..0xFFFF", "40000..", "..1"]);
        let ranges = [
            range(Some("20"), Some("30")),
            range(Some("32768"), Some("65535")),
            range(Some("40000"), None),
            range(None, Some("1")),
        ];
        assert_eq!(found, [values(&["2", "16"])].into_iter().chain(ranges).collect::<Vec<_>>());
        assert_eq!(mapped(CimType::String, &["OK", "Pred Fail"]), [values(&["OK", "Pred Fail"])]);
    }

    #[test]
    fn what_cannot_be_said_restricts_nothing() {
        assert_eq!(mapped(CimType::Uint16, &["2", ".."]), []);
        assert_eq!(mapped(CimType::Uint16, &["2", "red"]), []);
        assert_eq!(mapped(CimType::Uint8, &["300"]), []);
        assert_eq!(mapped(CimType::Uint8, &[""]), []);
        assert_eq!(mapped(CimType::Boolean, &["true"]), []);
        assert_eq!(facets(CimType::String, &Qualifiers(vec![("MaxLen".into(), 64u32.into())])), []);
    }

    #[test]
    fn limits_are_a_range_of_an_integer() {
        let least = |value: Value| Qualifiers(vec![("MinValue".into(), value)]);
        assert_eq!(facets(CimType::Sint8, &least((-3i64).into())), [range(Some("-3"), None)]);
        assert_eq!(facets(CimType::String, &least(1u64.into())), []);
    }
}
