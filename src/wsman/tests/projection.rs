//! Searches: what of an instance is shown, and how long is looked for it.

use super::things::{Asked, Host};
use super::*;

const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
const WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";

fn host() -> Host {
    let host = Host::new(Role::Operator);
    host.create(
        "<p:Name>a</p:Name><p:Text>t</p:Text><p:List>x</p:List><p:List>y</p:List>\
         <p:Inner x:type='q:TST_Thing_Type'><p:Name>i</p:Name><p:Small>4</p:Small></p:Inner>",
    );
    host
}

fn search(host: &Host, dialect: &str, query: &str, options: &str) -> String {
    let body = format!(
        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>10</w:MaxElements>{options}\
         <w:Filter Dialect='{dialect}'>{query}</w:Filter></n:Enumerate>"
    );
    let class = "http://schemas.dmtf.org/wbem/wscim/1/*";
    let reply = host.ask(Asked { action: "Enumerate", class, body: &body, ..Asked::default() });
    let (_, items) = reply.split_once("<wsman:Items>").unwrap_or_else(|| panic!("{reply}"));
    items.split_once("</wsman:Items>").unwrap_or_else(|| panic!("{reply}")).0.to_owned()
}

#[test]
fn a_projection_shows_what_was_selected_in_the_order_it_was() {
    let query = "SELECT Text, Inner.Small, List[1], Name FROM TST_Thing";
    assert_eq!(
        search(&host(), CQL, query, ""),
        format!(
            "<wsman:XmlFragment xmlns:p=\"{CIM}TST_Thing\"><p:Text>t</p:Text><p:Small>4</p:Small><p:List>y</p:List>\
             <p:Name>a</p:Name></wsman:XmlFragment>"
        )
    );
}

/// Windows' servers answer WQL in alphabetical order and without namespaces.
#[test]
fn wql_is_answered_as_windows_does() {
    let items = search(&host(), WQL, "select Text, List, __CLASS, Name from TST_Thing", "");
    assert_eq!(
        items,
        "<wsman:XmlFragment><List>x</List><List>y</List><Name>a</Name><Text>t</Text><__CLASS>TST_Thing</__CLASS>\
         </wsman:XmlFragment>"
    );
}

/// What is named twice is shown once: twice it would look like an array.
#[test]
fn what_is_selected_twice_is_shown_once() {
    for (dialect, query) in [
        (CQL, "SELECT Name, Name, List[1], List[0], List[1] FROM TST_Thing"),
        (WQL, "select Name, NAME from TST_Thing"),
    ] {
        let items = search(&host(), dialect, query, "");
        assert_eq!(items.matches(">a<").count(), 1, "{items}");
        assert!(items.matches("List>").count() <= 4, "{items}");
    }
}

/// DSP0226 8.7: an item is what is shown of the object, and its reference.
#[test]
fn a_projection_goes_with_its_reference() {
    let both = "<w:EnumerationMode>EnumerateObjectAndEPR</w:EnumerationMode>";
    let items = search(&host(), WQL, "select Name from TST_Thing", both);
    assert!(items.starts_with("<wsman:Item><wsman:XmlFragment><Name>a</Name></wsman:XmlFragment><wsa:End"), "{items}");
}

