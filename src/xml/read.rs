//! The strict reader.

use std::borrow::Cow;
use std::fmt;

use quick_xml::NsReader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{NamespaceError, NamespaceResolver, QName, ResolveResult};

use super::characters::{first_illegal, is_blank, is_ncname, is_space};
use super::element::attribute_key;
use super::error::{XmlError, XmlErrorKind};
use super::escape::{attribute_value, resolve};
use super::{Element, XML_NAMESPACE, XMLNode};

/// The namespace of declarations themselves; nothing else may be in it (Namespaces in XML, 3).
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// How large a document may be. Its length in bytes is limited where it is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deeply elements may nest; the root alone has depth 1.
    pub depth: usize,
    /// How many elements there may be.
    pub elements: usize,
    /// How many attributes, namespace declarations included, one element may have.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, elements: 20_000, attributes: 64 }
    }
}

/// Reads a document into its element.
///
/// Attributes stand under `{namespace}local`, or under the plain name if they have no namespace; namespace
/// declarations are resolved and dropped, as are prefixes and comments; CDATA is text; references are resolved.
/// White space alone is kept only where an element holds nothing else.
pub fn read(text: &str, limits: &Limits) -> Result<Element, XmlError> {
    read_by(text, limits, None)
}

/// The same of a document with many elements of one place, which are given away one by one as they are read: what is read then
/// lacks them, and never are all of them in memory. What was given away of a document that proves bad later is worth nothing.
pub fn read_giving(text: &str, limits: &Limits, giving: Giving<'_>) -> Result<Element, XmlError> {
    read_by(text, limits, Some(giving))
}

/// Which elements are given away, and to whom.
pub struct Giving<'g> {
    /// Whether those are that stand in the last of these elements, which each stand in the one before, the root first.
    pub is_inside: fn(&[Element]) -> bool,
    /// Who gets them, in order.
    pub to: &'g mut dyn FnMut(Element),
}

impl fmt::Debug for Giving<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Giving").finish_non_exhaustive()
    }
}

fn read_by(text: &str, limits: &Limits, giving: Option<Giving<'_>>) -> Result<Element, XmlError> {
    let fail = |(kind, offset)| XmlError::new(kind, text, offset);
    if let Some(at) = first_illegal(text) {
        return Err(fail((XmlErrorKind::IllegalCharacter, at)));
    }
    Document { text, limits, giving, open: Vec::with_capacity(8), root: None, elements: 0 }.read().map_err(fail)
}

/// What is wrong, and at which byte.
type Failure = (XmlErrorKind, usize);

