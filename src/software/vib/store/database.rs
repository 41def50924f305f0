//! `imgdb.tgz`: an image's profile and the descriptors of its VIBs, as ESXi keeps them below `var/db/esximg`.

use std::collections::HashMap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::failure::{malformed, unreadable};
use super::plain_file;
use crate::software::vib::{Descriptor, Image, ImageError, ImageErrorClass, ImageProfile, ProfileVib, VibId, VibType};

/// The file's name in a bank.
pub(super) const FILE: &str = "imgdb.tgz";

const VIBS: &str = "var/db/esximg/vibs/";
const PROFILES: &str = "var/db/esximg/profiles/";

/// The longest descriptor or profile that is read, in octets.
const LONGEST_ENTRY: u64 = 16 * 1024 * 1024;

/// How much the whole may be, without its compression, in octets.
const LONGEST: u64 = 512 * 1024 * 1024;

/// How many entries are read.
const MOST_ENTRIES: usize = 20_000;

/// Reads an image. Descriptors that `known` images have too are shared with them.
pub(super) fn read(file: &Path, known: &[Arc<Image>]) -> Result<Image, ImageError> {
    let content = plain_file::open(file).map_err(|error| unreadable(file, &error))?;
    parse(BufReader::new(content), known).map_err(|failure| match failure {
        Failure::Io(error) if error.raw_os_error().is_some() => unreadable(file, &error),
        Failure::Io(error) => malformed(file, error),
        Failure::Format(what) => malformed(file, what),
    })
}

/// Refuses a database in which more stands than this one knows: it would be lost with the next change.
pub(super) fn refuse_unknown(file: &Path) -> Result<(), ImageError> {
    let content = plain_file::open(file).map_err(|error| unreadable(file, &error))?;
    let mut unknown = None;
    let read = for_each_file(GzDecoder::new(BufReader::new(content)).take(LONGEST), |name, _| {
        if !name.starts_with(PROFILES) && !name.starts_with(VIBS) {
            unknown = Some(name.to_owned());
        }
        Ok(())
    });
    match (read, unknown) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(name)) => {
            let text = format!(
                "{}: it has {name}, which a change would lose: that is of a later version of ESXi than 6. Change this image \
                 with the host's own tools.",
                file.display()
            );
            Err(ImageError::new(ImageErrorClass::DatabaseFormatError, text))
        }
        (Err(Failure::Io(error)), _) => Err(unreadable(file, &error)),
        (Err(Failure::Format(what)), _) => Err(malformed(file, what)),
    }
}

fn parse(content: impl Read, known: &[Arc<Image>]) -> Result<Image, Failure> {
    let mut found = Found::default();
    for_each_file(GzDecoder::new(content).take(LONGEST), |name, text| found.add(name, text))?;
    found.image(known).map_err(Failure::Format)
}

/// The file of an image, which was read back: a database that says something else, or that cannot be read, would lose it.
pub(super) fn written(image: &Image) -> io::Result<Vec<u8>> {
    let content = write(image, Vec::new())?;
    let what = match parse(&*content, &[]) {
        Ok(read) if read == *image => return Ok(content),
        Ok(_) => "it tells of another image than the one that was written".to_owned(),
        Err(Failure::Io(error)) => error.to_string(),
        Err(Failure::Format(what)) => what,
    };
    Err(io::Error::other(format!("The image's database {FILE} could not be read back: {what}")))
}

/// Writes an image and gives back what it was written to.
pub(super) fn write<W: Write>(image: &Image, to: W) -> io::Result<W> {
    let modified = image.profile.modified_at.map_or(0, |time| time.timestamp().unsigned_abs());
    let mut archive = tar::Builder::new(BufWriter::new(GzEncoder::new(to, Compression::default())));
    let mut add = |path: String, content: String| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(modified);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_bytes())
    };
    let profile = image.profile.name.replace(['/', '\0'], "_");
    add(format!("{PROFILES}{profile}"), image.profile.to_xml())?;
    for vib in &image.vibs {
        add(format!("{VIBS}{}-{}.xml", vib.name, number(&vib.id())), vib.to_xml())?;
    }
    archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

