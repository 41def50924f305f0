//! In the place of Kerberos where the program is built without it: there is no acceptor, and no exchange.

use std::path::Path;

use super::Accepted;

/// There is none.
#[derive(Debug)]
pub(super) enum Acceptor {}

/// There is none.
#[derive(Debug)]
pub(super) enum Context {}

impl Acceptor {
    pub(super) fn open(_keytab: &Path) -> Result<Self, String> {
        Err("this program was built without Kerberos: build it with the feature kerberos".to_owned())
    }

    pub(super) fn accept(
        &self,
        _begun: Option<Context>,
        _token: &[u8],
        _bindings: Option<&[u8]>,
    ) -> Result<Accepted, String> {
        match *self {}
    }
}
