//! MOF text as tokens with their places.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use super::{MofError, Position};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Name(String),
    /// One string literal, its escapes resolved.
    Text(String),
    /// A character literal: one UCS-2 code.
    Character(u16),
    /// An integer, in whatever form it was written.
    Integer(i128),
    /// A real number.
    Real(f64),
    /// Any of `[](){}:;,=#`.
    Sign(char),
    /// The end of the text.
    End,
}

impl Token {
    /// How a message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("\"{name}\""),
            Self::Text(_) => "a string".to_owned(),
            Self::Character(_) => "a character".to_owned(),
            Self::Integer(n) => format!("the number {n}"),
            Self::Real(n) => format!("the number {n}"),
            Self::Sign(sign) => format!("\"{sign}\""),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// Cuts a text into tokens.
pub(super) struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    at: Position,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(file: Arc<str>, text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { chars: text.chars().peekable(), at: Position { file, line: 1, column: 1 } }
    }

    /// The next token and where it starts.
    pub(super) fn next(&mut self) -> Result<(Token, Position), MofError> {
        self.skip_blanks()?;
        let at = self.at.clone();
        let Some(&first) = self.chars.peek() else { return Ok((Token::End, at)) };
        let token = match first {
            '"' => Token::Text(self.text()?),
            '\'' => Token::Character(self.character()?),
            '[' | ']' | '(' | ')' | '{' | '}' | ':' | ';' | ',' | '=' | '#' => {
                self.bump();
                Token::Sign(first)
            }
            '+' | '-' | '.' | '0'..='9' => self.number(&at)?,
            '_' | 'a'..='z' | 'A'..='Z' => Token::Name(self.name()),
            other if !other.is_ascii() && other.is_alphabetic() => Token::Name(self.name()),
            '$' => return Err(self.fail("aliases are not read here; name the class itself")),
            other => return Err(self.fail(format!("{other:?} starts nothing that MOF knows"))),
        };
        Ok((token, at))
    }

    fn fail(&self, message: impl Into<String>) -> MofError {
        MofError { at: self.at.clone(), message: message.into() }
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        if c == '\n' {
            self.at.line = self.at.line.saturating_add(1);
            self.at.column = 1;
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(c)
    }

    fn skip_blanks(&mut self) -> Result<(), MofError> {
        loop {
            match self.chars.peek() {
                Some(c) if c.is_whitespace() => {
                    self.bump();
                }
                Some('/') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), MofError> {
        let start = self.at.clone();
        self.bump();
        match self.bump() {
            Some('/') => while self.chars.peek().is_some_and(|&c| c != '\n') && self.bump().is_some() {},
            Some('*') => {
                let mut last = ' ';
                loop {
                    match self.bump() {
                        Some('/') if last == '*' => return Ok(()),
                        Some(c) => last = c,
                        None => return Err(MofError { at: start, message: "this comment does not end".to_owned() }),
                    }
                }
            }
            _ => return Err(MofError { at: start, message: "a comment starts with // or /*".to_owned() }),
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(&c) = self.chars.peek() {
            if !(c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric())) {
                break;
            }
            name.push(c);
            self.bump();
        }
        name
    }

    fn text(&mut self) -> Result<String, MofError> {
        self.bump();
        let mut units = Vec::new();
        let mut text = String::new();
        loop {
            let at = self.at.clone();
            let escaped = match self.bump() {
                Some('\\') => Some(self.escape()?),
                Some('\n') | None => {
                    return Err(MofError { at, message: "a string ends with \" on the line it starts on".to_owned() });
                }
                Some(c) if c != '"' => {
                    settle(&mut units, &mut text, &at)?;
                    text.push(c);
                    None
                }
                Some(_) => {
                    settle(&mut units, &mut text, &at)?;
                    return Ok(text);
                }
            };
            // Escapes are UTF-16 codes: two of them may make one character.
            units.extend(escaped);
        }
    }

    fn character(&mut self) -> Result<u16, MofError> {
        self.bump();
        let wrong = "a character is one UCS-2 character between ' and '";
        let unit = match self.bump() {
            Some('\\') => self.escape()?,
            Some('\'' | '\n') | None => return Err(self.fail(wrong)),
            Some(c) => u16::try_from(u32::from(c)).map_err(|_| self.fail(wrong))?,
        };
        if self.bump() == Some('\'') { Ok(unit) } else { Err(self.fail(wrong)) }
    }

    /// What follows a backslash (DSP0004 annex A, escapedChar).
    fn escape(&mut self) -> Result<u16, MofError> {
        let unit = match self.bump() {
            Some('b') => 0x08,
            Some('t') => 0x09,
            Some('n') => 0x0A,
            Some('f') => 0x0C,
            Some('r') => 0x0D,
            Some('"') => 0x22,
            Some('\'') => 0x27,
            Some('\\') => 0x5C,
            Some('x' | 'X') => return self.hexadecimal_escape(),
            _ => return Err(self.fail("a backslash is followed by b t n f r \" ' \\ or x and hexadecimal digits")),
        };
        Ok(unit)
    }

    fn hexadecimal_escape(&mut self) -> Result<u16, MofError> {
        let mut unit: Option<u16> = None;
        for _ in 0..4 {
            let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(16)) else { break };
            self.bump();
            unit = Some((unit.unwrap_or(0) << 4) | u16::try_from(digit).unwrap_or(0));
        }
        unit.ok_or_else(|| self.fail("\\x is followed by one to four hexadecimal digits"))
    }

    fn number(&mut self, at: &Position) -> Result<Token, MofError> {
        let mut text = String::new();
        while let Some(&c) = self.chars.peek() {
            let exponent = text.ends_with(['e', 'E']) && !text.contains(['x', 'X']);
            let part =
                c.is_ascii_alphanumeric() || c == '.' || (matches!(c, '+' | '-') && (text.is_empty() || exponent));
            if !part {
                break;
            }
            text.push(c);
            self.bump();
        }
        integer(&text)
            .map(Token::Integer)
            .or_else(|| real(&text).map(Token::Real))
            .ok_or_else(|| MofError { at: at.clone(), message: format!("{:?} is not a number", shown(&text)) })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Turns the codes of adjacent escapes into characters.
fn settle(units: &mut Vec<u16>, text: &mut String, at: &Position) -> Result<(), MofError> {
    for c in char::decode_utf16(units.drain(..)) {
        text.push(
            c.map_err(|_| MofError { at: at.clone(), message: "half a surrogate pair is no character".to_owned() })?,
        );
    }
    Ok(())
}

/// Decimal, hexadecimal (`0x1F`), binary (`101b`) or octal (`017`).
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (radix, digits) = if let Some(rest) = hexadecimal {
        (16, rest)
    } else if let Some(rest) = digits.strip_suffix(['b', 'B']) {
        (2, rest)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `[digits].digits[e±digits]`.
fn real(text: &str) -> Option<f64> {
    let (_, fraction) = text.split_once('.')?;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    if !plain || !fraction.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}
