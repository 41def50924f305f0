//! Payloads: what VIBs bring.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use super::{hexadecimal, sha256};

/// A file of a payload: its path and its octets.
pub type File<'a> = (&'a str, &'a [u8]);

/// When everything was written: 1 April 2014.
const WRITTEN: u64 = 1_396_310_400;

/// A payload and what its VIB says of it.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The name of its member.
    pub name: String,
    /// `vgz`, `tgz`, `boot` and others.
    pub payload_type: String,
    /// Its octets in the archive.
    pub stored: Vec<u8>,
    /// The size that is told.
    pub size: u64,
    /// Algorithm, whether of what gunzip makes of it, and digest.
    pub checksums: Vec<(String, bool, String)>,
    /// The name of its file in a boot bank.
    pub vfat_name: Option<String>,
    /// The files in it.
    pub files: Vec<String>,
}

impl Payload {
    /// A gzipped visor tar of these files.
    pub fn vgz(name: &str, files: &[File<'_>]) -> Self {
        Self { files: names(files), ..Self::of(name, "vgz", &visor_tar(files, WRITTEN)) }
    }

    /// A gzipped ordinary tar of these files.
    pub fn tgz(name: &str, files: &[File<'_>]) -> Self {
        Self { files: names(files), ..Self::of(name, "tgz", &tar(files)) }
    }

    /// A gzipped boot module.
    pub fn boot(name: &str, content: &[u8]) -> Self {
        Self::of(name, "boot", content)
    }

    /// A payload of any type that is gzip of `plain`.
    pub fn of(name: &str, payload_type: &str, plain: &[u8]) -> Self {
        Self::stored(name, payload_type, gzip(plain, Some(&format!("{name}.tar.vtar"))), Some(plain))
    }

    /// A payload of these octets, with the digests of `plain` too, if there is one.
    pub fn stored(name: &str, payload_type: &str, stored: Vec<u8>, plain: Option<&[u8]>) -> Self {
        let mut checksums = vec![("sha-256".to_owned(), false, sha256(&stored))];
        if let Some(plain) = plain {
            checksums.push(("sha-256".to_owned(), true, sha256(plain)));
            checksums.push(("sha-1".to_owned(), true, hexadecimal(&openssl::sha::sha1(plain))));
        }
        let size = stored.len() as u64;
        let (name, payload_type) = (name.to_owned(), payload_type.to_owned());
        Self { name, payload_type, stored, size, checksums, vfat_name: None, files: Vec::new() }
    }

    /// The same with the two digests that tools before 8.0 write.
    #[must_use]
    pub fn with_old_digests(mut self) -> Self {
        self.checksums.retain(|(algorithm, gunzipped, _)| *gunzipped == (algorithm == "sha-1"));
        self
    }

    /// What the descriptor says of it.
    pub(super) fn xml(&self) -> String {
        let vfat = self.vfat_name.as_ref().map(|name| format!(" vfat-name=\"{name}\"")).unwrap_or_default();
        let mut xml =
            format!("<payload name=\"{}\" type=\"{}\" size=\"{}\"{vfat}>", self.name, self.payload_type, self.size);
        for (algorithm, gunzipped, digest) in &self.checksums {
            let process = if *gunzipped { " verify-process=\"gunzip\"" } else { "" };
            xml += &format!("<checksum checksum-type=\"{algorithm}\"{process}>{digest}</checksum>");
        }
        xml + "</payload>"
    }
}

fn names(files: &[File<'_>]) -> Vec<String> {
    files.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Gzip with the name that VMware's tool writes, if one is given.
pub fn gzip(plain: &[u8], name: Option<&str>) -> Vec<u8> {
    let level = if plain.len() > 1 << 20 { Compression::fast() } else { Compression::best() };
    let mut builder = GzBuilder::new();
    if let Some(name) = name {
        builder = builder.filename(name);
    }
    let mut encoder = builder.write(Vec::new(), level);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Octets that look like a program's, the same for the same seed: they shrink to about a half.
pub fn filler(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut octets = Vec::with_capacity(size + 16);
    while octets.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.extend_from_slice(&state.to_le_bytes());
        octets.extend_from_slice(&[0, 0, 0, 0x48, 0x8b, 0, 0, 0]);
    }
    octets.truncate(size);
    octets
}

/// A visor tar: all headers, one of noughts, and the contents, each at a multiple of 512 that its header tells.
pub fn visor_tar(files: &[File<'_>], written: u64) -> Vec<u8> {
    let entries = with_folders(files);
    let mut at = 512 * (entries.len() + 1);
    let (mut headers, mut contents) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = if content.is_some() { at } else { 0 };
        headers.extend(tar_header(&name, content, written, Some(u32::try_from(offset).unwrap())));
        let content = content.unwrap_or_default();
        contents.extend_from_slice(content);
        contents.resize(contents.len().next_multiple_of(512), 0);
        at += content.len().next_multiple_of(512);
    }
    headers.resize(headers.len() + 512, 0);
    // VMware's tool does not fill up the last block.
    let last = files.iter().max_by_key(|(name, _)| *name).map_or(0, |(_, content)| content.len());
    contents.truncate(contents.len() - (last.next_multiple_of(512) - last));
    [headers, contents].concat()
}

/// An ordinary tar (ustar).
pub fn tar(files: &[File<'_>]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, content) in with_folders(files) {
        octets.extend(tar_header(&name, content, WRITTEN, None));
        octets.extend_from_slice(content.unwrap_or_default());
        octets.resize(octets.len().next_multiple_of(512), 0);
    }
    octets.resize(octets.len() + 1024, 0);
    octets
}

/// The files in the order of their names, each behind its folders; a folder has no content.
fn with_folders<'a>(files: &[File<'a>]) -> Vec<(String, Option<&'a [u8]>)> {
    let mut files = files.to_vec();
    files.sort_unstable_by_key(|(name, _)| *name);
    let mut entries: Vec<(String, Option<&[u8]>)> = Vec::new();
    for (name, content) in files {
        for (at, _) in name.match_indices('/') {
            if at > 0 && !entries.iter().any(|(known, _)| *known == name[..=at]) {
                entries.push((name[..=at].to_owned(), None));
            }
        }
        entries.push((name.to_owned(), Some(content)));
    }
    entries
}

/// A header of either tar; a visor header tells where the content stands.
pub fn tar_header(name: &str, content: Option<&[u8]>, written: u64, offset: Option<u32>) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, if content.is_some() { b"0000644\0" } else { b"0000755\0" });
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.map_or(0, <[u8]>::len)).as_bytes());
    put(136, format!("{written:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, if content.is_some() { b"0" } else { b"5" });
    put(257, if offset.is_some() { b"visor  \0" } else { b"ustar\x0000" });
    put(265, b"root");
    put(297, b"root");
    put(496, &offset.unwrap_or(0).to_le_bytes());
    set_checksum(&mut header);
    header
}

/// Writes the checksum of a header anew.
pub fn set_checksum(header: &mut [u8; 512]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|octet| u32::from(*octet)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
