//! Kerberos principals: who a realm says that a caller is, and which user that means.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::user::role;
use super::verdict::later;
use super::{Caller, Identity, IdentityError, IdentityKind, Scheme, Users, Verdict};
use crate::store::{StoreError, identities, users};

/// A principal that a caller has proven to be, written as Kerberos does (RFC 1964 2.1.1): `ann@EXAMPLE.ORG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Identity);

impl Principal {
    /// Reads a principal.
    pub fn new(text: &str) -> Result<Self, IdentityError> {
        Identity::new(IdentityKind::Principal, text).map(Self)
    }

    /// Its whole text.
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// What may mean a user.
    pub(super) fn identity(&self) -> &Identity {
        &self.0
    }

    /// Its name alone, if one of these realms vouches for it and the name is that of a person: `ann`, not `ann/admin` or
    /// `HTTP/host`, which are others than `ann`.
    pub fn name_in(&self, realms: &[String]) -> Option<&str> {
        let (name, realm) = parted(self.text())?;
        let is_plain = !name.contains(['/', '\\']);
        (is_plain && realms.iter().any(|known| known == realm)).then_some(name)
    }
}

impl Users {
    /// How long this peer must wait before anything is looked at that tells no name by itself, such as a token; `None` if it may
    /// try now.
    pub fn must_wait(&self, peer: IpAddr) -> Option<Duration> {
        self.attempts.wait_of_network(peer, self.clock.now()).and_then(|wait| wait.to_std().ok())
    }

    /// Counts a token that proves nothing.
    pub fn wrong_proof(&self, peer: IpAddr, scheme: Scheme, why: &str) -> Verdict {
        self.attempts.failed_without_name(peer, self.clock.now());
        self.audit().wrong_proof(peer, scheme, why);
        Verdict::Wrong
    }

    /// Says whose principal this is: of the user that it was said to mean, else of `namesake`, if there is such a user.
    pub async fn recognise_principal(
        self: &Arc<Self>,
        peer: IpAddr,
        principal: Principal,
        namesake: Option<String>,
    ) -> Verdict {
        let now = self.clock.now();
        let name = principal.text().to_owned();
        let known = match self.recognised.look_up(&(principal.identity().clone(), true), now) {
            Some(known) => Ok(known),
            None => {
                let (users, span) = (self.clone(), tracing::Span::current());
                let look =
                    move || span.in_scope(|| users.recognise_principal_now(&principal, namesake.as_deref(), now));
                tokio::task::spawn_blocking(look).await.unwrap_or(Err(Verdict::Failed))
            }
        };
        match known {
            Ok(Some(caller)) => Verdict::Known(caller),
            // Whoever is nobody here may be somebody in a moment, and is not told each time that it is not.
            Ok(None) => {
                self.attempts.wait(peer, &name, now).map_or_else(|| self.wrong(peer, Scheme::Kerberos, &name), later)
            }
            Err(verdict) => verdict,
        }
    }

    fn recognise_principal_now(
        &self,
        principal: &Principal,
        namesake: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<Caller>, Verdict> {
        match self.whom_the_principal_means(principal, namesake) {
            Ok(caller) => {
                self.recognised.remember((principal.identity().clone(), true), caller.as_ref(), now);
                Ok(caller)
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a principal could not be looked up");
                Err(Verdict::Failed)
            }
        }
    }

    fn whom_the_principal_means(
        &self,
        principal: &Principal,
        namesake: Option<&str>,
    ) -> Result<Option<Caller>, StoreError> {
        self.store.read(|c| {
            let identity = principal.identity();
            let meant = identities::find(c, identity.kind().as_str(), identity.value())?.map(|row| row.user);
            let name = meant.as_deref().or(namesake);
            let Some(row) = name.map(|name| users::find(c, name)).transpose()?.flatten() else { return Ok(None) };
            let role = role(&row)?;
            Ok(Some(Caller::new(row.name, role)))
        })
    }
}

/// Name and realm: what stands before and behind the only `@` that no backslash quotes.
pub(super) fn parted(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let mut signs = text.char_indices().filter_map(|(at, sign)| {
        let counts = sign == '@' && !is_quoted;
        is_quoted = sign == '\\' && !is_quoted;
        counts.then_some(at)
    });
    let (at, None) = (signs.next()?, signs.next()) else { return None };
    let (name, realm) = (text.get(..at)?, text.get(at + 1..)?);
    (!name.is_empty() && !realm.is_empty()).then_some((name, realm))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::access::Role;
    use crate::access::users::tests::{Fixture, fixture};

    #[test]
    fn a_principal_is_a_name_and_a_realm() {
        assert_eq!(parted("ann@EXAMPLE.ORG"), Some(("ann", "EXAMPLE.ORG")));
        assert_eq!(parted(r"ann\@corp@EXAMPLE.ORG"), Some((r"ann\@corp", "EXAMPLE.ORG")));
        assert_eq!(parted(r"back\\@EXAMPLE.ORG"), Some((r"back\\", "EXAMPLE.ORG")));
        for wrong in ["", "ann", "@EXAMPLE.ORG", "ann@", "ann@A@B", r"ann\@EXAMPLE.ORG", "ann@A\nB"] {
            assert!(Principal::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_counts_in_realms_that_vouch_for_it_and_if_it_is_a_persons() {
        let realms = ["EXAMPLE.ORG".to_owned(), "OTHER.ORG".to_owned()];
        let name = |text: &str| Principal::new(text).unwrap().name_in(&realms).map(str::to_owned);
        assert_eq!(name("ann@OTHER.ORG").as_deref(), Some("ann"));
        for other in ["ann@example.org", "ann@EVIL.ORG", "ann/admin@EXAMPLE.ORG", r"ann\@corp@EXAMPLE.ORG"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert_eq!(Principal::new("ann@EXAMPLE.ORG").unwrap().name_in(&[]), None);
    }

    #[tokio::test]
    async fn a_principal_means_whom_it_was_said_to_mean_else_its_namesake() {
        let Fixture { users, clock, .. } = fixture();
        users.add("bob", Role::Admin, b"p").unwrap();
        let peer = IpAddr::from([192, 0, 2, 1]);
        let known = async |text: &str, namesake: Option<&str>| {
            let principal = Principal::new(text).unwrap();
            match users.recognise_principal(peer, principal, namesake.map(str::to_owned)).await {
                Verdict::Known(caller) => Some(caller.name.to_string()),
                verdict => {
                    assert_eq!(verdict, Verdict::Wrong);
                    None
                }
            }
        };
        assert_eq!(known("ann@R", Some("ann")).await.as_deref(), Some("ann"));
        assert_eq!(known("eve@R", Some("eve")).await, None);
        assert_eq!(known("ann@OTHER", None).await, None);
        users.add_identity("bob", Principal::new("ann@R").unwrap().identity()).unwrap();
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(known("ann@R", Some("ann")).await.as_deref(), Some("bob"));
        assert_eq!(users.audit().wrong_logins(), 2);
    }

    #[tokio::test]
    async fn whoever_brings_wrong_tokens_waits() {
        let Fixture { users, .. } = fixture();
        let peer = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..31 {
            assert_eq!(users.must_wait(peer), None);
            assert_eq!(users.wrong_proof(peer, Scheme::Kerberos, "no ticket"), Verdict::Wrong);
        }
        assert!(users.must_wait(peer).is_some());
    }
}
