//! InstallOptions and InstallOptionsValues: what is to be done, in DSP1025's numbers.

use crate::broker::Arguments;
use crate::cim::Value;
use crate::jobs::{InstallAction, InstallOptions};

/// Force installation: the same or an older build replaces what is installed, and what depends on a removed package goes
/// too.
pub(super) const FORCE: u16 = 3;
/// Install.
pub(super) const INSTALL: u16 = 4;
/// Update.
pub(super) const UPDATE: u16 = 5;
/// Repair.
pub(super) const REPAIR: u16 = 6;
/// Uninstall.
pub(super) const UNINSTALL: u16 = 9;

/// All options that a method serves; what is installed from an address is never removed.
pub(super) const SUPPORTED: [u16; 5] = [FORCE, INSTALL, UPDATE, REPAIR, UNINSTALL];

/// What a call asks for; or what does not fit, which its caller learns no more of than a return value.
///
/// Install, Update, Repair and Uninstall exclude each other, but for Repair beside Install or Update, where it means the
/// same as Force. No option takes a value: the values, if given at all, are as many as the options and all NULL or empty.
pub(super) fn read(arguments: &Arguments) -> Result<InstallOptions, &'static str> {
    let mut options = Vec::new();
    for (option, value) in pairs(arguments)? {
        if value.is_some() {
            return Err("InstallOptions has a value for an option that takes none");
        }
        let number = option.and_then(|number| SUPPORTED.into_iter().find(|&s| u64::from(s) == number));
        options.push(number.ok_or("InstallOptions has an option that is not served")?);
    }
    combine(options)
}

/// An option's number, if it is one, and its value, if it has one that is not empty.
pub(super) type Given<'a> = (Option<u64>, Option<&'a str>);

/// Each option with its value (DSP1025 8.5: values, if given at all, are as many as options).
pub(super) fn pairs(arguments: &Arguments) -> Result<Vec<Given<'_>>, &'static str> {
    let options = arguments.get("InstallOptions").as_array();
    let values = arguments.get("InstallOptionsValues").as_array().unwrap_or_default();
    // Beside options that are an empty list, one empty text is how a list of texts without items is written.
    let are_none = options.is_some_and(<[Value]>::is_empty) && matches!(values, [one] if one.as_str() == Some(""));
    let values = if are_none { &[] } else { values };
    let options = options.unwrap_or_default();
    if !values.is_empty() && values.len() != options.len() {
        return Err("InstallOptionsValues has another length than InstallOptions");
    }
    let values = values.iter().map(Value::as_str).chain(std::iter::repeat(None));
    let pairs = options.iter().map(Value::as_u64).zip(values.map(|value| value.filter(|text| !text.is_empty())));
    Ok(pairs.collect())
}

fn combine(options: Vec<u16>) -> Result<InstallOptions, &'static str> {
    let has = |option| options.contains(&option);
    let force = has(FORCE);
    let (action, force) = match (has(INSTALL), has(UPDATE), has(UNINSTALL), has(REPAIR)) {
        (_, false, false, false) => (InstallAction::Install, force),
        (false, true, false, repair) => (InstallAction::Update, force || repair),
        (false, false, true, false) => (InstallAction::Uninstall, force),
        (false, false, false, true) => (InstallAction::Repair, force),
        (true, false, false, true) => (InstallAction::Install, true),
        _ => return Err("InstallOptions has two of Install, Update and Uninstall, or Uninstall and Repair"),
    };
    Ok(InstallOptions { action, force, given: Some(options).filter(|options| !options.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(options: &[u16], values: Option<Vec<Value>>) -> Arguments {
        let values = values.map_or(Value::Null, |v| Value::Array(v.into()));
        Arguments(vec![
            ("InstallOptions".into(), Value::array(options.iter().copied())),
            ("InstallOptionsValues".into(), values),
        ])
    }

    #[test]
    fn options_say_what_is_done() {
        let of = |options: &[u16]| read(&arguments(options, None)).ok().map(|o| (o.action, o.force));
        assert_eq!(read(&Arguments::default()), Ok(InstallOptions::default()));
        assert_eq!(of(&[]), Some((InstallAction::Install, false)));
        assert_eq!(of(&[3]), Some((InstallAction::Install, true)));
        assert_eq!(of(&[4, 4]), Some((InstallAction::Install, false)));
        assert_eq!(of(&[3, 5]), Some((InstallAction::Update, true)));
        assert_eq!(of(&[6]), Some((InstallAction::Repair, false)));
        assert_eq!(of(&[4, 6]), Some((InstallAction::Install, true)));
        assert_eq!(of(&[9, 3]), Some((InstallAction::Uninstall, true)));
        for refused in [&[4, 5][..], &[4, 9], &[5, 9], &[9, 6], &[7], &[4, 13]] {
            assert_eq!(of(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn options_and_values_must_match() {
        let fits = |options: &[u16], values| read(&arguments(options, Some(values))).is_ok();
        assert!(fits(&[4], vec![Value::Null]));
        assert!(fits(&[4], vec!["".into()]));
        assert!(!fits(&[4], vec!["x".into()]));
        assert!(!fits(&[4], vec![Value::Null, Value::Null]));
        assert!(!fits(&[], vec![Value::Null]));
        assert!(fits(&[], vec!["".into()]));
        let alone = Arguments(vec![("InstallOptionsValues".into(), Value::array([""]))]);
        assert!(read(&alone).is_err());
    }
}
