//! Callers who prove that they know a password without sending it: HTTP Digest (RFC 7616).
//!
//! That takes a secret that is as good as the password. It is kept for those users alone who were switched on for it, sealed
//! with the key of [`super::sealing`].

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::sealing::{SealingError, SealingKey};
use super::user::role;
use super::verdict::{failed, later};
use super::{Caller, PasswordHash, Scheme, UserError, Users, Verdict, check_name};
use crate::hexadecimal;
use crate::store::{StoreError, digests, users};

/// What passwords are for; it goes into the secret.
pub const REALM: &str = "quartermaster";

/// Octets of MD5's secret; that of SHA-256 stands behind it.
const MD5: usize = 16;

/// How the digest is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// MD5, for clients that know no other.
    Md5,
    /// SHA-256.
    Sha256,
}

/// A digest that a client made of a password.
#[derive(Debug)]
pub struct DigestClaim {
    /// The user's name.
    pub name: String,
    /// How it was made.
    pub algorithm: DigestAlgorithm,
    /// The nonce that it was made with.
    pub nonce: String,
    /// Which use of the nonce this is: eight hexadecimal digits.
    pub count: String,
    /// The client's own nonce.
    pub client_nonce: String,
    /// Method and target of the request, as in `POST:/wsman`.
    pub request: String,
    /// The digest.
    pub response: Vec<u8>,
}

/// The nonce was made elsewhere, is too old, or was used before: the caller may try again with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleNonce;

impl DigestAlgorithm {
    fn digest(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
        let kind = match self {
            Self::Md5 => MessageDigest::md5(),
            Self::Sha256 => MessageDigest::sha256(),
        };
        Ok(Zeroizing::new(hash(kind, text)?.to_vec()))
    }
}

impl Users {
    /// Lets a user prove by digests that it knows its password, which this must be. Blocks.
    pub fn allow_digest(&self, name: &str, password: &[u8]) -> Result<(), UserError> {
        let row = self.store.read(|c| users::find(c, name))?.ok_or_else(|| UserError::Unknown(name.to_owned()))?;
        if !PasswordHash::verify(password, &row.hash)? {
            return Err(UserError::OtherPassword(name.to_owned()));
        }
        let sealed = self.sealed(name, password)?;
        // Should the password change meanwhile, this secret is none of it.
        let is_set = self.store.write(|t| {
            let is_same = users::find(t, name)?.is_some_and(|now| now.hash == row.hash);
            if is_same {
                digests::set(t, name, &sealed)?;
            }
            Ok::<_, StoreError>(is_same)
        })?;
        if is_set { Ok(()) } else { Err(UserError::OtherPassword(name.to_owned())) }
    }

    /// Forgets a user's secret. Blocks.
    pub fn forbid_digest(&self, name: &str) -> Result<(), UserError> {
        if self.store.read(|c| users::find(c, name))?.is_none() {
            return Err(UserError::Unknown(name.to_owned()));
        }
        self.store.write(|t| digests::remove(t, name))?;
        Ok(())
    }

    /// The secret of a new password, if the user proves by digests that it knows it.
    pub(super) fn renewed_digest(&self, name: &str, password: &[u8]) -> Result<Option<String>, UserError> {
        match self.store.read(|c| digests::find(c, name))? {
            Some(_) => self.sealed(name, password).map(Some),
            None => Ok(None),
        }
    }

    /// A nonce for digests.
    pub fn nonce(&self) -> String {
        self.nonces.make(self.clock.now())
    }

    /// Says whose digest this is.
    pub async fn authenticate_by_digest(
        self: &Arc<Self>,
        peer: IpAddr,
        claim: DigestClaim,
    ) -> Result<Verdict, StaleNonce> {
        if check_name(&claim.name).is_err() {
            return Ok(Verdict::Wrong);
        }
        let now = self.clock.now();
        let id = self.nonces.read(&claim.nonce, now).ok_or(StaleNonce)?;
        let count = u32::from_str_radix(&claim.count, 16).map_err(|_| StaleNonce)?;
        if let Some(wait) = self.attempts.wait(peer, &claim.name, now) {
            return Ok(later(wait));
        }
        let users = self.clone();
        let span = tracing::Span::current();
        let verify = move || span.in_scope(|| users.verify_digest(peer, &claim));
        let verdict = tokio::task::spawn_blocking(verify).await.unwrap_or(Verdict::Failed);
        let is_replayed = matches!(verdict, Verdict::Known(_)) && !self.nonces.use_up(id, count);
        if is_replayed { Err(StaleNonce) } else { Ok(verdict) }
    }

