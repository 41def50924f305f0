//! The headers and bodies of all messages: what is read is written and read back as the same.
//! An input is headers, a line end, and the content of the body; their prefixes are declared around them.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use quartermaster::soap::{Envelope, EnvelopeError, Fault, Message, Outgoing, ReceivedFault};
use quartermaster::wire::enumeration::{Enumerate, Pull, ReceivedPage, read_release, write_release};
use quartermaster::wire::eventing::{self, Subscribe, SubscribeResponse, write_lifetime};
use quartermaster::wire::identify::{Identity, is_identify};
use quartermaster::wire::names::{MS_WSMAN, REQUEST_PREFIXES, WST};
use quartermaster::wire::transfer::{Representation, read_created};
use quartermaster::wire::{ControlHeaders, Expires, SinkSecurity};
use quartermaster::xml::{Limits, Writer};

fuzz_target!(|text: &str| {
    let (headers, body) = text.split_once('\n').unwrap_or(("", text));
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let text = format!(
        "<s:Envelope{declared} xmlns:wst='{WST}' xmlns:ms='{MS_WSMAN}'><s:Header>{headers}</s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    );
    let Ok(message) = Envelope::read(&text, &Limits::default()) else { return };
    if let Ok(control) = ControlHeaders::read(&message.headers) {
        let _ = SinkSecurity::read(&message, control.issued_tokens.as_ref());
        let _ = control.resource().is_ok_and(|resource| control.namespace(&resource).is_ok());
        let again = written(|m| control.write(m.header()));
        assert_eq!(
            again.and_then(|m| ControlHeaders::read(&m.headers).ok()).unwrap_or_else(|| control.clone()),
            control
        );
    }
    survives(&message, Enumerate::read, Enumerate::write);
    survives(&message, Pull::read, Pull::write);
    survives(&message, read_release, |context, w| write_release(w, context));
    survives(&message, Subscribe::read, Subscribe::write);
    survives(&message, SubscribeResponse::read, SubscribeResponse::write);
    survives(&message, eventing::read_renew, |expires: &Option<Expires>, w| write_lifetime(w, "wse:Renew", *expires));
    let _ = (eventing::read_get_status(&message), eventing::read_unsubscribe(&message));
    let _ = (eventing::read_lifetime(&message), read_created(&message));
    let _ = (Representation::read(&message, false), Representation::read(&message, true));
    let _ = (is_identify(&message), ReceivedFault::read(&message));
    if let Ok(identity) = Identity::read(&message) {
        let text = String::from_utf8(identity.to_message()).expect("a reply is UTF-8");
        let again = Envelope::read(&text, &Limits::default()).expect("a reply is an envelope");
        assert_eq!(Identity::read(&again).ok(), Some(identity));
    }
    let _ = ReceivedPage::read(message);
});

fn survives<T: Debug + PartialEq>(
    message: &Envelope,
    read: impl Fn(&Envelope) -> Result<T, Fault>,
    write: impl Fn(&T, &mut Writer),
) {
    let Ok(value) = read(message) else { return };
    if let Some(again) = written(|m| write(&value, m.body())) {
        assert_eq!(read(&again).map_err(|fault| fault.to_string()), Ok(value));
    }
}

/// The message as its receiver reads it; nothing where that takes more than a receiver allows.
fn written(write: impl FnOnce(&mut Message)) -> Option<Envelope> {
    let mut message = Message::new(REQUEST_PREFIXES, &Outgoing::new("urn:x"), usize::MAX);
    write(&mut message);
    let text = String::from_utf8(message.finish()).expect("a message is UTF-8");
    match Envelope::read(&text, &Limits::default()) {
        Err(EnvelopeError::Xml(error)) if format!("{:?}", error.kind).starts_with("TooMany") => None,
        Err(error) => panic!("{error}: {text}"),
        Ok(envelope) => Some(envelope),
    }
}
