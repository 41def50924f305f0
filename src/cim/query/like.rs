//! Patterns of LIKE, matched in time that grows with text times pattern and never faster.

use super::Language;

/// The longest pattern, in characters that match something, each range of a set counted; also of all patterns of a query together, because an
/// instance may be compared with each of them.
pub(super) const MAX_ITEMS: usize = 256;

/// A compiled pattern; it must match the whole text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    items: Vec<Item>,
    /// What every text that has the pattern begins with; most texts are told apart by that already.
    beginning: String,
    /// What every such text ends with.
    end: String,
    ignore_case: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Item {
    accepts: Accepts,
    /// Any number of characters, none included, instead of one.
    repeated: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Accepts {
    Any,
    One(char),
    Set { ranges: Vec<(char, char)>, negated: bool },
}

impl Accepts {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::One(own) => *own == c,
            Self::Set { ranges, negated } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        }
    }
}

impl Pattern {
    /// CQL (DSP0202, basic like): `.` is any character, `*` after a character any number of it. WQL: `%` is any text,
    /// `_` any character, `[a-f]` and `[^a-f]` sets. A backslash takes its meaning from the sign after it.
    pub(super) fn new(pattern: &str, language: Language) -> Result<Self, String> {
        let items = match language {
            Language::Cql => cql(pattern),
            Language::Wql => wql(&folded(pattern)),
        }?;
        if length(&items) > MAX_ITEMS {
            return Err(format!("a pattern of LIKE has at most {MAX_ITEMS} characters"));
        }
        let (beginning, end) = (literals(items.iter()), literals(items.iter().rev()).chars().rev().collect());
        Ok(Self { items, beginning, end, ignore_case: language == Language::Wql })
    }

    /// How much a character of a text is compared with.
    pub(super) fn length(&self) -> usize {
        length(&self.items)
    }

    /// Whether the whole text has the pattern.
    pub(super) fn matches(&self, text: &str) -> bool {
        if self.ignore_case { self.has(&folded(text)) } else { self.has(text) }
    }

    fn has(&self, text: &str) -> bool {
        text.starts_with(&self.beginning) && text.ends_with(&self.end) && self.walk(text.chars())
    }

    /// Keeps the set of all places in the pattern where the text read so far may end.
    fn walk(&self, text: impl Iterator<Item = char>) -> bool {
        // On the stack: a search matches a text of every instance.
        let (mut places, mut next) = ([false; MAX_ITEMS + 1], [false; MAX_ITEMS + 1]);
        let (Some(mut places), Some(mut next)) =
            (places.get_mut(..=self.items.len()), next.get_mut(..=self.items.len()))
        else {
            return false;
        };
        if let Some(first) = places.first_mut() {
            *first = true;
        }
        self.skip_repeated(places);
        for c in text {
            next.fill(false);
            let mut alive = false;
            for (i, item) in self.items.iter().enumerate() {
                if places.get(i) == Some(&true) && item.accepts.accepts(c) {
                    alive = true;
                    if let Some(place) = next.get_mut(if item.repeated { i } else { i + 1 }) {
                        *place = true;
                    }
                }
            }
            if !alive {
                return false;
            }
            self.skip_repeated(next);
            std::mem::swap(&mut places, &mut next);
        }
        places.last() == Some(&true)
    }

    fn skip_repeated(&self, places: &mut [bool]) {
        for (i, item) in self.items.iter().enumerate() {
            if item.repeated
                && places.get(i) == Some(&true)
                && let Some(next) = places.get_mut(i + 1)
            {
                *next = true;
            }
        }
    }
}

/// The characters that must stand first, up to the first item that leaves a choice.
fn literals<'p>(items: impl Iterator<Item = &'p Item>) -> String {
    let literal = |item: &Item| match item.accepts {
        Accepts::One(c) if !item.repeated => Some(c),
        _ => None,
    };
    items.map_while(literal).collect()
}

fn length(items: &[Item]) -> usize {
    let compared = |item: &Item| match &item.accepts {
        Accepts::Set { ranges, .. } => ranges.len().max(1),
        Accepts::Any | Accepts::One(_) => 1,
    };
    items.iter().map(compared).sum()
}

fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn cql(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items: Vec<Item> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let accepts = match c {
            '*' => {
                let last = items.last_mut().ok_or("in a pattern * follows what it repeats; .* is any text")?;
                last.repeated = true;
                continue;
            }
            '.' => Accepts::Any,
            '\\' => Accepts::One(chars.next().ok_or("a pattern does not end with a backslash")?),
            c => Accepts::One(c),
        };
        items.push(Item { accepts, repeated: false });
    }
    Ok(items)
}

fn wql(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let accepts = match c {
            '%' | '_' => Accepts::Any,
            '[' => set(&mut chars)?,
            '\\' => Accepts::One(chars.next().ok_or("a pattern does not end with a backslash")?),
            c => Accepts::One(c),
        };
        items.push(Item { accepts, repeated: c == '%' });
    }
    Ok(items)
}

/// What follows `[`.
fn set(chars: &mut std::str::Chars<'_>) -> Result<Accepts, String> {
    let (inside, rest) = chars.as_str().split_once(']').ok_or("in a pattern [ is closed by ]; a [ itself is [[]")?;
    *chars = rest.chars();
    let (negated, inside) = inside.strip_prefix('^').map_or((false, inside), |rest| (true, rest));
    let mut ranges = Vec::new();
    let mut rest = inside.chars();
    while let Some(from) = rest.next() {
        let mut ahead = rest.clone();
        let range = match (ahead.next(), ahead.next()) {
            (Some('-' | '='), Some(to)) => {
                rest = ahead;
                (from, to)
            }
            _ => (from, from),
        };
        ranges.push(range);
    }
    Ok(Accepts::Set { ranges, negated })
}