/// The number in the name of a descriptor's file; 63 bits that are another for every id.
fn number(id: &VibId) -> u64 {
    let digest = openssl::sha::sha256(id.as_str().as_bytes());
    digest.iter().take(8).fold(0, |number, octet| number << 8 | u64::from(*octet)) >> 1
}

enum Failure {
    Io(io::Error),
    Format(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn for_each_file(content: impl Read, mut hear: impl FnMut(&str, &str) -> Result<(), String>) -> Result<(), Failure> {
    for (count, entry) in tar::Archive::new(content).entries()?.enumerate() {
        let entry = entry?;
        if count >= MOST_ENTRIES || entry.size() > LONGEST_ENTRY {
            return Err(Failure::Format("it is larger than the database of an image".to_owned()));
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut text = String::new();
        let mut entry = entry.take(LONGEST_ENTRY);
        entry.read_to_string(&mut text)?;
        hear(name.trim_start_matches("./"), &text).map_err(|what| Failure::Format(format!("{name}: {what}")))?;
    }
    Ok(())
}

/// What is wrong, without what to do about a file of a vendor.
fn told(error: ImageError) -> String {
    let text = error.text.strip_suffix(error.class.advice()).unwrap_or(&error.text);
    text.trim_end_matches([' ', '.']).to_owned()
}

#[derive(Default)]
struct Found {
    profiles: Vec<ImageProfile>,
    vibs: HashMap<VibId, Descriptor>,
}

impl Found {
    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        if name.starts_with(PROFILES) {
            self.profiles.push(ImageProfile::from_xml(text).map_err(told)?);
        } else if name.starts_with(VIBS) {
            let vib = Descriptor::from_xml(text).map_err(told)?;
            self.vibs.insert(vib.id(), vib);
        }
        Ok(())
    }

    /// The image: one profile, and the VIBs that it names.
    fn image(mut self, known: &[Arc<Image>]) -> Result<Image, String> {
        let profile = self.profiles.pop().ok_or("it has no image profile")?;
        if let Some(other) = self.profiles.pop() {
            return Err(format!("it has the image profiles {} and {}", other.name, profile.name));
        }
        let mut vibs = Vec::with_capacity(profile.vibs.len());
        for part in &profile.vibs {
            let vib = self.vibs.remove(&part.id).ok_or_else(|| format!("it has no descriptor of {}", part.id))?;
            check_payloads(&vib, part)?;
            vibs.push(shared(vib, known));
        }
        vibs.sort_by(|one, other| one.name.cmp(&other.name));
        match vibs.array_windows().find(|[one, other]| one.name == other.name) {
            Some([one, other]) => Err(format!("it has {} and {}", one.id(), other.id())),
            None => Ok(Image { profile, vibs }),
        }
    }
}

/// A payload that the profile has no file of would be left behind by the next change; a meta VIB has no content.
fn check_payloads(vib: &Descriptor, part: &ProfileVib) -> Result<(), String> {
    let mut described: Vec<&str> = vib.payloads.iter().map(|payload| &*payload.name).collect();
    let mut named: Vec<&str> = part.payloads.iter().map(|(name, _)| &**name).collect();
    described.sort_unstable();
    named.sort_unstable();
    match vib.vib_type == VibType::Meta || described == named {
        true => Ok(()),
        false => Err(format!("the image profile does not name the payloads that {} has", part.id)),
    }
}

/// The same descriptor of a known image, so that it is in memory once.
fn shared(vib: Descriptor, known: &[Arc<Image>]) -> Arc<Descriptor> {
    let same = known.iter().filter_map(|image| image.named(&vib.name)).find(|other| ***other == vib);
    same.map_or_else(|| Arc::new(vib), Arc::clone)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::software::vib::AcceptanceLevel;
    use crate::software::vib::ImageErrorClass::{DatabaseFormatError, DatabaseIOError};
    use crate::software::vib::building::Vib;

    fn image(vibs: &[Vib]) -> Image {
        let mut vibs: Vec<_> =
            vibs.iter().map(|vib| Arc::new(Descriptor::from_xml(&vib.descriptor()).unwrap())).collect();
        vibs.sort_by(|one, other| one.name.cmp(&other.name));
        let part = |vib: &Arc<Descriptor>| {
            let payloads = vib.payloads.iter().enumerate();
            let payloads = payloads.map(|(at, payload)| (payload.name.clone(), format!("demo.v{at:02}").into()));
            ProfileVib { id: vib.id(), payloads: payloads.collect() }
        };
        let profile = ImageProfile {
            name: "(Updated) ESXi 5.5 / lab".into(),
            creator: "lab & co".into(),
            created_at: None,
            modified_at: None,
            profile_id: "1".into(),
            description: "an image".into(),
            acceptance_level: AcceptanceLevel::Accepted,
            vibs: vibs.iter().map(part).collect(),
        };
        Image { profile, vibs }
    }

    /// What is read of an image that was written.
    fn read_again(image: &Image, known: &[Arc<Image>]) -> Result<Image, ImageError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, write(image, Vec::new()).unwrap()).unwrap();
        read(&file, known)
    }

