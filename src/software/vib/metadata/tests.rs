use std::io::Cursor;

use super::super::building::release::{GOLDEN_INSTALLED, component_7_0, esxi_5_5_u1a};
use super::super::building::{self, Files, zipped};
use super::super::error::ImageErrorClass;
use super::*;

fn read(files: &Files) -> Result<Metadata, ImageError> {
    Metadata::read(Cursor::new(zipped(files)))
}

fn u1a() -> Files {
    esxi_5_5_u1a(500).metadata_files()
}

#[test]
fn a_package_tells_of_bulletins_vibs_and_profiles() {
    let metadata = read(&u1a()).unwrap();
    let base = &metadata.vibs[GOLDEN_INSTALLED[0]];
    assert_eq!(base.products.iter().map(|product| &*product.version).collect::<Vec<_>>(), ["5.5.0"]);
    let bulletin = &metadata.bulletins[1];
    assert_eq!(
        [&bulletin.id, &bulletin.vendor, &bulletin.summary, &bulletin.severity, &bulletin.category, &bulletin.urgency]
            .map(|text| &**text),
        ["ESXi550-201404401-SG", "VMware, Inc.", "Updates esx-base", "critical", "security", "critical"]
    );
    assert_eq!(
        [&bulletin.release_type, &bulletin.description, &bulletin.kb_url, &bulletin.contact].map(|text| &**text),
        [
            "patch",
            "For more information, see the article.",
            "http://kb.example.com/2076665",
            "http://www.example.com/support"
        ]
    );
    assert_eq!(bulletin.release_date.unwrap().timestamp(), 1_397_865_600);
    assert_eq!((bulletin.platforms[0].version.as_ref(), &bulletin.component), ("5.*", &None));
    assert_eq!(bulletin.vibs, [VibId::new("VMware_bootbank_esx-base_5.5.0-1.16.1746018")]);
    let vib = &metadata.vibs[&bulletin.vibs[0]];
    assert!(vib.is_complete);
    assert_eq!(vib.descriptor.payloads.len(), 2);
    assert_eq!(&*vib.relative_path, "vib20/esx-base/VMware_bootbank_esx-base_5.5.0-1.16.1746018.vib");
    let profile = metadata.profiles.iter().find(|profile| profile.name.ends_with("no-tools")).unwrap();
    assert_eq!((profile.creator.as_ref(), profile.acceptance_level.word()), ("VMware, Inc.", "partner"));
    assert_eq!(profile.vibs.len() + 1, metadata.vibs.len());
    assert!(profile.vibs.iter().any(|vib| vib.payloads.contains(&("k".into(), "k.b00".into()))));
}

#[test]
fn components_of_7_0_have_their_names() {
    let metadata = read(&component_7_0().metadata_files()).unwrap();
    let component = metadata.bulletins[0].component.as_ref().unwrap();
    assert_eq!((component.name.as_ref(), component.ui_version.as_ref()), ("Intel-i40en", "1.10.6-1"));
    assert_eq!(component.ui_name.as_ref(), "Network driver for Intel X710");
    assert_eq!(component.version.as_ref(), "1.10.6-1OEM.700.1.0.15843807");
}

#[test]
fn vmware_xml_alone_tells_what_a_scan_needs() {
    let mut files = u1a();
    let whole = read(&files).unwrap();
    files.retain(|(name, _)| !name.starts_with("bulletins/") && !name.starts_with("vibs/"));
    let consolidated = read(&files).unwrap();
    assert_eq!(consolidated.bulletins, whole.bulletins);
    assert_eq!(consolidated.vibs.keys().collect::<Vec<_>>(), whole.vibs.keys().collect::<Vec<_>>());
    for (one, other) in consolidated.vibs.values().zip(whole.vibs.values()) {
        assert!(!one.is_complete);
        assert_eq!((one.packed_size, &one.sha256), (other.packed_size, &other.sha256));
        assert_eq!(one.relative_path, other.relative_path);
        let (one, other) = (&one.descriptor, &other.descriptor);
        assert_eq!((&one.depends, &one.replaces, &one.provides), (&other.depends, &other.replaces, &other.provides));
        assert_eq!(
            (one.live_install_allowed, one.maintenance_mode),
            (other.live_install_allowed, other.maintenance_mode)
        );
        assert_eq!(one.tags, other.tags);
    }
}

