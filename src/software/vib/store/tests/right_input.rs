//! Bundles as they should be: what their installation does.

use super::bundles::Host;
use super::fixture::check_whole;
use crate::software::vib::VibId;
use crate::software::vib::building::{Bundle, Payload, Platform, Spelling, Vib};

/// What an installation on a host of esx-base 5.5.0-1.15 and net-e1000 8.0.3-2 brings, takes away and skips, and whether it
/// waits for a reboot.
fn does(vibs: Vec<Vib>) -> [Vec<String>; 3] {
    let host = Host::with(vec![Vib::new("esx-base", "5.5.0-1.15"), Vib::new("net-e1000", "8.0.3-2")]);
    let file = host.folder.path().join("bundle.zip");
    Bundle::of(vibs).write(&file);
    let outcome = host.install(file).unwrap();
    check_whole(&host.store);
    let is_pending = host.store.snapshot().pending.is_some();
    assert_eq!(outcome.needs_reboot, is_pending);
    let short =
        |id: &VibId| id.as_str().replace("Acme_bootbank_", "") + if is_pending { " at the next boot" } else { "" };
    [outcome.installed, outcome.removed, outcome.skipped].map(|vibs| vibs.iter().map(short).collect())
}

#[test]
fn what_is_right_is_installed_as_it_says() {
    let replacing = |name: &str| Vib { replaces: vec!["net-e1000".to_owned()], ..Vib::new(name, "1.0-1") };
    let odd = |spelling| Vib {
        payloads: vec![
            Payload::stored("odd", "other", b"odd".to_vec(), None),
            Payload::vgz("even", &[("opt/e", b"e")]),
        ],
        spelling,
        ..Vib::new("with-a-name-that-is-long", "1.0-1")
    };
    let overlay = Vib {
        overlay: true,
        payloads: vec![Payload::vgz("over", &[("opt/net-e1000/bin/net-e1000", b"over")])],
        ..Vib::new("over", "1.0-1")
    };
    let fixed = Vib { live_install: false, ..Vib::new("fixed", "1.0-1") };
    let careful = Vib { maintenance_mode: (true, true), ..fixed.clone() };
    let six = Vib { platforms: vec![Platform::esxi("6.0.0")], ..Vib::new("six", "1.0-1") };
    let vib = Vib::new;
    for (what, vibs, [installed, removed, skipped]) in [
        ("a new one", vec![vib("demo", "1.0-1")], ["demo_1.0-1", "", ""]),
        ("a newer one", vec![vib("net-e1000", "8.0.3-10")], ["net-e1000_8.0.3-10", "net-e1000_8.0.3-2", ""]),
        ("the same", vec![vib("net-e1000", "8.0.3-2")], ["", "", "net-e1000_8.0.3-2"]),
        ("an older one", vec![vib("net-e1000", "8.0.3-1")], ["", "", "net-e1000_8.0.3-1"]),
        ("another name", vec![replacing("ne1000")], ["ne1000_1.0-1", "net-e1000_8.0.3-2", ""]),
        ("VMware's ar", vec![odd(Spelling::Vmware)], ["with-a-name-that-is-long_1.0-1", "", ""]),
        ("GNU's ar", vec![odd(Spelling::Gnu)], ["with-a-name-that-is-long_1.0-1", "", ""]),
        ("an overlay", vec![overlay], ["over_1.0-1", "", ""]),
        ("not live", vec![fixed], ["fixed_1.0-1 at the next boot", "", ""]),
        ("no maintenance mode where a boot follows", vec![careful], ["fixed_1.0-1 at the next boot", "", ""]),
        ("two products", vec![vib("demo", "1.0-1"), six], ["demo_1.0-1", "", ""]),
    ] {
        let list = |text: &str| text.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(does(vibs), [list(installed), list(removed), list(skipped)], "{what}");
    }
}
