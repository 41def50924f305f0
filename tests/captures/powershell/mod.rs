//! The CIM cmdlets of PowerShell, over WSMan: one order of headers for all of them, and options of their own with each.

mod changing;
mod classes;
mod indications;
mod reading;

use std::fmt::Write as _;

use crate::names::{MS_WSMAN, SOAP, WSA, WSE, WSEN, WSMAN, WSMB, WXF, XSI, upper_id};
use crate::peer::{Manners, Peer};
use crate::shared_host::SharedHost;
use crate::support::wsman::ANONYMOUS;

const MANNERS: Manners =
    Manners::new(&[("User-Agent", "Microsoft WinRM Client"), ("Content-Type", "application/soap+xml;charset=UTF-8")]);

/// The options of every cmdlet. The types name a prefix that is declared nowhere.
const OPTIONS: &str = "<w:Option Name=\"__MI_CallbackRegistration\" Type=\"xs:int\">11</w:Option>\
    <w:Option Name=\"wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE\" Type=\"xs:unsignedInt\">0</w:Option>\
    <w:Option Name=\"wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE\" Type=\"xs:unsignedInt\">1</w:Option>\
    <w:Option Name=\"wmiarray:__MI_OPERATIONOPTIONS_CHANNELVALUE\" Type=\"xs:unsignedInt\">2</w:Option>\
    <w:Option Name=\"wmi:__MI_OPERATIONOPTIONS_WRITEERRORMODE\" Type=\"xs:unsignedInt\">1</w:Option>\
    <w:Option Name=\"msftwinrm:UsePreciseArrays\" Type=\"xs:boolean\">true</w:Option>";

/// A cmdlet's message.
struct Message<'a> {
    action: &'a str,
    resource: &'a str,
    selectors: &'a [(&'a str, &'a str)],
    /// Options before those that every cmdlet sends.
    options: &'a str,
    body: &'a str,
}

impl Message<'_> {
    fn envelope(&self) -> String {
        let mut selectors = String::new();
        for (name, value) in self.selectors {
            write!(selectors, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
        }
        let Self { action, resource, options, body, .. } = self;
        format!(
            "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:x=\"{WXF}\" xmlns:n=\"{WSEN}\" xmlns:e=\"{WSE}\" \
             xmlns:w=\"{WSMAN}\" xmlns:b=\"{WSMB}\" xmlns:p=\"{MS_WSMAN}\"><s:Header>\
             <a:To>https://managed.example.org:5986/wsman</a:To>\
             <w:ResourceURI s:mustUnderstand=\"true\">{resource}</w:ResourceURI>\
             <a:ReplyTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:ReplyTo>\
             <a:Action s:mustUnderstand=\"true\">{action}</a:Action>\
             <w:MaxEnvelopeSize s:mustUnderstand=\"true\">512000</w:MaxEnvelopeSize>\
             <a:MessageID>{}</a:MessageID><w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\" />\
             <p:DataLocale xml:lang=\"en-US\" s:mustUnderstand=\"false\" />\
             <p:SessionId s:mustUnderstand=\"false\">{}</p:SessionId>\
             <p:OperationID s:mustUnderstand=\"false\">{}</p:OperationID>\
             <p:SequenceId s:mustUnderstand=\"false\">1</p:SequenceId>\
             <w:SelectorSet>{selectors}</w:SelectorSet>\
             <w:OptionSet xmlns:xsi=\"{XSI}\" s:mustUnderstand=\"true\">{options}{OPTIONS}</w:OptionSet>\
             <w:OperationTimeout>PT60.000S</w:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>",
            upper_id(),
            upper_id(),
            upper_id()
        )
    }
}

fn peer(host: &SharedHost) -> Peer {
    Peer::new(host, MANNERS)
}
