//! Faults for transfer and methods.

use std::fs::File;

use crate::answer::Answer;
use crate::own::first_of;
use crate::peer::Peer;
use crate::service::{AMBIGUOUS, Own, VIEWER};
use crate::support::wsman::{CIM, Message};
use crate::transfer::{create_filter, new_name, too_tight};

const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";

pub(crate) fn a_viewer_installs(peer: &mut Peer, own: &Own) -> Answer {
    let call = own.method(peer, "InstallFromURI", &[("URI", "file:///nowhere.deb")]);
    Peer::of_user(Some(VIEWER)).send(&call)
}

pub(crate) fn delete_of_a_package(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { action: format!("{TRANSFER}/Delete"), ..peer.get() })
}

pub(crate) fn create_of_what_is_there(peer: &mut Peer, _: &Own) -> Answer {
    let create = create_filter(peer, &new_name());
    peer.send(&create).succeeds();
    peer.send(&create)
}

pub(crate) fn delete_of_a_running_job(_: &mut Peer, own: &Own) -> Answer {
    own.delete_of_a_running_job().clone()
}

pub(crate) fn get_of_an_unknown_instance(peer: &mut Peer, _: &Own) -> Answer {
    let id = "LMI:LMI_SoftwareIdentity:ghost-0:1-1.all".to_owned();
    peer.send(&Message { selectors: vec![("InstanceID".to_owned(), id)], ..peer.get() })
}

pub(crate) fn get_of_an_unknown_class(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { resource_uri: format!("{CIM}/CIM_Unicorn"), ..peer.get() })
}

pub(crate) fn a_long_selector(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().selector("unicorn", "v".repeat(4097)))
}

pub(crate) fn a_method_whose_reply_does_not_fit(peer: &mut Peer, own: &Own) -> Answer {
    let call = own.method(peer, "RequestStateChange", &[("RequestedState", "2")]);
    peer.send_text(&too_tight(&call))
}

pub(crate) fn get_of_what_two_packages_could_be(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { selectors: vec![("InstanceID".to_owned(), AMBIGUOUS.to_owned())], ..peer.get() })
}

fn call(peer: &mut Peer, own: &Own, argument: (&str, &str)) -> Answer {
    let call = own.method(peer, "RequestStateChange", &[argument]);
    peer.send(&call)
}

pub(crate) fn a_parameter_of_the_wrong_type(peer: &mut Peer, own: &Own) -> Answer {
    call(peer, own, ("RequestedState", "many"))
}

pub(crate) fn an_unknown_parameter(peer: &mut Peer, own: &Own) -> Answer {
    call(peer, own, ("Colour", "red"))
}

fn put(peer: &mut Peer, own: &Own, body: &str) -> Answer {
    peer.send(&own.about_job(peer, "Put", own.ended_job(), body))
}

pub(crate) fn put_of_a_wrong_value(peer: &mut Peer, own: &Own) -> Answer {
    let class = format!("{CIM}/CIM_ConcreteJob");
    let body = format!("<p:CIM_ConcreteJob xmlns:p=\"{class}\"><p:Priority>high</p:Priority></p:CIM_ConcreteJob>");
    put(peer, own, &body)
}

pub(crate) fn put_of_nothing(peer: &mut Peer, own: &Own) -> Answer {
    put(peer, own, "")
}

pub(crate) fn put_of_another_class(peer: &mut Peer, own: &Own) -> Answer {
    put(peer, own, &format!("<p:CIM_Unicorn xmlns:p=\"{CIM}/CIM_Unicorn\"/>"))
}

pub(crate) fn put_of_a_fragment_without_header(peer: &mut Peer, own: &Own) -> Answer {
    put(peer, own, "<w:XmlFragment>5</w:XmlFragment>")
}

pub(crate) fn get_without_selectors(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&Message { selectors: Vec::new(), ..peer.get() })
}

pub(crate) fn get_with_an_unknown_selector(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().selector("Colour", "red"))
}

/// Get of an association, whose keys are references, with this in place of one.
fn get_link(peer: &mut Peer, system: &str) -> Answer {
    let link = first_of(peer, &format!("{CIM}/CIM_InstalledSoftwareIdentity"));
    let mut get = peer.get_at(&link);
    get.selectors.iter_mut().find(|(name, _)| name == "System").unwrap().1 = system.to_owned();
    peer.send(&get)
}

pub(crate) fn a_selector_of_the_wrong_type(peer: &mut Peer, _: &Own) -> Answer {
    get_link(peer, "me")
}

pub(crate) fn an_element_in_a_selector(peer: &mut Peer, _: &Own) -> Answer {
    get_link(peer, "<w:Colour>red</w:Colour>")
}

pub(crate) fn a_selector_twice(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().selector("InstanceID", "x"))
}

pub(crate) fn an_installation_without_time(peer: &mut Peer, own: &Own) -> Answer {
    // Copying it takes far longer than no time.
    let file = own.root.scratch().join("nothing");
    File::create(&file).unwrap().set_len(64 << 20).unwrap();
    let install = own.installation(peer, &file);
    peer.send(&install.header("<w:OperationTimeout>PT0S</w:OperationTimeout>"))
}

pub(crate) fn an_unknown_fragment_dialect(peer: &mut Peer, _: &Own) -> Answer {
    peer.send(&peer.get().header("<w:FragmentTransfer Dialect=\"urn:example:poetry\">roses</w:FragmentTransfer>"))
}
