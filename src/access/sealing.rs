//! Secrets of others at rest: what must be sent on as it is, such as a password for an event sink, cannot be hashed.
//! It is encrypted with a key that lies in a file of its own, so that the database alone tells nothing.
//!
//! AES-256-GCM with a random nonce for each text. What a text belongs to is authenticated with it, so a sealed text that
//! somebody moves to another row does not open there.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use openssl::error::ErrorStack;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use super::private_file;

/// The file below the state directory that holds the key.
pub const SEALING_KEY_FILE: &str = "sealing-key";

/// Octets of the key.
const KEY: usize = 32;
/// Octets of the nonce (NIST SP 800-38D 8.2.2: random ones are good for 2^32 texts under one key).
const NONCE: usize = 12;
/// Octets of the authentication tag.
const TAG: usize = 16;
/// What every sealed text begins with, so that another form can be told from this one.
const FORM: &str = "1:";

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The key's file cannot be read or made.
    #[error("the key that seals secrets, {SEALING_KEY_FILE} in the state directory, cannot be read or made")]
    KeyFile(#[source] io::Error),
    /// The key's file holds something else.
    #[error(
        "{SEALING_KEY_FILE} in the state directory must hold {KEY} octets, not {length}; without its key what is sealed \
         cannot be opened, so bring the file back from a backup, or remove it and subscribe anew"
    )]
    KeyLength {
        /// How many octets it holds.
        length: usize,
    },
    /// Others than its owner can read or change the key's file.
    #[error("{SEALING_KEY_FILE} in the state directory must be for its owner alone (mode 0600), not {mode:04o}")]
    KeyMode {
        /// The file's mode.
        mode: u32,
    },
    /// The text was not made by [`SealingKey::seal`].
    #[error("what was to be opened is no sealed text")]
    Form,
    /// The text was sealed with another key or for something else, or it was changed.
    #[error("the sealed text does not open: it was sealed with another key or for something else, or it is damaged")]
    Refused,
    /// OpenSSL gives no random octets or no cipher.
    #[error("OpenSSL cannot seal")]
    OpenSsl(#[source] ErrorStack),
}

