//! The grammar of queries, by descent along the precedence of OR, AND and NOT.

use std::sync::Arc;

use super::lexer::{Lexer, Token};
use super::{
    Comparison, Condition, Elements, Language, Literal, MAX_DEPTH, Operand, Path, Place, Query, QueryError, Select,
    Step,
};

/// Words that cannot be names.
const RESERVED: [&str; 16] = [
    "SELECT", "FROM", "WHERE", "WITHIN", "GROUP", "AND", "OR", "NOT", "IS", "ISA", "LIKE", "NULL", "TRUE", "FALSE",
    "ANY", "EVERY",
];

/// Windows' classes of intrinsic events and what CIM has for them.
const EVENTS: [(&str, &str); 4] = [
    ("__InstanceCreationEvent", "CIM_InstCreation"),
    ("__InstanceModificationEvent", "CIM_InstModification"),
    ("__InstanceDeletionEvent", "CIM_InstDeletion"),
    ("__InstanceOperationEvent", "CIM_InstIndication"),
];

type Parsed<T> = Result<T, QueryError>;

/// Reads a query with one token of look-ahead.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    language: Language,
    token: Token,
    at: Place,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, language: Language) -> Parsed<Self> {
        let mut lexer = Lexer::new(text);
        let (token, at) = lexer.next()?;
        Ok(Self { lexer, language, token, at, depth: 0 })
    }

    /// `SELECT … FROM … [WITHIN …] [WHERE …]` and nothing after it.
    pub(super) fn query(mut self) -> Parsed<Query> {
        self.expect_word("SELECT")?;
        let select = self.select()?;
        self.expect_word("FROM")?;
        let (from, from_at) = self.name("the class after FROM")?;
        self.within()?;
        let condition = if self.takes_word("WHERE")? { Some(self.condition()?) } else { None };
        if self.token != Token::End {
            return Err(self.expected("the end of the query"));
        }
        let query = Query { language: self.language, select, from, from_at, condition };
        if self.language == Language::Wql { translated(query) } else { Ok(query) }
    }

    fn select(&mut self) -> Parsed<Select> {
        if self.takes('*')? {
            return Ok(Select::All);
        }
        let mut properties = vec![self.path()?];
        while self.takes(',')? {
            properties.push(self.path()?);
        }
        Ok(Select::Properties(properties))
    }

    /// WQL's polling interval is read over: events are told when they happen.
    fn within(&mut self) -> Parsed<()> {
        if self.language == Language::Wql && self.takes_word("WITHIN")? {
            match self.token {
                Token::Integer(n) if n >= 0 => self.advance()?,
                Token::Real(n) if n >= 0.0 => self.advance()?,
                _ => return Err(self.expected("a number of seconds")),
            }
        }
        Ok(())
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let first = self.conjunction()?;
        let mut all = vec![first];
        while self.takes_word("OR")? {
            all.push(self.conjunction()?);
        }
        Ok(one_or(all, Condition::Or))
    }

    fn conjunction(&mut self) -> Parsed<Condition> {
        let first = self.negation()?;
        let mut all = vec![first];
        while self.takes_word("AND")? {
            all.push(self.negation()?);
        }
        Ok(one_or(all, Condition::And))
    }

    fn negation(&mut self) -> Parsed<Condition> {
        if self.is_word("NOT") {
            self.descend()?;
            let inner = self.negation()?;
            self.depth -= 1;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.token == Token::Sign('(') {
            self.descend()?;
            let inner = self.condition()?;
            self.expect(')')?;
            self.depth -= 1;
            return Ok(inner);
        }
        self.predicate()
    }

    /// Goes past the present token, one level down.
    fn descend(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(format!("conditions nest at most {MAX_DEPTH} deep")));
        }
        self.advance()
    }

    fn predicate(&mut self) -> Parsed<Condition> {
        let left = self.operand()?;
        if let Token::Comparison(comparison) = self.token {
            self.advance()?;
            return self.comparison(left, comparison);
        }
        if self.takes_word("IS")? {
            let negated = self.takes_word("NOT")?;
            self.expect_word("NULL")?;
            return Ok(negated_if(negated, Condition::IsNull(left)));
        }
        let negated = self.takes_word("NOT")?;
        if self.takes_word("LIKE")? {
            let (pattern, at) = self.string("a pattern in quotes")?;
            return Ok(negated_if(negated, Condition::Like { operand: left, pattern, at }));
        }
        if self.takes_word("ISA")? {
            let Operand::Path(path) = left else {
                return Err(self.fail("ISA asks a property for its class, not a value"));
            };
            let (class, at) = match self.token {
                Token::Text(_) => self.string("a class")?,
                _ => self.name("a class")?,
            };
            return Ok(negated_if(negated, Condition::Isa { path, class, at }));
        }
        Err(self.expected("a comparison, LIKE, ISA or IS"))
    }

    fn comparison(&mut self, left: Operand, comparison: Comparison) -> Parsed<Condition> {
        let right = self.operand()?;
        if self.language == Language::Wql {
            // Windows reads `= NULL` as IS NULL.
            let null = |operand: &Operand| matches!(operand, Operand::Literal(Literal::Null, _));
            let other = if null(&right) { Some(&left) } else { null(&left).then_some(&right) };
            match (other, comparison) {
                (Some(other), Comparison::Equal) => return Ok(Condition::IsNull(other.clone())),
                (Some(other), Comparison::NotEqual) => {
                    return Ok(negated_if(true, Condition::IsNull(other.clone())));
                }
                _ => {}
            }
        }
        Ok(Condition::Compare { left, comparison, right })
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let at = self.at;
        let literal = match &self.token {
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Integer(n) => Literal::Integer(*n),
            Token::Real(n) => Literal::Real(*n),
            Token::Word(word) if word.eq_ignore_ascii_case("NULL") => Literal::Null,
            Token::Word(word) if word.eq_ignore_ascii_case("TRUE") => Literal::Boolean(true),
            Token::Word(word) if word.eq_ignore_ascii_case("FALSE") => Literal::Boolean(false),
            Token::Word(word) if word.eq_ignore_ascii_case("ANY") => return self.elements(Elements::Any),
            Token::Word(word) if word.eq_ignore_ascii_case("EVERY") => return self.elements(Elements::Every),
            _ => {
                let (path, is_whole) = self.path_or_array()?;
                return Ok(if is_whole { Operand::Elements(Elements::Whole, path) } else { Operand::Path(path) });
            }
        };
        self.advance()?;
        Ok(Operand::Literal(literal, at))
    }

    /// What follows ANY or EVERY.
    fn elements(&mut self, elements: Elements) -> Parsed<Operand> {
        self.advance()?;
        match self.path_or_array()? {
            (path, true) => Ok(Operand::Elements(elements, path)),
            (path, false) => {
                Err(QueryError::new(path.at, format!("ANY and EVERY ask the elements of an array: write {path}[*]")))
            }
        }
    }

    fn path(&mut self) -> Parsed<Path> {
        match self.path_or_array()? {
            (path, false) => Ok(path),
            (path, true) => {
                Err(QueryError::new(path.at, "[*] stands in comparisons only; name the array, or one of its elements"))
            }
        }
    }

    /// A path, and whether `[*]` follows it.
    fn path_or_array(&mut self) -> Parsed<(Path, bool)> {
        let at = self.at;
        let (step, mut is_array) = self.step()?;
        let mut steps = vec![step];
        while !is_array && self.takes('.')? {
            if steps.len() >= MAX_DEPTH {
                return Err(self.fail(format!("a property path has at most {MAX_DEPTH} parts")));
            }
            let (step, is_last) = self.step()?;
            steps.push(step);
            is_array = is_last;
        }
        Ok((Path { steps, at }, is_array))
    }

    /// A part of a path, and whether `[*]` follows it.
    fn step(&mut self) -> Parsed<(Step, bool)> {
        let (mut name, _) = self.name("a property")?;
        let mut class = None;
        if self.token == Token::Scope {
            self.advance()?;
            class = Some(name);
            name = self.name("a property")?.0;
        }
        let index = if self.takes('[')? {
            if self.takes('*')? {
                self.expect(']')?;
                return Ok((Step { class, name, index: None }, true));
            }
            let Token::Integer(n) = self.token else { return Err(self.expected("the number of an element")) };
            let index = usize::try_from(n).map_err(|_| self.fail("elements are counted from 0"))?;
            self.advance()?;
            self.expect(']')?;
            Some(index)
        } else {
            None
        };
        Ok((Step { class, name, index }, false))
    }

    fn name(&mut self, what: &str) -> Parsed<(Arc<str>, Place)> {
        let at = self.at;
        match &self.token {
            Token::Word(word) if is_name(word) => {
                let name = word.clone();
                self.advance()?;
                Ok((name, at))
            }
            _ => Err(self.expected(what)),
        }
    }

    fn string(&mut self, what: &str) -> Parsed<(Arc<str>, Place)> {
        let at = self.at;
        let Token::Text(text) = &self.token else { return Err(self.expected(what)) };
        let text = text.clone();
        self.advance()?;
        Ok((text, at))
    }

    fn advance(&mut self) -> Parsed<()> {
        (self.token, self.at) = self.lexer.next()?;
        Ok(())
    }

    fn takes(&mut self, sign: char) -> Parsed<bool> {
        let found = self.token == Token::Sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn is_word(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn takes_word(&mut self, keyword: &str) -> Parsed<bool> {
        let found = self.is_word(keyword);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: char) -> Parsed<()> {
        if self.takes(sign)? { Ok(()) } else { Err(self.expected(&format!("\"{sign}\""))) }
    }

    fn expect_word(&mut self, keyword: &str) -> Parsed<()> {
        if self.takes_word(keyword)? { Ok(()) } else { Err(self.expected(keyword)) }
    }

    fn expected(&self, what: &str) -> QueryError {
        self.fail(format!("expected {what}, found {}", self.token.shown()))
    }

    fn fail(&self, message: impl Into<String>) -> QueryError {
        QueryError::new(self.at, message)
    }
}

/// A word that may stand for a class or a property.
pub(super) fn is_name(word: &str) -> bool {
    !word.starts_with(|c: char| c.is_ascii_digit()) && !RESERVED.iter().any(|r| r.eq_ignore_ascii_case(word))
}

fn one_or(mut all: Vec<Condition>, many: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            all.push(last);
            many(all)
        }
        (None, _) => many(all),
    }
}

