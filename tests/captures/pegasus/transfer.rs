//! Create, Delete, Get and Put.

use super::{Bench, Message, Row};
use crate::names::{CIM_COMMON, transfer};
use crate::shared_host::ALPHA;
use crate::support::wsman::CIM;

const UNREACHABLE: &str = "Sender wsa:DestinationUnreachable";
const UNEXPECTED: &str = "Sender wsman:InvalidSelectors [UnexpectedSelectors]";

fn filter_uri() -> String {
    format!("{CIM}/CIM_IndicationFilter")
}

/// A new filter with these properties, as XML.
fn new_filter(properties: &str) -> Message {
    let uri = filter_uri();
    let body = format!("<p:CIM_IndicationFilter xmlns:p=\"{uri}\">{properties}</p:CIM_IndicationFilter>");
    Message::new(transfer("Create"), uri).interop().body(&body)
}

fn query(language: &str) -> String {
    format!(
        "<p:Query>SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob</p:Query>\
         <p:QueryLanguage>{language}</p:QueryLanguage>"
    )
}

pub(super) fn create(bench: &mut Bench) -> Vec<Row> {
    let good = new_filter(&format!("<p:Name>{}</p:Name>{}", bench.host.new_name("pegasus:filter"), query("DMTF:CQL")));
    let unknown = Message { resource: format!("{CIM}/CIM_Unicorn"), ..good.clone() };
    let bad_key = new_filter(&format!("<p:NoSuchName>x</p:NoSuchName>{}", query("DMTF:CQL")));
    let bad_property = new_filter(&format!("<p:NoSuchProperty>1</p:NoSuchProperty>{}", query("DMTF:CQL")));
    let bad_value = new_filter(&query("no language"));
    vec![
        bench.row("Create_InvalidClass01", "an unknown class", UNREACHABLE, &unknown.envelope(), ""),
        bench.row(
            "Create_InvalidKeyName01",
            "an unknown property where the key should be",
            "Sender wsman:SchemaValidationError",
            &bad_key.envelope(),
            INVALID_CONTENT,
        ),
        bench.row(
            "Create_InvalidNamespace01",
            "an unknown CIM namespace",
            UNREACHABLE,
            &good.clone().namespace("test/nosuchnamespace").envelope(),
            "",
        ),
        bench.row(
            "Create_InvalidPropertyName01",
            "an unknown property",
            "Sender wsman:SchemaValidationError",
            &bad_property.envelope(),
            INVALID_CONTENT,
        ),
        bench.row(
            "Create_InvalidPropertyValue01",
            "a value that the service does not take",
            "Sender wsman:InvalidParameter",
            &bad_value.envelope(),
            INVALID_CONTENT,
        ),
        bench.row("Create_Success01", "a new instance", "CreateResponse", &good.envelope(), ""),
    ]
}

const INVALID_CONTENT: &str =
    "DSP0226 R7.4-5 and R7.6-3: what is wrong with the content of the body is wxf:InvalidRepresentation";

pub(super) fn delete(bench: &mut Bench) -> Vec<Row> {
    let (_, created) = bench.row_with_answer("", "", "", &new_filter(&query("DMTF:CQL")).envelope());
    let delete = Message::new(transfer("Delete"), filter_uri()).interop();
    let known = delete.clone().keys_of(created.content());
    let mut other = known.clone();
    other.keys.iter_mut().filter(|(name, _)| name == "Name").for_each(|(_, value)| value.push_str("-of-nobody"));
    vec![
        bench.row(
            "Delete_InvalidKeyName01",
            "a selector that is no key",
            UNEXPECTED,
            &known.clone().key("NoSuchProperty", "2").envelope(),
            "",
        ),
        bench.row("Delete_NotFound01", "an instance that is not there", UNREACHABLE, &other.envelope(), ""),
        bench.row("Delete_Success01", "an instance that is there", "DeleteResponse", &known.envelope(), ""),
    ]
}

pub(super) fn get(bench: &mut Bench) -> Vec<Row> {
    let get = |class: &str| Message::new(transfer("Get"), format!("{CIM}/{class}"));
    let alpha = get("CIM_SoftwareIdentity").key("InstanceID", ALPHA);
    vec![
        bench.row(
            "Get_InvalidClass01",
            "an unknown class",
            UNREACHABLE,
            &get("CIM_Unicorn").key("InstanceID", ALPHA).envelope(),
            "",
        ),
        bench.row(
            "Get_InvalidKeyName01",
            "a selector that is no key",
            UNEXPECTED,
            &get("CIM_SoftwareIdentity").key("NoSuchProperty", "1").envelope(),
            "",
        ),
        bench.row(
            "Get_InvalidNamespace01",
            "an unknown CIM namespace",
            UNREACHABLE,
            &alpha.clone().namespace("test/nosuchnamespace").envelope(),
            "",
        ),
        bench.row(
            "Get_NotFound01",
            "an instance that is not there",
            UNREACHABLE,
            &get("CIM_SoftwareIdentity").key("InstanceID", "LMI:LMI_SoftwareIdentity:ghost-0:1-1.all").envelope(),
            "",
        ),
        bench.row("Get_Success01", "an instance that is there", "GetResponse", &alpha.envelope(), ""),
    ]
}

pub(super) fn put(bench: &mut Bench) -> Vec<Row> {
    let job = bench.host.ended_job();
    let uri = format!("{CIM}/CIM_ConcreteJob");
    let put = |job: &str, properties: &str| {
        let body = format!("<class:CIM_ConcreteJob xmlns:class=\"{uri}\">{properties}</class:CIM_ConcreteJob>");
        Message::new(transfer("Put"), uri.clone()).key("InstanceID", job).body(&body)
    };
    let moment = format!(
        "<class:TimeBeforeRemoval><cim:Datetime xmlns:cim=\"{CIM_COMMON}\">2001-05-15T10:43:54Z</cim:Datetime>\
         </class:TimeBeforeRemoval>"
    );
    let good = "<class:Priority>6</class:Priority>";
    vec![
        bench.row(
            "Put_InvalidParameter01",
            "a value that the service does not take",
            "Sender wsman:InvalidParameter",
            &put(&job, &moment).envelope(),
            INVALID_CONTENT,
        ),
        bench.row(
            "Put_NotFound01",
            "an instance that is not there",
            UNREACHABLE,
            &put("LMI:LMI_SoftwareInstallationJob:999999", good).envelope(),
            "",
        ),
        bench.row("Put_Success01", "another value", "PutResponse", &put(&job, good).envelope(), ""),
        bench.row(
            "Put_Success02",
            "another value, and the reference",
            "PutResponse",
            &put(&job, good).header("<w:RequestEPR/>").envelope(),
            "",
        ),
    ]
}

/// A request that succeeds, for what is about the rest of the message.
pub(super) fn get_of_alpha() -> Message {
    Message::new(transfer("Get"), format!("{CIM}/CIM_SoftwareIdentity")).key("InstanceID", ALPHA)
}
