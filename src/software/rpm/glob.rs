//! Patterns for one text, as `fnmatch(3)` reads them: `*`, `?`, `[a-z]`, `[!a]`, and `\` before what stands for itself.

/// A pattern that a whole text matches or does not.
#[derive(Debug)]
pub(super) struct Glob(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    /// Any characters, or none.
    Any,
    /// Any one character.
    One,
    /// This character.
    Exactly(char),
    /// One of these characters, or, if negated, one of all others.
    Of { ranges: Vec<(char, char)>, negated: bool },
}

impl Piece {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Exactly(this) => *this == character,
            Self::Of { ranges, negated } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) != *negated
            }
        }
    }
}

impl Glob {
    /// Reads a pattern; every text is one.
    pub(super) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            pieces.push(match character {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Exactly(rest.next().unwrap_or('\\')),
                '[' => match set(rest.as_str()) {
                    Some((piece, behind)) => {
                        rest = behind.chars();
                        piece
                    }
                    None => Piece::Exactly('['),
                },
                other => Piece::Exactly(other),
            });
        }
        Self(pieces)
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut pieces, mut text) = (self.0.as_slice(), text.chars());
        // Where to go on if what follows the last `*` does not match here: with one character more taken by it.
        let mut again = None;
        loop {
            match (pieces.split_first(), text.clone().next()) {
                (Some((Piece::Any, behind)), _) => {
                    pieces = behind;
                    again = Some((behind, text.clone()));
                }
                (Some((piece, behind)), Some(character)) if piece.takes(character) => {
                    pieces = behind;
                    text.next();
                }
                (None, None) => return true,
                _ => {
                    let Some((behind, from)) = &mut again else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    (pieces, text) = (behind, from.clone());
                }
            }
        }
    }
}

/// The set that a text begins with behind its opening bracket, and what follows; `None` if the bracket is not closed.
fn set(text: &str) -> Option<(Piece, &str)> {
    let negated = text.starts_with(['!', '^']);
    let mut rest = text.get(usize::from(negated)..)?.chars();
    let mut ranges = Vec::new();
    loop {
        let from = match rest.next()? {
            // As the first of the set it stands for itself.
            ']' if !ranges.is_empty() => return Some((Piece::Of { ranges, negated }, rest.as_str())),
            '\\' => rest.next()?,
            other => other,
        };
        let to = rest.as_str().strip_prefix('-').and_then(|behind| behind.chars().next()).filter(|to| *to != ']');
        if to.is_some() {
            rest.nth(1);
        }
        ranges.push((from, to.unwrap_or(from)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, yes, no) in [
            ("", "", "a"),
            ("a", "a", "b"),
            ("a*", "a", "ba"),
            ("*a*b", "xaxab", "xaxa"),
            ("a**b?", "abx", "ab"),
            ("[a-c]x", "bx", "dx"),
            ("[!a-c]", "d", "a"),
            ("[]x]", "]", "[]x]"),
            ("[a-]", "-", "b"),
            ("[a", "[a", "a"),
            ("\\*", "*", "a"),
            ("\\", "\\", ""),
            ("[\\]]", "]", "\\"),
            ("\u{e4}?", "\u{e4}\u{f6}", "\u{e4}"),
        ] {
            assert!(Glob::new(pattern).matches(yes), "{pattern} {yes}");
            assert!(!Glob::new(pattern).matches(no), "{pattern} {no}");
        }
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_what_leaves_room_for_it(text in "[ab*?\\[\\]\\\\\u{e4}-]{0,12}", at in 0usize..12) {
            let escaped: Vec<String> = text.chars().map(|character| format!("\\{character}")).collect();
            prop_assert!(Glob::new(&escaped.concat()).matches(&text));
            let (before, behind) = escaped.split_at(at.min(escaped.len()));
            let pattern = format!("{}*{}", before.concat(), behind.concat());
            prop_assert!(Glob::new(&pattern).matches(&text));
            let longer = format!("{}?", escaped.concat());
            prop_assert!(!Glob::new(&longer).matches(&text));
            Glob::new(&text).matches(&text);
        }
    }
}
