//! Reading a descriptor. Children may stand in any order; elements that are not known are passed over.

use chrono::{DateTime, Utc};

use crate::xml::{Element, ElementExt, Limits, XmlError};

use super::super::descriptor::{
    Descriptor, HardwarePlatform, MaintenanceModeNeed, ReferenceUrl, SoftwarePlatform, VibId, VibType,
};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::level::AcceptanceLevel;
use super::super::relation::{Comparison, Constraint, Provide};
use super::super::timestamp;
use super::super::version::VibVersion;
use super::payloads::payloads;

/// How long a descriptor may be, in octets. The longest that VMware publishes lists some thousand files in less than one.
pub const DESCRIPTOR_LIMIT: usize = 8 * 1024 * 1024;

/// How large the XML of a descriptor may be.
const LIMITS: Limits = Limits { depth: 16, elements: 100_000, attributes: 16 };

/// How long a name or a vendor's code may be (VIB Author).
const LONGEST_NAME: usize = 35;

/// How long a version may be. VIB Author says 35, and VMware's own are longer.
const LONGEST_VERSION: usize = 64;

/// How long a text for people may be, or an address, in octets.
const LONGEST_TEXT: usize = 64 * 1024;

/// How long the path of a file may be.
const LONGEST_PATH: usize = 1024;

/// What is wrong with a descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorProblem {
    /// It is not XML.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// It is something else than a descriptor of VIB 2.0.
    #[error("{0}")]
    Form(String),
    /// It breaks a rule for VIBs; the id as far as it is known.
    #[error("VIB {id} violates extensibility rule checks: ['{rule}']")]
    Rule {
        /// The VIB's id.
        id: VibId,
        /// What is wrong.
        rule: String,
    },
}

impl DescriptorProblem {
    /// The failure of a VIB that has this descriptor.
    pub fn of_vib(self) -> ImageError {
        let class = match self {
            Self::Xml(_) | Self::Form(_) => ImageErrorClass::VibFormatError,
            Self::Rule { .. } => ImageErrorClass::VibValidationError,
        };
        let advice = class.advice();
        match self {
            Self::Xml(error) => ImageError::new(class, format!("The VIB's descriptor.xml is {error}. {advice}")),
            Self::Form(text) => ImageError::new(class, text),
            Self::Rule { ref id, .. } => ImageError::new(class, format!("{self}. {advice}")).of([id.clone()]),
        }
    }
}

impl Descriptor {
    /// Reads a descriptor: `descriptor.xml`, or a copy of it in metadata or in an image's database.
    ///
    /// # Errors
    /// `VibFormatError` for what is no descriptor of VIB 2.0, `VibValidationError` for one that breaks a rule (VIB Author's:
    /// which characters names have, that files lie below the root and outside of `..`, and so on).
    pub fn from_xml(text: &str) -> Result<Self, ImageError> {
        let too_long = || {
            DescriptorProblem::Form(format!(
                "The VIB's descriptor.xml has {} octets, more than {DESCRIPTOR_LIMIT}. {}",
                text.len(),
                ImageErrorClass::VibFormatError.advice()
            ))
        };
        if text.len() > DESCRIPTOR_LIMIT {
            return Err(too_long().of_vib());
        }
        let root = crate::xml::read(text, &LIMITS).map_err(|error| DescriptorProblem::Xml(error).of_vib())?;
        descriptor(&root).map_err(DescriptorProblem::of_vib)
    }
}

/// What breaks a rule, told without the VIB's id.
pub(super) type Rule<T> = Result<T, String>;

/// The descriptor that an element is.
pub(in super::super) fn descriptor(root: &Element) -> Result<Descriptor, DescriptorProblem> {
    check_form(root)?;
    read_descriptor(root).map_err(|rule| DescriptorProblem::Rule { id: id_so_far(root), rule })
}

