//! What a name and a password may look like.

use super::UserError;

/// The longest user name, in octets.
pub const MAX_NAME_LENGTH: usize = 64;

/// The longest password, in octets.
pub const MAX_PASSWORD_LENGTH: usize = 128;

/// Whether this may be a user's name: letters, digits, `.`, `_`, `@` and `-`; it starts with a letter or a digit.
pub fn check_name(name: &str) -> Result<(), UserError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'-');
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if starts && name.len() <= MAX_NAME_LENGTH && name.bytes().all(allowed) { Ok(()) } else { Err(UserError::Name) }
}

/// Whether this may be a password: 1 to 128 octets, no control characters.
pub fn check_password(password: &[u8]) -> Result<(), UserError> {
    if password.is_empty() {
        return Err(UserError::PasswordEmpty);
    }
    if password.len() > MAX_PASSWORD_LENGTH {
        return Err(UserError::PasswordTooLong { length: password.len() });
    }
    if password.iter().any(u8::is_ascii_control) { Err(UserError::PasswordControl) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_colon_no_space_and_nothing_that_forges_a_log_line() {
        for name in ["a", "admin", "ann.b-c_d@example.org", "7of9", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a b", "a\nb", "-a", ".a", "ä", "a/b", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn passwords_are_neither_empty_nor_endless() {
        assert!(check_password(&[b'x'; 128]).is_ok() && check_password("pä ss:wörd".as_bytes()).is_ok());
        let error = check_password(&[b'x'; 129]).unwrap_err().to_string();
        assert!(error.contains("129") && error.contains("128"), "{error}");
        assert!(check_password(b"").is_err() && check_password(b"a\0b").is_err() && check_password(b"a\n").is_err());
    }
}
