//! Query text as tokens with their places.

use std::sync::Arc;

use super::{Comparison, Place, QueryError};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Word(Arc<str>),
    /// A string in either kind of quotes, its escapes resolved.
    Text(Arc<str>),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Real(f64),
    /// A comparison sign.
    Comparison(Comparison),
    /// Any of `()[],.*`.
    Sign(char),
    /// `::`
    Scope,
    /// The end of the text.
    End,
}

impl Token {
    /// How a message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("\"{}\"", word.chars().take(40).collect::<String>()),
            Self::Text(_) => "a string".to_owned(),
            Self::Integer(n) => format!("the number {n}"),
            Self::Real(n) => format!("the number {n}"),
            Self::Comparison(comparison) => format!("\"{}\"", comparison.sign()),
            Self::Sign(sign) => format!("\"{sign}\""),
            Self::Scope => "\"::\"".to_owned(),
            Self::End => "the end of the query".to_owned(),
        }
    }
}

/// Cuts a text into tokens.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    at: Place,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, at: Place { position: 0, line: 1, column: 1 } }
    }

    /// The next token and where it starts.
    pub(super) fn next(&mut self) -> Result<(Token, Place), QueryError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
        let at = self.at;
        let Some(first) = self.peek() else { return Ok((Token::End, at)) };
        let token = match first {
            '\'' | '"' => Token::Text(self.text(first)?),
            '0'..='9' | '+' | '-' => self.number(at)?,
            '.' if self.second().is_some_and(|c| c.is_ascii_digit()) => self.number(at)?,
            '(' | ')' | '[' | ']' | ',' | '.' | '*' => {
                self.bump();
                Token::Sign(first)
            }
            '=' | '<' | '>' | '!' => Token::Comparison(self.comparison(at)?),
            ':' if self.second() == Some(':') => {
                self.bump();
                self.bump();
                Token::Scope
            }
            c if is_name(c) => Token::Word(self.take_while(is_name).into()),
            other => return Err(QueryError::new(at, format!("{other:?} means nothing in a query"))),
        };
        Ok((token, at))
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.at.position += c.len_utf8();
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let all = self.rest;
        while self.peek().is_some_and(&belongs) {
            self.bump();
        }
        all.get(..all.len() - self.rest.len()).unwrap_or_default()
    }

    fn comparison(&mut self, at: Place) -> Result<Comparison, QueryError> {
        const SIGNS: [(&str, Comparison); 7] = [
            ("<>", Comparison::NotEqual),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let (sign, comparison) = SIGNS
            .into_iter()
            .find(|(sign, _)| self.rest.starts_with(sign))
            .ok_or_else(|| QueryError::new(at, "write NOT, or != between two values"))?;
        for _ in sign.chars() {
            self.bump();
        }
        Ok(comparison)
    }

    /// A quote inside is written with a backslash before it or twice.
    fn text(&mut self, quote: char) -> Result<Arc<str>, QueryError> {
        let start = self.at;
        self.bump();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.bump() {
                None => return Err(QueryError::new(start, format!("this string does not end with {quote}"))),
                Some('\\') => self.escape(at, &mut text)?,
                Some(c) if c == quote => {
                    if self.peek() != Some(quote) {
                        return Ok(text.into());
                    }
                    self.bump();
                    text.push(quote);
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, at: Place, text: &mut String) -> Result<(), QueryError> {
        match self.bump() {
            Some('b') => text.push('\u{8}'),
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('f') => text.push('\u{c}'),
            Some('r') => text.push('\r'),
            Some('u' | 'x') => {
                let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                text.push(code.ok_or_else(|| QueryError::new(at, "four hexadecimal digits of a character follow"))?);
                for _ in 0..4 {
                    self.bump();
                }
            }
            Some(c @ ('\\' | '\'' | '"')) => text.push(c),
            // Patterns of LIKE have backslashes of their own before other signs.
            Some(c) if !c.is_alphanumeric() => text.extend(['\\', c]),
            _ => return Err(QueryError::new(at, "write a backslash twice if a backslash is meant")),
        }
        Ok(())
    }

    /// Decimal, hexadecimal (`0x1F`) or real.
    fn number(&mut self, at: Place) -> Result<Token, QueryError> {
        let all = self.rest;
        let mut last = ' ';
        while let Some(c) = self.peek() {
            let sign = matches!(c, '+' | '-') && matches!(last, ' ' | 'e' | 'E');
            if !(c.is_ascii_alphanumeric() || c == '.' || sign) {
                break;
            }
            last = c;
            self.bump();
        }
        let text = all.get(..all.len() - self.rest.len()).unwrap_or_default();
        integer(text)
            .map(Token::Integer)
            .or_else(|| real(text).map(Token::Real))
            .ok_or_else(|| QueryError::new(at, "this is not a number, or none that CIM has a type for"))
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric())
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (radix, digits) = hexadecimal.map_or((10, digits), |rest| (16, rest));
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let number = if negative { -magnitude } else { magnitude };
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number).then_some(number)
}

fn real(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let marked = text.contains(['.', 'e', 'E']);
    text.parse().ok().filter(|n: &f64| plain && marked && n.is_finite())
}
