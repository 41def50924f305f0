//! Enumerate, with associations too, Pull and Release.

use super::{Bench, Message, Row};
use crate::names::{ASSOCIATION_FILTER, WQL, WSEN, WSMB, enumeration};
use crate::peer::Answer;
use crate::shared_host::{ALPHA, HUGE};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, property};

const UNREACHABLE: &str = "Sender wsa:DestinationUnreachable";
const TOO_LARGE: &str = "Sender wsman:EncodingLimit [MaxEnvelopeSize]";
const NO_CONTEXT: &str = "Receiver wsen:InvalidEnumerationContext";
const OTHER_RESOURCE: &str = "Sender wsa:MessageInformationHeaderRequired";
const NO_SCHEMA: &str = "Sender wsman:SchemaValidationError";

const OPTIMIZED: &str = "<w:OptimizeEnumeration></w:OptimizeEnumeration>";
const EXPIRES: &str = "<wse:Expires>PT10M</wse:Expires>";

/// The tests' prefix for WS-Enumeration is that which others have for WS-Eventing.
fn request(operation: &str, resource: &str, content: &str) -> Message {
    let body = format!("<wse:{operation} xmlns:wse=\"{WSEN}\" xmlns:wsmb=\"{WSMB}\">{content}</wse:{operation}>");
    Message::new(enumeration(operation), resource.to_owned()).body(&body)
}

fn profiles(operation: &str, content: &str) -> Message {
    request(operation, &format!("{CIM}/CIM_RegisteredProfile"), content).interop()
}

fn software(operation: &str, content: &str) -> Message {
    request(operation, &format!("{CIM}/CIM_SoftwareIdentity"), content)
}

fn of_size(message: Message, octets: u32) -> Message {
    message.header(&format!("<w:MaxEnvelopeSize s:mustUnderstand=\"true\">{octets}</w:MaxEnvelopeSize>"))
}

fn named(pattern: &str) -> String {
    format!("<w:Filter Dialect=\"{WQL}\">SELECT * FROM CIM_SoftwareIdentity WHERE Name LIKE '{pattern}'</w:Filter>")
}

fn context(context: &str) -> String {
    format!("<wse:EnumerationContext>{context}</wse:EnumerationContext>")
}

fn context_of(answer: &Answer) -> String {
    property(answer.content(), "EnumerationContext").unwrap()
}

pub(super) fn enumerate(bench: &mut Bench) -> Vec<Row> {
    let mut ask = |test, asked, pegasus, message: Message| bench.row(test, asked, pegasus, &message.envelope(), "");
    let response = "EnumerateResponse";
    let invalid = "Sender wsen:InvalidExpirationTime";
    let with = |content: &str| profiles("Enumerate", &format!("{OPTIMIZED}{content}"));
    let some = |n: u32| format!("{EXPIRES}<w:MaxElements>{n}</w:MaxElements>");
    let mode = |mode: &str| format!("{}<w:EnumerationMode>{mode}</w:EnumerationMode>", some(2));
    let unknown = request("Enumerate", &format!("{CIM}/CIM_Unicorn"), &format!("{OPTIMIZED}{EXPIRES}"));
    let exclude = "<wsmb:PolymorphismMode>ExcludeSubClassProperties</wsmb:PolymorphismMode>";
    let huge = software("Enumerate", &format!("{OPTIMIZED}{EXPIRES}{}", named(HUGE)));
    vec![
        ask("Enumerate_InvalidClass01", "an unknown class", UNREACHABLE, unknown),
        ask("Enumerate_InvalidExpiration01", "an end that is no time", invalid, with("<wse:Expires>PTM</wse:Expires>")),
        ask(
            "Enumerate_InvalidExpiration02",
            "an end that has passed",
            invalid,
            with("<wse:Expires>2000-12-01T12:23:34+02:00</wse:Expires>"),
        ),
        ask(
            "Enumerate_InvalidNamespace01",
            "an unknown CIM namespace",
            UNREACHABLE,
            with(EXPIRES).namespace("test/nonexistent"),
        ),
        ask("Enumerate_MaxEnvSize01", "an instance larger than the envelope", TOO_LARGE, of_size(huge, 8300)),
        ask("Enumerate_Success01", "the first instance", response, with(EXPIRES)),
        ask("Enumerate_Success02", "a context alone", response, profiles("Enumerate", "")),
        ask("Enumerate_Success03", "up to 20 instances", response, with(&some(20))),
        ask("Enumerate_Success04", "references", response, with(&mode("EnumerateEPR"))),
        ask(
            "Enumerate_Success05",
            "instances as those of the class",
            response,
            with(&format!("{}{exclude}", some(200))),
        ),
        ask("Enumerate_Success06", "instances with references", response, with(&mode("EnumerateObjectAndEPR"))),
    ]
}

