//! Makes VIBs, bulletins and offline bundles as VMware's tools write them, from nothing but their parts.
//!
//! Knows nothing of the program: what the program reads is not written by what reads it. Unit tests have this too.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "every test uses another part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails in a test must fail the test"
)]

pub mod archive;
pub mod bulletin;
pub mod bundle;
pub mod package;
pub mod payload;
pub mod release;
pub mod signing;

pub use archive::Spelling;
pub use bulletin::Bulletin;
pub use bundle::{Bundle, Files, zipped};
pub use package::{Parts, Platform, Vib};
pub use payload::Payload;
pub use signing::{Authority, SignatureForm, Signer, Signers, Weakness};

/// Escapes text for an element or an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Lower-case hexadecimal.
pub fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The SHA-256 in lower-case hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    hexadecimal(&openssl::sha::sha256(octets))
}
