//! What a person reads of a host: who it is, what is installed, and instances of any class.

use serde_json::Value;

use crate::console::Console;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::Host;

fn root() -> DebRoot {
    let root = DebRoot::new();
    for (name, version) in [("alpha", "1.0-1"), ("beta", "2:0.9")] {
        let field = format!("{name} of the walk");
        let deb = Deb::new(name, version).field("Description", &field).field("Maintainer", "Ann <ann@example.com>");
        root.install_by_hand(&deb.build(&root.scratch()));
    }
    root
}

#[test]
fn a_host_is_read_in_every_form() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());

    assert_eq!(console.good(&server, &["list"]), "alpha\t1.0-1\tall\nbeta\t2:0.9\tall\n");
    assert_eq!(console.good(&server, &["list", "lph", "--csv"]), "name,version,architecture\r\nalpha,1.0-1,all\r\n");
    let listed: Value = serde_json::from_str(&console.good(&server, &["list", "--long", "--json"])).unwrap();
    assert_eq!(listed[0]["vendor"], "Ann <ann@example.com>");
    assert_eq!(listed[1]["summary"], "beta of the walk");
    assert!(listed[1]["installed_at"].as_str().unwrap().starts_with("20"), "{listed}");

    let identity = console.good(&server, &["identify"]);
    assert!(identity.starts_with("Quartermaster\t"), "{identity}");
    let stranger = Console::new().without("QUARTERMASTER_USER");
    let told = stranger.good(&server, &["identify"]);
    assert_eq!(told, "\t\thttp://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\t\n");
}

#[test]
fn instances_of_any_class_are_read() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());

    let system = console.good(&server, &["get", "CIM_ComputerSystem"]);
    assert!(system.starts_with("PG_ComputerSystem\n") && system.contains("\nNameFormat\tOther\n"), "{system}");
    let id = "InstanceID=LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";
    let alpha: Value =
        serde_json::from_str(&console.good(&server, &["get", "CIM_SoftwareIdentity", id, "--json"])).unwrap();
    assert_eq!((&alpha[0]["Name"], &alpha[0]["IsEntity"]), (&"alpha".into(), &true.into()));
    assert_eq!(alpha[0]["Classifications"], serde_json::json!([0]));

    let enumerate = |more: &[&str]| console.good(&server, &[&["enumerate", "CIM_SoftwareIdentity"], more].concat());
    assert_eq!(enumerate(&["--columns", "Name,Version,Epoch"]), "alpha\t1.0\t0\nbeta\t0.9\t2\n");
    for filter in ["Name = 'beta'", "SELECT * FROM CIM_SoftwareIdentity WHERE Name = 'beta'"] {
        assert_eq!(enumerate(&["--columns", "Name", "--filter", filter]), "beta\n");
        assert_eq!(enumerate(&["--columns", "Name", "--cql", "--filter", filter]), "beta\n");
    }
    let first = "root/cimv2:LMI_SoftwareIdentity.InstanceID=\"LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all\"\n";
    assert_eq!(enumerate(&["--references", "--max", "1"]), first);
    let profiles = ["enumerate", "CIM_RegisteredProfile", "--namespace", "root/interop", "--columns", "RegisteredName"];
    assert!(console.good(&server, &profiles).contains("Software Inventory\n"));
}

#[test]
fn what_goes_wrong_is_told_with_its_exit_code() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let fails = |console: &Console, arguments: &[&str], code: i32, words: &str| {
        let said = console.at(&server, arguments);
        assert!(said.code == code && said.err.contains(words) && said.out.is_empty(), "{said:#?}");
    };
    console.good(&server, &["list"]);
    fails(&console, &["get", "CIM_Unheard"], 1, "wsa:DestinationUnreachable");
    fails(&console, &["get", "CIM_SoftwareIdentity"], 1, "several instances of CIM_SoftwareIdentity");
    fails(&console, &["get", "CIM_SoftwareIdentity", "Name"], 2, "write NAME=VALUE");
    fails(&Console::new().with("QUARTERMASTER_PASSWORD", "wrong"), &["list"], 3, "refuses the login");
    fails(&Console::new().without("QUARTERMASTER_PASSWORD"), &["list"], 2, "there is no password for walker");
    fails(&Console::new().without("QUARTERMASTER_USER"), &["list"], 2, "Give --user");

    let nobody = console.run(&["list", "--host", "127.0.0.1:1"]);
    assert!(nobody.code == 3 && nobody.err.contains("cannot be reached"), "{nobody:#?}");
    let open = console.run(&["list", "--host", "http://127.0.0.1:1"]);
    assert!(open.code == 2 && open.err.contains("where others can read it"), "{open:#?}");
}

#[test]
fn a_host_that_fails_stops_no_other() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let hosts = format!("127.0.0.1:1,127.0.0.1:{}", server.port);
    let said = console.run(&["list", "alpha", "--accept-new-certificate", "--host", &hosts]);
    assert_eq!((said.code, said.out), (5, format!("127.0.0.1:{}\talpha\t1.0-1\tall\n", server.port)));
    assert!(said.err.contains("quartermaster: 127.0.0.1:1: the host cannot be reached"), "{}", said.err);
}

#[test]
fn a_password_may_lie_in_a_file_of_ones_own() {
    let root = root();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new().without("QUARTERMASTER_PASSWORD"));
    let (own, others) =
        (console.file("own", crate::support::server::ADMIN.1, 0o600), console.file("others", "x", 0o644));
    console.good(&server, &["list", "--password-file", own.to_str().unwrap()]);
    let said = console.at(&server, &["list", "--password-file", others.to_str().unwrap()]);
    assert!(said.code == 2 && said.err.contains("chmod 600"), "{said:#?}");
}
