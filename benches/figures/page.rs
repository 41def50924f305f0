//! What a person waits for who looks at the page.

use super::PACKAGES;
use super::figure::{Figure, Limit, median};
use super::root;
use super::support::chromium::{Chromium, Looks};
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host};

const RUNS: usize = 11;

pub(crate) fn figures() {
    let limit = Limit::AtMost(300.0);
    Figure::new("first paint of the page of 2,000 packages, median", "ms", limit).report(first_paint());
}

/// From the click to the first pixel of the list, by Chromium's own account, with nothing kept of an earlier look.
fn first_paint() -> f64 {
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let browser = Chromium::new(&server);
    browser.look(Looks { width: 1280, height: 800, dark: false });
    browser.log_in(ADMIN);
    let times = (0..RUNS).map(|_| {
        browser.forget_files();
        browser.go("/software");
        let first = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";
        browser.wait_for("the first paint", |browser| browser.run(first).is_number());
        browser.run(first).as_f64().unwrap()
    });
    median(times.collect())
}
