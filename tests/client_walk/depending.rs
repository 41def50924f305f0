//! Packages that need each other, and what is so already: everything that was asked for is told of, and nothing is a failure
//! that is none.

use serde_json::Value;

use crate::console::{Console, Said};
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{Host, Server};

/// A host whose alpha needs a newer libalpha with its next version.
fn root() -> DebRoot {
    let root = DebRoot::new();
    let dir = root.scratch();
    for name in ["alpha", "delta", "libalpha", "zeta"] {
        root.install_by_hand(&Deb::new(name, "1.0-1").build(&dir));
    }
    let packages = [
        Deb::new("alpha", "2.0-1").field("Depends", "libalpha (>= 2.0)"),
        Deb::new("delta", "2.0-1"),
        Deb::new("libalpha", "2.0-1"),
        Deb::new("zeta", "1.0-1"),
        Deb::new("gamma", "1.0-1"),
        Deb::new("broken", "1.0-1").field("Depends", "nowhere-to-be-found"),
    ];
    root.with_repository(&packages.map(|deb| deb.build(&dir)))
}

fn rows(said: &Said) -> Vec<Vec<String>> {
    said.out.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// What became of which thing.
fn results(said: &Said) -> Vec<(String, String)> {
    rows(said).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(what, result)| (what.to_owned(), result.to_owned())).to_vec()
}

#[test]
fn what_comes_along_is_updated_and_not_failed() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let run = |arguments: &[&str]| console.at(&server, arguments);

    let planned = run(&["update", "--plan"]);
    assert_eq!((planned.code, rows(&planned).len()), (0, 3), "each change stands once: {planned:#?}");
    let impossible = run(&["remove", "libalpha", "gamma", "--plan"]);
    assert!(impossible.code == 1 && impossible.err.contains("has not installed \"gamma\""), "{impossible:#?}");

    let updated = run(&["update"]);
    assert_eq!(updated.code, 0, "{updated:#?}");
    let expected = ["alpha-1.0-1.all", "delta-1.0-1.all", "libalpha-1.0-1.all"].map(|name| (name, "completed"));
    assert_eq!(results(&updated), pairs(expected), "{updated:#?}");
    assert_eq!(rows(&updated)[0][2], rows(&updated)[2][2], "the same job: {updated:#?}");
    assert_eq!(rows(&updated)[2][3], "is 2.0-1 now, by the job of alpha-1.0-1.all");
    assert_eq!(console.good(&server, &["jobs"]).lines().count(), 2);

    let planned = run(&["remove", "libalpha", "zeta", "--plan"]);
    assert_eq!(
        (planned.code, rows(&planned)),
        (1, vec![["removed", "zeta", "all", "1.0-1", ""].map(str::to_owned).to_vec()])
    );
    assert!(planned.err.contains("libalpha-2.0-1.all, as the host is now: PlanChanges returned 4105"), "{planned:#?}");

    let nothing = run(&["update"]);
    assert_eq!((nothing.code, results(&nothing)), (0, pairs([("updates", "unchanged")])), "{nothing:#?}");
}

#[test]
fn what_is_so_already_is_no_failure() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let run = |arguments: &[&str]| console.at(&server, arguments);
    let twice = run(&["install", "gamma", "gamma", "gamma-1.0-1"]);
    assert_eq!((twice.code, results(&twice)), (0, pairs([("gamma-1.0-1.all", "completed")])), "{twice:#?}");
    let again = run(&["install", "gamma"]);
    assert_eq!((again.code, results(&again)), (0, pairs([("gamma-1.0-1.all", "unchanged")])), "{again:#?}");
    let newest = run(&["update", "zeta"]);
    assert_eq!((newest.code, results(&newest)), (0, pairs([("zeta-1.0-1.all", "unchanged")])), "{newest:#?}");
    assert_eq!(rows(&newest)[0][3], "is the newest");
    let forced = run(&["install", "gamma", "--force"]);
    assert_eq!((forced.code, results(&forced)), (0, pairs([("gamma-1.0-1.all", "completed")])), "{forced:#?}");
    let planned = run(&["install", "gamma", "--plan"]);
    assert!(planned.code == 0 && planned.out.is_empty() && planned.err.contains("gamma-1.0-1.all is installed"));
}

#[test]
fn everything_that_was_begun_is_told_of() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let run = |arguments: &[&str]| console.at(&server, arguments);
    let unknown = run(&["install", "gamma", "nosuch"]);
    assert!(unknown.code == 1 && unknown.err.contains("knows no \"nosuch\""), "{unknown:#?}");
    assert_eq!(console.good(&server, &["jobs"]), "", "nothing is begun before it is known what is meant");
    let failed = run(&["install", "broken", "gamma", "file:///no/such/file.deb"]);
    let expected =
        [("broken-1.0-1.all", "failed"), ("gamma-1.0-1.all", "completed"), ("file:///no/such/file.deb", "failed")];
    assert_eq!((failed.code, results(&failed)), (4, pairs(expected)), "{failed:#?}");
    assert!(failed.err.contains("file:///no/such/file.deb: InstallFromURI returned 4107"), "{failed:#?}");
}

#[test]
fn hosts_that_fail_are_in_the_table_and_a_host_is_asked_once() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let json = |said: &Said| serde_json::from_str::<Value>(&said.out).unwrap();
    let place = place(&server);
    let hosts = format!("127.0.0.1:1,{place},https://{place}/wsman");
    let run = |arguments: &[&str]| {
        console.run(&[arguments, &["--host", &hosts, "--accept-new-certificate", "--json"]].concat())
    };
    let scanned = run(&["scan"]);
    let rows = json(&scanned);
    assert_eq!((scanned.code, rows.as_array().unwrap().len()), (5, 2), "{scanned:#?}");
    assert_eq!((&rows[0]["host"], &rows[0]["missing"]), (&"127.0.0.1:1".into(), &Value::Null));
    assert!(rows[0]["error"].as_str().unwrap().contains("cannot be reached"), "{scanned:#?}");
    assert_eq!(
        (&rows[1]["missing"], &rows[1]["error"], &rows[1]["assessed_at"]),
        (&3.into(), &Value::Null, &Value::Null)
    );

    let installed = run(&["install", "gamma"]);
    let rows = json(&installed);
    assert_eq!((installed.code, rows.as_array().unwrap().len()), (5, 2), "{installed:#?}");
    assert_eq!((&rows[0]["result"], &rows[1]["result"]), (&"unreachable".into(), &"completed".into()));
    let deployed = run(&["deploy"]);
    assert_eq!(json(&deployed)[1]["result"], "failed", "{deployed:#?}");
    assert!(deployed.err.contains("`quartermaster update` updates its packages"), "{deployed:#?}");
}

#[test]
fn nothing_found_is_told() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    for command in [&["list", "nosuch"][..], &["search", "nosuch"], &["list", "--updates", "nosuch"]] {
        let said = console.at(&server, command);
        assert!(said.code == 1 && said.err.contains("nothing was found"), "{command:?} {said:#?}");
    }
    let chosen =
        ["enumerate", "CIM_SoftwareIdentity", "--filter", "Name = 'alpha'", "--columns", "name,Typo", "--json"];
    let chosen = console.at(&server, &chosen);
    let object: Value = serde_json::from_str(&chosen.out).unwrap();
    assert_eq!(object[0], serde_json::json!({ "Name": "alpha" }), "{chosen:#?}");
    assert!(chosen.err.contains("no instance has a value of \"Typo\""), "{chosen:#?}");
}

fn place(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port)
}
