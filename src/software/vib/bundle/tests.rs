mod packages;

use super::super::building::bundle::{write_folder, zipped};
use super::super::building::release::{GOLDEN_INSTALLED, component_7_0, esxi_5_5_u1a};
use super::super::building::{self, Files, Platform, Spelling, Vib, sha256};
use super::super::descriptor::SoftwarePlatform;
use super::*;

/// A folder for files, and the bundle of U1a as its files.
fn u1a() -> (tempfile::TempDir, Files) {
    (tempfile::tempdir().unwrap(), esxi_5_5_u1a(2000).files())
}

fn written(dir: &tempfile::TempDir, name: &str, octets: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, octets).unwrap();
    path
}

fn octets_of(bundle: &Bundle, id: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let read = bundle.open_vib(&VibId::new(id), |vib| {
        vib.read_to_end(&mut octets).unwrap();
        Ok::<_, ImageError>(())
    });
    read.map(|()| octets).unwrap()
}

#[test]
fn a_zip_and_a_folder_hold_the_same_bundle() {
    let (dir, files) = u1a();
    let zip = Bundle::open(&written(&dir, "bundle.zip", &zipped(&files))).unwrap();
    let depot = dir.path().join("depot");
    write_folder(&files, &depot);
    let folder = Bundle::open(&depot).unwrap();
    assert_eq!(zip.metadata(), folder.metadata());
    let metadata = zip.metadata();
    let ids: Vec<&str> = metadata.bulletins.iter().map(|bulletin| &*bulletin.id).collect();
    assert_eq!(ids, ["ESXi550-201404001", "ESXi550-201404401-SG", "ESXi550-201404402-SG", "ESXi550-201404403-SG"]);
    assert_eq!(metadata.profiles.len(), 2);
    for id in GOLDEN_INSTALLED {
        let told = &metadata.vibs[id];
        for bundle in [&zip, &folder] {
            let octets = octets_of(bundle, id);
            assert_eq!((octets.len() as u64, Some(sha256(&octets).into())), (told.packed_size, told.sha256.clone()));
        }
        assert!(told.is_complete);
    }
    assert_eq!(zip.path, dir.path().join("bundle.zip"));
}

#[test]
fn a_folder_in_which_one_zip_lies_is_that_bundle() {
    let (dir, files) = u1a();
    let zip = Bundle::open(&written(&dir, "bundle.zip", &zipped(&files))).unwrap();
    written(&dir, "readme.txt", b"");
    let folder = Bundle::open(dir.path()).unwrap();
    assert_eq!((folder.metadata(), &folder.path), (zip.metadata(), &zip.path));
    assert_eq!(octets_of(&folder, GOLDEN_INSTALLED[0]), octets_of(&zip, GOLDEN_INSTALLED[0]));
    assert_eq!(Bundle::check(File::open(dir.path()).unwrap(), dir.path()), Ok(()));

    written(&dir, "another.zip", &zipped(&files));
    let error = Bundle::open(dir.path()).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::MetadataDownloadError);
    assert!(error.text.ends_with("It holds another.zip, bundle.zip: name the one that is meant."), "{error}");
    assert_eq!(Bundle::check(File::open(dir.path()).unwrap(), dir.path()), Err(error));

    write_folder(&files, dir.path());
    assert_eq!(Bundle::open(dir.path()).unwrap().path, dir.path(), "its own index comes first");
}

#[test]
fn a_vib_file_is_a_bundle_of_one_vib() {
    let dir = tempfile::tempdir().unwrap();
    for spelling in [Spelling::Vmware, Spelling::Gnu] {
        let vib = Vib { spelling, ..Vib::new("demo", "1.0-1") };
        let octets = vib.to_file();
        let bundle = Bundle::open(&written(&dir, "demo.vib", &octets)).unwrap();
        let metadata = bundle.metadata();
        assert!(metadata.bulletins.is_empty());
        let [(id, told)] = metadata.vibs.iter().collect::<Vec<_>>()[..] else { panic!("{metadata:?}") };
        assert_eq!(id.as_str(), "Acme_bootbank_demo_1.0-1");
        assert_eq!((told.packed_size, &*told.relative_path), (octets.len() as u64, "demo.vib"));
        assert_eq!(told.descriptor.to_xml(), vib.descriptor().replace(".000000", ""));
        assert_eq!(octets_of(&bundle, id.as_str()), octets);
    }
    let error = Bundle::open(&written(&dir, "x.vib", b"!<arch>\n")).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::VibFormatError);
    assert!(error.text.starts_with("The VIB cannot be read: its first member is not descriptor.xml. "), "{error}");
}

