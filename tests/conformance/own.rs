//! What only our own service can be tried with: its methods, and events.

use std::path::Path;
use std::sync::OnceLock;

use crate::answer::{Answer, Page};
use crate::deliveries::Deliveries;
use crate::peer::{Endpoint, Peer};
use crate::service::Own;
use crate::support::eventually;
use crate::support::gate::Gate;
use crate::support::installation;
use crate::support::packages::{Deb, build_deb};
use crate::support::server::{ADMIN, PATIENCE};
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

    /// What became of subscriptions of different kinds while one job was done. Made once.
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
