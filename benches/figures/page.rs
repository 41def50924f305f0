//! How soon somebody sees the page, in Debian's Chromium.

use std::process::{Command, Stdio};

use super::PACKAGES;
use super::figure::{Figure, Limit, median};
use super::root;
use super::support::chromium::{Chromium, Looks};
use super::support::eventually;
use super::support::packages::DebRoot;
use super::support::server::{ADMIN, Host, PATIENCE};

const VISITS: usize = 11;
const DESKTOP: Looks = Looks { width: 1280, height: 800, dark: false };

/// Milliseconds from the beginning of the visit to what is drawn first of the page's content, once it is drawn.
const PAINTED: &str = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime";

pub(crate) fn figures() {
    if !is_there("chromium") || !is_there("chromedriver") {
        return println!("chromium or its driver is missing: the page is not looked at");
    }
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let browser = Chromium::new(&server);
    browser.look(DESKTOP);
    browser.go("/login");
    println!("  a stranger's first visit, with its handshake: {:.0} ms", painted(&browser));
    browser.log_in(ADMIN);
    Figure::new("first paint of the overview, median", "ms", Limit::AtMost(300.0)).report(visits(&browser, "/"));
    let list = visits(&browser, "/software");
    Figure::new("first paint of the list of 2,000 packages, median", "ms", Limit::AtMost(300.0)).report(list);
}

fn is_there(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

fn visits(browser: &Chromium, path: &str) -> f64 {
    let visits = (0..VISITS).map(|_| {
        browser.forget_files();
        browser.go(path);
        painted(browser)
    });
    let times: Vec<f64> = visits.collect();
    println!("  visits of {path}: {times:.0?}");
    median(times)
}

fn painted(browser: &Chromium) -> f64 {
    eventually("the first paint", PATIENCE, || browser.run(PAINTED).as_f64())
}