#[test]
fn the_folders_come_before_vmware_xml_which_fills_their_gaps() {
    let mut files = u1a();
    let whole = read(&files).unwrap();
    let mut fewer = files.clone();
    fewer.retain(|(name, _)| !name.starts_with("vibs/lsi-mr3"));
    let metadata = read(&fewer).unwrap();
    assert_eq!(metadata.vibs.values().filter(|vib| !vib.is_complete).count(), 1);
    assert!(!metadata.vibs["VMware_bootbank_lsi-mr3_0.255.03.01-2vmw.550.1.16.1746018"].is_complete);
    // With all VIBs there, nobody looks into it.
    assert_eq!(files[0].0, "vmware.xml");
    files[0].1 = b"no XML".to_vec();
    assert!(read(&files).unwrap() == whole);
}

/// What is wrong when a text in a file of the package is another.
fn failure(files: &Files, name: &str, from: &str, to: &str) -> ImageError {
    let mut files = files.clone();
    let (_, octets) = files.iter_mut().find(|(file, _)| file.starts_with(name)).unwrap();
    let text = String::from_utf8(octets.clone()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    *octets = text.replacen(from, to, 1).into_bytes();
    read(&files).unwrap_err()
}

#[test]
fn what_is_wrong_is_told_with_file_and_class() {
    use ImageErrorClass::{BulletinValidationError, MetadataFormatError, VibValidationError};
    let base = "VMware_bootbank_esx-base_5.5.0-1.16.1746018";
    for (file, from, to, class, why) in [
        ("bulletins/ESXi550-201404401", "<bulletin>", "<bulletin", MetadataFormatError, "The metadata's bulletins/ESXi550-201404401-SG.xml cannot be taken: It is not acceptable XML: ".to_owned()),
        ("bulletins/ESXi550-201404401", "bulletin>", "!DOCTYPE a [<!ENTITY b \"c\">]><bulletin>", MetadataFormatError, "a document type declaration is not accepted".to_owned()),
        ("bulletins/ESXi550-201404401", "<id>ESXi550-201404401-SG</id>", "", BulletinValidationError, "Bulletin \"\" of the metadata's bulletins/ESXi550-201404401-SG.xml cannot be taken: Element id is missing, empty or longer than 256 octets. ".to_owned()),
        ("bulletins/ESXi550-201404401", "2014-04-19T", "tomorrow", BulletinValidationError, "Bulletin \"ESXi550-201404401-SG\" of the metadata's bulletins/ESXi550-201404401-SG.xml cannot be taken: Element releaseDate is no time of ISO 8601: \"tomorrow00:00:00+00:00\". ".to_owned()),
        ("bulletins/ESXi550-201404401", base, "", BulletinValidationError, "An element vibID is missing, empty or longer than 256 octets. ".to_owned()),
        ("vibs/esx-base", "<relative-path>vib20", "<relative-path>../vib20", VibValidationError, format!("VIB {base} violates extensibility rule checks: ['It names the file \"../vib20/esx-base/{base}.vib\", which does not lie inside of the depot']. ")),
        ("vibs/esx-base", "<packed-size>", "<packed-size>x", VibValidationError, format!("VIB {base} violates extensibility rule checks: ['Element packed-size is a number, and not \"x")),
        ("vibs/esx-base", "<name>esx-base", "<name>esx base", VibValidationError, "VIB VMware_bootbank_esx base_5.5.0-1.16.1746018 violates extensibility rule checks: ['Element name has at most ".to_owned()),
        ("vibs/esx-base", "<vib ", "<vibration ", MetadataFormatError, "The metadata's vibs/esx-base-".to_owned()),
        ("vendor-index.xml", "metaList", "list", MetadataFormatError, "The metadata's vendor-index.xml cannot be taken: ".to_owned()),
        ("profiles/ESXi-5.5.0-20140404001-no-tools", "<acceptancelevel>partner", "<acceptancelevel>gold", MetadataFormatError, "The metadata's profiles/ESXi-5.5.0-20140404001-no-tools.xml cannot be taken: Element acceptancelevel: the acceptance level is community, partner, accepted or certified, and not \"gold\". ".to_owned()),
    ] {
        let error = failure(&u1a(), file, from, to);
        assert_eq!(error.class, class, "{error}");
        assert!(error.text.contains(&why), "{error}\n{why}");
    }
}

#[test]
fn what_is_wrong_in_vmware_xml_is_told() {
    use ImageErrorClass::{MetadataFormatError, VibValidationError};
    let files = building::Bundle { has_folders: false, ..esxi_5_5_u1a(500) }.metadata_files();
    for (from, to, class, why) in [
        (
            "<metadataResponse>",
            "<metadata>",
            MetadataFormatError,
            "The metadata's vmware.xml cannot be taken: Its element is not metadataResponse. ",
        ),
        (
            "<metadataResponse>",
            "<!DOCTYPE a><metadataResponse>",
            MetadataFormatError,
            "A document type declaration is not accepted. ",
        ),
        ("</metadataResponse>", "", MetadataFormatError, "The metadata's vmware.xml cannot be taken: It breaks off. "),
        (
            "</bulletin>",
            "</bulletins>",
            MetadataFormatError,
            "The metadata's vmware.xml cannot be taken: It is not acceptable XML: ",
        ),
        (
            "<vibType>bootbank",
            "<vibType>rpm",
            MetadataFormatError,
            "is a VIB of version 1.x, as ESX and ESXi 4 have them; only VIBs of version 2.0, ",
        ),
        (
            "<vibType>bootbank",
            "<vibType>box",
            VibValidationError,
            "['Element vibType is bootbank, locker or meta, and not \"box\"']. ",
        ),
        ("<packedSize>", "<packedSize>-", VibValidationError, "['Element packedSize is a number, and not \"-"),
        (
            "<name>esx-base",
            "<name>esx-bass",
            VibValidationError,
            "violates extensibility rule checks: ['Its parts make the id VMware_bootbank_esx-bass_",
        ),
        ("vib20/", "/vib20/", VibValidationError, "which does not lie inside of the depot']. "),
    ] {
        let error = failure(&files, "vmware.xml", from, to);
        assert_eq!(error.class, class, "{error}");
        assert!(error.text.contains(why), "{error}\n{why}");
    }
}

#[test]
fn one_id_is_one_content() {
    let files = u1a();
    let (name, octets) = files.iter().find(|(name, _)| name.starts_with("vibs/esx-base")).unwrap();
    let twice = |from: &str, to: &str| {
        let text = String::from_utf8(octets.clone()).unwrap();
        assert!(text.contains(from));
        let mut files = files.clone();
        files.push((name.replace("esx-base", "esx-base-2"), text.replacen(from, to, 1).into_bytes()));
        read(&files)
    };
    assert_eq!(twice("", ""), read(&files));
    for (from, to, attribute) in [
        ("<packed-size>", "<packed-size>1", "packedsize"),
        ("<payload name=\"k\"", "<payload name=\"q\"", "payloads"),
        ("<file>", "<file>usr/", "filelist"),
        ("<constraint name=\"esx-tboot\"", "<constraint name=\"esx-uboot\"", "relationships"),
        ("<overlay>false", "<overlay>true", "other"),
    ] {
        let error = twice(from, to).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::ValueError);
        let id = "VMware_bootbank_esx-base_5.5.0-1.16.1746018";
        let start = format!("Cannot merge VIBs {id}, {id} with unequal {attribute} attributes. ");
        assert!(error.text.starts_with(&start), "{error}");
    }
}

