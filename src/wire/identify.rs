//! Identify: who a service is (DSP0226 clause 11).

use super::names::{SOAP, WSMAN, WSMID};
use crate::soap::{Envelope, Fault};
use crate::xml::{ElementExt, Namespaces, Writer};

/// What the envelope of the reply declares.
const PREFIXES: Namespaces = &[("s", SOAP), ("wsmid", WSMID)];

/// Who a service is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// The protocols it speaks; WS-Management is always among them.
    pub protocols: Vec<String>,
    /// Who made it; not told to strangers.
    pub vendor: Option<String>,
    /// Which version it is; not told to strangers.
    pub version: Option<String>,
    /// How callers may authenticate; not told to strangers.
    pub security_profiles: Vec<String>,
}

/// Whether a message asks who the service is. It needs no header and no Action (R11-2, R11-3).
pub fn is_identify(message: &Envelope) -> bool {
    message.body.as_ref().is_some_and(|body| body.is(WSMID, "Identify"))
}

/// The whole request.
pub fn request() -> Vec<u8> {
    let mut w = Writer::new(1024);
    w.start("s:Envelope").namespaces(PREFIXES).empty("s:Header");
    w.start("s:Body").empty("wsmid:Identify").end("s:Body").end("s:Envelope");
    w.finish()
}

impl Identity {
    /// What is told to a caller who has proved who he is.
    pub fn full(vendor: &str, version: &str, security_profiles: Vec<String>) -> Self {
        Self {
            protocols: vec![WSMAN.to_owned()],
            vendor: Some(vendor.to_owned()),
            version: Some(version.to_owned()),
            security_profiles,
        }
    }

    /// What is told to a stranger: the protocol.
    pub fn anonymous() -> Self {
        Self { protocols: vec![WSMAN.to_owned()], ..Self::default() }
    }

    /// The whole reply. It has no WS-Addressing headers, as the request had none.
    pub fn to_message(&self) -> Vec<u8> {
        let mut w = Writer::new(4096);
        w.start("s:Envelope").namespaces(PREFIXES).attribute("xml:lang", "en-US").empty("s:Header");
        w.start("s:Body").start("wsmid:IdentifyResponse");
        for protocol in &self.protocols {
            w.leaf("wsmid:ProtocolVersion", protocol);
        }
        for (tag, text) in [("wsmid:ProductVendor", &self.vendor), ("wsmid:ProductVersion", &self.version)] {
            if let Some(text) = text {
                w.leaf(tag, text);
            }
        }
        if !self.security_profiles.is_empty() {
            w.start("wsmid:SecurityProfiles");
            for profile in &self.security_profiles {
                w.leaf("wsmid:SecurityProfileName", profile);
            }
            w.end("wsmid:SecurityProfiles");
        }
        w.end("wsmid:IdentifyResponse").end("s:Body").end("s:Envelope");
        w.finish()
    }

    /// Reads a reply.
    pub fn read(message: &Envelope) -> Result<Self, Fault> {
        let body = message.body("wsmid:IdentifyResponse")?;
        // OMI has the element in SOAP's namespace.
        if body.name != "IdentifyResponse" {
            return Err(Fault::schema("the body must hold wsmid:IdentifyResponse"));
        }
        let text = |name| body.child(WSMID, name).map(|e| e.text().to_owned());
        let profiles = body.child(WSMID, "SecurityProfiles");
        Ok(Self {
            protocols: body.children_named(WSMID, "ProtocolVersion").map(|e| e.text().to_owned()).collect(),
            vendor: text("ProductVendor"),
            version: text("ProductVersion"),
            security_profiles: profiles
                .into_iter()
                .flat_map(|p| p.children_named(WSMID, "SecurityProfileName"))
                .map(|e| e.text().to_owned())
                .collect(),
        })
    }
}
