//! Hashes of passwords: Argon2id (RFC 9106), written as a PHC string. Those of bcrypt, which earlier versions made, are read too.
//!
//! Two passes over 19 MiB are what OWASP recommends first; bcrypt at a cost that is as safe takes several times as long.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;

/// Passes over the memory.
const PASSES: u32 = 2;
/// Octets of a salt.
const SALT: usize = 16;
/// Octets of a hash.
const LENGTH: usize = 32;
/// A hash that needs more memory was not made here, in KiB.
const MOST_MEMORY: u32 = 4 << 20;
/// What bcrypt reads of a password, in octets.
const READ_BY_BCRYPT: usize = 72;
/// Room that glibc's allocator always takes from the system and gives back at once, in blocks of 1 KiB. Less, once freed, may
/// stay in pieces between which the next hash finds no place. What is not used of it takes no memory.
const GIVEN_BACK: usize = 33 << 10;

/// A hash cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The memory is not what Argon2 takes.
    #[error("Argon2: {0}")]
    Argon2(argon2::Error),
    /// A hash of bcrypt cannot be read.
    #[error("bcrypt: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// There are no random numbers.
    #[error("there are no random numbers: {0}")]
    Random(#[from] openssl::error::ErrorStack),
    /// The stored text is no hash.
    #[error("the stored hash is neither one of Argon2id nor one of bcrypt")]
    Form,
}

/// Makes hashes that take this much memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct PasswordHash {
    kibibytes: u32,
}

/// A hash as it is stored.
struct Stored {
    kibibytes: u32,
    passes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl PasswordHash {
    pub(super) fn new(mebibytes: u32) -> Self {
        Self { kibibytes: mebibytes.saturating_mul(1024) }
    }

    /// The hash of a password under a new salt.
    pub(super) fn make(self, password: &[u8]) -> Result<String, HashError> {
        let mut salt = [0; SALT];
        openssl::rand::rand_bytes(&mut salt)?;
        let hash = argon2id(password, &salt, self.kibibytes, PASSES)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(format!("{}m={},t={PASSES},p=1${salt}${hash}", Stored::FORM, self.kibibytes))
    }

    /// Whether this is the password of that hash.
    pub(super) fn verify(password: &[u8], stored: &str) -> Result<bool, HashError> {
        if stored.starts_with("$2") {
            return Ok(password.len() <= READ_BY_BCRYPT && bcrypt::verify(password, stored)?);
        }
        let stored = Stored::read(stored).ok_or(HashError::Form)?;
        let hash = argon2id(password, &stored.salt, stored.kibibytes, stored.passes)?;
        Ok(bool::from(hash.ct_eq(&stored.hash)))
    }

    /// Whether it was made as hashes are made now.
    pub(super) fn is_current(self, stored: &str) -> bool {
        Stored::read(stored).is_some_and(|stored| (stored.kibibytes, stored.passes) == (self.kibibytes, PASSES))
    }
}

impl Stored {
    const FORM: &str = "$argon2id$v=19$";

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(Self::FORM)?.split('$');
        let (parameters, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let (memory, rest) = parameters.strip_prefix("m=")?.split_once(",t=")?;
        let (passes, lanes) = rest.split_once(",p=")?;
        let (kibibytes, passes) = (memory.parse().ok()?, passes.parse().ok()?);
        let is_ours = lanes == "1" && kibibytes <= MOST_MEMORY && passes <= 64 && parts.next().is_none();
        let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
        (is_ours && hash.len() == LENGTH).then_some(Self { kibibytes, passes, salt, hash })
    }
}

fn argon2id(password: &[u8], salt: &[u8], kibibytes: u32, passes: u32) -> Result<[u8; LENGTH], HashError> {
    let parameters = Params::new(kibibytes, passes, 1, Some(LENGTH)).map_err(HashError::Argon2)?;
    let count = parameters.block_count();
    let mut blocks = Vec::with_capacity(count.max(GIVEN_BACK));
    blocks.resize(count, Block::default());
    let mut hash = [0; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into_with_memory(password, salt, &mut hash, &mut blocks)
        .map_err(HashError::Argon2)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordHash = PasswordHash { kibibytes: 1024 };

    #[test]
    fn a_hash_is_of_its_password_alone_and_never_the_same_twice() {
        let hash = CHEAP.make("pä ss".as_bytes()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=1024,t=2,p=1$"), "{hash}");
        assert!(PasswordHash::verify("pä ss".as_bytes(), &hash).unwrap());
        assert!(!PasswordHash::verify(b"pa ss", &hash).unwrap());
        assert_ne!(hash, CHEAP.make("pä ss".as_bytes()).unwrap());
        assert!(CHEAP.is_current(&hash) && !PasswordHash::new(2).is_current(&hash));
    }

    /// As the reference implementation has it: `echo -n password | argon2 somesaltsomesalt -id -t 2 -k 1024 -p 1 -l 32 -e`.
    #[test]
    fn other_implementations_hashes_are_read() {
        let hash = "$argon2id$v=19$m=1024,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CKGe5/bX9YnCq2rxjW5yQXKxn31v1GKzhDCrMc6r6vA";
        assert!(PasswordHash::verify(b"password", hash).unwrap());
        assert!(!PasswordHash::verify(b"passwords", hash).unwrap());
    }

    #[test]
    fn hashes_of_bcrypt_are_read_and_not_current() {
        let hash = bcrypt::hash([b'x'; READ_BY_BCRYPT], 4).unwrap();
        assert!(PasswordHash::verify(&[b'x'; READ_BY_BCRYPT], &hash).unwrap());
        assert!(!PasswordHash::verify(b"y", &hash).unwrap() && !CHEAP.is_current(&hash));
        // bcrypt would not see what comes behind.
        assert!(!PasswordHash::verify(&[b'x'; READ_BY_BCRYPT + 1], &hash).unwrap());
    }

    #[test]
    fn what_is_no_hash_is_told() {
        let hash = CHEAP.make(b"p").unwrap();
        let lanes = hash.replace(",p=1", ",p=2");
        let memory = hash.replace("m=1024", "m=99999999");
        for text in
            ["", "x", "$argon2id$v=19$", "$argon2id$v=19$m=1,t=1,p=1$a$b", &lanes, &memory, &hash[..hash.len() - 2]]
        {
            assert!(matches!(PasswordHash::verify(b"p", text), Err(HashError::Form)), "{text}");
        }
        assert!(PasswordHash::verify(b"p", "$2b$99$").is_err());
    }
}
