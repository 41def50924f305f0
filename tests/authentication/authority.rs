//! An authority for certificates of clients, made with OpenSSL's own tool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority in a folder of its own.
pub(crate) struct Authority {
    folder: PathBuf,
}

/// A client's certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct ClientFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What `openssl ca` needs to revoke and to make lists.
const CONFIGURATION: &str = "[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ncrlnumber = crlnumber\ndefault_md = sha256\n\
    default_crl_days = 2\ncertificate = ca.pem\nprivate_key = ca.key\nnew_certs_dir = .\nserial = serial\npolicy = any\n\
    default_days = 2\ncopy_extensions = copy\nunique_subject = no\n[any]\norganizationName = optional\ncommonName = optional\n\
    [req]\ndistinguished_name = dn\n[dn]\n";

impl Authority {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        let authority = Self { folder: folder.to_owned() };
        for (name, content) in [("ca.cnf", CONFIGURATION), ("index.txt", ""), ("crlnumber", "01\n"), ("serial", "01\n")]
        {
            fs::write(folder.join(name), content).unwrap();
        }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key"];
        let extensions =
            ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        let rest = ["-x509", "-days", "2", "-subj", "/CN=Client authority", "-out", "ca.pem"];
        authority.openssl(&[&["req"][..], &key, &rest, &extensions].concat());
        authority
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate with this subject and these alternative names.
    pub(crate) fn issue(&self, name: &str, subject: &str, alternative_names: &str) -> ClientFiles {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let extension = format!("subjectAltName={alternative_names}");
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &key, "-out", &request];
        let said = ["-subj", subject, "-addext", &extension, "-addext", "extendedKeyUsage=clientAuth"];
        self.openssl(&[&["req"][..], &new, &said].concat());
        self.openssl(&["ca", "-config", "ca.cnf", "-batch", "-notext", "-in", &request, "-out", &certificate]);
        ClientFiles { certificate: self.folder.join(certificate), key: self.folder.join(key) }
    }

    /// Takes a certificate back, if one is named, and gives the list of all that were.
    pub(crate) fn revoke(&self, certificate: Option<&ClientFiles>) -> PathBuf {
        if let Some(files) = certificate {
            self.openssl(&["ca", "-config", "ca.cnf", "-revoke", files.certificate.to_str().unwrap()]);
        }
        self.openssl(&["ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem"]);
        self.folder.join("crl.pem")
    }

    /// A certificate that nobody vouches for.
    pub(crate) fn self_signed(&self, name: &str, subject: &str) -> ClientFiles {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let new =
            ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &key, "-out", &certificate];
        self.openssl(&[&["req", "-x509", "-days", "2", "-subj", subject][..], &new].concat());
        ClientFiles { certificate: self.folder.join(certificate), key: self.folder.join(key) }
    }

    fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(&self.folder).output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
