//! Tokens of every kind, right and wrong, on one connection and on several.

use std::fs;

use serde_json::{Value, json};

use super::realm::{Principal, Realm};
use super::single_sign_on::{host, namesakes, serve};
use super::support::python;
use super::support::server::{Host, Server};

/// What came back for each step; see `negotiate_steps.py`.
fn sent(host: &Host, server: &Server, caller: &Principal<'_>, steps: &Value) -> Vec<Value> {
    let context = json!({ "port": server.port, "ca": server.certificate(), "steps": steps });
    let file = host.scratch().join("steps.json");
    fs::write(&file, context.to_string()).unwrap();
    let output = caller.lends_to(&mut python::command("negotiate_steps.py")).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n{}", server.log());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn statuses(came: &[Value]) -> Vec<u64> {
    came.iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

/// What the audit log says of wrong logins, once the server is gone.
fn reasons(host: &Host, server: Server) -> Vec<String> {
    assert!(server.stop().success());
    let log = fs::read_to_string(host.state_dir().join("audit/audit.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wrong = lines.filter(|line| line["event"] == "wrong_login" && line["scheme"] == "kerberos");
    wrong.map(|line| line["result"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_connection_is_nobodys_and_each_token_counts_once() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP", "WSMAN"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    let came = sent(
        &host,
        &server,
        &ann,
        &json!([
            { "send": "fresh" },
            { "send": "none" },
            { "send": "fresh", "service": "WSMAN" },
            { "send": "again" },
            { "send": "again", "connection": "new" },
            { "send": "fresh", "mechanism": "krb5", "word": "Kerberos" },
            { "send": "fresh", "mechanism": "krb5", "word": "negotiate" },
        ]),
    );
    assert_eq!(statuses(&came), [200, 401, 200, 401, 401, 200, 200], "{came:#?}");
    for (one, word) in [(0, "Negotiate "), (2, "Negotiate "), (5, "Kerberos "), (6, "Negotiate ")] {
        let said = &came[one];
        assert!(said["is_known"] == true && said["is_proven"] == true && said["persistent"] == "false", "{said}");
        assert!(said["offers"][0].as_str().unwrap().starts_with(word), "{said}");
    }
    for one in [1, 3, 4] {
        assert_eq!(came[one]["offers"], json!(["Negotiate", "Kerberos", "Basic realm=\"quartermaster\""]));
    }
    let reasons = reasons(&host, server);
    assert!(reasons.len() == 2 && reasons.iter().all(|reason| reason.contains("replay")), "{reasons:?}");
}

#[test]
fn an_exchange_of_several_tokens_belongs_to_its_connection() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    let came = sent(
        &host,
        &server,
        &ann,
        &json!([
            { "send": "fresh", "legs": 3 },
            { "send": "next" },
            { "send": "none" },
            { "send": "fresh", "legs": 3 },
            { "send": "next", "connection": "new" },
            { "send": "fresh" },
        ]),
    );
    assert_eq!(statuses(&came), [401, 200, 401, 401, 401, 200], "{came:#?}");
    for further in [0, 3] {
        let [answer] = came[further]["offers"].as_array().unwrap().as_slice() else { panic!("{came:#?}") };
        assert!(answer.as_str().unwrap().starts_with("Negotiate ") && came[further]["is_known"] == false);
    }
    let reasons = reasons(&host, server);
    assert!(reasons.len() == 1 && reasons[0].contains("not under way"), "{reasons:?}");
}

#[test]
fn what_a_token_says_of_its_connection_must_be_right() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    let steps = json!([
        { "send": "fresh", "bindings": "right" },
        { "send": "fresh", "bindings": "none" },
        { "send": "fresh", "bindings": "wrong" },
        { "send": "fresh", "bindings": "wrong", "mechanism": "krb5", "word": "Kerberos" },
    ]);
    let came = sent(&host, &server, &ann, &steps);
    assert_eq!(statuses(&came), [200, 200, 401, 401], "{came:#?}");
    let said = reasons(&host, server);
    assert!(said.len() == 2 && said.iter().all(|reason| reason.contains("channel bindings")), "{said:?}");

    let mut host = host;
    let keytab = realm.keytab(&["HTTP"]);
    let settings = "hash_mebibytes = 1\nkerberos_channel_bindings = \"required\"\n";
    host.set_settings(&format!("[auth]\nkerberos_keytab = {keytab:?}\n{settings}{}", namesakes()));
    let server = serve(&host);
    let came = sent(&host, &server, &ann, &steps);
    assert_eq!(statuses(&came), [200, 401, 401, 401], "{came:#?}");
    assert!(reasons(&host, server).iter().any(|reason| reason.contains("not bound to its TLS connection")));
}

#[test]
fn what_is_no_ticket_for_this_service_now_is_refused_and_its_reason_is_told() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP", "nfs"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    // A realm of the same name with keys of its own, and this realm an hour ago, whose tickets hold for half an hour.
    let other = Realm::new();
    let stranger = other.principal("ann");
    let past = Realm::an_hour_ago(&realm);
    let late = past.ticket_of("ann");
    let file = host.scratch().join("old token");
    let keep = json!([{ "send": "fresh", "keep": file }]);
    sent(&host, &server, &late, &keep);
    let came = sent(
        &host,
        &server,
        &ann,
        &json!([
            { "send": "fresh", "service": "nfs" },
            { "send": "fresh", "service": "WSMAN" },
            { "send": "" },
            { "send": "no base64!" },
            { "send": "YII=" },
            { "send": "oQMKAQE=" },
            { "send": "TlRMTVNTUAABAAAA" },
            { "send": "A".repeat(70_000) },
            { "send": "old", "file": file },
            { "send": "fresh" },
        ]),
    );
    assert_eq!(statuses(&came), [401, 401, 401, 401, 401, 401, 401, 401, 401, 200], "{came:#?}\n{}", server.log());
    let came = sent(&host, &server, &stranger, &json!([{ "send": "fresh" }]));
    assert_eq!(statuses(&came), [401]);
    assert!(came[0]["offers"].as_array().unwrap().len() == 3, "{came:#?}");
    let said = reasons(&host, server);
    for (reason, expected) in said.iter().zip([
        "the ticket is for nfs/localhost@EXAMPLE.TEST, which is another service",
        "not found in keytab",
        "an exchange that is not under way here",
        "what is sent as a token is none",
        "Invalid token was supplied",
        "an exchange that is not under way here",
        "NTLM is not taken",
        "what is sent as a token is none",
        "Clock skew too great",
        "cannot decrypt ticket",
    ]) {
        assert!(reason.contains(expected), "{expected}: {said:#?}");
    }
    assert_eq!(said.len(), 10, "{said:#?}");
}

#[test]
fn wrong_tokens_make_their_sender_wait() {
    let realm = Realm::new();
    let host = host(&realm, &["HTTP"], &namesakes());
    let (ann, server) = (realm.principal("ann"), serve(&host));
    let came = sent(&host, &server, &ann, &Value::from(vec![json!({ "send": "YII=" }); 40]));
    let statuses = statuses(&came);
    assert!(statuses[..31].iter().all(|&status| status == 401), "{statuses:?}");
    assert!(statuses[31..].contains(&429), "{statuses:?}");
}
