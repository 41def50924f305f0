//! Faults for enumerations.

use crate::answer::{Answer, Page};
use crate::peer::Peer;
use crate::service::{Own, VIEWER};
use crate::subscription::{CQL, filter};
use crate::support::wsman::{ALL_CLASSES, Message};

pub(crate) fn a_query_for_an_unknown_class(peer: &mut Peer, _: &Own) -> Answer {
    let query = filter("w:Filter", CQL, "SELECT * FROM CIM_Unicorn");
    peer.send(&peer.enumerate(&query))
}

pub(crate) fn an_unknown_dialect(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.enumerate(&filter("w:Filter", "urn:example:poetry", "roses")))
}

pub(crate) fn a_pull_of_nothing(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.pull("none", ""))
}

pub(crate) fn an_enumeration_that_has_ended(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.enumerate("<n:Expires>2001-01-01T00:00:00Z</n:Expires>"))
}

pub(crate) fn too_many_enumerations(_: &mut Peer, _: &Own) -> Answer {
    let mut viewer = Peer::of_user(Some(VIEWER));
    let enumerate = viewer.enumerate("");
    let mut open = Vec::new();
    let refused = loop {
        let answer = viewer.send(&enumerate);
        if answer.status != 200 {
            break answer;
        }
        open.push(Page::of(&answer.succeeds()).context.unwrap());
        assert!(open.len() <= 1000, "there is no end to enumerations");
    };
    for context in open {
        viewer.send(&viewer.release(&context)).succeeds();
    }
    refused
}

pub(crate) fn a_body_that_is_no_pull(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { body: "<n:Push/>".to_owned(), ..peer.pull("none", "") })
}

pub(crate) fn an_unknown_enumeration_mode(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.enumerate("<w:EnumerationMode>EnumerateDreams</w:EnumerationMode>"))
}

pub(crate) fn all_instances_of_all_classes(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { resource_uri: ALL_CLASSES.to_owned(), ..peer.enumerate("") })
}

pub(crate) fn all_classes_as_one(peer: &mut Peer, _: &Own) -> Answer {
    let mode = "<b:PolymorphismMode>ExcludeSubClassProperties</b:PolymorphismMode>";
    peer.send(&Message { resource_uri: ALL_CLASSES.to_owned(), ..peer.enumerate(mode) })
}
