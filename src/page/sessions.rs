//! Who is logged in. Kept in memory: a restart logs everybody out.
//!
//! What a browser holds is a random number; what is kept here is its digest, so that nobody can take over a session who
//! reads the server's memory later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use subtle::ConstantTimeEq;

use crate::access::Standing;

/// How many sessions there may be, in all and of one user; the one that was used longest ago makes room.
const MOST: usize = 512;
const MOST_OF_ONE_USER: usize = 16;

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    idle: TimeDelta,
    longest: TimeDelta,
    held: Mutex<HashMap<Digest, Held>>,
}

type Digest = [u8; 32];

#[derive(Debug)]
struct Held {
    user: Arc<str>,
    way: Way,
    credentials: [u8; 32],
    token: Arc<str>,
    begun: DateTime<Utc>,
    used: DateTime<Utc>,
}

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// With a name and a password.
    Password,
    /// With the certificate of their connection: the session is of no use on a connection without it.
    Certificate,
}

/// A session that a request belongs to.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Who logged in.
    pub(super) user: Arc<str>,
    /// How they did.
    pub(super) way: Way,
    /// What every form holds: proves that it is one of ours.
    pub(super) token: Arc<str>,
    credentials: [u8; 32],
}

impl Session {
    /// Whether the user's password is still the one that the session began with.
    pub(super) fn fits(&self, standing: &Standing) -> bool {
        self.credentials == standing.credentials
    }

    /// Whether a form that was sent is one of this session's.
    pub(super) fn is_token(&self, sent: &str) -> bool {
        self.token.as_bytes().ct_eq(sent.as_bytes()).into()
    }
}

impl Sessions {
    pub(super) fn new(idle: Duration, longest: Duration) -> Self {
        let delta = |time| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        Self { idle: delta(idle), longest: delta(longest), held: Mutex::default() }
    }

    /// Begins a session and gives the secret that names it.
    pub(super) fn begin(
        &self,
        user: &Arc<str>,
        way: Way,
        standing: &Standing,
        now: DateTime<Utc>,
    ) -> Result<String, ErrorStack> {
        let (secret, token) = (random()?, random()?);
        let mut held = self.lock();
        held.retain(|_, session| self.is_alive(session, now));
        let of_user = held.values().filter(|session| session.user == *user).count();
        if of_user >= MOST_OF_ONE_USER {
            drop_oldest(&mut held, |session| session.user == *user);
        } else if held.len() >= MOST {
            drop_oldest(&mut held, |_| true);
        }
        let (user, credentials) = (user.clone(), standing.credentials);
        let session = Held { user, way, credentials, token: token.into(), begun: now, used: now };
        held.insert(sha256(secret.as_bytes()), session);
        Ok(secret)
    }

    /// The session that a secret names, if it is still alive; it lives on from now.
    pub(super) fn find(&self, secret: &str, now: DateTime<Utc>) -> Option<Session> {
        let mut held = self.lock();
        let session = held.get_mut(&sha256(secret.as_bytes()))?;
        if !self.is_alive(session, now) {
            return None;
        }
        session.used = now;
        let (user, token) = (session.user.clone(), session.token.clone());
        Some(Session { user, way: session.way, token, credentials: session.credentials })
    }

    /// Whether the session that a secret names is still alive; to ask does not make it live longer.
    pub(super) fn is_alive_at(&self, secret: &str, now: DateTime<Utc>) -> bool {
        self.lock().get(&sha256(secret.as_bytes())).is_some_and(|session| self.is_alive(session, now))
    }

    /// Ends the session that a secret names.
    pub(super) fn end(&self, secret: &str) {
        self.lock().remove(&sha256(secret.as_bytes()));
    }

    fn is_alive(&self, session: &Held, now: DateTime<Utc>) -> bool {
        // The host's clock may jump back: then a session is old, not valid for ever.
        (now - session.used).abs() < self.idle && (now - session.begun).abs() < self.longest
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_oldest(held: &mut HashMap<Digest, Held>, of: impl Fn(&Held) -> bool) {
    let oldest = held.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.used);
    let oldest = oldest.map(|(digest, _)| *digest);
    oldest.and_then(|digest| held.remove(&digest));
}

/// 256 random bits as a text.
fn random() -> Result<String, ErrorStack> {
    let mut bits = [0; 32];
    rand_bytes(&mut bits)?;
    Ok(bits.iter().map(|octet| format!("{octet:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    const STANDING: Standing = Standing { role: Role::Viewer, credentials: [7; 32] };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn sessions() -> Sessions {
        Sessions::new(Duration::from_secs(100), Duration::from_secs(250))
    }

    #[test]
    fn a_session_lives_while_it_is_used_and_not_for_ever() {
        let sessions = sessions();
        let secret = sessions.begin(&"ann".into(), Way::Password, &STANDING, at(0)).unwrap();
        assert_eq!(secret.len(), 64);
        for seconds in [0, 99, 180, 249] {
            assert_eq!(&*sessions.find(&secret, at(seconds)).unwrap().user, "ann", "{seconds}");
        }
        assert!(!sessions.is_alive_at(&secret, at(250)) && sessions.is_alive_at(&secret, at(240)));
        assert!(sessions.find(&secret, at(250)).is_none(), "older than a session may be");
        let secret = sessions.begin(&"ann".into(), Way::Password, &STANDING, at(300)).unwrap();
        assert!(sessions.find(&secret, at(400)).is_none(), "nobody used it");
        let secret = sessions.begin(&"ann".into(), Way::Password, &STANDING, at(300)).unwrap();
        assert!(sessions.find(&secret, at(-1000)).is_none(), "the clock jumped back");
    }

    #[test]
    fn a_session_has_its_own_token_and_ends_when_it_is_told_to() {
        let sessions = sessions();
        let [one, two] = [0, 1].map(|n| sessions.begin(&"ann".into(), Way::Password, &STANDING, at(n)).unwrap());
        let [first, second] = [&one, &two].map(|secret| sessions.find(secret, at(2)).unwrap());
        assert!(first.is_token(&first.token) && !first.is_token(&second.token) && !first.is_token(""));
        assert!(first.fits(&STANDING) && !first.fits(&Standing { credentials: [8; 32], ..STANDING }));
        sessions.end(&one);
        assert!(sessions.find(&one, at(3)).is_none() && sessions.find(&two, at(3)).is_some());
        assert!(sessions.find("", at(3)).is_none());
    }

    #[test]
    fn there_are_not_more_sessions_than_fit_and_the_unused_ones_go_first() {
        let sessions = sessions();
        let begin =
            |user: String, n: usize| sessions.begin(&user.into(), Way::Password, &STANDING, at(n as i64 / 10)).unwrap();
        let of_bob = begin("bob".to_owned(), 0);
        let of_ann: Vec<_> = (1..=MOST_OF_ONE_USER + 1).map(|n| begin("ann".to_owned(), n * 10)).collect();
        assert!(sessions.find(&of_ann[0], at(30)).is_none() && sessions.find(&of_ann[1], at(30)).is_some());
        assert!(sessions.find(&of_bob, at(30)).is_some());
        (0..MOST).for_each(|n| drop(begin(format!("user{n}"), 310)));
        assert_eq!(sessions.lock().len(), MOST);
        assert!(sessions.find(&of_bob, at(32)).is_none());
    }
}
