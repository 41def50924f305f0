//! The service as its package starts it, inside of a Debian system.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use xmltree::Element;

use crate::debian::Debian;
use crate::support::eventually;
use crate::support::server::PATIENCE;
use crate::support::wsman::{CIM, Client, Message, child, descendants, text_of};

/// A service that runs inside.
#[derive(Debug)]
pub(crate) struct Service<'d> {
    debian: &'d Debian,
    child: Child,
    /// Its process as the system inside numbers it.
    pid: String,
    port: u16,
}

impl<'d> Service<'d> {
    /// Starts it on a free port and waits until it is ready.
    pub(crate) fn start(debian: &'d Debian) -> Self {
        let script = "echo $$; exec quartermaster serve --listen 127.0.0.1:0 2>>/var/log/quartermaster.log";
        let mut child = debian.command(&["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let pid = lines.next().unwrap();
        let ready = lines.find_map(|line| {
            let address = line.strip_prefix("listening on https://127.0.0.1:")?;
            Some(address.strip_suffix("/wsman")?.parse().unwrap())
        });
        let port = ready.unwrap_or_else(|| panic!("not ready:\n{}", debian.read("/var/log/quartermaster.log")));
        // Whatever else it says is of no interest, but must have somewhere to go.
        std::thread::spawn(move || lines.for_each(drop));
        Self { debian, child, pid, port }
    }

    /// A connection as the first user.
    pub(crate) fn admin(&self) -> Client {
        admin(self.debian, self.port)
    }

    /// Ends it as an init system does.
    pub(crate) fn stop(mut self) {
        self.debian.run(&["sh", "-c", &format!("kill {}", self.pid)]);
        self.child.wait().unwrap();
    }
}

/// A connection as the first user to whatever service has the port.
pub(crate) fn admin(debian: &Debian, port: u16) -> Client {
    let password = debian.read("/var/lib/quartermaster/initial-password");
    Client::new(port, "admin", password.trim())
}

/// The identifiers of what is installed.
pub(crate) fn installed(client: &mut Client) -> Vec<String> {
    let options = "<w:OptimizeEnumeration/><w:MaxElements>10000</w:MaxElements>";
    let request = Message::enumerate(&format!("{CIM}/CIM_SoftwareIdentity"), options)
        .header("<w:MaxEnvelopeSize>16777216</w:MaxEnvelopeSize>");
    let reply = client.ask(&request);
    descendants(&reply, "InstanceID").into_iter().map(text_of).collect()
}

/// Installs a file that lies inside; gives the ended job.
pub(crate) fn install(client: &mut Client, path: &str) -> Element {
    let job = start(client, path);
    ended(client, &job)
}

/// Begins to install a file that lies inside; gives the job's InstanceID.
pub(crate) fn start(client: &mut Client, path: &str) -> String {
    let options = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let mut the_only = |class: &str| client.ask(&Message::enumerate(&format!("{CIM}/{class}"), options));
    let selectors = |of: &Element| -> Vec<(String, String)> {
        descendants(of, "Selector").into_iter().map(|s| (s.attributes["Name"].clone(), text_of(s))).collect()
    };
    let (service, system) = (the_only("CIM_SoftwareInstallationService"), the_only("CIM_ComputerSystem"));
    let keys: String = selectors(&system)
        .into_iter()
        .map(|(name, value)| format!("<w:Selector Name=\"{name}\">{value}</w:Selector>"))
        .collect();
    let uri = text_of(descendants(&system, "ResourceURI")[0]);
    let target = format!(
        "<a:Address>http://localhost/wsman</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}</w:ResourceURI>\
         <w:SelectorSet>{keys}</w:SelectorSet></a:ReferenceParameters>"
    );
    let arguments = [("URI", &*format!("file://{path}")), ("Target", &target)];
    let mut call = Message::invoke(&format!("{CIM}/CIM_SoftwareInstallationService"), "InstallFromURI", &arguments);
    call.selectors = selectors(&service);
    let called = client.ask(&call);
    let (_, id) = selectors(&called).pop().unwrap_or_else(|| panic!("no job: {called:?}"));
    id
}

/// A job once it has ended.
pub(crate) fn ended(client: &mut Client, id: &str) -> Element {
    let get = Message::get(&format!("{CIM}/CIM_ConcreteJob")).selector("InstanceID", id);
    eventually("the job to end", PATIENCE, || {
        let job = client.ask(&get);
        child(&job, "PercentComplete").is_some_and(|percent| text_of(percent) == "100").then_some(job)
    })
}
