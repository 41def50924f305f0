//! Octets as a request's body has them: their encoding, their envelope, and the fault that answers them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::soap::{Encoding, Envelope, Fault, FaultKind};
use quartermaster::wire::ControlHeaders;
use quartermaster::xml::Limits;

fuzz_target!(|octets: &[u8]| {
    for charset in [None, Some("utf-8"), Some("utf-16")] {
        let Ok(encoding) = Encoding::detect(octets, charset) else { continue };
        let Ok(text) = encoding.decode(octets) else { continue };
        let Ok(envelope) = Envelope::read(&text, &Limits::default()) else { continue };
        for other in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let encoded = other.encode(text.as_bytes().to_vec());
            let decoded = other.decode(&encoded).expect("what was encoded is decoded");
            assert_eq!(Envelope::read(&decoded, &Limits::default()).ok().as_ref(), Some(&envelope));
        }
        let fault = envelope.addressing.check_request().and(ControlHeaders::read(&envelope.headers).map(drop));
        let fault = fault.err().unwrap_or_else(|| Fault::new(FaultKind::InternalError, text.as_ref().to_owned()));
        let reply = String::from_utf8(fault.to_message(&envelope.addressing)).expect("a reply is UTF-8");
        let reply = Envelope::read(&reply, &wide()).expect("a fault is an envelope");
        assert_eq!(reply.addressing.relates_to, envelope.addressing.message_id);
    }
});

/// A reply declares the namespaces of what it carries back on fewer elements than the request.
fn wide() -> Limits {
    Limits { attributes: 4096, ..Limits::default() }
}
