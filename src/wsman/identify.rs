//! Identify: who the service is (DSP0226 clause 11).

use crate::wire::identify::Identity;

const VENDOR: &str = "Quartermaster";
/// What the names of security profiles begin with.
const PROFILES: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/";

/// The whole reply. A stranger learns the protocol alone (R11-5).
pub(super) fn answer(is_authenticated: bool, security_profiles: &[&str]) -> Vec<u8> {
    let identity = if is_authenticated {
        let profiles: Vec<_> = security_profiles.iter().map(|profile| [PROFILES, profile].concat()).collect();
        Identity::full(VENDOR, env!("CARGO_PKG_VERSION"), profiles)
    } else {
        Identity::anonymous()
    };
    identity.to_message()
}
