//! The bodies of WS-Enumeration (DSP0226 clause 8, DSP0227 clauses 8 and 9).

use super::fields::{Expires, count, duration, filled};
use super::filter::{Filter, FilterFaults};
use super::names::{WSEN, WSMAN, WSMB};
use super::resource::shown;
use crate::cim::Interval;
use crate::soap::{Envelope, Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer, XMLNode, element};

const FILTER_FAULTS: FilterFaults = FilterFaults {
    namespace: WSEN,
    both: FaultKind::EnumerationCannotProcessFilter,
    content: FaultKind::EnumerationCannotProcessFilter,
};

/// What the items of an enumeration are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Instances.
    #[default]
    Objects,
    /// References to instances.
    Endpoints,
    /// `wsman:Item`s of an instance and its reference.
    ObjectsAndEndpoints,
}

/// How instances of subclasses are shown (DSP0227 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Polymorphism {
    /// As what they are.
    #[default]
    IncludeSubClassProperties,
    /// As instances of the class that was asked for.
    ExcludeSubClassProperties,
    /// Not at all.
    None,
}

/// `wsen:Enumerate`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Enumerate {
    /// How long the client wants the context to live.
    pub expires: Option<Expires>,
    /// Which items are wanted.
    pub filter: Option<Filter>,
    /// What the items are.
    pub mode: Mode,
    /// Whether the reply is to hold the first items.
    pub optimize: bool,
    /// How many items an optimized reply may hold; 1 if the client does not say (R8.2.3-3).
    pub max_elements: Option<u64>,
    /// How instances of subclasses are shown, if the client says.
    pub polymorphism: Option<Polymorphism>,
}

/// `wsen:Pull`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pull {
    /// Where to go on.
    pub context: String,
    /// How many items the page may hold; 1 if the client does not say (R8.4-9).
    pub max_elements: Option<u64>,
    /// How long the client waits for items.
    pub max_time: Option<Interval>,
    /// How many characters the items should have, as a hint.
    pub max_characters: Option<u64>,
}

/// A page as a client receives it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReceivedPage {
    /// Where to go on; `None` if this is the end.
    pub context: Option<String>,
    /// The items.
    pub items: Vec<Element>,
    /// Whether the peer said that this is the end.
    pub end_of_sequence: bool,
}

impl Enumerate {
    /// Reads the body of a request.
    pub fn read(message: &Envelope) -> Result<Self, Fault> {
        let body = expect(message, "Enumerate")?;
        if body.child(WSEN, "EndTo").is_some() {
            return Err(Fault::detailed(
                FaultKind::UnsupportedFeature,
                FaultDetail::AddressingMode,
                "wsen:EndTo is not supported; leave it out",
            ));
        }
        Ok(Self {
            expires: Expires::child(body, WSEN, FaultKind::EnumerationInvalidExpirationTime)?,
            filter: Filter::child(body, FILTER_FAULTS)?,
            mode: Mode::read(body)?,
            optimize: body.child(WSMAN, "OptimizeEnumeration").is_some(),
            max_elements: count(body, [WSMAN, WSEN], "MaxElements")?,
            polymorphism: Polymorphism::read(body)?,
        })
    }

    /// Writes the body of a request. `wsen`, `wsman`, `wsmb` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        w.start("wsen:Enumerate");
        if let Some(expires) = self.expires {
            w.leaf("wsen:Expires", &expires.to_xml());
        }
        if let Some(filter) = &self.filter {
            filter.write(w);
        }
        if let Some(mode) = self.mode.name() {
            w.leaf("wsman:EnumerationMode", mode);
        }
        if self.optimize {
            w.empty("wsman:OptimizeEnumeration");
        }
        if let Some(most) = self.max_elements {
            w.start("wsman:MaxElements").unsigned(most).end("wsman:MaxElements");
        }
        if let Some(polymorphism) = self.polymorphism {
            w.leaf("wsmb:PolymorphismMode", polymorphism.name());
        }
        w.end("wsen:Enumerate");
    }
}

impl Pull {
    /// Reads the body of a request.
    pub fn read(message: &Envelope) -> Result<Self, Fault> {
        let body = expect(message, "Pull")?;
        Ok(Self {
            context: context(body)?,
            max_elements: count(body, [WSEN, WSMAN], "MaxElements")?,
            max_time: duration(body, WSEN, "MaxTime")?,
            max_characters: count(body, [WSEN, WSMAN], "MaxCharacters")?,
        })
    }

    /// Writes the body of a request. `wsen` must be declared.
    pub fn write(&self, w: &mut Writer) {
        w.start("wsen:Pull").leaf("wsen:EnumerationContext", &self.context);
        if let Some(time) = self.max_time {
            w.leaf("wsen:MaxTime", &time.to_duration());
        }
        if let Some(most) = self.max_elements {
            w.start("wsen:MaxElements").unsigned(most).end("wsen:MaxElements");
        }
        if let Some(most) = self.max_characters {
            w.start("wsen:MaxCharacters").unsigned(most).end("wsen:MaxCharacters");
        }
        w.end("wsen:Pull");
    }
}

