//! What numbers mean, in the words of the classes that this program has.

use crate::cim::{Schema, Value};

/// What a method says by a number that it returned; `None` where its class is not known or does not tell.
pub fn meaning(class: &str, method: &str, returned: u32) -> Option<String> {
    let schema = Schema::builtin().ok()?;
    let method = schema.class(class)?.method(method)?;
    let value = Value::parse(method.returns, &returned.to_string()).ok()?;
    method.qualifiers.meaning(method.returns, &value).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_words() {
        let of = |class, method, number| meaning(class, method, number);
        assert_eq!(of("LMI_SoftwareInstallationService", "InstallFromURI", 1).as_deref(), Some("Not Supported"));
        assert_eq!(of("LMI_SoftwareInstallationService", "NoSuchMethod", 1), None);
        assert_eq!(of("X_Unknown", "InstallFromURI", 1), None);
    }
}
