//! The language of apt's configuration (`apt.conf(5)`), as apt 2.6 reads it. What a text says is only handed over: it may name
//! programs and files, and none of them is run or opened.

mod comments;
mod words;

use self::comments::Comments;
use self::words::{is_blank, quoted, word};

/// What a text says about the tree of options, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement<'a> {
    /// An option has a value.
    Set(Name<'a>, &'a str),
    /// This option and all below it have no value any more.
    Clear(&'a str),
    /// Here stands what another file or folder says.
    Include(&'a str),
}

/// The name of an option: the block that it stands in, and what it is called there. Neither is put into one text, as blocks may
/// be nested as deep as the text is long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    block: &'a str,
    /// `None` if the value is that of the block.
    own: Option<&'a str>,
}

impl Name<'_> {
    /// Whether this is the option of this whole name. Upper and lower case are the same to apt.
    pub(super) fn is(&self, whole: &str) -> bool {
        let Some(own) = self.own.filter(|_| !self.block.is_empty()) else {
            return self.own.unwrap_or(self.block).eq_ignore_ascii_case(whole);
        };
        let rest = whole.get(..self.block.len()).filter(|start| start.eq_ignore_ascii_case(self.block));
        let rest = rest.and_then(|start| whole.get(start.len()..)?.strip_prefix("::"));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(own))
    }
}

/// Why apt would refuse a text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(super) struct Damage {
    /// Counted from 1.
    line: usize,
    why: &'static str,
}

/// Hands over what a text says, up to the place where apt would refuse it.
pub(super) fn read(text: &str, mut take: impl FnMut(Statement<'_>)) -> Result<(), Damage> {
    let (mut comments, mut blocks, mut pending) = (Comments::default(), Blocks::default(), String::new());
    let mut number = 0;
    for line in text.split('\n') {
        number += 1;
        let line = comments.taken_out_of(&line.replace('\t', " "));
        let mut rest = line.as_str();
        while let Some((before, end, after)) = up_to_end(rest) {
            append(&mut pending, before);
            rest = after;
            blocks.statement(&pending, end, &mut take).map_err(|why| Damage { line: number, why })?;
            pending.clear();
        }
        append(&mut pending, rest);
    }
    if pending.is_empty() { Ok(()) } else { Err(Damage { line: number, why: "the last statement has no end" }) }
}

/// What ends a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A block begins.
    Open,
    /// The block ends.
    Close,
    Semicolon,
}

/// The text before the first end of a statement that is not quoted, that end, and the text behind it.
fn up_to_end(line: &str) -> Option<(&str, End, &str)> {
    let mut is_quoted = false;
    line.char_indices().find_map(|(at, c)| {
        is_quoted ^= c == '"';
        let end = match c {
            '{' => End::Open,
            '}' => End::Close,
            ';' => End::Semicolon,
            _ => return None,
        };
        (!is_quoted).then_some(())?;
        Some((line.get(..at)?, end, line.get(at + 1..)?))
    })
}

/// The parts of a statement that stand on several lines are as far apart as blanks put them.
fn append(pending: &mut String, part: &str) {
    let part = part.trim_matches(is_blank);
    if !pending.is_empty() && !part.is_empty() {
        pending.push(' ');
    }
    pending.push_str(part);
}

/// The blocks that are open.
#[derive(Debug, Default)]
struct Blocks {
    /// The whole name of the innermost.
    name: String,
    /// How long it was outside of each.
    lengths: Vec<usize>,
}

impl Blocks {
    fn enter(&mut self, name: &str) {
        self.lengths.push(self.name.len());
        if !self.name.is_empty() {
            self.name.push_str("::");
        }
        self.name.push_str(name);
    }

    /// apt minds no end too many.
    fn leave(&mut self) {
        self.name.truncate(self.lengths.pop().unwrap_or_default());
    }

