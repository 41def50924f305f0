//! What the service manager is told (`sd_notify(3)`), if there is one that asks.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

/// What may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Clients are answered, and what was read again holds.
    Ready,
    /// The settings are being read again; [`State::Ready`] follows.
    Reloading,
    /// The event loops turn.
    Alive,
    /// No further connections are taken.
    Stopping,
}

impl State {
    /// The message of `sd_notify(3)`.
    fn text(self) -> String {
        match self {
            Self::Ready => "READY=1".to_owned(),
            Self::Reloading => {
                // The manager tells by it that this is the answer to its own signal.
                let now = clock_gettime(ClockId::Monotonic);
                format!("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1_000_000 + now.tv_nsec / 1000)
            }
            Self::Alive => "WATCHDOG=1".to_owned(),
            Self::Stopping => "STOPPING=1".to_owned(),
        }
    }
}

/// Tells it where the variable `NOTIFY_SOCKET` says. Nobody has to hear it.
pub fn notify(state: State) {
    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&place, &state.text()) {
        tracing::warn!(%error, ?state, "the service manager cannot be told");
    }
}

fn send(place: &OsStr, text: &str) -> io::Result<()> {
    let address = match place.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(place)?,
    };
    UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_it_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("@{}", path.display());
        let abstract_address = SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
        let sockets = [
            (path.as_os_str(), UnixDatagram::bind(&path).unwrap()),
            (OsStr::new(&name), UnixDatagram::bind_addr(&abstract_address).unwrap()),
        ];
        for (place, socket) in sockets {
            send(place, &State::Reloading.text()).unwrap();
            let mut heard = [0; 100];
            let length = socket.recv(&mut heard).unwrap();
            let text = std::str::from_utf8(&heard[..length]).unwrap();
            let (first, time) = text.split_once('\n').unwrap();
            assert_eq!(first, "RELOADING=1");
            assert!(time.strip_prefix("MONOTONIC_USEC=").unwrap().parse::<u64>().unwrap() > 0);
        }
        assert!(send(folder.path().join("nobody").as_os_str(), "READY=1").is_err());
    }
}
