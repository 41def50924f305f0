//! Reads documents of YAML, as the lists of modules are written.

use std::io;

use saphyr_parser::{Event, Parser};

/// How deep values may lie in each other; those of modules lie ten deep.
const DEEPEST: usize = 64;

/// A value. What stands for another one, an alias, is left empty: modules have none, and they can make a short text endless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A text, or what is written like one.
    Text(String),
    /// Values in order.
    List(Vec<Self>),
    /// Values by keys; of a key that is no text the value is left out.
    Map(Vec<(String, Self)>),
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The text under a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The texts among the items of a list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(|item| match item {
            Self::Text(text) => Some(text.as_str()),
            Self::List(_) | Self::Map(_) => None,
        })
    }

    /// The keys with their values.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            Self::Text(_) | Self::List(_) => &[],
        }
    }
}

/// A list or map whose end was not met yet.
enum Open {
    List(Vec<Node>),
    Map {
        entries: Vec<(String, Node)>,
        /// The key whose value comes next; its inner value is `None` for one that is no text.
        key: Option<Option<String>>,
    },
}

/// Hands over the documents of a text one by one. What is handed over before damage is found counts.
pub(super) fn read(text: &str, mut take: impl FnMut(&Node)) -> io::Result<()> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| damaged(&error.to_string()))?;
        let whole = match event {
            Event::Scalar(text, ..) => Some(Node::Text(text.into_owned())),
            Event::Alias(_) => Some(Node::Text(String::new())),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Map { entries: Vec::new(), key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|ended| match ended {
                Open::List(items) => Node::List(items),
                Open::Map { entries, .. } => Node::Map(entries),
            }),
            _ => None,
        };
        if open.len() > DEEPEST {
            return Err(damaged("its values lie too deep in each other"));
        }
        if let Some(whole) = whole {
            match open.last_mut() {
                Some(around) => around.add(whole),
                None => take(&whole),
            }
        }
    }
    Ok(())
}

impl Open {
    fn add(&mut self, node: Node) {
        match self {
            Self::List(items) => items.push(node),
            Self::Map { entries, key } => match key.take() {
                Some(Some(name)) => entries.push((name, node)),
                Some(None) => {}
                None => {
                    *key = Some(match node {
                        Node::Text(name) => Some(name),
                        Node::List(_) | Node::Map(_) => None,
                    });
                }
            },
        }
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn documents(text: &str) -> (io::Result<()>, Vec<Node>) {
        let mut found = Vec::new();
        (read(text, |node| found.push(node.clone())), found)
    }

    #[test]
    fn documents_are_read_one_by_one() {
        let text = "---\na: 1\nb: {c: [x, \"y z\"], ? [k] : v}\nd: >-\n  long\n  text\n...\n---\n- &x e\n- *x\n";
        let (result, found) = documents(text);
        result.unwrap();
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.text("a"), first.text("d"), first.text("b")), (Some("1"), Some("long text"), None));
        let inner = first.get("b").unwrap();
        assert_eq!(inner.get("c").unwrap().texts().collect::<Vec<_>>(), ["x", "y z"]);
        assert_eq!(inner.entries().len(), 1);
        assert_eq!(second.texts().collect::<Vec<_>>(), ["e", ""]);
    }

    #[test]
    fn what_comes_before_damage_counts() {
        let (result, found) = documents("---\na: 1\n---\nb: [\n");
        assert!(result.is_err());
        assert_eq!(found.len(), 1);
        assert!(documents(&"[".repeat(100_000)).0.is_err());
    }

    #[test]
    fn what_stands_for_much_is_not_made_much() {
        let bomb = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n";
        let (_, found) = documents(bomb);
        assert_eq!(found[0].get("c").unwrap().texts().collect::<Vec<_>>(), [""; 4]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(---\n|[a-c: \n]|- |\\[|\\]|\\{|\\}|,|&a |\\*a|\\| |>-|'|\"|\\?|\\PC){0,40}") {
            let _ = documents(&text);
        }
    }
}
