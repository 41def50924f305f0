//! Who may talk to the worker: told by the system, whatever those who connect say.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::net::UCred;
use rustix::net::sockopt::socket_peercred;

/// The users whose processes are answered: root, the worker's own, and the one that the network's process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peers {
    own: u32,
    server: Option<u32>,
}

impl Peers {
    /// `server` is the user of the network's process, if it is another than the worker's.
    pub(super) fn new(server: Option<u32>) -> Self {
        Self { own: rustix::process::geteuid().as_raw(), server }
    }

    /// Whether whoever made this connection may talk to the worker; the log tells of others.
    pub(super) fn admits(self, stream: &UnixStream) -> io::Result<bool> {
        let UCred { pid, uid, .. } = socket_peercred(stream)?;
        let is_known = self.knows(uid.as_raw());
        if !is_known {
            tracing::warn!(uid = uid.as_raw(), pid = pid.as_raw_nonzero(), "a process of another user was refused");
        }
        Ok(is_known)
    }

    fn knows(self, uid: u32) -> bool {
        uid == 0 || uid == self.own || Some(uid) == self.server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_users_are_known() {
        let peers = Peers { own: 5, server: Some(7) };
        assert_eq!([0, 5, 6, 7, 8, u32::MAX].map(|uid| peers.knows(uid)), [true, true, false, true, false, false]);
        assert!(!Peers { own: 5, server: None }.knows(7));
    }
}
