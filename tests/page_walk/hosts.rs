//! The hosts that are looked at.

use std::path::PathBuf;

use crate::browser::Browser;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::{Host, Server};

/// The name and the password of a user of each role but admin.
pub(crate) const OPERATOR: (&str, &str) = ("olga", "the operator's password");
pub(crate) const VIEWER: (&str, &str) = ("vera", "the viewer's password");

/// What a hostile packager writes into a summary.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)> & a \"Quoted\" summary";

/// A Debian host with a repository, and a server on it.
pub(crate) struct DebianHost {
    pub(crate) server: Server,
    pub(crate) host: Host,
    pub(crate) root: DebRoot,
}

impl DebianHost {
    /// `alpha` 1.0 is installed and 2.0 offered; `beta` needs `gamma`; `broken` needs what nothing has.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// The same with further packages in the repository.
    pub(crate) fn with(further: &[Deb]) -> Self {
        let alpha = |version: &str| {
            Deb::new("alpha", version).field("Description", HOSTILE).file("usr/share/alpha/data", version)
        };
        let mut offered = vec![
            alpha("2.0-1"),
            Deb::new("beta", "1.0-1").field("Depends", "gamma (>= 1.0)"),
            Deb::new("gamma", "1.0-1"),
            Deb::new("broken", "1.0-1").field("Depends", "nowhere-to-be-found"),
        ];
        offered.extend_from_slice(further);
        Self::bare(&offered, "", |root| root.install_by_hand(&alpha("1.0-1").build(&root.scratch())))
    }

    /// One with these packages in its repository, settings and whatever is done to its root.
    pub(crate) fn bare(offered: &[Deb], settings: &str, prepare: impl FnOnce(&DebRoot)) -> Self {
        let root = DebRoot::new().with_shell(&[]);
        prepare(&root);
        let offered: Vec<PathBuf> = offered.iter().map(|package| package.build(&root.scratch())).collect();
        let root = root.with_repository(&offered);
        let settings = format!("{settings}[auth]\nbcrypt_cost = 4\n");
        let host = Host::new(&root.path(), "deb").with_settings(&settings);
        for ((name, password), role) in [(OPERATOR, "operator"), (VIEWER, "viewer")] {
            host.add_user(name, password, role);
        }
        Self { server: host.serve(), host, root }
    }

    /// The browser of a user.
    pub(crate) fn browser(&self, (name, password): (&str, &str)) -> Browser {
        Browser::of(&self.server, name, password)
    }
}

/// The address of a package's page.
pub(crate) fn page_of(nevra: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id_of(nevra).as_bytes()).collect();
    format!("/package?id={id}")
}

/// The InstanceID of a package.
pub(crate) fn id_of(nevra: &str) -> String {
    format!("LMI:LMI_SoftwareIdentity:{nevra}")
}
