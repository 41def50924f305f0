//! `vmware.xml`: all bulletins and their VIBs in one document, in the form of ESX 4.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::descriptor::{ChecksumAlgorithm, Descriptor, MaintenanceModeNeed, VibId};
use super::super::descriptor_xml::{
    constraints, digest, name, number, only, provides, software_platform, texts, version, vib_type,
};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::level::AcceptanceLevel;
use super::document::{invalid, parse_text, rule, text};
use super::{MetadataVib, inside};
use crate::xml::{Element, ElementExt};

const FILE: &str = "vmware.xml";

/// Reads the document, one bulletin after the other: all together would take much memory.
pub(super) fn read(octets: &[u8], mut take: impl FnMut(&Element) -> Result<(), ImageError>) -> Result<(), ImageError> {
    let text = text(FILE, octets)?;
    let malformed = |error: quick_xml::Error| invalid(FILE, &format!("It is not acceptable XML: {error}"));
    let mut reader = Reader::from_str(text);
    let (mut depth, mut began, mut has_root) = (0usize, 0usize, false);
    loop {
        let before = position(&reader);
        match reader.read_event().map_err(malformed)? {
            Event::Start(tag) if depth == 0 && tag.name().as_ref() != "metadataResponse" => {
                return Err(invalid(FILE, "Its element is not metadataResponse"));
            }
            Event::Start(_) => {
                has_root = true;
                began = if depth == 1 { before } else { began };
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if depth == 1 {
                    take_bulletin(text.get(began..position(&reader)).unwrap_or_default(), &mut take)?;
                }
            }
            Event::DocType(_) => return Err(invalid(FILE, "A document type declaration is not accepted")),
            Event::Eof if depth > 0 || !has_root => return Err(invalid(FILE, "It breaks off")),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn take_bulletin(piece: &str, take: &mut impl FnMut(&Element) -> Result<(), ImageError>) -> Result<(), ImageError> {
    if piece.starts_with("<bulletin") { take(&parse_text(FILE, piece)?) } else { Ok(()) }
}

/// The VIBs of a bulletin, as far as the document describes them, with where they lie below `base`.
pub(super) fn vibs(bulletin: &Element, base: &str) -> Result<Vec<(VibId, MetadataVib)>, ImageError> {
    let list = bulletin.children_named("", "vibList").flat_map(|list| list.children_named("", "vib"));
    list.map(|element| vib(element, base)).collect()
}

fn vib(element: &Element, base: &str) -> Result<(VibId, MetadataVib), ImageError> {
    let id = VibId::new(element.child("", "vibID").map(ElementExt::text).unwrap_or_default());
    if matches!(element.child("", "vibType").map(ElementExt::text), Some("rpm" | "deb" | "cross")) {
        return Err(ImageError::new(
            ImageErrorClass::MetadataFormatError,
            format!(
                "{id} is a VIB of version 1.x, as ESX and ESXi 4 have them; only VIBs of version 2.0, of ESXi 5.0 and newer, \
                 can be read. Use the metadata that is made for this host's version."
            ),
        ));
    }
    let vib = described(element, base).map_err(|why| rule(&id, &why))?;
    if vib.descriptor.id() != id {
        return Err(rule(&id, &format!("Its parts make the id {}", vib.descriptor.id())));
    }
    Ok((id, vib))
}

fn described(element: &Element, base: &str) -> Result<MetadataVib, String> {
    let Some(file) = only(element, "vibFile")? else { return Err("Element vibFile is missing".to_owned()) };
    let text = |tag| Ok::<_, String>(only(file, tag)?.map(ElementExt::text).unwrap_or_default());
    let sum = only(file, "checksum")?;
    let is_sha256 = |sum: &&Element| sum.child("", "checksumType").map(ElementExt::text) == Some("sha-256");
    let sum = sum.filter(is_sha256).and_then(|sum| sum.child("", "checksum"));
    Ok(MetadataVib {
        descriptor: Arc::new(summary(element)?),
        is_complete: false,
        relative_path: inside(base, text("relativePath")?)?.into(),
        packed_size: number("Element packedSize", text("packedSize")?)?,
        sha256: sum.map(|sum| digest(ChecksumAlgorithm::Sha256, sum.text())).transpose()?,
        products: Arc::default(),
    })
}

/// What the document says of a VIB, as a descriptor.
fn summary(element: &Element) -> Result<Descriptor, String> {
    let relationships = only(element, "relationships")?;
    let related = |tag| relationships.map_or(Ok(None), |list| only(list, tag));
    let requires = only(element, "systemReqs")?;
    let is_true = |list: Option<&Element>, tag| {
        list.and_then(|list| list.child("", tag)).is_some_and(|e| e.text().eq_ignore_ascii_case("true"))
    };
    let in_maintenance = is_true(requires, "maintenanceMode");
    // The rule by which VMware's tools wrote it.
    let is_live = !is_true(only(element, "postInstall")?, "rebootRequired");
    let platforms = requires.into_iter().flat_map(|list| list.children_named("", "swPlatform"));
    Ok(Descriptor {
        depends: constraints(related("depends")?)?,
        conflicts: constraints(related("conflicts")?)?,
        replaces: constraints(related("replaces")?)?,
        provides: provides(related("provides")?)?,
        compatible_with: constraints(related("compatibleWith")?)?,
        tags: texts(only(element, "softwareTags")?, "tag"),
        maintenance_mode: MaintenanceModeNeed { on_install: in_maintenance, on_remove: in_maintenance },
        platforms: platforms.map(software_platform).collect(),
        live_install_allowed: is_live,
        live_remove_allowed: is_live,
        cimom_restart: is_true(only(element, "postInstall")?, "hostdRestart"),
        ..named(element)?
    })
}

/// What a VIB is called and what is told of it to people. The rest is empty, as the document does not tell all of it.
fn named(element: &Element) -> Result<Descriptor, String> {
    let text = |tag| Ok::<_, String>(only(element, tag)?.map(ElementExt::text).unwrap_or_default());
    Ok(Descriptor {
        vib_type: vib_type("vibType", text("vibType")?)?,
        name: name("name", text("name")?)?,
        version: version(text("version")?)?,
        vendor: name("vendor", text("vendor")?)?,
        summary: text("summary")?.into(),
        description: text("description")?.into(),
        release_date: None,
        urls: Vec::new(),
        depends: Vec::new(),
        conflicts: Vec::new(),
        replaces: Vec::new(),
        provides: Vec::new(),
        compatible_with: Vec::new(),
        tags: Vec::new(),
        maintenance_mode: MaintenanceModeNeed::default(),
        hardware: Vec::new(),
        platforms: Vec::new(),
        files: Vec::new(),
        acceptance_level: AcceptanceLevel::Community,
        live_install_allowed: false,
        live_remove_allowed: false,
        cimom_restart: false,
        stateless_ready: false,
        overlay: false,
        payloads: Vec::new(),
        installed_at: None,
    })
}
