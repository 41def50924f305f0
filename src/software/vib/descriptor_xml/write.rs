//! Writing a descriptor, in VMware's order and in one line.

use crate::xml::Writer;

use super::super::descriptor::{Checksum, ChecksumAlgorithm, Checksummed, Descriptor, Payload, SoftwarePlatform};
use super::super::relation::Constraint;
use super::super::timestamp;

impl Descriptor {
    /// Writes the descriptor as VMware's tools do, without an XML declaration. What was read is read back the same;
    /// elements that were passed over when it was read are not there.
    pub fn to_xml(&self) -> String {
        let mut w = Writer::new(usize::MAX);
        w.start("vib").attribute("version", "5.0");
        write_head(&mut w, self);
        write_relationships(&mut w, self);
        write_list(&mut w, "software-tags", "tag", &self.tags);
        if let Some(at) = self.installed_at {
            w.leaf("installdate", &timestamp::write(at));
        }
        write_requires(&mut w, self);
        write_list(&mut w, "file-list", "file", &self.files);
        write_tail(&mut w, self);
        w.start("payloads");
        for payload in &self.payloads {
            write_payload(&mut w, payload);
        }
        w.end("payloads").end("vib");
        String::from_utf8(w.finish()).unwrap_or_default()
    }
}

fn write_head(w: &mut Writer, vib: &Descriptor) {
    w.leaf("type", vib.vib_type.word()).leaf("name", &vib.name).leaf("version", vib.version.as_str());
    w.leaf("vendor", &vib.vendor).leaf("summary", &vib.summary).leaf("description", &vib.description);
    if let Some(date) = vib.release_date {
        w.leaf("release-date", &timestamp::write(date));
    }
    w.start("urls");
    for url in &vib.urls {
        w.start("url").attribute("key", &url.key).text(&url.url).end("url");
    }
    w.end("urls");
}

fn write_relationships(w: &mut Writer, vib: &Descriptor) {
    w.start("relationships");
    write_constraints(w, "depends", &vib.depends);
    write_constraints(w, "conflicts", &vib.conflicts);
    write_constraints(w, "replaces", &vib.replaces);
    w.start("provides");
    for provide in &vib.provides {
        w.start("provide").attribute("name", &provide.name);
        if let Some(version) = &provide.version {
            w.attribute("version", version.as_str());
        }
        w.end("provide");
    }
    w.end("provides");
    write_constraints(w, "compatibleWith", &vib.compatible_with);
    w.end("relationships");
}

fn write_constraints(w: &mut Writer, tag: &str, constraints: &[Constraint]) {
    w.start(tag);
    for constraint in constraints {
        w.start("constraint").attribute("name", &constraint.name);
        if let Some((comparison, version)) = &constraint.version {
            w.attribute("relation", comparison.operator()).attribute("version", version.as_str());
        }
        w.end("constraint");
    }
    w.end(tag);
}

fn write_list(w: &mut Writer, list: &str, item: &str, texts: &[Box<str>]) {
    w.start(list);
    for text in texts {
        w.leaf(item, text);
    }
    w.end(list);
}

fn write_requires(w: &mut Writer, vib: &Descriptor) {
    let need = vib.maintenance_mode;
    w.start("system-requires");
    if need.on_install == need.on_remove {
        w.leaf("maintenance-mode", word(need.on_install));
    } else {
        w.start("maintenance-mode").attribute("on-install", word(need.on_install));
        w.attribute("on-remove", word(need.on_remove)).end("maintenance-mode");
    }
    for hardware in &vib.hardware {
        w.start("hwplatform").attribute("vendor", &hardware.vendor);
        if let Some(model) = &hardware.model {
            w.attribute("model", model);
        }
        w.end("hwplatform");
    }
    vib.platforms.iter().for_each(|platform| write_platform(w, platform));
    w.end("system-requires");
}

fn write_platform(w: &mut Writer, platform: &SoftwarePlatform) {
    w.start("softwarePlatform").attribute("version", &platform.version).attribute("locale", &platform.locale);
    w.attribute("productLineID", &platform.product_line).end("softwarePlatform");
}

fn write_tail(w: &mut Writer, vib: &Descriptor) {
    w.leaf("acceptance-level", vib.acceptance_level.word());
    w.leaf("live-install-allowed", word(vib.live_install_allowed));
    w.leaf("live-remove-allowed", word(vib.live_remove_allowed));
    w.leaf("cimom-restart", word(vib.cimom_restart));
    w.leaf("stateless-ready", word(vib.stateless_ready));
    w.leaf("overlay", word(vib.overlay));
}

fn write_payload(w: &mut Writer, payload: &Payload) {
    w.start("payload").attribute("name", &payload.name).attribute("type", &payload.payload_type);
    w.attribute("size", &payload.size.to_string());
    if let Some(name) = &payload.vfat_name {
        w.attribute("vfat-name", name);
    }
    for checksum in &payload.checksums {
        write_checksum(w, checksum);
    }
    w.end("payload");
}

fn write_checksum(w: &mut Writer, checksum: &Checksum) {
    let algorithm = match checksum.algorithm {
        ChecksumAlgorithm::Md5 => "md5",
        ChecksumAlgorithm::Sha1 => "sha-1",
        ChecksumAlgorithm::Sha256 => "sha-256",
    };
    w.start("checksum").attribute("checksum-type", algorithm);
    if checksum.of == Checksummed::Gunzipped {
        w.attribute("verify-process", "gunzip");
    }
    w.text(&checksum.digest).end("checksum");
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}
