//! The comments of apt's configuration: `//` and `#` up to the end of a line, and `/*` up to `*/`.

use super::words::is_blank;

/// What `#` begins that is no comment.
const DIRECTIVES: [&str; 3] = ["clear", "include", "x-apt-configure-index"];

/// Takes comments out of a text, line by line.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// Whether one goes on in the next line.
    is_open: bool,
}

impl Comments {
    /// A line without its comments. Quotation marks count from its beginning, and anew behind each comment.
    pub(super) fn taken_out_of(&mut self, line: &str) -> String {
        let mut rest = line.trim_matches(is_blank);
        if self.is_open {
            let Some((_, after)) = rest.split_once("*/") else { return String::new() };
            self.is_open = false;
            rest = after;
        }
        rest = before(rest, |text| text.starts_with("//"));
        rest = before(rest, |text| {
            text.strip_prefix('#').is_some_and(|text| !DIRECTIVES.iter().any(|directive| text.starts_with(directive)))
        });
        let mut left = String::new();
        loop {
            let start = before(rest, |text| text.starts_with("/*"));
            left.push_str(start);
            let Some(comment) = rest.strip_prefix(start).and_then(|rest| rest.strip_prefix("/*")) else { return left };
            let Some((_, after)) = comment.split_once("*/") else {
                self.is_open = true;
                return left;
            };
            rest = after;
        }
    }
}

/// The text before the first place outside of quotation marks where a comment begins.
fn before(text: &str, begins: impl Fn(&str) -> bool) -> &str {
    let mut is_quoted = false;
    let start = text.char_indices().find(|(at, c)| {
        let is_start = !is_quoted && text.get(*at..).is_some_and(&begins);
        is_quoted ^= *c == '"';
        is_start
    });
    start.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}
