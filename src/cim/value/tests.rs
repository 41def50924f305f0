use proptest::prelude::*;

use super::*;

#[test]
fn integers_are_held_to_their_range() {
    assert_eq!(Value::parse(CimType::Uint8, "255"), Ok(Value::Uint8(255)));
    assert_eq!(Value::parse(CimType::Sint8, " -128 "), Ok(Value::Sint8(-128)));
    assert_eq!(Value::parse(CimType::Uint16, "0xFFFF"), Ok(Value::Uint16(65535)));
    assert!(matches!(Value::parse(CimType::Uint8, "256"), Err(ValueError::OutOfRange { .. })));
    assert!(matches!(Value::parse(CimType::Uint8, "-1"), Err(ValueError::OutOfRange { .. })));
    assert!(matches!(Value::parse(CimType::Uint64, &"9".repeat(60)), Err(ValueError::OutOfRange { .. })));
    for bad in ["", "-", "0x", "1.0", "++1", "1 2", "٣"] {
        assert!(matches!(Value::parse(CimType::Sint64, bad), Err(ValueError::Malformed { .. })), "{bad:?}");
    }
}

#[test]
fn booleans_come_in_every_spelling_clients_use() {
    for (text, truth) in [("true", true), ("TRUE", true), ("1", true), ("false", false), ("False", false), ("0", false)]
    {
        assert_eq!(Value::parse(CimType::Boolean, text), Ok(Value::Boolean(truth)));
    }
    assert!(Value::parse(CimType::Boolean, "yes").is_err());
}

#[test]
fn arrays_fit_only_arrays_of_their_type() {
    let numbers = Value::array([1u16, 2]);
    assert!(numbers.fits(CimType::Uint16, true));
    assert!(!numbers.fits(CimType::Uint16, false));
    assert!(!numbers.fits(CimType::Uint32, true));
    assert!(Value::Null.fits(CimType::Uint32, true));
}

#[test]
fn reals_are_held_to_their_range() {
    assert_eq!(Value::parse(CimType::Real32, " 1.5e3 "), Ok(Value::Real32(1500.0)));
    assert_eq!(Value::parse(CimType::Real64, "-INF"), Ok(Value::Real64(f64::NEG_INFINITY)));
    assert!(matches!(Value::parse(CimType::Real64, "1e999"), Err(ValueError::OutOfRange { .. })));
    assert!(matches!(Value::parse(CimType::Real32, "1e39"), Err(ValueError::OutOfRange { .. })));
    for bad in ["", ".", "inf", "infinity", "nan", "1e", "0x10", "1,5"] {
        assert!(matches!(Value::parse(CimType::Real64, bad), Err(ValueError::Malformed { .. })), "{bad:?}");
    }
}

/// Every type that is written as plain text.
const PLAIN: [CimType; 13] = [
    CimType::Boolean,
    CimType::Char16,
    CimType::Uint8,
    CimType::Uint16,
    CimType::Uint32,
    CimType::Uint64,
    CimType::Sint8,
    CimType::Sint16,
    CimType::Sint32,
    CimType::Sint64,
    CimType::Real32,
    CimType::Real64,
    CimType::Datetime,
];

proptest! {
    #[test]
    fn what_is_read_is_of_the_type_that_was_asked_for(text in "[-+]?(0x)?[0-9A-Fa-f.e]{0,24}|.{0,4}|true|INF") {
        for expected in PLAIN.into_iter().chain([CimType::String]) {
            match Value::parse(expected, &text) {
                Ok(value) => prop_assert!(value.fits(expected, false) && !value.fits(expected, true)),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn numbers_read_back(n: u64, m: i64, r in proptest::num::f64::NORMAL, s in proptest::num::f32::NORMAL) {
        prop_assert_eq!(Value::parse(CimType::Uint64, &n.to_string()), Ok(Value::Uint64(n)));
        prop_assert_eq!(Value::parse(CimType::Uint64, &format!("{n:#x}")), Ok(Value::Uint64(n)));
        prop_assert_eq!(Value::parse(CimType::Sint64, &m.to_string()), Ok(Value::Sint64(m)));
        prop_assert_eq!(Value::parse(CimType::Uint8, &m.to_string()).is_ok(), u8::try_from(m).is_ok());
        prop_assert_eq!(Value::parse(CimType::Sint32, &m.to_string()).is_ok(), i32::try_from(m).is_ok());
        prop_assert_eq!(Value::parse(CimType::Real64, &format!("{r:e}")), Ok(Value::Real64(r)));
        prop_assert_eq!(Value::parse(CimType::Real32, &format!("{s:e}")), Ok(Value::Real32(s)));
    }
}
