//! Every page as a picture, to be looked at, made by `make gallery`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::browser::{Browser, Page};
use crate::hosts::{OPERATOR, VIEWER, page_of};
use crate::screenshots;
use crate::support::chromium::{Chromium, Looks};
use crate::support::dnf::{advisories, advisory, publish};
use crate::support::eventually;
use crate::support::image::ImageFolder;
use crate::support::packages::{RpmRoot, build_rpm};
use crate::support::server::{ADMIN, Host, PATIENCE, Server};
use crate::support::sink::{Reply, Sink};
use crate::support::vib::release::esxi_5_5_u1a;
use crate::support::wsman::Message;

const LOOKS: [(&str, Looks); 3] = [
    ("desktop", Looks { width: 1200, height: 900, dark: false }),
    ("dark", Looks { width: 1200, height: 900, dark: true }),
    ("phone", Looks { width: 375, height: 1400, dark: false }),
];

/// Takes pictures of pages in all looks.
struct Photographer(Chromium, PathBuf);

impl Photographer {
    fn new(server: &Server) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery");
        fs::create_dir_all(&folder).unwrap();
        Self(Chromium::new(server), folder)
    }

    fn page(&self, name: &str, path: &str) {
        self.0.go(path);
        self.shown(name);
    }

    fn shown(&self, name: &str) {
        for (look, looks) in LOOKS {
            self.0.look(looks);
            fs::write(self.1.join(format!("{name}-{look}.png")), self.0.picture()).unwrap();
        }
        self.0.look(LOOKS[0].1);
    }
}

