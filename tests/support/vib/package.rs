//! VIBs: a descriptor, its signature and the payloads.

use std::sync::Arc;

use super::archive::{Spelling, ar};
use super::payload::Payload;
use super::signing::{SignatureForm, Signer};
use super::{escaped, sha256};

/// A product: its line, version and locale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The product line.
    pub product_line: String,
    /// The version, perhaps with a wildcard.
    pub version: String,
    /// The locale.
    pub locale: String,
}

impl Platform {
    /// ESXi of this version.
    pub fn esxi(version: &str) -> Self {
        Self { product_line: "embeddedEsx".to_owned(), version: version.to_owned(), locale: String::new() }
    }

    /// As an element of this name.
    pub(super) fn xml(&self, element: &str) -> String {
        let Self { product_line, version, locale } = self;
        format!("<{element} locale=\"{locale}\" version=\"{version}\" productLineID=\"{product_line}\"/>")
    }
}

/// A VIB to be made. Relations are written as VMware's tools print them: `esx-base >= 5.5`, `name = version`, `name`.
#[derive(Clone, Debug)]
pub struct Vib {
    /// The version of the descriptor; some leave it out.
    pub format: Option<String>,
    /// `bootbank`, `locker` or `meta`.
    pub vib_type: String,
    /// The name.
    pub name: String,
    /// `version-release`.
    pub version: String,
    /// The vendor's code.
    pub vendor: String,
    /// One line.
    pub summary: String,
    /// More lines.
    pub description: String,
    /// ISO 8601.
    pub release_date: String,
    /// Keys and addresses.
    pub urls: Vec<(String, String)>,
    /// What it needs.
    pub depends: Vec<String>,
    /// What it excludes.
    pub conflicts: Vec<String>,
    /// What it takes the place of.
    pub replaces: Vec<String>,
    /// What it provides.
    pub provides: Vec<String>,
    /// What it goes with.
    pub compatible_with: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Whether installation and removal need maintenance mode.
    pub maintenance_mode: (bool, bool),
    /// Vendor and model of hardware.
    pub hardware: Vec<(String, Option<String>)>,
    /// Products.
    pub platforms: Vec<Platform>,
    /// Its files; `None` is those of its payloads.
    pub files: Option<Vec<String>>,
    /// The word for the level.
    pub acceptance_level: String,
    /// Whether it may be installed live.
    pub live_install: bool,
    /// Whether it may be removed live.
    pub live_remove: bool,
    /// Whether the CIM server is started again.
    pub cimom_restart: bool,
    /// Whether it keeps no state.
    pub stateless_ready: bool,
    /// Whether it lies over others.
    pub overlay: bool,
    /// Its content.
    pub payloads: Vec<Payload>,
    /// Who signs it, and how the signature is written.
    pub signed: Option<(Arc<Signer>, SignatureForm)>,
    /// How its archive is written.
    pub spelling: Spelling,
}

impl Default for Vib {
    fn default() -> Self {
        Self {
            format: Some("5.0".to_owned()),
            vib_type: "bootbank".to_owned(),
            name: "demo".to_owned(),
            version: "1.0-1".to_owned(),
            vendor: "Acme".to_owned(),
            summary: "A demonstration".to_owned(),
            description: "What demonstrates".to_owned(),
            release_date: "2014-04-19T03:11:05.000000+00:00".to_owned(),
            urls: Vec::new(),
            depends: Vec::new(),
            conflicts: Vec::new(),
            replaces: Vec::new(),
            provides: Vec::new(),
            compatible_with: Vec::new(),
            tags: Vec::new(),
            maintenance_mode: (false, false),
            hardware: Vec::new(),
            platforms: Vec::new(),
            files: None,
            acceptance_level: "community".to_owned(),
            live_install: true,
            live_remove: true,
            cimom_restart: false,
            stateless_ready: true,
            overlay: false,
            payloads: Vec::new(),
            signed: None,
            spelling: Spelling::Vmware,
        }
    }
}

