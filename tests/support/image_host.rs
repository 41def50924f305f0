//! A host with an image store, whose VIBs are those of ESXi 5.5 U1.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::server::{ADMIN, Host};
use super::vib::{Bundle, Signers, esxi_5_5_u1};

/// Nobody guesses passwords here.
const QUICK: &str = "[auth]\nbcrypt_cost = 4\n";

/// A host that is served with its image alone.
#[derive(Debug)]
pub struct ImageHost {
    dir: TempDir,
    /// The host.
    pub host: Host,
}

impl ImageHost {
    /// A host on which ESXi 5.5 U1 runs, and which trusts the authorities of the tests.
    pub fn new() -> Self {
        Self::with(&["--engine", "none"])
    }

    /// The same with other arguments for the server.
    pub fn with(arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        let bundle = path("ESXi-5.5.0-U1.zip");
        Bundle::of(esxi_5_5_u1(10_000)).write(&bundle);
        let signers = Signers::shared();
        fs::write(path("vmware.pem"), signers.vmware_root.pem()).unwrap();
        fs::write(path("partners.pem"), signers.partner_root.pem()).unwrap();
        let store = path("image");
        let image = format!(
            "[image]\ndir = {store:?}\nvmware_trust_file = {:?}\npartner_trust_file = {:?}\n",
            path("vmware.pem"),
            path("partners.pem")
        );
        let host = Host::bare(arguments).with_settings(QUICK).with_settings(&image);
        host.add_user(ADMIN.0, ADMIN.1, "admin");
        let this = Self { dir, host };
        this.image("create", &["--bundle", bundle.to_str().unwrap(), "--name", "ESXi-5.5.0-U1-standard"]);
        this
    }

    /// The folder of the image store.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    /// Runs `quartermaster image` on the store; gives what it says.
    pub fn image(&self, action: &str, arguments: &[&str]) -> String {
        let (store, settings) = (self.store(), self.host.settings_file());
        let fixed = ["image", action, store.to_str().unwrap(), "--config", settings.to_str().unwrap()];
        let (status, said) = self.host.run_plainly(&[&fixed, arguments].concat());
        assert!(status.success(), "image {action}: {said}");
        said
    }

    /// Writes an offline bundle that the host can read.
    pub fn bundle(&self, name: &str, bundle: &Bundle) -> PathBuf {
        let file = self.dir.path().join(name);
        bundle.write(&file);
        file
    }

    /// A folder of this host for the test's own files.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }
}
