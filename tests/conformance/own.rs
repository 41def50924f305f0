//! What only our own service can be tried with: its methods, and events.

use std::path::Path;
use std::sync::OnceLock;

use xmltree::Element;

use crate::answer::{Answer, Page};
use crate::peer::{Endpoint, Peer};
use crate::service::Own;
use crate::subscription::{Subscribe, Subscription};
use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::installation;
use crate::support::packages::{Deb, build_deb};
use crate::support::server::{ADMIN, PATIENCE};
use crate::support::sink::{Sink, accepted};
use crate::support::wsman::{CIM, Client, Message, property};

impl Own {
    /// A method of the installation service, with these arguments.
    pub(crate) fn method(&self, peer: &mut Peer, name: &str, arguments: &[(&str, &str)]) -> Message {
        let class = format!("{CIM}/CIM_SoftwareInstallationService");
        let service = first_of(peer, &class);
        peer.to(Message { selectors: service.selectors, ..Message::invoke(&class, name, arguments) })
    }

    /// The request to install the package in a file.
    pub(crate) fn installation(&self, peer: &Peer, file: &Path) -> Message {
        let mut client = Client::new(self.port, ADMIN.0, ADMIN.1);
        peer.to(installation::install_message(&mut client, &format!("file://{}", file.display())))
    }

    /// Starts a job, which installs a package of this name; gives its InstanceID. Other tests look at the first instances
    /// meanwhile, so the name should be among the last.
    pub(crate) fn start_job(&self, package: &str) -> String {
        let file = build_deb(&self.root.scratch(), package, "1.0-1", &[]);
        installation::start(&mut Client::new(self.port, ADMIN.0, ADMIN.1), &file)
    }

    /// The request to do something with a job.
    pub(crate) fn about_job(&self, peer: &Peer, operation: &str, job: &str, body: &str) -> Message {
        let action = format!("http://schemas.xmlsoap.org/ws/2004/09/transfer/{operation}");
        peer.to(Message::action(&action, &format!("{CIM}/CIM_ConcreteJob"), body).selector("InstanceID", job))
    }

    /// A job that has ended, which every test may look at. Made once.
    pub(crate) fn ended_job(&self) -> &'static str {
        static JOB: OnceLock<String> = OnceLock::new();
        JOB.get_or_init(|| {
            let job = self.start_job("z-ended");
            self.wait_for_end(&job);
            job
        })
    }

    /// Waits until a job has ended.
    pub(crate) fn wait_for_end(&self, job: &str) {
        let mut peer = Peer::new();
        let get = self.about_job(&peer, "Get", job, "");
        eventually("the end of a job", PATIENCE, || {
            let state = property(&peer.send(&get).succeeds(), "JobState");
            matches!(state.as_deref(), Some("7" | "10")).then_some(())
        });
    }

    /// What Delete of a job answered that was under way. Tried once.
    pub(crate) fn delete_of_a_running_job(&self) -> &'static Answer {
        static ANSWER: OnceLock<Answer> = OnceLock::new();
        ANSWER.get_or_init(|| {
            let gate = Gate::new(&self.root.path());
            let slow = Deb::new("z-slow", "1.0-1").script("postinst", &Gate::in_shell()).build(&self.root.scratch());
            let job = installation::start(&mut Client::new(self.port, ADMIN.0, ADMIN.1), &slow);
            let waiting = gate.reached().recv_timeout(PATIENCE).expect("the job's script never came to its gate");
            let mut peer = Peer::new();
            let answer = peer.send(&self.about_job(&peer, "Delete", &job, ""));
            waiting.go_on();
            self.wait_for_end(&job);
            answer
        })
    }

    /// What became of subscriptions of different kinds when one job began. Made once.
    pub(crate) fn deliveries(&self) -> &'static Deliveries {
        static DELIVERIES: OnceLock<Deliveries> = OnceLock::new();
        DELIVERIES.get_or_init(|| Deliveries::make(self))
    }
}

