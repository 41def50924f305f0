//! The exchanges of `docs/protocol.md`, made with a running service and held against the page.
//!
//! Each exchange stands in the page below a comment with its name. `UPDATE_DOCS=1 cargo test --test end_to_end protocol_page`
//! writes them anew; the words around them are written by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::eventually;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{ADMIN, Host, PATIENCE};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, Client, Message, child, descendants, text_of};

const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
const OPTIMIZED: &str = "<w:OptimizeEnumeration/>";
const LINKS: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";
const IDENTIFY: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>\
    <i:Identify xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"/></s:Body></s:Envelope>";

#[test]
fn the_exchanges_of_the_page_are_what_the_service_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let page = fs::read_to_string(&file).unwrap();
    let current = with_exchanges(&page, &made());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &current).unwrap();
        return;
    }
    let first = page.lines().zip(current.lines()).find(|(old, new)| old != new);
    assert!(page == current, "docs/protocol.md is not current; the first line that differs: {first:#?}");
}

/// An exchange: what it shows, and the two messages.
type Exchange = (&'static str, String, String);

/// Makes every exchange, in the order in which a client would.
fn made() -> Vec<Exchange> {
    let root = DebRoot::new();
    let dir = root.scratch();
    let package = |name: &str, version: &str, depends: &str| {
        let summary = format!("{name}, a package of this page");
        let deb = Deb::new(name, version).field("Description", &summary).file(&format!("usr/share/{name}/data"), name);
        if depends.is_empty() { deb.build(&dir) } else { deb.field("Depends", depends).build(&dir) }
    };
    root.install_by_hand(&package("alpha", "1.0-1", ""));
    root.install_by_hand(&package("beta", "1:2.4-3", "alpha (>= 1.0)"));
    let new = package("hello", "2.10-3", "");
    let settings = "system_name = \"host.example.org\"\n\n[jobs]\nreadable_folders = [\"/\"]\n";
    let host = Host::new(&root.path(), "deb").with_settings(settings);
    let server = host.serve();
    let mut talk = Talk { client: server.admin(), made: Vec::new(), folder: dir.to_str().unwrap().to_owned() };
    talk.keep("identify", IDENTIFY.to_owned(), |client, request| {
        client.post_to("/wsman-anon/identify", &[("Content-Type", "application/soap+xml")], request.as_bytes()).body
    });
    look_around(&mut talk);
    install(&mut talk, new.to_str().unwrap());
    talk.ask("fault", &Message::get(&uri("CIM_SoftwareIdentity")).selector("InstanceID", "LMI:LMI_SoftwareIdentity:x"));
    talk.normalised(server.port)
}

fn look_around(talk: &mut Talk) {
    let profiles = "<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">SELECT * FROM \
        CIM_RegisteredProfile WHERE RegisteredName = 'Software Update'</w:Filter>";
    let interop = "<w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/interop</w:Selector></w:SelectorSet>";
    let mut request = Message::enumerate(&uri("CIM_RegisteredProfile"), &format!("{OPTIMIZED}{profiles}")).envelope();
    request = request.replacen("<w:SelectorSet></w:SelectorSet>", interop, 1);
    talk.post("profile", request);
    let references = format!("{OPTIMIZED}<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>");
    talk.ask("service", &Message::enumerate(&uri("CIM_SoftwareInstallationService"), &references));
    let page = format!("{OPTIMIZED}<w:MaxElements>1</w:MaxElements>");
    let first = talk.ask("enumerate", &Message::enumerate(&uri("CIM_SoftwareIdentity"), &page));
    let envelope = xmltree::Element::parse(first.as_bytes()).unwrap();
    let context = text_of(descendants(&envelope, "EnumerationContext")[0]);
    let body = format!("<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>");
    talk.ask("pull", &Message::action(&format!("{ENUMERATION}/Pull"), &uri("CIM_SoftwareIdentity"), &body));
    talk.ask("get", &Message::get(&uri("CIM_SoftwareIdentity")).selector("InstanceID", ALPHA));
    let query = format!(
        "{OPTIMIZED}<w:MaxElements>10</w:MaxElements><w:Filter Dialect=\"{CQL}\">SELECT InstanceID, VersionString FROM \
         CIM_SoftwareIdentity WHERE Name LIKE 'al.*'</w:Filter>"
    );
    talk.ask("query", &Message::enumerate(&uri("CIM_SoftwareIdentity"), &query));
    let object = format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI><w:SelectorSet>\
         <w:Selector Name=\"InstanceID\">{ALPHA}</w:Selector></w:SelectorSet></a:ReferenceParameters>",
        uri("CIM_SoftwareIdentity")
    );
    let around = format!(
        "{references}<w:Filter Dialect=\"{LINKS}\"><b:AssociatedInstances><b:Object>{object}</b:Object>\
         <b:ResultClassName>CIM_ComputerSystem</b:ResultClassName></b:AssociatedInstances></w:Filter>"
    );
    talk.ask("associated", &Message::enumerate(ALL_CLASSES, &around));
    let version = "<w:FragmentTransfer s:mustUnderstand=\"true\">VersionString/text()</w:FragmentTransfer>";
    let part = Message::get(&uri("CIM_SoftwareIdentity")).selector("InstanceID", ALPHA).header(version);
    talk.ask("fragment", &part);
}