struct Document<'t, 'g> {
    text: &'t str,
    limits: &'t Limits,
    giving: Option<Giving<'g>>,
    /// The elements whose end tags have not been met, the root first.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Document<'_, '_> {
    fn read(mut self) -> Result<Element, Failure> {
        let mut reader = NsReader::from_str(self.text);
        reader.config_mut().check_comments = true;
        loop {
            let at = position(reader.buffer_position());
            let event = reader.read_event().map_err(|e| (refused(&e), position(reader.error_position()).max(at)))?;
            match event {
                Event::Start(tag) => {
                    let element = self.start(&tag, reader.resolver(), at)?;
                    self.open.push(element);
                }
                Event::Empty(tag) => {
                    let element = self.start(&tag, reader.resolver(), at)?;
                    self.close(element);
                }
                Event::End(_) => {
                    let mut element = self.open.pop().ok_or((XmlErrorKind::MismatchedEnd, at))?;
                    if element.children.len() > 1 {
                        drop_blank(&mut element.children);
                    }
                    self.close(element);
                }
                Event::Text(text) => {
                    if let Some(inside) = text.find("]]>") {
                        return Err((XmlErrorKind::CdataEndInText, at + inside));
                    }
                    self.characters(text.xml10_content(), at)?;
                }
                Event::CData(text) => self.cdata(text.xml10_content(), at)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference).map_err(|kind| (kind, at))?;
                    self.cdata(Cow::Borrowed(character.encode_utf8(&mut [0; 4])), at)?;
                }
                Event::Comment(_) => {}
                Event::Decl(declaration) => self.declaration(&declaration, at)?,
                Event::PI(_) => return Err((XmlErrorKind::ProcessingInstruction, at)),
                Event::DocType(_) => return Err((XmlErrorKind::Doctype, at)),
                Event::Eof if self.open.is_empty() => return self.root.ok_or((XmlErrorKind::Empty, at)),
                Event::Eof => return Err((XmlErrorKind::Unclosed, at)),
            }
        }
    }

    fn declaration(&self, declaration: &BytesDecl<'_>, at: usize) -> Result<(), Failure> {
        if !self.text.trim_start_matches('\u{FEFF}').starts_with("<?xml") || at > '\u{FEFF}'.len_utf8() {
            return Err((XmlErrorKind::LateDeclaration, at));
        }
        match declaration.version() {
            Ok(version) if version == "1.0" => Ok(()),
            _ => Err((XmlErrorKind::BadDeclaration, at)),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, resolver: &NamespaceResolver, at: usize) -> Result<Element, Failure> {
        if self.open.len() >= self.limits.depth {
            return Err((XmlErrorKind::TooDeep, at));
        }
        if self.root.is_some() {
            return Err((XmlErrorKind::SecondRoot, at));
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err((XmlErrorKind::TooManyElements, at));
        }
        let name = tag.name();
        let (namespace, local) = expand(name, resolver, true).map_err(|kind| (kind, at))?;
        let mut element = Element::new(local);
        element.namespace = namespace.map(Cow::into_owned);
        let raw = tag.attributes_raw();
        if !raw.is_empty() {
            self.attributes(&mut element, raw, resolver, at + 1 + name.as_ref().len())?;
        }
        Ok(element)
    }

    /// quick-xml's own walk over attributes is lenient about what stands between them, so this is ours.
    fn attributes(
        &self,
        element: &mut Element,
        raw: &str,
        resolver: &NamespaceResolver,
        at: usize,
    ) -> Result<(), Failure> {
        let mut seen: Vec<&str> = Vec::new();
        let mut rest = raw;
        loop {
            let here = at + (raw.len() - rest.len());
            let trimmed = rest.trim_start_matches(is_blank);
            if trimmed.is_empty() {
                return Ok(());
            }
            if trimmed.len() == rest.len() {
                return Err((XmlErrorKind::BadAttribute, here));
            }
            let (name, value, behind) = split_attribute(trimmed).ok_or((XmlErrorKind::BadAttribute, here))?;
            if seen.contains(&name) {
                return Err((XmlErrorKind::DuplicateAttribute, here));
            }
            seen.push(name);
            if seen.len() > self.limits.attributes {
                return Err((XmlErrorKind::TooManyAttributes, here));
            }
            add_attribute(element, name, value, resolver).map_err(|kind| (kind, here))?;
            rest = behind;
        }
    }

    fn characters(&mut self, text: Cow<'_, str>, at: usize) -> Result<(), Failure> {
        if self.open.is_empty() && text.bytes().all(is_space) { Ok(()) } else { self.cdata(text, at) }
    }

    fn cdata(&mut self, text: Cow<'_, str>, at: usize) -> Result<(), Failure> {
        let element = self.open.last_mut().ok_or((XmlErrorKind::TextOutsideRoot, at))?;
        match element.children.last_mut() {
            Some(XMLNode::Text(before)) => before.push_str(&text),
            _ if text.is_empty() => {}
            _ => element.children.push(XMLNode::Text(text.into_owned())),
        }
        Ok(())
    }

    fn close(&mut self, element: Element) {
        let gives = self.giving.as_ref().is_some_and(|giving| (giving.is_inside)(&self.open));
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(element);
            return;
        };
        drop_blank(&mut parent.children);
        match &mut self.giving {
            Some(giving) if gives => (giving.to)(element),
            _ => parent.children.push(XMLNode::Element(element)),
        }
    }
}

