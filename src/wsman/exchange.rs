//! One request under way: its headers typed, its caller known, and the room its reply may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::access::Caller;
use crate::broker::{Broker, IMPLEMENTATION_NAMESPACE, Upload};
use crate::cim::{Class, Interval, ObjectPath};
use crate::soap::{Envelope, Fault, FaultDetail, FaultKind, Message, Outgoing};
use crate::wire::control::write_unknown_epr;
use crate::wire::names::option;
use crate::wire::{ControlHeaders, Mapping, ResourceUri, Style, UriForm, cim_fault};
use crate::xml::Namespaces;
use crate::xml::Written;

/// A request under way.
pub(super) struct Exchange<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) control: ControlHeaders,
    pub(super) caller: &'a Caller,
    /// The service's address as the client sees it.
    pub(super) address: &'a str,
    /// The package file that came with the request.
    pub(super) upload: Option<&'a Arc<Upload>>,
    /// Octets of UTF-8 that the reply may have.
    pub(super) budget: usize,
    /// Whether that is the service's own limit, and not the client's.
    pub(super) is_own_limit: bool,
    /// When the request came.
    pub(super) begun: Instant,
    /// When it must be answered (DSP0226 R6.1-1).
    pub(super) deadline: Instant,
}

/// The class a request is about, in its namespace, and how the client writes URIs.
pub(super) struct Target<'b> {
    pub(super) namespace: Arc<str>,
    pub(super) class: &'b Arc<Class>,
    pub(super) form: UriForm,
}

/// What a client's options say about the look of instances.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) exclude_nil: bool,
    pub(super) show_extensions: bool,
    pub(super) precise_arrays: bool,
}

impl Look {
    /// How things are written that look like this, with classes named so.
    pub(super) fn style(self, form: &UriForm) -> Style<'_> {
        let Self { exclude_nil, show_extensions, precise_arrays } = self;
        Style { form, exclude_nil, show_extensions, precise_arrays, ..Style::default() }
    }
}

impl Exchange<'_> {
    /// The moment that lies so long after the request came.
    pub(super) fn deadline_after(&self, time: Interval) -> Instant {
        after(self.begun, Duration::from_micros(time.microseconds()))
    }

    /// The CIM namespace the request is about.
    pub(super) fn namespace(&self, broker: &Broker, resource: &ResourceUri) -> Result<Arc<str>, Fault> {
        let named = self.control.namespace(resource)?;
        broker.namespace(named.as_deref().unwrap_or(IMPLEMENTATION_NAMESPACE)).map_err(cim_fault)
    }

    /// The class the request is about; a request about all classes or about schemas is refused.
    pub(super) fn target<'b>(&self, broker: &'b Broker) -> Result<Target<'b>, Fault> {
        let resource = self.control.resource()?;
        let namespace = self.namespace(broker, &resource)?;
        match resource {
            ResourceUri::Class { class, form } => {
                let class = broker.class(&namespace, &class).map_err(cim_fault)?;
                Ok(Target { namespace, class, form })
            }
            ResourceUri::AllClasses { .. } => Err(mismatch("the resource URI must name one class for this operation")),
            ResourceUri::Classes(_) => {
                Err(mismatch("classes can be read with Get and Enumerate; they are not changed and have no methods"))
            }
        }
    }

    /// The instance the request is about.
    pub(super) fn path(&self, broker: &Broker, target: &Target<'_>) -> Result<ObjectPath, Fault> {
        self.mapping(broker, &target.namespace).selected(target.class, &self.control.selectors)
    }

    /// How things are written to this client.
    pub(super) fn style<'f>(&self, form: &'f UriForm) -> Style<'f> {
        self.look().style(form)
    }

    /// What the client's options say about the look of instances.
    pub(super) fn look(&self) -> Look {
        let options = &self.control.options;
        Look {
            exclude_nil: options.is_set(option::EXCLUDE_NIL),
            show_extensions: options.is_set(option::SHOW_EXTENSIONS),
            precise_arrays: options.is_set(option::PRECISE_ARRAYS),
        }
    }

    /// Reads values, paths and instances of a namespace.
    pub(super) fn mapping<'m>(&self, broker: &'m Broker, namespace: &'m Arc<str>) -> Mapping<'m> {
        let precise_arrays = self.control.options.is_set(option::PRECISE_ARRAYS);
        Mapping { schema: broker.schema(), namespace, precise_arrays }
    }

    /// Begins a reply that is about no one instance; who asks for its EPR is told that there is none to tell (R6.5-1).
    pub(super) fn reply(&self, action: &str, prefixes: Namespaces) -> Message {
        let mut message = self.reply_about(action, prefixes);
        if self.control.request_epr {
            write_unknown_epr(message.header());
        }
        message
    }

    /// Begins a reply that is about an instance, whose EPR is the caller's to tell.
    pub(super) fn reply_about(&self, action: &str, prefixes: Namespaces) -> Message {
        Message::new(prefixes, &Outgoing::reply(action, &self.envelope.addressing), self.budget)
    }

    /// The finished reply to a request that changed nothing, or the fault for one that is too large (R6.2-1, R6.2-5).
    pub(super) fn finish(&self, mut message: Message) -> Result<Written, Fault> {
        if message.body().is_over() {
            Err(too_large("the reply", self.is_own_limit))
        } else {
            Ok(message.finish_in_pieces())
        }
    }

    /// The same where something was changed, which cannot be undone (R7.4-9, R7.6-8).
    pub(super) fn finish_change(&self, mut message: Message) -> Result<Written, Fault> {
        if !message.body().is_over() {
            return Ok(message.finish_in_pieces());
        }
        Err(Fault::detailed(
            FaultKind::EncodingLimit,
            FaultDetail::UnreportableSuccess,
            "it was done, but the reply is larger than wsman:MaxEnvelopeSize allows; ask for more",
        ))
    }
}

fn mismatch(why: &'static str) -> Fault {
    Fault::detailed(FaultKind::ActionNotSupported, FaultDetail::ActionMismatch, why)
}

/// The fault for something that does not fit the reply, by the client's limit or by the service's own.
pub(super) fn too_large(what: &str, is_own_limit: bool) -> Fault {
    let detail = if is_own_limit { FaultDetail::ServiceEnvelopeLimit } else { FaultDetail::MaxEnvelopeSize };
    let reason = format!("{what} is larger than wsman:MaxEnvelopeSize allows; ask for more");
    Fault::detailed(FaultKind::EncodingLimit, detail, reason)
}

/// The moment that lies so long after another; the longest interval of CIM is beyond what some clocks count.
pub(super) fn after(begun: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);
    begun.checked_add(time).unwrap_or(begun + FAR)
}
