//! What repositories offer: 100,000 packages, read when somebody first asks, searched, enumerated and given up.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use quartermaster::software::{self, EngineChoice};

use super::enumeration::Enumeration;
use super::figure::{Figure, Limit, median, quantile};
use super::load::{Connection, elapsed_ms, post};
use super::process::memory;
use super::support::packages::{DebRoot, RpmRoot};
use super::support::server::{Host, PATIENCE, Server};
use super::support::wsman::{CIM, Client, Message, descendants, property};
use super::{PACKAGES, root};

const OFFERED: usize = 100_000;
const SEARCHES: usize = 31;
const REFRESHES: usize = 15;

pub(crate) fn figures() {
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    root::offer(&root, OFFERED);
    Figure::new("installed inventory of 2,000 read again, median", "ms", Limit::AtMost(150.0)).report(refresh(&root));
    let settings = "[jobs]\ncatalog_idle_seconds = 1\n";
    let host = Host::new(&root.path(), "deb").with_settings(settings);
    let server = host.serve();
    let before = memory(&server);
    println!("  memory before: {before:.1} MB");
    let (load, beside) = first_use(&server);
    Figure::new("100,000 offered packages, read on first use", "s", Limit::AtMost(3.0)).report(load);
    Figure::new("Get beside the reading, 99 of 100 within", "ms", Limit::AtMost(5.0)).report(beside);
    Figure::new("memory while they are loaded", "MB", Limit::AtMost(150.0)).report(memory(&server));
    let mut client = server.admin();
    Figure::new("FindIdentity by a part of the name, median", "ms", Limit::AtMost(5.0)).report(search(&mut client));
    Figure::new("a query over installed and offered, median", "ms", Limit::AtMost(500.0)).report(query(&mut client));
    enumerations(&server);
    Figure::new("memory after they were given up", "MB", Limit::AtMost(30.0)).report(given_up(&server));
    Figure::new("100,000 packages of an RPM repository, read", "s", Limit::AtMost(3.0)).report(rpms());
}

/// The time to read the list of an RPM repository, in seconds.
fn rpms() -> f64 {
    let root = RpmRoot::new();
    root::offer_rpms(&root, OFFERED);
    let manager = software::open(EngineChoice::Rpm, &root.path()).unwrap().unwrap();
    let start = Instant::now();
    assert_eq!(manager.catalog().unwrap().len(), OFFERED);
    elapsed_ms(start) / 1000.0
}

/// From a change of the database to the new snapshot, in milliseconds.
fn refresh(root: &DebRoot) -> f64 {
    let manager = software::open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
    let status = root.path().join("var/lib/dpkg/status");
    let text = fs::read_to_string(&status).unwrap();
    let times = (0..REFRESHES).map(|i| {
        let changed = text.replacen("Version: 0.", &format!("Version: 7{i}."), 1);
        let new = status.with_extension("new");
        fs::write(&new, changed).unwrap();
        fs::rename(&new, &status).unwrap();
        let start = Instant::now();
        assert!(manager.refresh().unwrap());
        elapsed_ms(start)
    });
    let times = times.collect();
    fs::write(&status, text).unwrap();
    median(times)
}

/// The time of the first search in seconds, and within which time 99 of 100 Gets are answered meanwhile, in milliseconds.
fn first_use(server: &Server) -> (f64, f64) {
    let authorization = server.admin().authorization().to_owned();
    let class = format!("{CIM}/CIM_SoftwareIdentity");
    let requests: Vec<_> = root::identities(64)
        .map(|id| post(&authorization, &Message::get(&class).selector("InstanceID", id).envelope()))
        .collect();
    let (search, port) = (post(&authorization, &find(&mut server.admin()).envelope()), server.port);
    thread::scope(|scope| {
        let searching = scope.spawn(move || {
            let mut connection = Connection::open(port);
            let start = Instant::now();
            connection.exchange(&search);
            elapsed_ms(start) / 1000.0
        });
        let mut connection = Connection::open(server.port);
        let mut times = Vec::new();
        while !searching.is_finished() || times.is_empty() {
            let start = Instant::now();
            connection.exchange(&requests[times.len() % requests.len()]);
            times.push(elapsed_ms(start));
        }
        println!("  {} Gets meanwhile, the median {:.3} ms", times.len(), quantile(&times, 0.5));
        (searching.join().unwrap(), quantile(&times, 0.99))
    })
}

/// A call of FindIdentity by a part of a name.
fn find(client: &mut Client) -> Message {
    let class = format!("{CIM}/CIM_SoftwareInstallationService");
    let found = client.ask(&Message::enumerate(&class, "<w:OptimizeEnumeration/><w:MaxElements>1</w:MaxElements>"));
    let service = descendants(&found, "LMI_SoftwareInstallationService")[0];
    let mut request = Message::invoke(&class, "FindIdentity", &[("Name", "library-runtime4")]);
    for key in ["CreationClassName", "Name", "SystemCreationClassName", "SystemName"] {
        request = request.selector(key, property(service, key).unwrap());
    }
    request
}

fn search(client: &mut Client) -> f64 {
    let request = find(client).envelope();
    println!("  {} hits", client.post(&request).body.matches("LMI:LMI_SoftwareIdentity:").count());
    let times = (0..SEARCHES).map(|_| {
        let start = Instant::now();
        assert_eq!(client.post(&request).status, 200);
        elapsed_ms(start)
    });
    median(times.collect())
}

/// The last packages must not take longer than the first.
fn enumerations(server: &Server) {
    let enumeration = Enumeration::new(server, 1000);
    let start = Instant::now();
    let count = enumeration.count();
    println!("  {count} installed and offered packages enumerated in {:.0} ms, 1,000 a page", elapsed_ms(start));
    assert_eq!(count, PACKAGES + OFFERED);
    let pages = enumeration.page_times();
    let half = pages.len() / 2;
    let (first, second) = (median(pages[1..half].to_vec()), median(pages[half..pages.len() - 1].to_vec()));
    Figure::new("a page of the second half to one of the first", "x", Limit::AtMost(1.2)).report(second / first);
    Figure::new("memory after all were enumerated", "MB", Limit::AtMost(150.0)).report(memory(server));
}

/// One package of all by a query, which looks at every one.
fn query(client: &mut Client) -> f64 {
    let name = root::identities(1).next().expect("a package");
    let options = format!(
        "<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements>\
         <w:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT * FROM CIM_SoftwareIdentity \
         WHERE InstanceID = '{name}'</w:Filter>"
    );
    let request = Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), &options).envelope();
    let times = (0..SEARCHES).map(|_| {
        let start = Instant::now();
        assert_eq!(client.post(&request).status, 200);
        elapsed_ms(start)
    });
    median(times.collect())
}

fn given_up(server: &Server) -> f64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = memory(server);
        if now <= 30.0 || Instant::now() >= deadline {
            return now;
        }
        thread::park_timeout(Duration::from_millis(200));
    }
}
