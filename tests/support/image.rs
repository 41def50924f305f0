//! Image stores that the binary makes, and the bundles and trust files that they are made and changed with.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::server::binary;
use super::vib::{Bundle, Signers, release};

/// An image store of ESXi 5.5 U1, and a folder for what it is updated with.
#[derive(Debug)]
pub struct ImageFolder {
    dir: TempDir,
}

impl ImageFolder {
    /// A store whose esx-base and tools-light have about so many octets.
    pub fn esxi_5_5_u1(size: usize) -> Self {
        let folder = Self { dir: TempDir::new().unwrap() };
        let signers = Signers::shared();
        fs::write(folder.file("vmware.pem"), signers.vmware_root.pem()).unwrap();
        fs::write(folder.file("partners.pem"), signers.partner_root.pem()).unwrap();
        fs::write(folder.file("image.toml"), folder.settings()).unwrap();
        let bundle = folder.bundle("u1.zip", &Bundle::of(release::esxi_5_5_u1(size)));
        let made =
            folder.run(&["create", "--name", "ESXi-5.5.0-U1-standard", "--bundle", bundle.to_str().unwrap()], &[]);
        assert_eq!(made, format!("made an image store with 15 VIBs in {}\n", folder.image().display()));
        folder
    }

    /// The image store.
    pub fn image(&self) -> PathBuf {
        self.file("image")
    }

    /// The folder that it lies in.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file beside it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The lines of a configuration file that its VIBs need to be trusted.
    pub fn settings(&self) -> String {
        let [vmware, partners] = ["vmware.pem", "partners.pem"].map(|name| self.file(name).display().to_string());
        format!("[image]\nvmware_trust_file = {vmware:?}\npartner_trust_file = {partners:?}\n")
    }

    /// Writes an offline bundle.
    pub fn bundle(&self, name: &str, bundle: &Bundle) -> PathBuf {
        let file = self.file(name);
        bundle.write(&file);
        file
    }

    /// The patch to U1a.
    pub fn esxi_5_5_u1a(&self, size: usize) -> PathBuf {
        self.bundle("ESXi550-201404001.zip", &release::esxi_5_5_u1a(size))
    }

    /// `quartermaster image` with this action and the store; tells what it said.
    pub fn run(&self, action: &[&str], after: &[&str]) -> String {
        let (succeeded, said) = self.try_run(action, after);
        assert!(succeeded, "{action:?}: {said}");
        said
    }

    /// The same whether it succeeds or not.
    pub fn try_run(&self, action: &[&str], after: &[&str]) -> (bool, String) {
        let mut command = binary();
        command.arg("image").args(action).arg(self.image()).args(after);
        let output = command.arg("--config").arg(self.file("image.toml")).output().unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    /// The folders in which changes of the store are being put together.
    pub fn stagings(&self) -> Vec<PathBuf> {
        let is_staging =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("staging-"));
        let entries = fs::read_dir(self.image()).unwrap().filter_map(Result::ok);
        entries.map(|entry| entry.path()).filter(|path| is_staging(path)).collect()
    }
}
