//! HMAC-SHA256 (RFC 2104) whose key is prepared once: OpenSSL's own needs longer to be set up than to digest a password.

use std::fmt;

use openssl::sha::{Sha256, sha256};

/// A digest.
pub(super) type Digest = [u8; 32];

/// SHA-256 works on blocks of this many octets.
const BLOCK: usize = 64;

/// A key, as the two states that every digest starts from.
#[derive(Clone)]
pub(super) struct KeyedDigest {
    inner: Sha256,
    outer: Sha256,
}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedDigest")
    }
}

impl KeyedDigest {
    pub(super) fn new(key: &[u8]) -> Self {
        let key = if key.len() > BLOCK { sha256(key).to_vec() } else { key.to_vec() };
        let state = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(&key).for_each(|(octet, key)| *octet ^= key);
            let mut state = Sha256::new();
            state.update(&block);
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// The digest of the parts, one behind the other.
    pub(super) fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = self.outer.clone();
        outer.update(&inner.finish());
        outer.finish()
    }
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::sign::Signer;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_hmac_that_openssl_knows(
            key in prop::collection::vec(any::<u8>(), 1..200),
            text in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let pkey = PKey::hmac(&key).unwrap();
            let mut signer = Signer::new(MessageDigest::sha256(), &pkey).unwrap();
            let expected = signer.sign_oneshot_to_vec(&text).unwrap();
            let (start, end) = text.split_at(text.len() / 2);
            prop_assert_eq!(KeyedDigest::new(&key).digest(&[start, end]).to_vec(), expected);
        }
    }
}
