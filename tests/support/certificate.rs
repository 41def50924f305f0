//! A test authority and a certificate of a TLS server, made by `certs/make.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What `certs/make.sh` makes: PEM files.
#[derive(Debug)]
pub struct Certificate {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The certificate of a server that is called `localhost`, `127.0.0.1` or `::1`.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes them in `folder`.
    pub fn new(folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs/make.sh");
        let status = Command::new(script).arg(folder).status().expect("certs/make.sh can be run");
        assert!(status.success(), "certs/make.sh: {status}");
        Self {
            authority: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server-key.pem"),
        }
    }
}
