//! What an enumeration is about, from its beginning to its end.

use super::things::{Asked, Host};
use super::*;

const BEGIN: &str = "<n:Enumerate/>";
const INTEROP: (&str, &str) = ("__cimnamespace", "root/interop");

fn host() -> Host {
    let host = Host::new(Role::Operator);
    for name in ["a", "b", "c"] {
        host.create(&format!("<p:Name>{name}</p:Name>"));
    }
    host
}

fn asked<'a>(action: &'a str, keys: &'a [(&'a str, &'a str)], body: &'a str) -> Asked<'a> {
    Asked { action, class: "TST_Thing", keys, headers: "", body }
}

fn context(reply: &str) -> String {
    let (_, rest) = reply.split_once("<wsen:EnumerationContext>").unwrap_or_else(|| panic!("{reply}"));
    rest.split_once('<').unwrap().0.to_owned()
}

/// DSP0226 R5.1.2.2-3: a class is told from others by its namespace alone.
#[test]
fn a_class_is_not_selected_by_keys() {
    let (kind, detail, reason) = host().refused(asked("Enumerate", &[("Name", "a")], BEGIN));
    assert_eq!((kind, detail.as_str()), (FaultKind::InvalidSelectors, "UnexpectedSelectors"));
    assert!(reason.contains("\"Name\""), "{reason}");
}

/// DSP0226 R8.4-5, R8.5-3: what is repeated is the same; clients are known that repeat the URI alone.
#[test]
fn what_a_pull_repeats_of_its_enumeration_is_the_same() {
    let host = host();
    let id = context(&host.ask(asked("Enumerate", &[("__cimnamespace", "root/cimv2")], BEGIN)));
    let body = format!("<n:Pull><n:EnumerationContext>{id}</n:EnumerationContext></n:Pull>");
    for keys in [&[INTEROP][..], &[("__cimnamespace", "root/none")], &[("Name", "a")]] {
        assert_eq!(host.refused(asked("Pull", keys, &body)).0, FaultKind::MessageInformationHeaderRequired, "{keys:?}");
    }
    for (keys, name) in [(&[][..], "a"), (&[("__cimnamespace", "ROOT\\CIMV2")], "b")] {
        assert!(host.ask(asked("Pull", keys, &body)).contains(&format!("<p:Name>{name}</p:Name>")));
    }
    let release = format!("<n:Release><n:EnumerationContext>{id}</n:EnumerationContext></n:Release>");
    let action = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release";
    assert_eq!(host.refused(asked(action, &[INTEROP], &release)).0, FaultKind::MessageInformationHeaderRequired);
    host.ask(asked(action, &[], &release));
}

/// DSP0226 R6.4-6: an option that says something of classes is not observed where instances are asked for.
#[test]
fn an_option_that_must_be_complied_with_has_an_effect_or_is_refused() {
    let host = host();
    for (name, fits) in [("IncludeQualifiers", false), ("ShowExtensions", true)] {
        let headers = format!("<w:OptionSet><w:Option Name='{name}' MustComply='true'>true</w:Option></w:OptionSet>");
        let get = Asked { headers: &headers, ..asked("Get", &[("Name", "a")], "") };
        if fits {
            host.ask(get);
        } else {
            assert_eq!(host.refused(get).1, "NotSupported");
        }
    }
}

/// DSP0226 R8.4-11: only what fits no page at all is a fault, and it says what that is.
#[test]
fn an_item_that_fits_no_page_is_named() {
    let host = host();
    host.create(&format!("<p:Name>B</p:Name>{}", "<p:List>0123456789</p:List>".repeat(1000)));
    let headers = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>";
    let body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements></n:Enumerate>";
    let (kind, detail, reason) = host.refused(Asked { headers, ..asked("Enumerate", &[], body) });
    assert_eq!((kind, detail.as_str()), (FaultKind::EncodingLimit, "MaxEnvelopeSize"));
    assert!(reason.contains("TST_Thing.Name=\"B\""), "{reason}");
}

/// What was found before something went wrong is not lost for it.
#[test]
fn a_failure_comes_behind_what_was_found() {
    let host = host();
    host.create("<p:Name>broken</p:Name>");
    host.create("<p:Name>z</p:Name>");
    let body = "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements></n:Enumerate>";
    let page = host.ask(asked("Enumerate", &[], body));
    assert_eq!(page.matches("<p:Name>").count(), 2, "{page}");
    let id = context(&page);
    let body =
        format!("<n:Pull><n:EnumerationContext>{id}</n:EnumerationContext><n:MaxElements>9</n:MaxElements></n:Pull>");
    assert_eq!(host.refused(asked("Pull", &[], &body)).0, FaultKind::InternalError);
    let last = host.ask(asked("Pull", &[], &body));
    assert!(last.contains("<p:Name>c</p:Name>") && last.contains("<p:Name>z</p:Name>"), "{last}");
    assert!(last.contains("EndOfSequence"), "{last}");
}

/// An element too much in the body is not passed over.
#[test]
fn a_body_holds_one_element() {
    let twice = format!("{BEGIN}{BEGIN}");
    let (kind, _, reason) = host().refused(asked("Enumerate", &[], &twice));
    assert_eq!(kind, FaultKind::SchemaValidationError);
    assert!(reason.contains("Enumerate is too much"), "{reason}");
}
