//! Digests of passwords.

use super::curl::{Got, command, identify, run};
use super::support::server::{ADMIN, Host, Server};

const CHALLENGES: [&str; 2] = ["Digest realm=\"quartermaster\", nonce=", "Basic realm=\"quartermaster\""];

fn host(digest: &str) -> Host {
    let settings = format!("[auth]\nhash_mebibytes = 1\ndigest = {digest}\n");
    let host = Host::bare(&["--engine", "none"]).with_settings(&settings);
    host.add_user(ADMIN.0, ADMIN.1, "admin");
    host.add_user("ann", "a password", "viewer");
    host
}

fn switch(host: &Host, arguments: &[&str], password: &str) -> (bool, String) {
    let (status, said) = host.run_with_input(&[&["user", "digest"], arguments].concat(), password);
    (status.success(), said)
}

fn digest(server: &Server, further: &[&str]) -> Got {
    identify(server, &[&["--digest"], further].concat())
}

#[test]
fn curl_authenticates_by_a_digest_where_its_user_was_switched_on() {
    for algorithms in ["[\"SHA-256\", \"MD5\"]", "[\"MD5\"]"] {
        let host = host(algorithms);
        let server = host.serve();
        let refused = digest(&server, &["--user", "ann:a password"]);
        assert_eq!(refused.status, 401, "{refused:?}");
        let (is_on, said) = switch(&host, &["ann", "on", "--password-stdin"], "another password");
        assert!(!is_on && said.contains("not the password"), "{said}");
        let (is_on, said) = switch(&host, &["ann", "on", "--password-stdin"], "a password");
        assert!(is_on, "{said}");

        let known = digest(&server, &["--user", "ann:a password"]);
        assert!(known.is_known() && known.said.contains("secprofile/https/digest"), "{known:?}");
        let offered = known.schemes();
        let expected = [&vec![CHALLENGES[0]; algorithms.matches("\", \"").count() + 1][..], &[CHALLENGES[1]]].concat();
        assert!(offered.iter().zip(&expected).all(|(got, expected)| got.starts_with(expected)), "{offered:?}");
        assert_eq!(offered.len(), expected.len(), "{offered:?}");
        assert_eq!(offered[0].contains("SHA-256"), algorithms.contains("SHA-256"), "{offered:?}");
        assert_eq!(digest(&server, &["--user", "ann:wrong"]).status, 401);
        // Nobody's name tells nothing, and Basic goes on beside it.
        assert_eq!(digest(&server, &["--user", "bob:a password"]).status, 401);
        assert!(identify(&server, &["--user", "ann:a password"]).is_known());

        assert!(switch(&host, &["ann", "off"], "").0);
        assert_eq!(digest(&server, &["--user", "ann:a password"]).status, 401);
    }
}

#[test]
fn an_answer_that_is_sent_again_is_asked_for_anew() {
    let host = host("[\"MD5\"]");
    let server = host.serve();
    assert!(switch(&host, &["ann", "on", "--password-stdin"], "a password").0);
    let mut curl = command(&server, &["--digest", "--user", "ann:a password", "--verbose"]);
    let first = run(&mut curl);
    assert!(first.is_known(), "{first:?}");
    let sent = first.notes.lines().filter_map(|line| line.strip_prefix("> Authorization: ")).next_back().unwrap();
    let replayed = identify(&server, &["--header", &format!("Authorization: {}", sent.trim())]);
    assert_eq!(replayed.status, 401);
    assert!(replayed.schemes()[0].contains("stale=true"), "{replayed:?}");
}

#[test]
fn a_digest_is_no_way_in_where_none_is_offered() {
    let host = host("[]");
    let server = host.serve();
    let (is_on, said) = switch(&host, &["ann", "on", "--password-stdin"], "a password");
    assert!(is_on && said.contains("not offered"), "{said}");
    let refused = digest(&server, &["--user", "ann:a password"]);
    assert_eq!((refused.status, refused.schemes()), (401, vec![CHALLENGES[1]]));
}
