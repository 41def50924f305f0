//! `quartermaster serve`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ChangeLog, Failure, Serve, log};
use crate::access::FirstUser;
use crate::app::{self, Account, Application, Keeper, Reload};
use crate::client::Thumbprint;
use crate::config::{Config, Engine, SERVICE_USER, Source};

/// What the line to paste lists: the class's URI and how its identifiers begin.
struct Listed {
    what: &'static str,
    class: &'static str,
    prefix: &'static str,
}

const PACKAGES: Listed = Listed {
    what: "list the installed packages:",
    class: "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_InstalledSoftwareIdentity",
    prefix: "LMI:LMI_SoftwareIdentity:",
};
const VIBS: Listed = Listed {
    what: "list the VIBs of the image:",
    class: "http://schemas.vmware.com/wbem/wscim/1/cim-schema/2/VMware_ComponentSoftwareIdentity",
    prefix: "VMware:VMware_ComponentSoftwareIdentity:",
};

/// An Enumerate that asks for references, all in one reply: they hold the identifiers and little else. It has the class's URI
/// in place of `CLASS`.
const ENUMERATE: &str = concat!(
    r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" "#,
    r#"xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>"#,
    r#"<a:To>https://localhost/wsman</a:To><a:Action>http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate</a:Action>"#,
    r#"<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>"#,
    r#"<a:MessageID>uuid:5d0d1f2e-7c1a-4e0b-9d57-0f6e3a1c2b34</a:MessageID>"#,
    r#"<w:ResourceURI>CLASS</w:ResourceURI>"#,
    r#"<w:MaxEnvelopeSize>16777216</w:MaxEnvelopeSize></s:Header><s:Body><n:Enumerate><w:OptimizeEnumeration/>"#,
    r#"<w:EnumerationMode>EnumerateEPR</w:EnumerationMode><w:MaxElements>100000</w:MaxElements></n:Enumerate></s:Body></s:Envelope>"#
);

/// Serves until it is told to stop.
pub(super) fn run(arguments: &Serve) -> Result<(), Failure> {
    app::keep_little_memory();
    if let Some(user) = arguments.becomes.filter(|_| rustix::process::geteuid().is_root()) {
        return Err(app::become_user(user).into());
    }
    let (config, source) = arguments.settings()?;
    let account = Account::of_service(&config)?;
    if account.is_none() {
        // Before anything is taken over that this process, begun anew, would lack.
        app::name_keytab(&config)?;
    }
    let (keeper, given) = arguments.keeper.map(Keeper::begin).transpose()?.unzip();
    let port = match given {
        Some(given) => given.map(|port| app::kept_port(port, config.listen)).transpose()?,
        None => app::given_port(config.listen)?,
    };
    let change_log = log(&config.log, config.log_format)?;
    if keeper.is_some() {
        app::confine(&config);
    }
    if let Some(account) = account {
        let change_log = |directives: &str| {
            if let Err(failure) = change_log(directives) {
                tracing::error!(error = failure.as_ref() as &dyn std::error::Error, "what is logged stays as it was");
            }
        };
        return Ok(app::keep(config, &source, &account, port, &change_log)?);
    }
    if rustix::process::geteuid().is_root() {
        tracing::info!(
            "root itself faces the network: a user called {SERVICE_USER}, or the setting user, parts the service in two"
        );
    }
    serve(config, source, keeper, port, change_log)
}