fn install(talk: &mut Talk, package: &str) {
    let subscribe = format!(
        "<e:Subscribe><e:Delivery Mode=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull\"/><e:Expires>PT1H</e:Expires>\
         <w:Filter Dialect=\"{CQL}\">SELECT * FROM CIM_InstModification WHERE SourceInstance ISA CIM_ConcreteJob AND \
         SourceInstance.CIM_ConcreteJob::JobState = 7</w:Filter></e:Subscribe>"
    );
    let subscribed = talk.ask("subscribe", &Message::action(&format!("{EVENTING}/Subscribe"), ALL_CLASSES, &subscribe));
    let system = talk.client.ask(&Message::enumerate(
        &uri("CIM_ComputerSystem"),
        &format!("{OPTIMIZED}<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>"),
    ));
    let selectors = |of: &xmltree::Element| {
        descendants(of, "Selector").iter().map(|s| (s.attributes["Name"].clone(), text_of(s))).collect::<Vec<_>>()
    };
    let mut keys = String::new();
    for (name, value) in selectors(&system) {
        write!(keys, "<w:Selector Name=\"{name}\">{value}</w:Selector>").unwrap();
    }
    let target = format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI>\
         <w:SelectorSet>{keys}</w:SelectorSet></a:ReferenceParameters>",
        text_of(descendants(&system, "ResourceURI")[0])
    );
    let service = talk.client.ask(&Message::enumerate(
        &uri("CIM_SoftwareInstallationService"),
        &format!("{OPTIMIZED}<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>"),
    ));
    let arguments = [("URI", &*format!("file://{package}")), ("Target", &target)];
    let mut call = Message::invoke(&uri("CIM_SoftwareInstallationService"), "InstallFromURI", &arguments);
    call.selectors = selectors(&service);
    let called = talk.ask("install", &call);
    let envelope = xmltree::Element::parse(called.as_bytes()).unwrap();
    let (_, job) = selectors(&envelope).pop().unwrap();
    let get = Message::get(&uri("CIM_ConcreteJob")).selector("InstanceID", job);
    eventually("the job to be done", PATIENCE, || {
        let job = talk.client.ask(&get);
        child(&job, "PercentComplete").is_some_and(|percent| text_of(percent) == "100").then_some(())
    });
    talk.ask("job", &get);
    let subscribed = xmltree::Element::parse(subscribed.as_bytes()).unwrap();
    let context = text_of(descendants(&subscribed, "EnumerationContext")[0]);
    let body = format!(
        "<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext><n:MaxElements>1</n:MaxElements></n:Pull>"
    );
    talk.ask("event", &Message::action(&format!("{ENUMERATION}/Pull"), ALL_CLASSES, &body));
    let manager = descendants(&subscribed, "Identifier").first().map(|id| text_of(id)).unwrap();
    let end = Message::action(&format!("{EVENTING}/Unsubscribe"), ALL_CLASSES, "<e:Unsubscribe/>")
        .header(&format!("<e:Identifier>{manager}</e:Identifier>"));
    talk.ask("unsubscribe", &end);
    let reclaim = format!(
        "<p:LMI_SoftwareInstallationJob xmlns:p=\"{0}\"><p:DeleteOnCompletion>false</p:DeleteOnCompletion>\
         </p:LMI_SoftwareInstallationJob>",
        "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_SoftwareInstallationJob"
    );
    let mut put = get.clone();
    put.action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put".to_owned();
    put.body = reclaim;
    talk.ask("put", &put);
}

const ALPHA: &str = "LMI:LMI_SoftwareIdentity:alpha-0:1.0-1.all";

fn uri(class: &str) -> String {
    format!("{CIM}/{class}")
}

/// A conversation whose messages are kept.
struct Talk {
    client: Client,
    made: Vec<Exchange>,
    /// Where the packages lie, which is another place in each run.
    folder: String,
}

impl Talk {
    fn ask(&mut self, name: &'static str, request: &Message) -> String {
        self.post(name, request.envelope())
    }

    fn post(&mut self, name: &'static str, request: String) -> String {
        self.keep(name, request, |client, request| client.post(request).body)
    }

    fn keep(&mut self, name: &'static str, request: String, send: impl Fn(&mut Client, &str) -> String) -> String {
        let reply = send(&mut self.client, &request);
        self.made.push((name, request, reply.clone()));
        reply
    }

    /// The exchanges as the page has them: indented, and with the same names in each run.
    fn normalised(self, port: u16) -> Vec<Exchange> {
        let mut identifiers = Vec::new();
        let mut shown = |message: &str| {
            let message = message
                .replace(&self.folder, "/srv/packages")
                .replace(&format!("127.0.0.1:{port}"), "host.example.org:5986")
                .replace("https://127.0.0.1/wsman", "https://host.example.org:5986/wsman")
                .replace(ADMIN.0, "admin");
            indented(&without_unused(&same_times(&same_identifiers(&message, &mut identifiers))))
        };
        self.made.iter().map(|(name, request, reply)| (*name, shown(request), shown(reply))).collect()
    }
}

