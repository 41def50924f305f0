//! The control headers of DSP0226 clause 6, with the resource and its selectors.

use std::borrow::Cow;

use super::fields::positive;
use super::names::{MS_SHELL, MS_WSMAN, WSE, WSMAN, WST};
use super::resource::shown;
use super::{OptionSet, ResourceUri, SelectorSet, Style, write_wrapped_path};
use crate::cim::{Interval, ObjectPath};
use crate::soap::{Fault, FaultDetail, FaultKind, HeaderBlock};
use crate::xml::{Element, ElementExt, Writer, XML_NAMESPACE};

/// Smallest envelope that a client may ask for (R6.2-4).
const SMALLEST_ENVELOPE: u64 = 8192;

/// How many headers that are not understood are named in one fault.
const MOST_NAMED: usize = 16;

/// Headers by which Windows' clients speak among themselves; a server without their extensions passes them by and does
/// not send them back.
const WINDOWS_HEADERS: &[(&str, &str)] = &[
    (MS_WSMAN, "OperationID"),
    (MS_WSMAN, "SequenceId"),
    (MS_WSMAN, "SessionId"),
    (MS_WSMAN, "ActivityId"),
    (MS_WSMAN, "DataLocale"),
    (MS_WSMAN, "ShellCompression"),
    (MS_SHELL, "CompressionType"),
];

/// What a request says beside WS-Addressing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ControlHeaders {
    /// `wsman:ResourceURI` as it was written.
    pub resource_uri: Option<String>,
    /// `wsman:SelectorSet`.
    pub selectors: SelectorSet,
    /// `wsman:OperationTimeout`.
    pub operation_timeout: Option<Interval>,
    /// `wsman:MaxEnvelopeSize` in octets, at least 8192.
    pub max_envelope_size: Option<u64>,
    /// `wsman:Locale/@xml:lang`.
    pub locale: Option<String>,
    /// `wsman:OptionSet`.
    pub options: OptionSet,
    /// `wsman:FragmentTransfer`.
    pub fragment: Option<FragmentTransfer>,
    /// `wsman:RequestEPR`: the reply is to tell the endpoint reference of the resource.
    pub request_epr: bool,
    /// `wsman:RequestTotalItemsCountEstimate`.
    pub request_total: bool,
    /// `wse:Identifier`: the subscription a request is about.
    pub identifier: Option<String>,
    /// `wst:IssuedTokens`: credentials for the sink of a subscription.
    pub issued_tokens: Option<Element>,
}

/// The part of a representation that a transfer request is about (DSP0226 7.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentTransfer {
    /// The language of the expression; `None` is XPath 1.0.
    pub dialect: Option<String>,
    /// The expression.
    pub expression: String,
}

impl ControlHeaders {
    /// Reads the headers of a request. A header that must be understood and is none of these is `s:MustUnderstand`;
    /// such headers are named together.
    pub fn read(blocks: &[HeaderBlock]) -> Result<Self, Fault> {
        let mut headers = Self::default();
        let mut not_understood = Vec::new();
        for (i, block) in blocks.iter().enumerate() {
            let element = &block.element;
            let known = headers.take(element, block.must_understand)?;
            if !known {
                if block.must_understand && not_understood.len() < MOST_NAMED {
                    not_understood.push((element.namespace_uri().to_owned(), element.name.clone()));
                }
                continue;
            }
            let before = blocks.get(..i).unwrap_or_default();
            let ours = [WSMAN, WSE].contains(&element.namespace_uri());
            if ours && before.iter().any(|b| b.element.is(element.namespace_uri(), &element.name)) {
                return Err(invalid(element, "is given twice"));
            }
        }
        if not_understood.is_empty() { Ok(headers) } else { Err(Fault::must_understand(not_understood)) }
    }

    /// What the request is about, or the fault for a request that does not say.
    pub fn resource(&self) -> Result<ResourceUri, Fault> {
        let missing = || ResourceUri::missing("the header wsman:ResourceURI is missing or empty");
        ResourceUri::parse(self.resource_uri.as_deref().ok_or_else(missing)?)
    }

    /// The CIM namespace that the request names, in a selector or in Windows' form of the URI; `None` if neither does.
    pub fn namespace<'a>(&'a self, resource: &'a ResourceUri) -> Result<Option<Cow<'a, str>>, Fault> {
        let in_uri = resource.namespace().map(|n| &**n);
        let selected = self.selectors.namespace();
        match (in_uri, selected) {
            (Some(uri), Some(selected)) if !uri.eq_ignore_ascii_case(&selected) => Err(Fault::detailed(
                FaultKind::InvalidSelectors,
                FaultDetail::InvalidValue,
                "the resource URI and the selector __cimnamespace name different namespaces",
            )),
            (in_uri, selected) => Ok(selected.or(in_uri.map(Cow::Borrowed))),
        }
    }

    /// Writes the headers of a request of ours. `wsman`, `wse` and `wsa` must be declared.
    pub fn write(&self, w: &mut Writer) {
        if let Some(uri) = &self.resource_uri {
            w.start("wsman:ResourceURI").attribute("s:mustUnderstand", "true").text(uri).end("wsman:ResourceURI");
        }
        self.selectors.write(w);
        if let Some(timeout) = self.operation_timeout {
            w.leaf("wsman:OperationTimeout", &timeout.to_duration());
        }
        if let Some(size) = self.max_envelope_size {
            w.start("wsman:MaxEnvelopeSize").attribute("s:mustUnderstand", "true").unsigned(size);
            w.end("wsman:MaxEnvelopeSize");
        }
        if let Some(locale) = &self.locale {
            w.start("wsman:Locale").attribute("xml:lang", locale).end("wsman:Locale");
        }
        self.options.write(w);
        if let Some(fragment) = &self.fragment {
            fragment.write(w);
        }
        if self.request_epr {
            w.empty("wsman:RequestEPR");
        }
        if self.request_total {
            w.empty("wsman:RequestTotalItemsCountEstimate");
        }
        if let Some(identifier) = &self.identifier {
            w.leaf("wse:Identifier", identifier);
        }
        if let Some(tokens) = &self.issued_tokens {
            w.element(tokens);
        }
    }

