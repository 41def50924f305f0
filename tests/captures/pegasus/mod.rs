//! The verdicts of OpenPegasus. Its wire tests of WS-Management ask its server for something and say what it answers. Here
//! each of them has a counterpart that asks this service for the same kind of thing; where the verdicts differ, the
//! reason is told. The whole is `docs/pegasus-verdicts.md`.

mod enumeration;
mod headers;
mod http;
mod page;
mod subscriptions;
mod transfer;

use std::fmt::Write as _;
use std::sync::Arc;

use xmltree::Element;

use crate::names::{SOAP, WSA, WSMAN, lower_id};
use crate::peer::{Answer, attribute};
use crate::shared_host::SharedHost;
use crate::support::wsman::{ANONYMOUS, Client, Reply};

/// A test of OpenPegasus and its counterpart.
struct Row {
    /// The name of the test, in its folder.
    test: &'static str,
    /// What the counterpart asks for.
    asked: &'static str,
    /// The verdict that OpenPegasus' test wants.
    pegasus: &'static str,
    /// The verdict of this service.
    ours: String,
    /// Why they differ; empty if they do not.
    why: &'static str,
}

impl Row {
    /// The same, or the same with a detail beside it.
    fn agrees(&self) -> bool {
        let rest = self.ours.strip_prefix(self.pegasus);
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(" [") && !self.pegasus.ends_with(']')))
    }
}

/// The rows of a folder of tests.
struct Folder {
    name: &'static str,
    rows: Vec<Row>,
}

/// Who asks.
struct Bench {
    host: Arc<SharedHost>,
    client: Client,
}

const CONTENT_TYPE: (&str, &str) = ("Content-Type", "application/soap+xml; charset=utf-8");

impl Bench {
    fn new() -> Self {
        let host = SharedHost::get();
        Self { client: host.admin(), host }
    }

    fn post(&mut self, message: &str) -> Reply {
        self.client.post_to("/wsman", &[CONTENT_TYPE], message.as_bytes())
    }

    /// Asks for something and keeps the verdict.
    fn row(
        &mut self,
        test: &'static str,
        asked: &'static str,
        pegasus: &'static str,
        message: &str,
        why: &'static str,
    ) -> Row {
        let ours = verdict(&self.post(message));
        Row { test, asked, pegasus, ours, why }
    }

    /// Asks for something and keeps the verdict and the reply.
    fn row_with_answer(
        &mut self,
        test: &'static str,
        asked: &'static str,
        pegasus: &'static str,
        message: &str,
    ) -> (Row, Answer) {
        let reply = self.post(message);
        (Row { test, asked, pegasus, ours: verdict(&reply), why: "" }, Answer::read(reply))
    }
}

/// A verdict as the tables have it: what a success is called, or what a fault says, with the status if it is not 500.
fn verdict(reply: &Reply) -> String {
    if !reply.body.starts_with("<s:Envelope ") {
        return format!("HTTP {}", reply.status);
    }
    let answer = Answer::read(Reply { status: reply.status, head: reply.head.clone(), body: reply.body.clone() });
    let Some(fault) = answer.verdict() else {
        return answer.action().rsplit('/').next().unwrap().to_owned();
    };
    let said = if fault.code == "MustUnderstand" {
        let header = answer.further_header("NotUnderstood").and_then(|header| attribute(header, "qname"));
        format!("MustUnderstand {}", header.unwrap_or_default().rsplit(':').next().unwrap())
    } else {
        format!("{} {}", fault.code, fault.short())
    };
    if reply.status == 500 { said } else { format!("HTTP {} {said}", reply.status) }
}

/// A message in the shape of those tests: white space around the long texts, FaultTo beside ReplyTo, always a namespace.
#[derive(Clone)]
struct Message {
    action: String,
    resource: String,
    namespace: &'static str,
    keys: Vec<(String, String)>,
    header: String,
    body: String,
}

impl Message {
    fn new(action: String, resource: String) -> Self {
        let namespace = "root/cimv2";
        Self { action, resource, namespace, keys: Vec::new(), header: String::new(), body: String::new() }
    }

    fn interop(self) -> Self {
        self.namespace("root/interop")
    }

    fn namespace(self, namespace: &'static str) -> Self {
        Self { namespace, ..self }
    }

    fn key(mut self, name: &str, value: &str) -> Self {
        self.keys.push((name.to_owned(), value.to_owned()));
        self
    }

    fn keys_of(mut self, reference: &Element) -> Self {
        self.keys = crate::peer::selectors(reference);
        self.keys.retain(|(name, _)| name != "__cimnamespace");
        self
    }

    fn header(self, header: &str) -> Self {
        Self { header: self.header + header, ..self }
    }

    fn body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    fn envelope(&self) -> String {
        let Self { action, resource, namespace, keys, header, body } = self;
        let mut set = String::new();
        for (name, value) in keys {
            write!(set, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
        }
        format!(
            "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"{WSA}\" xmlns:w=\"{WSMAN}\">
 <s:Header>
  <a:To>http://localhost/wsman</a:To>
  <w:ResourceURI s:mustUnderstand=\"true\">
   {resource}
  </w:ResourceURI>
  <a:ReplyTo>
   <a:Address s:mustUnderstand=\"true\">
    {ANONYMOUS}
   </a:Address>
  </a:ReplyTo>
  <a:FaultTo><a:Address s:mustUnderstand=\"true\">{ANONYMOUS}</a:Address></a:FaultTo>
  <a:Action s:mustUnderstand=\"true\">
   {action}
  </a:Action>
  <a:MessageID>{}</a:MessageID>
  <w:Locale xml:lang=\"en-US\" s:mustUnderstand=\"false\" />
  {header}
  <w:SelectorSet><w:Selector Name=\"__cimnamespace\">{namespace}</w:Selector>{set}</w:SelectorSet>
  <w:OperationTimeout>PT60.000S</w:OperationTimeout>
 </s:Header>
 <s:Body>{body}</s:Body>
</s:Envelope>
",
            lower_id()
        )
    }
}

#[test]
fn verdicts_are_those_of_openpegasus_or_differ_for_a_reason() {
    let mut bench = Bench::new();
    let folders = [
        Folder { name: "Create", rows: transfer::create(&mut bench) },
        Folder { name: "Delete", rows: transfer::delete(&mut bench) },
        Folder { name: "Enumerate", rows: enumeration::enumerate(&mut bench) },
        Folder { name: "EnumerateAssociation", rows: enumeration::associations(&mut bench) },
        Folder { name: "Get", rows: transfer::get(&mut bench) },
        Folder { name: "HttpHeader", rows: http::headers(&mut bench) },
        Folder { name: "Pull", rows: enumeration::pull(&mut bench) },
        Folder { name: "Put", rows: transfer::put(&mut bench) },
        Folder { name: "Release", rows: enumeration::release(&mut bench) },
        Folder { name: "SoapHeader", rows: headers::headers(&mut bench) },
        Folder { name: "Subscribe", rows: subscriptions::rows(&mut bench) },
    ];
    let mut wrong = String::new();
    for (folder, row) in folders.iter().flat_map(|folder| folder.rows.iter().map(move |row| (folder, row))) {
        if row.agrees() != row.why.is_empty() {
            let Row { test, pegasus, ours, why, .. } = row;
            writeln!(wrong, "{}/{test}: OpenPegasus {pegasus}, ours {ours}; said to differ: {why:?}", folder.name)
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    page::check(&folders);
}