fn check_form(root: &Element) -> Result<(), DescriptorProblem> {
    let advice = ImageErrorClass::VibFormatError.advice();
    if !root.is("", "vib") {
        let text = format!("The descriptor of a VIB is an element vib, and this is an element {}. {advice}", root.name);
        return Err(DescriptorProblem::Form(text));
    }
    let version = root.attribute("", "version").unwrap_or("5.0");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0);
    if major >= 5 && root.child("", "vibVersion").is_none() {
        return Ok(());
    }
    Err(DescriptorProblem::Form(
        "This is a VIB of version 1.x, as ESX and ESXi 4 have them; only VIBs of version 2.0, of ESXi 5.0 and newer, can be \
         read. Get the bundle that is made for this host's version."
            .to_owned(),
    ))
}

/// The id, a question mark in place of what is not told.
fn id_so_far(root: &Element) -> VibId {
    let part = |name| root.child("", name).map(ElementExt::text).filter(|text| !text.is_empty()).unwrap_or("?");
    VibId::new(&[part("vendor"), part("type"), part("name"), part("version")].join("_"))
}

fn read_descriptor(root: &Element) -> Rule<Descriptor> {
    let relationships = only(root, "relationships")?;
    let related = |tag| relationships.map_or(Ok(None), |element| only(element, tag));
    let requires = only(root, "system-requires")?;
    let read = Descriptor {
        vib_type: vib_type("type", needed(root, "type")?)?,
        name: name("name", needed(root, "name")?)?,
        version: version(needed(root, "version")?)?,
        vendor: name("vendor", needed(root, "vendor")?)?,
        summary: text(root, "summary")?,
        description: text(root, "description")?,
        release_date: time(root, "release-date")?,
        urls: urls(only(root, "urls")?)?,
        depends: constraints(related("depends")?)?,
        conflicts: constraints(related("conflicts")?)?,
        replaces: constraints(related("replaces")?)?,
        provides: provides(related("provides")?)?,
        compatible_with: constraints(related("compatibleWith")?)?,
        tags: texts(only(root, "software-tags")?, "tag"),
        maintenance_mode: maintenance_mode(requires)?,
        hardware: hardware(requires)?,
        platforms: platforms(requires),
        files: files(only(root, "file-list")?)?,
        acceptance_level: acceptance_level(root)?,
        live_install_allowed: flag(root, "live-install-allowed")?,
        live_remove_allowed: flag(root, "live-remove-allowed")?,
        cimom_restart: flag(root, "cimom-restart")?,
        stateless_ready: flag(root, "stateless-ready")?,
        overlay: flag(root, "overlay")?,
        payloads: payloads(only(root, "payloads")?)?,
        installed_at: time(root, "installdate")?,
    };
    match read.depends.iter().find(|constraint| constraint.name == read.name) {
        Some(itself) => Err(format!("A constraint of depends is met by the VIB itself: {itself}")),
        None => Ok(read),
    }
}

/// The only child of that name.
pub(in super::super) fn only<'e>(element: &'e Element, tag: &str) -> Rule<Option<&'e Element>> {
    let mut named = element.children_named("", tag);
    match (named.next(), named.next()) {
        (found, None) => Ok(found),
        _ => Err(format!("Element {tag} occurs more than once")),
    }
}

fn needed<'e>(root: &'e Element, tag: &str) -> Rule<&'e str> {
    match only(root, tag)?.map(ElementExt::text) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("Element {tag} is missing or empty")),
    }
}

fn text(root: &Element, tag: &str) -> Rule<Box<str>> {
    bounded(tag, only(root, tag)?.map(ElementExt::text).unwrap_or_default())
}

/// A text for people, or an address.
fn bounded(tag: &str, text: &str) -> Rule<Box<str>> {
    match text.len() <= LONGEST_TEXT {
        true => Ok(text.into()),
        false => Err(format!("Element {tag} has at most {LONGEST_TEXT} octets, and not {}", text.len())),
    }
}

