//! What else than a password proves who a user is: something that the transport has proven and that means one user.

use std::fmt;

use super::principal;

/// The longest text of an identity, in octets.
const MAX_LENGTH: usize = 1024;

/// An identity. Its text is kept in the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    kind: IdentityKind,
    value: String,
}

/// What an identity is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityKind {
    /// A certificate: its SHA-1 (40 hexadecimal digits, as Windows has it) or its SHA-256 (64).
    Thumbprint,
    /// Certificates with this subject (RFC 2253).
    Subject,
    /// Certificates for this DNS name.
    Dns,
    /// Certificates for this mail address.
    Email,
    /// Certificates for this user principal name of Windows.
    Upn,
    /// A Kerberos principal.
    Principal,
}

/// A text that is no identity of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It is empty, too long, or holds what nobody sees.
    #[error("the {0} is empty, longer than {MAX_LENGTH} octets, or holds a control character")]
    Text(IdentityKind),
    /// It is no thumbprint.
    #[error("a certificate's thumbprint is its SHA-1 as 40 or its SHA-256 as 64 hexadecimal digits")]
    Thumbprint,
    /// It does not say what it is a name of.
    #[error("{0:?} is no subject alternative name: write dns:NAME, email:ADDRESS or upn:NAME")]
    AlternativeName(String),
    /// It lacks a name or a realm.
    #[error("{0:?} is no Kerberos principal: write NAME@REALM, as klist shows it")]
    Principal(String),
}

impl IdentityKind {
    const ALL: [Self; 6] = [Self::Thumbprint, Self::Subject, Self::Dns, Self::Email, Self::Upn, Self::Principal];

    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbprint => "thumbprint",
            Self::Subject => "subject",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Upn => "upn",
            Self::Principal => "principal",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for IdentityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Identity {
    /// An identity of that kind, its text in the form in which it is compared.
    pub fn new(kind: IdentityKind, text: &str) -> Result<Self, IdentityError> {
        let value = match kind {
            IdentityKind::Thumbprint => thumbprint(text)?,
            IdentityKind::Subject => text.to_owned(),
            IdentityKind::Principal if principal::parted(text).is_none() => {
                return Err(IdentityError::Principal(text.to_owned()));
            }
            IdentityKind::Principal => text.to_owned(),
            // What DNS and Windows compare so.
            IdentityKind::Dns | IdentityKind::Upn => text.to_ascii_lowercase(),
            IdentityKind::Email => match text.rsplit_once('@') {
                Some((mailbox, domain)) => [mailbox, "@", &domain.to_ascii_lowercase()].concat(),
                None => text.to_owned(),
            },
        };
        let is_sound = !value.is_empty() && value.len() <= MAX_LENGTH && !value.chars().any(char::is_control);
        if is_sound { Ok(Self { kind, value }) } else { Err(IdentityError::Text(kind)) }
    }

    /// A subject alternative name that is written with what it is: `dns:NAME`, `email:ADDRESS`, `upn:NAME`.
    pub fn alternative_name(text: &str) -> Result<Self, IdentityError> {
        let named = text.split_once(':').and_then(|(kind, name)| match kind.to_ascii_lowercase().as_str() {
            "dns" => Some((IdentityKind::Dns, name)),
            "email" => Some((IdentityKind::Email, name)),
            "upn" => Some((IdentityKind::Upn, name)),
            _ => None,
        });
        let (kind, name) = named.ok_or_else(|| IdentityError::AlternativeName(text.to_owned()))?;
        Self::new(kind, name)
    }

    /// Whether it is of certificates.
    pub fn is_of_certificates(&self) -> bool {
        self.kind != IdentityKind::Principal
    }

    /// What it is of.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// The text that is compared.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// The digits alone: Windows shows thumbprints with spaces, OpenSSL with colons.
fn thumbprint(text: &str) -> Result<String, IdentityError> {
    // What is copied from Windows' dialogue begins with a mark that nobody sees.
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '\u{200e}')).collect();
    let is_one = matches!(digits.len(), 40 | 64) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_one { Ok(digits.to_ascii_lowercase()) } else { Err(IdentityError::Thumbprint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_read_however_tools_show_them() {
        let plain = Identity::new(IdentityKind::Thumbprint, &"0a".repeat(20)).unwrap();
        for shown in ["0A:".repeat(19) + "0A", "0a ".repeat(20), "\u{200e}".to_owned() + &"0A".repeat(20)] {
            assert_eq!(Identity::new(IdentityKind::Thumbprint, &shown).unwrap(), plain);
        }
        assert_eq!(plain.to_string(), format!("thumbprint:{}", "0a".repeat(20)));
        for wrong in ["", "0a", &"0g".repeat(20), &"0".repeat(41)] {
            assert_eq!(Identity::new(IdentityKind::Thumbprint, wrong), Err(IdentityError::Thumbprint), "{wrong}");
        }
    }

    #[test]
    fn names_are_kept_as_they_are_compared() {
        for (written, kept) in [
            ("dns:Host.Example.ORG", "dns:host.example.org"),
            ("EMAIL:Ann@Example.ORG", "email:Ann@example.org"),
            ("upn:Ann@CORP.example", "upn:ann@corp.example"),
        ] {
            assert_eq!(Identity::alternative_name(written).unwrap().to_string(), kept);
        }
        for wrong in ["", "host", "ip:1.2.3.4", "dns:", "dns:a\nb", &format!("dns:{}", "x".repeat(1025))] {
            assert!(Identity::alternative_name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(IdentityKind::ALL.map(|kind| IdentityKind::named(kind.as_str())), IdentityKind::ALL.map(Some));
    }
}
