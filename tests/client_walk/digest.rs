//! Who sends digests and never the password.

use crate::console::Console;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{ADMIN, Host};

#[test]
fn a_digest_is_as_good_as_a_password_where_both_sides_want_it() {
    let root = DebRoot::new();
    root.install_by_hand(&Deb::new("alpha", "1.0-1").build(&root.scratch()));
    for algorithms in ["[\"SHA-256\", \"MD5\"]", "[\"MD5\"]"] {
        let settings = format!("[auth]\nhash_mebibytes = 1\ndigest = {algorithms}\n");
        let host = Host::new(&root.path(), "deb").with_settings(&settings);
        let (server, console) = (host.serve(), Console::new());
        let refused = console.at(&server, &["list", "--digest"]);
        assert!(refused.code == 3 && refused.err.contains("does not accept"), "{refused:#?}");
        let (status, said) = host.run_with_input(&["user", "digest", ADMIN.0, "on", "--password-stdin"], ADMIN.1);
        assert!(status.success(), "{said}");

        assert_eq!(console.good(&server, &["list", "--digest"]), "alpha\t1.0-1\tall\n");
        // Several requests on one challenge, and one that a body of some size goes with.
        let file = Deb::new("beta", "1.0-1").file("usr/share/beta/data", &"x".repeat(100_000)).build(&root.scratch());
        let installed = console.good(&server, &["install", file.to_str().unwrap(), "--digest"]);
        assert!(installed.starts_with("beta_1.0-1_all.deb\tcompleted\t"), "{installed}");
        assert!(console.good(&server, &["identify", "--digest", "--json"]).contains("Quartermaster"));
        console.good(&server, &["remove", "beta", "--digest"]);

        let wrong = console.with("QUARTERMASTER_PASSWORD", "wrong").at(&server, &["list", "--digest"]);
        assert!(wrong.code == 3 && wrong.err.contains("does not accept"), "{wrong:#?}");
    }
}

#[test]
fn where_no_digest_is_offered_that_is_told() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb");
    let (server, console) = (host.serve(), Console::new());
    let refused = console.at(&server, &["list", "--digest"]);
    assert!(refused.code == 3 && refused.err.contains("offers no Digest authentication"), "{refused:#?}");
}
