//! What a property's qualifiers ask of its values (DSP0004 5.6.3).

use super::{Property, Value};

impl Property {
    /// Whether the property may have a value: its type, and what `Required`, `MaxLen`, `MinLen`, `MinValue`, `MaxValue` and
    /// `ValueMap` say. The error is the rest of a sentence about the property.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if value.is_null() {
            return if self.required { Err("it must have a value".to_owned()) } else { Ok(()) };
        }
        if !value.fits(self.shape.cim_type, self.shape.array) {
            return Err(format!("its type is {}", self.shape.cim_type));
        }
        value.as_array().unwrap_or(std::slice::from_ref(value)).iter().try_for_each(|item| self.check_item(item))
    }

    fn check_item(&self, item: &Value) -> Result<(), String> {
        if let Some(text) = item.as_str() {
            return self.check_length(text).and_then(|()| self.check_map(item, text));
        }
        let Some(number) = item.as_integer() else { return Ok(()) };
        self.check_range(number)?;
        self.check_map(item, &number.to_string())
    }

    fn check_length(&self, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        match (self.bound("MinLen"), self.bound("MaxLen")) {
            (Some(least), _) if fits(length) < least => Err(format!("it must have at least {least} characters")),
            (_, Some(most)) if fits(length) > most => Err(format!("it may have at most {most} characters")),
            _ => Ok(()),
        }
    }

    fn check_range(&self, number: i128) -> Result<(), String> {
        match (self.bound("MinValue"), self.bound("MaxValue")) {
            (Some(least), _) if number < least => Err(format!("it must be at least {least}")),
            (_, Some(most)) if number > most => Err(format!("it must be at most {most}")),
            _ => Ok(()),
        }
    }

    fn check_map(&self, item: &Value, text: &str) -> Result<(), String> {
        let Some(map) = self.qualifiers.value_map(self.shape.cim_type) else { return Ok(()) };
        if map.iter().any(|entry| entry.holds(item)) {
            return Ok(());
        }
        Err(format!("{:?} is none of its values", text.chars().take(40).collect::<String>()))
    }

    fn bound(&self, qualifier: &str) -> Option<i128> {
        self.qualifiers.get(qualifier).and_then(Value::as_integer)
    }
}

fn fits(length: usize) -> i128 {
    i128::try_from(length).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Schema;
    use super::*;

    fn check(declaration: &str, value: impl Into<Value>) -> Result<(), String> {
        let text = format!("class A {{ {declaration} X; [Key] string Id; }};");
        let schema = Schema::from_mof([("test.mof", text)].into_iter()).unwrap();
        schema.class("A").unwrap().property("X").unwrap().check(&value.into())
    }

    #[test]
    fn values_are_held_to_their_types_and_to_what_qualifiers_say() {
        assert_eq!(check("uint8", 7u8), Ok(()));
        assert_eq!(check("uint8", 7u16), Err("its type is uint8".to_owned()));
        assert_eq!(check("uint8", Value::Null), Ok(()));
        assert_eq!(check("[Required] uint8", Value::Null), Err("it must have a value".to_owned()));
        assert_eq!(check("[MaxLen(3)] string", "äöü"), Ok(()));
        assert_eq!(check("[MaxLen(3)] string", "abcd"), Err("it may have at most 3 characters".to_owned()));
        assert_eq!(check("[MinLen(1)] string", ""), Err("it must have at least 1 characters".to_owned()));
        assert_eq!(check("[MinValue(-3), MaxValue(3)] sint8", -3i8), Ok(()));
        assert_eq!(check("[MinValue(-3), MaxValue(3)] sint8", -4i8), Err("it must be at least -3".to_owned()));
        assert_eq!(check("[MinValue(-3), MaxValue(3)] sint8", 4i8), Err("it must be at most 3".to_owned()));
    }

    #[test]
    fn a_value_map_holds_values_ranges_and_the_rest() {
        let map = "[ValueMap { \"0\", \"4..7\", \"100..\" }] uint16";
        for (value, holds) in [(0u16, true), (1, false), (4, true), (7, true), (8, false), (100, true), (999, true)] {
            assert_eq!(check(map, value).is_ok(), holds, "{value}");
        }
        let map = "[ValueMap { \"0x10\", \"0x8000..\" }] uint16";
        for (value, holds) in [(10u16, false), (16, true), (0x7FFF, false), (0x8000, true), (0xFFFF, true)] {
            assert_eq!(check(map, value).is_ok(), holds, "{value}");
        }
        assert!(check("[ValueMap { \"1\", \"..\" }] uint16", 77u16).is_ok());
        assert!(check("[ValueMap { \"deb\", \"rpm\" }] string", "rpm").is_ok());
        let error = check("[ValueMap { \"deb\", \"rpm\" }] string", "apk").unwrap_err();
        assert_eq!(error, "\"apk\" is none of its values");
    }
}
