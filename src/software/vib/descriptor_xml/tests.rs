use super::super::{
    AcceptanceLevel, ChecksumAlgorithm, Checksummed, Descriptor, ImageErrorClass, MaintenanceModeNeed, VibType,
};

const DIGEST: &str = "5212ede1aabbccddeeff00112233445566778899aabbccddeeff001122334455";
const SHA1: &str = "af4c7ef6aabbccddeeff00112233445566778899";

/// A descriptor as VMware's tools write it, with everything in it.
fn full() -> String {
    format!(
        "<vib version=\"5.0\"><type>bootbank</type><name>esx-base</name><version>7.0.0-1.0.15843807</version>\
         <vendor>VMware</vendor><summary>ESXi &amp; base</summary><description>ESXi\nbase</description>\
         <release-date>2020-03-16T09:40:25.912575+00:00</release-date><urls><url key=\"kb\">https://kb.example.com/1</url></urls>\
         <relationships><depends><constraint name=\"esx-update\" relation=\"&gt;=\" version=\"7.0.0-1.0\"/>\
         <constraint name=\"esx-update\" relation=\"&lt;&lt;\" version=\"7.0.0-1.1\"/></depends>\
         <conflicts><constraint name=\"misc-drivers\" relation=\"&lt;&lt;\" version=\"5.5.0\"/></conflicts>\
         <replaces><constraint name=\"esx-xlibs\"/></replaces><provides><provide name=\"vmkapi_2_2_0_0\"/>\
         <provide name=\"esx-version\" version=\"7.0.0\"/></provides><compatibleWith/></relationships>\
         <software-tags><tag>driver</tag></software-tags><installdate>2021-01-02T03:04:05+00:00</installdate>\
         <system-requires><maintenance-mode on-install=\"true\" on-remove=\"false\"/><hwplatform vendor=\"Acme\" model=\"One\"/>\
         <hwplatform vendor=\"Other\"/><softwarePlatform version=\"7.*\" locale=\"\" productLineID=\"embeddedEsx\"/>\
         </system-requires><file-list><file>etc/vmware/a b.xml</file></file-list><acceptance-level>certified</acceptance-level>\
         <live-install-allowed>false</live-install-allowed><live-remove-allowed>true</live-remove-allowed>\
         <cimom-restart>true</cimom-restart><stateless-ready>true</stateless-ready><overlay>false</overlay><payloads>\
         <payload name=\"b\" type=\"boot\" size=\"331\" vfat-name=\"b.b00\"><checksum checksum-type=\"sha-256\">{DIGEST}</checksum>\
         <checksum checksum-type=\"sha-1\" verify-process=\"gunzip\">{SHA1}</checksum></payload></payloads></vib>"
    )
}

/// The shortest that can be read.
fn short() -> String {
    "<vib><vendor>Acme</vendor><name>demo</name><type>bootbank</type><version>1.0-1</version></vib>".to_owned()
}

#[test]
fn what_vmware_writes_is_read_and_written_octet_by_octet() {
    let read = Descriptor::from_xml(&full()).unwrap();
    assert_eq!(read.id().as_str(), "VMware_bootbank_esx-base_7.0.0-1.0.15843807");
    assert_eq!(read.summary.as_ref(), "ESXi & base");
    let depends: Vec<String> = read.depends.iter().map(ToString::to_string).collect();
    assert_eq!(depends, ["esx-update >= 7.0.0-1.0", "esx-update << 7.0.0-1.1"]);
    assert_eq!(read.maintenance_mode, MaintenanceModeNeed { on_install: true, on_remove: false });
    assert_eq!(read.hardware.len(), 2);
    assert_eq!(read.platforms[0].product_line.as_ref(), "embeddedEsx");
    assert_eq!(read.acceptance_level, AcceptanceLevel::Certified);
    assert!(!read.live_install_allowed && read.live_remove_allowed && read.cimom_restart && !read.overlay);
    let payload = &read.payloads[0];
    assert_eq!((payload.size, payload.vfat_name.as_deref()), (331, Some("b.b00")));
    let digests: Vec<_> = payload.checksums.iter().map(|c| (c.algorithm, c.of, &*c.digest)).collect();
    assert_eq!(
        digests,
        [
            (ChecksumAlgorithm::Sha256, Checksummed::Stored, DIGEST),
            (ChecksumAlgorithm::Sha1, Checksummed::Gunzipped, SHA1)
        ]
    );
    assert!(read.installed_at.is_some());
    // The writer closes every element that holds nothing in the short form, as VMware's does.
    assert_eq!(read.to_xml(), full());
}

#[test]
fn children_stand_in_any_order_and_defaults_are_those_of_vib_author() {
    let read = Descriptor::from_xml(&short()).unwrap();
    assert_eq!(read.id().as_str(), "Acme_bootbank_demo_1.0-1");
    assert_eq!((read.vib_type, read.acceptance_level), (VibType::Bootbank, AcceptanceLevel::Community));
    assert!(!read.live_install_allowed && !read.live_remove_allowed && !read.stateless_ready);
    assert_eq!(read.release_date, None);
    assert_eq!(Descriptor::from_xml(&read.to_xml()), Ok(read));
}

#[test]
fn versions_that_were_seen_are_taken() {
    for version in ["3.7.13.7.14iov-11vmw.550.0.0.1331820", "CMU 2.3.0", "8.045a-napi", "03-02.04"] {
        let read = Descriptor::from_xml(&short().replace("1.0-1", version)).unwrap();
        assert_eq!(read.version.as_str(), version);
    }
}

