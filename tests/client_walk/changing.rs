//! What a person changes on a host: installs, updates, verifies and removes software, and looks at what was done.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::console::Console;
use crate::support::eventually;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{Host, PATIENCE, Server};

/// A host that has alpha, and a repository with a newer one and with others.
fn root() -> DebRoot {
    let root = DebRoot::new();
    let dir = root.scratch();
    let deb = |name: &str, version: &str| {
        Deb::new(name, version)
            .field("Description", &format!("{name} of the walk"))
            .file(&format!("usr/share/{name}/data"), version)
    };
    root.install_by_hand(&deb("alpha", "1.0-1").build(&dir));
    let packages: Vec<PathBuf> = [
        deb("alpha", "2.0-1"),
        deb("alpha-tools", "1.0-1"),
        deb("beta", "1.0-1").field("Depends", "gamma"),
        deb("broken", "1.0-1").field("Depends", "nowhere-to-be-found"),
        deb("gamma", "1.0-1"),
    ]
    .iter()
    .map(|deb| deb.build(&dir))
    .collect();
    root.with_repository(&packages)
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn software_is_found_installed_updated_verified_and_removed() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let good = |arguments: &[&str]| console.good(&server, arguments);

    let found = "alpha\t1.0-1\tall\tinstalled\nalpha\t2.0-1\tall\tavailable\nalpha-tools\t1.0-1\tall\tavailable\n";
    assert_eq!(good(&["search", "alpha"]), found);
    let shown: Value = serde_json::from_str(&good(&["show", "alpha", "--json"])).unwrap();
    assert_eq!(
        (&shown[0]["VersionString"], &shown[0]["Caption"]),
        (&"0:2.0-1.all".into(), &"alpha of the walk".into())
    );

    let plan = good(&["install", "beta", "--plan"]);
    assert_eq!(rows(&plan), [["installed", "beta", "all", "", "1.0-1"], ["installed", "gamma", "all", "", "1.0-1"]]);
    let installed = good(&["install", "beta"]);
    assert_eq!(rows(&installed)[0][..2], ["beta-1.0-1.all", "completed"], "{installed}");
    let job = rows(&installed)[0][2];
    assert!(root.path().join("usr/share/gamma/data").exists());

    assert_eq!(good(&["list", "--updates"]), "alpha\t1.0-1\tall\t2.0-1\n");
    let scanned: Value = serde_json::from_str(&good(&["scan", "--json"])).unwrap();
    assert_eq!((&scanned[0]["other"], &scanned[0]["missing"]), (&1.into(), &1.into()));
    assert!(good(&["scan", "--bulletins"]).starts_with("alpha-2.0-1.all\tother\tupdate\t"));
    let updated = good(&["update"]);
    assert_eq!(rows(&updated)[0][1], "completed", "{updated}");
    assert_eq!(good(&["list"]), "alpha\t2.0-1\tall\nbeta\t1.0-1\tall\ngamma\t1.0-1\tall\n");

    let files = good(&["files", "alpha"]);
    assert!(files.contains("/usr/share/alpha/data\tfile\t\n"), "{files}");
    assert_eq!(good(&["verify", "alpha"]), "");
    fs::write(root.path().join("usr/share/alpha/data"), "changed by hand\n").unwrap();
    let differs = console.at(&server, &["verify", "alpha"]);
    assert!(differs.code == 1 && differs.out.starts_with("alpha\t/usr/share/alpha/data\tfile\t"), "{differs:#?}");

    let removed = good(&["remove", "beta"]);
    assert_eq!(rows(&removed)[0][1], "completed", "{removed}");
    assert!(!good(&["list"]).contains("beta"));

    let jobs = good(&["jobs"]);
    let of_it = rows(&jobs).into_iter().find(|row| row[0] == job).unwrap();
    assert_eq!(of_it[1..4], [&format!("InstallPackage-{job}"), "completed", "100"], "{jobs}");
    assert_eq!(rows(&good(&["watch", job]))[0][1], "completed");
    let late = console.at(&server, &["jobs", "--cancel", job]);
    assert!(late.code == 1 && late.err.contains("RequestStateChange returned 4097 ("), "{late:#?}");
    let history: Value = serde_json::from_str(&good(&["history", "--last", "1", "--json"])).unwrap();
    assert!(history[0]["message"].as_str().unwrap().contains("walker"), "{history}");
    assert!(history[0]["data"].is_object(), "{history}");
}

#[test]
fn packages_come_from_files_and_uris() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let [own, other] = ["own", "other"].map(|name| Deb::new(name, "1.0-1").build(&root.scratch()));
    let sent = console.good(&server, &["install", own.to_str().unwrap()]);
    assert_eq!(rows(&sent)[0][..2], ["own_1.0-1_all.deb", "completed"], "{sent}");
    let fetched = console.good(&server, &["install", &format!("file://{}", other.display())]);
    assert_eq!(rows(&fetched)[0][1], "completed", "{fetched}");
    assert!(console.good(&server, &["list"]).contains("other\t1.0-1\tall\nown\t"));
}

#[test]
fn what_cannot_be_done_is_told_with_its_exit_code() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let said = console.at(&server, arguments);
        let all = format!("{}{}", said.out, said.err);
        assert!(said.code == code && all.contains(words), "{said:#?}");
    };
    console.good(&server, &["list"]);
    fails(&["install", "nobody-has-it"], 1, "the host knows no \"nobody-has-it\"");
    fails(&["remove", "beta"], 1, "the host has not installed \"beta\"");
    fails(&["install", "broken"], 4, "broken-1.0-1.all\tfailed\t");
    fails(&["install", "/no/such/file.deb"], 2, "No such file");
    fails(&["install", "file:///no/such/file.deb"], 1, "InstallFromURI returned 4107");
    fails(&["watch", "12345"], 1, "the host has no job \"12345\"");
    fails(&["scan", "--metadata", "http://depot.example.com/metadata.zip"], 1, "no image");
    fails(&["install"], 2, "name what is meant");
}

