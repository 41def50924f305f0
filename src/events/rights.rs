//! Whether subscribers may still hear of events, asked again at each delivery.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::spawn_blocking;

use crate::access::{Role, Users};
use crate::clock::SharedClock;

/// How long an answer holds, as it does for passwords.
const HOLDS: Duration = Duration::from_secs(1);

/// What was known of a user at a time.
#[derive(Clone, Copy)]
struct Known {
    asked: DateTime<Utc>,
    role: Option<Role>,
}

/// The rights of all owners, asked once a second at most.
pub(super) struct KnownRights {
    users: Arc<Users>,
    clock: SharedClock,
    known: Mutex<HashMap<Arc<str>, Known>>,
}

impl KnownRights {
    pub(super) fn new(users: Arc<Users>, clock: SharedClock) -> Self {
        Self { users, clock, known: Mutex::default() }
    }

    /// Whether the user may read now, which every role may. While it cannot be told, the last answer holds, and without one nobody is refused: a store
    /// that fails ends no subscription.
    pub(super) async fn may_read(&self, user: &Arc<str>) -> bool {
        if let Some(known) = self.known(user) {
            return known.is_some();
        }
        let (users, name) = (Arc::clone(&self.users), Arc::clone(user));
        match spawn_blocking(move || users.role_of(&name)).await {
            Ok(Ok(role)) => {
                self.all().insert(Arc::clone(user), Known { asked: self.clock.now(), role });
                role.is_some()
            }
            Ok(Err(error)) => {
                tracing::error!(%error, %user, "the rights of a subscriber cannot be looked up");
                true
            }
            Err(error) => {
                tracing::error!(%error, %user, "looking up the rights of a subscriber failed");
                true
            }
        }
    }

    fn known(&self, user: &str) -> Option<Option<Role>> {
        let Known { asked, role } = *self.all().get(user)?;
        let age = self.clock.now().signed_duration_since(asked);
        let holds = TimeDelta::from_std(HOLDS).unwrap_or(TimeDelta::MAX);
        (TimeDelta::zero() <= age && age < holds).then_some(role)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Arc<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