fn negated_if(negated: bool, condition: Condition) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

/// A query over Windows' intrinsic events, said in CIM's words: the event's class, and SourceInstance for
/// TargetInstance.
fn translated(mut query: Query) -> Parsed<Query> {
    if !query.from.starts_with("__") {
        return Ok(query);
    }
    let Some((_, class)) = EVENTS.iter().find(|(event, _)| event.eq_ignore_ascii_case(&query.from)) else {
        if query.from.to_ascii_lowercase().ends_with("event") {
            let known: Vec<_> = EVENTS.iter().map(|(event, _)| *event).collect();
            let message = format!("there are no such events here; these are known: {}", known.join(", "));
            return Err(QueryError::new(query.from_at, message));
        }
        return Ok(query);
    };
    let event = std::mem::replace(&mut query.from, (*class).into());
    let rename = |path: &mut Path| {
        let prefixed = path.steps.first().is_some_and(|step| step.name.eq_ignore_ascii_case(&event));
        if let Some(first) = path.steps.first_mut().filter(|_| prefixed) {
            first.name = (*class).into();
        }
        if let Some(step) = path.steps.get_mut(usize::from(prefixed))
            && step.name.eq_ignore_ascii_case("TargetInstance")
        {
            step.name = "SourceInstance".into();
        }
    };
    if let Select::Properties(paths) = &mut query.select {
        paths.iter_mut().for_each(rename);
    }
    if let Some(condition) = &mut query.condition {
        for_each_path(condition, &rename);
    }
    Ok(query)
}

fn for_each_path(condition: &mut Condition, change: &impl Fn(&mut Path)) {
    let operand = |operand: &mut Operand| {
        if let Operand::Path(path) | Operand::Elements(_, path) = operand {
            change(path);
        }
    };
    match condition {
        Condition::And(all) | Condition::Or(all) => all.iter_mut().for_each(|one| for_each_path(one, change)),
        Condition::Not(inner) => for_each_path(inner, change),
        Condition::Compare { left, right, .. } => {
            operand(left);
            operand(right);
        }
        Condition::Like { operand: one, .. } | Condition::IsNull(one) => operand(one),
        Condition::Isa { path, .. } => change(path),
    }
}