    fn verify_digest(&self, peer: IpAddr, claim: &DigestClaim) -> Verdict {
        // One after the other: of those that come together, each is to know what became of the ones before it.
        let _turn = self.digesting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = self.attempts.wait(peer, &claim.name, self.clock.now()) {
            return later(wait);
        }
        match self.whose_digest(claim) {
            Ok(Some(caller)) => {
                self.attempts.succeeded(peer, &claim.name);
                Verdict::Known(caller)
            }
            Ok(None) => self.wrong(peer, Scheme::Digest, &claim.name),
            Err(error) => failed(&error),
        }
    }

    fn whose_digest(&self, claim: &DigestClaim) -> Result<Option<Caller>, UserError> {
        let found =
            self.store.read(|c| Ok::<_, StoreError>((users::find(c, &claim.name)?, digests::find(c, &claim.name)?)))?;
        let key = self.sealing_key.as_ref().ok_or(UserError::NoSealingKey)?;
        let secrets = match &found {
            (Some(_), Some(sealed)) => key.open(sealed, &context(&claim.name))?,
            // Whoever has no secret costs as much.
            _ => Zeroizing::new(vec![0; MD5 + 32]),
        };
        let (md5, sha_256) = secrets.split_at_checked(MD5).ok_or(SealingError::Form)?;
        let secret = match claim.algorithm {
            DigestAlgorithm::Md5 => md5,
            DigestAlgorithm::Sha256 => sha_256,
        };
        let expected = claim.expected(secret)?;
        let is_right = bool::from(expected.ct_eq(&claim.response));
        match found {
            (Some(row), Some(_)) if is_right => Ok(Some(Caller::new(row.name.as_str(), role(&row)?))),
            _ => Ok(None),
        }
    }

    fn sealed(&self, name: &str, password: &[u8]) -> Result<String, UserError> {
        let key = self.sealing_key.as_ref().ok_or(UserError::NoSealingKey)?;
        seal(key, name, password)
    }
}

