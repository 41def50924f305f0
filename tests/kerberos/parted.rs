//! A service of two users: the one that faces the network reads the keytab, and keeps what it writes in the state directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::realm::Realm;
use super::single_sign_on::{host, identify, namesakes, serve};
use super::support::eventually;
use super::support::server::PATIENCE;

/// The user that faces the network; a number needs no account.
const NETWORK_USER: u32 = 64_321;

#[test]
fn the_process_that_faces_the_network_takes_tickets() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let realm = Realm::new();
    fs::set_permissions(realm.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut host = host(&realm, &["HTTP"], "");
    fs::set_permissions(host.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
    let (keytab, worker_dir) = (realm.keytab(&["HTTP"]), host.scratch().join("worker"));
    let users = format!("user = \"{NETWORK_USER}\"\nworker_dir = {worker_dir:?}\n");
    host.set_settings(&format!("{users}[auth]\nkerberos_keytab = {keytab:?}\n{}", namesakes()));

    // Root can read it, which does not help the other.
    fs::set_permissions(&keytab, fs::Permissions::from_mode(0o600)).unwrap();
    let ended = host.begin(super::support::server::binary()).wait_with_output().unwrap();
    let log = fs::read_to_string(host.scratch().join("server.log")).unwrap();
    assert!(!ended.status.success() && log.contains("[auth] kerberos_keytab: cannot read"), "{log}");

    chown(&keytab, None, Some(NETWORK_USER)).unwrap();
    fs::set_permissions(&keytab, fs::Permissions::from_mode(0o640)).unwrap();
    let (ann, server) = (realm.principal("ann"), serve(&host));
    assert!(identify(&server, &ann, &[]).is_known(), "{}", server.log());
    let replays =
        eventually("what was used is noted", PATIENCE, || fs::metadata(host.state_dir().join("kerberos-replays")).ok());
    assert_eq!((replays.uid(), replays.mode() & 0o777), (NETWORK_USER, 0o600));
}
