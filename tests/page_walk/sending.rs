//! Package files that a browser sends along.

use std::fs;

use crate::browser::{Browser, Page};
use crate::hosts::{DebianHost, OPERATOR, VIEWER};
use crate::support::chromium::{Chromium, Looks};
use crate::support::eventually;
use crate::support::packages::Deb;
use crate::support::server::PATIENCE;

/// The files that wait in the folder of uploads.
fn uploads(on: &DebianHost) -> usize {
    fs::read_dir(on.host.state_dir().join("uploads")).unwrap().count()
}

fn small() -> DebianHost {
    DebianHost::bare(&[], "[limits]\nmax_upload = 40000\n", |_| {})
}

fn ended(browser: &mut Browser, begun: &Page) -> Page {
    assert_eq!(begun.status, 303, "{begun:?}");
    let address = begun.header("location").unwrap().to_owned();
    eventually("the job to end", PATIENCE, || {
        let page = browser.page(&address);
        [">Done<", ">Failed<"].iter().any(|state| page.has(state)).then_some(page)
    })
}

#[test]
fn an_operator_sends_a_package_which_is_installed_and_not_kept() {
    let on = DebianHost::bare(&[], "", |_| {});
    let package = Deb::new("sent", "1.0-1").file("usr/share/sent", &"x".repeat(300_000)).build(&on.root.scratch());
    let browser = Chromium::new(&on.server);
    browser.look(Looks { width: 1280, height: 800, dark: false });
    browser.log_in(OPERATOR);
    browser.write("#file", package.to_str().unwrap());
    browser.press("form[action='/install-file'] button");
    browser.wait_for("the job", |browser| browser.path().starts_with("/job?id="));
    browser.wait_for("its end", |browser| browser.text("[data-part=state]") == "Done");
    assert_eq!(browser.text("h1"), "Install sent 1.0-1 (all)");
    browser.go("/history");
    assert!(browser.text("tbody").contains("installed sent 1.0-1 (all)"), "{}", browser.text("tbody"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(uploads(&on), 0, "the file was kept");
}

#[test]
fn what_is_no_package_is_too_large_or_breaks_off_is_refused() {
    let on = small();
    let mut browser = on.browser(OPERATOR);
    let start = browser.page("/");
    assert!(start.has("A package of 29.3 KiB at most"), "{start:?}");
    let token = start.token();
    let sent = browser.send_file("/install-file", &[("token", &token)], b"no package");
    assert!(sent.status == 400 && sent.has("the file is no package of this system"), "{sent:?}");
    let sent = browser.send_file("/install-file", &[("token", &token)], b"");
    assert!(sent.status == 400 && sent.has("Choose a package file."), "{sent:?}");
    for size in [30_001, 45_000, 60_000] {
        let sent = browser.send_file("/install-file", &[("token", &token)], &vec![b'x'; size]);
        assert!(sent.status == 413 && sent.has("larger than the 30000 octets"), "{size}: {sent:?}");
    }
    let sent = browser.post("/install-file", &[("token", &token), ("file", "x")]);
    assert!(sent.status == 400 && sent.has("The form brings no file."), "{sent:?}");
    let package = fs::read(Deb::new("sent", "1.0-1").build(&on.root.scratch())).unwrap();
    let sent = browser.send_file("/install-file", &[("token", &token)], &package);
    assert!(ended(&mut browser, &sent).has(">Done<"));
    assert_eq!(uploads(&on), 0);
}

#[test]
fn files_are_taken_from_forms_of_the_session_and_of_those_who_may_install() {
    let on = small();
    let package = fs::read(Deb::new("sent", "1.0-1").build(&on.root.scratch())).unwrap();
    let mut browser = on.browser(OPERATOR);
    let token = browser.page("/").token();
    let other = on.browser(OPERATOR).page("/").token();
    for fields in [&[][..], &[("token", "")], &[("token", other.as_str())], &[("other", token.as_str())]] {
        let sent = browser.send_file("/install-file", fields, &package);
        assert!(sent.status == 403 && sent.has("Nothing was changed"), "{fields:?}: {sent:?}");
    }
    browser.headers = "Origin: https://evil.example\r\n".to_owned();
    assert_eq!(browser.send_file("/install-file", &[("token", &token)], &package).status, 403);
    let mut viewer = on.browser(VIEWER);
    let page = viewer.page("/");
    assert!(page.form("/install-file").is_none());
    let sent = viewer.send_file("/install-file", &[("token", &page.token())], &package);
    assert!(sent.status == 403 && sent.has("needs the role operator"), "{sent:?}");
    let sent = Browser::new(&on.server).send_file("/install-file", &[("token", &token)], &package);
    assert_eq!(sent.header("location"), Some("/login"));
    assert!(browser.page("/jobs").has("Nothing is at work"));
    assert_eq!(uploads(&on), 0);
}

#[test]
fn where_no_files_are_taken_there_is_no_form() {
    let on = DebianHost::bare(&[], "[limits]\nmax_upload = 0\n", |_| {});
    let mut browser = on.browser(OPERATOR);
    let page = browser.page("/");
    assert!(page.form("/install-file").is_none() && page.form("/install-from").is_some(), "{page:?}");
    assert_eq!(browser.send_file("/install-file", &[("token", &page.token())], b"x").status, 404);
}
