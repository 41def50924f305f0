use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta};

use super::*;
use crate::access::{INITIAL_PASSWORD_FILE, ensure_first_user, forget_initial_password};
use crate::clock::ManualClock;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(in crate::access) struct Fixture {
    pub(in crate::access) users: Arc<Users>,
    pub(in crate::access) clock: Arc<ManualClock>,
    store: Arc<Store>,
}

pub(in crate::access) fn fixture() -> Fixture {
    let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
    let store = Arc::new(Store::in_memory().unwrap());
    let settings = Settings { cache: Duration::from_secs(60), hash_mebibytes: 1 };
    let users = Users::new(store.clone(), clock.clone(), settings).unwrap();
    let state = tempfile::tempdir().unwrap();
    let users = Arc::new(users.with_sealing_key(Arc::new(SealingKey::load_or_create(state.path()).unwrap())));
    users.add("ann", Role::Operator, b"right").unwrap();
    Fixture { users, clock, store }
}

fn known(name: &str, role: Role) -> Verdict {
    Verdict::Known(Caller::new(name, role))
}

#[tokio::test]
async fn a_right_password_is_hashed_once_and_then_remembered() {
    let Fixture { users, clock, .. } = fixture();
    for _ in 0..100 {
        assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
        clock.advance(TimeDelta::seconds(2));
    }
    assert_eq!(users.hashes_done(), 1);
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    assert_eq!(users.hashes_done(), 2);
}

#[tokio::test]
async fn a_hash_that_was_made_otherwise_is_made_anew_by_the_next_right_password() {
    let Fixture { users, clock, store } = fixture();
    let hash = || store.read(|c| users::find(c, "ann")).unwrap().unwrap().hash;
    let old = bcrypt::hash(b"right", 4).unwrap();
    store.write(|t| users::set_hash(t, "ann", &old)).unwrap();
    assert_eq!(users.authenticate(PEER, "ann", b"wrong").await, Verdict::Wrong);
    assert_eq!(hash(), old);
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    let new = hash();
    assert!(new.starts_with("$argon2id$"), "{new}");
    // What is remembered holds for the new one.
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    assert_eq!((users.hashes_done(), hash()), (2, new));
}

#[tokio::test]
async fn an_unknown_user_costs_a_hash_like_a_known_one() {
    let Fixture { users, .. } = fixture();
    assert_eq!(users.authenticate(PEER, "ann", b"wrong").await, Verdict::Wrong);
    assert_eq!(users.authenticate(PEER, "bob", b"wrong").await, Verdict::Wrong);
    assert_eq!(users.authenticate(PEER, "bob", b"right").await, Verdict::Wrong);
    assert_eq!(users.hashes_done(), 3);
}

#[tokio::test]
async fn names_and_passwords_that_cannot_be_cost_nothing() {
    let Fixture { users, .. } = fixture();
    assert_eq!(users.authenticate(PEER, "a\nb", b"right").await, Verdict::Wrong);
    assert_eq!(users.authenticate(PEER, "ann", &[b'x'; 129]).await, Verdict::Wrong);
    assert_eq!(users.hashes_done(), 0);
}

#[tokio::test]
async fn a_thousand_wrong_passwords_cost_a_few_hashes_and_the_remembered_one_passes() {
    let Fixture { users, clock, .. } = fixture();
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    for n in 0..1000 {
        let verdict = users.authenticate(PEER, "ann", format!("wrong {n}").as_bytes()).await;
        assert!(matches!(verdict, Verdict::Wrong | Verdict::Later(_)), "{verdict:?}");
        assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    }
    assert_eq!(users.hashes_done(), 1 + 6);
    // The wait ends.
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(users.authenticate(PEER, "ann", b"wrong").await, Verdict::Wrong);
    assert_eq!(users.authenticate(PEER, "ann", b"wrong").await, Verdict::Later(Duration::from_secs(2)));
    // Another peer is not concerned.
    assert_eq!(users.authenticate(Ipv4Addr::new(192, 0, 2, 1).into(), "ann", b"wrong").await, Verdict::Wrong);
}

#[tokio::test]
async fn removing_a_user_or_changing_its_password_takes_effect_at_once() {
    let Fixture { users, .. } = fixture();
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    users.set_password("ann", b"better").unwrap();
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, Verdict::Wrong);
    assert_eq!(users.authenticate(PEER, "ann", b"better").await, known("ann", Role::Operator));
    users.remove("ann").unwrap();
    assert_eq!(users.authenticate(PEER, "ann", b"better").await, Verdict::Wrong);
}

#[tokio::test]
async fn a_change_by_another_process_takes_effect_within_a_second() {
    let Fixture { users, clock, store } = fixture();
    let settings = Settings { cache: Duration::from_secs(60), hash_mebibytes: 1 };
    let elsewhere = Users::new(store, clock.clone(), settings).unwrap();
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Operator));
    elsewhere.remove("ann").unwrap();
    elsewhere.add("ann", Role::Viewer, b"right").unwrap();
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, known("ann", Role::Viewer));
    elsewhere.remove("ann").unwrap();
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(users.authenticate(PEER, "ann", b"right").await, Verdict::Wrong);
}

#[test]
fn users_are_listed_without_secrets_and_the_last_admin_stays() {
    let Fixture { users, .. } = fixture();
    users.add("root", Role::Admin, b"p").unwrap();
    assert!(matches!(users.add("root", Role::Viewer, b"p"), Err(UserError::Exists(_))));
    assert!(matches!(users.add("a b", Role::Viewer, b"p"), Err(UserError::Name)));
    assert!(matches!(users.add("bob", Role::Viewer, &[b'p'; 129]), Err(UserError::PasswordTooLong { length: 129 })));
    let list: Vec<_> = users.list().unwrap().into_iter().map(|user| (user.name, user.role)).collect();
    assert_eq!(list, [("ann".to_owned(), Role::Operator), ("root".to_owned(), Role::Admin)]);
    assert!(matches!(users.remove("root"), Err(UserError::LastAdmin(_))));
    assert!(matches!(users.remove("bob"), Err(UserError::Unknown(_))));
    assert!(matches!(users.set_password("bob", b"p"), Err(UserError::Unknown(_))));
    users.add("root2", Role::Admin, b"p").unwrap();
    users.remove("root").unwrap();
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_whose_password_lies_in_a_file() {
    let Fixture { users, .. } = fixture();
    let state = tempfile::tempdir().unwrap();
    assert_eq!(ensure_first_user(&users, state.path()).unwrap(), None);
    users.remove("ann").unwrap();
    let first = ensure_first_user(&users, state.path()).unwrap().unwrap();
    assert_eq!(first.password_file, state.path().join(INITIAL_PASSWORD_FILE));
    let password = std::fs::read(&first.password_file).unwrap();
    assert!(password.len() >= 20);
    assert_eq!(users.authenticate(PEER, &first.name, &password).await, known("admin", Role::Admin));
    assert_eq!(ensure_first_user(&users, state.path()).unwrap(), Some(first.clone()));
    forget_initial_password(state.path(), "ann").unwrap();
    assert!(first.password_file.exists());
    forget_initial_password(state.path(), "admin").unwrap();
    forget_initial_password(state.path(), "admin").unwrap();
    assert!(!first.password_file.exists());
    assert_eq!(ensure_first_user(&users, state.path()).unwrap(), None);
}