fn ended(browser: &mut Browser, begun: &Page) -> String {
    let address = begun.header("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
    eventually("the job to end", PATIENCE, || {
        let page = browser.page(&address);
        ["Done", "Failed", "Cancelled"].iter().any(|state| page.has(&format!(">{state}<"))).then_some(())
    });
    address
}

#[test]
#[ignore = "makes pictures to be looked at"]
fn gallery_of_packages() {
    let (on, gate) = screenshots::host(2000);
    let reached = gate.reached();
    let photographer = Photographer::new(&on.server);
    photographer.page("login", "/login");
    photographer.0.write("#name", "olga");
    photographer.0.write("#password", "wrong");
    photographer.0.press("main form button");
    photographer.0.wait_for("the answer", |browser| !browser.text("#problem").is_empty());
    photographer.shown("login-wrong");
    photographer.0.log_in(OPERATOR);
    let mut browser = on.browser(OPERATOR);
    for (name, path) in [
        ("overview-quiet", "/"),
        ("installed", "/software"),
        ("installed-page-2", "/software?page=2"),
        ("installed-none", "/software?q=nothing-of-this"),
        ("available", "/available"),
        ("available-search", "/available?q=ssl"),
        ("updates", "/updates"),
        ("repositories", "/repositories"),
        ("jobs-none", "/jobs"),
        ("subscriptions-none", "/subscriptions"),
        ("package-installed", &page_of("openssl-0:3.0.15-1.amd64")),
        ("package-newer", &page_of("nginx-0:1.22.1-10.amd64")),
        ("package-needs", &format!("{}&show=needs", page_of("nginx-0:1.22.1-10.amd64"))),
        ("error-404", "/package?id=nothing"),
        ("error-404-path", "/nothing"),
    ] {
        photographer.page(name, path);
    }
    let sink = Sink::new();
    let dead = Sink::answering(|_, _| Reply::status("503 Service Unavailable"));
    let query = "SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob";
    let created = "SELECT * FROM LMI_SoftwareInstCreation WHERE SourceInstance ISA LMI_InstalledSoftwareIdentity";
    let mut client = on.server.client(OPERATOR.0, OPERATOR.1);
    client.ask(&Message::subscribe(&sink.url("/events"), query));
    client.ask(&Message::subscribe(&dead.url("/a/sink/that/is/down"), created));
    // Failed, done, running, waiting.
    let begin = |browser: &mut Browser, nevra: &str, deed: &str| {
        let package = browser.page(&page_of(nevra));
        let plan = browser.submit(&package, "/plan", &[("deed", deed)]);
        browser.submit(&plan, "/change", &[])
    };
    let begun = begin(&mut browser, "broken-0:1.0-1.amd64", "install");
    let failed = ended(&mut browser, &begun);
    let begun = begin(&mut browser, "curl-0:7.88.1-12.amd64", "update");
    let done = ended(&mut browser, &begun);
    let running = begin(&mut browser, "nginx-0:1.22.1-10.amd64", "update");
    let waiting = reached.recv_timeout(PATIENCE).unwrap();
    begin(&mut browser, "openssl-0:3.0.17-1.amd64", "update");
    photographer.page("job-failed", &failed);
    photographer.page("job-done", &done);
    photographer.page("job-running", running.header("location").unwrap());
    photographer.page("jobs", "/jobs");
    photographer.page("overview", "/");
    photographer.page("history", "/history");
    photographer.page("subscriptions", "/subscriptions");
    for (name, nevra, deed) in [
        ("plan-impossible", "broken-0:1.0-1.amd64", "install"),
        ("plan-update", "postgresql-15-0:15.13-0.amd64", "update"),
        ("plan-remove", "curl-0:7.88.1-12.amd64", "remove"),
    ] {
        photographer.0.go(&page_of(nevra));
        photographer.0.press(&format!("button[value={deed}]"));
        photographer.0.wait_for("the plan", |browser| browser.path() == "/plan");
        photographer.shown(name);
    }
    photographer.page("files", &format!("{}&show=files", page_of("curl-0:7.88.1-12.amd64")));
    waiting.go_on();
    // A form of a session that is not this one's.
    photographer.0.go("/");
    photographer.0.run("document.querySelector('[name=token]').value = 'x'; document.querySelector('.who').submit()");
    photographer.0.wait_for("the refusal", |browser| browser.path() == "/logout");
    photographer.shown("error-403-form");
    photographer.0.go("/");
    photographer.0.press(".who button");
    photographer.0.wait_for("the log-in", |browser| browser.path() == "/login");
    photographer.shown("logged-out");
    photographer.0.log_in(VIEWER);
    photographer.page("viewer-overview", "/");
    photographer.page("viewer-updates", "/updates");
    photographer.page("viewer-subscriptions", "/subscriptions");
    photographer.page("error-404-outside", "/nothing");
    on.host.run(&["user", "remove", "vera"]);
    photographer.page("expired", "/software");
}

#[test]
#[ignore = "makes pictures to be looked at"]
fn gallery_of_an_image() {
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
    let photographer = Photographer::new(&server);
    photographer.0.log_in(ADMIN);
    photographer.page("image-overview-first", "/");
    photographer.page("image-installed", "/software");
    photographer.page("image-bulletins-first", "/bulletins");
    let vib = "/package?id=VMware%3AVMware_ComponentSoftwareIdentity%3AVMware_bootbank_esx-base_5.5.0-1.15.1623387";
    photographer.page("image-vib", vib);
    let page = browser.page("/bulletins");
    let metadata = format!("file://{}", folder.path().join("depot/metadata.zip").display());
    let begun = browser.submit(&page, "/bulletins/scan", &[("metadata", &format!("{metadata}\r\n"))]);
    let scan = ended(&mut browser, &begun);
    photographer.page("image-job-scan", &scan);
    photographer.page("image-bulletins", "/bulletins");
    photographer.page("image-bulletins-all", "/bulletins?system=image&show=all");
    let page = browser.page("/bulletins?system=image");
    let id = page.body.split("name=\"bulletin\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    photographer.page("image-bulletin", &format!("/bulletin?system=image&id={id}"));
    photographer.page("image-overview-scanned", "/");
    let begun = browser.submit(&page, "/bulletins/deploy", &[("bulletin", &id)]);
    let deploy = ended(&mut browser, &begun);
    photographer.page("image-job-deploy", &deploy);
    photographer.page("image-overview-boot", "/");
    photographer.page("image-installed-boot", "/software");
    photographer.page("image-bulletins-boot", "/bulletins");
    photographer.page("image-roll-back", "/roll-back");
    photographer.page("image-history", "/history");
}

#[test]
#[ignore = "makes pictures to be looked at"]
fn gallery_of_advisories() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let names = ["delta", "kernel", "openssl-libs", "bash", "systemd"];
    let mut all = Vec::new();
    let mut updates = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let [old, new] = ["1.0", "2.0"].map(|version| build_rpm(&dir, name, version, "1", &[]));
        root.install_by_hand(&old);
        all.push(new);
        let severity = ["Critical", "Important", "Moderate", "Low", "None"][i];
        let kind = if i < 4 { "security" } else { "bugfix" };
        updates.push(advisory(
            &format!("RHSA-2024:10{i}"),
            kind,
            severity,
            Some("CVE-2024-1234"),
            &[(name, "2.0", "1")],
        ));
    }
    publish(&root, &all, "", &advisories(&updates));
    let host = Host::new(&root.path(), "rpm").with_settings("[auth]\nhash_mebibytes = 1\n");
    let server = host.serve();
    let mut browser = Browser::of_admin(&server);
    let photographer = Photographer::new(&server);
    photographer.0.log_in(ADMIN);
    let page = browser.page("/bulletins");
    photographer.page("rpm-bulletins-first", "/bulletins");
    let begun = browser.submit(&page, "/bulletins/scan", &[]);
    ended(&mut browser, &begun);
    photographer.page("rpm-bulletins", "/bulletins");
    photographer.page("rpm-bulletin", "/bulletin?system=packages&id=RHSA-2024%3A100");
    photographer.page("rpm-updates", "/updates");
    photographer.page("rpm-overview", "/");
    photographer.page("rpm-repositories", "/repositories");
}
