//! The payloads of a descriptor and their digests.

use crate::xml::{Element, ElementExt};

use super::super::descriptor::{Checksum, ChecksumAlgorithm, Checksummed, Payload};
use super::read::{Rule, attribute, is_name, not_empty, number};

/// How long the name of a payload or of its file may be.
const LONGEST_PAYLOAD_NAME: usize = 64;

/// The payloads of a list.
pub(super) fn payloads(list: Option<&Element>) -> Rule<Vec<Payload>> {
    let elements = list.into_iter().flat_map(|list| list.children_named("", "payload"));
    let payloads: Vec<Payload> = elements.map(payload).collect::<Rule<_>>()?;
    let mut names: Vec<&str> = payloads.iter().map(|payload| &*payload.name).collect();
    names.sort_unstable();
    match names.array_windows().find(|[first, second]| first == second) {
        Some([twice, _]) => Err(format!("Two payloads are called {twice}")),
        None => Ok(payloads),
    }
}

fn payload(element: &Element) -> Rule<Payload> {
    let name = payload_name(not_empty(element, "name")?)?;
    let checksums = element.children_named("", "checksum").filter_map(|element| checksum(element).transpose());
    let checksums = checksums.collect::<Rule<Vec<_>>>()?;
    // A signature covers the descriptor alone: by the digests it covers the payloads as they are stored.
    let covers = |sum: &Checksum| sum.algorithm == ChecksumAlgorithm::Sha256 && sum.of == Checksummed::Stored;
    if !checksums.iter().any(covers) {
        return Err(format!("Payload {name} has no checksum of type sha-256 of its stored octets"));
    }
    Ok(Payload {
        payload_type: not_empty(element, "type")?.into(),
        size: number("The size of a payload", not_empty(element, "size")?)?,
        checksums,
        vfat_name: attribute(element, "vfat-name").map(payload_name).transpose()?,
        name,
    })
}

/// The name of a payload, or of its file in a boot bank.
pub(in super::super) fn payload_name(text: &str) -> Rule<Box<str>> {
    if is_name(text, LONGEST_PAYLOAD_NAME, &[]) {
        return Ok(text.into());
    }
    Err(format!(
        "The name of a payload has at most {LONGEST_PAYLOAD_NAME} letters, digits, '.', '_' and '-', and is not {text:?}"
    ))
}

/// The digest that an element `checksum` tells; `None` for a type that is not known: others stand beside it.
pub(in super::super) fn checksum(element: &Element) -> Rule<Option<Checksum>> {
    let algorithm = match not_empty(element, "checksum-type")? {
        "sha-256" => ChecksumAlgorithm::Sha256,
        "sha-1" => ChecksumAlgorithm::Sha1,
        "md5" => ChecksumAlgorithm::Md5,
        _ => return Ok(None),
    };
    let of = match attribute(element, "verify-process") {
        None => Checksummed::Stored,
        Some("gunzip") => Checksummed::Gunzipped,
        Some(other) => return Err(format!("A checksum is verified by gunzip or as it is, and not by {other:?}")),
    };
    Ok(Some(Checksum { algorithm, of, digest: digest(algorithm, element.text())? }))
}

/// A digest in lower case.
pub(in super::super) fn digest(algorithm: ChecksumAlgorithm, text: &str) -> Rule<Box<str>> {
    let length = match algorithm {
        ChecksumAlgorithm::Md5 => 32,
        ChecksumAlgorithm::Sha1 => 40,
        ChecksumAlgorithm::Sha256 => 64,
    };
    if text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase().into());
    }
    Err(format!("A checksum of its type has {length} hexadecimal digits, and is not {text:?}"))
}