/// The texts of the children of that name, without empty ones.
pub(in super::super) fn texts(list: Option<&Element>, tag: &str) -> Vec<Box<str>> {
    let elements = list.into_iter().flat_map(|list| list.children_named("", tag));
    elements.map(ElementExt::text).filter(|text| !text.is_empty()).map(Box::from).collect()
}

fn flag(root: &Element, tag: &str) -> Rule<bool> {
    only(root, tag)?.map_or(Ok(false), |element| truth(tag, element.text()))
}

/// A truth value as XML Schema writes it; an empty text is false.
fn truth(place: &str, text: &str) -> Rule<bool> {
    match text {
        "1" => Ok(true),
        "" | "0" => Ok(false),
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(format!("{place} is true or false, and not {text:?}")),
    }
}

fn time(root: &Element, tag: &str) -> Rule<Option<DateTime<Utc>>> {
    let text = only(root, tag)?.map(ElementExt::text).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    timestamp::read(text).map(Some).ok_or_else(|| format!("Element {tag} is no time of ISO 8601: {text:?}"))
}

/// A number that is not negative.
pub(in super::super) fn number(place: &str, text: &str) -> Rule<u64> {
    text.parse().map_err(|_| format!("{place} is a number, and not {text:?}"))
}

/// The type of a VIB by its word.
pub(in super::super) fn vib_type(tag: &str, word: &str) -> Rule<VibType> {
    let types = [VibType::Bootbank, VibType::Locker, VibType::Meta];
    let found = types.into_iter().find(|known| known.word() == word);
    found.ok_or_else(|| format!("Element {tag} is bootbank, locker or meta, and not {word:?}"))
}

pub(super) fn is_name(text: &str, longest: usize, also: &[char]) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') || also.contains(&c);
    // It becomes the name of a file, or a part of one.
    text.len() <= longest && !text.is_empty() && !text.starts_with(['.', '-']) && text.chars().all(allowed)
}

/// A name, or the code of a vendor.
pub(in super::super) fn name(tag: &str, text: &str) -> Rule<Box<str>> {
    if is_name(text, LONGEST_NAME, &[]) {
        return Ok(text.into());
    }
    Err(format!("Element {tag} has at most {LONGEST_NAME} letters, digits, '.', '_' and '-', and is not {text:?}"))
}

/// The version of a VIB.
pub(in super::super) fn version(text: &str) -> Rule<VibVersion> {
    // Hand-made VIBs have versions such as «CMU 2.3.0».
    if is_name(text, LONGEST_VERSION, &[' ', '+', '~', ':']) {
        return Ok(VibVersion::new(text));
    }
    Err(format!("Element version has at most {LONGEST_VERSION} letters, digits, '.', '_' and '-', and is not {text:?}"))
}

/// An attribute; an empty one is none.
pub(in super::super) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attribute("", name).filter(|value| !value.is_empty())
}

/// An attribute that an element must have.
pub(in super::super) fn not_empty<'e>(element: &'e Element, name: &str) -> Rule<&'e str> {
    attribute(element, name).ok_or_else(|| format!("Element {} has no attribute {name}", element.name))
}

fn urls(list: Option<&Element>) -> Rule<Vec<ReferenceUrl>> {
    let urls = list.into_iter().flat_map(|list| list.children_named("", "url"));
    urls.map(|url| Ok(ReferenceUrl { key: bounded("url", not_empty(url, "key")?)?, url: bounded("url", url.text())? }))
        .collect()
}

/// The constraints of a list of relationships.
pub(in super::super) fn constraints(list: Option<&Element>) -> Rule<Vec<Constraint>> {
    list.into_iter().flat_map(|list| list.children_named("", "constraint")).map(constraint).collect()
}

fn constraint(element: &Element) -> Rule<Constraint> {
    let name = not_empty(element, "name")?;
    let version = match (attribute(element, "relation"), attribute(element, "version")) {
        (None, None) => None,
        (Some(relation), Some(version)) => Some((comparison(relation)?, VibVersion::new(version))),
        _ => return Err(format!("A constraint on {name} has only one of relation and version")),
    };
    Ok(Constraint { name: name.into(), version })
}

