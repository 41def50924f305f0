//! The grammar of class declarations.

use std::sync::Arc;

use super::super::{CimType, Qualifiers, Shape, Value};
use super::lexer::{Lexer, Token};
use super::value::Literal;
use super::{
    ClassDeclaration, MethodDeclaration, MofError, Names, ParameterDeclaration, Position, PropertyDeclaration,
};

/// Reads declarations with one token of look-ahead.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    names: &'a mut Names,
    token: Token,
    at: Position,
}

type Parsed<T> = Result<T, MofError>;

impl<'a> Parser<'a> {
    pub(super) fn new(file: &str, text: &'a str, names: &'a mut Names) -> Parsed<Self> {
        let mut lexer = Lexer::new(names.share(file), text);
        let (token, at) = lexer.next()?;
        Ok(Self { lexer, names, token, at })
    }

    /// All class declarations to the end of the text.
    pub(super) fn declarations(mut self) -> Parsed<Vec<ClassDeclaration>> {
        let mut classes = Vec::new();
        while self.token != Token::End {
            if self.takes('#')? {
                self.pragma()?;
                continue;
            }
            let qualifiers = self.qualifiers()?;
            if self.takes_word("class")? {
                classes.push(self.class(qualifiers)?);
            } else if qualifiers.0.is_empty() && self.takes_word("qualifier")? {
                self.skip_statement()?;
            } else if self.is_word("instance") {
                return Err(self.fail("instances are not read here; only classes are"));
            } else {
                return Err(self.expected("class"));
            }
        }
        Ok(classes)
    }

    /// `pragma name [ ( "value" ) ]`, read over.
    fn pragma(&mut self) -> Parsed<()> {
        if !self.takes_word("pragma")? {
            return Err(self.expected("pragma"));
        }
        self.name("the pragma's name")?;
        if self.takes('(')? {
            while !self.takes(')')? {
                if self.token == Token::End {
                    return Err(self.expected("\")\""));
                }
                self.advance()?;
            }
        }
        Ok(())
    }

    /// A qualifier declaration, read over.
    fn skip_statement(&mut self) -> Parsed<()> {
        while !self.takes(';')? {
            if self.token == Token::End {
                return Err(self.expected("\";\""));
            }
            self.advance()?;
        }
        Ok(())
    }

    fn class(&mut self, qualifiers: Qualifiers) -> Parsed<ClassDeclaration> {
        let (name, at) = self.name("the class's name")?;
        let superclass = if self.takes(':')? { Some(self.name("the superclass's name")?.0) } else { None };
        let (mut properties, mut methods) = (Vec::<PropertyDeclaration>::new(), Vec::<MethodDeclaration>::new());
        self.expect('{')?;
        while !self.takes('}')? {
            let qualifiers = self.qualifiers()?;
            let (type_name, class) = self.type_name()?;
            let (name, at) = self.name("the name of a property or method")?;
            let same = |other: &str| other.eq_ignore_ascii_case(&name);
            if properties.iter().any(|p| same(&p.name)) || methods.iter().any(|m| same(&m.name)) {
                return Err(MofError { at, message: format!("{name} is declared twice in this class") });
            }
            if self.takes('(')? {
                methods.push(self.method(type_name, class.is_some(), name, at, qualifiers)?);
            } else {
                properties.push(self.property(type_name, class, name, at, qualifiers)?);
            }
        }
        self.expect(';')?;
        Ok(ClassDeclaration { name, superclass, qualifiers, properties, methods, at })
    }

    fn property(
        &mut self,
        cim_type: CimType,
        class: Option<Arc<str>>,
        name: Arc<str>,
        at: Position,
        qualifiers: Qualifiers,
    ) -> Parsed<PropertyDeclaration> {
        let array = self.array()?;
        let shape = shape(cim_type, class, array, &qualifiers).map_err(|message| self.wrong(&at, message))?;
        let default = if self.takes('=')? {
            let at = self.at.clone();
            let literal = self.literal()?;
            Some(literal.typed(shape.cim_type, array).map_err(|message| self.wrong(&at, message))?)
        } else {
            None
        };
        self.expect(';')?;
        Ok(PropertyDeclaration { name, shape, default, qualifiers, at })
    }

    fn method(
        &mut self,
        returns: CimType,
        reference: bool,
        name: Arc<str>,
        at: Position,
        qualifiers: Qualifiers,
    ) -> Parsed<MethodDeclaration> {
        if reference {
            return Err(self.wrong(&at, "a method does not return a reference"));
        }
        let mut parameters = Vec::<ParameterDeclaration>::new();
        if !self.takes(')')? {
            loop {
                let parameter = self.parameter()?;
                if parameters.iter().any(|p| p.name.eq_ignore_ascii_case(&parameter.name)) {
                    let message = format!("{} is declared twice in this method", parameter.name);
                    return Err(MofError { at: parameter.at, message });
                }
                parameters.push(parameter);
                if !self.takes(',')? {
                    break;
                }
            }
            self.expect(')')?;
        }
        self.expect(';')?;
        Ok(MethodDeclaration { name, returns, parameters, qualifiers, at })
    }

    fn parameter(&mut self) -> Parsed<ParameterDeclaration> {
        let qualifiers = self.qualifiers()?;
        let (cim_type, class) = self.type_name()?;
        let (name, at) = self.name("the parameter's name")?;
        let array = self.array()?;
        let shape = shape(cim_type, class, array, &qualifiers).map_err(|message| self.wrong(&at, message))?;
        Ok(ParameterDeclaration { name, shape, qualifiers, at })
    }

