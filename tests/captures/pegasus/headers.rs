//! What stands in the header of the SOAP message.

use super::{Bench, Row, transfer};
use crate::names::transfer as action;
use crate::support::wsman::ANONYMOUS;

pub(super) fn headers(bench: &mut Bench) -> Vec<Row> {
    let good = transfer::get_of_alpha();
    let whole = good.envelope();
    let without_action = {
        let (before, rest) = whole.split_once("<a:Action").unwrap();
        format!("{before}{}", rest.split_once("</a:Action>").unwrap().1)
    };
    let bogus_action = whole.replace(&action("Get"), &action("Bogus"));
    let elsewhere = |header: &str| {
        let (before, rest) = whole.split_once(&format!("<a:{header}>")).unwrap();
        format!("{before}<a:{header}>{}", rest.replacen(ANONYMOUS, "http://localhost/bogus", 1))
    };
    let fragment = "<w:FragmentTransfer s:mustUnderstand=\"true\">xpath expression</w:FragmentTransfer>";
    let known = "<a:Bogus s:mustUnderstand=\"true\">What is this?</a:Bogus>";
    let bare = "<Bogus s:mustUnderstand=\"true\">What is this?</Bogus>";
    let open = whole.replacen("</a:ReplyTo>", "", 1);
    let unsupported = "Sender wsman:UnsupportedFeature [AddressingMode]";
    let mut ask = |test, asked, pegasus, message: &str, why| bench.row(test, asked, pegasus, message, why);
    vec![
        ask("ActionMissing01", "no Action", "Sender wsa:MessageInformationHeaderRequired", &without_action, ""),
        ask("ActionUnsupported01", "an unknown Action", "Sender wsa:ActionNotSupported", &bogus_action, ""),
        ask("FaultToUnsupported01", "faults to somebody else", unsupported, &elsewhere("FaultTo"), ""),
        ask(
            "FragmentLevelAccess01",
            "a fragment by words that are no XPath",
            "Sender wsman:UnsupportedFeature [FragmentLevelAccess]",
            &good.clone().header(fragment).envelope(),
            "parts of instances are served, so that an expression is judged and not the feature (DSP0226 R7.7-7)",
        ),
        ask(
            "HeaderNotUnderstood01",
            "a header of WS-Addressing that it does not have",
            "MustUnderstand Bogus",
            &good.clone().header(known).envelope(),
            "",
        ),
        ask(
            "HeaderNotUnderstood02",
            "a header in no namespace",
            "MustUnderstand Bogus",
            &good.clone().header(bare).envelope(),
            "",
        ),
        ask("ReplyToUnsupported01", "replies to somebody else", unsupported, &elsewhere("ReplyTo"), ""),
        ask(
            "XmlSyntaxInvalid01",
            "an element that does not end",
            "Sender wsman:SchemaValidationError",
            &open,
            "what is no XML is no SOAP message that a fault could answer: HTTP's 400 says it (RC.2-7)",
        ),
    ]
}
