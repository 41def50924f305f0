//! Subscribe, Renew and Unsubscribe.

use super::{Bench, Message, Row};
use crate::names::{PUSH, PUSH_WITH_ACK, WSE, eventing, transfer};
use crate::peer::Answer;
use crate::support::wsman::{ALL_CLASSES, CIM, child, property};

const WQL: &str = "http://schemas.dmtf.org/wbem/wsman/1/WQL";
const QUERY: &str = "SELECT * FROM CIM_InstCreation WHERE SourceInstance ISA CIM_ConcreteJob";
const UNREACHABLE: &str = "Sender wsa:DestinationUnreachable";
const EXPIRES: &str = "<wse:Expires>PT30.000000S</wse:Expires>";
const RESPONSE: &str = "SubscribeResponse";

fn class(name: &str) -> String {
    format!("{CIM}/{name}")
}

fn delivery(mode: &str, inside: &str) -> String {
    format!(
        "<wse:Delivery Mode=\"{mode}\"><wse:NotifyTo><a:Address>http://127.0.0.1:9/eventsink</a:Address></wse:NotifyTo>{inside}\
         </wse:Delivery>"
    )
}

fn filter(dialect: &str, query: &str) -> String {
    format!("<w:Filter Dialect=\"{dialect}\">{query}</w:Filter>")
}

fn subscribe(resource: String, content: &str) -> Message {
    let body = format!("<wse:Subscribe xmlns:wse=\"{WSE}\">{content}</wse:Subscribe>");
    Message::new(eventing("Subscribe"), resource).body(&body)
}

/// To a class, with what stands beside the delivery.
fn pushed(content: &str) -> Message {
    subscribe(class("CIM_InstCreation"), &format!("{}{content}", delivery(PUSH, "")))
}

fn manage(operation: &str, identifier: &str, content: &str) -> String {
    let body = format!("<wse:{operation} xmlns:wse=\"{WSE}\">{content}</wse:{operation}>");
    let header = format!("<wse:Identifier xmlns:wse=\"{WSE}\">{identifier}</wse:Identifier>");
    let whole = Message::new(eventing(operation), "GONE".to_owned()).header(&header).body(&body).envelope();
    // These have neither a resource nor selectors.
    let (before, rest) = whole.split_once("<w:ResourceURI").unwrap();
    let whole = format!("{before}{}", rest.split_once("</w:ResourceURI>").unwrap().1);
    let (before, rest) = whole.split_once("<w:SelectorSet>").unwrap();
    format!("{before}{}", rest.split_once("</w:SelectorSet>").unwrap().1)
}

fn identifier(answer: &Answer) -> String {
    let manager = child(answer.content(), "SubscriptionManager").unwrap();
    property(child(manager, "ReferenceParameters").unwrap(), "Identifier").unwrap()
}

pub(super) fn rows(bench: &mut Bench) -> Vec<Row> {
    [made_and_ended(bench), refused(bench), of_a_filter(bench)].into_iter().flatten().collect()
}

/// Subscriptions that are made, each with its end.
fn made_and_ended(bench: &mut Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    for (test, asked, end, message) in [
        (
            "Successful_Subscription01",
            "events of a class, with a filter and an end",
            "Successful_UnSubscribe01",
            pushed(&format!("{EXPIRES}{}", filter(WQL, QUERY))),
        ),
        (
            "Successful_Subscription02",
            "the same without an end",
            "Successful_UnSubscribe02",
            pushed(&filter(WQL, QUERY)),
        ),
        (
            "Successful_subscription_allcalsses",
            "events of all classes, with a filter",
            "Successful_Unsubscription_allcalsses",
            subscribe(ALL_CLASSES.to_owned(), &format!("{}{}", delivery(PUSH, ""), filter(WQL, QUERY))),
        ),
        (
            "Subscription_WithOutFilterQuery",
            "events of a class, without a filter",
            "Unsubscribe_WithOutFilterQuery",
            pushed(""),
        ),
        (
            "Subscription_WithoutExpiry",
            "the same as Successful_Subscription02",
            "Successful_unsubscribe_withoutExpiry",
            pushed(&filter(WQL, QUERY)),
        ),
        (
            "Successful_subscription_pushWithAck",
            "events with acknowledgement",
            "Successful_unsubscribe_pushWithAck",
            subscribe(class("CIM_InstCreation"), &format!("{}{}", delivery(PUSH_WITH_ACK, ""), filter(WQL, QUERY))),
        ),
    ] {
        let (row, answer) = bench.row_with_answer(test, asked, RESPONSE, &message.envelope());
        rows.push(row);
        let id = identifier(&answer);
        if test == "Successful_Subscription01" {
            let renew = manage("Renew", &id, EXPIRES);
            let why = "subscriptions can be renewed here";
            rows.push(bench.row("Unsuccessful_Renew01", "more time", "Sender wse:UnableToRenew", &renew, why));
        }
        rows.push(bench.row(end, "its end", "UnsubscribeResponse", &manage("Unsubscribe", &id, ""), ""));
    }
    let unknown = manage("Unsubscribe", "469FC5AE-B5D6-45D6-8002-591AF26E0001", "");
    rows.push(bench.row("Unsuccessful_Unsubscribe", "the end of an unknown one", UNREACHABLE, &unknown, ""));
    rows
}

