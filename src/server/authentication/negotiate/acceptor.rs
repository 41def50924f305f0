//! MIT Kerberos behind GSS-API. Its calls block.

use std::env;
use std::path::Path;

use libgssapi::context::{CtxFlags, SecurityContext, ServerCtx};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::oid::{GSS_MECH_KRB5, GSS_MECH_SPNEGO, OidSet};

use super::{Accepted, Proof};
use crate::client::words;
use crate::server::keytab_variable;

/// GSS_C_CHANNEL_BOUND_FLAG of MIT Kerberos 1.19 (RFC 9266 and before it draft-ietf-kitten-channel-bound-flag): the caller's
/// bindings were there and are the acceptor's.
const CHANNEL_BOUND: u32 = 2048;

/// The service's keys.
pub(super) struct Acceptor(Cred);

/// An exchange that is under way.
pub(super) struct Context(ServerCtx);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

impl Acceptor {
    /// The keys in this file, which is read anew for each token.
    pub(super) fn open(keytab: &Path) -> Result<Self, String> {
        let (name, value) = keytab_variable(keytab);
        if env::var_os(name).is_none_or(|found| found != value) {
            // Any other keytab would let others in.
            return Err(format!(
                "the environment of this process does not name it: {name} must be {}",
                value.display()
            ));
        }
        // No other mechanisms, as one that asks others about the caller could.
        let mut mechanisms = OidSet::singleton(GSS_MECH_KRB5).map_err(words)?;
        mechanisms.add(GSS_MECH_SPNEGO).map_err(words)?;
        Cred::acquire(None, None, CredUsage::Accept, Some(&mechanisms)).map(Self).map_err(words)
    }

    /// Takes a token, the first of an exchange or one that goes on with it; `bindings` are those of the TLS channel.
    pub(super) fn accept(
        &self,
        begun: Option<Context>,
        token: &[u8],
        bindings: Option<&[u8]>,
    ) -> Result<Accepted, String> {
        let Context(mut context) = begun.unwrap_or_else(|| Context(ServerCtx::new(Some(self.0.clone()))));
        let answer = context.step(token, bindings).map_err(words)?.map(|answer| answer.to_vec());
        // What the caller may let this service do in its name is not wanted.
        drop(context.take_delegated_cred());
        if !context.is_complete() {
            return Ok(Accepted::Further { context: Context(context), answer: answer.unwrap_or_default() });
        }
        Ok(Accepted::Finished { proof: proof(&context)?, answer })
    }
}

fn proof(context: &ServerCtx) -> Result<Proof, String> {
    let mechanism = context.mechanism().map_err(words)?;
    let flags = context.flags().map_err(words)?;
    if mechanism != GSS_MECH_KRB5 || flags.contains(CtxFlags::GSS_C_ANON_FLAG) {
        return Err(format!("the caller did not use Kerberos, or is nobody in particular ({mechanism})"));
    }
    let name = |name: libgssapi::name::Name| {
        let text = name.display_name().map_err(words)?;
        std::str::from_utf8(&text).map(str::to_owned).map_err(|_| "a name is not in UTF-8".to_owned())
    };
    Ok(Proof {
        principal: name(context.source_name().map_err(words)?)?,
        service: name(context.target_name().map_err(words)?)?,
        is_bound: flags.bits() & CHANNEL_BOUND != 0,
    })
}