impl DigestClaim {
    /// The digest of whoever knows the secret (RFC 7616 3.4.1).
    fn expected(&self, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, UserError> {
        let digest = |text: &[u8]| self.algorithm.digest(text).map_err(UserError::Digest);
        let secret = Zeroizing::new(hexadecimal::written(secret));
        let request = hexadecimal::written(&digest(self.request.as_bytes())?);
        let parts = [&*secret, &self.nonce, &self.count, &self.client_nonce, "auth", &request];
        digest(Zeroizing::new(parts.join(":")).as_bytes())
    }
}

fn seal(key: &SealingKey, name: &str, password: &[u8]) -> Result<String, UserError> {
    let text = Zeroizing::new([name.as_bytes(), b":", REALM.as_bytes(), b":", password].concat());
    let digest = |algorithm: DigestAlgorithm| algorithm.digest(&text).map_err(UserError::Digest);
    let secrets = Zeroizing::new([&digest(DigestAlgorithm::Md5)?[..], &digest(DigestAlgorithm::Sha256)?].concat());
    Ok(key.seal(&secrets, &context(name))?)
}

/// What the secret belongs to.
fn context(name: &str) -> String {
    format!("digest of {name} in {REALM}")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::future::join_all;

    use super::*;
    use crate::access::Role;
    use crate::access::users::tests::{Fixture, fixture};

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// What a client that knows this password sends.
    fn claim(users: &Users, algorithm: DigestAlgorithm, name: &str, password: &str, count: u32) -> DigestClaim {
        let text = format!("{name}:{REALM}:{password}");
        let secret = algorithm.digest(text.as_bytes()).unwrap();
        let mut claim = DigestClaim {
            name: name.to_owned(),
            algorithm,
            nonce: users.nonce(),
            count: format!("{count:08x}"),
            client_nonce: "c".to_owned(),
            request: "POST:/wsman".to_owned(),
            response: Vec::new(),
        };
        claim.response = claim.expected(&secret).unwrap().to_vec();
        claim
    }

    fn again(claim: &DigestClaim) -> DigestClaim {
        let DigestClaim { name, algorithm, nonce, count, client_nonce, request, response } = claim;
        DigestClaim {
            name: name.clone(),
            algorithm: *algorithm,
            nonce: nonce.clone(),
            count: count.clone(),
            client_nonce: client_nonce.clone(),
            request: request.clone(),
            response: response.clone(),
        }
    }

    /// The example of RFC 7616 3.9.1.
    #[test]
    fn the_standards_example_comes_out() {
        for (algorithm, response) in [
            (DigestAlgorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (DigestAlgorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let claim = DigestClaim {
                name: "Mufasa".to_owned(),
                algorithm,
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
                count: "00000001".to_owned(),
                client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".to_owned(),
                request: "GET:/dir/index.html".to_owned(),
                response: Vec::new(),
            };
            let secret = algorithm.digest(b"Mufasa:http-auth@example.org:Circle of Life").unwrap();
            assert_eq!(hexadecimal::written(&claim.expected(&secret).unwrap()), response);
        }
    }

    #[tokio::test]
    async fn a_digest_counts_for_those_who_were_switched_on_and_once() {
        let Fixture { users, .. } = fixture();
        for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
            let first = claim(&users, algorithm, "ann", "right", 1);
            assert_eq!(users.authenticate_by_digest(PEER, again(&first)).await, Ok(Verdict::Wrong));
            users.allow_digest("ann", b"right").unwrap();
            let known = Ok(Verdict::Known(Caller::new("ann", Role::Operator)));
            assert_eq!(users.authenticate_by_digest(PEER, again(&first)).await, known);
            assert_eq!(users.authenticate_by_digest(PEER, first).await, Err(StaleNonce));
            let wrong = claim(&users, algorithm, "ann", "wrong", 1);
            assert_eq!(users.authenticate_by_digest(PEER, wrong).await, Ok(Verdict::Wrong));
            let foreign = DigestClaim { nonce: "x".to_owned(), ..claim(&users, algorithm, "ann", "right", 1) };
            assert_eq!(users.authenticate_by_digest(PEER, foreign).await, Err(StaleNonce));
            users.forbid_digest("ann").unwrap();
        }
    }

    #[tokio::test]
    async fn a_new_password_makes_a_new_secret_and_a_wrong_one_makes_none() {
        let Fixture { users, .. } = fixture();
        assert!(matches!(users.allow_digest("ann", b"wrong"), Err(UserError::OtherPassword(_))));
        assert!(matches!(users.allow_digest("bob", b"right"), Err(UserError::Unknown(_))));
        users.allow_digest("ann", b"right").unwrap();
        users.set_password("ann", b"better").unwrap();
        let of = |password| claim(&users, DigestAlgorithm::Sha256, "ann", password, 1);
        assert_eq!(users.authenticate_by_digest(PEER, of("right")).await, Ok(Verdict::Wrong));
        assert!(matches!(users.authenticate_by_digest(PEER, of("better")).await, Ok(Verdict::Known(_))));
    }

    #[tokio::test]
    async fn wrong_digests_make_their_sender_wait() {
        let Fixture { users, .. } = fixture();
        users.allow_digest("ann", b"right").unwrap();
        for _ in 0..6 {
            let wrong = claim(&users, DigestAlgorithm::Sha256, "ann", "wrong", 1);
            assert_eq!(users.authenticate_by_digest(PEER, wrong).await, Ok(Verdict::Wrong));
        }
        let right = claim(&users, DigestAlgorithm::Sha256, "ann", "right", 1);
        assert!(matches!(users.authenticate_by_digest(PEER, right).await, Ok(Verdict::Later(_))));
    }

    #[tokio::test]
    async fn of_wrong_digests_that_come_together_no_more_are_looked_at() {
        let Fixture { users, .. } = fixture();
        users.allow_digest("ann", b"right").unwrap();
        let guess = |n| claim(&users, DigestAlgorithm::Sha256, "ann", &format!("guess {n}"), 1);
        let verdicts = join_all((0..50).map(|n| users.authenticate_by_digest(PEER, guess(n)))).await;
        let looked_at = verdicts.iter().filter(|verdict| **verdict == Ok(Verdict::Wrong)).count();
        assert_eq!(looked_at, 6, "{verdicts:?}");
    }

    #[tokio::test]
    async fn a_name_that_no_user_can_have_is_wrong_and_not_remembered() {
        let Fixture { users, .. } = fixture();
        for _ in 0..20 {
            let long = claim(&users, DigestAlgorithm::Sha256, &"a".repeat(4096), "right", 1);
            assert_eq!(users.authenticate_by_digest(PEER, long).await, Ok(Verdict::Wrong));
        }
        assert_eq!(users.audit().wrong_logins(), 0);
    }
}
