//! Who may do what (roles: viewer, operator, admin).

use crate::access::{self, Audit, Caller, Role};
use crate::cim::CimError;

/// What a request does, as far as rights go; what is greater needs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Looks and changes nothing.
    Read,
    /// Asks what a change would do, and changes nothing: for those who may make it, since the tools are asked.
    Plan,
    /// Changes software, repositories, or the caller's own jobs and subscriptions.
    Change,
}

impl Action {
    fn needs(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Plan | Self::Change => Role::Operator,
        }
    }

    /// Whether something is another afterwards.
    pub fn changes(self) -> bool {
        self == Self::Change
    }
}

/// Whether the caller may do what is asked for; a refusal goes to the audit log.
pub(super) fn check(
    audit: &Audit,
    caller: &Caller,
    action: Action,
    asked: impl FnOnce() -> access::Change,
) -> Result<(), CimError> {
    let needed = action.needs();
    if caller.role >= needed {
        return Ok(());
    }
    audit.refused(caller, &asked(), format_args!("it needs the role {needed}"));
    Err(CimError::access_denied(format!(
        "User {} has the role {}; this needs the role {needed}, which an administrator can give.",
        caller.name, caller.role
    )))
}
