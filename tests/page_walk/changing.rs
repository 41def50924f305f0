//! Installing, updating and removing from the page, and what came of it.

use crate::browser::{Browser, Page};
use crate::hosts::{DebianHost, OPERATOR, VIEWER, id_of, page_of};
use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::packages::Deb;
use crate::support::server::PATIENCE;

/// The page of the job that a form began, once the job has ended.
fn ended(browser: &mut Browser, begun: &Page) -> Page {
    assert_eq!(begun.status, 303, "{begun:?}");
    let address = begun.header("location").unwrap().to_owned();
    assert!(address.starts_with("/job?id="), "{address}");
    eventually("the job to end", PATIENCE, || {
        let page = browser.page(&address);
        ["Done", "Failed", "Cancelled"].iter().any(|state| page.has(&format!(">{state}<"))).then_some(page)
    })
}

#[test]
fn an_operator_sees_what_would_change_and_has_it_changed() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let list = browser.page("/available?q=beta");
    assert!(list.has("1 package<") && list.has(&format!("href=\"{}\"", page_of("beta-0:1.0-1.all"))), "{list:?}");
    let package = browser.page(&page_of("beta-0:1.0-1.all"));
    assert!(package.form("/plan").is_some() && package.has("value=\"install\""), "{package:?}");
    let needs = browser.page(&format!("{}&show=needs", page_of("beta-0:1.0-1.all")));
    assert!(needs.has("gamma &#62;= 1.0") && needs.has("gamma 1.0-1 (all)"), "{needs:?}");

    let plan = browser.submit(&package, "/plan", &[("deed", "install")]);
    assert_eq!(plan.status, 200, "{plan:?}");
    assert!(plan.has("beta 1.0-1 (all)") && plan.has("gamma 1.0-1 (all)") && plan.has("2 packages change"), "{plan:?}");
    assert!(!browser.page("/software").has("beta"), "the plan changed something");
    let begun = browser.submit(&plan, "/change", &[]);
    let job = ended(&mut browser, &begun);
    assert!(job.has(">Done<") && job.has("beta 1.0-1 (all)") && job.has("gamma 1.0-1 (all)"), "{job:?}");
    assert!(browser.page("/software").has("3 packages"));
    let history = browser.page("/history");
    assert!(history.has("Install beta 1.0-1 (all)") && history.has("installed gamma 1.0-1 (all)"), "{history:?}");
    assert!(history.has(">olga<") && history.has(">127.0.0.1<"), "{history:?}");
    assert!(browser.page("/jobs").has(">Install beta 1.0-1 (all)</a>"));

    let package = browser.page(&page_of("gamma-0:1.0-1.all"));
    let plan = browser.submit(&package, "/plan", &[("deed", "remove")]);
    assert!(plan.has("It is not possible: ") && plan.has("beta"), "beta needs it: {plan:?}");
    let needed = browser.page(&format!("{}&show=needed-by", page_of("gamma-0:1.0-1.all")));
    assert!(needed.has("beta 1.0-1 (all)"), "{needed:?}");
    let package = browser.page(&page_of("beta-0:1.0-1.all"));
    let plan = browser.submit(&package, "/plan", &[("deed", "remove")]);
    assert!(plan.has("Remove beta 1.0-1?") && plan.has("1 package changes"), "{plan:?}");
    let begun = browser.submit(&plan, "/change", &[]);
    assert!(ended(&mut browser, &begun).has(">Done<"));
    assert!(browser.page("/software").has("2 packages"));
    let needed = browser.page(&format!("{}&show=needed-by", page_of("alpha-0:1.0-1.all")));
    assert!(needed.has("Nothing."), "{needed:?}");
}

#[test]
fn updates_are_found_and_made() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let updates = browser.page("/updates");
    assert!(updates.has("1 package has a newer version") && updates.has("alpha-0:2.0-1.all"), "{updates:?}");
    let nothing = browser.submit(&updates, "/updates", &[]);
    assert!(nothing.status == 400 && nothing.has("Choose at least one package"), "{nothing:?}");
    let begun = browser.submit(&updates, "/updates", &[("id", &id_of("alpha-0:2.0-1.all"))]);
    assert_eq!((begun.status, begun.header("location")), (303, Some("/jobs")));
    eventually("the update", PATIENCE, || browser.page("/jobs").has(">Done<").then_some(()));
    assert!(browser.page("/updates").has("No enabled repository has something newer"));

    let package = browser.page(&page_of("alpha-0:2.0-1.all"));
    assert!(package.has("value=\"remove\"") && !package.has("value=\"install\""), "{package:?}");
    let files = browser.page(&format!("{}&show=files", page_of("alpha-0:2.0-1.all")));
    assert!(files.has("<li>/usr/share/alpha/data</li>"), "{files:?}");
    let begun = browser.submit(&package, "/verify", &[]);
    let job = ended(&mut browser, &begun);
    assert!(job.has(">Done<") && job.has("VerifyInstalledIdentity"), "{job:?}");
}

