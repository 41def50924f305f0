//! The streaming writer.

use super::element::split_key;
use super::escape::{push_attribute, push_text};
use super::written::{PIECE, PIECE_CAPACITY, Written};
use super::{Element, XML_NAMESPACE, XMLNode};

/// Prefixes and the namespaces they stand for.
pub type Namespaces = &'static [(&'static str, &'static str)];

/// Writes XML in the order in which it is read, without declaration and without white space, into pieces that follow each
/// other.
///
/// Tags are given with their prefixes (`"wsa:To"`). Who declares a prefix is up to the caller;
/// [`Self::namespaces`] tells the writer which ones hold for the rest of the document.
/// The limit is a budget for the caller to ask about, not a wall: nothing is ever cut.
#[derive(Debug)]
pub struct Writer {
    /// The pieces that are full.
    full: Vec<Vec<u8>>,
    /// How many octets they have.
    full_octets: usize,
    /// The piece that is written into.
    out: Vec<u8>,
    limit: usize,
    /// Octets that [`Self::remaining`] keeps back for what must still be written.
    reserved: usize,
    /// Whether the last start tag still lacks its `>`.
    open: bool,
    scope: Namespaces,
}

/// A place in what was written, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    length: usize,
    open: bool,
}

impl Writer {
    /// A writer with a budget in octets.
    pub fn new(limit: usize) -> Self {
        let out = Vec::with_capacity(limit.min(4096));
        Self { full: Vec::new(), full_octets: 0, out, limit, reserved: 0, open: false, scope: &[] }
    }

    /// Begins an element.
    pub fn start(&mut self, tag: &str) -> &mut Self {
        self.close_start();
        self.begin_piece();
        self.out.push(b'<');
        self.out.extend_from_slice(tag.as_bytes());
        self.open = true;
        self
    }

    /// Begins an element whose prefix and local name come apart.
    pub fn start_in(&mut self, prefix: &str, local: &str) -> &mut Self {
        self.close_start();
        self.begin_piece();
        self.out.reserve(prefix.len() + local.len() + 2);
        self.out.push(b'<');
        self.out.extend_from_slice(prefix.as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(local.as_bytes());
        self.open = true;
        self
    }

    /// Gives the element begun last an attribute that is known beforehand, as it is written: `" a=\"b\""`.
    pub fn raw_attribute(&mut self, attribute: &'static str) -> &mut Self {
        self.out.extend_from_slice(attribute.as_bytes());
        self
    }

    /// Gives the element begun last an attribute; only before anything else is put into it.
    pub fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.attribute_parts(name, &[value])
    }

    /// The same with a value in pieces.
    pub fn attribute_parts(&mut self, name: &str, value: &[&str]) -> &mut Self {
        debug_assert!(self.open, "an attribute follows a start tag");
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        for part in value {
            push_attribute(&mut self.out, part);
        }
        self.out.push(b'"');
        self
    }

    /// Declares prefixes on the element begun last; [`Self::element`] uses them from here on.
    /// Meant for the document's element.
    pub fn namespaces(&mut self, namespaces: Namespaces) -> &mut Self {
        for (prefix, uri) in namespaces {
            self.attribute_parts(&["xmlns:", prefix].concat(), &[uri]);
        }
        self.scope = namespaces;
        self
    }

