//! A hypervisor host with an image: its VIBs, what it lacks, and how that gets into it.

use std::fs;

use crate::browser::Browser;
use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::server::{Host, PATIENCE};
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
    let settings = format!("{}\n[auth]\nbcrypt_cost = 4\n", folder.settings());
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

    assert!(browser.page("/software?q=esx-base").has("after the next boot"));
    assert!(browser.page("/").has("must be rebooted") || browser.page("/").has("reboot"), "the overview tells nothing");
    let begun = browser.submit(&page, "/bulletins/assess", &[]);
    done(&mut browser, begun);
    assert!(browser.page("/history").has("Deploy"));
}