fn serve(
    config: Config,
    source: Source,
    keeper: Option<Keeper>,
    port: Option<TcpListener>,
    change_log: ChangeLog,
) -> Result<(), Failure> {
    let listed = if config.engine == Engine::None && config.image.dir.is_some() { VIBS } else { PACKAGES };
    // The workers have threads of their own; this one accepts nothing but signals and the server's end.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(16).build()?;
    let (application, stop, hang_up) = {
        let _inside = runtime.enter();
        let application = Application::build_on(config.clone(), port)?;
        // Before anybody is told that it is ready: who starts it may stop it at once.
        (application, app::stop_signal()?, signal(SignalKind::hangup())?)
    };
    let address = application.address();
    let mut lines = format!("listening on https://{address}/wsman\n");
    if let Some(address) = application.watched_at() {
        writeln!(lines, "figures at http://{address}/metrics and http://{address}/healthz")?;
    }
    if let Some(first) = application.first_user() {
        welcome(&mut lines, address, first, application.own_certificate(), &listed)?;
    }
    if let Some(thumbprint) = application.own_certificate().and_then(|file| Thumbprint::of_file(file).ok()) {
        writeln!(lines, "its certificate: SHA-256 {thumbprint}")?;
    }
    // Nobody has to read it: a closed standard output does not end the service.
    let _ = std::io::stdout().write_all(lines.as_bytes());
    app::notify(app::State::Ready);
    let watchdog = app::Watchdog::asked().map(|watchdog| watchdog.tell(application.loops().clone()));
    let reading = Reading { config, source, keeper, change_log, reload: application.reload() };
    let stop = async {
        stop.await;
        app::notify(app::State::Stopping);
    };
    runtime.block_on(async {
        let mut beside = vec![tokio::spawn(reading.read_at_each(hang_up))];
        beside.extend(watchdog.map(tokio::spawn));
        let served = application.run_until(stop).await;
        beside.into_iter().for_each(|task| task.abort());
        served
    })?;
    Ok(())
}

/// What is needed to read the settings again.
struct Reading {
    config: Config,
    source: Source,
    keeper: Option<Keeper>,
    change_log: ChangeLog,
    reload: Reload,
}

impl Reading {
    /// Reads them at each SIGHUP, for ever.
    async fn read_at_each(mut self, mut hang_up: Signal) {
        while hang_up.recv().await.is_some() {
            let reading = tokio::task::spawn_blocking(move || {
                self.read();
                self
            });
            let Ok(reading) = reading.await else { return };
            self = reading;
        }
    }

    fn read(&mut self) {
        app::notify(app::State::Reloading);
        match self.try_read() {
            Ok(waiting) => {
                tracing::info!("the settings, certificates and trust files were read again");
                for key in waiting {
                    tracing::warn!(key, "this setting was changed; it takes effect when the service is started again");
                }
            }
            Err(failure) => {
                tracing::error!(error = failure.as_ref() as &dyn std::error::Error, "the settings stay as they were");
            }
        }
        app::notify(app::State::Ready);
    }

    fn try_read(&mut self) -> Result<Vec<String>, Failure> {
        let read = self.source.read_again(&self.config)?;
        self.reload.apply(&read.config)?;
        if let Some(keeper) = &self.keeper {
            keeper.settings_hold();
        }
        (self.change_log)(&read.config.log)?;
        self.config = read.config;
        Ok(read.waiting)
    }
}

fn welcome(
    lines: &mut String,
    address: SocketAddr,
    first: &FirstUser,
    certificate: Option<&Path>,
    listed: &Listed,
) -> Result<(), std::fmt::Error> {
    let FirstUser { name, password_file } = first;
    writeln!(lines, "first user: {name}")?;
    writeln!(lines, "its password: {}", password_file.display())?;
    writeln!(lines, "{}", listed.what)?;
    let trust = certificate.map(|file| format!("--cacert {} ", quoted(file))).unwrap_or_default();
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    writeln!(
        lines,
        "curl -sS {trust}-u \"{name}:$(cat {password})\" -H 'Content-Type: application/soap+xml;charset=UTF-8' \
         -d '{request}' 'https://{host}:{port}/wsman' | grep -o '{prefix}[^<]*'",
        request = ENUMERATE.replace("CLASS", listed.class),
        prefix = listed.prefix,
        password = quoted(password_file),
        port = address.port(),
    )
}

/// The path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_paste_is_one_line_and_quotes_the_paths() {
        let first = FirstUser { name: "admin".to_owned(), password_file: "/it's here/initial-password".into() };
        let mut lines = String::new();
        welcome(&mut lines, "[::]:7".parse().unwrap(), &first, Some(Path::new("/s/c.pem")), &PACKAGES).unwrap();
        let line = lines.lines().last().unwrap();
        assert!(
            line.starts_with("curl -sS --cacert '/s/c.pem' -u \"admin:$(cat '/it'\\''s here/initial-password')\" ")
        );
        assert!(line.contains(" 'https://localhost:7/wsman' "));
        assert!(!ENUMERATE.contains('\'') && !ENUMERATE.contains('\n'));
    }
}
