//! More requests at a time than may be: who gets an answer, and what the others are told.

use std::fs;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use crate::support::eventually;
use crate::support::packages::DebRoot;
use crate::support::server::{Host, PATIENCE};
use crate::support::wsman::{ALL_CLASSES, CIM, Client, Message, descendants, text_of};

const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";

/// Asks for events of which there are none, and is answered when somebody makes one or the time is over.
fn pull(client: &mut Client) -> Message {
    let subscribe = "<e:Subscribe><e:Delivery Mode=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull\"/>\
        <w:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT * FROM CIM_InstCreation</w:Filter></e:Subscribe>";
    let action = "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe";
    let reply = client.ask(&Message::action(action, ALL_CLASSES, subscribe));
    let context = text_of(descendants(&reply, "EnumerationContext")[0]);
    let body = format!("<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext></n:Pull>");
    Message::action(&format!("{ENUMERATION}/Pull"), ALL_CLASSES, &body)
        .header("<w:OperationTimeout>PT50S</w:OperationTimeout>")
}

fn systems() -> String {
    Message::enumerate(&format!("{CIM}/CIM_ComputerSystem"), "<w:OptimizeEnumeration/>").envelope()
}

fn settings(requests: usize) -> String {
    format!("user = \"root\"\n[limits]\nrequests = {requests}\n")
}

#[test]
fn who_comes_when_all_places_are_taken_is_told_to_come_again_and_gets_in_when_one_is_free() {
    let root = DebRoot::new();
    let host = Host::new(&root.path(), "deb").with_settings(&settings(2));
    for (name, role) in [("ann", "admin"), ("bob", "admin"), ("cid", "viewer")] {
        host.add_user(name, "a password of the tests", role);
    }
    let server = host.serve();
    let client = |name: &str| server.client(name, "a password of the tests");
    let (mut ann, mut bob, mut cid) = (client("ann"), client("bob"), client("cid"));
    let waiting = [pull(&mut ann), pull(&mut bob)];
    let (tell, told) = channel();
    thread::scope(|scope| {
        for (client, pull) in [&mut ann, &mut bob].into_iter().zip(&waiting) {
            let tell = tell.clone();
            scope.spawn(move || tell.send(client.post(&pull.envelope()).status).unwrap());
        }
        let refused = eventually("all places to be taken", PATIENCE, || {
            Some(cid.post(&systems())).filter(|reply| reply.status != 200)
        });
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.head.to_ascii_lowercase().contains("retry-after: 1"), "{}", refused.head);
        let (fault, reason) = refused.fault();
        assert_eq!(fault, "QuotaLimit");
        assert!(reason.contains("Too many requests are being answered"), "{reason}");
        // More places, while the service runs.
        fs::write(host.scratch().join("quartermaster.toml"), settings(3)).unwrap();
        assert!(Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap().success());
        eventually("a further place", PATIENCE, || (cid.post(&systems()).status == 200).then_some(()));
        assert!(told.try_recv().is_err(), "the others wait all the time");
        // Told to stop, the service answers who waits.
        assert!(server.stop().success());
        assert_eq!([told.recv().unwrap(), told.recv().unwrap()], [200, 200]);
    });
}