/// A VIB in its parts, each of which a test may change before they are put together.
#[derive(Clone, Debug)]
pub struct Parts {
    /// `descriptor.xml`.
    pub descriptor: Vec<u8>,
    /// `sig.pkcs7`.
    pub signature: Vec<u8>,
    /// The payloads by their names.
    pub payloads: Vec<(String, Vec<u8>)>,
    /// How the archive is written.
    pub spelling: Spelling,
}

impl Parts {
    /// The VIB file.
    pub fn to_file(&self) -> Vec<u8> {
        let mut members = vec![("descriptor.xml", &*self.descriptor), ("sig.pkcs7", &*self.signature)];
        members.extend(self.payloads.iter().map(|(name, content)| (name.as_str(), content.as_slice())));
        ar(&members, self.spelling)
    }

    /// Writes something else into the descriptor, after it was signed.
    pub fn rewrite(&mut self, old: &str, new: &str) {
        let text = String::from_utf8(self.descriptor.clone()).unwrap();
        assert!(text.contains(old), "{old} stands in {text}");
        self.descriptor = text.replace(old, new).into_bytes();
    }
}

impl Vib {
    /// A VIB of one payload with one small file.
    pub fn new(name: &str, version: &str) -> Self {
        let path = format!("opt/{name}/bin/{name}");
        let mut payload_name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        payload_name.truncate(8);
        let content = format!("#!/bin/sh\necho {name} {version}\n");
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            payloads: vec![Payload::vgz(&payload_name, &[(&path, content.as_bytes())])],
            ..Self::default()
        }
    }

    /// The same of this level, signed by whom that level takes (community: not at all).
    #[must_use]
    pub fn at_level(mut self, level: &str) -> Self {
        let signers = super::Signers::shared();
        self.signed = match level {
            "community" => None,
            "partner" => Some((Arc::clone(&signers.partner), SignatureForm::Pem)),
            _ => Some((Arc::clone(&signers.vmware), SignatureForm::Pem)),
        };
        self.acceptance_level = level.to_owned();
        self
    }

    /// `<vendor>_<type>_<name>_<version>`.
    pub fn id(&self) -> String {
        format!("{}_{}_{}_{}", self.vendor, self.vib_type, self.name, self.version)
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> String {
        self.descriptor_with("")
    }

    /// The copy that metadata has, of the VIB file with this length and SHA-256.
    pub fn metadata_descriptor(&self, path: &str, size: usize, sha256: &str) -> String {
        self.descriptor_with(&format!(
            "<relative-path>{path}</relative-path><packed-size>{size}</packed-size>\
             <checksum checksum-type=\"sha-256\">{sha256}</checksum>"
        ))
    }

    /// The copy that an image keeps.
    pub fn installed_descriptor(&self, installed_at: &str) -> String {
        self.descriptor_with(&format!("<installdate>{installed_at}</installdate>"))
    }

    /// The descriptor with something behind its tags.
    fn descriptor_with(&self, extra: &str) -> String {
        let format = self.format.as_ref().map(|format| format!(" version=\"{format}\"")).unwrap_or_default();
        let urls: String =
            self.urls.iter().map(|(key, url)| format!("<url key=\"{key}\">{}</url>", escaped(url))).collect();
        let tags: String = self.tags.iter().map(|tag| text_element("tag", tag)).collect();
        let payloads: String = self.payloads.iter().map(Payload::xml).collect();
        [
            format!("<vib{format}>"),
            text_element("type", &self.vib_type),
            text_element("name", &self.name),
            text_element("version", &self.version),
            text_element("vendor", &self.vendor),
            text_element("summary", &self.summary),
            text_element("description", &self.description),
            text_element("release-date", &self.release_date),
            element("urls", &urls),
            element("relationships", &self.relationships()),
            element("software-tags", &tags),
            extra.to_owned(),
            element("system-requires", &self.system_requires()),
            element("file-list", &self.file_list()),
            text_element("acceptance-level", &self.acceptance_level),
            text_element("live-install-allowed", word(self.live_install)),
            text_element("live-remove-allowed", word(self.live_remove)),
            text_element("cimom-restart", word(self.cimom_restart)),
            text_element("stateless-ready", word(self.stateless_ready)),
            text_element("overlay", word(self.overlay)),
            element("payloads", &payloads),
            "</vib>".to_owned(),
        ]
        .concat()
    }

    /// The content of `relationships`; metadata of VUM has the same.
    pub(super) fn relationships(&self) -> String {
        element("depends", &relations("constraint", &self.depends))
            + &element("conflicts", &relations("constraint", &self.conflicts))
            + &element("replaces", &relations("constraint", &self.replaces))
            + &element("provides", &relations("provide", &self.provides))
            + &element("compatibleWith", &relations("constraint", &self.compatible_with))
    }

    fn system_requires(&self) -> String {
        let mut xml = match self.maintenance_mode {
            (install, remove) if install == remove => text_element("maintenance-mode", word(install)),
            (install, remove) => {
                format!("<maintenance-mode on-install=\"{}\" on-remove=\"{}\"/>", word(install), word(remove))
            }
        };
        for (vendor, model) in &self.hardware {
            let model = model.as_ref().map(|model| format!(" model=\"{}\"", escaped(model))).unwrap_or_default();
            xml += &format!("<hwplatform vendor=\"{}\"{model}/>", escaped(vendor));
        }
        for platform in &self.platforms {
            xml += &platform.xml("softwarePlatform");
        }
        xml
    }

    fn file_list(&self) -> String {
        let theirs = || self.payloads.iter().flat_map(|payload| payload.files.iter().cloned()).collect();
        let mut files: Vec<String> = self.files.clone().unwrap_or_else(theirs);
        if self.files.is_none() {
            files.sort_unstable();
        }
        files.iter().map(|file| text_element("file", file)).collect()
    }

    /// Its parts, signed if it is to be.
    pub fn parts(&self) -> Parts {
        let descriptor = self.descriptor().into_bytes();
        let signature = self.signed.as_ref().map(|(signer, form)| signer.sign(&descriptor, *form)).unwrap_or_default();
        let payloads = self.payloads.iter().map(|payload| (payload.name.clone(), payload.stored.clone())).collect();
        Parts { descriptor, signature, payloads, spelling: self.spelling }
    }

    /// The VIB file.
    pub fn to_file(&self) -> Vec<u8> {
        self.parts().to_file()
    }

    /// Where bundles have it.
    pub fn relative_path(&self) -> String {
        format!("vib20/{}/{}.vib", self.name, self.id())
    }

    /// The number in the name of its file in metadata and in databases: any, but the same each time.
    pub fn number(&self) -> u64 {
        u64::from_str_radix(&sha256(self.id().as_bytes())[..16], 16).unwrap() >> 1
    }
}

fn relations(element: &str, relations: &[String]) -> String {
    let relation = |text: &String| {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            [name] => format!("<{element} name=\"{}\"/>", escaped(name)),
            [name, "=", version] if element == "provide" => {
                format!("<provide name=\"{}\" version=\"{}\"/>", escaped(name), escaped(version))
            }
            [name, operator, version] => format!(
                "<{element} name=\"{}\" relation=\"{}\" version=\"{}\"/>",
                escaped(name),
                escaped(operator),
                escaped(version)
            ),
            _ => panic!("a relation is a name, an operator and a version: {text}"),
        }
    };
    relations.iter().map(relation).collect()
}

/// An element; an empty one is written so.
pub(super) fn element(name: &str, content: &str) -> String {
    if content.is_empty() { format!("<{name}/>") } else { format!("<{name}>{content}</{name}>") }
}

/// An element with a text.
pub(super) fn text_element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

fn word(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
