//! What subscribers and their sinks give back: acknowledgements, bookmarks, contexts.
//! An input is each of them; as an acknowledgement it is the content of a header, in which `$ID` is the delivery's name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::events::{Bookmark, PullContext};
use quartermaster::soap::{Envelope, MessageId};
use quartermaster::wire::delivery::{is_ack, write_ack};
use quartermaster::wire::names::REQUEST_PREFIXES;
use quartermaster::xml::Limits;

fuzz_target!(|text: &str| {
    if let Ok(Bookmark::After(place)) = text.parse() {
        assert_eq!(place.to_string().parse(), Ok(Bookmark::After(place)));
    }
    if let Ok(context) = text.parse::<PullContext>() {
        assert_eq!(context.to_string().parse::<PullContext>().ok(), Some(context));
    }
    let id = MessageId::random().to_string();
    let (answer, other) = (envelope(&text.replace("$ID", &id)), MessageId::random());
    let Some(answer) = answer else { return };
    assert!(!is_ack(&answer, other), "it acknowledges what nobody named: {text}");
    let ack = String::from_utf8(write_ack(&answer.addressing)).expect("an acknowledgement is UTF-8");
    // It declares the namespaces of what it carries back on fewer elements than the message.
    let limits = Limits { attributes: 4096, ..Limits::default() };
    let ack = Envelope::read(&ack, &limits).expect("an acknowledgement is an envelope");
    assert_eq!(ack.addressing.relates_to, answer.addressing.message_id.filter(|id| !id.is_empty()));
});

fn envelope(header: &str) -> Option<Envelope> {
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let text = format!("<s:Envelope{declared}><s:Header>{header}</s:Header><s:Body/></s:Envelope>");
    Envelope::read(&text, &Limits::default()).ok()
}
