//! A Kerberos realm in a folder: MIT's KDC on a free port of loopback, its database, keytabs, and callers with tickets.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::support::eventually;
use super::support::server::PATIENCE;

/// The realm's name.
pub(crate) const REALM: &str = "EXAMPLE.TEST";
/// The password of all callers.
pub(crate) const PASSWORD: &str = "a password of the realm";

/// The realm; its KDC ends with it.
#[derive(Debug)]
pub(crate) struct Realm {
    dir: TempDir,
    /// How far its clock, and those of its callers, are behind the host's, as libfaketime has it.
    behind: Option<&'static str>,
    kdc: Option<Child>,
}

/// Somebody who has a ticket.
#[derive(Debug)]
pub(crate) struct Principal<'a> {
    realm: &'a Realm,
    cache: PathBuf,
}

impl Realm {
    /// A realm with the services of localhost that clients ask for, `HTTP`, `WSMAN` and `host`, and one that is another: `nfs`.
    pub(crate) fn new() -> Self {
        let realm = Self::without_services();
        let services = ["HTTP", "WSMAN", "host", "nfs"].map(|service| format!("addprinc -randkey {service}/localhost"));
        realm.administer(&services.join("\n"));
        realm
    }

    /// A realm that knows nobody yet.
    pub(crate) fn without_services() -> Self {
        let realm = Self::prepared(None);
        realm.run(realm.command("kdb5_util").args(["create", "-s", "-r", REALM, "-P", "master key", "-W"]));
        realm.served()
    }

    /// The same, an hour ago. Its keys are those of `other`, so that its tickets would count if they were not old.
    pub(crate) fn an_hour_ago(other: &Self) -> Self {
        let realm = Self::prepared(Some("-1h"));
        for file in ["principal", "principal.kadm5", "principal.kadm5.lock", "principal.ok", "stash"] {
            fs::copy(other.file(file), realm.file(file)).unwrap();
        }
        realm.served()
    }

    fn prepared(behind: Option<&'static str>) -> Self {
        let realm = Self { dir: TempDir::new().unwrap(), behind, kdc: None };
        let settings = format!(
            "[realms]\n{REALM} = {{\n database_name = {}\n key_stash_file = {}\n \
             supported_enctypes = aes256-cts-hmac-sha1-96:normal\n}}\n[logging]\nkdc = FILE:{}\n",
            realm.file("principal").display(),
            realm.file("stash").display(),
            realm.file("kdc.log").display(),
        );
        fs::write(realm.file("kdc.conf"), settings).unwrap();
        realm.tell_port(1);
        realm
    }

    /// Starts the KDC on a port that is free; if somebody else takes it meanwhile, on another one.
    fn served(mut self) -> Self {
        let served = eventually("the KDC answers", PATIENCE, || {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            self.tell_port(port);
            let listen = format!("[kdcdefaults]\nkdc_listen = \"\"\nkdc_tcp_listen = 127.0.0.1:{port}\n");
            let settings = fs::read_to_string(self.file("kdc.conf")).unwrap();
            let settings = settings.split_once("[realms]").unwrap().1;
            fs::write(self.file("kdc.conf"), format!("{listen}[realms]{settings}")).unwrap();
            let mut kdc = self.command("krb5kdc");
            let mut kdc =
                kdc.arg("-n").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let is_there = eventually("the KDC listens, or ends", PATIENCE, || {
                let has_ended = kdc.try_wait().unwrap().is_some();
                let listens = !has_ended && TcpStream::connect(("127.0.0.1", port)).is_ok();
                (has_ended || listens).then_some(listens)
            });
            is_there.then_some(kdc)
        });
        self.kdc = Some(served);
        self
    }

    fn tell_port(&self, port: u16) {
        let settings = format!(
            "[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\ndns_lookup_realm = false\n\
             dns_canonicalize_hostname = false\nrdns = false\nudp_preference_limit = 1\n\
             [realms]\n{REALM} = {{\n kdc = 127.0.0.1:{port}\n}}\n[domain_realm]\nlocalhost = {REALM}\n"
        );
        fs::write(self.file("krb5.conf"), settings).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A program that knows this realm and nothing of the host's own.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.introduce(&mut command);
        command
    }

    /// Lets a program know this realm.
    pub(crate) fn introduce<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(self.environment())
    }

    /// The same for a script of a shell.
    pub(crate) fn exports(&self) -> String {
        self.environment().iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect()
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let file = |name: &str| self.file(name).to_str().unwrap().to_owned();
        let mut environment = vec![
            ("PATH", format!("{path}:/usr/sbin:/sbin")),
            ("KRB5_CONFIG", file("krb5.conf")),
            ("KRB5_KDC_PROFILE", file("kdc.conf")),
            ("KRB5CCNAME", format!("FILE:{}", file("no-tickets"))),
        ];
        if let Some(behind) = self.behind {
            // Not by the program faketime, which would be between the tests and what they end.
            let library = "/usr/$LIB/faketime/libfaketime.so.1".to_owned();
            environment.extend([("LD_PRELOAD", library), ("FAKETIME", behind.to_owned())]);
        }
        environment
    }

    fn run(&self, command: &mut Command) -> Output {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
        output
    }

    /// Has kadmin do what these lines say.
    fn administer(&self, lines: &str) {
        let mut kadmin = self.command("kadmin.local");
        let mut kadmin = kadmin.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        kadmin.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = kadmin.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && !said.contains("while"), "{lines}\n{said}");
    }

    /// Writes a keytab with the keys of these services of localhost.
    pub(crate) fn keytab(&self, services: &[&str]) -> PathBuf {
        let file = self.file(&format!("{}.keytab", services.join("-")));
        let names: Vec<_> = services.iter().map(|service| format!("{service}/localhost")).collect();
        // As a file of keys that are given out on several hosts is made.
        self.administer(&format!("ktadd -norandkey -k {} {}", file.display(), names.join(" ")));
        file
    }

    /// Adds a caller.
    pub(crate) fn add(&self, name: &str) {
        self.administer(&format!("addprinc -pw \"{PASSWORD}\" {name}"));
    }

    /// Adds a caller, who gets a ticket.
    pub(crate) fn principal(&self, name: &str) -> Principal<'_> {
        self.add(name);
        self.ticket_of(name)
    }

    /// Has a caller who was added get a ticket.
    pub(crate) fn ticket_of(&self, name: &str) -> Principal<'_> {
        let cache = self.file(&format!("tickets of {}", name.replace('/', "-")));
        let mut kinit = self.command("kinit");
        kinit.arg(name).env("KRB5CCNAME", format!("FILE:{}", cache.display()));
        let mut kinit = kinit.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(kinit.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        let output = kinit.wait_with_output().unwrap();
        assert!(output.status.success(), "kinit {name}: {}", String::from_utf8_lossy(&output.stderr));
        Principal { realm: self, cache }
    }

    /// The folder of the realm's own files.
    pub(crate) fn scratch(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(kdc) = &mut self.kdc {
            let _ = kdc.kill();
            let _ = kdc.wait();
        }
    }
}

impl Principal<'_> {
    /// Has a program use the tickets.
    pub(crate) fn lends_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let cache = format!("FILE:{}", self.cache.display());
        self.realm.introduce(command).env("KRB5CCNAME", cache)
    }
}
