//! `lmi software enable`, `disable` and refreshing.

use crate::changes::{INSTALL, borrowed};
use crate::host::{COMMENT, Family};
use crate::support::wsman::{Message, property};
use crate::walk::{Walk, of, uri};

const RESOURCE: &str = "LMI_SoftwareIdentityResource";

on_both_families!(enabled_and_disabled, refreshed);

fn enabled_and_disabled(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let extra = walk.nevra("extra", "1.0-1");
    let configuration = walk.root.configuration("extras");
    let disabled = std::fs::read_to_string(&configuration).unwrap();
    assert_eq!(walk.found(&[("Name", "extra")]), [""; 0]);

    assert_eq!(request_state(&mut walk, &[("RequestedState", "2")]), "0");
    assert_eq!(state(&mut walk), ["2", "2", "Not Ready"]);
    walk.refresh();
    assert_eq!(state(&mut walk), ["2", "2", "Ready"]);
    assert_eq!(walk.found(&[("Name", "extra")]), [extra.as_str()]);
    let enabled = std::fs::read_to_string(&configuration).unwrap();
    assert!(enabled.contains(COMMENT) && enabled != disabled, "{enabled}");

    // What is enabled already is enabled.
    assert_eq!(request_state(&mut walk, &[("RequestedState", "2")]), "0");
    assert_eq!(std::fs::read_to_string(&configuration).unwrap(), enabled);
    for (arguments, code) in [
        (&[("RequestedState", "10")][..], "4097"),
        (&[("RequestedState", "4")], "4097"),
        (&[], "4097"),
        (&[("RequestedState", "3"), ("TimeoutPeriod", "PT1M")], "4098"),
    ] {
        assert_eq!(request_state(&mut walk, arguments), code, "{arguments:?}");
        assert_eq!(state(&mut walk), ["2", "2", "Ready"]);
    }

    assert_eq!(request_state(&mut walk, &[("RequestedState", "3")]), "0");
    assert_eq!(std::fs::read_to_string(&configuration).unwrap(), disabled);
    assert_eq!(state(&mut walk), ["3", "3", "Disabled"]);
    assert_eq!(walk.found(&[("Name", "extra")]), [""; 0]);
    for (property, value) in [("EnabledState", "2"), ("RequestedState", "3"), ("RequestedState", "2")] {
        put(&mut walk, &[(property, value)]);
        let found: &[String] = if value == "2" { std::slice::from_ref(&extra) } else { &[] };
        assert_eq!(walk.found(&[("Name", "extra")]), found, "{property} {value}");
    }
    assert_eq!(std::fs::read_to_string(&configuration).unwrap(), enabled);
    let unknown = Message::invoke(&uri(RESOURCE), "RequestStateChange", &[("RequestedState", "2")]);
    let unknown = walk.repository_keys("extras").into_iter().fold(unknown, |message, (name, value)| {
        message.selector(name, if name == "Name" { "elsewhere".to_owned() } else { value })
    });
    assert_eq!(walk.client.post(&unknown.envelope()).fault().0, "DestinationUnreachable");
    let keys = walk.repository_keys("extras");
    let refused = walk.put(RESOURCE, &borrowed(&keys), &[("EnabledState", "6")]);
    assert_eq!(refused.fault().0, "InvalidRepresentation", "{}", refused.body);
    assert_eq!(std::fs::read_to_string(&configuration).unwrap(), enabled);
}

fn refreshed(family: Family) {
    let mut walk = Walk::new(family, &[]);
    let [newest, newer] = ["4.0-1", "3.0-1"].map(|version| walk.nevra("alpha", version));
    let search = [("Name", "alpha"), ("ExactMatch", "true")];
    assert_eq!(walk.found(&search), std::slice::from_ref(&newer));
    assert!(!all_shown(&mut walk).contains(&newest));
    let package = walk.samples.files(&[("alpha", "4.0-1")]);
    walk.root.publish("standard", &package);
    if family == Family::Rpm {
        // apt looks at the lists of repositories that lie on the host themselves.
        assert_eq!(walk.found(&search), std::slice::from_ref(&newer), "nobody fetched it yet");
    }
    walk.refresh();
    // It is there for whoever does not search, too.
    assert!(all_shown(&mut walk).contains(&newest));
    assert_eq!(of(&walk.identity(&newest), "Version"), "4.0");
    assert_eq!(walk.found(&search), std::slice::from_ref(&newest));
    assert_eq!(of(&walk.change(&newest, &[INSTALL]), "JobState"), "7");

    // A repository that is gone is named.
    std::fs::rename(walk.root.repository("standard"), walk.root.repository("moved")).unwrap();
    let job = crate::support::installation::job_of(&walk.call("RefreshRepositories", &[]));
    let job = walk.ended(&job);
    assert_eq!([of(&job, "JobState"), of(&job, "ErrorCode")], ["10", "4107"], "{job:?}");
    assert!(property(&job, "ErrorDescription").unwrap().contains("standard"), "{job:?}");
}

/// All software that is shown.
fn all_shown(walk: &mut Walk) -> Vec<String> {
    walk.enumerate("LMI_SoftwareIdentity", 20).iter().map(|identity| of(identity, "ElementName")).collect()
}

fn request_state(walk: &mut Walk, arguments: &[(&str, &str)]) -> String {
    let keys = walk.repository_keys("extras");
    let arguments: Vec<(&str, String)> = arguments
        .iter()
        .map(|(name, value)| {
            let is_period = *name == "TimeoutPeriod";
            (
                *name,
                if is_period {
                    format!("<c:Interval xmlns:c=\"{COMMON}\">{value}</c:Interval>")
                } else {
                    (*value).to_owned()
                },
            )
        })
        .collect();
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let message = Message::invoke(&uri(RESOURCE), "RequestStateChange", &arguments);
    let message = keys.into_iter().fold(message, |message, (name, value)| message.selector(name, value));
    of(&walk.client.ask(&message), "ReturnValue")
}

const COMMON: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";

fn put(walk: &mut Walk, values: &[(&str, &str)]) {
    let keys = walk.repository_keys("extras");
    let reply = walk.put(RESOURCE, &borrowed(&keys), values);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(of(&reply.content(), "EnabledState"), values[0].1);
}

fn state(walk: &mut Walk) -> [String; 3] {
    let repository = walk.repository("extras");
    ["EnabledState", "RequestedState", "StatusDescriptions"].map(|name| of(&repository, name))
}
