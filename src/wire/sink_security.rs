//! How a subscriber wants event deliveries to authenticate at its sink (DSP0226 12.2 and 12.3): the profile in
//! `wsman:Auth`, the credentials in the header `wst:IssuedTokens`, or Windows' policy inside of `wse:NotifyTo`.
//!
//! What cannot be done is `wsman:EventDeliverToUnusable`, as DSP0226 table 13 has it, and told at once: a sink that lets
//! nothing in would be silence later.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::eventing::{DeliveryMode, expect, invalid};
use super::fields::filled;
use super::names::{MS_AUTHENTICATION, WSA, WSE, WSMAN, WSP, WSP_2002, WSSE, WST};
use super::resource::shown;
use crate::soap::names::FAULT_DETAIL;
use crate::soap::{EndpointReference, Envelope, Fault, FaultKind};
use crate::xml::{Element, ElementExt, element};

/// The type of tokens that hold a user name (R12.3-1).
const USER_TOKEN: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#UsernameToken";
/// The type of tokens that name a certificate (R12.3-2).
const CERTIFICATE_TOKEN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/token/certificateThumbprint";
/// How the type of a password ends that is written as it is; it is the default.
const PLAIN_PASSWORD: &str = "#PasswordText";

/// A security profile of DSP0226 C.3. Those with Kerberos are not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecurityProfile {
    /// User name and password as they are, not encrypted.
    HttpBasic,
    /// Digests of user name and password.
    HttpDigest,
    /// User name and password over TLS.
    HttpsBasic,
    /// Digests of user name and password over TLS.
    HttpsDigest,
    /// A certificate of the service over TLS.
    HttpsMutual,
    /// The certificate, then user name and password.
    HttpsMutualBasic,
    /// The certificate, then digests of user name and password.
    HttpsMutualDigest,
}

/// How a user name and a password are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginScheme {
    /// As they are.
    Basic,
    /// As digests.
    Digest,
}