/// Takes away white space that stands alone before or behind an element: it is no content.
fn drop_blank(children: &mut Vec<XMLNode>) {
    children.pop_if(|last| matches!(last, XMLNode::Text(text) if text.bytes().all(is_space)));
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Name, raw value and what follows, of text that begins with an attribute.
fn split_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, behind) = text.split_once('=')?;
    let behind = behind.trim_start_matches(is_blank);
    let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, behind) = behind.get(1..)?.split_once(quote)?;
    Some((name.trim_end_matches(is_blank), value, behind))
}

fn add_attribute(
    element: &mut Element,
    name: &str,
    raw: &str,
    resolver: &NamespaceResolver,
) -> Result<(), XmlErrorKind> {
    let declared = if name == "xmlns" { Some("_") } else { name.strip_prefix("xmlns:") };
    if let Some(prefix) = declared {
        if !is_ncname(prefix) {
            return Err(XmlErrorKind::BadName);
        }
        // The reader has bound the prefix already; what is left is to see that the value may be bound to it, also
        // where it is written with references.
        let value = attribute_value(raw)?;
        let reserved = value == XMLNS_NAMESPACE || (value == XML_NAMESPACE && prefix != "xml");
        return if reserved { Err(XmlErrorKind::ReservedPrefix) } else { Ok(()) };
    }
    let value = attribute_value(raw)?;
    let (namespace, local) = expand(QName(name), resolver, false)?;
    let key = attribute_key(namespace.as_deref().unwrap_or_default(), local);
    match element.attributes.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(XmlErrorKind::DuplicateAttribute),
    }
}

/// The namespace and local name of a name in the document.
fn expand<'n, 'r>(
    name: QName<'n>,
    resolver: &'r NamespaceResolver,
    is_element: bool,
) -> Result<(Option<Cow<'r, str>>, &'n str), XmlErrorKind> {
    let (local, prefix) = name.decompose();
    let local = local.into_inner();
    if !is_ncname(local) || prefix.is_some_and(|p| !is_ncname(p.into_inner())) {
        return Err(XmlErrorKind::BadName);
    }
    if prefix.is_some_and(|p| p.into_inner() == "xmlns") {
        return Err(XmlErrorKind::ReservedPrefix);
    }
    match resolver.resolve_prefix(prefix, is_element) {
        ResolveResult::Unbound => Ok((None, local)),
        ResolveResult::Unknown(_) => Err(XmlErrorKind::UnboundPrefix),
        ResolveResult::Bound(namespace) => {
            let raw = namespace.into_inner();
            let plain = !raw.contains(['&', '\t', '\n', '\r']);
            let uri = if plain { Cow::Borrowed(raw) } else { Cow::Owned(attribute_value(raw)?) };
            Ok((Some(uri), local))
        }
    }
}

fn refused(error: &Error) -> XmlErrorKind {
    match error {
        Error::Syntax(SyntaxError::UnclosedDoctype) | Error::IllFormed(IllFormedError::MissingDoctypeName) => {
            XmlErrorKind::Doctype
        }
        Error::Syntax(SyntaxError::UnclosedPI) => XmlErrorKind::ProcessingInstruction,
        Error::IllFormed(IllFormedError::UnmatchedEndTag(_) | IllFormedError::MismatchedEndTag { .. }) => {
            XmlErrorKind::MismatchedEnd
        }
        Error::IllFormed(IllFormedError::DoubleHyphenInComment) => XmlErrorKind::BadComment,
        Error::IllFormed(IllFormedError::UnclosedReference) => XmlErrorKind::BadReference,
        Error::IllFormed(IllFormedError::MissingEndTag(_)) => XmlErrorKind::Unclosed,
        Error::IllFormed(IllFormedError::MissingDeclVersion(_) | IllFormedError::UnknownVersion) => {
            XmlErrorKind::BadDeclaration
        }
        Error::Namespace(NamespaceError::TooManyBindings(_)) => XmlErrorKind::TooManyNamespaces,
        Error::Namespace(NamespaceError::TooDeeplyNested(_)) => XmlErrorKind::TooDeep,
        Error::Namespace(_) => XmlErrorKind::ReservedPrefix,
        _ => XmlErrorKind::BadMarkup,
    }
}