/// Reads `wsen:Release`: the context that is to end.
pub fn read_release(message: &Envelope) -> Result<String, Fault> {
    context(expect(message, "Release")?)
}

/// Writes `wsen:Release`. `wsen` must be declared.
pub fn write_release(w: &mut Writer, context: &str) {
    w.start("wsen:Release").leaf("wsen:EnumerationContext", context).end("wsen:Release");
}

impl ReceivedPage {
    /// Reads an EnumerateResponse or PullResponse; the end of the sequence counts in either namespace. The message is used up,
    /// since its items may be many.
    pub fn read(message: Envelope) -> Result<Self, Fault> {
        message.body("wsen:EnumerateResponse or wsen:PullResponse")?;
        let Some(body) = message.body else { return Ok(Self::default()) };
        let ends = [WSMAN, WSEN].iter().any(|ns| body.child(ns, "EndOfSequence").is_some());
        let context = filled(&body, WSEN, "EnumerationContext").filter(|_| !ends).map(str::to_owned);
        let mut children = body.children.into_iter().filter_map(into_element);
        let items = children.find(|child| child.is(WSMAN, "Items") || child.is(WSEN, "Items"));
        let items = items.into_iter().flat_map(|items| items.children).filter_map(into_element).collect();
        Ok(Self { context, items, end_of_sequence: ends })
    }

    /// Whether the last of these elements holds the items of a page, the envelope being the first: what is inside may be given
    /// away as it is read.
    pub fn is_of_items(open: &[Element]) -> bool {
        let is_of_items = |element: &Element| element.is(WSMAN, "Items") || element.is(WSEN, "Items");
        matches!(open, [_, _, _, items] if is_of_items(items))
    }
}

fn into_element(node: XMLNode) -> Option<Element> {
    match node {
        XMLNode::Element(element) => Some(element),
        _ => None,
    }
}

/// `wsen:FilterDialectRequestedUnavailable` with the dialects that are served.
pub fn dialect_fault(requested: &str, supported: &[&str]) -> Fault {
    let reason = format!("the filter dialect {:?} is not supported", shown(requested));
    supported.iter().fold(Fault::new(FaultKind::FilterDialectRequestedUnavailable, reason), |fault, dialect| {
        fault.with_element(element(WSEN, "SupportedDialect").with_text(*dialect))
    })
}

/// `wsen:InvalidEnumerationContext`.
pub fn context_fault() -> Fault {
    Fault::new(
        FaultKind::InvalidEnumerationContext,
        "the enumeration context is unknown, was used already, or has expired; begin the enumeration again",
    )
}

fn expect<'e>(message: &'e Envelope, name: &str) -> Result<&'e Element, Fault> {
    let body = message.body(&format!("wsen:{name}"))?;
    if body.is(WSEN, name) {
        return Ok(body);
    }
    Err(Fault::schema(format!("the body must hold wsen:{name}, not {}", shown(&body.name))))
}

fn context(body: &Element) -> Result<String, Fault> {
    let context = body
        .child(WSEN, "EnumerationContext")
        .ok_or_else(|| Fault::schema(format!("wsen:{} holds no wsen:EnumerationContext", body.name)))?;
    Ok(context.text().to_owned())
}

impl Mode {
    fn read(body: &Element) -> Result<Self, Fault> {
        match filled(body, WSMAN, "EnumerationMode") {
            None | Some("EnumerateObject") => Ok(Self::Objects),
            Some("EnumerateEPR") => Ok(Self::Endpoints),
            Some("EnumerateObjectAndEPR") => Ok(Self::ObjectsAndEndpoints),
            Some(other) => Err(Fault::detailed(
                FaultKind::UnsupportedFeature,
                FaultDetail::EnumerationMode,
                format!("wsman:EnumerationMode is EnumerateEPR or EnumerateObjectAndEPR, not {:?}", shown(other)),
            )),
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Objects => None,
            Self::Endpoints => Some("EnumerateEPR"),
            Self::ObjectsAndEndpoints => Some("EnumerateObjectAndEPR"),
        }
    }
}

impl Polymorphism {
    const ALL: [Self; 3] = [Self::IncludeSubClassProperties, Self::ExcludeSubClassProperties, Self::None];

    fn read(body: &Element) -> Result<Option<Self>, Fault> {
        let Some(mode) = filled(body, WSMB, "PolymorphismMode") else { return Ok(None) };
        match Self::ALL.into_iter().find(|m| m.name() == mode) {
            Some(mode) => Ok(Some(mode)),
            None => Err(Fault::new(
                FaultKind::PolymorphismModeNotSupported,
                format!("wsmb:PolymorphismMode {:?} is not one of DSP0227 9.3", shown(mode)),
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::IncludeSubClassProperties => "IncludeSubClassProperties",
            Self::ExcludeSubClassProperties => "ExcludeSubClassProperties",
            Self::None => "None",
        }
    }
}