impl SecurityProfile {
    const ALL: [(Self, &str); 7] = [
        (Self::HttpBasic, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/basic"),
        (Self::HttpDigest, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/digest"),
        (Self::HttpsBasic, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/basic"),
        (Self::HttpsDigest, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/digest"),
        (Self::HttpsMutual, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"),
        (Self::HttpsMutualBasic, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual/basic"),
        (Self::HttpsMutualDigest, "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual/digest"),
    ];

    /// Its URI.
    pub fn uri(self) -> &'static str {
        Self::ALL.iter().find(|(profile, _)| *profile == self).map_or("", |(_, uri)| uri)
    }

    fn of(uri: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == uri).map(|(profile, _)| *profile)
    }

    fn needs_tls(self) -> bool {
        !matches!(self, Self::HttpBasic | Self::HttpDigest)
    }

    /// Whether the service shows its certificate.
    pub fn shows_certificate(self) -> bool {
        matches!(self, Self::HttpsMutual | Self::HttpsMutualBasic | Self::HttpsMutualDigest)
    }

    /// How user name and password are sent; `None` if there are none.
    pub fn login(self) -> Option<LoginScheme> {
        match self {
            Self::HttpBasic | Self::HttpsBasic | Self::HttpsMutualBasic => Some(LoginScheme::Basic),
            Self::HttpDigest | Self::HttpsDigest | Self::HttpsMutualDigest => Some(LoginScheme::Digest),
            Self::HttpsMutual => None,
        }
    }
}

/// The digest of a certificate: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CertificateThumbprint(String);

impl CertificateThumbprint {
    /// These digits, if they are those of a digest that is known here.
    pub fn new(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let is_known = matches!(digits.len(), 40 | 64) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_known.then(|| Self(digits.to_ascii_lowercase()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the digits, which people copy with colons or spaces between them.
    fn read(element: &Element) -> Result<Self, Fault> {
        let text = element.text();
        Self::new(text).ok_or_else(|| {
            unusable(format!(
                "{} must hold the SHA-1 of a certificate as 40 hexadecimal digits or its SHA-256 as 64, not {:?}",
                element.name,
                shown(text)
            ))
        })
    }
}

/// Which certificate the service is to show to the sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnCertificate {
    /// The one with this thumbprint.
    Is(CertificateThumbprint),
    /// One that the authority with this thumbprint vouches for.
    IssuedBy(CertificateThumbprint),
}

/// Who the service is to a sink. The password is never shown by `Debug`, and wiped from memory when this is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for SinkUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkUser").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How deliveries authenticate at the sink of a subscription. Serialized it holds the password: seal it before it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkSecurity {
    /// The profile; `None` is no authentication of the service.
    pub profile: Option<SecurityProfile>,
    /// Who the service is to the sink; there is one if the profile has a login.
    pub user: Option<SinkUser>,
    /// The sink's certificate, which then is all that counts of it.
    pub sink_certificate: Option<CertificateThumbprint>,
    /// Which certificates of its own the service may show; if none is listed, whichever it has.
    pub own_certificates: Vec<OwnCertificate>,
}

impl SinkSecurity {
    /// Reads it from a Subscribe request and its header `wst:IssuedTokens`.
    ///
    /// Without a profile, a user name and a password mean `https/basic` at an `https` address and `http/digest` at any
    /// other: a password goes unencrypted only if the subscriber says `http/basic`. A certificate's thumbprint is that of
    /// the certificate to be shown (R12.3-2) where the profile shows one, and else that of the sink's, as openwsman's
    /// clients mean it. In Pull mode there is no sink.
    pub fn read(message: &Envelope, issued_tokens: Option<&Element>) -> Result<Self, Fault> {
        let Some(delivery) = expect(message, "Subscribe")?.child(WSE, "Delivery") else { return Ok(Self::default()) };
        let is_pull = delivery.attribute("", "Mode").is_some_and(|mode| mode.trim() == DeliveryMode::Pull.uri());
        let Some(notify_to) = delivery.child(WSE, "NotifyTo").filter(|_| !is_pull) else { return Ok(Self::default()) };
        let address = EndpointReference::read(notify_to)?.address;
        let tokens = issued_tokens.map(|tokens| Tokens::read(tokens, &address)).transpose()?.unwrap_or_default();
        let policy = Policy::read(notify_to)?;
        let said = delivery.child(WSMAN, "Auth").map(auth_profile).transpose()?;
        let asked = match (said, policy.as_ref().map(|policy| policy.profile)) {
            (Some(said), Some(wanted)) if said != wanted => {
                return Err(unusable("wsman:Auth and the policy in wse:NotifyTo name different security profiles"));
            }
            (said, wanted) => said.or(wanted),
        };
        Self::agreed(asked, tokens, policy.map(|policy| policy.own_certificates).unwrap_or_default(), &address)
    }

    /// Whether all parts go together.
    fn agreed(
        asked: Option<SecurityProfile>,
        tokens: Tokens,
        mut own_certificates: Vec<OwnCertificate>,
        address: &str,
    ) -> Result<Self, Fault> {
        let is_tls = address.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
        let meant = if is_tls { SecurityProfile::HttpsBasic } else { SecurityProfile::HttpDigest };
        let profile = asked.or_else(|| tokens.user.as_ref().map(|_| meant));
        if let Some(profile) = profile {
            check(profile, &tokens, is_tls)?;
        }
        if tokens.thumbprint.is_some() && !is_tls {
            return Err(unusable("wst:IssuedTokens names a certificate, but the sink's address is not https"));
        }
        let mut sink_certificate = tokens.thumbprint;
        if profile.is_some_and(SecurityProfile::shows_certificate) {
            own_certificates.extend(sink_certificate.take().map(OwnCertificate::Is));
        }
        Ok(Self { profile, user: tokens.user, sink_certificate, own_certificates })
    }

    /// The header `wst:IssuedTokens` of a Subscribe request, as a client sends it; the profile goes into
    /// [`super::eventing::Delivery::auth_profile`]. `None` if there is nothing to tell.
    pub fn issued_tokens(&self, notify_to: &EndpointReference) -> Option<Element> {
        let user = self.user.as_ref().map(|user| {
            let token = element(WSSE, "UsernameToken")
                .with_child(element(WSSE, "Username").with_text(user.name.as_str()))
                .with_child(element(WSSE, "Password").with_text(user.password.as_str()));
            (USER_TOKEN, token)
        });
        let own = self.own_certificates.iter().find_map(|own| match own {
            OwnCertificate::Is(thumbprint) => Some(thumbprint),
            OwnCertificate::IssuedBy(_) => None,
        });
        let certificate = self.sink_certificate.as_ref().or(own).map(|thumbprint| {
            (CERTIFICATE_TOKEN, element(WSMAN, "CertificateThumbprint").with_text(thumbprint.as_str()))
        });
        if user.is_none() && certificate.is_none() {
            return None;
        }
        let header = element(WST, "IssuedTokens").with_attribute(crate::soap::names::SOAP, "mustUnderstand", "true");
        Some(user.into_iter().chain(certificate).fold(header, |header, (kind, token)| {
            let applies = element(WSP, "AppliesTo").with_child(notify_to.to_element(WSA, "EndpointReference"));
            let response = element(WST, "RequestSecurityTokenResponse")
                .with_child(element(WST, "TokenType").with_text(kind))
                .with_child(element(WST, "RequestedSecurityToken").with_child(token))
                .with_child(applies);
            header.with_child(response)
        }))
    }
}

/// Whether a profile can be followed at such an address with what came along.
fn check(profile: SecurityProfile, tokens: &Tokens, is_tls: bool) -> Result<(), Fault> {
    let uri = profile.uri();
    if profile.needs_tls() && !is_tls {
        return Err(unusable(format!("the security profile {uri} needs an https address in wse:NotifyTo")));
    }
    match (profile.login(), &tokens.user) {
        (Some(_), None) => Err(unusable(format!(
            "the security profile {uri} needs a user name and a password in the header wst:IssuedTokens"
        ))),
        (None, Some(_)) => Err(unusable(format!(
            "the security profile {uri} uses no user name; name one that does, such as {}, or leave the user name out",
            SecurityProfile::HttpsMutualBasic.uri()
        ))),
        _ => Ok(()),
    }
}

fn auth_profile(auth: &Element) -> Result<SecurityProfile, Fault> {
    let uri = auth.attribute("", "Profile").map(str::trim).filter(|uri| !uri.is_empty());
    let uri = uri.ok_or_else(|| invalid("wsman:Auth must name a security profile in its attribute Profile"))?;
    SecurityProfile::of(uri).ok_or_else(|| {
        let served: Vec<_> = SecurityProfile::ALL.iter().map(|(_, uri)| *uri).collect();
        unusable(format!("the security profile {:?} is not served; these are: {}", shown(uri), served.join(" ")))
            .with_element(fault_detail("AuthorizationMode"))
    })
}

/// What the header `wst:IssuedTokens` holds for the sink.
#[derive(Default)]
struct Tokens {
    user: Option<SinkUser>,
    thumbprint: Option<CertificateThumbprint>,
}

impl Tokens {
    fn read(header: &Element, address: &str) -> Result<Self, Fault> {
        let mut tokens = Self::default();
        for response in header.children_named(WST, "RequestSecurityTokenResponse") {
            check_applies(response, address)?;
            let token = response
                .child(WST, "RequestedSecurityToken")
                .ok_or_else(|| invalid("wst:RequestSecurityTokenResponse holds no wst:RequestedSecurityToken"))?;
            let is_new = match filled(response, WST, "TokenType").unwrap_or_default() {
                USER_TOKEN => tokens.user.replace(user(token)?).is_none(),
                CERTIFICATE_TOKEN => tokens.thumbprint.replace(thumbprint(token)?).is_none(),
                other => {
                    return Err(unusable(format!(
                        "tokens of the type {:?} are not served; these are: {USER_TOKEN} {CERTIFICATE_TOKEN}",
                        shown(other)
                    )));
                }
            };
            if !is_new {
                return Err(invalid("wst:IssuedTokens holds two tokens of the same type for the same sink"));
            }
        }
        if tokens.user.is_none() && tokens.thumbprint.is_none() {
            return Err(invalid("wst:IssuedTokens holds no wst:RequestSecurityTokenResponse"));
        }
        Ok(tokens)
    }
}

/// Tokens are for the sink: `wsp:AppliesTo` says the same as `wse:NotifyTo` (DSP0226 12.3), if it is there.
fn check_applies(response: &Element, address: &str) -> Result<(), Fault> {
    let Some(applies) = response.child(WSP, "AppliesTo") else { return Ok(()) };
    if EndpointReference::read(applies)?.address == address {
        return Ok(());
    }
    Err(invalid("wsp:AppliesTo in wst:IssuedTokens must have the same wsa:Address as wse:NotifyTo"))
}

fn user(token: &Element) -> Result<SinkUser, Fault> {
    let user = token
        .child(WSSE, "UsernameToken")
        .ok_or_else(|| invalid("wst:RequestedSecurityToken holds no wsse:UsernameToken, as its wst:TokenType says"))?;
    let name = filled(user, WSSE, "Username").ok_or_else(|| invalid("wsse:UsernameToken holds no wsse:Username"))?;
    let password = user.child(WSSE, "Password").ok_or_else(|| {
        unusable("this service has no passwords of its own for sinks; send wsse:Password in wsse:UsernameToken too")
    })?;
    if password.attribute("", "Type").is_some_and(|kind| !kind.trim().ends_with(PLAIN_PASSWORD)) {
        return Err(unusable("wsse:Password must hold the password itself (#PasswordText), so that it can be used"));
    }
    Ok(SinkUser { name: name.to_owned(), password: Zeroizing::new(password.verbatim_text().to_owned()) })
}

fn thumbprint(token: &Element) -> Result<CertificateThumbprint, Fault> {
    let holder = token.child(WSMAN, "CertificateThumbprint").ok_or_else(|| {
        invalid("wst:RequestedSecurityToken holds no wsman:CertificateThumbprint, as its wst:TokenType says")
    })?;
    CertificateThumbprint::read(holder)
}

/// What Windows' event collector says in `wse:NotifyTo`: one of several ways, each with a profile.
struct Policy {
    profile: SecurityProfile,
    own_certificates: Vec<OwnCertificate>,
}

impl Policy {
    /// The first way that can be gone.
    fn read(notify_to: &Element) -> Result<Option<Self>, Fault> {
        let content = notify_to.child(WSA, "EndpointReference").unwrap_or(notify_to);
        let Some(policy) = content.elements().find(|e| is_policy(e, "Policy")) else { return Ok(None) };
        let choice = policy.elements().find(|e| is_policy(e, "ExactlyOne")).unwrap_or(policy);
        for way in choice.elements().filter(|e| is_policy(e, "All")) {
            if let Some(policy) = Self::way(way)? {
                return Ok(Some(policy));
            }
        }
        Err(unusable(
            "no way to authenticate that the policy in wse:NotifyTo allows is served; https/mutual is one that is",
        )
        .with_element(fault_detail("CannotComplyWithPolicy")))
    }

    /// A way is known if it is one authentication by one profile and nothing besides.
    fn way(way: &Element) -> Result<Option<Self>, Fault> {
        let mut parts = way.elements();
        let (Some(authentication), None) = (parts.next(), parts.next()) else { return Ok(None) };
        if !is_authentication(authentication, "Authentication") {
            return Ok(None);
        }
        let uri = authentication.attribute("", "Profile").unwrap_or_default().trim();
        let Some(profile) = SecurityProfile::of(uri) else { return Ok(None) };
        let thumbprints = authentication
            .elements()
            .filter(|e| is_authentication(e, "ClientCertificate"))
            .flat_map(ElementExt::elements)
            .filter(|e| is_authentication(e, "Thumbprint"));
        let own_certificates = thumbprints.map(own_certificate).collect::<Result<_, Fault>>()?;
        Ok(Some(Self { profile, own_certificates }))
    }
}

fn own_certificate(thumbprint: &Element) -> Result<OwnCertificate, Fault> {
    let is_of_issuer = thumbprint.attribute("", "Role").is_some_and(|role| role.trim() == "issuer");
    CertificateThumbprint::read(thumbprint).map(if is_of_issuer {
        OwnCertificate::IssuedBy
    } else {
        OwnCertificate::Is
    })
}

fn is_policy(element: &Element, name: &str) -> bool {
    element.is(WSP_2002, name) || element.is(WSP, name)
}

/// Windows' documentation has these elements in the namespace of `wsman:Auth`, its messages in one of their own.
fn is_authentication(element: &Element, name: &str) -> bool {
    element.is(MS_AUTHENTICATION, name) || element.is(WSMAN, name)
}

fn unusable(reason: impl Into<String>) -> Fault {
    Fault::new(FaultKind::EventDeliverToUnusable, reason.into())
}

/// A detail that DSP0226 leaves to services; these are the names that Windows' clients know.
fn fault_detail(name: &str) -> Element {
    element(WSMAN, "FaultDetail").with_text([FAULT_DETAIL, name].concat())
}

#[cfg(test)]
mod tests;