    /// Takes a header in; whether it is a known one.
    fn take(&mut self, header: &Element, must_understand: bool) -> Result<bool, Fault> {
        let text = header.text();
        match (header.namespace_uri(), header.name.as_str()) {
            (WSMAN, "ResourceURI") => self.resource_uri = Some(text.to_owned()).filter(|uri| !uri.is_empty()),
            (WSMAN, "SelectorSet") => self.selectors = SelectorSet::read(header)?,
            (WSMAN, "OperationTimeout") => {
                let timeout = Interval::parse_duration(text);
                self.operation_timeout =
                    Some(timeout.map_err(|_| invalid(header, "must hold an xs:duration, such as PT60S"))?);
            }
            (WSMAN, "MaxEnvelopeSize") => self.max_envelope_size = Some(envelope_size(header)?),
            (WSMAN, "Locale") => self.locale = locale(header, must_understand)?,
            (MS_WSMAN, "DataLocale") => drop(locale(header, must_understand)?),
            (WSMAN, "OptionSet") => self.options = OptionSet::read(header)?,
            (WSMAN, "FragmentTransfer") => self.fragment = Some(FragmentTransfer::read(header)),
            (WSMAN, "RequestEPR") => self.request_epr = true,
            (WSMAN, "RequestTotalItemsCountEstimate") => self.request_total = true,
            (WSE, "Identifier") => self.identifier = Some(text.to_owned()).filter(|id| !id.is_empty()),
            (WST, "IssuedTokens") => self.issued_tokens = Some(header.clone()),
            name => return Ok(WINDOWS_HEADERS.contains(&name)),
        }
        Ok(true)
    }
}

impl FragmentTransfer {
    fn read(header: &Element) -> Self {
        let dialect = header.attribute("", "Dialect").map(str::trim).filter(|d| !d.is_empty()).map(str::to_owned);
        Self { dialect, expression: header.text().to_owned() }
    }

    /// Writes the header; a reply to a fragment request repeats it (DSP0226 R7.7-2).
    pub fn write(&self, w: &mut Writer) {
        w.start("wsman:FragmentTransfer").attribute("s:mustUnderstand", "true");
        if let Some(dialect) = &self.dialect {
            w.attribute("Dialect", dialect);
        }
        w.text(&self.expression).end("wsman:FragmentTransfer");
    }
}

/// Writes the answer to `wsman:RequestEPR`: the reference to the resource (DSP0226 R6.5-1). A header of the reply.
pub fn write_requested_epr(w: &mut Writer, path: &ObjectPath, style: &Style<'_>) {
    w.start("wsman:RequestedEPR");
    write_wrapped_path(w, path, style);
    w.end("wsman:RequestedEPR");
}

/// Writes the answer to `wsman:RequestEPR` where there is no reference to tell (DSP0226 R6.5-1). A header of the reply.
pub fn write_unknown_epr(w: &mut Writer) {
    w.start("wsman:RequestedEPR").empty("wsman:EPRUnknown").end("wsman:RequestedEPR");
}

/// Writes the answer to `wsman:RequestTotalItemsCountEstimate`; `None` is not known (R8.2.2-1). A header of the reply.
pub fn write_total_items(w: &mut Writer, estimate: Option<u64>) {
    w.start("wsman:TotalItemsCountEstimate");
    match estimate {
        Some(count) => w.unsigned(count),
        None => w.attribute("xsi:nil", "true"),
    };
    w.end("wsman:TotalItemsCountEstimate");
}

fn invalid(header: &Element, why: &str) -> Fault {
    let element = crate::xml::element(header.namespace_uri(), &header.name).with_text(shown(header.text()));
    Fault::new(FaultKind::InvalidMessageInformationHeader, format!("the header {} {why}", header.name))
        .with_element(element)
}

fn envelope_size(header: &Element) -> Result<u64, Fault> {
    let size = positive(header.text()).ok_or_else(|| invalid(header, "must hold a number of octets"))?;
    if size >= SMALLEST_ENVELOPE {
        return Ok(size);
    }
    Err(Fault::detailed(
        FaultKind::EncodingLimit,
        FaultDetail::MinimumEnvelopeLimit,
        format!("wsman:MaxEnvelopeSize must be at least {SMALLEST_ENVELOPE}, not {size}"),
    ))
}

/// Everything we say is English; a client that insists on another language is refused (R6.3-2).
fn locale(header: &Element, must_understand: bool) -> Result<Option<String>, Fault> {
    let language = header.attribute(XML_NAMESPACE, "lang").map(str::trim).filter(|l| !l.is_empty());
    let is_english = language.is_none_or(|l| l.get(..2).is_some_and(|l| l.eq_ignore_ascii_case("en")));
    if must_understand && !is_english {
        return Err(Fault::detailed(
            FaultKind::UnsupportedFeature,
            FaultDetail::Locale,
            format!("the language {:?} is not available; ask for en", shown(language.unwrap_or_default())),
        ));
    }
    Ok(language.map(str::to_owned))
}
