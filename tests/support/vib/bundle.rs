//! Metadata ZIPs, offline bundles and folders of the same layout.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::bulletin::{Bulletin, Profile};
use super::package::{Platform, Vib, element, text_element};
use super::sha256;

/// The files of a bundle or of metadata in their order: names and octets. A test may change them as it likes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A ZIP of these files.
pub fn zipped(files: &Files) -> Vec<u8> {
    let mut octets = Cursor::new(Vec::new());
    write_zip(files, &mut octets);
    octets.into_inner()
}

fn write_zip(files: &Files, to: &mut (impl Write + std::io::Seek)) {
    let mut zip = ZipWriter::new(to);
    for (name, content) in files {
        let large = content.len() > 1 << 20;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(large.then_some(1))
            .large_file(content.len() > 1 << 31);
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

/// Writes the files below a folder, which has then the layout of a bundle.
pub fn write_folder(files: &Files, folder: &Path) {
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// A bundle to be made.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The vendor's name.
    pub vendor: String,
    /// The vendor's code.
    pub code: String,
    /// The products that `vendor-index.xml` names, one row each.
    pub products: Vec<Platform>,
    /// The name of the metadata ZIP.
    pub metadata_name: String,
    /// The bulletins.
    pub bulletins: Vec<Bulletin>,
    /// The VIBs.
    pub vibs: Vec<Vib>,
    /// The image profiles.
    pub profiles: Vec<Profile>,
    /// Whether the metadata has `vmware.xml`, which lists VIBs below bulletins only.
    pub has_consolidated: bool,
    /// Whether the metadata has the folders `bulletins` and `vibs`.
    pub has_folders: bool,
}

impl Bundle {
    /// A bundle for ESXi 5.x of these bulletins and VIBs.
    pub fn new(bulletins: Vec<Bulletin>, vibs: Vec<Vib>) -> Self {
        Self {
            vendor: "VMware, Inc.".to_owned(),
            code: "vmw".to_owned(),
            products: vec![Platform::esxi("5.5.0")],
            metadata_name: "metadata.zip".to_owned(),
            bulletins,
            vibs,
            profiles: Vec::new(),
            has_consolidated: true,
            has_folders: true,
        }
    }

    /// A bundle of these VIBs and one bulletin of all of them.
    pub fn of(vibs: Vec<Vib>) -> Self {
        let ids: Vec<String> = vibs.iter().map(Vib::id).collect();
        Self::new(vec![Bulletin::new("ACME-1", "Updates all", &ids)], vibs)
    }

    /// All files of the offline bundle, the metadata zipped.
    pub fn files(&self) -> Files {
        let files: Vec<Vec<u8>> = self.vibs.iter().map(Vib::to_file).collect();
        self.files_of(files)
    }

    /// All files where the VIB files are these.
    pub fn files_of(&self, vibs: Vec<Vec<u8>>) -> Files {
        let metadata = zipped(&self.metadata_of(&vibs));
        let mut files = vec![
            ("index.xml".to_owned(), self.index().into_bytes()),
            ("vendor-index.xml".to_owned(), self.vendor_index().into_bytes()),
            (self.metadata_name.clone(), metadata),
        ];
        files.extend(self.vibs.iter().map(Vib::relative_path).zip(vibs));
        files
    }

    /// The offline bundle.
    pub fn to_zip(&self) -> Vec<u8> {
        zipped(&self.files())
    }

    /// Writes the offline bundle to a file.
    pub fn write(&self, file: &Path) {
        write_zip(&self.files(), &mut File::create(file).unwrap());
    }

    /// The files of the metadata.
    pub fn metadata_files(&self) -> Files {
        self.metadata_of(&self.vibs.iter().map(Vib::to_file).collect::<Vec<_>>())
    }

    fn metadata_of(&self, vibs: &[Vec<u8>]) -> Files {
        let mut files = Files::new();
        let sums: Vec<(usize, String)> = vibs.iter().map(|file| (file.len(), sha256(file))).collect();
        if self.has_consolidated {
            files.push(("vmware.xml".to_owned(), self.consolidated(&sums).into_bytes()));
        }
        files.push(("vendor-index.xml".to_owned(), self.vendor_index().into_bytes()));
        if self.has_folders {
            for bulletin in &self.bulletins {
                files.push((format!("bulletins/{}.xml", bulletin.id), bulletin.xml().into_bytes()));
            }
            for (vib, (size, sum)) in self.vibs.iter().zip(&sums) {
                let descriptor = vib.metadata_descriptor(&vib.relative_path(), *size, sum);
                files.push((format!("vibs/{}-{}.xml", vib.name, vib.number()), descriptor.into_bytes()));
            }
        }
        for profile in &self.profiles {
            files.push((format!("profiles/{}.xml", profile.name), profile.xml().into_bytes()));
        }
        files
    }

    /// `index.xml`
    pub fn index(&self) -> String {
        let content = "<content>\n      <name>VMware ESX</name>\n      \
                       <type>http://www.vmware.com/depotmanagement/esx</type>\n    </content>";
        format!(
            "<vendorList>\n  <vendor>\n    {}\n    {}\n    <indexfile>vendor-index.xml</indexfile>\n    \
             <patchUrl></patchUrl>\n    <relativePath></relativePath>\n    {content}\n  </vendor>\n</vendorList>\n",
            text_element("name", &self.vendor),
            text_element("code", &self.code)
        )
    }

    /// `vendor-index.xml`
    pub fn vendor_index(&self) -> String {
        let mut xml = "<metaList>\n".to_owned();
        for product in &self.products {
            xml += &format!(
                "  <metadata>\n    <productId>{}</productId>\n    <version>{}</version>\n    \
                 <locale>{}</locale>\n    <url>{}</url>\n    <channelName>default</channelName>\n  </metadata>\n",
                product.product_line, product.version, product.locale, self.metadata_name
            );
        }
        xml + "</metaList>\n"
    }

    /// `vmware.xml`, which has all VIBs of a bulletin below it.
    fn consolidated(&self, sums: &[(usize, String)]) -> String {
        let vibs: HashMap<String, (&Vib, &(usize, String))> =
            self.vibs.iter().zip(sums).map(|(vib, sum)| (vib.id(), (vib, sum))).collect();
        let mut xml =
            "<metadataResponse><version>3.0</version><timestamp>2014-04-19T00:00:00.000000</timestamp>".to_owned();
        for bulletin in &self.bulletins {
            let known = bulletin.vibs.iter().filter_map(|id| vibs.get(id));
            let theirs: String = known.map(|(vib, sum)| consolidated_vib(vib, sum, &bulletin.platforms)).collect();
            xml += &bulletin.xml_with(&theirs);
        }
        xml + "</metadataResponse>"
    }
}

fn consolidated_vib(vib: &Vib, (size, sum): &(usize, String), platforms: &[Platform]) -> String {
    let word = |value: bool| if value { "true" } else { "false" };
    let needs = vib.maintenance_mode.0 || vib.maintenance_mode.1;
    let platforms: String = platforms.iter().map(|platform| platform.xml("swPlatform")).collect();
    let checksum = text_element("checksumType", "sha-256") + &text_element("checksum", sum);
    let file = "<sourceUrl></sourceUrl>".to_owned()
        + &text_element("relativePath", &vib.relative_path())
        + &text_element("packedSize", &size.to_string())
        + &element("checksum", &checksum);
    let post_install = text_element("rebootRequired", word(!vib.live_install))
        + &text_element("hostdRestart", word(vib.cimom_restart));
    let tags: String = vib.tags.iter().map(|tag| text_element("tag", tag)).collect();
    let content = [
        text_element("vibVersion", "1.4.5"),
        text_element("vibID", &vib.id()),
        text_element("name", &vib.name),
        text_element("version", &vib.version),
        text_element("vendor", &vib.vendor),
        text_element("vibType", &vib.vib_type),
        text_element("summary", &vib.summary),
        element("systemReqs", &(text_element("maintenanceMode", word(needs)) + &platforms)),
        element("relationships", &vib.relationships()),
        element("postInstall", &post_install),
        element("softwareTags", &tags),
        element("vibFile", &file),
    ];
    element("vib", &content.concat())
}
