//! Bulletins as XML.

use super::super::bulletin::{Bulletin, Component};
use super::super::descriptor::{SoftwarePlatform, VibId};
use super::super::descriptor_xml::{attribute, not_empty, only, software_platform};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::timestamp;
use super::document::invalid;
use crate::xml::{Element, ElementExt};

/// How long an id may be.
const LONGEST_ID: usize = 256;
/// How many VIBs a bulletin may have. One that has a whole release has some hundred.
const MOST_VIBS: usize = 10_000;
/// How many products a bulletin may be for.
const MOST_PLATFORMS: usize = 256;

/// The bulletin that an element is, of a file of `bulletins/` or of `vmware.xml`.
pub(super) fn read(file: &str, root: &Element) -> Result<Bulletin, ImageError> {
    if !root.is("", "bulletin") {
        return Err(invalid(file, &format!("A bulletin is an element bulletin, and this is an element {}", root.name)));
    }
    read_bulletin(root).map_err(|why| {
        let class = ImageErrorClass::BulletinValidationError;
        let id = root.child("", "id").map(ElementExt::text).unwrap_or_default();
        ImageError::new(
            class,
            format!("Bulletin {id:?} of the metadata's {file} cannot be taken: {why}. {}", class.advice()),
        )
    })
}

fn read_bulletin(root: &Element) -> Result<Bulletin, String> {
    let text = |tag: &str| Ok::<Box<str>, String>(only(root, tag)?.map(ElementExt::text).unwrap_or_default().into());
    Ok(Bulletin {
        id: id("Element id", &text("id")?)?.into(),
        vendor: text("vendor")?,
        summary: text("summary")?,
        severity: text("severity")?,
        category: text("category")?,
        urgency: text("urgency")?,
        release_type: text("releaseType")?,
        description: text("description")?,
        kb_url: text("kbUrl")?,
        contact: text("contact")?,
        release_date: match &*text("releaseDate")? {
            "" => None,
            date => Some(
                timestamp::read(date).ok_or_else(|| format!("Element releaseDate is no time of ISO 8601: {date:?}"))?,
            ),
        },
        platforms: platforms(only(root, "platforms")?)?,
        vibs: vibs(only(root, "vibList")?)?,
        component: component(root)?,
    })
}

/// A text that may be an id.
fn id<'t>(place: &str, text: &'t str) -> Result<&'t str, String> {
    if text.is_empty() || text.len() > LONGEST_ID || text.contains(char::is_control) {
        return Err(format!("{place} is missing, empty or longer than {LONGEST_ID} octets"));
    }
    Ok(text)
}

fn platforms(list: Option<&Element>) -> Result<Vec<SoftwarePlatform>, String> {
    let elements = list.into_iter().flat_map(|list| list.children_named("", "softwarePlatform"));
    let found: Vec<_> = elements.map(software_platform).take(MOST_PLATFORMS + 1).collect();
    if found.len() > MOST_PLATFORMS {
        return Err(format!("It is for more than the {MOST_PLATFORMS} products that are allowed"));
    }
    Ok(found)
}

/// The ids of the VIBs; `vmware.xml` has the whole VIB in place of its id.
fn vibs(list: Option<&Element>) -> Result<Vec<VibId>, String> {
    let ids = list.into_iter().flat_map(ElementExt::elements).filter_map(|element| match element.name.as_str() {
        "vibID" => Some(element.text()),
        "vib" => Some(element.child("", "vibID").map(ElementExt::text).unwrap_or_default()),
        _ => None,
    });
    let mut found: Vec<VibId> = Vec::new();
    for text in ids {
        if found.len() == MOST_VIBS {
            return Err(format!("It has more than the {MOST_VIBS} VIBs that are allowed"));
        }
        found.push(VibId::new(id("An element vibID", text)?));
    }
    Ok(found)
}

fn component(root: &Element) -> Result<Option<Component>, String> {
    let (Some(name), Some(version)) = (only(root, "componentNameSpec")?, only(root, "componentVersionSpec")?) else {
        return Ok(None);
    };
    let shown = |element, plain| attribute(element, "uiString").unwrap_or(plain).into();
    let (plain_name, plain_version) = (not_empty(name, "name")?, not_empty(version, "version")?);
    Ok(Some(Component {
        ui_name: shown(name, plain_name),
        ui_version: shown(version, plain_version),
        name: plain_name.into(),
        version: plain_version.into(),
    }))
}
