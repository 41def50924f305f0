//! What the qualifier ValueMap allows (DSP0004 5.6.3).

use super::{CimType, Qualifiers, Value};

/// An entry of a value map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueMapEntry<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(i128),
    /// All numbers from one to another, both included; an end that is not there is that of the type.
    Range(Option<i128>, Option<i128>),
    /// `..`: all that the other entries leave.
    Rest,
}

impl Qualifiers {
    /// The entries of ValueMap, read as the type that they are for; numbers may be hexadecimal (`0x8000..`). `None` without
    /// a value map, and if an entry is none of the type: such a map says nothing.
    pub fn value_map(&self, cim_type: CimType) -> Option<Vec<ValueMapEntry<'_>>> {
        self.get("ValueMap")?.as_array()?.iter().map(|entry| ValueMapEntry::read(cim_type, entry.as_str()?)).collect()
    }

    /// What a value means, in the words of the qualifier Values.
    pub fn meaning(&self, cim_type: CimType, value: &Value) -> Option<&str> {
        let words = self.get("Values")?.as_array()?;
        let holds = |(entry, words): (ValueMapEntry<'_>, _)| {
            entry.holds(value).then_some((entry == ValueMapEntry::Rest, words))
        };
        // What the other entries leave is told wherever it stands, and is looked at last.
        let (_, words): (bool, &Value) =
            self.value_map(cim_type)?.into_iter().zip(words).filter_map(holds).min_by_key(|(is_rest, _)| *is_rest)?;
        words.as_str()
    }
}

impl<'a> ValueMapEntry<'a> {
    fn read(cim_type: CimType, text: &'a str) -> Option<Self> {
        let number = |text: &str| Value::parse(cim_type, text).ok()?.as_integer();
        let end = |text: &str| if text.is_empty() { Some(None) } else { number(text).map(Some) };
        match text.split_once("..") {
            Some(("", "")) => Some(Self::Rest),
            _ if cim_type == CimType::String => Some(Self::Text(text)),
            Some((from, to)) => Some(Self::Range(end(from)?, end(to)?)),
            None => Some(Self::Number(number(text)?)),
        }
    }

    /// Whether the entry holds a value.
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Self::Text(text) => value.as_str() == Some(text),
            Self::Number(number) => value.as_integer() == Some(number),
            Self::Range(from, to) => {
                value.as_integer().is_some_and(|n| from.is_none_or(|from| from <= n) && to.is_none_or(|to| n <= to))
            }
            Self::Rest => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ValueMapEntry::{Number, Range, Rest, Text};
    use super::*;

    fn of(entries: &[&str]) -> Qualifiers {
        Qualifiers(vec![("ValueMap".into(), Value::array(entries.iter().copied()))])
    }

    #[test]
    fn entries_are_read_by_their_type() {
        let numbers = of(&["2", "0x10", "20..30", "0x8000..0xFFFF", "40000..", "..1", ".."]);
        let expected = [
            Number(2),
            Number(16),
            Range(Some(20), Some(30)),
            Range(Some(32768), Some(65535)),
            Range(Some(40000), None),
            Range(None, Some(1)),
            Rest,
        ];
        assert_eq!(numbers.value_map(CimType::Uint16).unwrap(), expected);
        assert_eq!(of(&["4..7", "OK", ".."]).value_map(CimType::String).unwrap(), [Text("4..7"), Text("OK"), Rest]);
    }

    #[test]
    fn a_map_of_another_type_says_nothing() {
        for (cim_type, entry) in
            [(CimType::Uint16, "red"), (CimType::Uint8, "300"), (CimType::Uint8, ""), (CimType::Boolean, "true")]
        {
            assert_eq!(of(&["..", entry]).value_map(cim_type), None, "{entry}");
        }
        assert_eq!(Qualifiers::default().value_map(CimType::Uint8), None);
    }

    #[test]
    fn a_value_has_the_words_beside_its_entry() {
        let Qualifiers(mut both) = of(&["0", "..", "2..4"]);
        both.push(("Values".into(), Value::array(["Unknown", "Vendor", "OK"])));
        let both = Qualifiers(both);
        for (value, words) in [(0u16, "Unknown"), (3, "OK"), (9, "Vendor")] {
            assert_eq!(both.meaning(CimType::Uint16, &Value::Uint16(value)), Some(words));
        }
        assert_eq!(of(&["0"]).meaning(CimType::Uint16, &Value::Uint16(0)), None);
    }
}
