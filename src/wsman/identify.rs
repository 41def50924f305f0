//! Identify: who the service is (DSP0226 clause 11).

use crate::wire::identify::Identity;

const VENDOR: &str = "Quartermaster";
/// How callers authenticate today: Basic over TLS.
const PROFILES: [&str; 1] = ["http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic"];

/// The whole reply. A stranger learns the protocol alone (R11-5).
pub(super) fn answer(is_authenticated: bool) -> Vec<u8> {
    let identity = if is_authenticated {
        Identity::full(VENDOR, env!("CARGO_PKG_VERSION"), &PROFILES)
    } else {
        Identity::anonymous()
    };
    identity.to_message()
}