#[test]
fn several_threads_read_vibs_of_one_bundle() {
    let (dir, files) = u1a();
    let bundle = Bundle::open(&written(&dir, "bundle.zip", &zipped(&files))).unwrap();
    std::thread::scope(|scope| {
        for id in GOLDEN_INSTALLED {
            let bundle = &bundle;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(Some(sha256(&octets_of(bundle, id)).into()), bundle.metadata().vibs[id].sha256);
                }
            });
        }
    });
}

#[test]
fn what_may_be_a_bundle_is_seen_without_its_metadata() {
    let (dir, files) = u1a();
    let check = |path: &Path| Bundle::check(File::open(path).unwrap(), path);
    let broken = with(files.clone(), "vmw-ESXi-5.5.0-metadata.zip", |_| Vec::new());
    assert_eq!(check(&written(&dir, "a.zip", &zipped(&broken))), Ok(()));
    assert_eq!(check(&written(&dir, "a.vib", b"!<arch>\n")), Ok(()));
    write_folder(&files, &dir.path().join("depot"));
    assert_eq!(check(&dir.path().join("depot")), Ok(()));
    for path in
        [dir.path().to_owned(), written(&dir, "b.zip", b"text"), written(&dir, "c.zip", &zipped(&files[1..].to_vec()))]
    {
        assert_eq!(check(&path), Err(Bundle::open(&path).unwrap_err()));
    }
}

/// Class and text of the failure to open what these files make as a ZIP.
fn failure(files: &Files) -> ImageError {
    let dir = tempfile::tempdir().unwrap();
    let path = written(&dir, "b.zip", &zipped(files));
    let error = Bundle::open(&path).unwrap_err();
    let nameless = |text: String| text.replace(dir.path().to_str().unwrap(), "");
    ImageError { url: error.url.clone().map(nameless), ..error }.map_text(nameless)
}

#[test]
fn a_missing_index_is_told_in_the_words_of_esximage() {
    let (_, mut files) = u1a();
    files.remove(0);
    files.push(("readme.txt".to_owned(), Vec::new()));
    files.retain(|(name, _)| !name.ends_with(".zip"));
    let error = failure(&files);
    assert_eq!(error.class, ImageErrorClass::MetadataDownloadError);
    assert_eq!(error.url.as_deref(), Some("zip:/b.zip?index.xml"));
    assert_eq!(
        error.text,
        "Could not download from depot at zip:/b.zip?index.xml, skipping (('zip:/b.zip?index.xml', '', 'Error extracting \
         index.xml from /b.zip: \"There is no item named 'index.xml' in the archive\"')). Name an offline bundle, complete \
         as its vendor published it."
    );
}

#[test]
fn a_bundle_that_breaks_off_is_no_zip_file() {
    let (dir, files) = u1a();
    let whole = zipped(&files);
    let path = written(&dir, "b.zip", &whole[..whole.len() / 2]);
    let error = Bundle::open(&path).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::MetadataDownloadError);
    let why = "File is not a zip file (it has no directory at its end)')). Name an offline bundle";
    assert!(error.text.contains(why), "{error}");
    let empty = Bundle::open(&written(&dir, "e.zip", b"")).unwrap_err();
    assert!(empty.text.contains(why), "{empty}");
    let missing = Bundle::open(&dir.path().join("none.zip")).unwrap_err();
    assert_eq!(missing.class, ImageErrorClass::BundleIOError);
    let folder = Bundle::open(dir.path()).unwrap_err();
    assert!(folder.text.contains("There is no item named 'index.xml'"), "{folder}");
    assert_eq!(folder.url, Some(format!("file://{}/index.xml", dir.path().display())));
}

