//! The figures that the server is to reach, one line each: name, measured, target, ok or missed.
//!
//! Everything runs on this machine and shares its processors: the server, the load and nginx, which the reading of many
//! instances is compared with. Nothing here fails because something is slow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that measures ends where it cannot measure, and says why"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod audit;
mod catalog;
mod client;
mod crowd;
mod enumeration;
mod eventing;
mod figure;
mod flood;
mod get;
mod image;
mod inside;
mod load;
mod nginx;
mod page;
mod process;
mod root;
mod scan;
mod sink;
mod verify;

use figure::{Figure, Limit};
use support::packages::DebRoot;
use support::server::Host;

/// How many packages the measured host has.
const PACKAGES: usize = 2000;

/// How many packages are searched.
const SEARCHED: usize = 10_000;

/// `cargo bench --bench figures -- inside` leaves out what needs a server; `-- catalog` measures what repositories offer, and verification;
/// `-- eventing` measures subscriptions, `-- image` images, `-- client` the client, `-- page` the page,
/// `-- flood` a good client beside those who only take.
fn main() {
    if image::install_if_asked() || flood::flood_if_asked() {
        return;
    }
    let only = |part: &str| std::env::args().any(|argument| argument == part);
    if only("catalog") {
        catalog::figures();
        return verify::figures();
    }
    if only("flood") {
        return flood::figures();
    }
    if only("eventing") {
        return eventing::figures();
    }
    if only("client") {
        return client::figures();
    }
    if only("page") {
        return page::figures();
    }
    if only("image") {
        return image::figures();
    }
    inside();
    if !only("inside") {
        over_the_wire();
        flood::figures();
        catalog::figures();
        verify::figures();
        eventing::figures();
        image::figures();
        client::figures();
        page::figures();
    }
}

/// What the service costs without a transport.
fn inside() {
    let inside = inside::Inside::new(SEARCHED);
    Figure::new("Get, decoded, dispatched and answered, median", "µs", Limit::AtMost(20.0)).report(inside.request());
    Figure::new("instances of 40 properties written", "instances/s", Limit::AtLeast(400_000.0))
        .report(inside::written());
    Figure::new("a CQL filter over 10,000 instances", "ms", Limit::AtMost(10.0)).report(inside.search());
    let (alone, together) = audit::written();
    Figure::new("a line of the audit log on disk, median", "ms", Limit::AtMost(10.0)).report(alone);
    Figure::new("lines of the audit log, 16 threads", "lines/s", Limit::AtLeast(1000.0)).report(together);
}

fn over_the_wire() {
    let root = DebRoot::new();
    root::fill(&root, PACKAGES);
    let settings = "[jobs]\ntime_before_removal_seconds = 3600\n[limits]\nenumeration_contexts_per_user = 1000\n";
    let host = Host::new(&root.path(), "deb").with_settings(settings);

    // The first start makes the certificate and fills the store; what is measured are the later ones.
    host.serve().stop();
    Figure::new("ready after a later start", "ms", Limit::AtMost(150.0)).report(process::ready(&host));

    let server = host.serve();
    enumeration::check_count(&server, PACKAGES);
    let worker = process::workers_memory(&host);
    Figure::new("memory, idle after the start", "MB", Limit::AtMost(25.0)).report(process::memory(&server) + worker);

    let mut get = get::Get::new(&server);
    Figure::new("Get, 1 connection, median", "ms", Limit::AtMost(0.3)).report(get.median());
    Figure::new("Get, 64 connections", "requests/s", Limit::AtLeast(25_000.0)).report(get.throughput());

    let at_256 = enumeration::Enumeration::new(&server, 256);
    match nginx::Nginx::start(&host, &server, &at_256.pages()) {
        Some(nginx) => {
            let ratio = enumeration::compare(&at_256, &nginx);
            Figure::new("2,000 instances at 256 a page, ratio to nginx", "x", Limit::AtMost(2.0)).report(ratio);
        }
        None => println!("nginx is missing: no comparison"),
    }
    let at_20 = enumeration::Enumeration::new(&server, 20);
    Figure::new("2,000 instances at 20 a page", "ms", Limit::AtMost(60.0)).report(at_20.median());

    Figure::new("memory, idle after the load", "MB", Limit::AtMost(25.0)).report(process::memory(&server) + worker);
    Figure::new("job change at the sink, median", "ms", Limit::AtMost(5.0)).report(sink::delay(&root, &server));
    Figure::new("memory of 1,000 open enumerations", "MB", Limit::AtMost(10.0)).report(crowd::contexts(&server));
    let beside = crowd::get_beside_a_large_enumeration();
    Figure::new("Get beside a pull of 100,000, 99 of 100 within", "ms", Limit::AtMost(5.0)).report(beside);
    println!("  memory of the worker while it has work: {:.1} MB", process::workers_memory(&host));
}