#[test]
fn whoever_leaves_finds_the_work_again() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let good = |arguments: &[&str]| console.good(&server, arguments);
    good(&["list"]);
    // Somebody else is at work, so that jobs wait.
    let path = root.path().join("var/lib/dpkg/lock-frontend");
    let lock = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    rustix::fs::fcntl_lock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();

    let place = format!("127.0.0.1:{}", server.port);
    let mut waiting = console.command(&["install", "gamma", "--host", &place]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let open = || good(&["jobs", "--open"]);
    let number = eventually("the job", PATIENCE, || {
        let open = open();
        rows(&open).first().filter(|row| row[2] == "running").map(|row| row[0].to_owned())
    });
    assert!(Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap().success());
    let left = waiting.wait_with_output().unwrap();
    let said = String::from_utf8(left.stderr).unwrap();
    assert_eq!(left.status.code(), Some(6), "{said}");
    assert!(said.contains(&format!("`quartermaster watch {number} --host {place}`")), "{said}");

    let begun = console.at(&server, &["install", "beta", "--no-wait"]);
    assert!(begun.code == 6 && begun.out.starts_with("beta-1.0-1.all\twaiting\t"), "{begun:#?}");
    let second = rows(&begun.out)[0][2];
    assert_eq!(rows(&good(&["jobs", "--cancel", second]))[0][2], "cancelled");
    drop(lock);
    assert_eq!(rows(&good(&["watch", &number]))[0][1], "completed");
    assert_eq!(open(), "");
    assert_eq!(good(&["list"]), "alpha\t1.0-1\tall\ngamma\t1.0-1\tall\n");
}

#[test]
fn repositories_are_switched_and_refreshed() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let repositories: Value = serde_json::from_str(&console.good(&server, &["repos", "--json"])).unwrap();
    assert_eq!(repositories[0]["state"], "enabled");
    let name = repositories[0]["name"].as_str().unwrap();
    assert_eq!(rows(&console.good(&server, &["repos", "--disable", name]))[0][..2], [name, "disabled"]);
    assert_eq!(rows(&console.good(&server, &["repos", "--enable", name]))[0][..2], [name, "enabled"]);
    assert_eq!(rows(&console.good(&server, &["repos", "--refresh"]))[0][..2], ["repositories", "completed"]);
}

#[test]
fn any_class_is_changed_and_called() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let good = |arguments: &[&str]| console.good(&server, arguments);
    good(&["list"]);
    let job = started(&server, &console, &root.scratch());
    let id = format!("InstanceID={job}");
    let put = good(&["put", "CIM_ConcreteJob", &id, "--set", "DeleteOnCompletion=false", "--json"]);
    let put: Value = serde_json::from_str(&put).unwrap();
    assert_eq!(put[0]["DeleteOnCompletion"], false);

    let link = [
        "-r".to_owned(),
        "System=PG_ComputerSystem".to_owned(),
        "-r".to_owned(),
        "InstalledSoftware=LMI_SoftwareIdentity.InstanceID=\"LMI:LMI_SoftwareIdentity:gamma-0:1.0-1.all\"".to_owned(),
    ];
    let arguments: Vec<&str> =
        ["create", "LMI_InstalledSoftwareIdentity"].into_iter().chain(link.iter().map(String::as_str)).collect();
    assert!(good(&arguments).contains("LMI_InstalledSoftwareIdentity.InstalledSoftware="));
    assert!(good(&["list"]).contains("gamma"));
    let arguments: Vec<String> =
        link.iter().map(|word| if word == "-r" { "--key-reference".to_owned() } else { word.clone() }).collect();
    let arguments: Vec<&str> =
        ["delete", "LMI_InstalledSoftwareIdentity"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    assert_eq!(good(&arguments), "");
    assert!(!good(&["list"]).contains("gamma"));
    let all = console.at(&server, &["delete", "LMI_InstalledSoftwareIdentity"]);
    assert!(all.code == 2 && all.err.contains("name the keys"), "{all:#?}");
}

/// Installs a file by the method itself; gives the job's InstanceID.
fn started(server: &Server, console: &Console, dir: &std::path::Path) -> String {
    let file = Deb::new("delta", "1.0-1").build(dir);
    let uri = format!("URI=file://{}", file.display());
    let service = "CIM_SoftwareInstallationService";
    let arguments =
        ["invoke", service, "InstallFromURI", "-a", &uri, "-r", "Target=CIM_ComputerSystem", "-a", "InstallOptions=4"];
    let output: Value = serde_json::from_str(&console.good(server, &[&arguments[..], &["--json"]].concat())).unwrap();
    assert_eq!(output[0]["ReturnValue"], 4096);
    let wrong = console.at(
        server,
        &["invoke", service, "InstallFromURI", "-a", "URI=file:///no/such.deb", "-r", "Target=CIM_ComputerSystem"],
    );
    assert!(wrong.code == 1 && wrong.err.contains("returned 4107 (URI not accessible)"), "{wrong:#?}");
    let path = output[0]["Job"].as_str().unwrap();
    path.split_once("InstanceID=\"").unwrap().1.trim_end_matches('"').to_owned()
}
