//! An image: the metadata of a large bundle, its installation beside what the system's tools take for the same octets, and the
//! scan for bulletins.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use quartermaster::clock::{Clock, SharedClock, SystemClock};
use quartermaster::software::vib::{
    AcceptanceLevel, Catalogue, HostSettings, ImageOperation, ImageSettings, ImageStore, Metadata, NewImage,
    TrustStore, scan,
};
use quartermaster::software::{CancelToken, Phase, Progress};

use super::figure::{Figure, Limit, median};
use super::load::elapsed_ms;
use super::support::vib::payload::filler;
use super::support::vib::release::depot;
use super::support::vib::{Bundle, Payload, Signers, Vib};

/// How many VIBs the bundle has, and how large each is before it is compressed, to about a half.
const VIBS: usize = 150;
const OCTETS: usize = 4 << 20;
const ROUNDS: usize = 5;
const BULLETINS: usize = 5000;
/// The argument of the process that installs and nothing else, so that its memory can be told.
const INSTALL: &str = "install-image";

pub(crate) fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let payloads = make_bundle(dir);
    let megabytes = fs::metadata(bundle(dir)).unwrap().len() / 1_000_000;
    println!("  a bundle of {megabytes} MB with {VIBS} VIBs");
    let store = store(&dir.join("judged"));
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let plan = store.plan(&operation(dir), &CancelToken::default()).unwrap();
        let time = elapsed_ms(start);
        assert_eq!(plan.outcome().installed.len(), VIBS);
        time
    });
    Figure::new("metadata of a large bundle read and judged", "ms", Limit::AtMost(300.0))
        .report(median(times.collect()));
    installation(dir, &payloads);
    scanning(dir);
}

/// Does what the arguments say if they are those of the process that installs.
pub(crate) fn install_if_asked() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(at) = arguments.iter().position(|argument| argument == INSTALL) else { return false };
    let (dir, image) = (PathBuf::from(&arguments[at + 1]), PathBuf::from(&arguments[at + 2]));
    let store = ImageStore::open(&image, settings()).unwrap();
    let start = Instant::now();
    let outcome = store.apply(&operation(&dir), &mut Unheard, &CancelToken::default()).unwrap();
    assert_eq!(outcome.installed.len(), VIBS);
    println!("{} {}", elapsed_ms(start), peak_megabytes());
    true
}

fn installation(dir: &Path, payloads: &[PathBuf]) {
    let (mut ours, mut theirs, mut peak) = (Vec::new(), Vec::new(), 0.0_f64);
    for round in 0..ROUNDS {
        let image = dir.join(format!("image-{round}"));
        store(&image);
        let child = Command::new(std::env::current_exe().unwrap())
            .args([INSTALL.as_ref(), dir.as_os_str(), image.as_os_str()])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let told = String::from_utf8(child.stdout).unwrap();
        let (time, memory) = told.trim().split_once(' ').unwrap();
        ours.push(time.parse().unwrap());
        peak = peak.max(memory.parse().unwrap());
        fs::remove_dir_all(&image).unwrap();
        theirs.push(with_tools(dir, payloads));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("  installed in {ours:.0} ms; unzip, sha256sum and gunzip | sha256sum take {theirs:.0} ms");
    Figure::new("an installation's speed to that of the tools", "x", Limit::AtLeast(0.5)).report(theirs / ours);
    Figure::new("memory of an installation, at its peak", "MB", Limit::AtMost(60.0)).report(peak);
}

/// What the system's tools take for the same octets, in milliseconds.
fn with_tools(dir: &Path, payloads: &[PathBuf]) -> f64 {
    let unzipped = dir.join("unzipped");
    let start = Instant::now();
    run(Command::new("unzip").arg("-q").arg(bundle(dir)).arg("-d").arg(&unzipped));
    run(Command::new("sha256sum").args(payloads).stdout(Stdio::null()));
    for payload in payloads {
        let mut gunzip = Command::new("gunzip")
            .stdin(File::open(payload).unwrap())
            .arg("--stdout")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        run(Command::new("sha256sum").stdin(gunzip.stdout.take().unwrap()).stdout(Stdio::null()));
        assert!(gunzip.wait().unwrap().success());
    }
    let time = elapsed_ms(start);
    fs::remove_dir_all(unzipped).unwrap();
    time
}

fn scanning(dir: &Path) {
    let package = dir.join("metadata.zip");
    fs::write(&package, super::support::vib::zipped(&depot(BULLETINS, VIBS, 64).metadata_files())).unwrap();
    let store = store(&dir.join("scanned"));
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        let metadata = Metadata::read(File::open(&package).unwrap()).unwrap();
        let mut catalogue = Catalogue::default();
        catalogue.add_metadata(&metadata).unwrap();
        let level = AcceptanceLevel::Certified;
        let result = scan(&store.snapshot(), &catalogue, level, SystemClock.now(), &CancelToken::default()).unwrap();
        let time = elapsed_ms(start);
        assert_eq!(result.bulletins.len(), BULLETINS);
        time
    });
    Figure::new("5,000 bulletins read and scanned", "ms", Limit::AtMost(1000.0)).report(median(times.collect()));
}

/// Writes the bundle, and each payload to a file of its own.
fn make_bundle(dir: &Path) -> Vec<PathBuf> {
    let mut payloads = Vec::new();
    let vibs = (0..VIBS).map(|number| {
        let (name, path) = (format!("vib-{number}"), format!("usr/lib/vmware/{number}"));
        let payload = Payload::vgz(&format!("v{number}"), &[(&path, &filler(OCTETS, number as u64))]);
        let file = dir.join(format!("payload-{number}"));
        fs::write(&file, &payload.stored).unwrap();
        payloads.push(file);
        Vib { payloads: vec![payload], ..Vib::new(&name, "1.0-1") }.at_level("certified")
    });
    Bundle::of(vibs.collect()).write(&bundle(dir));
    payloads
}

fn bundle(dir: &Path) -> PathBuf {
    dir.join("bundle.zip")
}

fn operation(dir: &Path) -> ImageOperation {
    ImageOperation::Install { bundles: vec![bundle(dir)], bulletins: None }
}

/// A store without VIBs that takes the bundle's.
fn store(folder: &Path) -> ImageStore {
    fs::write(roots(folder), Signers::shared().vmware_root.pem()).unwrap();
    let host = HostSettings { version: Some("5.5.0".into()), ..HostSettings::default() };
    ImageStore::create(folder, &NewImage { host, ..NewImage::default() }, trusting(&roots(folder))).unwrap()
}

fn roots(folder: &Path) -> PathBuf {
    folder.with_extension("pem")
}

fn settings() -> ImageSettings {
    // The signers of this process are not those of the bundle; its own file is.
    let image = PathBuf::from(std::env::args().next_back().unwrap());
    trusting(&roots(&image))
}

fn trusting(roots: &Path) -> ImageSettings {
    let clock: SharedClock = Arc::new(SystemClock);
    let trust = TrustStore::read(Some(roots), None, None).unwrap();
    ImageSettings { trust: Arc::new(trust), ..ImageSettings::new(clock) }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() as f64 * 1024.0 / 1e6
}

struct Unheard;

impl Progress for Unheard {
    fn started(&mut self, _: u32, _: u64) {}
    fn phase(&mut self, _: Phase, _: u8) {}
    fn note(&mut self, _: &str) {}
}
