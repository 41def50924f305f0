//! Metadata packages, and the descriptors and profiles in them: what is taken keeps inside and is read back as the same.
//! An input is a ZIP; or a text from which one is made, each file of it behind a line `--- <its name>`.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use quartermaster::software::vib::{Descriptor, ImageProfile, Metadata};
use zip::CompressionMethod::Stored;
use zip::write::{SimpleFileOptions, ZipWriter};

fuzz_target!(|octets: &[u8]| {
    match str::from_utf8(octets) {
        Ok(text) if text.starts_with("--- ") => {
            let Some(package) = package(text) else { return };
            survives(&package);
        }
        _ => survives(octets),
    }
});

/// A package of these files; `None` if two have one name.
fn package(text: &str) -> Option<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for piece in text.strip_prefix("--- ")?.split("\n--- ") {
        let (name, content) = piece.split_once('\n')?;
        if let Ok(descriptor) = Descriptor::from_xml(content) {
            assert_eq!(Descriptor::from_xml(&descriptor.to_xml()), Ok(descriptor));
        }
        zip.start_file(name, SimpleFileOptions::default().compression_method(Stored)).ok()?;
        zip.write_all(content.as_bytes()).ok()?;
    }
    Some(zip.finish().ok()?.into_inner())
}

fn survives(package: &[u8]) {
    let Ok(metadata) = Metadata::read(Cursor::new(package)) else { return };
    assert!(metadata.bulletins.is_sorted_by(|one, next| one.id < next.id), "one bulletin of each id");
    for (id, vib) in &metadata.vibs {
        assert_eq!(*id, vib.descriptor.id());
        assert!(vib.relative_path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", vib.relative_path);
        if vib.is_complete {
            assert_eq!(Descriptor::from_xml(&vib.descriptor.to_xml()).as_ref(), Ok(&*vib.descriptor));
        }
    }
    for profile in &metadata.profiles {
        assert_eq!(ImageProfile::from_xml(&profile.to_xml()).as_ref(), Ok(profile));
    }
}
