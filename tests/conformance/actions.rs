//! Clause 9: custom actions, which are the methods of classes.

use crate::answer::{properties, text};
use crate::peer::Peer;
use crate::rule::rules;
use crate::service::Own;
use crate::support::wsman::without;

rules! {
    r9_1 "a service may have methods": holds_here(a_method_is_an_action);
    r9_2 "each method has its own wsa:Action, and addressing is as for anything else": holds_here(every_method_has_its_action);
    r9_3 "wrong parameters are wsman:InvalidParameter": holds_here(wrong_parameters_are_told_apart);
}

fn a_method_is_an_action(peer: &mut Peer, own: &Own) {
    let call = own.method(peer, "RequestStateChange", &[("RequestedState", "2")]);
    let output = peer.send(&call).succeeds();
    // Not supported, says the method; the call itself is.
    assert_eq!(properties(&output).last().unwrap(), &("ReturnValue".to_owned(), "1".to_owned()));
}

fn every_method_has_its_action(peer: &mut Peer, own: &Own) {
    for (method, arguments) in [("StartService", &[][..]), ("RequestStateChange", &[("RequestedState", "2")])] {
        let call = own.method(peer, method, arguments);
        assert!(call.action.ends_with(&format!("/CIM_SoftwareInstallationService/{method}")), "{}", call.action);
        let answer = peer.send(&call);
        assert_eq!(answer.succeeds().name, format!("{method}_OUTPUT"));
        assert_eq!(answer.header_text("wsa:Action"), format!("{}Response", call.action));
        assert_eq!(answer.header_text("wsa:RelatesTo"), answer.request_id());
    }
    let unknown = own.method(peer, "Dance", &[]);
    let fault = peer.send(&unknown).refuses("wsa:ActionNotSupported", "");
    assert_eq!(text(fault.names("Dance").element("wsa:Action")), unknown.action);
    let nobody = without(&unknown.envelope(), "a:ReplyTo");
    peer.send_text(&nobody).refuses("wsa:MessageInformationHeaderRequired", "");
}

fn wrong_parameters_are_told_apart(peer: &mut Peer, own: &Own) {
    for (arguments, detail, word) in [
        (&[("RequestedState", "many")][..], "TypeMismatch", "RequestedState"),
        (&[("RequestedState", "70000")], "TypeMismatch", "RequestedState"),
        (&[("Colour", "red")], "InvalidName", "Colour"),
        (&[("RequestedState", "2"), ("RequestedState", "3")], "InvalidName", "RequestedState"),
    ] {
        let call = own.method(peer, "RequestStateChange", arguments);
        peer.send(&call).refuses("wsman:InvalidParameter", detail).names(word);
    }
}