/// What is wrong when one text of a good descriptor is another.
fn problem(good: &str, from: &str, to: &str) -> (ImageErrorClass, String) {
    assert!(good.contains(from), "{from}");
    let error = Descriptor::from_xml(&good.replacen(from, to, 1)).unwrap_err();
    assert!(error.text.ends_with(error.class.advice()), "{error}");
    (error.class, error.text)
}

#[test]
fn a_broken_rule_is_told_with_the_vib() {
    let full = full();
    for (from, to, rule) in [
        (
            "<name>esx-base",
            "<name>esx/base",
            "Element name has at most 35 letters, digits, '.', '_' and '-', and is not \"esx/base\"",
        ),
        (
            "<name>esx-base",
            "<name>..",
            "Element name has at most 35 letters, digits, '.', '_' and '-', and is not \"..\"",
        ),
        ("<name>esx-base</name>", "", "Element name is missing or empty"),
        ("<name>", "<name>a</name><name>", "Element name occurs more than once"),
        ("<type>bootbank", "<type>rpm", "Element type is bootbank, locker or meta, and not \"rpm\""),
        (
            "etc/vmware/a b.xml",
            "/etc/a",
            "A file is named by a path below the root, without '..', and not by \"/etc/a\"",
        ),
        (
            "etc/vmware/a b.xml",
            "etc/../../a",
            "A file is named by a path below the root, without '..', and not by \"etc/../../a\"",
        ),
        (
            "etc/vmware/a b.xml",
            "etc/vmware/",
            "A file is named by a path below the root, without '..', and not by \"etc/vmware/\"",
        ),
        ("size=\"331\"", "size=\"-1\"", "The size of a payload is a number, and not \"-1\""),
        (
            "name=\"b\" type",
            "name=\"../b\" type",
            "The name of a payload has at most 64 letters, digits, '.', '_' and '-', and is not \"../b\"",
        ),
        (
            "b.b00",
            "b/b00",
            "The name of a payload has at most 64 letters, digits, '.', '_' and '-', and is not \"b/b00\"",
        ),
        (DIGEST, "12ab", "A checksum of its type has 64 hexadecimal digits, and is not \"12ab\""),
        ("<overlay>false", "<overlay>no", "overlay is true or false, and not \"no\""),
        (
            "certified",
            "gold",
            "Element acceptance-level: the acceptance level is community, partner, accepted or certified, and not \"gold\"",
        ),
        ("2020-03-16T09:40:25.912575+00:00", "yesterday", "Element release-date is no time of ISO 8601: \"yesterday\""),
        (" version=\"7.0.0-1.1\"", "", "A constraint on esx-update has only one of relation and version"),
        ("&gt;=", "~", "A relation is <<, <=, =, >= or >>, and not \"~\""),
        (
            "<constraint name=\"esx-update\" ",
            "<constraint name=\"esx-base\" ",
            "A constraint of depends is met by the VIB itself: esx-base >= 7.0.0-1.0",
        ),
        (
            "</payloads>",
            "<payload name=\"b\" type=\"boot\" size=\"1\"/></payloads>",
            "Payload b has no checksum of type sha-256 of its stored octets",
        ),
    ] {
        let (class, text) = problem(&full, from, to);
        assert_eq!(class, ImageErrorClass::VibValidationError, "{text}");
        assert!(
            text.starts_with("VIB ") && text.contains(&format!(" violates extensibility rule checks: ['{rule}']. ")),
            "{text}"
        );
    }
    let payload = full[full.find("<payload ").unwrap()..full.find("</payloads>").unwrap()].to_owned();
    let (_, text) = problem(&full, &payload, &payload.repeat(2));
    assert!(text.contains("['Two payloads are called b']"), "{text}");
    let error = Descriptor::from_xml(&full.replacen("certified", "gold", 1)).unwrap_err();
    assert_eq!(error.vibs[0].as_str(), "VMware_bootbank_esx-base_7.0.0-1.0.15843807");
}

#[test]
fn a_digest_of_a_type_to_come_may_stand_beside_the_known_ones() {
    let more = full().replace("</payload>", "<checksum checksum-type=\"sha-512\">00</checksum></payload>");
    assert_eq!(Descriptor::from_xml(&more), Descriptor::from_xml(&full()));
    let (_, text) = problem(&full(), "checksum-type=\"sha-256\"", "checksum-type=\"sha-512\"");
    assert!(text.contains("['Payload b has no checksum of type sha-256 of its stored octets']"), "{text}");
}

#[test]
fn what_is_no_descriptor_is_told_apart() {
    let (class, text) = problem(&short(), "</vib>", "");
    assert_eq!(class, ImageErrorClass::VibFormatError);
    assert!(
        text.starts_with("The VIB's descriptor.xml is not acceptable XML: an element does not end (line 1, "),
        "{text}"
    );
    let bomb = format!("<!DOCTYPE vib [<!ENTITY a \"aaaa\">]>{}", short().replace("demo", "&a;"));
    let error = Descriptor::from_xml(&bomb).unwrap_err();
    assert!(error.text.contains("a document type declaration is not accepted"), "{error}");
    let error = Descriptor::from_xml("<bulletin/>").unwrap_err();
    assert!(error.text.contains("and this is an element bulletin"), "{error}");
    let old = "<vib><vibVersion>1.4.5</vibVersion><vibType>rpm</vibType></vib>";
    let error = Descriptor::from_xml(old).unwrap_err();
    assert_eq!(error.class, ImageErrorClass::VibFormatError);
    assert!(error.text.starts_with("This is a VIB of version 1.x, as ESX and ESXi 4 have them"), "{error}");
    let error = Descriptor::from_xml(&" ".repeat(super::DESCRIPTOR_LIMIT + 1)).unwrap_err();
    assert!(error.text.contains("has 8388609 octets, more than 8388608"), "{error}");
}
