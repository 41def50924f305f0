//! What hosts lack is scanned for and deployed, on a host of packages and on one with an image.

use std::fs;

use serde_json::Value;

use crate::console::Console;
use crate::support::dnf::{advisories, advisory, publish};
use crate::support::image::ImageFolder;
use crate::support::packages::{Deb, DebRoot, RpmRoot, build_rpm};
use crate::support::server::{Host, Server};
use crate::support::vib::release;

/// The octets of the large VIBs.
const SIZE: usize = 100_000;

fn json(console: &Console, server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&console.good(server, &[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn an_rpm_host_gets_what_its_advisories_fix() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let [old, new, other] = [("delta", "1.0"), ("delta", "2.0"), ("other", "2.0")]
        .map(|(name, version)| build_rpm(&dir, name, version, "1", &[]));
    root.install_by_hand(&old);
    let security = advisory("T-2024:1", "security", "Important", Some("CVE-2024-1"), &[("delta", "2.0", "1")]);
    let elsewhere = advisory("T-2024:2", "bugfix", "Low", None, &[("other", "2.0", "1")]);
    publish(&root, &[new, other], "", &advisories(&[security, elsewhere]));
    let host = Host::new(&root.path(), "rpm");
    let (server, console) = (host.serve(), Console::new());

    let scanned = json(&console, &server, &["scan"]);
    assert_eq!((&scanned[0]["important"], &scanned[0]["missing"]), (&1.into(), &1.into()), "{scanned}");
    let bulletins = console.good(&server, &["scan", "--last", "--bulletins"]);
    assert_eq!(bulletins, "T-2024:1\timportant\tsecurity\tno\tT-2024:1 is out\n");
    let deployed = json(&console, &server, &["deploy"]);
    assert_eq!((&deployed[0]["what"], &deployed[0]["result"]), (&"delta-1.0-1.noarch".into(), &"completed".into()));
    assert_eq!(console.good(&server, &["list"]), "delta\t2.0-1\tnoarch\n");
    assert_eq!(deployed[1]["what"], "scan", "what was fixed is not missing any more: {deployed}");
    assert_eq!(json(&console, &server, &["scan", "--last"])[0]["missing"], 0);
    assert_eq!(json(&console, &server, &["deploy"])[0]["message"], "none is missing");
}

#[test]
fn what_cannot_be_deployed_is_told() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let names = ["app", "liba"];
    names.iter().for_each(|name| root.install_by_hand(&build_rpm(&dir, name, "1.0", "1", &[])));
    let new = names.map(|name| {
        let needs: &[(&str, &str)] = if name == "app" { &[("Requires", "liba >= 2.0")] } else { &[] };
        build_rpm(&dir, name, "2.0", "1", needs)
    });
    let both = [("app", "2.0", "1"), ("liba", "2.0", "1")];
    publish(&root, &new, "", &advisories(&[advisory("T-2024:3", "security", "Critical", None, &both)]));
    let host = Host::new(&root.path(), "rpm");
    let (server, console) = (host.serve(), Console::new());
    let fails = |arguments: &[&str], words: &str| {
        let said = console.at(&server, arguments);
        assert!(said.code == 1 && said.err.contains(words), "{arguments:?} {said:#?}");
    };
    fails(&["deploy"], "never scanned");
    fails(&["scan", "--last"], "was never scanned");
    fails(&["deploy", "--bundle", "file:///depot.zip"], "no image");
    console.good(&server, &["scan"]);
    fails(&["deploy", "TYPO-1"], "the last scan knows no bulletin \"TYPO-1\"");

    let planned = console.good(&server, &["deploy", "--plan"]);
    assert_eq!(planned, "updated\tapp\tnoarch\t1.0-1\t2.0-1\nupdated\tliba\tnoarch\t1.0-1\t2.0-1\n");
    let deployed = json(&console, &server, &["deploy", "T-2024:3"]);
    let results: Vec<&Value> = deployed.as_array().unwrap().iter().map(|row| &row["result"]).collect();
    assert_eq!(results, ["completed", "completed", "completed"], "app, liba along with it, and a scan: {deployed}");
    assert_eq!(console.good(&server, &["list"]), "app\t2.0-1\tnoarch\nliba\t2.0-1\tnoarch\n");
    assert_eq!(json(&console, &server, &["deploy", "T-2024:3"])[0]["message"], "is not missing");
}

#[test]
fn a_host_of_packages_with_an_image_is_scanned_as_both() {
    let folder = ImageFolder::esxi_5_5_u1(SIZE);
    let root = DebRoot::new();
    let dir = root.scratch();
    root.install_by_hand(&Deb::new("alpha", "1.0-1").build(&dir));
    let root = root.with_repository(&[Deb::new("alpha", "2.0-1").build(&dir)]);
    let image = folder.image();
    let arguments = ["--root", root.path().to_str().unwrap(), "--engine", "deb", "--image", image.to_str().unwrap()]
        .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let host = Host::new(&root.path(), "deb").with_arguments(&arguments).with_settings(&folder.settings());
    let (server, console) = (host.serve(), Console::new());
    let scanned = console.at(&server, &["scan", "--json"]);
    let rows: Value = serde_json::from_str(&scanned.out).unwrap();
    let missing: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["missing"]).collect();
    assert!(scanned.code == 0 && missing.contains(&&1.into()) && missing.contains(&&Value::Null), "{scanned:#?}");
    assert!(scanned.err.contains("has an image: name the metadata"), "{scanned:#?}");
}

#[test]
fn an_image_is_scanned_and_patched() {
    let folder = ImageFolder::esxi_5_5_u1(SIZE);
    let patch = release::esxi_5_5_u1a(SIZE);
    let depot = folder.file("depot");
    let mut metadata = None;
    for (name, octets) in patch.files() {
        let path = depot.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, octets).unwrap();
        if name == patch.metadata_name {
            metadata = Some(format!("file://{}", path.display()));
        }
    }
    let metadata = metadata.unwrap();
    let host = Host::of_image(&folder.image()).with_settings(&folder.settings());
    let (server, console) = (host.serve(), Console::new());

    let listed = console.good(&server, &["list", "esx-base"]);
    assert!(listed.starts_with("esx-base\t5.5.0-"), "{listed}");
    let lost = console.at(&server, &["scan"]);
    assert!(lost.code == 1 && lost.err.contains("--metadata URI"), "{lost:#?}");
    let scanned = json(&console, &server, &["scan", "--metadata", &metadata]);
    assert!(scanned[0]["missing"].as_u64().unwrap() > 0, "{scanned}");
    let missing = json(&console, &server, &["scan", "--last", "--bulletins"]);
    assert!(missing[0]["bulletin"].as_str().unwrap().starts_with("ESXi550-"), "{missing}");

    let bundle = format!("file://{}", folder.esxi_5_5_u1a(SIZE).display());
    let installed = json(&console, &server, &["install", &bundle]);
    assert_eq!(installed[0]["result"], "completed", "{installed}");
    assert!(installed[0]["message"].as_str().unwrap().contains("rebooted"), "{installed}");
    let changed = console.good(&server, &["jobs"]);
    assert!(changed.contains("\tcompleted\t100\t"), "{changed}");
}