#[test]
fn an_update_that_another_took_along_is_no_failure() {
    let with = |name: &str, version: &str| Deb::new(name, version);
    let newer = [with("app", "2.0-1").field("Depends", "liba (>= 2.0)"), with("liba", "2.0-1")];
    let on = DebianHost::bare(&newer, "", |root| {
        for name in ["app", "liba"] {
            root.install_by_hand(&with(name, "1.0-1").build(&root.scratch()));
        }
    });
    let mut browser = on.browser(OPERATOR);
    let page = browser.page("/updates");
    assert!(page.has("2 packages have newer versions") && page.has(" checked>"), "{page:?}");
    assert!(!browser.page("/updates?choose=none").has(" checked>"));
    let all = [id_of("app-0:2.0-1.all"), id_of("liba-0:2.0-1.all")];
    let chosen: Vec<(&str, &str)> = all.iter().map(|id| ("id", id.as_str())).collect();
    assert_eq!(browser.submit(&page, "/updates", &chosen).status, 303);
    let jobs = eventually("both jobs to end", PATIENCE, || {
        let page = browser.page("/jobs");
        (!page.has("<progress")).then_some(page)
    });
    // What another update took along is no failure.
    assert!(jobs.has(">Done<") && jobs.has(">Was there<") && !jobs.has(">Failed<"), "{jobs:?}");
    assert!(jobs.has(">liba 2.0-1 is already installed<"), "{jobs:?}");
    let history = browser.page("/history");
    assert!(history.has(">was there<") && !history.has(">failed<"), "{history:?}");
}

#[test]
fn the_audit_log_tells_what_the_page_changed() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let page = browser.page("/repositories");
    assert_eq!(browser.submit(&page, "/repository", &[("to", "off")]).status, 303);
    let log = std::fs::read_to_string(on.host.state_dir().join("audit/audit.jsonl")).unwrap();
    let line = log.lines().find(|line| line.contains("RequestStateChange")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(r#""user":"olga""#) && line.contains(r#""scheme":"page""#), "{line}");
}

#[test]
fn what_is_not_possible_is_told_and_changes_nothing() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let package = browser.page(&page_of("broken-0:1.0-1.all"));
    let plan = browser.submit(&package, "/plan", &[("deed", "install")]);
    assert!(plan.has("It is not possible: broken needs packages") && plan.has("nowhere-to-be-found"), "{plan:?}");
    let begun = browser.submit(&plan, "/change", &[]);
    let job = ended(&mut browser, &begun);
    assert!(job.has(">Failed<") && job.has("nowhere-to-be-found"), "{job:?}");
    assert!(browser.page("/history").has(">failed<"));

    let start = browser.page("/");
    let begun = browser.submit(&start, "/install-from", &[("uri", "file:///no/such.deb")]);
    assert!(begun.status == 400 && begun.has("No job was begun: the file cannot be read"), "{begun:?}");
    let begun = browser.submit(&start, "/install-from", &[("uri", "ftp://host/such.deb")]);
    assert!(begun.status == 400 && begun.has("No job was begun: URI is neither"), "{begun:?}");
    for (path, status) in [
        ("/package?id=LMI%3ALMI_SoftwareIdentity%3Ano-0%3A1-1.all", 404),
        ("/package?id=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404),
        ("/package", 404),
        ("/job?id=%22%3E%3Cscript%3E", 404),
        ("/bulletins", 404),
        ("/bulletin?id=x", 404),
    ] {
        let page = browser.get(path);
        assert_eq!(page.status, status, "{path}: {page:?}");
        assert!(!page.has("<script>"), "{page:?}");
    }
    let token = browser.page("/").token();
    for (path, fields) in [
        ("/plan", vec![("deed", "install"), ("id", "nothing")]),
        ("/plan", vec![("deed", "destroy"), ("id", "nothing")]),
        ("/job/cancel", vec![("id", "nothing")]),
        ("/repository", vec![("name", "nothing"), ("to", "on")]),
        ("/subscription/end", vec![("id", "nothing")]),
        ("/bulletins/scan", vec![]),
        ("/install-from", vec![("uri", "")]),
        ("/updates", vec![("id", "nothing")]),
    ] {
        let fields: Vec<_> = fields.into_iter().chain([("token", token.as_str())]).collect();
        let page = browser.post(path, &fields);
        assert!(matches!(page.status, 400 | 404), "{path}: {page:?}");
    }
}

#[test]
fn a_file_is_installed_by_its_address() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let file = Deb::new("delta", "1.0-1").build(&on.root.scratch());
    let start = browser.page("/");
    let begun = browser.submit(&start, "/install-from", &[("uri", &format!("file://{}", file.display()))]);
    let job = ended(&mut browser, &begun);
    assert!(job.has(">Done<") && job.has("delta.deb") || job.has("delta_1.0-1_all.deb"), "{job:?}");
    assert!(browser.page("/software?q=delta").has("1 package<"));
}

