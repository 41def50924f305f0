//! Callers who are known by something else than a password, which the transport has proven.
//!
//! Whom an identity means is remembered for [`CHECK_INTERVAL`], so that not every request reads the store; a change that
//! another process made (`quartermaster user`) takes effect then.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::user::role;
use super::{Caller, Identity, IdentityKind, PeerCertificate, UserError, Users, Verdict};
use crate::store::identities::{self, IdentityRow};
use crate::store::{StoreError, users};

/// How long an answer is believed without reading the store again.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How many answers are remembered.
const CAPACITY: usize = 1024;

/// What was proven, and whether somebody vouches for what else a certificate says, which can change without it.
pub(super) type Shown = (Identity, bool);

/// When the store was asked, and whom it means; `None` is nobody.
type Answers = HashMap<Shown, (DateTime<Utc>, Option<Caller>)>;

/// Whom the proven identities mean that came last.
#[derive(Debug, Default)]
pub(super) struct Recognised(Mutex<Answers>);

/// An identity and the user that it means, as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdentity {
    /// The user's name.
    pub user: String,
    /// What proves who the user is.
    pub identity: Identity,
    /// When it was added.
    pub created: DateTime<Utc>,
}

fn shown(certificate: &PeerCertificate) -> Shown {
    (certificate.thumbprint().clone(), certificate.is_vouched_for())
}

impl Recognised {
    pub(super) fn look_up(&self, shown: &Shown, now: DateTime<Utc>) -> Option<Option<Caller>> {
        let known = self.lock();
        let (read, caller) = known.get(shown)?;
        // The host's clock may jump back: then an answer is old, not valid for ever.
        ((now - *read).abs().to_std().unwrap_or(Duration::MAX) < CHECK_INTERVAL).then(|| caller.clone())
    }

