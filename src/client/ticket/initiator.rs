//! MIT Kerberos behind GSS-API. Its calls block.

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext};
use libgssapi::error::{Error, MajorFlags};
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE};

/// An exchange with a peer, begun by us.
pub(super) struct Exchange(ClientCtx);

impl Exchange {
    /// Begins one with the service `HTTP` of a host, in the name of whoever has logged in; gives the first token.
    pub(super) fn begin(host: &str, bindings: Option<&[u8]>) -> Result<(Self, Vec<u8>), String> {
        let service = Name::new(format!("HTTP@{host}").as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE)).map_err(words)?;
        let mut context = ClientCtx::new(None, service, CtxFlags::GSS_C_MUTUAL_FLAG, Some(GSS_MECH_SPNEGO));
        let token = context.step(None, bindings).map_err(words)?.ok_or("it gives no token")?;
        Ok((Self(context), token.to_vec()))
    }

    /// Takes the peer's answer, which must be its last.
    pub(super) fn finish(&mut self, token: &[u8]) -> Result<(), String> {
        self.0.step(Some(token), None).map_err(words)?;
        if self.0.is_complete() { Ok(()) } else { Err("it asks for another token".to_owned()) }
    }
}

/// What Kerberos says of an error: what the mechanism found, or what GSS-API calls it where the mechanism has nothing to say.
pub(crate) fn words(error: Error) -> String {
    let text = error.to_string().replace('\n', " ");
    let (general, particular) = text.trim_end().split_once(" (").unwrap_or((&text, ""));
    let particular = particular.strip_suffix(')').unwrap_or(particular);
    let is_told = !matches!(particular, "" | "Success" | "Unknown error" | "No error");
    match error.major.bits() == MajorFlags::GSS_S_FAILURE.bits() {
        true if is_told => particular.to_owned(),
        _ if is_told => format!("{general}: {particular}"),
        _ => general.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_by_what_is_known_of_it() {
        let said = |major, minor| words(Error { major, minor });
        assert_eq!(said(MajorFlags::GSS_S_BAD_BINDINGS, 0), "Incorrect channel bindings were supplied");
        assert!(!said(MajorFlags::GSS_S_FAILURE, 0).contains('('));
    }
}
