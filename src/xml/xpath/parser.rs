//! The grammar of Annex D.3, by descent; how deep is limited by [`MAX_NESTING`].

use super::lexer::{Token, shortened, tokens};
use super::{
    Anchor, Comparison, Condition, End, MAX_LENGTH, MAX_NESTING, MAX_STEPS, Operand, Path, Predicate, Step, XPath,
    XPathError,
};

type Parsed<T> = Result<T, XPathError>;

pub(super) fn parse(text: &str) -> Parsed<XPath> {
    if text.len() > MAX_LENGTH {
        return Err(XPathError { position: 1, message: format!("an expression has at most {MAX_LENGTH} octets") });
    }
    Parser { tokens: tokens(text)?, next: 0, nesting: 0 }.expression()
}

struct Parser<'a> {
    tokens: Vec<(Token<'a>, usize)>,
    next: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn expression(mut self) -> Parsed<XPath> {
        let xpath = if self.takes("/") {
            XPath { anchor: Anchor::Document, path: self.path_from_document(true)? }
        } else if self.takes("..") {
            self.expect("/", "/ and the root element's name are")?;
            XPath { anchor: Anchor::Document, path: self.path_from_document(false)? }
        } else {
            XPath { anchor: Anchor::Root, path: self.path()? }
        };
        match self.peek() {
            Token::End => Ok(xpath),
            Token::Comparison(_) | Token::Name("and" | "or") => Err(self.fail(
                "a condition stands in brackets behind the element that it selects, as in ../a[b=\"c\"]".to_owned(),
            )),
            _ => Err(self.expected("the end of the expression is")),
        }
    }

    /// What follows `/` or `../` at the start.
    fn path_from_document(&mut self, may_be_empty: bool) -> Parsed<Path> {
        if may_be_empty && self.peek() == Token::End {
            return Ok(Path { steps: Vec::new(), end: End::Element });
        }
        let path = match self.peek() {
            Token::Name(_) => self.steps()?,
            _ => return Err(self.expected("the root element's name is")),
        };
        if path.steps.is_empty() {
            return Err(self.fail("text() stands behind an element, as in /a/text()".to_owned()));
        }
        Ok(path)
    }

    /// A path from the element that is looked at: `.`, `./a` or as [`Self::steps`].
    fn path(&mut self) -> Parsed<Path> {
        if self.takes(".") && !self.takes("/") {
            return Ok(Path { steps: Vec::new(), end: End::Element });
        }
        self.steps()
    }

    /// `a/b[1]/c`, perhaps with `text()` or `@x` at the end, or either of them alone.
    fn steps(&mut self) -> Parsed<Path> {
        let mut steps = Vec::new();
        loop {
            if self.takes("@") {
                let name = self.name("an attribute's name is")?;
                return self.ended(Path { steps, end: End::Attribute(name.to_owned()) });
            }
            if self.takes_function("text") {
                self.expect(")", "nothing in text(), but its ) is")?;
                return self.ended(Path { steps, end: End::Text });
            }
            if steps.len() == MAX_STEPS {
                return Err(self.fail(format!("a path has at most {MAX_STEPS} steps")));
            }
            steps.push(self.step()?);
            if !self.takes("/") {
                return Ok(Path { steps, end: End::Element });
            }
        }
    }

    /// A path behind whose end no step and no predicate may follow.
    fn ended(&self, path: Path) -> Parsed<Path> {
        match self.peek() {
            Token::Sign("/" | "[") => {
                Err(self
                    .fail("nothing follows text() or an attribute: put [ ] behind the element before it".to_owned()))
            }
            _ => Ok(path),
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        if self.second() == Token::Sign("(") {
            return Err(self.expected("an element's name is"));
        }
        let name = self.name("an element's name is")?;
        let mut predicates = Vec::new();
        while self.peek() == Token::Sign("[") {
            predicates.push(self.nested(Self::predicate)?);
            self.expect("]", "an operator or ] is")?;
        }
        Ok(Step { name: name.to_owned(), predicates })
    }

    fn predicate(&mut self) -> Parsed<Predicate> {
        let (Token::Number(digits), Token::Sign("]")) = (self.peek(), self.second()) else {
            return self.condition().map(Predicate::Condition);
        };
        match digits.parse() {
            Ok(index @ 1..) => {
                self.next += 1;
                Ok(Predicate::Index(index))
            }
            _ => Err(self.fail(format!("an index is a whole number from 1 to {}", u32::MAX))),
        }
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.conjunction()?];
        while self.takes_word("or") {
            all.push(self.conjunction()?);
        }
        Ok(one_or(all, Condition::Or))
    }

    fn conjunction(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.relation()?];
        while self.takes_word("and") {
            all.push(self.relation()?);
        }
        Ok(one_or(all, Condition::And))
    }

    fn relation(&mut self) -> Parsed<Condition> {
        let negated = self.peek() == Token::Name("not") && self.second() == Token::Sign("(");
        self.next += usize::from(negated);
        if self.peek() == Token::Sign("(") {
            let inner = self.nested(Self::condition)?;
            self.expect(")", "an operator or ) is")?;
            return Ok(if negated { Condition::Not(Box::new(inner)) } else { inner });
        }
        let start = self.next;
        let left = self.operand()?;
        if let Some(comparison) = self.takes_comparison() {
            return Ok(Condition::Compare { left, comparison, right: self.operand()? });
        }
        match left {
            Operand::Path(path) => Ok(Condition::Exists(path)),
            Operand::Text(_) | Operand::Number(_) => {
                self.next = start;
                Err(self.fail("compare this value with something; an index stands alone in its brackets".to_owned()))
            }
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Token::Text(text) => {
                self.next += 1;
                Ok(Operand::Text(text.to_owned()))
            }
            Token::Number(digits) => {
                let number = digits.parse().ok().filter(|n: &f64| n.is_finite());
                let number = number.ok_or_else(|| self.fail("this number is too large".to_owned()))?;
                self.next += 1;
                Ok(Operand::Number(number))
            }
            Token::Sign("/" | "..") => {
                Err(self.fail("a condition's paths lead down from the element before the bracket".to_owned()))
            }
            Token::Name(_) | Token::Sign("." | "@") => self.path().map(Operand::Path),
            _ => Err(self.expected("a path, a string or a number is")),
        }
    }

    /// Goes past an opening bracket, and one level down for what is in it.
    fn nested<T>(&mut self, inside: fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting == MAX_NESTING {
            return Err(self.fail(format!("brackets and parentheses nest at most {MAX_NESTING} deep")));
        }
        self.next += 1;
        self.nesting += 1;
        let parsed = inside(self)?;
        self.nesting -= 1;
        Ok(parsed)
    }

    fn name(&mut self, what: &str) -> Parsed<&'a str> {
        let Token::Name(name) = self.peek() else { return Err(self.expected(what)) };
        self.next += 1;
        Ok(name)
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let there = self.peek() == Token::Sign(sign);
        self.next += usize::from(there);
        there
    }

    /// Takes an operator that reads like a name; where an operand is expected it is one.
    fn takes_word(&mut self, word: &str) -> bool {
        let there = self.peek() == Token::Name(word);
        self.next += usize::from(there);
        there
    }

    /// Takes a function's name and its opening parenthesis.
    fn takes_function(&mut self, name: &str) -> bool {
        let there = self.peek() == Token::Name(name) && self.second() == Token::Sign("(");
        self.next += 2 * usize::from(there);
        there
    }

    fn takes_comparison(&mut self) -> Option<Comparison> {
        let Token::Comparison(comparison) = self.peek() else { return None };
        self.next += 1;
        Some(comparison)
    }

    fn expect(&mut self, sign: &'static str, what: &str) -> Parsed<()> {
        if self.takes(sign) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.next).map_or(Token::End, |(token, _)| *token)
    }

    fn second(&self) -> Token<'a> {
        self.tokens.get(self.next + 1).map_or(Token::End, |(token, _)| *token)
    }

    fn expected(&self, what: &str) -> XPathError {
        let found = self.peek();
        match (found, self.second()) {
            (Token::Name(name), Token::Sign("(")) => self.unknown_function(name),
            _ => self.fail(format!("{what} expected here, not {}", found.shown())),
        }
    }

    fn unknown_function(&self, name: &str) -> XPathError {
        if name == "not" {
            return self.fail("not() stands around a whole condition, as in ../a[not(b=\"c\")]".to_owned());
        }
        let name = shortened(name);
        self.fail(format!(
            "{name}() is not supported: there are only not() around a condition, text() at the end of a path, and [1] \
             for the first of several"
        ))
    }

    /// An error at the present token.
    fn fail(&self, message: String) -> XPathError {
        let position = self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |(_, position)| *position);
        XPathError { position, message }
    }
}

fn one_or(mut all: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            all.extend(last);
            many(all)
        }
    }
}