    #[test]
    fn what_is_written_is_read_again_and_shared_with_images_that_are_known() {
        let known = Arc::new(image(&[Vib::new("net", "1.0-1"), Vib::new("base", "1.0-1")]));
        let new = image(&[Vib::new("net", "1.0-1"), Vib::new("base", "2.0-1")]);
        let read = read_again(&new, &[Arc::clone(&known)]).unwrap();
        assert_eq!(read, new);
        let is_shared = |name| Arc::ptr_eq(read.named(name).unwrap(), known.named(name).unwrap());
        assert!(is_shared("net") && !is_shared("base"));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_file() {
        let right = image(&[Vib::new("net", "1.0-1")]);
        let wrong = |change: &dyn Fn(&mut Image)| {
            let mut image = right.clone();
            change(&mut image);
            let error = read_again(&image, &[]).unwrap_err();
            assert_eq!(error.class, DatabaseFormatError);
            error.text
        };
        let lacks = wrong(&|image| image.vibs.clear());
        assert!(lacks.contains("/imgdb.tgz: it has no descriptor of Acme_bootbank_net_1.0-1. "), "{lacks}");
        let leads_out = wrong(&|image| image.profile.vibs[0].payloads[0].1 = "../x".into());
        assert!(leads_out.contains("and is not \"../x\". The image's database is damaged: "), "{leads_out}");
        let unnamed = wrong(&|image| image.profile.vibs[0].payloads.clear());
        assert!(
            unnamed.contains(": the image profile does not name the payloads that Acme_bootbank_net_1.0-1 has. "),
            "{unnamed}"
        );
        let other = image(&[Vib::new("net", "2.0-1")]);
        let twice = wrong(&|image| {
            image.vibs.extend(other.vibs.clone());
            image.profile.vibs.extend(other.profile.vibs.clone());
        });
        assert!(twice.contains("it has Acme_bootbank_net_1.0-1 and Acme_bootbank_net_2.0-1. "), "{twice}");

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        for content in [&b"no gzip"[..], &write(&right, Vec::new()).unwrap()[..200]] {
            fs::write(&file, content).unwrap();
            let error = read(&file, &[]).unwrap_err();
            assert_eq!(error.class, DatabaseFormatError, "{error}");
        }
        assert_eq!(read(&dir.path().join("none"), &[]).unwrap_err().class, DatabaseIOError);
    }
}