/// Subscriptions that are not made, or not by OpenPegasus.
fn refused(bench: &mut Bench) -> Vec<Row> {
    let good = filter(WQL, QUERY);
    let invalid = "Sender wse:InvalidExpirationTime";
    let mode = |mode: &str| subscribe(class("CIM_InstCreation"), &format!("{}{good}", delivery(mode, ""))).envelope();
    let inside =
        |inside: &str| subscribe(class("CIM_InstCreation"), &format!("{}{good}", delivery(PUSH, inside))).envelope();
    let unknown =
        subscribe(class("CIM_Unicorn"), &format!("{}{}", delivery(PUSH, ""), filter(WQL, "SELECT * FROM CIM_Unicorn")));
    let whole = pushed(&good).envelope();
    // The message whose MessageID comes again.
    assert_eq!(bench.post(&whole).status, 200);
    let nameless = {
        let (before, rest) = whole.split_once("<a:MessageID>").unwrap();
        format!("{before}<a:MessageID>{}", &rest[rest.find("</a:MessageID>").unwrap()..])
    };
    let all = |content: &str| subscribe(ALL_CLASSES.to_owned(), &format!("{}{content}", delivery(PUSH, ""))).envelope();
    let mut ask = |test, asked, pegasus, message: &str, why| bench.row(test, asked, pegasus, message, why);
    let older = format!("<wse:Filter Dialect=\"{WQL}\">{QUERY}</wse:Filter>");
    vec![
        ask(
            "CannotProcessFilter_Subscription",
            "a query that is none",
            "Sender wsen:CannotProcessFilter",
            &pushed(&filter(WQL, "SELECT * FROM CIM_InstCreation WHERE")).envelope(),
            "DSP0226 R10.2.2-6: of a subscription's filter it is wsman:CannotProcessFilter; wsen's is for enumerations",
        ),
        ask(
            "InvalidDeliveryMode_Subscription",
            "an unknown mode",
            "Sender wse:DeliveryModeRequestedUnavailable",
            &mode("http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryModes/Grab"),
            "",
        ),
        ask(
            "InvalidExpires_Subscription01",
            "an end that is no duration",
            invalid,
            &pushed(&format!("<wse:Expires>PT738a.000000S</wse:Expires>{good}")).envelope(),
            "",
        ),
        ask(
            "InvalidExpires_Subscription02",
            "an end that is no time",
            invalid,
            &pushed(&format!("<wse:Expires>2015:01:01T05:30:00+05:30</wse:Expires>{good}")).envelope(),
            "",
        ),
        ask(
            "InvalidFilterDialect_Subscription",
            "an unknown dialect",
            "Sender wsen:FilterDialectRequestedUnavailable",
            &pushed(&filter("http://schemas.dmtf.org/wbem/wsman/1/CQL", QUERY)).envelope(),
            "DSP0226 14.6: of a subscription's filter it is wse:FilteringRequestedUnavailable",
        ),
        ask("InvalidFilter_Subscription", "events of an unknown class", UNREACHABLE, &unknown.envelope(), ""),
        ask(
            "InvalidMessageID_Subscription01",
            "the MessageID of an earlier subscription",
            "Sender wsman:AlreadyExists",
            &whole,
            "a client that is asked for its password sends the same message again; MessageIDs are not remembered",
        ),
        ask(
            "InvalidMessageID_Subscription02",
            "an empty MessageID",
            "Sender wsman:SchemaValidationError",
            &nameless,
            "DSP0226 R5.4.4-4: a MessageID that is missing is wsa:InvalidMessageInformationHeader",
        ),
        ask(
            "InvalidNamespace_Subscription",
            "an unknown CIM namespace",
            UNREACHABLE,
            &pushed(&good).namespace("test/NoProvider").envelope(),
            "",
        ),
        ask(
            "InvalidReplyTo_subscription",
            "replies to somebody else",
            "Sender wsman:UnsupportedFeature [AddressingMode]",
            &whole.replacen("/role/anonymous", "/role/anon", 1),
            "",
        ),
        ask(
            "Invalid_subscription_allcalsses",
            "events of all classes, without a filter",
            "Sender wse:InvalidMessage",
            &all(""),
            "",
        ),
        ask(
            "MutipleFilter_Subscription",
            "two filters",
            "Sender wsa:InvalidMessageInformationHeader",
            &pushed(&format!("{older}{good}")).envelope(),
            "DSP0226 R10.2.2-3: it is wse:InvalidMessage",
        ),
        ask(
            "Subscription_withConnectionRetry",
            "retries",
            "Sender wsman:UnsupportedFeature [DeliveryRetries]",
            &inside("<w:ConnectionRetry Total=\"3\">PT30.000000S</w:ConnectionRetry>"),
            "a sink is tried again as often as its subscriber says",
        ),
        ask(
            "Subscription_with_diefferentclasses_RU_FilterQuery",
            "a filter about another class",
            "Sender wse:EventSourceUnableToProcess",
            &subscribe(class("CIM_InstDeletion"), &format!("{}{good}", delivery(PUSH, ""))).envelope(),
            "DSP0226 14.6: the code of this fault is s:Receiver",
        ),
        ask(
            "UnsupportedBookmarks_Subscription",
            "bookmarks",
            "Sender wsman:UnsupportedFeature [Bookmarks]",
            &pushed(&format!("<w:SendBookmarks/>{EXPIRES}{good}")).envelope(),
            "bookmarks are served here",
        ),
        ask(
            "UnsupportedHeartbeats_Subscription",
            "heartbeats",
            "Sender wsman:UnsupportedFeature [Heartbeats]",
            &inside("<w:Heartbeats>PT15S</w:Heartbeats>"),
            "heartbeats are served here",
        ),
    ]
}

