//! curl as a client that asks who the service is: what the service tells of itself shows whether it knows the caller.

use std::process::Command;

use super::support::server::Server;

pub(crate) const IDENTIFY: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body>\
    <i:Identify xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"/></s:Body></s:Envelope>";

/// What curl got: the status of the last response, and all heads and bodies.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) said: String,
    /// What curl says besides.
    pub(crate) notes: String,
}

impl Got {
    /// Whether the service knows who asks.
    pub(crate) fn is_known(&self) -> bool {
        self.status == 200 && self.said.contains("ProductVendor")
    }

    /// The schemes that a response offers, in order.
    pub(crate) fn schemes(&self) -> Vec<&str> {
        let lines = self.said.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate")).map(|(_, value)| value.trim()).collect()
    }
}

/// Posts Identify.
pub(crate) fn identify(server: &Server, arguments: &[&str]) -> Got {
    run(&mut command(server, arguments))
}

/// The command that posts Identify.
pub(crate) fn command(server: &Server, arguments: &[&str]) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "60", "--cacert"]);
    curl.arg(server.certificate());
    curl.args(["--header", "Content-Type: application/soap+xml;charset=UTF-8", "--data", IDENTIFY]).args(arguments);
    curl.arg(format!("https://localhost:{}/wsman", server.port));
    curl
}

/// Runs it.
pub(crate) fn run(curl: &mut Command) -> Got {
    let output = curl.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let status =
        said.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).filter_map(|rest| rest.get(..3)).next_back();
    let status = status.map_or(0, |status| status.parse().unwrap());
    Got { status, said, notes: String::from_utf8_lossy(&output.stderr).into_owned() }
}
