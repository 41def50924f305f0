//! Resource URIs: what of the model a request is about, and in which spelling the client knows it.

use std::sync::Arc;

use super::classes::ClassFormat;
use crate::soap::{Fault, FaultDetail, FaultKind};

const DMTF: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
const CLASS_PATH: &str = "/wbem/wscim/1/cim-schema/2/";
const ALL_CLASSES: &str = "http://schemas.dmtf.org/wbem/wscim/1/*";
const WMI: &str = "http://schemas.microsoft.com/wbem/wsman/1/wmi/";

/// Longest resource URI that is taken (DSP0226 R13.4-1).
const LONGEST: usize = 2048;

/// Who named a class decides under which URI it is known.
const VENDORS: &[(&str, &str)] = &[
    ("LMI_", "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/"),
    ("VMware_", "http://schemas.vmware.com/wbem/wscim/1/cim-schema/2/"),
    ("PG_", "http://schema.openpegasus.org/wbem/wscim/1/cim-schema/2/"),
    ("OMC_", "http://schema.omc-project.org/wbem/wscim/1/cim-schema/2/"),
];

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceUri {
    /// A class or one of its instances.
    Class {
        /// The class, in the client's spelling.
        class: String,
        /// How URIs are written in the reply.
        form: UriForm,
    },
    /// All classes: queries, associations and subscriptions (DSP0227 R5.2-1).
    AllClasses {
        /// How URIs are written in the reply.
        form: UriForm,
    },
    /// The classes themselves (DSP0227 15). The class is given as a selector.
    Classes(ClassFormat),
}

/// How a client names classes, and so how classes are named to it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum UriForm {
    /// Every class under its own vendor's URI.
    #[default]
    Vendor,
    /// Every class under DMTF's URI.
    Dmtf,
    /// Every class as Windows names it.
    Wmi {
        /// The CIM namespace in the URI.
        namespace: Arc<str>,
    },
}

impl ResourceUri {
    /// Reads a `wsman:ResourceURI`. What names nothing of the model is `wsa:DestinationUnreachable` with
    /// InvalidResourceURI (DSP0226 R5.1.2.1-6).
    pub fn parse(uri: &str) -> Result<Self, Fault> {
        if uri.len() > LONGEST {
            return Err(Fault::detailed(
                FaultKind::EncodingLimit,
                FaultDetail::UriLimitExceeded,
                format!("wsman:ResourceURI holds more than {LONGEST} characters"),
            ));
        }
        Self::recognise(uri).ok_or_else(|| {
            Fault::detailed(
                FaultKind::DestinationUnreachable,
                FaultDetail::InvalidResourceURI,
                format!("the resource URI {:?} names no class; write it as {DMTF}CIM_…", shown(uri)),
            )
        })
    }

    /// The fault where there is none.
    pub(super) fn missing(why: &'static str) -> Fault {
        Fault::detailed(FaultKind::DestinationUnreachable, FaultDetail::InvalidResourceURI, why)
    }

    fn recognise(uri: &str) -> Option<Self> {
        if uri == ALL_CLASSES {
            return Some(Self::AllClasses { form: UriForm::Vendor });
        }
        if let Some(rest) = uri.strip_prefix(WMI) {
            let rest = rest.replace('\\', "/");
            let (namespace, class) = rest.trim_matches('/').rsplit_once('/')?;
            let form = UriForm::Wmi { namespace: namespace.into() };
            return Self::of(class, form);
        }
        let shown_so = |format: &ClassFormat| uri == format.resource_uri();
        if let Some(format) = [ClassFormat::CimXml, ClassFormat::Schema].into_iter().find(shown_so) {
            return Some(Self::Classes(format));
        }
        let (host, class) = uri.split_once(CLASS_PATH)?;
        host.strip_prefix("http://").or_else(|| host.strip_prefix("https://")).filter(|h| !h.contains('/'))?;
        let under_dmtf = uri.starts_with(DMTF) && vendor_prefix(class) != DMTF;
        Self::of(class, if under_dmtf { UriForm::Dmtf } else { UriForm::Vendor })
    }

    fn of(class: &str, form: UriForm) -> Option<Self> {
        if class == "*" {
            return Some(Self::AllClasses { form: if form == UriForm::Dmtf { UriForm::Vendor } else { form } });
        }
        let is_name = !class.is_empty() && class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        is_name.then(|| Self::Class { class: class.to_owned(), form })
    }

    /// How URIs are written in the reply.
    pub fn form(&self) -> &UriForm {
        match self {
            Self::Class { form, .. } | Self::AllClasses { form } => form,
            Self::Classes(_) => &UriForm::Vendor,
        }
    }

