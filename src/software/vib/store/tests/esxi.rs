//! A host in the layout of ESXi, which Quartermaster did not make, and its start.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::*;
use super::fixture::vib;
use crate::software::vib::building::Vib;

/// The folders of the two banks; their names are those of VFAT volumes.
pub(in super::super) const BANKS: [&str; 2] =
    ["vmfs/volumes/1b9c7d2e-a0b1c2d3-e4f5-0123456789ab", "vmfs/volumes/2e8f6a1d-0f1e2d3c-4b5a-ba9876543210"];

/// Where a host keeps its configuration, and what its start is told: files of a bank that are no payloads.
pub(in super::super) const OWN_FILES: [&str; 3] = ["jumpstrt.gz", "useropts.gz", "state.tgz"];

/// The version that is installed.
pub(in super::super) const INSTALLED: &str = "5.5.0-1.15.1623387";

/// Makes the files of a host on which ESXi was just installed: one bank with an image, one that is empty.
pub(in super::super) fn install(folder: &Path) {
    let [first, second] = BANKS.map(|bank| folder.join(bank));
    [&first, &second].into_iter().for_each(|bank| fs::create_dir_all(bank).unwrap());
    symlink(BANKS[0], folder.join("bootbank")).unwrap();
    symlink(BANKS[1], folder.join("altbootbank")).unwrap();
    fs::write(first.join("imgdb.tgz"), database(&[])).unwrap();
    for (vib, files) in vibs().iter().zip(FILES) {
        for (payload, file) in vib.payloads.iter().zip(files) {
            fs::write(first.join(file), &payload.stored).unwrap();
        }
    }
    OWN_FILES.iter().for_each(|file| fs::write(first.join(file), format!("{file} of the host")).unwrap());
    let modules = "jumpstrt.gz --- useropts.gz --- net.b00 --- s.v00 --- net-e1.v00 --- imgdb.tgz --- state.tgz";
    let config = format!(
        "bootstate=0\ntitle=Loading VMware ESXi\ntimeout=5\nprefix=\nkernel=b.b00\n\
         kernelopt=installerDiskDumpSlotSize=2560 no-auto-partition\nmodules={modules}\nbuild=5.5.0-1623387\nupdated=1\n"
    );
    fs::write(first.join("boot.cfg"), config).unwrap();
    let empty = "bootstate=3\ntitle=Loading VMware ESXi\nprefix=\nkernel=\nkernelopt=\nmodules=\nbuild=\nupdated=0\n";
    fs::write(second.join("boot.cfg"), empty).unwrap();
}

/// The files of the payloads of both VIBs.
const FILES: [[&str; 2]; 2] = [["b.b00", "s.v00"], ["net.b00", "net-e1.v00"]];

fn vibs() -> [Vib; 2] {
    [vib("esx-base", INSTALLED, false), vib("net-e1000", "8.0.3-2", true)]
}

/// The database of the image as ESXi writes it, with more files.
pub(in super::super) fn database(others: &[&str]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut add = |path: &str, content: &str| {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    };
    let listed = |(vib, files): (&Vib, [&str; 2])| {
        let payloads = vib.payloads.iter().zip(files);
        let payloads = payloads
            .map(|(payload, file)| format!("<payload payload-name=\"{}\" vfat-name=\"{file}\"/>", payload.name));
        format!("<vib><vib-id>{}</vib-id><payloads>{}</payloads></vib>", vib.id(), payloads.collect::<String>())
    };
    let list: String = vibs().iter().zip(FILES).map(listed).collect();
    let profile = format!(
        "<imageprofile><name>ESXi-5.5.0-20140302001-standard</name><creator>VMware, Inc.</creator>\
         <creationtime>2014-02-26T21:40:35.315503+00:00</creationtime><profileID>5f2d4f5e</profileID><readonly>false</readonly>\
         <viblist>{list}</viblist><acceptancelevel>community</acceptancelevel></imageprofile>"
    );
    add("var/db/esximg/profiles/ESXi-5.5.0-20140302001-standard1623387", &profile);
    for vib in vibs() {
        add(&format!("var/db/esximg/vibs/{}--4071423571896410723.xml", vib.name), &vib.descriptor());
    }
    others.iter().for_each(|path| add(path, "<other/>"));
    archive.into_inner().unwrap().finish().unwrap()
}

/// Starts the host as its boot loader and its own start do: of the banks that may be booted the one with the greatest number,
/// for the first time only once unless the start gets to its end, which has the links lead to it.
pub(in super::super) fn start(folder: &Path) {
    let banks = BANKS.map(|bank| folder.join(bank));
    let mut chosen: Option<(u32, PathBuf)> = None;
    for bank in &banks {
        match key(bank, "bootstate").as_str() {
            "1" => set_state(bank, 2),
            "2" => set_state(bank, 3),
            _ => {}
        }
        let updated = key(bank, "updated").parse().unwrap();
        let is_valid = ["0", "2"].contains(&&*key(bank, "bootstate")) && updated > 0 && !key(bank, "build").is_empty();
        if is_valid && chosen.as_ref().is_none_or(|(other, _)| updated > *other) {
            chosen = Some((updated, bank.clone()));
        }
    }
    let (_, chosen) = chosen.expect("a bank can be booted");
    loaded(&chosen);
    let other = banks.iter().find(|bank| **bank != chosen).unwrap();
    for (link, bank) in [("bootbank", &chosen), ("altbootbank", other)] {
        fs::remove_file(folder.join(link)).unwrap();
        symlink(bank.strip_prefix(folder).unwrap(), folder.join(link)).unwrap();
    }
    set_state(&chosen, 0);
}

/// What a boot loader loads of a bank.
pub(in super::super) fn loaded(bank: &Path) -> Vec<String> {
    let modules = key(bank, "modules");
    let files: Vec<_> = [key(bank, "kernel")].into_iter().chain(modules.split(" --- ").map(str::to_owned)).collect();
    files.iter().for_each(|file| assert!(bank.join(file).is_file(), "{file}"));
    files
}

/// What a bank's boot.cfg says.
pub(in super::super) fn key(bank: &Path, key: &str) -> String {
    let text = fs::read_to_string(bank.join("boot.cfg")).unwrap();
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default().to_owned()
}

/// Writes one digit in the first 512 octets, as the boot loader does.
pub(in super::super) fn set_state(bank: &Path, state: u8) {
    let file = bank.join("boot.cfg");
    let text = fs::read_to_string(&file).unwrap();
    let at = text[..text.len().min(512)].find("bootstate=").unwrap() + "bootstate=".len();
    let changed = format!("{}{state}{}", &text[..at], &text[at + 1..]);
    fs::remove_file(&file).unwrap();
    fs::write(&file, changed).unwrap();
}

/// The bank that a link leads to.
pub(in super::super) fn bank(folder: &Path, link: &str) -> PathBuf {
    folder.join(fs::read_link(folder.join(link)).unwrap())
}

/// Opens the store.
pub(in super::super) fn open(folder: &Path) -> ImageStore {
    ImageStore::open(folder, super::settings()).unwrap()
}