/// DSP0226 R8.4-6: who finds nothing in time gets an empty page and may go on.
#[test]
fn a_search_ends_in_time_and_goes_on_with_the_next_pull() {
    let host = Host::new(Role::Operator);
    for n in 0..150 {
        host.create(&format!("<p:Name>{n:03}</p:Name>"));
    }
    let filter = format!("<w:Filter Dialect='{CQL}'>SELECT * FROM TST_Thing WHERE Name = '149'</w:Filter>");
    let body = format!("<n:Enumerate>{filter}</n:Enumerate>");
    let now = "<w:OperationTimeout>PT0S</w:OperationTimeout>";
    let first =
        host.ask(Asked { action: "Enumerate", class: "TST_Thing", headers: now, body: &body, ..Asked::default() });
    let context = |reply: &str| {
        let (_, rest) = reply.split_once("<wsen:EnumerationContext>")?;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let mut next = context(&first);
    let mut pages = Vec::new();
    while let Some(id) = next {
        let time = if pages.is_empty() { ("", "<n:MaxTime>PT0S</n:MaxTime>") } else { (now, "") };
        let body = format!("<n:Pull><n:EnumerationContext>{id}</n:EnumerationContext>{}</n:Pull>", time.1);
        let page =
            host.ask(Asked { action: "Pull", class: "TST_Thing", headers: time.0, body: &body, ..Asked::default() });
        next = context(&page);
        pages.push(page);
    }
    // 64 are looked at in no time, then 64 more; the third look finds the last one.
    assert_eq!(pages.len(), 3);
    assert!(pages[0].contains("<wsen:Items></wsen:Items>") && pages[1].contains("<wsen:Items></wsen:Items>"));
    assert!(pages[2].contains("<p:Name>149</p:Name>") && pages[2].contains("<wsen:EndOfSequence/>"));
}

/// DSP0226 R8.4-6: who finds something gets what was found in time.
#[test]
fn a_page_ends_in_time_however_much_is_found() {
    let host = Host::new(Role::Operator);
    for name in ["a", "b", "c"] {
        host.create(&format!("<p:Name>{name}</p:Name>"));
    }
    let headers = "<w:OperationTimeout>PT0S</w:OperationTimeout>";
    let body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>10</w:MaxElements></n:Enumerate>";
    let page = host.ask(Asked { action: "Enumerate", class: "TST_Thing", headers, body, ..Asked::default() });
    assert_eq!(page.matches("<p:Name>").count(), 1, "{page}");
    assert!(!page.contains("EndOfSequence"), "{page}");
}

/// DSP0226 8.3: a filter that names no dialect is a path; it lets objects through or takes parts out of them (R8.6-1).
#[test]
fn a_path_filters_and_projects() {
    let host = host();
    host.create("<p:Name>b</p:Name><p:Small>7</p:Small>");
    let found = |filter: &str| {
        let body = format!(
            "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>10</w:MaxElements><w:Filter>{filter}</w:Filter></n:Enumerate>"
        );
        let reply = host.send(Asked { action: "Enumerate", class: "TST_Thing", body: &body, ..Asked::default() });
        (String::from_utf8(reply.body.clone().join()).unwrap(), reply)
    };
    let (whole, _) = found("/TST_Thing[Small &gt; 5]");
    assert!(whole.contains("<wsman:Items><p:TST_Thing ") && whole.contains("<p:Name>b</p:Name>"), "{whole}");
    assert!(!whole.contains("<p:Name>a</p:Name>") && whole.contains("<wsman:EndOfSequence/>"), "{whole}");
    let (parts, _) = found("Inner/Name/text()");
    assert!(parts.contains("<wsman:Items><wsman:XmlFragment>i</wsman:XmlFragment></wsman:Items>"), "{parts}");
    // DSP0227 8.1: what only the subclass has is not shown of an instance that is seen as one of its superclass.
    let as_root = "<n:Enumerate><w:OptimizeEnumeration/><b:PolymorphismMode xmlns:b='http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd'>\
        ExcludeSubClassProperties</b:PolymorphismMode><w:Filter>Name</w:Filter></n:Enumerate>";
    let shown = host.ask(Asked { action: "Enumerate", class: "TST_Root", body: as_root, ..Asked::default() });
    assert!(shown.contains("XmlFragment") && !shown.contains("Name>"), "{shown}");
    for (filter, part) in [("Colour", "no property Colour"), ("//Small", "//")] {
        let fault = fault(&found(filter).1);
        assert_eq!(fault.kind, Some(FaultKind::EnumerationCannotProcessFilter), "{filter}");
        assert!(fault.reason.contains(part), "{}", fault.reason);
    }
}
