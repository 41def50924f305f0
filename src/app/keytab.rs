//! Where Kerberos finds what it needs, which it looks up in the environment of its process alone.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::absolute;

use super::anew;
use crate::config::Config;
use crate::server::keytab_variable;

/// What tickets were used already, so that none is taken twice.
const REPLAYS: &str = "KRB5RCACHENAME";

/// Has the environment of this process name the keytab of the settings, by starting its program anew with it if it does not, as no
/// process can change its environment safely. Returns at once where there is nothing to do. To be called before anything is begun.
pub fn name_keytab(config: &Config) -> io::Result<()> {
    let variables = variables(config)?;
    if variables.iter().all(|(name, value)| env::var_os(name).as_ref() == Some(value)) {
        return Ok(());
    }
    Err(anew::start(variables))
}

/// What Kerberos is to be told. It keeps what it writes in the state directory, which is all that this process may write.
fn variables(config: &Config) -> io::Result<Vec<(&'static str, OsString)>> {
    let Some(keytab) = &config.auth.kerberos_keytab else { return Ok(Vec::new()) };
    let mut replays = OsString::from("file2:");
    replays.push(absolute(&config.state_dir)?.join("kerberos-replays"));
    Ok(vec![keytab_variable(keytab), (REPLAYS, replays)])
}
