//! The verification of an installed package, beside the system's own reading of the same files.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use openssl::hash::{Hasher, MessageDigest};
use quartermaster::software::{self, CancelToken, EngineChoice, Nevra, Operation, Phase, Progress};

use super::figure::{Figure, Limit, median};
use super::load::elapsed_ms;
use super::support::packages::DebRoot;

const FILES: usize = 64;
const OCTETS: usize = 4 << 20;
const ROUNDS: usize = 7;

pub(crate) fn figures() {
    let root = DebRoot::new();
    let nevra = fill(&root);
    let manager = software::open(EngineChoice::Deb, &root.path()).unwrap().unwrap();
    let (mut ours, mut plain, mut steps) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let mut heard = Steps(0);
        let start = Instant::now();
        let operation = Operation::Verify { nevra: nevra.clone() };
        let outcome = manager.apply(&operation, &mut heard, &CancelToken::default()).unwrap();
        ours.push(elapsed_ms(start));
        assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
        steps = heard.0;
        let start = Instant::now();
        (0..FILES).for_each(|i| read(&root.path().join(path(i))));
        plain.push(elapsed_ms(start));
    }
    let (ours, plain) = (median(ours), median(plain));
    println!(
        "  {} MB verified in {ours:.0} ms, read and hashed alone in {plain:.0} ms, {steps} steps",
        FILES * OCTETS / 1_000_000
    );
    Figure::new("a verification to reading and hashing alone", "x", Limit::AtMost(1.2)).report(ours / plain);
}

/// Counts what is told of the progress.
struct Steps(usize);

impl Progress for Steps {
    fn started(&mut self, _: u32, _: u64) {}

    fn phase(&mut self, _: Phase, _: u8) {
        self.0 += 1;
    }

    fn note(&mut self, _: &str) {}
}

fn path(i: usize) -> String {
    format!("usr/share/large/{i}")
}

/// A package of 256 MB, as dpkg would have installed it.
fn fill(root: &DebRoot) -> Nevra {
    let database = root.path().join("var/lib/dpkg");
    let status =
        "Package: large\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: all\nDescription: large\n\n";
    fs::write(database.join("status"), status).unwrap();
    fs::create_dir_all(root.path().join("usr/share/large")).unwrap();
    let (mut list, mut sums) = ("/.\n/usr\n/usr/share\n/usr/share/large\n".to_owned(), String::new());
    for i in 0..FILES {
        let content: Vec<u8> =
            (0..OCTETS).map(|at| u8::try_from((at * 31 + i * 7 + at / 251) % 256).unwrap()).collect();
        fs::write(root.path().join(path(i)), &content).unwrap();
        let sum = openssl::hash::hash(MessageDigest::md5(), &content).unwrap();
        let sum: String = sum.iter().map(|octet| format!("{octet:02x}")).collect();
        list.push_str(&format!("/{}\n", path(i)));
        sums.push_str(&format!("{sum}  {}\n", path(i)));
    }
    fs::write(database.join("info/large.list"), list).unwrap();
    fs::write(database.join("info/large.md5sums"), sums).unwrap();
    Nevra::from_debian("large", "1.0-1", "all").unwrap()
}

fn read(file: &Path) {
    let (mut file, mut hasher) = (fs::File::open(file).unwrap(), Hasher::new(MessageDigest::md5()).unwrap());
    let mut buffer = vec![0; 1 << 19];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => break,
            n => hasher.update(&buffer[..n]).unwrap(),
        }
    }
    hasher.finish().unwrap();
}
