//! Looks into tars of both forms, whole and damaged.

use proptest::prelude::*;

use super::super::building::payload::{set_checksum, tar, tar_header, visor_tar};
use super::*;

/// What is found wrong with a content.
fn told(content: &[u8]) -> String {
    told_of(content, 100)
}

fn told_of(mut content: &[u8], most: usize) -> String {
    match check(&mut content, most, &|_| true) {
        Ok(()) => "fine".to_owned(),
        Err(ContentProblem::Wrong(why) | ContentProblem::Unlisted(why)) => why,
        Err(ContentProblem::Read(error)) => panic!("{error}"),
    }
}

/// A tar of one entry of this kind.
fn entry(flag: u8, name: &str, link: &str, offset: Option<u32>) -> Vec<u8> {
    let mut header = tar_header(name, None, 0, offset);
    header[156] = flag;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    set_checksum(&mut header);
    [header.as_slice(), &[0; 1024]].concat()
}

#[test]
fn both_forms_are_read() {
    let files: [(&str, &[u8]); 3] = [("etc/a", b"a"), ("etc/empty", b""), ("opt/b", &[1; 1000])];
    assert_eq!(told(&visor_tar(&files, 0)), "fine");
    assert_eq!(told(&tar(&files)), "fine");
    assert_eq!(told_of(&visor_tar(&files, 0), 4), "has more than 4 entries");
    assert_eq!(told_of(&tar(&files), 4), "has more than 4 entries");
    assert_eq!(told_of(&tar(&files), 5), "fine");
    assert_eq!(told(&[0; 1024]), "fine", "nothing in it");
    assert_eq!(told(b"\xfd7zXZ\0 and what follows"), "fine", "xz is not looked into");
    let unended = tar(&files);
    assert_eq!(told(&unended[..unended.len() - 1024]), "fine");
}

#[test]
fn damage_is_told() {
    let files: [(&str, &[u8]); 2] = [("a", b"content"), ("b", b"content")];
    let (visor, tar) = (visor_tar(&files, 0), tar(&files));
    assert_eq!(told(b"short"), "is cut off in its first header");
    assert_eq!(told(&visor[..600]), "is cut off between its headers");
    assert_eq!(told(&visor[..visor.len() - 1]), "has a file whose content lies outside of it");
    assert_eq!(told(&tar[..600]), "is cut off");
    assert_eq!(told(&[b'x'; 512]), "has a header with a wrong checksum");
    let mut changed = visor.clone();
    changed[3] = b'x';
    assert_eq!(told(&changed), "has a header with a wrong checksum");
    let mut mixed = visor;
    mixed[512..1024].copy_from_slice(&tar_header("b", Some(b""), 0, None));
    assert_eq!(told(&mixed), "has a header that is none of a visor tar");
    let within = [tar_header("a", Some(b"content"), 0, Some(512)).as_slice(), &[0; 1024]].concat();
    assert_eq!(told(&within), "has a file whose content lies outside of it", "it lies in the headers");
}

#[test]
fn only_what_stays_inside_is_taken() {
    for offset in [None, Some(0)] {
        let told = |flag, name: &str, link: &str| told(&entry(flag, name, link, offset));
        for (flag, name, link) in [
            (b'5', "./", ""),
            (b'0', "./etc/a..b", ""),
            (b'2', "bin/sh", "/usr/lib/busybox"),
            (b'2', "usr/bin/sh", "../../bin/sh"),
            (b'1', "bin/sh", "bin/busybox"),
        ] {
            assert_eq!(told(flag, name, link), "fine", "{name} {link}");
        }
        for (flag, name, link) in [
            (b'0', "/etc/a", ""),
            (b'0', "etc/../a", ""),
            (b'0', "etc/a\nb", ""),
            (b'5', "..", ""),
            (b'2', "bin/sh", "../../etc/passwd"),
            (b'2', "bin/sh", "/../etc/passwd"),
            (b'1', "bin/sh", "../etc/passwd"),
        ] {
            assert_eq!(told(flag, name, link), format!("has {name:?}, which leaves the image"), "{link}");
        }
        assert_eq!(told(b'3', "dev/sda", ""), "has \"dev/sda\", which is no file, folder or link");
    }
    let mut prefixed = tar_header("passwd", Some(b""), 0, None);
    prefixed[345..351].copy_from_slice(b"../etc");
    set_checksum(&mut prefixed);
    assert_eq!(told(&prefixed), "has \"../etc/passwd\", which leaves the image");
}

#[test]
fn long_names_count() {
    let named = |flag, content: &[u8]| {
        let mut header = tar_header("long", Some(content), 0, None);
        header[156] = flag;
        set_checksum(&mut header);
        let content = [content, &vec![0; content.len().next_multiple_of(512) - content.len()]].concat();
        [header.as_slice(), &content, &tar_header("short", Some(b""), 0, None), &[0; 512]].concat()
    };
    assert_eq!(told(&named(b'L', b"a/long/name\0")), "fine");
    assert_eq!(told(&named(b'L', b"/a/long/name\0")), "has \"/a/long/name\", which leaves the image");
    assert_eq!(told(&named(b'x', b"14 path=../etc\n")), "has damaged pax records");
    assert_eq!(told(&named(b'x', b"15 path=../etc\n")), "has \"../etc\", which leaves the image");
    assert_eq!(told(&named(b'x', b"13 size=9999\n")), "is cut off");
    assert_eq!(told(&named(b'x', b"99 path=x\n")), "has damaged pax records");
    assert_eq!(told(&named(b'g', b"10 path=x\n")), "fine");
    assert_eq!(told(&named(b'L', &vec![b'a'; 70_000])), "has a name that is too long");
}

proptest! {
    #[test]
    fn any_octets_are_judged(octets in proptest::collection::vec(any::<u8>(), 0..2000), at in 0..3000_usize, to: u8) {
        let _ = told(&octets);
        for mut whole in [visor_tar(&[("a/b", b"c")], 0), tar(&[("a/b", b"c")])] {
            if let Some(octet) = whole.get_mut(at) {
                *octet = to;
            }
            let _ = told(&whole);
        }
    }
}