pub(super) fn associations(bench: &mut Bench) -> Vec<Row> {
    let response = "EnumerateResponse";
    let filtered = |mode: &str, inside: &str| {
        let filter = format!("<w:Filter Dialect=\"{ASSOCIATION_FILTER}\">{inside}</w:Filter>");
        let content = format!(
            "<w:EnumerationMode>{mode}</w:EnumerationMode><w:MaxElements>20</w:MaxElements>{OPTIMIZED}{filter}"
        );
        request("Enumerate", ALL_CLASSES, &content)
    };
    let object = |class: &str, namespace: &str| {
        format!(
            "<wsmb:Object><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{CIM}/{class}\
             </w:ResourceURI><w:SelectorSet>{namespace}<w:Selector Name=\"InstanceID\">{ALPHA}</w:Selector></w:SelectorSet>\
             </a:ReferenceParameters></wsmb:Object>"
        )
    };
    let cimv2 = "<w:Selector Name=\"__cimnamespace\">root/cimv2</w:Selector>";
    let alpha = object("CIM_SoftwareIdentity", cimv2);
    let others = |rest: &str| format!("<wsmb:AssociatedInstances>{rest}</wsmb:AssociatedInstances>");
    let links = |rest: &str| format!("<wsmb:AssociationInstances>{rest}</wsmb:AssociationInstances>");
    let both = "EnumerateObjectAndEPR";
    let role = "<wsmb:Role>InstalledSoftware</wsmb:Role>";
    let result = |class: &str| format!("<wsmb:ResultClassName>{class}</wsmb:ResultClassName>");
    let mut ask =
        |test, asked, pegasus, message: Message, why| bench.row(test, asked, pegasus, &message.envelope(), why);
    vec![
        ask(
            "EnumerateAssociation_BadAssocTag",
            "a filter of an unknown kind",
            "Sender wsen:CannotProcessFilter",
            filtered(both, &format!("<wsmb:AssociatedInstancesJunk>{alpha}</wsmb:AssociatedInstancesJunk>")),
            "",
        ),
        ask(
            "EnumerateAssociation_InvalidClass",
            "an object of an unknown class",
            UNREACHABLE,
            filtered(both, &others(&object("CIM_Unicorn", cimv2))),
            NO_OBJECT,
        ),
        ask(
            "EnumerateAssociation_InvalidNamespace",
            "an object in an unknown CIM namespace",
            UNREACHABLE,
            filtered(
                both,
                &others(&object(
                    "CIM_SoftwareIdentity",
                    "<w:Selector Name=\"__cimnamespace\">test/NoSuchNameSpace</w:Selector>",
                )),
            ),
            NO_OBJECT,
        ),
        ask(
            "EnumerateAssociation_NoNamespace",
            "an object without a CIM namespace",
            UNREACHABLE,
            filtered(both, &others(&object("CIM_SoftwareIdentity", ""))),
            "where no namespace is named, root/cimv2 is meant, and there the object is",
        ),
        ask("EnumerateAssociation_NoObjectTag", "no object", NO_SCHEMA, filtered(both, &others("")), ""),
        ask(
            "EnumerateAssociation_Success01",
            "associated instances with references",
            response,
            filtered(both, &others(&alpha)),
            "",
        ),
        ask(
            "EnumerateAssociation_Success02",
            "references to associated instances",
            response,
            filtered("EnumerateEPR", &others(&alpha)),
            "",
        ),
        ask(
            "EnumerateAssociation_Success03",
            "associated instances, in the mode EnumerateObject",
            "Sender wsman:UnsupportedFeature [EnumerationMode]",
            filtered("EnumerateObject", &others(&alpha)),
            DEFAULT_MODE,
        ),
        ask(
            "EnumerateAssociation_Success04",
            "associated instances of a class, by a role",
            response,
            filtered(both, &others(&format!("{alpha}{role}{}", result("CIM_ComputerSystem")))),
            "",
        ),
        ask(
            "EnumerateAssociation_Success06",
            "associations with references",
            response,
            filtered(both, &links(&alpha)),
            "",
        ),
        ask(
            "EnumerateAssociation_Success07",
            "references to associations",
            response,
            filtered("EnumerateEPR", &links(&alpha)),
            "",
        ),
        ask(
            "EnumerateAssociation_Success08",
            "the same as Success03",
            "Sender wsman:UnsupportedFeature [EnumerationMode]",
            filtered("EnumerateObject", &others(&alpha)),
            DEFAULT_MODE,
        ),
        ask(
            "EnumerateAssociation_Success09",
            "associations of a class that is none",
            response,
            filtered(both, &links(&format!("{alpha}{role}{}", result("CIM_SoftwareIdentity")))),
            "",
        ),
        ask(
            "EnumerateAssociation_Success10",
            "associations of a class, by a role",
            response,
            filtered(both, &links(&format!("{alpha}{role}{}", result("CIM_InstalledSoftwareIdentity")))),
            "",
        ),
    ]
}