    pub(super) fn remember(&self, shown: Shown, caller: Option<&Caller>, read: DateTime<Utc>) {
        let mut known = self.lock();
        if known.len() >= CAPACITY && !known.contains_key(&shown) {
            known.clear();
        }
        known.insert(shown, (read, caller.cloned()));
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users {
    /// Lets an identity mean this user. Blocks.
    pub fn add_identity(&self, name: &str, identity: &Identity) -> Result<(), UserError> {
        let row = IdentityRow {
            kind: identity.kind().as_str().to_owned(),
            value: identity.value().to_owned(),
            user: name.to_owned(),
            created: self.clock.now(),
        };
        self.store.write(|t| {
            if users::find(t, name)?.is_none() {
                return Err(UserError::Unknown(name.to_owned()));
            }
            if identities::insert(t, &row)? {
                return Ok(());
            }
            let owner = identities::find(t, &row.kind, &row.value)?.map(|row| row.user).unwrap_or_default();
            Err(UserError::IdentityTaken { identity: identity.clone(), owner })
        })
    }

    /// Lets an identity mean this user no longer. Blocks.
    pub fn remove_identity(&self, name: &str, identity: &Identity) -> Result<(), UserError> {
        let removed = self.store.write(|t| identities::remove(t, name, identity.kind().as_str(), identity.value()))?;
        if removed {
            return Ok(());
        }
        Err(UserError::NoSuchIdentity { user: name.to_owned(), identity: identity.clone() })
    }

    /// All identities, by user. Blocks.
    pub fn identities(&self) -> Result<Vec<UserIdentity>, UserError> {
        let rows = self.store.read(identities::all)?;
        let read = |row: IdentityRow| {
            let kind = IdentityKind::named(&row.kind);
            let identity = kind.and_then(|kind| Identity::new(kind, &row.value).ok());
            let damaged = || StoreError::damaged("user_identity", format!("{:?}", row.value));
            Ok(UserIdentity { identity: identity.ok_or_else(damaged)?, user: row.user, created: row.created })
        };
        rows.into_iter().map(read).collect()
    }

    /// Says whose certificate this is. [`Verdict::Wrong`] is nobody's, or one that does not hold now.
    pub async fn recognise(self: &Arc<Self>, certificate: &Arc<PeerCertificate>) -> Verdict {
        let now = self.clock.now();
        if !certificate.holds_at(now) {
            return Verdict::Wrong;
        }
        if let Some(known) = self.recognised.look_up(&shown(certificate), now) {
            return known.map_or(Verdict::Wrong, Verdict::Known);
        }
        let (users, certificate) = (self.clone(), certificate.clone());
        let span = tracing::Span::current();
        let look = move || span.in_scope(|| users.recognise_now(&certificate, now));
        tokio::task::spawn_blocking(look).await.unwrap_or(Verdict::Failed)
    }

    /// Tells the audit log of a certificate that let nobody in; for each connection once.
    pub fn wrong_certificate(&self, peer: IpAddr, certificate: &PeerCertificate) {
        let why = match certificate.is_vouched_for() {
            _ if !certificate.holds_at(self.clock.now()) => "its time has not come or is over",
            true => "it means no user, or several",
            false => "no authority that is trusted vouches for its names, and its thumbprint means no user",
        };
        self.audit().wrong_certificate(Some(peer), certificate, why);
    }

    fn recognise_now(&self, certificate: &PeerCertificate, now: DateTime<Utc>) -> Verdict {
        match self.whom_it_means(certificate) {
            Ok(caller) => {
                self.recognised.remember(shown(certificate), caller.as_ref(), now);
                caller.map_or(Verdict::Wrong, Verdict::Known)
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a certificate could not be looked up");
                Verdict::Failed
            }
        }
    }

    /// The one user whom all that is known of the certificate means.
    fn whom_it_means(&self, certificate: &PeerCertificate) -> Result<Option<Caller>, StoreError> {
        self.store.read(|c| {
            let mut meant: Option<String> = None;
            for identity in certificate.proves() {
                let Some(row) = identities::find(c, identity.kind().as_str(), identity.value())? else { continue };
                if meant.as_ref().is_some_and(|meant| *meant != row.user) {
                    let thumbprint = certificate.thumbprint().value();
                    tracing::warn!(target: "audit", thumbprint, "a certificate means several users, so it means none");
                    return Ok(None);
                }
                meant = Some(row.user);
            }
            let Some(row) = meant.map(|name| users::find(c, &name)).transpose()?.flatten() else { return Ok(None) };
            let role = role(&row)?;
            Ok(Some(Caller::new(row.name, role)))
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::{X509, X509NameBuilder};

    use super::*;
    use crate::access::users::tests::{Fixture, fixture};
    use crate::access::{IdentityError, Role};

    fn certificate(common_name: &str, is_vouched_for: bool) -> Arc<PeerCertificate> {
        let key = PKey::generate_ed25519().unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", common_name).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_subject_name(&subject.build()).unwrap();
        builder.set_not_before(&openssl::asn1::Asn1Time::from_unix(0).unwrap()).unwrap();
        builder.set_not_after(&openssl::asn1::Asn1Time::from_unix(9_000_000_000).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::null()).unwrap();
        Arc::new(PeerCertificate::new(&builder.build(), is_vouched_for).unwrap())
    }

    fn subject(text: &str) -> Result<Identity, IdentityError> {
        Identity::new(IdentityKind::Subject, text)
    }

    #[tokio::test]
    async fn a_subject_means_its_user_where_somebody_vouches_for_it() {
        let Fixture { users, .. } = fixture();
        users.add_identity("ann", &subject("CN=laptop").unwrap()).unwrap();
        let known = Verdict::Known(Caller::new("ann", Role::Operator));
        assert_eq!(users.recognise(&certificate("laptop", true)).await, known);
        assert_eq!(users.recognise(&certificate("laptop", false)).await, Verdict::Wrong);
        assert_eq!(users.recognise(&certificate("other", true)).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_thumbprint_means_its_user_whoever_vouches_for_it() {
        let Fixture { users, .. } = fixture();
        let (own, other) = (certificate("x", false), certificate("x", false));
        users.add_identity("ann", own.says().nth(1).unwrap()).unwrap();
        assert_eq!(users.recognise(&own).await, Verdict::Known(Caller::new("ann", Role::Operator)));
        assert_eq!(users.recognise(&other).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn what_means_two_users_means_none() {
        let Fixture { users, .. } = fixture();
        users.add("bob", Role::Admin, b"p").unwrap();
        let own = certificate("laptop", true);
        users.add_identity("ann", &subject("CN=laptop").unwrap()).unwrap();
        users.add_identity("bob", own.thumbprint()).unwrap();
        assert_eq!(users.recognise(&own).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_change_takes_effect_within_a_second_and_an_old_certificate_is_nobodys() {
        let Fixture { users, clock, .. } = fixture();
        let own = certificate("x", false);
        assert_eq!(users.recognise(&own).await, Verdict::Wrong);
        users.add_identity("ann", own.thumbprint()).unwrap();
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(users.recognise(&own).await, Verdict::Known(Caller::new("ann", Role::Operator)));
        users.add("root", Role::Admin, b"p").unwrap();
        users.remove("ann").unwrap();
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(users.recognise(&own).await, Verdict::Wrong);
        users.add_identity("root", own.thumbprint()).unwrap();
        clock.advance(TimeDelta::seconds(10_000_000_000));
        assert_eq!(users.recognise(&own).await, Verdict::Wrong);
    }

    #[test]
    fn an_identity_means_one_user() {
        let Fixture { users, .. } = fixture();
        users.add("bob", Role::Viewer, b"p").unwrap();
        let identity = subject("CN=laptop").unwrap();
        users.add_identity("ann", &identity).unwrap();
        let taken = users.add_identity("bob", &identity).unwrap_err().to_string();
        assert!(taken.contains("ann") && taken.contains("subject:CN=laptop"), "{taken}");
        assert!(matches!(users.add_identity("carl", &identity), Err(UserError::Unknown(_))));
        assert_eq!(users.identities().unwrap()[0].identity, identity);
        assert!(matches!(users.remove_identity("bob", &identity), Err(UserError::NoSuchIdentity { .. })));
        users.remove_identity("ann", &identity).unwrap();
        assert!(users.identities().unwrap().is_empty());
    }
}
