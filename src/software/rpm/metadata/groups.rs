//! Reads `comps.xml`, the groups of a repository.

use std::io::{self, BufRead};

use super::elements::{Elements, Met, append, attribute};
use crate::software::{Bundle, BundleKind, Part};

/// The largest list that is read, in octets once it is decompressed; Fedora's has some two million.
const LARGEST: u64 = 64 * 1024 * 1024;

/// How many groups of one list are read.
const MOST_GROUPS: usize = 50_000;

/// How many octets of a text are kept.
const LONGEST_TEXT: usize = 16 * 1024;

/// The element whose text is being read.
#[derive(Clone, Copy)]
enum Field {
    Id,
    Name,
    Description,
    Package { is_optional: bool },
}

/// Adds the groups of a list. What is read before damage is found stays.
pub(super) fn read(input: impl BufRead, bundles: &mut Vec<Bundle>) -> io::Result<()> {
    // The makers of comps write a document type.
    let mut elements = Elements::new(input, LARGEST).with_document_type();
    let mut group: Option<Bundle> = None;
    let mut field = None;
    let mut text = String::new();
    let mut groups = 0;
    loop {
        let depth = elements.depth();
        match elements.next()? {
            Met::Start(tag) => {
                text.clear();
                let is_translated = attribute(&tag, "xml:lang")?.is_some();
                field = match (depth, tag.local_name().as_ref()) {
                    (1, "group") => {
                        group = Some(Bundle::new(BundleKind::Group, ""));
                        None
                    }
                    (1, _) => {
                        group = None;
                        None
                    }
                    (2, "id") => Some(Field::Id),
                    (2, "name") if !is_translated => Some(Field::Name),
                    (2, "description") if !is_translated => Some(Field::Description),
                    (3, "packagereq") => {
                        let kind = attribute(&tag, "type")?.unwrap_or_default();
                        Some(Field::Package { is_optional: matches!(&*kind, "optional" | "conditional") })
                    }
                    _ => None,
                };
            }
            Met::Text(piece) if field.is_some() => append(&mut text, &piece, LONGEST_TEXT),
            Met::End if depth == 2 => {
                groups += 1;
                if groups > MOST_GROUPS {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "it has more groups than any repository"));
                }
                bundles.extend(group.take());
            }
            Met::End => {
                if let (Some(group), Some(field)) = (&mut group, field.take()) {
                    take(group, field, text.trim());
                }
            }
            Met::Text(_) | Met::Nothing => {}
            Met::Finished => return Ok(()),
        }
    }
}

fn take(group: &mut Bundle, field: Field, text: &str) {
    match field {
        Field::Id => group.id = text.into(),
        Field::Name => group.name = text.to_owned(),
        Field::Description => group.description = text.to_owned(),
        Field::Package { is_optional } if !text.is_empty() => {
            group.add(Part::Package { names: vec![text.into()], is_optional });
        }
        Field::Package { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMPS: &str = "<?xml version=\"1.0\"?>\n<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n\
        <comps><group><id>tools</id><name>Tools &amp; more</name><name xml:lang=\"de\">Werkzeuge</name>\n\
        <description/><uservisible>true</uservisible><packagelist><packagereq type=\"mandatory\">a</packagereq>\n\
        <packagereq>b</packagereq><packagereq type=\"optional\">c</packagereq>\n\
        <packagereq type=\"conditional\" requires=\"x\"> d </packagereq><packagereq/></packagelist></group>\n\
        <environment><id>env</id><name>n</name><grouplist><groupid>tools</groupid></grouplist></environment>\n\
        <group><id>empty</id></group></comps>";

    fn told(text: &[u8]) -> (io::Result<()>, Vec<Bundle>) {
        let mut bundles = Vec::new();
        (read(text, &mut bundles), bundles)
    }

    #[test]
    fn groups_are_read_and_environments_are_not() {
        let (result, bundles) = told(COMPS.as_bytes());
        result.unwrap();
        let [tools, empty] = bundles.as_slice() else { panic!("{bundles:?}") };
        assert_eq!((&*tools.id, tools.name.as_str(), tools.kind), ("tools", "Tools & more", BundleKind::Group));
        let part = |name: &str, is_optional| Part::Package { names: vec![name.into()], is_optional };
        assert_eq!(tools.parts, [part("a", false), part("b", false), part("c", true), part("d", true)]);
        assert_eq!((&*empty.id, empty.parts.len()), ("empty", 0));
        let (result, bundles) = told(&COMPS.as_bytes()[..COMPS.len() - 20]);
        assert!(result.is_err() && bundles.len() == 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = told(&bytes);
        }

        #[test]
        fn any_list_is_read_to_its_end(
            at in 0..COMPS.len(),
            bytes in proptest::collection::vec(any::<u8>(), 0..3),
            text in "(</?(comps|group|id|name|packagelist|packagereq)( type=\"optional\")?/?>|[a-c\n]){0,30}",
        ) {
            let _ = told(text.as_bytes());
            let mut damaged = COMPS.as_bytes().to_vec();
            damaged.splice(at..(at + bytes.len()).min(COMPS.len()), bytes);
            let _ = told(&damaged);
        }
    }
}
