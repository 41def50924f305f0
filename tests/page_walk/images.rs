//! A hypervisor host with an image: its VIBs, what it lacks, and how that gets into it.

use std::fs;

use crate::browser::Browser;
use crate::in_chromium::{DESKTOP, PHONE, found};
use crate::support::chromium::{Chromium, Looks};
use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::server::{ADMIN, Host, PATIENCE};
use crate::support::vib::release::esxi_5_5_u1a;

#[test]
fn an_image_is_scanned_and_patched() {
    let folder = ImageFolder::esxi_5_5_u1(20_000);
    let patch = esxi_5_5_u1a(40_000);
    for (name, octets) in patch.files() {
        let name = if name == patch.metadata_name { "metadata.zip".to_owned() } else { name };
        let file = folder.path().join("depot").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, octets).unwrap();
    }
    let settings = format!("{}\n[auth]\nhash_mebibytes = 1\n", folder.settings());
    let host = Host::of_image(&folder.image()).with_settings(&settings);
    let server = host.serve();
    let mut browser = Browser::of_admin(&server);
    let start = browser.page("/");
    assert!(start.has("15</a> VIBs installed") && start.has("VMware ESXi 5.5.0"), "{start:?}");
    assert!(!start.has("href=\"/repositories\"") && start.has("href=\"/bulletins\""), "{start:?}");
    let vibs = browser.page("/software?q=esx-base");
    assert!(vibs.has("VMware_bootbank_esx-base") && vibs.has("1 package<"), "{vibs:?}");
    assert!(browser.page("/available").has("updated from bundles"));

    let done = |browser: &mut Browser, begun: crate::browser::Page| {
        let address = begun.header("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
        eventually("the job to be done", PATIENCE, || browser.page(&address).has(">Done<").then_some(()));
        browser.page(&address)
    };
    let page = browser.page("/bulletins");
    let metadata = format!("file://{}", folder.path().join("depot/metadata.zip").display());
    let begun = browser.submit(&page, "/bulletins/scan", &[("metadata", &format!("{metadata}\r\n"))]);
    done(&mut browser, begun);
    let page = browser.page("/bulletins?system=image");
    assert!(page.has(&metadata) && page.has(">missing<"), "{page:?}");
    let id = page.body.split("name=\"bulletin\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let bulletin = browser.page(&format!("/bulletin?system=image&id={id}"));
    assert!(bulletin.has("What it has") && bulletin.has("esx-base"), "{bulletin:?}");
    let nothing = browser.submit(&page, "/bulletins/deploy", &[]);
    assert!(nothing.status == 400 && nothing.has("Choose at least one bulletin."), "{nothing:?}");
    let begun = browser.submit(&page, "/bulletins/deploy", &[("bulletin", &id)]);
    let job = done(&mut browser, begun);
    assert!(job.has("reboot"), "{job:?}");

    let vibs = browser.page("/software?q=esx-base");
    assert!(vibs.has(">after the next boot<") && vibs.has(">until the next boot<"), "{vibs:?}");
    let start = browser.page("/");
    assert!(start.has("needs to be rebooted") && start.has("href=\"/roll-back\""), "{start:?}");
    assert!(browser.page("/bulletins").has("An image waits for the next boot."));
    let begun = browser.submit(&page, "/bulletins/assess", &[]);
    done(&mut browser, begun);
    assert!(browser.page("/history").has("Install bulletins"));

    let seen = Chromium::new(&server);
    seen.look(DESKTOP);
    seen.log_in(ADMIN);
    let bulletin = format!("/bulletin?system=image&id={id}");
    let mut problems = Vec::new();
    for looks in [DESKTOP, Looks { dark: true, ..DESKTOP }, PHONE] {
        seen.look(looks);
        for path in ["/", "/software", "/bulletins", "/bulletins?show=all", &bulletin, "/roll-back", "/history"] {
            seen.go(path);
            problems.extend(found(&seen, &format!("{path} {looks:?}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    // Going back gives up what waits for the boot; a viewer sees what it would be, and may not.
    host.add_user("vera", "the viewer's password", "viewer");
    let mut viewer = Browser::of(&server, "vera", "the viewer's password");
    let asked = viewer.page("/roll-back");
    assert!(asked.has("What would not come") && asked.form("/roll-back").is_none(), "{asked:?}");
    assert_eq!(viewer.post("/roll-back", &[("token", &asked.token())]).status, 403);
    let asked = browser.page("/roll-back");
    assert!(asked.has("VMware_bootbank_esx-base_5.5.0-1.16.1746018") && asked.has("What would stay"), "{asked:?}");
    let begun = browser.submit(&asked, "/roll-back", &[]);
    let job = done(&mut browser, begun);
    assert!(job.has("Go back to the image before"), "{job:?}");
    assert!(!browser.page("/software").has("next boot"));
    assert!(browser.page("/roll-back").has("The image from before the last change"));
}