#[test]
fn bulletins_of_one_id_are_put_together() {
    let mut files = u1a();
    let (_, octets) = files.iter().find(|(name, _)| name.starts_with("bulletins/ESXi550-201404401")).unwrap();
    let other = String::from_utf8(octets.clone()).unwrap();
    let other = other.replace("5.*", "6.*").replace("2014-04-19", "2014-05-19").replace("Updates", "Renews");
    files.push(("bulletins/other.xml".to_owned(), other.into_bytes()));
    let metadata = read(&files).unwrap();
    assert_eq!(metadata.bulletins.len(), 4);
    let bulletin = &metadata.bulletins[1];
    assert_eq!((bulletin.platforms.len(), bulletin.vibs.len()), (2, 1));
    assert_eq!(&*bulletin.summary, "Renews esx-base");
}

#[test]
fn what_is_no_metadata_is_told() {
    let error = read(&vec![("index.xml".to_owned(), Vec::new())]).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::MetadataFormatError);
    assert!(
        error.text.starts_with("The ZIP is no metadata: it has neither vmware.xml nor bulletins or vibs. "),
        "{error}"
    );
    let error = Metadata::read(Cursor::new(b"<html>not found</html>")).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::MetadataFormatError);
    let why = "The metadata ZIP cannot be read: File is not a zip file (it has no directory at its end). ";
    assert!(error.text.starts_with(why), "{error}");
    let bomb = vec![("bulletins/a.xml".to_owned(), vec![b' '; (1 << 20) + 1])];
    let error = read(&bomb).unwrap_err();
    assert!(error.text.contains("bulletins/a.xml is longer than the 1048576 octets that are allowed"), "{error}");
}

