//! Options: hints a client gives beside the standard headers (DSP0226 6.4).

use super::names::{WSMAN, XSI};
use super::resource::shown;
use crate::soap::{Fault, FaultDetail, FaultKind};
use crate::xml::{Element, ElementExt, Writer};

/// Longest name of an option (R13.4).
const LONGEST_NAME: usize = 2048;
/// Longest value of an option (R13.4).
const LONGEST_VALUE: usize = 4096;

/// The options of a request, in order; names may repeat.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OptionSet(Vec<RequestOption>);

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestOption {
    /// Its name, in the client's spelling and with the client's prefix.
    pub name: String,
    /// Its value; empty means true, NULL is empty too.
    pub value: String,
    /// Whether the request fails if the option is not observed.
    pub must_comply: bool,
}

impl RequestOption {
    /// Its name without the prefix that Windows puts before it (`wmi:`, `msftwinrm:`).
    pub fn local_name(&self) -> &str {
        self.name.rsplit_once(':').map_or(&self.name, |(_, local)| local)
    }
}

impl OptionSet {
    /// Reads a `wsman:OptionSet`. Elements that are no options pass by.
    pub fn read(set: &Element) -> Result<Self, Fault> {
        let mut options = Vec::new();
        for child in set.children_named(WSMAN, "Option") {
            let name = child.attribute("", "Name").map(str::trim).filter(|n| !n.is_empty()).ok_or_else(|| {
                Fault::detailed(
                    FaultKind::InvalidOptions,
                    FaultDetail::InvalidName,
                    "a wsman:Option has no attribute Name",
                )
            })?;
            let value = child.text();
            if name.len() > LONGEST_NAME || value.len() > LONGEST_VALUE {
                return Err(Fault::detailed(
                    FaultKind::EncodingLimit,
                    FaultDetail::OptionLimit,
                    format!("an option's name may have {LONGEST_NAME} characters, its value {LONGEST_VALUE}"),
                ));
            }
            let must_comply = child.attribute("", "MustComply").is_some_and(|v| matches!(v.trim(), "true" | "1"));
            options.push(RequestOption { name: name.to_owned(), value: value.to_owned(), must_comply });
        }
        Ok(Self(options))
    }

    /// All values of an option, in order. Names are compared without case and without prefix.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |o| o.local_name().eq_ignore_ascii_case(name)).map(|o| o.value.as_str())
    }

    /// Whether an option is there and true.
    pub fn is_set(&self, name: &str) -> bool {
        self.values(name).next().is_some_and(|value| truth(value) == Some(true))
    }

    /// Refuses options that must be complied with and are not among the known ones (R6.4-6).
    pub fn check_known(&self, known: &[&str]) -> Result<(), Fault> {
        let is_known = |o: &&RequestOption| known.iter().any(|name| name.eq_ignore_ascii_case(o.local_name()));
        match self.0.iter().find(|o| o.must_comply && !is_known(o)) {
            None => Ok(()),
            Some(option) => Err(Fault::detailed(
                FaultKind::InvalidOptions,
                FaultDetail::NotSupported,
                format!("the option {:?} is not supported here and has MustComply", shown(&option.name)),
            )),
        }
    }

    /// Refuses options that must be complied with and say neither true nor false (R6.4-9). `others` are no switches.
    pub fn check_switches(&self, others: &[&str]) -> Result<(), Fault> {
        let is_switch = |o: &&RequestOption| !others.iter().any(|name| name.eq_ignore_ascii_case(o.local_name()));
        match self.0.iter().filter(is_switch).find(|o| o.must_comply && truth(&o.value).is_none()) {
            None => Ok(()),
            Some(option) => Err(Fault::detailed(
                FaultKind::InvalidOptions,
                FaultDetail::InvalidValue,
                format!("the option {} is true or false, not {:?}", option.name, shown(&option.value)),
            )),
        }
    }

    /// All options in order.
    pub fn iter(&self) -> impl Iterator<Item = &RequestOption> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with one more option.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(RequestOption { name: name.to_owned(), value: value.to_owned(), must_comply: false });
        self
    }

    /// Writes a `wsman:OptionSet`; nothing if it is empty. `wsman` must be declared.
    pub fn write(&self, w: &mut Writer) {
        if self.is_empty() {
            return;
        }
        w.start("wsman:OptionSet");
        for option in &self.0 {
            w.start("wsman:Option").attribute("Name", &option.name);
            if option.must_comply {
                w.attribute("MustComply", "true");
            }
            w.text(&option.value).end("wsman:Option");
        }
        w.end("wsman:OptionSet");
    }
}

/// What a switch says; an empty one is true.
fn truth(value: &str) -> Option<bool> {
    match value {
        "" | "1" => Some(true),
        "0" => Some(false),
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Whether an element is written as NULL.
///
/// One that holds something is not: libwsman gives a value to what was NULL and leaves `xsi:nil` on it, and a value that is
/// sent must not be lost (DSP0226 R7.4-10).
pub(super) fn is_nil(element: &Element) -> bool {
    element.attribute(XSI, "nil").is_some_and(|v| matches!(v.trim(), "true" | "1"))
        && element.text().is_empty()
        && element.elements().next().is_none()
}