const NO_OBJECT: &str = "DSP0227 R8.2.1-4: a filter whose object is not exactly one instance cannot be processed";
const DEFAULT_MODE: &str = "EnumerateObject is what Windows' clients and OMI call the mode without a name";

pub(super) fn pull(bench: &mut Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut begin = |bench: &mut Bench, test, asked, message: Message| {
        let (row, answer) = bench.row_with_answer(test, asked, "EnumerateResponse", &message.envelope());
        rows.push(row);
        context_of(&answer)
    };
    let large = begin(
        bench,
        "Enumerate_MaxEnvSize01",
        "a context for an instance larger than the envelope",
        of_size(software("Enumerate", &format!("{EXPIRES}{}", named(HUGE))), 8300),
    );
    let short = begin(bench, "Enumerate_Success01", "a context", profiles("Enumerate", ""));
    let unused = begin(bench, "Enumerate_Success02", "another context", profiles("Enumerate", ""));
    let long = begin(
        bench,
        "Enumerate_Success03",
        "a context for many instances",
        software("Enumerate", &named("filler-000%")),
    );
    let mut ask = |test, asked, pegasus, message: Message| {
        let row = bench.row(test, asked, pegasus, &message.envelope(), "");
        rows.push(row);
    };
    let some = |id: &str, n: u32| format!("{}<wse:MaxElements>{n}</wse:MaxElements>", context(id));
    let response = "PullResponse";
    ask(
        "Pull_InvalidEPR01",
        "a page of another resource",
        OTHER_RESOURCE,
        request("Pull", &format!("{CIM}/CIM_Unicorn"), &some(&unused, 10)),
    );
    ask(
        "Pull_MaxEnvSize01",
        "an instance larger than the envelope",
        TOO_LARGE,
        of_size(software("Pull", &some(&large, 50)), 8300),
    );
    ask(
        "Pull_MaxEnvSize02",
        "the same in a larger envelope",
        response,
        of_size(software("Pull", &some(&large, 50)), 40_000),
    );
    ask("Pull_Success01", "the first 4", response, profiles("Pull", &some(&short, 4)));
    ask("Pull_Success02", "the rest", response, profiles("Pull", &some(&short, 50)));
    ask("Pull_InvalidContext01", "a page after the last", NO_CONTEXT, profiles("Pull", &some(&short, 5)));
    for test in ["Pull_Success03", "Pull_Success04", "Pull_Success05"] {
        ask(test, "as many as a small envelope holds", response, of_size(software("Pull", &some(&long, 50)), 8300));
    }
    rows
}

pub(super) fn release(bench: &mut Bench) -> Vec<Row> {
    let (begun, answer) = bench.row_with_answer(
        "Enumerate_Success01",
        "a context",
        "EnumerateResponse",
        &profiles("Enumerate", "").envelope(),
    );
    let known = context(&context_of(&answer));
    let elsewhere = |content: &str| request("Release", &format!("{CIM}/CIM_Unicorn"), content);
    let mut ask = |test, asked, pegasus, message: Message| bench.row(test, asked, pegasus, &message.envelope(), "");
    vec![
        begun,
        ask("Pull_Success01", "the first", "PullResponse", profiles("Pull", &known)),
        ask("Pull_MissingContext01", "a page of nothing", NO_SCHEMA, profiles("Pull", "")),
        ask("Release_MissingContext01", "the end of nothing", NO_SCHEMA, profiles("Release", "")),
        ask("Release_InvalidContext01", "the end of an unknown context", NO_CONTEXT, elsewhere(&context("222"))),
        ask("Release_InvalidEPR01", "the end, for another resource", OTHER_RESOURCE, elsewhere(&known)),
        ask("Release_Success01", "the end", "ReleaseResponse", profiles("Release", &known)),
        ask("Pull_InvalidContext01", "a page after the end", NO_CONTEXT, profiles("Pull", &known)),
    ]
}
