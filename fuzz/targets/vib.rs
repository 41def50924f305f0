//! VIBs: whatever is read is read the same again, piece by piece too, and nobody vouches for it who is not trusted.
#![no_main]

use std::io::Read;
use std::sync::Arc;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use quartermaster::software::vib::{
    AcceptanceLevel, CopyError, Descriptor, ImageError, SignatureVerdict, TrustStore, VibLimits, VibReader, VibSum,
};

const LIMITS: VibLimits =
    VibLimits { signature: 8_000, payloads: 8, unpacked: 200_000, unpacked_in_all: 300_000, entries: 64 };

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets);
    assert_eq!(read(Slowly(octets)), whole);
    let Ok(reader) = VibReader::open_with(octets, LIMITS) else { return };
    let descriptor = Arc::clone(reader.descriptor());
    assert_eq!(Descriptor::from_xml(&descriptor.to_xml()).as_ref(), Ok(&*descriptor));
    let level = AcceptanceLevel::Partner;
    let verdict =
        TrustStore::default().judge(reader.descriptor_octets(), reader.signature(), level, DateTime::UNIX_EPOCH);
    assert_ne!(verdict, SignatureVerdict::Valid);
    if let Ok((payloads, sum)) = whole {
        assert_eq!(reader.finish(), Ok(sum.clone()));
        assert_eq!(payloads.len(), descriptor.payloads.len());
        assert_eq!(sum.size, octets.len() as u64);
    }
});

/// The payloads in the order of the file.
fn read(input: impl Read) -> Result<(Vec<Vec<u8>>, VibSum), ImageError> {
    let mut reader = VibReader::open_with(input, LIMITS)?;
    let mut payloads = Vec::new();
    while let Some(payload) = reader.next_payload()? {
        let size = payload.size;
        let mut content = Vec::new();
        match reader.copy_payload(&mut content) {
            Ok(()) => assert_eq!(content.len() as u64, size),
            Err(CopyError::Vib(error)) => return Err(error),
            Err(CopyError::Write(error)) => panic!("{error}"),
        }
        payloads.push(content);
    }
    Ok((payloads, reader.finish()?))
}

/// Gives seven octets at a time.
struct Slowly<'a>(&'a [u8]);

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(7);
        self.0.read(&mut buffer[..most])
    }
}
