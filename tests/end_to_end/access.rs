//! Who may do what, and what wrong passwords cost.

use std::sync::mpsc;
use std::thread;

use crate::support::installation::{install_message, installed_names, jobs, start};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::{Host, Server};
use crate::support::wsman::{CIM, Client, Message};

#[test]
fn a_viewer_reads_and_cannot_install() {
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let package = build_deb(&root.scratch(), "good", "1.0-1", &[]);
    let host = Host::new(&root.path(), "deb");
    host.add_user("reader", "reads only", "viewer");
    host.add_user("worker", "installs too", "operator");
    let server = host.serve();

    let mut viewer = server.client("reader", "reads only");
    assert_eq!(installed_names(&mut viewer), ["alpha"]);
    let request = install_message(&mut viewer, &format!("file://{}", package.display()));
    let reply = viewer.post(&request.envelope());
    assert_eq!(reply.fault().0, "AccessDenied", "{}", reply.body);
    assert!(jobs(&mut viewer).is_empty(), "a refused caller made a job");

    start(&mut server.client("worker", "installs too"), &package);
}

#[test]
fn a_thousand_wrong_passwords_do_not_starve_a_good_client() {
    const CONNECTIONS: usize = 8;
    const EACH: usize = 125;
    let root = DebRoot::new();
    root.install_by_hand(&build_deb(&root.scratch(), "alpha", "1.0-1", &[]));
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut good = server.admin();
    assert_eq!(installed_names(&mut good), ["alpha"]);

    let port = server.port;
    let (answered, answers) = mpsc::channel();
    for n in 0..CONNECTIONS {
        let answered = answered.clone();
        thread::spawn(move || guess(port, n, EACH, &answered));
    }
    drop(answered);
    // Who is quiet for a minute is no longer known and waits with the others, so it asks now and then to the end.
    let mut statuses = Vec::new();
    for status in answers {
        statuses.push(status);
        if statuses.len() % 5 == 0 {
            assert_eq!(installed_names(&mut good), ["alpha"]);
        }
    }
    assert_eq!(statuses.len(), CONNECTIONS * EACH, "a wrong password was answered");
    assert!(statuses.iter().all(|status| [401, 429, 503].contains(status)), "{statuses:?}");
    // Only what is answered with 401 was checked, which costs some 0.2 s of a processor; the others are sent away.
    let checked = statuses.iter().filter(|&&status| status == 401).count();
    assert!(checked < statuses.len() / 5, "{checked} of {} wrong passwords were checked", statuses.len());
}

/// Guesses passwords of a known and of an unknown user, each on a new connection; tells the statuses.
fn guess(port: u16, n: usize, count: usize, answered: &mpsc::Sender<u16>) {
    let get = Message::get(&format!("{CIM}/CIM_ComputerSystem")).envelope();
    for i in 0..count {
        let user = if i % 2 == 0 { "walker" } else { "nobody" };
        let reply = Client::new(port, user, &format!("guess {n} {i}")).post(&get);
        assert!(!reply.body.contains("ComputerSystem"), "a wrong password was answered: {}", reply.body);
        answered.send(reply.status).unwrap();
    }
}

#[test]
fn what_needs_credentials_is_refused_without() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let get = Message::get(&format!("{CIM}/CIM_ComputerSystem")).envelope();
    assert_eq!(Client::anonymous(server.port).post(&get).status, 401);
    // Only Identify is answered on the path for strangers, and with the header that announces one.
    for (path, headers) in [("/wsman-anon/identify", vec![]), ("/wsman", vec![("WSMANIDENTIFY", "unauthenticated")])] {
        let headers: Vec<_> = [("Content-Type", "application/soap+xml")].into_iter().chain(headers).collect();
        let reply = Client::anonymous(server.port).post_to(path, &headers, get.as_bytes());
        assert!(!reply.body.contains("PG_ComputerSystem"), "{path}: {}", reply.body);
        assert!(reply.status >= 400, "{path}: {}", reply.status);
    }
    is_alive(&server);
}

/// The server still answers.
pub(crate) fn is_alive(server: &Server) {
    let systems = server
        .admin()
        .post(&Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>").envelope());
    assert_eq!(systems.status, 200, "{}", systems.body);
}
