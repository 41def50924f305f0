//! An image's profile as its database keeps it: `imageprofile`.

use crate::software::vib::timestamp;
use crate::software::vib::{ImageProfile, ProfileVib, VibId};
use crate::xml::{self, Element, ElementExt, Limits, Writer};

/// How large a profile may be: one with more VIBs and payloads than any host has.
const LIMITS: Limits = Limits { depth: 8, elements: 200_000, attributes: 16 };

/// Reads a profile; an error tells what is wrong.
pub(super) fn read(text: &str) -> Result<ImageProfile, String> {
    let root = xml::read(text, &LIMITS).map_err(|error| error.to_string())?;
    if root.name != "imageprofile" {
        return Err(format!("Element {} is no imageprofile", root.name));
    }
    let word = |name: &str| -> Box<str> { root.child("", name).map(ElementExt::text).unwrap_or_default().into() };
    let time = |name: &str| timestamp::read(&word(name));
    let level = word("acceptancelevel");
    let vibs = root.child("", "viblist").into_iter().flat_map(|list| list.children_named("", "vib"));
    Ok(ImageProfile {
        name: word("name"),
        creator: word("creator"),
        created_at: time("creationtime"),
        modified_at: time("modifiedtime"),
        profile_id: word("profileID"),
        description: word("description"),
        acceptance_level: level.parse().map_err(|error| format!("Element acceptancelevel: {error}"))?,
        vibs: vibs.map(vib).collect::<Result<_, _>>()?,
    })
}

fn vib(element: &Element) -> Result<ProfileVib, String> {
    let value = |element: &Element, name| {
        let value = element.attribute("", name).map(Box::<str>::from);
        value.ok_or_else(|| format!("Element {} has no attribute {name}", element.name))
    };
    let payload = |element: &Element| Ok((value(element, "payload-name")?, value(element, "vfat-name")?));
    let payloads = element.children_named("", "payload").map(payload);
    Ok(ProfileVib { id: VibId::new(&value(element, "id")?), payloads: payloads.collect::<Result<_, String>>()? })
}

/// Writes a profile in one line.
pub(super) fn write(profile: &ImageProfile) -> String {
    let mut w = Writer::new(usize::MAX);
    w.start("imageprofile").leaf("name", &profile.name).leaf("creator", &profile.creator);
    for (tag, time) in [("creationtime", profile.created_at), ("modifiedtime", profile.modified_at)] {
        if let Some(time) = time {
            w.leaf(tag, &timestamp::write(time));
        }
    }
    w.leaf("profileID", &profile.profile_id).leaf("description", &profile.description).start("viblist");
    for vib in &profile.vibs {
        w.start("vib").attribute("id", vib.id.as_str());
        for (name, file) in &vib.payloads {
            w.start("payload").attribute("payload-name", name).attribute("vfat-name", file).end("payload");
        }
        w.end("vib");
    }
    w.end("viblist").leaf("acceptancelevel", profile.acceptance_level.word()).end("imageprofile");
    String::from_utf8(w.finish()).unwrap_or_default()
}
