//! What a list says that packages need and provide: the entries below `format`.

use std::io;

use quick_xml::events::BytesStart;

use super::{Extent, LONGEST_NAME, attribute};
use crate::software::rpm::relations::Relation;

/// The element whose entries follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section(Relation);

impl Section {
    /// The section that an element begins; `None` for one that is not read to this extent.
    pub(super) fn of(tag: &BytesStart<'_>, extent: Extent) -> Option<Self> {
        let relation = match tag.local_name().as_ref() {
            "provides" => Relation::Provides,
            "requires" => Relation::Requires,
            "recommends" => Relation::Recommends,
            "suggests" => Relation::Suggests,
            _ => return None,
        };
        let is_read = match extent {
            Extent::Packages => false,
            Extent::Provides => relation == Relation::Provides,
            Extent::Relations => true,
        };
        is_read.then_some(Self(relation))
    }

    /// An entry as rpm writes it; `None` for one that makes no sense.
    pub(super) fn entry(self, tag: &BytesStart<'_>) -> io::Result<Option<(Relation, String)>> {
        let get = |name| attribute(tag, name).map(Option::unwrap_or_default);
        let mut text = get("name")?;
        let (flags, version) = (get("flags")?, get("ver")?);
        if !flags.is_empty() {
            let Some(comparison) = comparison(&flags) else { return Ok(None) };
            text = format!("{text} {comparison} ");
            let (epoch, release) = (get("epoch")?, get("rel")?);
            if !epoch.is_empty() && epoch != "0" {
                text.push_str(&format!("{epoch}:"));
            }
            text.push_str(&version);
            if !release.is_empty() {
                text.push_str(&format!("-{release}"));
            }
        }
        let is_pre = matches!(self.0, Relation::Requires) && matches!(&*get("pre")?, "1" | "TRUE");
        let relation = if is_pre { Relation::PreRequires } else { self.0 };
        Ok((text.len() <= LONGEST_NAME).then_some((relation, text)))
    }
}

fn comparison(flags: &str) -> Option<&'static str> {
    Some(match flags {
        "LT" => "<",
        "LE" => "<=",
        "EQ" => "=",
        "GE" => ">=",
        "GT" => ">",
        _ => return None,
    })
}