/// Numbers every UUID by the order in which they come.
fn same_identifiers(message: &str, known: &mut Vec<String>) -> String {
    let is_one = |text: &str| {
        text.len() == 36
            && text.char_indices().all(|(i, c)| match i {
                8 | 13 | 18 | 23 => c == '-',
                _ => c.is_ascii_hexdigit(),
            })
    };
    let (mut shown, mut rest) = (String::new(), message);
    while let Some(c) = rest.chars().next() {
        match rest.get(..36).filter(|text| is_one(text)) {
            Some(found) => {
                let found = found.to_ascii_lowercase();
                let number = known.iter().position(|one| *one == found).unwrap_or_else(|| {
                    known.push(found);
                    known.len() - 1
                });
                write!(shown, "00000000-0000-0000-0000-{:012}", number + 1).unwrap();
                rest = &rest[36..];
            }
            None => {
                shown.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    shown
}

/// Gives every time and duration that was measured the same value, and every place in the log of events, which has as many
/// records as the job told of its progress.
fn same_times(message: &str) -> String {
    [
        ("<cim:Datetime>", "2026-11-29T12:00:00.000000Z"),
        (":ElapsedTime><cim:Interval>", "PT1S"),
        (":IndicationIdentifier>Quartermaster:", "10"),
    ]
    .into_iter()
    .fold(same_places(message), |message, (before, value)| replaced(&message, before, '<', value))
}

fn same_places(message: &str) -> String {
    let context = "<wsen:EnumerationContext>";
    let Some((_, identifier)) = message.split_once(context).filter(|(_, rest)| rest.get(36..39) != Some("/0/")) else {
        return message.to_owned();
    };
    replaced(message, &format!("{context}{}/", &identifier[..36]), '/', "10")
}

/// The message with `value` for whatever stands between `before` and the next `end`.
fn replaced(message: &str, before: &str, end: char, value: &str) -> String {
    let mut parts = message.split(before);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(end).unwrap();
        write!(shown, "{before}{value}{end}{rest}").unwrap();
    }
    shown
}

/// Leaves out the prefixes that are declared and not used.
fn without_unused(message: &str) -> String {
    let (first, rest) = message.split_once('>').unwrap();
    let is_used =
        |prefix: &str| ["<", " ", "\"", ">"].iter().any(|before| message.contains(&format!("{before}{prefix}:")));
    let mut used = String::new();
    for word in first.split_inclusive(' ') {
        let prefix = word.strip_prefix("xmlns:").and_then(|declaration| declaration.split_once('='));
        if prefix.is_none_or(|(prefix, _)| is_used(prefix)) {
            used.push_str(word);
        }
    }
    let used = used.trim_end();
    format!("{used}>{rest}")
}

/// Puts every element on a line of its own, and attributes too where they make the line long.
fn indented(message: &str) -> String {
    let (mut shown, mut depth, mut rest) = (String::new(), 0_usize, message);
    while let Some((tag, behind)) = rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
        let text = behind.split('<').next().unwrap_or_default();
        let closes = tag.starts_with('/');
        depth -= usize::from(closes);
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        let end = format!("</{name}>");
        rest = &behind[text.len()..];
        write!(shown, "{:1$}{2}", "", depth * 2, broken(tag, depth)).unwrap();
        if !closes && !tag.ends_with('/') {
            match rest.strip_prefix(&end) {
                Some(after) => {
                    write!(shown, "{text}{end}").unwrap();
                    rest = after;
                }
                None => depth += 1,
            }
        }
        shown.push('\n');
    }
    assert!(rest.is_empty(), "no XML: {rest}");
    shown
}

fn broken(tag: &str, depth: usize) -> String {
    if tag.len() + depth * 2 < 118 {
        return format!("<{tag}>");
    }
    format!("<{}>", tag.replace(" xmlns:", &format!("\n{:1$}xmlns:", "", depth * 2 + 4)))
}

/// The page with these exchanges in the place of those that it has.
fn with_exchanges(page: &str, made: &[Exchange]) -> String {
    let mut current = String::new();
    let mut lines = page.lines();
    let mut shown = Vec::new();
    while let Some(line) = lines.next() {
        current.push_str(line);
        current.push('\n');
        let Some(name) = line.strip_prefix("<!-- exchange: ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let (_, request, reply) =
            made.iter().find(|(of, _, _)| *of == name).unwrap_or_else(|| panic!("no exchange {name}"));
        write!(current, "\n```xml\n{request}```\n\n```xml\n{reply}```\n<!-- end -->\n").unwrap();
        assert!(lines.by_ref().any(|line| line == "<!-- end -->"), "the exchange {name} has no end");
        shown.push(name);
    }
    let missing: Vec<_> = made.iter().filter(|(name, ..)| !shown.contains(name)).map(|(name, ..)| name).collect();
    assert!(missing.is_empty(), "docs/protocol.md lacks {missing:?}");
    current
}