/// The files with one of them changed.
fn with(mut files: Files, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Files {
    let file = files.iter_mut().find(|(file, _)| file == name).unwrap();
    file.1 = change(std::mem::take(&mut file.1));
    files
}

#[test]
fn an_index_that_leads_nowhere_is_refused() {
    let (_, files) = u1a();
    let replaced = |from: &'static str, to: &'static str| {
        move |octets: Vec<u8>| {
            let text = String::from_utf8(octets).unwrap();
            assert!(text.contains(from));
            text.replace(from, to).into_bytes()
        }
    };
    for (file, from, to, class, why) in [
        (
            "index.xml",
            "vendor-index.xml",
            "../v.xml",
            ImageErrorClass::MetadataFormatError,
            "The metadata's index.xml cannot be taken: It names the file \"../v.xml\", which does not lie inside of the depot. ",
        ),
        (
            "index.xml",
            "vendor-index.xml",
            "http://x/v.xml",
            ImageErrorClass::MetadataFormatError,
            "It names the file \"http://x/v.xml\", which does not lie inside of the depot. ",
        ),
        (
            "index.xml",
            "vendor-index.xml",
            "other.xml",
            ImageErrorClass::BundleFormatError,
            "The bundle /b.zip cannot be read: \"There is no item named 'other.xml' in the archive\". ",
        ),
        (
            "index.xml",
            "<vendorList>",
            "<vendorList",
            ImageErrorClass::MetadataFormatError,
            "The metadata's index.xml cannot be taken: It is not acceptable XML: ",
        ),
        (
            "index.xml",
            "vendor>",
            "seller>",
            ImageErrorClass::MetadataFormatError,
            "The metadata's index.xml cannot be taken: It names no vendor. ",
        ),
        (
            "vendor-index.xml",
            "metadata>",
            "data>",
            ImageErrorClass::MetadataFormatError,
            "The metadata's vendor-index.xml cannot be taken: It names no metadata. ",
        ),
        (
            "vendor-index.xml",
            "metaList",
            "list",
            ImageErrorClass::MetadataFormatError,
            "The metadata's vendor-index.xml cannot be taken: Its element is not metaList. ",
        ),
        (
            "vendor-index.xml",
            "<url>",
            "<url>/",
            ImageErrorClass::MetadataFormatError,
            "It names the file \"/vmw-ESXi-5.5.0-metadata.zip\", which does not lie inside of the depot. ",
        ),
        (
            "vendor-index.xml",
            "<url>",
            "<url>no-",
            ImageErrorClass::BundleFormatError,
            "\"There is no item named 'no-vmw-ESXi-5.5.0-metadata.zip' in the archive\". ",
        ),
    ] {
        let error = failure(&with(files.clone(), file, replaced(from, to)));
        assert_eq!(error.class, class, "{error}");
        assert!(error.text.contains(why), "{error}");
    }
    let error = failure(&with(files.clone(), "vmw-ESXi-5.5.0-metadata.zip", |zip| zip[..zip.len() - 9].to_vec()));
    assert_eq!(error.class, ImageErrorClass::MetadataFormatError);
    assert!(error.text.starts_with("The metadata ZIP cannot be read: File is not a zip file ("), "{error}");
}

#[test]
fn names_that_lead_out_of_a_bundle_are_refused() {
    let (_, mut files) = u1a();
    files.push(("../../etc/passwd".to_owned(), Vec::new()));
    let error = failure(&files);
    assert_eq!(error.class, ImageErrorClass::BundleFormatError);
    assert_eq!(
        error.text,
        format!(
            "The bundle /b.zip cannot be read: It has a file that is called \"../../etc/passwd\", which does not lie inside \
             of it. {}",
            ImageErrorClass::BundleFormatError.advice()
        )
    );
}

#[test]
fn a_vib_that_is_not_there_is_told_when_it_is_read() {
    let (dir, mut files) = u1a();
    let id = VibId::new(GOLDEN_INSTALLED[1]);
    files.retain(|(name, _)| !name.contains(id.as_str()));
    let path = written(&dir, "b.zip", &zipped(&files));
    let bundle = Bundle::open(&path).unwrap();
    let read = |id: &VibId| bundle.open_vib(id, |_| Ok::<_, ImageError>(())).unwrap_err();
    let error = read(&id);
    let url = format!("zip:{}?vib20/lsi-mr3/{id}.vib", path.display());
    assert_eq!((error.class, error.url.as_deref()), (ImageErrorClass::VibDownloadError, Some(url.as_str())));
    let why = format!("('{url}', '', '\"There is no item named 'vib20/lsi-mr3/{id}.vib' in the archive\"'). ");
    assert!(error.text.starts_with(&why), "{error}");
    assert_eq!(error.vibs, [id]);
    let error = read(&VibId::new("Acme_bootbank_none_1"));
    assert!(error.text.starts_with("No VIB matching VIB search specification 'Acme_bootbank_none_1'. "), "{error}");
}

#[test]
fn a_bundle_of_two_vendors_has_what_both_have() {
    let dir = tempfile::tempdir().unwrap();
    let depot = dir.path().join("depot");
    write_folder(&esxi_5_5_u1a(500).files(), &depot.join("esx/vmw"));
    write_folder(&component_7_0().files(), &depot.join("int"));
    let vendor = |base: &str| {
        format!(
            "<vendor><name>n</name><indexfile>vendor-index.xml</indexfile><relativePath>{base}</relativePath></vendor>"
        )
    };
    let index = format!("<vendorList>{}{}</vendorList>", vendor("esx/vmw/"), vendor("int"));
    std::fs::write(depot.join("index.xml"), index).unwrap();
    let bundle = Bundle::open(&depot).unwrap();
    let metadata = bundle.metadata();
    assert_eq!(metadata.bulletins.len(), 5);
    let versions =
        |vib: &MetadataVib| vib.products.iter().map(|product| product.version.to_string()).collect::<Vec<_>>();
    let base = &metadata.vibs[GOLDEN_INSTALLED[0]];
    assert_eq!(versions(base), ["5.5.0"]);
    assert!(metadata.vibs.values().any(|vib| versions(vib) == ["7.0.0"]));
    assert_eq!(&*base.relative_path, format!("esx/vmw/vib20/esx-base/{}.vib", GOLDEN_INSTALLED[0]));
    assert_eq!(octets_of(&bundle, GOLDEN_INSTALLED[0]).len() as u64, base.packed_size);
}

#[test]
fn a_vib_that_the_bundle_does_not_give_is_told_as_the_bundles_fault() {
    let dir = tempfile::tempdir().unwrap();
    let depot = dir.path().join("depot");
    let vib = Vib::new("one", "1.0-1");
    write_folder(&building::Bundle::of(vec![vib.clone()]).files(), &depot);
    let place = depot.join(vib.relative_path());
    let bundle = Bundle::open(&depot).unwrap();
    let read = || bundle.open_vib(&VibId::new(&vib.id()), |_| Ok::<_, ImageError>(())).unwrap_err();
    std::fs::remove_file(&place).unwrap();
    assert_eq!(read().class, ImageErrorClass::VibDownloadError);
    std::os::unix::fs::symlink("/etc/passwd", &place).unwrap();
    let error = read();
    assert_eq!(error.class, ImageErrorClass::BundleFormatError);
    assert!(error.text.contains("is or lies behind a symbolic link, and links are not followed. "), "{error}");
    assert_eq!(error.vibs, [VibId::new(&vib.id())]);
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    assert_eq!(read().class, ImageErrorClass::BundleIOError);
}

#[test]
fn the_bundle_in_a_zip_is_the_one_that_has_an_index() {
    let inner = zipped(&building::Bundle::of(vec![Vib::new("one", "1.0-1")]).files());
    let other = zipped(&vec![("readme.txt".to_owned(), Vec::new())]);
    let files = |names: [(&str, &Vec<u8>); 3]| names.map(|(name, octets)| (name.to_owned(), octets.clone())).to_vec();
    let error = failure(&files([("docs.zip", &other), ("no.zip", &vec![1, 2]), ("offline.zip", &inner)]));
    assert_eq!(error.class, ImageErrorClass::MetadataDownloadError);
    let advice = "It holds offline.zip, which may be the bundle: unpack that and name it instead.";
    assert!(error.text.ends_with(advice), "{error}");
    let error = failure(&files([("docs.zip", &other), ("no.zip", &vec![1, 2]), ("a.txt", &inner)]));
    assert!(error.text.ends_with("Name an offline bundle, complete as its vendor published it."), "{error}");
}