/// The key that seals secrets. It is wiped from memory when it is dropped.
pub struct SealingKey(Zeroizing<[u8; KEY]>);

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// The key below the state directory; it is made if there is none. One process at a time. Blocks.
    pub fn load_or_create(state_dir: &Path) -> Result<Self, SealingError> {
        let file = state_dir.join(SEALING_KEY_FILE);
        match fs::read(&file).map(Zeroizing::new) {
            Ok(octets) => Self::of(&octets, &fs::metadata(&file).map_err(SealingError::KeyFile)?.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(&file),
            Err(error) => Err(SealingError::KeyFile(error)),
        }
    }

    fn create(file: &Path) -> Result<Self, SealingError> {
        let key = Self::random()?;
        private_file::write(file, &*key.0).map_err(SealingError::KeyFile)?;
        Ok(key)
    }

    fn random() -> Result<Self, SealingError> {
        let mut key = Zeroizing::new([0; KEY]);
        openssl::rand::rand_priv_bytes(&mut *key).map_err(SealingError::OpenSsl)?;
        Ok(Self(key))
    }

    fn of(octets: &[u8], permissions: &Permissions) -> Result<Self, SealingError> {
        let mode = permissions.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SealingError::KeyMode { mode });
        }
        let key = octets.try_into().map_err(|_| SealingError::KeyLength { length: octets.len() })?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Seals a secret for `context`, which names what it belongs to, such as a subscription. Gives printable ASCII.
    pub fn seal(&self, secret: &[u8], context: &str) -> Result<String, SealingError> {
        let mut nonce = [0; NONCE];
        openssl::rand::rand_bytes(&mut nonce).map_err(SealingError::OpenSsl)?;
        let mut tag = [0; TAG];
        let encrypted =
            encrypt_aead(Cipher::aes_256_gcm(), &*self.0, Some(&nonce), context.as_bytes(), secret, &mut tag)
                .map_err(SealingError::OpenSsl)?;
        Ok([FORM, &STANDARD_NO_PAD.encode([&nonce[..], &encrypted, &tag].concat())].concat())
    }

    /// Opens what was sealed for `context`. The secret is wiped from memory when it is dropped.
    pub fn open(&self, sealed: &str, context: &str) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let coded = sealed.strip_prefix(FORM).ok_or(SealingError::Form)?;
        let octets = STANDARD_NO_PAD.decode(coded).map_err(|_| SealingError::Form)?;
        let (nonce, rest) = octets.split_first_chunk::<NONCE>().ok_or(SealingError::Form)?;
        let (encrypted, tag) = rest.split_last_chunk::<TAG>().ok_or(SealingError::Form)?;
        decrypt_aead(Cipher::aes_256_gcm(), &*self.0, Some(nonce), context.as_bytes(), encrypted, tag)
            .map(Zeroizing::new)
            .map_err(|_| SealingError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTEXT: &str = "subscription 7";

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let state = tempfile::tempdir().unwrap();
        let sealed = SealingKey::load_or_create(state.path()).unwrap().seal(b"secret", CONTEXT).unwrap();
        let mode = fs::metadata(state.path().join(SEALING_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = SealingKey::load_or_create(state.path()).unwrap();
        assert_eq!(&**again.open(&sealed, CONTEXT).unwrap(), b"secret");
    }

    #[test]
    fn a_key_that_is_cut_open_to_others_or_out_of_reach_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(SEALING_KEY_FILE);
        private_file::write(&file, &[1; 31]).unwrap();
        let error = SealingKey::load_or_create(state.path()).unwrap_err();
        assert!(matches!(error, SealingError::KeyLength { length: 31 }), "{error}");
        private_file::write(&file, &[1; KEY]).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let error = SealingKey::load_or_create(state.path()).unwrap_err();
        assert!(matches!(error, SealingError::KeyMode { .. }) && error.to_string().contains("0640"), "{error}");
        let error = SealingKey::load_or_create(&state.path().join("nowhere")).unwrap_err();
        assert!(matches!(error, SealingError::KeyFile(_)), "{error}");
    }

    #[test]
    fn another_key_opens_nothing_and_no_text_is_sealed_the_same_twice() {
        let (key, other) = (SealingKey::random().unwrap(), SealingKey::random().unwrap());
        let sealed = key.seal(b"secret", CONTEXT).unwrap();
        assert!(matches!(other.open(&sealed, CONTEXT), Err(SealingError::Refused)));
        assert_ne!(sealed, key.seal(b"secret", CONTEXT).unwrap());
        assert_eq!(format!("{key:?}"), "SealingKey");
    }

    #[test]
    fn what_is_no_sealed_text_is_told() {
        let key = SealingKey::random().unwrap();
        for text in ["", "secret", "1:", "2:AAAA", "1:%%%", "1:AAAA", &format!("1:{}", STANDARD_NO_PAD.encode([0; 27]))]
        {
            assert!(matches!(key.open(text, CONTEXT), Err(SealingError::Form)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_for_its_context_alone(
            secret in prop::collection::vec(any::<u8>(), 0..200),
            context in "\\PC{0,40}",
            other in "\\PC{0,40}",
        ) {
            let key = SealingKey::random().unwrap();
            let sealed = key.seal(&secret, &context).unwrap();
            prop_assert!(sealed.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(&**key.open(&sealed, &context).unwrap(), &secret[..]);
            prop_assume!(context != other);
            prop_assert!(matches!(key.open(&sealed, &other), Err(SealingError::Refused)));
        }

        #[test]
        fn a_text_that_was_changed_does_not_open(
            secret in prop::collection::vec(any::<u8>(), 0..60),
            place in any::<prop::sample::Index>(),
            flip in 1..=255u8,
        ) {
            let key = SealingKey::random().unwrap();
            let sealed = key.seal(&secret, CONTEXT).unwrap();
            let mut octets = STANDARD_NO_PAD.decode(&sealed[FORM.len()..]).unwrap();
            let place = place.index(octets.len());
            octets[place] ^= flip;
            let changed = [FORM, &STANDARD_NO_PAD.encode(octets)].concat();
            prop_assert!(matches!(key.open(&changed, CONTEXT), Err(SealingError::Refused)));
        }
    }
}
