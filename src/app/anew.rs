//! This program begun anew with further variables, as no process can change its environment safely.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Begins it with the same name and arguments, as the same process. Comes back only with what went wrong.
pub(super) fn start<K: AsRef<OsStr>, V: AsRef<OsStr>>(variables: impl IntoIterator<Item = (K, V)>) -> io::Error {
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| env!("CARGO_PKG_NAME").into());
    Command::new("/proc/self/exe").arg0(name).args(arguments).envs(variables).exec()
}
