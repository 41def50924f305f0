//! Repositories, subscriptions, bulletins, images.

use crate::browser::Browser;
use crate::hosts::{DebianHost, HOSTILE, OPERATOR, VIEWER, page_of};
use crate::support::dnf::{advisories, advisory, publish};
use crate::support::eventually;
use crate::support::packages::{RpmRoot, build_rpm};
use crate::support::server::{Host, PATIENCE};
use crate::support::sink::{Reply, Sink};
use crate::support::wsman::Message;

#[test]
fn repositories_are_switched_and_fetched_anew() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let page = browser.page("/repositories");
    assert!(page.has(">on<") && page.has("value=\"off\""), "{page:?}");
    let switched = browser.submit(&page, "/repository", &[("to", "off")]);
    assert_eq!((switched.status, switched.header("location")), (303, Some("/repositories")), "{switched:?}");
    let page = browser.page("/repositories");
    assert!(page.has(">off<") && page.has("value=\"on\""), "{page:?}");
    assert!(browser.page("/available?q=beta").has("No packages"));
    assert_eq!(browser.submit(&page, "/repository", &[("to", "on")]).status, 303);
    let begun = browser.submit(&page, "/repositories/refresh", &[]);
    let address = begun.header("location").unwrap().to_owned();
    eventually("the refresh", PATIENCE, || browser.page(&address).has(">Done<").then_some(()));
    assert!(browser.page("/available?q=beta").has("1 package<"));
}

#[test]
fn subscriptions_are_shown_with_their_queues_and_ended() {
    let on = DebianHost::new();
    let sink = Sink::new();
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    on.server.admin().ask(&Message::subscribe(&sink.url("/a"), query));
    assert!(on.browser(VIEWER).page("/subscriptions").has("You have no subscriptions."));
    let mut browser = Browser::of_admin(&on.server);
    let page = browser.page("/subscriptions");
    assert!(page.has(query) && page.has(&sink.url("/a")) && page.has("up to date"), "{page:?}");
    assert_eq!(browser.submit(&page, "/subscription/end", &[]).status, 303);
    assert!(browser.page("/subscriptions").has("Nobody is told of events"));
}

#[test]
fn a_sink_that_fails_is_told_with_its_reason() {
    let on = DebianHost::new();
    let sink = Sink::answering(|_, _| Reply::status("503 Service Unavailable"));
    let query = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob";
    on.server.client(OPERATOR.0, OPERATOR.1).ask(&Message::subscribe(&sink.url("/a"), query));
    let mut browser = on.browser(OPERATOR);
    let page = browser.page("/repositories");
    browser.submit(&page, "/repositories/refresh", &[]);
    let page = eventually("the failure", PATIENCE, || {
        let page = browser.page("/subscriptions");
        page.has(">not delivered<").then_some(page)
    });
    assert!(page.has("the sink answered HTTP status 503") && page.has("1 of them not delivered"), "{page:?}");
    assert!(!page.has("<th scope=\"col\" role=\"columnheader\">Of</th>"), "{page:?}");
    assert!(browser.page("/").has("A subscription is not delivered now."));
    // Who may not see it is not told that there is one; who sees all is told whose it is.
    assert!(!on.browser(VIEWER).page("/").has("not delivered"));
    let page = Browser::of_admin(&on.server).page("/subscriptions");
    assert!(page.has(">Of</th>") && page.has(">olga</td>"), "{page:?}");
}

#[test]
fn nothing_that_a_packager_writes_is_more_than_text() {
    let on = DebianHost::new();
    let mut browser = on.browser(OPERATOR);
    let written = HOSTILE.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;");
    for path in ["/software", "/available", "/updates", &page_of("alpha-0:2.0-1.all"), &page_of("alpha-0:1.0-1.all")] {
        let page = browser.page(path);
        assert!(page.has(&written), "{path}: {page:?}");
        assert!(!page.has("<script>") && !page.has("<img"), "{path}: {page:?}");
    }
}

#[test]
fn an_rpm_host_shows_the_advisories_that_it_lacks() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let [old, new] = ["1.0", "2.0"].map(|version| build_rpm(&dir, "delta", version, "1", &[]));
    root.install_by_hand(&old);
    let security = advisory("T-2024:1", "security", "Important", Some("CVE-2024-1"), &[("delta", "2.0", "1")]);
    publish(&root, &[new], "", &advisories(&[security]));
    let host = Host::new(&root.path(), "rpm").with_settings("[auth]\nhash_mebibytes = 1\n");
    let server = host.serve();
    let mut browser = Browser::of_admin(&server);
    let page = browser.page("/bulletins");
    assert!(page.has("not yet compared") && page.has("href=\"/bulletins\" aria-current=\"page\""), "{page:?}");
    let begun = browser.submit(&page, "/bulletins/scan", &[]);
    let address = begun.header("location").unwrap().to_owned();
    eventually("the scan", PATIENCE, || browser.page(&address).has(">Done<").then_some(()));
    let page = browser.page("/bulletins");
    assert!(page.has("T-2024:1") && page.has(">important<") && page.has(">missing<"), "{page:?}");
    let bulletin = browser.page("/bulletin?system=packages&id=T-2024%3A1");
    assert!(bulletin.has("CVE-2024-1") && bulletin.has("delta 1.0-1 (noarch)"), "{bulletin:?}");
    let start = browser.page("/");
    assert!(start.has("1</a> bulletin is missing") && start.has(">1 important<"), "{start:?}");
    let updates = browser.page("/updates");
    assert!(
        updates.has("delta-0:2.0-1.noarch") && updates.has(">important<") && updates.has("T-2024:1</a>"),
        "{updates:?}"
    );
    let package = browser.page("/package?id=LMI%3ALMI_SoftwareIdentity%3Adelta-0%3A2.0-1.noarch");
    assert!(package.has("value=\"update\""), "{package:?}");
}
