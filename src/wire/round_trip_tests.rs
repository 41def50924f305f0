//! Whatever is in headers and bodies: written and read, it is the same.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::names::{REQUEST_PREFIXES, WSA, WSMAN};
use super::*;
use crate::cim::Interval;
use crate::xml::{Element, ElementExt, Limits, Writer, element, read};

/// What was written, as a peer reads it: one element.
fn read_back(write: impl FnOnce(&mut Writer)) -> Element {
    let mut w = Writer::new(usize::MAX);
    w.start("x").namespaces(REQUEST_PREFIXES);
    write(&mut w);
    w.end("x");
    let text = String::from_utf8(w.finish()).unwrap();
    read(&text, &Limits::default()).unwrap().elements().next().unwrap().clone()
}

/// Text that XML can hold, without white space around it: that does not count in headers.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[a-z&<>\"'\\]\n\t\r {}]{0,8}"].prop_map(|text| text.trim().to_owned())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z_][A-Za-z0-9_:]{0,8}", "\\PC{1,6}"]
        .prop_map(|name| name.trim().to_owned())
        .prop_filter("a name is not empty", |name| !name.is_empty())
}

/// Elements that other parties send along.
fn foreign() -> impl Strategy<Value = Element> {
    let namespace = prop_oneof![Just(""), Just("urn:x"), Just("urn:}&\""), Just(WSMAN), Just(WSA)];
    let leaf = (namespace.clone(), "[a-z]{1,4}", namespace, "[a-z]{1,4}", text(), text()).prop_map(
        |(ns, name, of, attribute, value, text)| {
            element(ns, &name).with_attribute(of, &attribute, value).with_text(text)
        },
    );
    leaf.prop_recursive(2, 6, 3, |inner| {
        (inner.clone(), vec(inner, 1..3)).prop_map(|(mut holder, children)| {
            holder.children.clear();
            children.into_iter().fold(holder, ElementExt::with_child)
        })
    })
}

fn selectors(depth: u32) -> BoxedStrategy<SelectorSet> {
    let text = text().prop_map(SelectorValue::Text);
    let value = if depth == 0 {
        text.boxed()
    } else {
        prop_oneof![3 => text, 1 => endpoints(depth - 1).prop_map(|e| SelectorValue::Endpoint(Box::new(e)))].boxed()
    };
    btree_map(name().prop_map(|name| name.to_ascii_lowercase()), value, 0..4)
        .prop_map(|selectors| {
            let mut set = SelectorSet::default();
            selectors.into_iter().for_each(|(name, value)| set.set(name, value));
            set
        })
        .boxed()
}

fn endpoints(depth: u32) -> BoxedStrategy<EndpointReference> {
    let bare = (text(), vec(foreign(), 0..3), vec(foreign(), 0..2));
    let bare = bare.prop_map(|(address, parameters, properties)| EndpointReference { address, parameters, properties });
    let resource = (text(), text(), selectors(depth));
    let resource = resource.prop_map(|(address, uri, set)| EndpointReference::to_resource(&address, &uri, &set));
    prop_oneof![bare, resource].boxed()
}

fn expires() -> impl Strategy<Value = Expires> {
    prop_oneof![
        any::<u64>().prop_map(|us| Expires::In(Interval::from_microseconds(us))),
        // Within the years and offsets that xs:dateTime has.
        (-62_135_000_000i64..253_402_000_000, 0u32..1_000_000, -840i32..=840).prop_map(|(seconds, us, minutes)| {
            let zone = chrono::FixedOffset::east_opt(60 * minutes).unwrap();
            Expires::At(chrono::DateTime::from_timestamp(seconds, us * 1000).unwrap().with_timezone(&zone))
        }),
    ]
}

proptest! {
    #[test]
    fn selectors_survive(set in selectors(2)) {
        prop_assume!(!set.is_empty());
        prop_assert_eq!(SelectorSet::read(&read_back(|w| set.write(w))).unwrap(), set.clone());
        prop_assert_eq!(SelectorSet::read(&set.to_element()).unwrap(), set);
    }

    #[test]
    fn endpoint_references_survive(endpoint in endpoints(2)) {
        let written = read_back(|w| {
            w.start("wsa:EndpointReference");
            endpoint.write(w);
            w.end("wsa:EndpointReference");
        });
        prop_assert_eq!(EndpointReference::read(&written).unwrap(), endpoint.clone());
        let built = read_back(|w| {
            w.element(&endpoint.to_element("urn:x", "Ref"));
        });
        prop_assert_eq!(EndpointReference::read(&built).unwrap(), endpoint);
    }

    #[test]
    fn options_survive(options in vec((name(), text(), any::<bool>()), 1..5)) {
        let given = options.iter().fold(element(WSMAN, "OptionSet"), |set, (name, value, must_comply)| {
            let option = element(WSMAN, "Option").with_attribute("", "Name", name.clone()).with_text(value.clone());
            set.with_child(if *must_comply { option.with_attribute("", "MustComply", "1") } else { option })
        });
        let set = OptionSet::read(&given).unwrap();
        let all: Vec<_> = set.iter().map(|o| (o.name.clone(), o.value.clone(), o.must_comply)).collect();
        prop_assert_eq!(all, options);
        prop_assert_eq!(OptionSet::read(&read_back(|w| set.write(w))).unwrap(), set);
    }

    #[test]
    fn lifetimes_survive(expires in expires()) {
        prop_assert_eq!(Expires::parse(&expires.to_xml()), Some(expires), "{}", expires.to_xml());
        let written = read_back(|w| eventing::write_lifetime(w, "wse:RenewResponse", Some(expires)));
        let message = crate::soap::Envelope { body: Some(written), ..Default::default() };
        prop_assert_eq!(eventing::read_lifetime(&message).unwrap(), Some(expires));
    }

    #[test]
    fn every_lifetime_that_is_read_survives(text in "[P0-9]{1,3}[-0-9DTHMS:.Z+]{0,22}") {
        if let Some(expires) = Expires::parse(&text) {
            prop_assert_eq!(Expires::parse(&expires.to_xml()), Some(expires), "{}", expires.to_xml());
        }
    }
}