/// Subscriptions to a filter that is there.
fn of_a_filter(bench: &mut Bench) -> Vec<Row> {
    let uri = class("CIM_IndicationFilter");
    let new = format!(
        "<p:CIM_IndicationFilter xmlns:p=\"{uri}\"><p:Name>{}</p:Name><p:Query>{QUERY}</p:Query>\
         <p:QueryLanguage>DMTF:CQL</p:QueryLanguage></p:CIM_IndicationFilter>",
        bench.host.new_name("pegasus:subscribed")
    );
    let create = Message::new(transfer("Create"), uri.clone()).interop().body(&new);
    let (_, created) = bench.row_with_answer("", "", "", &create.envelope());
    let named = |content: &str| {
        subscribe(uri.clone(), &format!("{}{content}", delivery(PUSH, ""))).interop().keys_of(created.content())
    };
    let mut unknown = named("");
    unknown.keys.iter_mut().filter(|(name, _)| name == "Name").for_each(|(_, value)| value.push_str("-of-nobody"));
    let (made, answer) = bench.row_with_answer(
        "Subscription_withExistingFilter",
        "events of a filter that is there",
        RESPONSE,
        &named("").envelope(),
    );
    let end = manage("Unsubscribe", &identifier(&answer), "");
    vec![
        made,
        bench.row("Successful_unsubscribe_withexistingfilter", "its end", "UnsubscribeResponse", &end, ""),
        bench.row(
            "invalidFilterNameInBody_Subscription",
            "a filter in the body beside one that is named",
            "Sender wsman:InvalidParameter",
            &named(&filter(WQL, QUERY)).envelope(),
            "",
        ),
        bench.row(
            "invalidFilterNameinHeader_Subscription",
            "events of a filter that is not there",
            UNREACHABLE,
            &unknown.envelope(),
            "",
        ),
    ]
}
