//! The page in a real browser: with and without scripts, watched while it happens, and fit for everybody.

use serde_json::json;

use crate::hosts::{DebianHost, OPERATOR, page_of};
use crate::support::chromium::{Chromium, Looks};
use crate::support::gate::Gate;
use crate::support::packages::Deb;
use crate::support::server::PATIENCE;
use crate::support::sink::{Reply, Sink};
use crate::support::wsman::Message;

/// Finds what is hard to read or to use on the page that is shown.
const AUDIT: &str = include_str!("audit.js");

pub(crate) const DESKTOP: Looks = Looks { width: 1280, height: 800, dark: false };
pub(crate) const PHONE: Looks = Looks { width: 360, height: 740, dark: false };

fn slow_host() -> (DebianHost, Gate) {
    let slow = Deb::new("slow", "1.0-1").script("postinst", &format!("#!/bin/sh\n{}\n", Gate::in_shell()));
    let on = DebianHost::with(&[slow]);
    let gate = Gate::new(&on.root.path());
    (on, gate)
}

/// Searches for a package, looks at what would change, and has it installed; ends on the page of the job.
fn install(browser: &Chromium, name: &str) {
    browser.go("/available");
    browser.write("#q", name);
    browser.press(".search button");
    browser.wait_for("what was found", |browser| browser.path() == format!("/available?q={name}"));
    browser.press("tbody th a");
    browser.wait_for("the package", |browser| browser.path().starts_with("/package?id="));
    browser.press("button[value=install]");
    browser.wait_for("the plan", |browser| browser.text("h1").starts_with("Install "));
    browser.press("form[action='/change'] button");
    browser.wait_for("the job", |browser| browser.path().starts_with("/job?id="));
}

#[test]
fn somebody_watches_a_job_without_loading_the_page_again() {
    let (on, gate) = slow_host();
    let reached = gate.reached();
    let browser = Chromium::new(&on.server);
    browser.look(DESKTOP);
    browser.log_in(OPERATOR);
    install(&browser, "slow");
    browser.run("window.isTheSamePage = true;");
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    browser.wait_for("the job to run", |browser| browser.text("[data-part=status]").starts_with("Running: "));
    assert_eq!(browser.run("return document.querySelector('progress').value < 100"), json!(true));
    waiting.go_on();
    browser.wait_for("the end of the job", |browser| browser.text("[data-part=state]") == "Done");
    assert_eq!(browser.text("[data-part=status]"), "Completed successfully");
    assert_eq!(
        browser.run("return document.getElementById('announcement').textContent"),
        json!("Completed successfully")
    );
    assert_eq!(browser.run("return window.isTheSamePage === true"), json!(true), "the page was loaded again");
    assert_eq!(browser.complaints(), Vec::<String>::new());

    // The list of another page hears of a job that begins meanwhile.
    browser.go("/jobs");
    browser.run("window.isTheSamePage = true;");
    let mut other = on.browser(OPERATOR);
    let package = other.page(&page_of("gamma-0:1.0-1.all"));
    let plan = other.submit(&package, "/plan", &[("deed", "install")]);
    assert_eq!(other.submit(&plan, "/change", &[]).status, 303);
    browser.wait_for("the other job", |browser| browser.text("tbody").contains("Install gamma 1.0-1 (all)"));
    browser.wait_for("its end", |browser| browser.text("tbody tr [data-part=state]") == "Done");
    assert_eq!(browser.run("return window.isTheSamePage === true"), json!(true), "the page was loaded again");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn everything_works_without_scripts() {
    let (on, gate) = slow_host();
    let opened = gate.open_when_reached();
    let browser = Chromium::new(&on.server);
    browser.look(PHONE);
    browser.without_scripts();
    browser.log_in(OPERATOR);
    install(&browser, "slow");
    opened.recv_timeout(PATIENCE).unwrap();
    let job = browser.path();
    browser.wait_for("the end of the job", |browser| {
        browser.go(&job);
        browser.text("[data-part=state]") == "Done"
    });
    browser.go("/software");
    assert!(browser.text("tbody").contains("slow"), "{}", browser.text("tbody"));
    browser.press(".who button");
    browser.wait_for("the log-in", |browser| browser.path() == "/login");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn pages_can_be_read_and_used_by_everybody() {
    let on = DebianHost::new();
    // There is something in every list: a job that failed, and a subscription that is not delivered.
    let mut other = on.browser(OPERATOR);
    let plan = other.page(&page_of("broken-0:1.0-1.all"));
    let plan = other.submit(&plan, "/plan", &[("deed", "install")]);
    let job = other.submit(&plan, "/change", &[]).header("location").unwrap().to_owned();
    let sink = Sink::answering(|_, _| Reply::status("503 Service Unavailable"));
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    on.server.client(OPERATOR.0, OPERATOR.1).ask(&Message::subscribe(&sink.url("/a/long/path/to/the/sink"), query));
    let browser = Chromium::new(&on.server);
    browser.look(DESKTOP);
    browser.go("/login");
    let mut problems = found(&browser, "/login");
    browser.log_in(OPERATOR);
    browser.wait_for("the job to fail", |browser| browser.text("[data-part=state]") == "Failed");
    let package = page_of("alpha-0:2.0-1.all");
    let needs = format!("{}&show=needs", page_of("beta-0:1.0-1.all"));
    let pages = [
        "/",
        "/software",
        "/available",
        "/updates",
        "/jobs",
        "/repositories",
        "/subscriptions",
        "/history",
        "/job?id=no",
        "/nothing",
        &job,
        &package,
        &needs,
    ];
    for looks in [DESKTOP, Looks { dark: true, ..DESKTOP }, PHONE, Looks { dark: true, ..PHONE }] {
        browser.look(looks);
        for path in pages {
            browser.go(path);
            problems.extend(found(&browser, &format!("{path} {looks:?}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // What is not there is told in the console too; nothing else may be.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|complaint| ["/job?id=no", "/nothing"].iter().any(|gone| complaint.contains(gone))),
        "{complaints:?}"
    );
}

/// What is hard to read or to use of the page that is shown.
pub(crate) fn found(browser: &Chromium, page: &str) -> Vec<String> {
    let problems = browser.run(AUDIT);
    problems.as_array().unwrap().iter().map(|problem| format!("{page}: {}", problem.as_str().unwrap())).collect()
}
