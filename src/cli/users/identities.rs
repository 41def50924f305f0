//! What means a user beside the name and the password: added, removed and listed.

use super::{Failure, Place, audited, open};
use crate::access::{Change, Identity};

/// Lets it mean the user; the audit log calls it by the method.
pub(super) fn add(place: &Place, method: &'static str, name: &str, identity: &Identity) -> Result<(), Failure> {
    let users = open(place)?.0;
    let change = Change::new(method, name).with(identity.to_string());
    Ok(audited(&users, &change, || users.add_identity(name, identity))?)
}

/// Lets it mean the user no longer.
pub(super) fn remove(place: &Place, method: &'static str, name: &str, identity: &Identity) -> Result<(), Failure> {
    let users = open(place)?.0;
    let change = Change::new(method, name).with(identity.to_string());
    Ok(audited(&users, &change, || users.remove_identity(name, identity))?)
}

/// A line for each that is one of certificates, or that is none, of the user or of all.
pub(super) fn listed(
    place: &Place,
    name: Option<&str>,
    of_certificates: bool,
    shown: impl Fn(&Identity) -> String,
) -> Result<String, Failure> {
    let all = open(place)?.0.identities()?;
    let asked = all.into_iter().filter(|entry| {
        entry.identity.is_of_certificates() == of_certificates && name.is_none_or(|name| name == entry.user)
    });
    Ok(asked
        .map(|entry| {
            let created = entry.created.format("%Y-%m-%dT%H:%M:%SZ");
            format!("{}\t{}\t{created}\n", entry.user, shown(&entry.identity))
        })
        .collect())
}