#[test]
fn jobs_are_watched_and_cancelled_by_whoever_may() {
    let slow = Deb::new("slow", "1.0-1").script("postinst", &format!("#!/bin/sh\n{}\n", Gate::in_shell()));
    let on = DebianHost::with(&[slow]);
    let gate = Gate::new(&on.root.path());
    let reached = gate.reached();
    let mut browser = on.browser(OPERATOR);
    let begin = |browser: &mut Browser, nevra: &str| {
        let package = browser.page(&page_of(nevra));
        let plan = browser.submit(&package, "/plan", &[("deed", "install")]);
        browser.submit(&plan, "/change", &[])
    };
    let first = begin(&mut browser, "slow-0:1.0-1.all");
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    let second = begin(&mut browser, "gamma-0:1.0-1.all");
    let address = second.header("location").unwrap();
    let page = browser.page(address);
    assert!(page.has(">Waiting<") && page.has("<progress") && page.form("/job/cancel").is_some(), "{page:?}");

    // Others see it and have no button; whoever sends the form all the same is refused.
    let mut viewer = on.browser(VIEWER);
    let seen = viewer.page(address);
    assert!(seen.has(">Waiting<") && seen.form("/job/cancel").is_none(), "{seen:?}");
    let id = page.hidden("/job/cancel").into_iter().find(|(name, _)| name == "id").unwrap().1;
    let refused = viewer.post("/job/cancel", &[("token", &seen.token()), ("id", &id)]);
    assert!(refused.status == 403 && refused.has("needs the role operator"), "{refused:?}");
    on.host.add_user("otto", "another operator", "operator");
    let mut other = on.browser(("otto", "another operator"));
    let seen = other.page(address);
    assert!(seen.form("/job/cancel").is_none());
    assert_eq!(other.post("/job/cancel", &[("token", &seen.token()), ("id", &id)]).status, 403);

    let cancelled = browser.submit(&page, "/job/cancel", &[]);
    assert_eq!((cancelled.status, cancelled.header("location")), (303, Some(address)), "{cancelled:?}");
    assert!(browser.page(address).has(">Cancelled<"));
    let again = browser.submit(&page, "/job/cancel", &[]);
    assert!(again.status == 400 && again.has("was not cancelled"), "{again:?}");
    waiting.go_on();
    assert!(ended(&mut browser, &first).has(">Done<"));
}

#[test]
fn a_viewer_has_no_forms_and_is_refused() {
    let on = DebianHost::new();
    let mut viewer = on.browser(VIEWER);
    let pages = ["/", "/software", "/available", "/updates", "/jobs", "/repositories", "/history"];
    for path in pages.iter().copied().chain([page_of("alpha-0:2.0-1.all").as_str()]) {
        let page = viewer.page(path);
        let forms: Vec<&str> = page.body.split("method=\"post\" action=\"").skip(1).collect();
        assert_eq!(forms.len(), 1, "{path} has more forms than the log-out: {page:?}");
    }
    let token = viewer.page("/").token();
    let id = id_of("alpha-0:2.0-1.all");
    for (path, fields) in [
        ("/plan", vec![("deed", "update"), ("id", id.as_str())]),
        ("/change", vec![("deed", "update"), ("id", id.as_str())]),
        ("/verify", vec![("id", id.as_str())]),
        ("/updates", vec![("id", id.as_str())]),
        ("/install-from", vec![("uri", "file:///x.deb")]),
        ("/repositories/refresh", vec![]),
    ] {
        let fields: Vec<_> = fields.into_iter().chain([("token", token.as_str())]).collect();
        let page = viewer.post(path, &fields);
        assert!(page.status == 403 && page.has("needs the role operator"), "{path}: {page:?}");
    }
    // Without the token of the session even who may is refused.
    let mut operator = on.browser(OPERATOR);
    for path in ["/plan", "/change", "/verify", "/updates", "/install-from", "/repositories/refresh", "/job/cancel"] {
        let page = operator.post(path, &[("deed", "update"), ("id", &id), ("uri", "file:///x.deb"), ("token", &token)]);
        assert!(page.status == 403 && page.has("Nothing was changed"), "{path}: {page:?}");
        assert_eq!(Browser::new(&on.server).post(path, &[("token", &token)]).header("location"), Some("/login"));
    }
    assert!(operator.page("/jobs").has("Nothing is at work"));
}