    /// A type's name, or a class and `REF`.
    fn type_name(&mut self) -> Parsed<(CimType, Option<Arc<str>>)> {
        let (name, at) = self.name("a type")?;
        if self.takes_word("ref")? {
            return Ok((CimType::Reference, Some(name)));
        }
        let unknown = || self.wrong(&at, format!("{name} is not a type; a reference is written {name} REF"));
        Ok((CimType::from_name(&name).ok_or_else(unknown)?, None))
    }

    /// `[]` or `[size]`; the size is not kept, since CIM does not hold anyone to it.
    fn array(&mut self) -> Parsed<bool> {
        if !self.takes('[')? {
            return Ok(false);
        }
        if matches!(self.token, Token::Integer(_)) {
            self.advance()?;
        }
        self.expect(']')?;
        Ok(true)
    }

    /// `[ name, name(value), name { values } : flavours, … ]`, or nothing.
    fn qualifiers(&mut self) -> Parsed<Qualifiers> {
        let mut qualifiers = Qualifiers::default();
        if !self.takes('[')? {
            return Ok(qualifiers);
        }
        loop {
            let (name, at) = self.name("a qualifier")?;
            if qualifiers.get(&name).is_some() {
                return Err(MofError { at, message: format!("qualifier {name} is given twice") });
            }
            let value = self.qualifier_value()?;
            if self.takes(':')? {
                self.name("a flavour")?;
                while matches!(self.token, Token::Name(_)) {
                    self.advance()?;
                }
            }
            qualifiers.0.push((name, value));
            if !self.takes(',')? {
                break;
            }
        }
        self.expect(']')?;
        Ok(qualifiers)
    }

    fn qualifier_value(&mut self) -> Parsed<Value> {
        let parenthesis = self.takes('(')?;
        if !parenthesis && self.token != Token::Sign('{') {
            return Ok(Value::Boolean(true));
        }
        let at = self.at.clone();
        let literal = self.literal()?;
        if parenthesis {
            self.expect(')')?;
        }
        let value = literal.untyped().map_err(|message| self.wrong(&at, message))?;
        Ok(self.shared(value))
    }

    /// Schemas repeat the texts of qualifiers a lot.
    fn shared(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.names.share(&text)),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .cloned()
                    .map(|item| match item {
                        Value::String(text) => Value::String(self.names.share(&text)),
                        other => other,
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    /// A constant, or constants between `{` and `}`.
    fn literal(&mut self) -> Parsed<Literal> {
        if !self.takes('{')? {
            return self.constant();
        }
        let mut items = Vec::new();
        if self.takes('}')? {
            return Ok(Literal::Array(items));
        }
        loop {
            items.push(self.constant()?);
            if !self.takes(',')? {
                break;
            }
        }
        self.expect('}')?;
        Ok(Literal::Array(items))
    }

    fn constant(&mut self) -> Parsed<Literal> {
        let literal = match &self.token {
            Token::Name(name) if name.eq_ignore_ascii_case("null") => Literal::Null,
            Token::Name(name) if name.eq_ignore_ascii_case("true") => Literal::Boolean(true),
            Token::Name(name) if name.eq_ignore_ascii_case("false") => Literal::Boolean(false),
            Token::Integer(n) => Literal::Integer(*n),
            Token::Real(n) => Literal::Real(*n),
            Token::Character(unit) => Literal::Character(*unit),
            Token::Text(_) => return self.concatenation(),
            _ => return Err(self.expected("a value")),
        };
        self.advance()?;
        Ok(literal)
    }

    /// Adjacent strings are one string.
    fn concatenation(&mut self) -> Parsed<Literal> {
        let mut whole = String::new();
        while let Token::Text(part) = &self.token {
            whole.push_str(part);
            self.advance()?;
        }
        Ok(Literal::Text(whole))
    }

    fn name(&mut self, what: &str) -> Parsed<(Arc<str>, Position)> {
        let Token::Name(name) = &self.token else { return Err(self.expected(what)) };
        let name = self.names.share(name);
        let at = self.at.clone();
        self.advance()?;
        Ok((name, at))
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

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) if name.eq_ignore_ascii_case(word))
    }

    fn takes_word(&mut self, word: &str) -> Parsed<bool> {
        let found = self.is_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: char) -> Parsed<()> {
        if self.takes(sign)? { Ok(()) } else { Err(self.expected(&format!("{:?}", sign.to_string()))) }
    }

    fn expected(&self, what: &str) -> MofError {
        self.fail(format!("expected {what}, found {}", self.token.shown()))
    }

    fn fail(&self, message: impl Into<String>) -> MofError {
        self.wrong(&self.at, message)
    }

    fn wrong(&self, at: &Position, message: impl Into<String>) -> MofError {
        MofError { at: at.clone(), message: message.into() }
    }
}

/// The type with what the qualifiers EmbeddedInstance, EmbeddedObject and OctetString make of it (DSP0004, standard
/// qualifiers).
fn shape(
    cim_type: CimType,
    class: Option<Arc<str>>,
    array: bool,
    qualifiers: &Qualifiers,
) -> Result<Shape, &'static str> {
    let (embedded, class) = match qualifiers.get("EmbeddedInstance") {
        Some(Value::String(name)) => (true, Some(name.clone())),
        Some(_) => return Err("EmbeddedInstance names a class"),
        None => (qualifiers.is_set("EmbeddedObject"), class),
    };
    if embedded && cim_type != CimType::String {
        return Err("only a string can hold an embedded instance");
    }
    let octets = array && cim_type == CimType::Uint8 && qualifiers.is_set("OctetString");
    Ok(Shape { cim_type: if embedded { CimType::Instance } else { cim_type }, array, class, octets })
}
