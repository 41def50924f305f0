//! An expression's text as tokens with their places.

use super::super::characters::{continues_name, is_blank, starts_name};
use super::{Comparison, XPathError};

/// One token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A name; its prefix is dropped.
    Name(&'a str),
    /// A string without its quotes.
    Text(&'a str),
    /// A number as it is written.
    Number(&'a str),
    Comparison(Comparison),
    /// Any of `/ . .. @ [ ] ( )`, and `,`, which stands nowhere that is supported.
    Sign(&'static str),
    End,
}

impl Token<'_> {
    /// How a message names it.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Name(name) => shortened(name),
            Self::Text(_) => "a string".to_owned(),
            Self::Number(digits) => format!("the number {}", shortened(digits)),
            Self::Comparison(comparison) => comparison.sign().to_owned(),
            Self::Sign(sign) => sign.to_owned(),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

/// At most as much of a peer's text as a message shows.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The tokens of a text and the characters they start at, counted from 1; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, XPathError> {
    let mut lexer = Lexer { rest: text, position: 1 };
    let mut all = Vec::new();
    loop {
        lexer.take_while(is_blank);
        let position = lexer.position;
        let token = lexer.token().map_err(|message| XPathError { position, message })?;
        all.push((token, position));
        if token == Token::End {
            return Ok(all);
        }
    }
}

/// Signs that mean something, the longer ones first.
const SIGNS: [(&str, Token<'_>); 15] = [
    ("..", Token::Sign("..")),
    (".", Token::Sign(".")),
    ("/", Token::Sign("/")),
    ("@", Token::Sign("@")),
    ("[", Token::Sign("[")),
    ("]", Token::Sign("]")),
    ("(", Token::Sign("(")),
    (")", Token::Sign(")")),
    (",", Token::Sign(",")),
    ("!=", Token::Comparison(Comparison::NotEqual)),
    ("<=", Token::Comparison(Comparison::LessOrEqual)),
    (">=", Token::Comparison(Comparison::GreaterOrEqual)),
    ("=", Token::Comparison(Comparison::Equal)),
    ("<", Token::Comparison(Comparison::Less)),
    (">", Token::Comparison(Comparison::Greater)),
];

/// Signs that mean something in XPath, but not here, and why not.
const REFUSED: [(&str, &str); 7] = [
    ("//", "a search with // is not supported: write the whole path, as in /a/b"),
    ("::", "axes are not supported: write a for child::a and @a for attribute::a"),
    ("*", "neither * for any name nor multiplication is supported: write the name"),
    ("|", "unions with | are not supported: ask for one path at a time"),
    ("$", "variables are not supported: write the value"),
    ("+", "arithmetic is not supported: write the number itself"),
    ("-", "arithmetic is not supported: write the number itself"),
];

struct Lexer<'a> {
    rest: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self) -> Result<Token<'a>, String> {
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        if matches!(first, '"' | '\'') {
            return self.text(first);
        }
        if starts_name(first) {
            return self.name();
        }
        if let Some(number) = self.number() {
            return Ok(Token::Number(number));
        }
        if let Some((_, why)) = REFUSED.iter().find(|(sign, _)| self.rest.starts_with(sign)) {
            return Err((*why).to_owned());
        }
        let (sign, token) = SIGNS
            .iter()
            .find(|(sign, _)| self.rest.starts_with(sign))
            .ok_or_else(|| format!("{first:?} means nothing in a path"))?;
        self.take(sign.len());
        Ok(*token)
    }

    /// A string has no escapes: it holds the other kind of quotes or none.
    fn text(&mut self, quote: char) -> Result<Token<'a>, String> {
        let inside = self.rest.get(quote.len_utf8()..).unwrap_or_default();
        let (text, _) = inside.split_once(quote).ok_or_else(|| format!("this string does not end with {quote}"))?;
        self.take(text.len() + 2 * quote.len_utf8());
        Ok(Token::Text(text))
    }

    fn name(&mut self) -> Result<Token<'a>, String> {
        let name = self.take_while(continues_name);
        let Some(local) = self.rest.strip_prefix(':').filter(|rest| !rest.starts_with(':')) else {
            return Ok(Token::Name(name));
        };
        if !local.starts_with(starts_name) {
            return Err(format!("a name follows the prefix {}", shortened(name)));
        }
        self.take(1);
        Ok(Token::Name(self.take_while(continues_name)))
    }

    /// Digits with at most one point among them, and a minus before them.
    fn number(&mut self) -> Option<&'a str> {
        let unsigned = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(unsigned);
        let behind = unsigned.get(whole..).unwrap_or_default();
        let fraction = behind.strip_prefix('.').map(digits);
        if whole == 0 && fraction.unwrap_or_default() == 0 {
            return None;
        }
        let sign = self.rest.len() - unsigned.len();
        Some(self.take(sign + whole + fraction.map_or(0, |count| count + 1)))
    }

    fn take_while(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let behind = self.rest.trim_start_matches(belongs);
        self.take(self.rest.len() - behind.len())
    }

    fn take(&mut self, octets: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(octets).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.position += taken.chars().count();
        taken
    }
}
