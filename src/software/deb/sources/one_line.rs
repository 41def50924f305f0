//! Files with one entry a line.

use std::ops::Range;

use super::{Damage, Parsed, Source, Written};

/// Reads the entries of binary packages, those that are commented out as well.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut at = 0;
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let place = at..at + line.len();
        at = place.end + 1;
        if line.trim_ascii_start().first() == Some(&b'#') {
            if let Some(source) = commented_out(line) {
                parsed.written.push(Written { place, enabled: false, source });
            }
            continue;
        }
        match entry(line) {
            Ok(Some(source)) => parsed.written.push(Written { place, enabled: true, source }),
            Ok(None) => {}
            Err(why) => parsed.damages.push(Damage { line: number + 1, why }),
        }
    }
    parsed
}

/// The file with the entry in this line commented out, or no longer so.
pub(super) fn switched(bytes: &[u8], place: &Range<usize>, enabled: bool) -> Vec<u8> {
    let (head, rest) = bytes.split_at(place.start.min(bytes.len()));
    let (line, tail) = rest.split_at(place.len().min(rest.len()));
    let line = if enabled { uncommented(line) } else { [b"# ", line].concat() };
    [head, &line, tail].concat()
}

/// The line without the marks of comments before it, each with one blank behind it.
fn uncommented(line: &[u8]) -> Vec<u8> {
    let mut rest = line;
    let mut blanks = Vec::new();
    loop {
        let text = rest.trim_ascii_start();
        let Some(after) = text.strip_prefix(b"#") else { return [&blanks, rest].concat() };
        blanks.extend_from_slice(rest.get(..rest.len() - text.len()).unwrap_or_default());
        rest = after.strip_prefix(b" ").unwrap_or(after);
    }
}

/// The entry that is commented out in this line, which may as well be a comment in words.
fn commented_out(line: &[u8]) -> Option<Source> {
    let source = entry(&uncommented(line)).ok()??;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_uri = |scheme: &str, rest: &str| scheme.chars().all(is_scheme) && !rest.is_empty();
    let is_word = |word: &String| word.chars().all(|c| c.is_ascii_alphanumeric() || "._~+/$()-".contains(c));
    let is_entry = source.uris.iter().all(|uri| is_uri(uri.scheme(), &format!("{}{}", uri.host(), uri.path())))
        && source.suites.iter().chain(&source.components).all(is_word);
    is_entry.then_some(source)
}

/// The entry of binary packages in a line; `None` if there is another one or none at all.
fn entry(line: &[u8]) -> Result<Option<Source>, &'static str> {
    let line = without_comment(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let end = line.iter().position(|b| b" \t\x0b".contains(b)).ok_or("it has a type only")?;
    let (kind, rest) = line.split_at(end);
    match kind {
        b"deb" => words(rest).map(Some),
        b"deb-src" => Ok(None),
        _ => Err("its type is neither deb nor deb-src"),
    }
}

/// What comes after the type: options in square brackets, the URI, the suite and components.
fn words(text: &[u8]) -> Result<Source, &'static str> {
    let mut rest = text.trim_ascii_start();
    let options = options(&mut rest)?;
    let uri = word(&mut rest).ok_or("it has no URI")?;
    let suite = word(&mut rest).ok_or("it has no suite")?;
    let components = std::iter::from_fn(|| word(&mut rest)).collect();
    let mut source = Source::new(vec![uri], vec![suite], components)?;
    options.iter().for_each(|(name, value)| source.take_option(name, value));
    Ok(source)
}

fn options(rest: &mut &[u8]) -> Result<Vec<(String, String)>, &'static str> {
    let mut options = Vec::new();
    let Some(mut inside) = rest.strip_prefix(b"[").map(<[u8]>::trim_ascii_start) else { return Ok(options) };
    while !inside.starts_with(b"]") {
        let before = inside;
        let mut option = word(&mut inside).ok_or("its options have no end")?;
        if option.ends_with(']') {
            option.pop();
            let end = before.len() - inside.len();
            let bracket = before.get(..end).and_then(|taken| taken.iter().rposition(|b| *b == b']')).unwrap_or(end);
            inside = before.get(bracket..).unwrap_or_default();
        }
        match option.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                options.push((name.to_owned(), value.to_owned()));
            }
            _ => return Err("an option has no name or no value"),
        }
    }
    *rest = inside.get(1..).unwrap_or_default().trim_ascii_start();
    Ok(options)
}

/// Takes the next word as apt does: quotation marks and square brackets keep blanks together, `%20` is a blank.
fn word(rest: &mut &[u8]) -> Option<String> {
    let text = rest.trim_ascii_start();
    let mut end = 0;
    while let Some(byte) = text.get(end).filter(|b| !b.is_ascii_whitespace()) {
        let closing = match byte {
            b'"' => Some(b'"'),
            b'[' => Some(b']'),
            _ => None,
        };
        if let Some(closing) = closing {
            end += 1 + text.get(end + 1..)?.iter().position(|b| *b == closing)?;
        }
        end += 1;
    }
    let (word, after) = text.split_at_checked(end)?;
    *rest = after.trim_ascii_start();
    (!word.is_empty()).then(|| decoded(word))
}

