//! The port that clients connect to, where somebody else holds it: a service manager keeps it open while the service is started
//! anew, so that whoever connects meanwhile waits (`sd_listen_fds(3)`).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use listenfd::ListenFd;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_acceptconn;

/// The port that this process was given cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// It is more than one.
    #[error("the service manager gave {0} sockets; give one, with one ListenStream=")]
    Many(usize),
    /// It is something else.
    #[error("the service manager gave no TCP socket that listens: {0}")]
    Other(#[from] io::Error),
    /// It is another than the settings say; workers act on what these say.
    #[error(
        "the service manager's socket listens on {given}, and the settings say listen = \"{listen}\": give ListenStream= and listen \
         the same address"
    )]
    Elsewhere {
        /// Where the socket listens.
        given: SocketAddr,
        /// What the settings say.
        listen: SocketAddr,
    },
}

/// The port that a service manager gave this process; `None` if there is none. To be asked once.
pub fn given_port(listen: SocketAddr) -> Result<Option<TcpListener>, PortError> {
    let mut given = ListenFd::from_env();
    match given.len() {
        0 => Ok(None),
        1 => given.take_tcp_listener(0)?.map(|listener| usable(listener, listen)).transpose(),
        many => Err(PortError::Many(many)),
    }
}

/// The port that a keeper handed on.
pub fn kept_port(given: OwnedFd, listen: SocketAddr) -> Result<TcpListener, PortError> {
    usable(given.into(), listen)
}

fn usable(listener: TcpListener, listen: SocketAddr) -> Result<TcpListener, PortError> {
    if !socket_acceptconn(&listener).map_err(io::Error::from)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not listen").into());
    }
    let given = listener.local_addr()?;
    if given != listen {
        return Err(PortError::Elsewhere { given, listen });
    }
    // No tool shall get it.
    fcntl_setfd(&listener, FdFlags::CLOEXEC).map_err(io::Error::from)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn only_a_port_where_the_settings_say_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(usable(listener.try_clone().unwrap(), address).unwrap().local_addr().unwrap(), address);
        let other = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        let error = usable(listener, other).unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains(&other.to_string()), "{error}");
    }
}