    /// The class, in the client's spelling.
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Class { class, .. } => Some(class),
            _ => None,
        }
    }

    /// The CIM namespace that Windows' form of the URI holds.
    pub fn namespace(&self) -> Option<&Arc<str>> {
        match self.form() {
            UriForm::Wmi { namespace } => Some(namespace),
            _ => None,
        }
    }
}

impl UriForm {
    /// The URI of a class in pieces, to be written one behind the other; also the XML namespace of its elements.
    pub fn class_uri_parts<'a>(&'a self, class: &'a str) -> [&'a str; 4] {
        match self {
            Self::Vendor => [vendor_prefix(class), class, "", ""],
            Self::Dmtf => [DMTF, class, "", ""],
            Self::Wmi { namespace } => [WMI, namespace, "/", class],
        }
    }

    /// The same for a class in a given CIM namespace, as endpoint references need it.
    pub(super) fn class_uri_parts_in<'a>(&'a self, namespace: &'a str, class: &'a str) -> [&'a str; 4] {
        match self {
            Self::Wmi { .. } => [WMI, namespace, "/", class],
            _ => self.class_uri_parts(class),
        }
    }

    /// The URI of a class.
    pub fn class_uri(&self, class: &str) -> String {
        self.class_uri_parts(class).concat()
    }
}

/// What the URI of a class begins with, by the vendor's prefix of its name.
fn vendor_prefix(class: &str) -> &'static str {
    let is_of = |prefix: &str| class.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    VENDORS.iter().find(|(prefix, _)| is_of(prefix)).map_or(DMTF, |(_, uri)| uri)
}

/// What of a peer's text can be shown in a message.
pub(super) fn shown(text: &str) -> &str {
    text.char_indices().nth(100).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, form: UriForm) -> Option<ResourceUri> {
        Some(ResourceUri::Class { class: name.into(), form })
    }

    #[test]
    fn every_spelling_of_the_interoperability_rules_is_known() {
        let wmi = |ns: &str| UriForm::Wmi { namespace: ns.into() };
        for (uri, expected) in [
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Job", class("CIM_Job", UriForm::Vendor)),
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/LMI_Job", class("LMI_Job", UriForm::Dmtf)),
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/vmware_X", class("vmware_X", UriForm::Dmtf)),
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Dell_X", class("Dell_X", UriForm::Vendor)),
            ("http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Job", class("LMI_Job", UriForm::Vendor)),
            ("https://intel.com/wbem/wscim/1/cim-schema/2/CIM_Job", class("CIM_Job", UriForm::Vendor)),
            ("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/LMI_Job", class("LMI_Job", wmi("root/cimv2"))),
            ("http://schemas.microsoft.com/wbem/wsman/1/wmi/root\\cimv2\\CIM_Job", class("CIM_Job", wmi("root/cimv2"))),
            (
                "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*",
                Some(ResourceUri::AllClasses { form: wmi("root/cimv2") }),
            ),
            ("http://schemas.dmtf.org/wbem/wscim/1/*", Some(ResourceUri::AllClasses { form: UriForm::Vendor })),
            (
                "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/*",
                Some(ResourceUri::AllClasses { form: UriForm::Vendor }),
            ),
            ("http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*", Some(ResourceUri::Classes(ClassFormat::CimXml))),
            ("http://schemas.dmtf.org/wbem/ws-cim/1/cim-schema/2/*", Some(ResourceUri::Classes(ClassFormat::Schema))),
            ("http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/CIM_Job", None),
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/", None),
            ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Job/x", None),
            ("http://h/x/wbem/wscim/1/cim-schema/2/CIM_Job", None),
            ("http://schemas.microsoft.com/wbem/wsman/1/wmi/CIM_Job", None),
            ("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd", None),
            ("CIM_Job", None),
            ("", None),
        ] {
            assert_eq!(ResourceUri::recognise(uri), expected, "{uri}");
            if let Some(ResourceUri::Class { class, form }) = expected
                && !uri.contains(['\\'])
                && !uri.contains("intel")
            {
                assert_eq!(form.class_uri(&class), uri);
            }
        }
        let fault = ResourceUri::parse("urn:x").unwrap_err();
        assert_eq!(fault.detail(), Some(FaultDetail::InvalidResourceURI));
    }

    #[test]
    fn a_reply_names_classes_as_the_client_does() {
        let own = "http://schemas.openlmi.org/wbem/wscim/1/cim-schema/2/LMI_Job";
        assert_eq!(UriForm::Vendor.class_uri("LMI_Job"), own);
        assert_eq!(UriForm::Dmtf.class_uri("LMI_Job"), format!("{DMTF}LMI_Job"));
        let wmi = UriForm::Wmi { namespace: "root/cimv2".into() };
        assert_eq!(wmi.class_uri_parts_in("root/interop", "X").concat(), format!("{WMI}root/interop/X"));
    }
}
