//! Finds bulletins and their parts by their ids, in any case, without looking through all of them.

use std::collections::HashMap;

use super::{PatchAssessment, PatchPart, PatchStatus};

/// Where what an assessment tells stands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchIndex {
    bulletins: HashMap<Box<str>, usize>,
    /// Of each part: the bulletins that have it, and its place among their parts.
    parts: HashMap<Box<str>, Vec<(usize, usize)>>,
}

impl PatchIndex {
    /// The index of an assessment.
    pub fn new(assessment: &PatchAssessment) -> Self {
        let mut index = Self::default();
        for (bulletin, status) in assessment.bulletins.iter().enumerate() {
            index.bulletins.entry(key(&status.id)).or_insert(bulletin);
            for (part, told) in status.parts.iter().enumerate() {
                index.parts.entry(key(&told.id)).or_default().push((bulletin, part));
            }
        }
        index
    }

    /// The bulletin with this id in the assessment that this is the index of.
    pub fn bulletin<'a>(&self, assessment: &'a PatchAssessment, id: &str) -> Option<&'a PatchStatus> {
        // Ids that differ in nothing but case are told apart by whoever writes them as they are.
        let exact = assessment.bulletins.binary_search_by(|bulletin| (*bulletin.id).cmp(id)).ok();
        let place = exact.or_else(|| self.bulletins.get(&key(id)).copied())?;
        assessment.bulletins.get(place)
    }

    /// The parts with this id, each with its bulletin, in the order of the bulletins.
    pub fn parts<'a>(
        &self,
        assessment: &'a PatchAssessment,
        id: &str,
    ) -> impl Iterator<Item = (&'a PatchStatus, &'a PatchPart)> {
        let places = self.parts.get(&key(id)).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|&(bulletin, part)| {
            let status = assessment.bulletins.get(bulletin)?;
            Some((status, status.parts.get(part)?))
        })
    }
}

fn key(id: &str) -> Box<str> {
    id.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::super::assessment::tests::bulletin;
    use super::super::{PartChange, PatchHost};
    use super::*;

    #[test]
    fn bulletins_and_parts_are_found_in_any_case() {
        let part = |id: &str| PatchPart {
            id: id.to_owned(),
            name: String::new(),
            version: String::new(),
            vendor: String::new(),
            summary: String::new(),
            change: PartChange::New,
            on_host: Vec::new(),
        };
        let of = |id: &str, parts: &[&str]| PatchStatus {
            parts: parts.iter().map(|id| part(id)).collect(),
            ..bulletin(id, "low")
        };
        let assessment = PatchAssessment {
            at: chrono::DateTime::UNIX_EPOCH,
            host: PatchHost::default(),
            metadata: Vec::new(),
            bulletins: vec![of("A", &["x", "Y"]), of("B", &["y"]), of("a", &[])],
        };
        let index = PatchIndex::new(&assessment);
        let found = |id: &str| index.bulletin(&assessment, id).map(|status| status.id.as_str());
        assert_eq!((found("A"), found("a"), found("b"), found("c")), (Some("A"), Some("a"), Some("B"), None));
        let parts = |id: &str| -> Vec<(&str, &str)> {
            index.parts(&assessment, id).map(|(status, part)| (status.id.as_str(), part.id.as_str())).collect()
        };
        assert_eq!(parts("Y"), [("A", "Y"), ("B", "y")]);
        assert_eq!((parts("X"), parts("z")), (vec![("A", "x")], Vec::new()));
    }
}