/// An operator, or its name in the vSphere API.
fn comparison(word: &str) -> Rule<Comparison> {
    let named = |comparison: &Comparison| match comparison {
        Comparison::Less => "lessThan",
        Comparison::LessOrEqual => "lessThanEqual",
        Comparison::Equal => "equals",
        Comparison::GreaterOrEqual => "greaterThanEqual",
        Comparison::Greater => "greaterThan",
    };
    let found = Comparison::ALL.into_iter().find(|known| known.operator() == word || named(known) == word);
    found.ok_or_else(|| format!("A relation is <<, <=, =, >= or >>, and not {word:?}"))
}

/// What a list of relationships provides.
pub(in super::super) fn provides(list: Option<&Element>) -> Rule<Vec<Provide>> {
    let provide = |element: &Element| {
        let version = attribute(element, "version").map(VibVersion::new);
        Ok(Provide { name: not_empty(element, "name")?.into(), version })
    };
    list.into_iter().flat_map(|list| list.children_named("", "provide")).map(provide).collect()
}

fn maintenance_mode(requires: Option<&Element>) -> Rule<MaintenanceModeNeed> {
    let Some(element) = requires.map_or(Ok(None), |requires| only(requires, "maintenance-mode"))? else {
        return Ok(MaintenanceModeNeed::default());
    };
    let both = truth("maintenance-mode", element.text())?;
    let of = |name| attribute(element, name).map_or(Ok(both), |value| truth(name, value));
    Ok(MaintenanceModeNeed { on_install: of("on-install")?, on_remove: of("on-remove")? })
}

fn hardware(requires: Option<&Element>) -> Rule<Vec<HardwarePlatform>> {
    let platform = |element: &Element| {
        let model = attribute(element, "model").map(Box::from);
        Ok(HardwarePlatform { vendor: not_empty(element, "vendor")?.into(), model })
    };
    requires.into_iter().flat_map(|requires| requires.children_named("", "hwplatform")).map(platform).collect()
}

fn platforms(requires: Option<&Element>) -> Vec<SoftwarePlatform> {
    let elements = requires.into_iter().flat_map(|requires| requires.children_named("", "softwarePlatform"));
    elements.map(software_platform).collect()
}

/// The product that an element `softwarePlatform` names.
pub(in super::super) fn software_platform(element: &Element) -> SoftwarePlatform {
    let value = |name| element.attribute("", name).unwrap_or_default().into();
    SoftwarePlatform { product_line: value("productLineID"), version: value("version"), locale: value("locale") }
}

fn files(list: Option<&Element>) -> Rule<Vec<Box<str>>> {
    let files = texts(list, "file");
    match files.iter().find(|path| !safe_path(path)) {
        Some(path) => Err(format!("A file is named by a path below the root, without '..', and not by {path:?}")),
        None => Ok(files),
    }
}

/// Whether a path leads from a folder to something inside of it, whatever that folder is.
pub(in super::super) fn safe_path(path: &str) -> bool {
    let mut parts = path.as_bytes().split(|octet| *octet == b'/');
    let is_plain = |octets: &[u8]| octets.iter().all(|octet| (b' '..0x7F).contains(octet));
    path.len() <= LONGEST_PATH
        && parts.all(|part| !matches!(part, b"" | b"." | b".."))
        // Most are, and only others must be looked at by their characters.
        && (is_plain(path.as_bytes()) || !path.contains(char::is_control))
}

fn acceptance_level(root: &Element) -> Rule<AcceptanceLevel> {
    let word = only(root, "acceptance-level")?.map(ElementExt::text).unwrap_or_default();
    // Who makes no claim makes the lowest.
    let word = if word.is_empty() { "community" } else { word };
    word.parse().map_err(|error| format!("Element acceptance-level: {error}, and not {word:?}"))
}