    /// Text; what XML cannot hold becomes U+FFFD.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.close_start();
        push_text(&mut self.out, text);
        self
    }

    /// A number in decimal.
    pub fn unsigned(&mut self, number: u64) -> &mut Self {
        self.close_start();
        let mut digits = [0u8; 20];
        let mut length = 0;
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            // The remainder of ten is a digit.
            *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            length += 1;
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
        self
    }

    /// A number in decimal with its sign.
    pub fn signed(&mut self, number: i64) -> &mut Self {
        self.close_start();
        if number < 0 {
            self.out.push(b'-');
        }
        self.unsigned(number.unsigned_abs())
    }

    /// Ends the element begun last.
    pub fn end(&mut self, tag: &str) -> &mut Self {
        if self.open {
            self.out.extend_from_slice(b"/>");
            self.open = false;
        } else {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(tag.as_bytes());
            self.out.push(b'>');
        }
        self
    }

    /// Ends the element begun last whose prefix and local name come apart.
    pub fn end_in(&mut self, prefix: &str, local: &str) -> &mut Self {
        if self.open {
            self.out.extend_from_slice(b"/>");
            self.open = false;
        } else {
            self.out.reserve(prefix.len() + local.len() + 4);
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(prefix.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(local.as_bytes());
            self.out.push(b'>');
        }
        self
    }

    /// An element without content.
    pub fn empty(&mut self, tag: &str) -> &mut Self {
        self.start(tag).end(tag)
    }

    /// An element that holds text.
    pub fn leaf(&mut self, tag: &str, text: &str) -> &mut Self {
        self.start(tag).text(text).end(tag)
    }

    /// XML as it is: complete elements whose prefixes are declared.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.close_start();
        self.out.extend_from_slice(xml.as_bytes());
        self
    }

    /// An element that was read or built, with all it holds. Prefixes that [`Self::namespaces`] did not declare are
    /// made up and declared on it.
    pub fn element(&mut self, element: &Element) -> &mut Self {
        let mut made_up = Vec::new();
        collect_namespaces(element, self.scope, &mut made_up);
        self.write_element(element, &made_up, true);
        self
    }

    /// How many octets are left of the budget, the reserve taken off.
    pub fn remaining(&self) -> usize {
        self.limit.saturating_sub(self.len()).saturating_sub(self.reserved)
    }

    /// Whether more was written than the budget, less the reserve, allows.
    pub fn is_over(&self) -> bool {
        self.len().saturating_add(self.reserved) > self.limit
    }

    /// Keeps octets of the budget back for what must still be written, in place of what was kept back before.
    pub fn reserve(&mut self, octets: usize) {
        self.reserved = octets;
    }

    /// How many octets are kept back.
    pub fn reserved(&self) -> usize {
        self.reserved
    }

    /// How many octets were written.
    pub fn len(&self) -> usize {
        self.full_octets + self.out.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers where the writer stands.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { length: self.len(), open: self.open }
    }

    /// Takes back everything written since.
    pub fn rollback(&mut self, to: Checkpoint) {
        while to.length < self.full_octets {
            self.out = self.full.pop().unwrap_or_default();
            self.full_octets -= self.out.len();
        }
        self.out.truncate(to.length - self.full_octets);
        self.open = to.open;
    }

    /// Puts complete elements in where the writer stood once, as if written there. The start tag before that place must
    /// have been closed by then.
    pub fn insert(&mut self, at: Checkpoint, write: impl FnOnce(&mut Self)) {
        self.close_start();
        let mut inserted = Self { scope: self.scope, ..Self::new(usize::MAX) };
        write(&mut inserted);
        let inserted = inserted.finish();
        let mut place = at.length;
        for piece in &mut self.full {
            if place <= piece.len() {
                self.full_octets += inserted.len();
                piece.splice(place..place, inserted);
                return;
            }
            place -= piece.len();
        }
        self.out.splice(place..place, inserted);
    }

    /// Closes the start tag written last, so that a [`Self::checkpoint`] lies inside its element.
    pub fn close_start(&mut self) {
        if self.open {
            self.out.push(b'>');
            self.open = false;
        }
    }

    /// What was written, in one piece.
    pub fn finish(self) -> Vec<u8> {
        self.finish_in_pieces().join()
    }

    /// What was written.
    pub fn finish_in_pieces(mut self) -> Written {
        self.close_start();
        self.full.push(self.out);
        Written::new(self.full)
    }

    /// Begins the next piece if the last one is full.
    fn begin_piece(&mut self) {
        if self.out.len() >= PIECE {
            self.full_octets += self.out.len();
            let full = std::mem::replace(&mut self.out, Vec::with_capacity(PIECE_CAPACITY));
            self.full.push(full);
        }
    }

    fn write_element(&mut self, element: &Element, made_up: &[&str], is_root: bool) {
        self.close_start();
        self.out.push(b'<');
        self.name(element.namespace.as_deref().unwrap_or_default(), &element.name, made_up);
        self.open = true;
        if is_root {
            for (i, uri) in made_up.iter().enumerate() {
                self.attribute(&format!("xmlns:n{i}"), uri);
            }
        }
        for (key, value) in &element.attributes {
            let (namespace, local) = split_key(key);
            self.out.push(b' ');
            self.name(namespace, local, made_up);
            self.out.extend_from_slice(b"=\"");
            push_attribute(&mut self.out, value);
            self.out.push(b'"');
        }
        for child in &element.children {
            match child {
                XMLNode::Element(child) => self.write_element(child, made_up, false),
                XMLNode::Text(text) | XMLNode::CData(text) => {
                    self.text(text);
                }
                XMLNode::Comment(_) | XMLNode::ProcessingInstruction(..) => {}
            }
        }
        if self.open {
            self.out.extend_from_slice(b"/>");
            self.open = false;
        } else {
            self.out.extend_from_slice(b"</");
            self.name(element.namespace.as_deref().unwrap_or_default(), &element.name, made_up);
            self.out.push(b'>');
        }
    }

    fn name(&mut self, namespace: &str, local: &str, made_up: &[&str]) {
        if namespace == XML_NAMESPACE {
            self.out.extend_from_slice(b"xml:");
        } else if let Some((prefix, _)) = self.scope.iter().find(|(_, uri)| *uri == namespace) {
            self.out.extend_from_slice(prefix.as_bytes());
            self.out.push(b':');
        } else if let Some(i) = made_up.iter().position(|uri| *uri == namespace) {
            self.out.extend_from_slice(format!("n{i}:").as_bytes());
        }
        self.out.extend_from_slice(local.as_bytes());
    }
}

fn collect_namespaces<'e>(element: &'e Element, scope: Namespaces, found: &mut Vec<&'e str>) {
    let mut add = |namespace: &'e str| {
        let known = namespace.is_empty()
            || namespace == XML_NAMESPACE
            || scope.iter().any(|(_, uri)| *uri == namespace)
            || found.contains(&namespace);
        if !known {
            found.push(namespace);
        }
    };
    add(element.namespace.as_deref().unwrap_or_default());
    for key in element.attributes.keys() {
        add(split_key(key).0);
    }
    for child in element.children.iter().filter_map(XMLNode::as_element) {
        collect_namespaces(child, scope, found);
    }
}
