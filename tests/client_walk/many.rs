//! Many hosts at once, by names and groups of `hosts.toml`.

use crate::console::Console;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{ADMIN, Host};

#[test]
fn hosts_have_names_and_groups() {
    let roots: Vec<DebRoot> = ["alpha", "beta"]
        .iter()
        .map(|name| {
            let root = DebRoot::new();
            root.install_by_hand(&Deb::new(name, "1.0-1").build(&root.scratch()));
            root
        })
        .collect();
    let hosts: Vec<Host> = roots.iter().map(|root| Host::new(&root.path(), "deb")).collect();
    let servers: Vec<_> = hosts.iter().map(Host::serve).collect();
    let console = Console::new().without("QUARTERMASTER_USER").without("QUARTERMASTER_PASSWORD");
    let password = console.file("password", ADMIN.1, 0o600);
    let text = format!(
        "[default]\nuser = {:?}\npassword_file = {password:?}\n\n[hosts.web1]\naddress = \"127.0.0.1:{}\"\n\n\
         [hosts.web2]\naddress = \"127.0.0.1:{}\"\ncacert = {:?}\n\n[groups]\nweb = [\"web1\", \"web2\"]\n",
        ADMIN.0,
        servers[0].port,
        servers[1].port,
        servers[1].certificate()
    );
    console.file("quartermaster/hosts.toml", &text, 0o644);
    let listed = console.run(&["list", "--host", "web,web1", "--accept-new-certificate", "--parallel", "1"]);
    assert_eq!(listed.out, "web1\talpha\t1.0-1\tall\nweb2\tbeta\t1.0-1\tall\n", "{listed:#?}");

    let file = console.file("list", "web2 # the second\n\n# web1\n127.0.0.1:1\n", 0o644);
    let listed = console.run(&["list", "--hosts", file.to_str().unwrap(), "--json"]);
    assert_eq!(listed.code, 5, "{listed:#?}");
    let rows: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(
        (&rows[0]["host"], &rows[0]["name"], rows.as_array().unwrap().len()),
        (&"web2".into(), &"beta".into(), 1)
    );

    let file = console.file("list", "web2\n\na b # no host\n", 0o644);
    let wrong = console.run(&["list", "--hosts", file.to_str().unwrap()]);
    let words = format!("{}:3: \"a b\" names no host", file.display());
    assert!(wrong.code == 2 && wrong.err.contains(&words), "{wrong:#?}");
    assert_eq!(console.run(&["list", "--host", "web1,"]).out, "alpha\t1.0-1\tall\n");
    let stranger = console.run(&["identify", "--host", "http://127.0.0.1:1"]);
    assert!(stranger.code == 3 && stranger.err.contains("cannot be reached"), "{stranger:#?}");

    let waves = ["remove", "alpha", "--host", "127.0.0.1:1,web1,web2", "--wave", "1", "--stop-after", "1"];
    let stopped = console.run(&waves);
    assert!(stopped.code == 5 && stopped.err.contains("not touched: web1, web2"), "{stopped:#?}");
    assert!(console.run(&["list", "--host", "web1"]).out.starts_with("alpha\t"));

    let broken = Deb::new("broken", "1.0-1").field("Depends", "nowhere-to-be-found").build(&roots[0].scratch());
    let waves = ["install", broken.to_str().unwrap(), "--host", "web1,web2", "--wave", "1", "--stop-after", "1"];
    let stopped = console.run(&waves);
    assert!(stopped.code == 5 && stopped.out.starts_with("web1\tbroken_1.0-1_all.deb\tfailed\t"), "{stopped:#?}");
    assert!(stopped.out.ends_with("web2\t\tnot touched\t\ttoo many hosts have failed\n"), "{stopped:#?}");

    // What is wrong in the settings of one host stops no other.
    let broken = format!("{text}\n[hosts.db]\npassword_file = \"~/none\"\n\n[hosts.cache]\naddress = \"a b\"\n");
    console.file("quartermaster/hosts.toml", &broken, 0o644);
    let listed = console.run(&["list", "--host", "db,cache,web1"]);
    assert_eq!((listed.code, listed.out.as_str()), (5, "web1\talpha\t1.0-1\tall\n"), "{listed:#?}");
    assert!(listed.err.contains("quartermaster: db: the password file ") && !listed.err.contains("~"), "{listed:#?}");
    assert!(listed.err.contains("quartermaster: cache: \"a b\" names no host"), "{listed:#?}");
    assert_eq!(console.run(&["list", "--host", "db"]).code, 2);

    console.file("quartermaster/hosts.toml", "[hosts.web1]\nport = 1\n", 0o644);
    let wrong = console.run(&["list", "--host", "web1"]);
    assert!(wrong.code == 2 && wrong.err.contains("hosts.toml, line 2"), "{wrong:#?}");
}