fn decoded(word: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|code| byte == b'%' && code.iter().all(u8::is_ascii_hexdigit));
        let value = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.extend(value.or((byte != b'"').then_some(byte)));
        rest = value.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A `#` ends the line, except in square brackets.
fn without_comment(line: &[u8]) -> &[u8] {
    let mut open = 0;
    let end = line.iter().position(|byte| {
        match byte {
            b'[' => open += 1,
            b']' => open -= 1,
            _ => {}
        }
        *byte == b'#' && open <= 0
    });
    end.and_then(|end| line.get(..end)).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::lines;
    use super::*;

    fn told(text: &str) -> Vec<String> {
        lines(&parse(text.as_bytes()))
    }

    #[test]
    fn entries_are_read_as_apt_reads_them() {
        assert_eq!(
            told(
                "# words\n\
                 deb http://a.example/debian stable main contrib # words\r\n\
                 \tdeb\t[ arch=amd64,i386 trusted=yes ] http://b.example ./\n\
                 deb [signed-by=/k#1.gpg lang=none] http://c.example stable main\n\
                 deb [allow-insecure=1] \"http://d.example/a b\" stable main\n\
                 deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - Official]/ bookworm main\n\
                 deb [trusted=no] http://e.example/%7eme stable main\n\
                 deb-src http://a.example/debian stable main\n"
            ),
            [
                "true true deb http://a.example/debian stable main contrib",
                "true false deb http://b.example ./",
                "true true deb http://c.example stable main",
                "true false deb http://d.example/a b stable main",
                "true true deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - Official]/ bookworm main",
                "true true deb http://e.example/~me stable main",
            ]
        );
    }

    #[test]
    fn what_is_no_entry_is_told_with_its_line() {
        assert_eq!(
            told(
                "deb\nrpm http://x y z\n\ndeb http://x stable\ndeb http://x ./ main\ndeb nothing stable main\n\
                 deb [arch=amd64 http://x stable main\ndeb [arch] http://x stable main\ndeb http://x%0a y main\n\
                 deb [arch=amd64"
            ),
            [
                "1: it has a type only",
                "2: its type is neither deb nor deb-src",
                "4: a suite needs components, and one that ends with a slash has none",
                "5: a suite needs components, and one that ends with a slash has none",
                "6: its URI has no scheme",
                "7: an option has no name or no value",
                "8: an option has no name or no value",
                "9: it has control characters",
                "10: its options have no end",
            ]
        );
    }

    #[test]
    fn whole_entries_in_comments_are_disabled_ones() {
        assert_eq!(
            told(
                "# deb http://a.example stable main\n#deb [trusted=yes] http://b.example ./\n## deb-src http://a x y\n\
                 # deb lines: see the manual, or http://x\n# deb http://x stable\n# debug\n#\n # # deb file:/x a b\n\
                 # deb http://x stable, or testing\n"
            ),
            [
                "false true deb http://a.example stable main",
                "false false deb http://b.example ./",
                "false true deb file:/x a b"
            ]
        );
    }

    fn switched_first(text: &[u8], enabled: bool) -> Vec<u8> {
        let place = parse(text).written.first().unwrap().place.clone();
        switched(text, &place, enabled)
    }

    #[test]
    fn a_line_is_commented_out_and_back() {
        let on = |text: &str| String::from_utf8(switched_first(text.as_bytes(), true)).unwrap();
        assert_eq!(on("#deb http://x a b\r\n"), "deb http://x a b\r\n");
        assert_eq!(on("x\n # # deb http://x a b # why\n\n"), "x\n deb http://x a b # why\n\n");
        assert_eq!(switched_first(b"  deb http://x a b", false), b"#   deb http://x a b");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
            parse(&[b"deb [", bytes.as_slice()].concat());
            parse(&[b"# deb ", bytes.as_slice()].concat());
        }

        #[test]
        fn switching_twice_changes_nothing_else(
            before in "(#[ a-z]{0,9}\n|deb-src http://s a b\n|deb http://o a b\r?\n|\n){0,4}",
            blanks in "[ \t]{0,3}",
            options in "(\\[ ?arch=(amd64|i386) ?\\] )?",
            words in "[a-z]{1,8} [a-z]{1,5}( [a-z]{1,5}){1,2}",
            end in "[ \t]{0,2}(#[ a-z]{0,5})?(\r?\n([ -~]{0,9}\n?)?)?",
        ) {
            let text = format!("{before}{blanks}deb {options}http://x/{words}{end}").into_bytes();
            let count = before.matches("deb http").count();
            let at = |text: &[u8]| {
                let written = parse(text).written.swap_remove(count);
                (written.enabled, written.place)
            };
            let (enabled, place) = at(&text);
            prop_assert!(enabled);
            let off = switched(&text, &place, false);
            let (enabled, place) = at(&off);
            prop_assert!(!enabled);
            let others = |text: &[u8]| {
                let mut written: Vec<String> = parse(text).written.iter().map(|w| format!("{} {}", w.enabled, w.source)).collect();
                written.swap_remove(count);
                written
            };
            prop_assert_eq!(others(&text), others(&off));
            prop_assert_eq!(switched(&off, &place, true), text);
        }
    }
}
