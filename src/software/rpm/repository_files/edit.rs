//! Changes one value in the text of a file and puts the new text in the file's place.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use crate::software::rpm::configuration::{Ini, boolean};

const KEY: &str = "enabled";

/// Words for yes, and for no, that belong together.
const WORDS: [(&str, &str); 4] = [("1", "0"), ("yes", "no"), ("true", "false"), ("on", "off")];

/// The text with the repository of a section enabled or disabled; `None` if it has no such section.
pub(super) fn with_enabled(text: &[u8], section: &str, enabled: bool) -> Option<Vec<u8>> {
    let ini = Ini::parse(text).ok()?;
    if let Some(place) = ini.place(section, KEY) {
        let word = word_like(ini.value(section, KEY).unwrap_or_default(), enabled);
        return Some(replaced(text, place, word.as_bytes()));
    }
    let end = ini.end(section)?;
    let before = text.get(..end).unwrap_or_default();
    let line_end = if before.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let begin = if before.ends_with(b"\n") { "" } else { line_end };
    let line = format!("{begin}{KEY}={}{line_end}", u8::from(enabled));
    Some(replaced(text, end..end, line.as_bytes()))
}

fn replaced(text: &[u8], place: Range<usize>, by: &[u8]) -> Vec<u8> {
    let (before, behind) = (text.get(..place.start), text.get(place.end..));
    [before.unwrap_or_default(), by, behind.unwrap_or_default()].concat()
}

/// The word for yes or no, of the kind that is there and in the letters that it has there; a digit in place of anything
/// else.
fn word_like(old: &str, enabled: bool) -> String {
    let chosen = |(yes, no): (&'static str, &'static str)| if enabled { yes } else { no };
    let kind = WORDS.into_iter().find(|(yes, no)| [yes, no].iter().any(|word| word.eq_ignore_ascii_case(old)));
    let word = chosen(kind.filter(|_| boolean(old).is_some()).unwrap_or(("1", "0")));
    let is_upper = |c: char| c.is_ascii_uppercase();
    if old.len() > 1 && old.chars().all(is_upper) {
        word.to_ascii_uppercase()
    } else if old.starts_with(is_upper) {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    } else {
        word.to_owned()
    }
}

/// Puts a text in the place of a file, all at once, with the file's mode and owner.
pub(super) fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let old = file.metadata()?;
    // The ending is none that dnf reads.
    let mut new = tempfile::Builder::new().prefix(".quartermaster-").suffix(".new").tempfile_in(folder)?;
    new.write_all(text)?;
    fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
    // After the owner: a change of owner takes away special bits.
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str, section: &str, enabled: bool) -> String {
        String::from_utf8(with_enabled(text.as_bytes(), section, enabled).unwrap()).unwrap()
    }

    #[test]
    fn the_value_is_changed_in_its_place() {
        for (before, after) in [
            ("[a]\nenabled=1\nx=1\n", "[a]\nenabled=0\nx=1\n"),
            ("[a]\nenabled =  True \r\n", "[a]\nenabled =  False \r\n"),
            ("[a]\nenabled=\"YES\"", "[a]\nenabled=\"NO\""),
            ("[a]\nenabled=on\n[b]\nenabled=on\n", "[a]\nenabled=off\n[b]\nenabled=on\n"),
            ("[a]\nenabled=0\nenabled=1\n", "[a]\nenabled=0\nenabled=0\n"),
            ("[a]\nenabled=perhaps\n  not\nx=1\n", "[a]\nenabled=0\nx=1\n"),
            ("[a]\nenabled=\n", "[a]\nenabled=0\n"),
        ] {
            assert_eq!(set(before, "a", false), after);
        }
    }

    #[test]
    fn a_missing_value_becomes_the_last_line_of_the_section() {
        for (before, after) in [
            ("[a]\nx=1\n  2\n\n# of b\n[b]\n", "[a]\nx=1\n  2\nenabled=0\n\n# of b\n[b]\n"),
            ("[a]", "[a]\nenabled=0\n"),
            ("[a]\r\nx=1\r\n", "[a]\r\nx=1\r\nenabled=0\r\n"),
            ("[a]\nx=1", "[a]\nx=1\nenabled=0\n"),
        ] {
            assert_eq!(set(before, "a", false), after);
        }
        assert_eq!(with_enabled(b"[a]\n", "b", true), None);
        assert_eq!(with_enabled(b"x", "b", true), None);
    }

    proptest! {
        #[test]
        fn switched_back_the_text_is_as_it_was(
            before in "(\\[a\\]\n|x = 1\r?\n|#[^\n]{0,9}\n|\r?\n){0,5}",
            word in "(1|yes|Yes|YES|true|True|on|ON)",
            spacing in "[ \t]{0,3}",
            behind in "[ \t]{0,3}\r?\n(y=1\n|\n|; z\n|\\[c\\]\n){0,5}",
        ) {
            let text = format!("[z]\n{before}[b]\nenabled{spacing}={spacing}{word}{behind}");
            let off = set(&text, "b", false);
            prop_assert_eq!(Ini::parse(off.as_bytes()).unwrap().value("b", KEY).and_then(boolean), Some(false));
            prop_assert_eq!(set(&off, "b", true), text);
        }

        #[test]
        fn any_text_is_changed_to_what_was_asked_for(text in "(\\[[ab]\\]|enabled=|x=|[ \t1]|[\"']|\r?\n|#){0,40}", on: bool) {
            if let Some(changed) = with_enabled(text.as_bytes(), "a", on) {
                let ini = Ini::parse(&changed).unwrap();
                prop_assert_eq!(ini.value("a", KEY).and_then(boolean), Some(on));
                prop_assert_eq!(with_enabled(&changed, "a", on).unwrap(), changed);
            }
        }
    }
}
