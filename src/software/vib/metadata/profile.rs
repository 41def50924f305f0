//! Image profiles as XML.

use chrono::{DateTime, Utc};

use super::super::descriptor::VibId;
use super::super::descriptor_xml::{DESCRIPTOR_LIMIT, attribute, not_empty, only, payload_name};
use super::super::error::{ImageError, ImageErrorClass};
use super::super::level::AcceptanceLevel;
use super::super::profile::{ImageProfile, ProfileVib};
use super::super::timestamp;
use crate::xml::{Element, ElementExt, Limits, Writer};

/// How large the XML of a profile may be.
const LIMITS: Limits = Limits { depth: 16, elements: 100_000, attributes: 16 };

impl ImageProfile {
    /// Reads a profile, of a depot or of an image's database.
    ///
    /// # Errors
    /// `ProfileValidationError` for what is none.
    pub fn from_xml(text: &str) -> Result<Self, ImageError> {
        let refuse = |why: String| {
            let class = ImageErrorClass::ProfileValidationError;
            ImageError::new(class, format!("The image profile cannot be taken: {why}. {}", class.advice()))
        };
        if text.len() > DESCRIPTOR_LIMIT {
            return Err(refuse(format!("It has more than {DESCRIPTOR_LIMIT} octets")));
        }
        let root = crate::xml::read(text, &LIMITS).map_err(|error| refuse(format!("It is {error}")))?;
        read(&root).map_err(refuse)
    }

    /// Writes the profile; it is read back the same.
    pub fn to_xml(&self) -> String {
        let mut w = Writer::new(usize::MAX);
        w.start("imageprofile").leaf("name", &self.name).leaf("creator", &self.creator);
        write_time(&mut w, "creationtime", self.created_at);
        write_time(&mut w, "modifiedtime", self.modified_at);
        w.leaf("profileID", &self.profile_id).leaf("description", &self.description);
        w.leaf("readonly", "false").start("viblist");
        for vib in &self.vibs {
            w.start("vib").attribute("id", vib.id.as_str());
            for (name, file) in &vib.payloads {
                w.start("payload").attribute("payload-name", name).attribute("vfat-name", file).end("payload");
            }
            w.end("vib");
        }
        w.end("viblist").leaf("acceptancelevel", self.acceptance_level.word()).end("imageprofile");
        String::from_utf8(w.finish()).unwrap_or_default()
    }
}

fn write_time(w: &mut Writer, tag: &str, time: Option<DateTime<Utc>>) {
    if let Some(time) = time {
        w.leaf(tag, &timestamp::write(time));
    }
}

/// The profile that an element is.
pub(super) fn read(root: &Element) -> Result<ImageProfile, String> {
    if !root.is("", "imageprofile") {
        return Err(format!("An image profile is an element imageprofile, and this is an element {}", root.name));
    }
    let text = |tag| Ok::<_, String>(only(root, tag)?.map(ElementExt::text).unwrap_or_default());
    let name = text("name")?;
    if name.is_empty() {
        return Err("Element name is missing or empty".to_owned());
    }
    let level = text("acceptancelevel")?;
    Ok(ImageProfile {
        name: name.into(),
        creator: text("creator")?.into(),
        created_at: time(root, "creationtime")?,
        modified_at: time(root, "modifiedtime")?,
        profile_id: text("profileID")?.into(),
        description: text("description")?.into(),
        acceptance_level: match level {
            "" => AcceptanceLevel::default(),
            word => word.parse().map_err(|error| format!("Element acceptancelevel: {error}, and not {word:?}"))?,
        },
        vibs: vibs(only(root, "viblist")?)?,
    })
}

fn time(root: &Element, tag: &str) -> Result<Option<DateTime<Utc>>, String> {
    let text = only(root, tag)?.map(ElementExt::text).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    timestamp::read(text).map(Some).ok_or_else(|| format!("Element {tag} is no time of ISO 8601: {text:?}"))
}

/// The VIBs. Their ids stand in an attribute or in an element, their payloads in them or in a list in them.
fn vibs(list: Option<&Element>) -> Result<Vec<ProfileVib>, String> {
    let vib = |element: &Element| {
        let id = attribute(element, "id").or_else(|| element.child("", "vib-id").map(ElementExt::text));
        let id = id.filter(|id| !id.is_empty()).ok_or("Element vib has no id")?;
        let payloads = element.child("", "payloads").unwrap_or(element).children_named("", "payload");
        Ok(ProfileVib { id: VibId::new(id), payloads: payloads.map(payload).collect::<Result<_, String>>()? })
    };
    list.into_iter().flat_map(|list| list.children_named("", "vib")).map(vib).collect()
}

fn payload(element: &Element) -> Result<(Box<str>, Box<str>), String> {
    let file = attribute(element, "vfat-name").map(payload_name).transpose()?;
    Ok((payload_name(not_empty(element, "payload-name")?)?, file.unwrap_or_default()))
}
