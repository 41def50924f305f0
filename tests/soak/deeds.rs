//! What is asked of the server: packages, the requests for them, and whether a reply tells of a job.

use std::path::PathBuf;

use crate::random::Random;
use crate::support::installation::{References, job_of};
use crate::support::packages::{Deb, DebRoot};
use crate::support::wsman::{ANONYMOUS, Message, Reply, property};
use crate::told::number_of;

const OPENLMI: &str = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2";
pub(crate) const VERSION: &str = "1.0-1";
const NAMES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/// InstallOptions.
const INSTALL: &str = "4";
const UNINSTALL: &str = "9";

/// A package, and whether it will be installed when all that was asked for is done.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    file: PathBuf,
    pub(crate) is_wanted: bool,
}

impl Package {
    /// Builds all packages. The scripts of some take their time, others are gone at once.
    pub(crate) fn build_all(root: &DebRoot) -> Vec<Self> {
        let build = |(place, name): (usize, &'static str)| {
            let package = Deb::new(name, VERSION).file(&format!("usr/share/{name}/data"), name);
            let package = if place % 2 == 0 { package } else { package.script("postinst", "sleep 0.2") };
            Self { name, file: package.build(&root.scratch()), is_wanted: false }
        };
        NAMES.into_iter().enumerate().map(build).collect()
    }

    pub(crate) fn file(&self) -> &PathBuf {
        &self.file
    }
}

/// One thing to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    InstallFile(usize),
    InstallIdentity(usize),
    Remove(usize),
    Refresh,
}

impl Deed {
    /// What makes sense once everything that was asked for is done.
    pub(crate) fn choose(packages: &[Package], random: &mut Random) -> Self {
        let place = random.below(packages.len());
        match random.below(8) {
            0 => Self::Refresh,
            _ if packages[place].is_wanted => Self::Remove(place),
            1..4 => Self::InstallIdentity(place),
            _ => Self::InstallFile(place),
        }
    }

    /// Whether it leaves a package installed, and which.
    pub(crate) fn result(self) -> Option<(usize, bool)> {
        match self {
            Self::InstallFile(place) | Self::InstallIdentity(place) => Some((place, true)),
            Self::Remove(place) => Some((place, false)),
            Self::Refresh => None,
        }
    }

    pub(crate) fn message(self, packages: &[Package], references: &References) -> Message {
        let call = |method: &str, arguments: &[(&str, &str)]| {
            let class = format!("{OPENLMI}/LMI_SoftwareInstallationService");
            let mut message = Message::invoke(&class, method, arguments);
            message.selectors.extend(references.service.clone());
            message
        };
        let target = ("Target", references.system.as_str());
        let change = |place: usize, option| {
            let source = identity(packages[place].name);
            call("InstallFromSoftwareIdentity", &[("InstallOptions", option), ("Source", &source), target])
        };
        match self {
            Self::InstallFile(place) => {
                let uri = format!("file://{}", packages[place].file.display());
                call("InstallFromURI", &[("URI", &uri), target])
            }
            Self::InstallIdentity(place) => change(place, INSTALL),
            Self::Remove(place) => change(place, UNINSTALL),
            Self::Refresh => call("RefreshRepositories", &[]),
        }
    }
}

/// The reference of a package's software identity, as XML.
fn identity(name: &str) -> String {
    format!(
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>\
         <w:ResourceURI>{OPENLMI}/LMI_SoftwareIdentity</w:ResourceURI><w:SelectorSet>\
         <w:Selector Name=\"InstanceID\">LMI:LMI_SoftwareIdentity:{}</w:Selector></w:SelectorSet></a:ReferenceParameters>",
        nevra(name)
    )
}

/// The package as software identities and the history name it.
pub(crate) fn nevra(name: &str) -> String {
    format!("{name}-0:{VERSION}.all")
}

/// The number of the job that a reply tells of.
pub(crate) fn job_told(reply: &Reply) -> Option<u64> {
    if reply.status != 200 {
        return None;
    }
    let output = reply.content();
    (property(&output, "ReturnValue").as_deref() == Some("4096")).then(|| number_of(&job_of(&output)))
}