#[test]
fn what_there_may_be_is_bounded() {
    let response = |content: &str| {
        read(&vec![("vmware.xml".to_owned(), format!("<metadataResponse>{content}</metadataResponse>").into_bytes())])
    };
    let error = response(&"<bulletin><id>a</id></bulletin>".repeat(20_001)).unwrap_err();
    let why = "The metadata ZIP cannot be read: It has more than the 20000 bulletins that are allowed. ";
    assert!(error.text.starts_with(why), "{error}");
    let list = |item: &str, count: usize| {
        let lists = format!("<platforms>{item}</platforms><vibList>{item}</vibList>");
        response(&format!("<bulletin><id>a</id>{}</bulletin>", lists.replace(item, &item.repeat(count)))).unwrap_err()
    };
    let error = list("<vibID>a</vibID>", 10_001);
    assert_eq!(error.class, ImageErrorClass::BulletinValidationError);
    let why = "Bulletin \"a\" of the metadata's vmware.xml cannot be taken: It has more than the 10000 VIBs that are allowed. ";
    assert!(error.text.starts_with(why), "{error}");
    let error = list("<softwarePlatform/>", 257);
    assert!(error.text.contains(": It is for more than the 256 products that are allowed. "), "{error}");
}

#[test]
fn copies_of_a_long_bulletin_are_put_together_at_once() {
    let list = |letter: char| (0..10_000).map(|n| format!("<vibID>{letter}{n}</vibID>")).collect::<String>();
    let bulletin = |letter| format!("<bulletin><id>a</id><vibList>{}</vibList></bulletin>", list(letter));
    let copies: String = ('a'..='j').chain('a'..='j').map(bulletin).collect();
    let xml = format!("<metadataResponse>{copies}</metadataResponse>");
    let metadata = read(&vec![("vmware.xml".to_owned(), xml.into_bytes())]).unwrap();
    assert_eq!(metadata.bulletins[0].vibs.len(), 100_000);
}

#[test]
fn profiles_are_written_and_read_back() {
    for profile in read(&u1a()).unwrap().profiles {
        assert_eq!(ImageProfile::from_xml(&profile.to_xml()), Ok(profile));
    }
    let other = "<imageprofile><name>n</name><viblist><vib><vib-id>A_bootbank_b_1</vib-id><payloads>\
                 <payload payload-name=\"p\" vfat-name=\"p.v00\"/></payloads></vib></viblist></imageprofile>";
    let profile = ImageProfile::from_xml(other).unwrap();
    assert_eq!((profile.vibs[0].id.as_str(), profile.vibs[0].payloads.len()), ("A_bootbank_b_1", 1));
    for (text, why) in [
        ("<imageprofile/>", "The image profile cannot be taken: Element name is missing or empty. "),
        ("<profile/>", "An image profile is an element imageprofile, and this is an element profile. "),
        ("<imageprofile><name>n</name><viblist><vib/></viblist></imageprofile>", "Element vib has no id. "),
        (
            "<imageprofile><name>n</name><viblist><vib id=\"a\"><payload payload-name=\"p\" vfat-name=\"../p\"/></vib></viblist>\
             </imageprofile>",
            "The name of a payload has at most 64 letters, digits, '.', '_' and '-', and is not \"../p\". ",
        ),
        ("", "It is not acceptable XML: there is no element in it (line 1, column 1). "),
    ] {
        let error = ImageProfile::from_xml(text).unwrap_err();
        assert_eq!(error.class, ImageErrorClass::ProfileValidationError);
        assert!(error.text.contains(why), "{error}");
    }
}