/// The reference of the first instance of a class.
pub(crate) fn first_of(peer: &mut Peer, class: &str) -> Endpoint {
    let options = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let request = Message { resource_uri: class.to_owned(), ..peer.enumerate(options) };
    Endpoint::read(Page::of(&peer.send(&request).succeeds()).items.first().expect("no instance"))
}

/// Subscriptions, and the events that came of them: one job began.
#[derive(Debug)]
pub(crate) struct Deliveries {
    /// Nothing special.
    pub(crate) plain: Vec<Element>,
    /// NotifyTo has reference parameters.
    pub(crate) parameters: Vec<Element>,
    /// The filter is a `wse:Filter`.
    pub(crate) older_filter: Vec<Element>,
    /// The subscriber wishes German in UTF-16.
    pub(crate) hints: Vec<Element>,
    /// The sink failed once.
    pub(crate) late: Vec<Element>,
    /// Unsubscribed before the event.
    pub(crate) ended: Vec<Element>,
    /// The sink refuses deliveries.
    pub(crate) refused: Vec<Element>,
    /// The subscription whose sink refuses.
    pub(crate) refusing: Subscription,
}

/// A sink that refuses at one path, and fails once at another.
fn answers(path: &str, earlier: usize) -> String {
    let reply = |status: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    match (path, earlier) {
        ("/refused", _) => reply("500 Refused", REFUSAL),
        ("/late", 0) => reply("503 Later", ""),
        _ => accepted(path, earlier),
    }
}

const REFUSAL: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header>\
    <a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action></s:Header><s:Body><s:Fault><s:Code>\
    <s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:DeliveryRefused</s:Value></s:Subcode></s:Code><s:Reason>\
    <s:Text xml:lang=\"en\">no more</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>";

impl Deliveries {
    fn make(own: &Own) -> Self {
        let mut peer = Peer::new();
        let sink = Sink::answering(answers);
        let to = |path: &str| Subscribe::to(&sink.url(path));
        let mut subscribe = |subscribe: Subscribe| Subscription::of(&subscribe.send(&mut peer));
        subscribe(to("/plain"));
        subscribe(with_parameters(to("/parameters")));
        subscribe(Subscribe { options: to("").options.replace("w:Filter", "e:Filter"), ..to("/older_filter") });
        let hints = "<w:Locale xml:lang=\"de\"/><w:ContentEncoding>UTF-16</w:ContentEncoding>";
        subscribe(Subscribe { delivery: hints.to_owned(), ..to("/hints") });
        subscribe(to("/late"));
        let ended = subscribe(to("/ended"));
        let refusing = subscribe(to("/refused"));
        ended.send(&mut peer, "Unsubscribe", "").succeeds();
        own.start_job("z-occasion");
        let waited_for =
            [("/plain", 1), ("/parameters", 1), ("/older_filter", 1), ("/hints", 1), ("/late", 2), ("/refused", 1)];
        let events = sink.wait_for("the events of a job's beginning", PATIENCE, |events| {
            let came = |path: &str| events.iter().filter(|event| event.path == path).count();
            waited_for.iter().all(|(path, count)| came(path) >= *count).then(|| events.to_vec())
        });
        let at = |path: &str| -> Vec<Element> {
            let there = events.iter().filter(|event| event.path == path);
            there.map(|event| Element::parse(event.envelope.as_bytes()).unwrap()).collect()
        };
        Self {
            plain: at("/plain"),
            parameters: at("/parameters"),
            older_filter: at("/older_filter"),
            hints: at("/hints"),
            late: at("/late"),
            ended: at("/ended"),
            refused: at("/refused"),
            refusing,
        }
    }
}

fn with_parameters(subscribe: Subscribe) -> Subscribe {
    let parameters =
        "<a:ReferenceParameters><x:Mark xmlns:x=\"urn:example:header\">one</x:Mark></a:ReferenceParameters>";
    Subscribe { notify_to: subscribe.notify_to.clone() + parameters, ..subscribe }
}