    fn statement(&mut self, text: &str, end: End, take: &mut impl FnMut(Statement<'_>)) -> Result<(), &'static str> {
        match (text.is_empty(), end) {
            (true, End::Open) => return Err("a block has no name"),
            (true, _) => {}
            (false, _) => self.say(text, end, take)?,
        }
        if end == End::Close {
            self.leave();
        }
        Ok(())
    }

    fn say(&mut self, text: &str, end: End, take: &mut impl FnMut(Statement<'_>)) -> Result<(), &'static str> {
        let (first, rest) = word(text).ok_or("a name is damaged")?;
        let second = quoted(rest).map(|value| (value, "")).or_else(|| word(rest));
        let (second, rest) = second.map_or((None, rest), |(value, rest)| (Some(value), rest));
        if !rest.is_empty() {
            return Err("something stands behind a value");
        }
        match (end, second) {
            (End::Open, value) => {
                self.enter(&first);
                if let Some(value) = &value {
                    take(Statement::Set(Name { block: &self.name, own: None }, value));
                }
            }
            (_, Some(value)) if first.starts_with('#') => self.directive(&first, &value)?.into_iter().for_each(take),
            (_, Some(value)) => take(Statement::Set(Name { block: &self.name, own: Some(&first) }, &value)),
            // A value without a name is a further one of a list.
            (_, None) if first == "#clear" => return Err("it is not told what is to be cleared"),
            (_, None) => take(Statement::Set(Name { block: &self.name, own: Some("") }, &first)),
        }
        Ok(())
    }

    fn directive<'s>(&self, directive: &str, of: &'s str) -> Result<Option<Statement<'s>>, &'static str> {
        match directive {
            _ if !self.name.is_empty() => Err("a directive stands in a block"),
            "#clear" => Ok(Some(Statement::Clear(of))),
            "#include" => Ok(Some(Statement::Include(of))),
            // It decides on warnings alone.
            "#x-apt-configure-index" => Ok(None),
            _ => Err("there is no such directive"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (Vec<String>, Option<usize>) {
        let mut said = Vec::new();
        let result = read(text, |statement| {
            said.push(match statement {
                Statement::Set(Name { block, own }, value) => format!("{block}|{}={value}", own.unwrap_or("^")),
                Statement::Clear(name) => format!("clear {name}"),
                Statement::Include(file) => format!("include {file}"),
            });
        });
        (said, result.err().map(|damage| damage.line))
    }

    #[test]
    fn statements_are_read() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("a \"1\"; b::c 2;", &["|a=1", "|b::c=2"]),
            ("a { b \"1\"; c { d \"2\" } }; e \"3\";", &["a|b=1", "a::c|d=2", "|e=3"]),
            ("a \"x\" { \"1\"; 2; };", &["a|^=x", "a|=1", "a|=2"]),
            ("a\n  \"x y\"\n\"z\";", &["|a=x y z"]),
            (
                "a \"1\"; // b \"2\";\n# c \"3\";\nd \"// # /* \"; /* e \"5\";\n{ */ f \"6\";",
                &["|a=1", "|d=// # /* ", "|f=6"],
            ),
            ("#clear a::b;\n#include \"/x\";", &["clear a::b", "include /x"]),
            ("a%3A%3ab \"%31\"; c %31;", &["|a::b=%31", "|c=1"]),
            ("}} a \"1\";", &["|a=1"]),
        ] {
            assert_eq!(said(text), (expected.iter().map(|line| (*line).to_owned()).collect(), None), "{text}");
        }
    }

    #[test]
    fn what_apt_refuses_ends_the_text() {
        for (text, line) in [
            ("a \"1\";\n{ };", 2),
            ("a b c;", 1),
            ("\na \"1\"", 2),
            ("a { #clear b; };", 1),
            ("#clear;", 1),
            ("#clears x;", 1),
            ("a[b;", 1),
        ] {
            assert_eq!(said(text).1, Some(line), "{text}");
        }
        assert_eq!(said("a \"1\"; b b b; c \"1\";").0, ["|a=1"]);
    }

    #[test]
    fn a_name_is_that_of_the_block_and_its_own() {
        for (block, own, whole, expected) in [
            ("", Some("A::B"), "a::b", true),
            ("a", Some("b"), "A::B", true),
            ("a::b", None, "A::B", true),
            ("a", Some(""), "a", false),
            ("a", None, "a::b", false),
            ("a:", Some("b"), "a::b", false),
            ("ä", Some("b"), "xx::b", false),
            ("ab", Some("c"), "ä::c", false),
            ("a", Some("ä"), "aä", false),
        ] {
            assert_eq!(Name { block, own }.is(whole), expected, "{block:?} {own:?} {whole}");
        }
    }

    #[test]
    fn what_is_nested_deep_takes_no_room_and_no_time() {
        let text = "aaaaaaa{".repeat(100_000) + &"b 1;".repeat(10_000) + &"}".repeat(100_000) + "c \"1\";";
        let mut found = 0;
        read(&text, |statement| found += usize::from(matches!(statement, Statement::Set(name, _) if name.is("c"))))
            .unwrap();
        assert_eq!(found, 1);
    }
}
