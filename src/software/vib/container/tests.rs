use std::io::{Cursor, Write};
use std::os::unix::fs::symlink;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn refusal(octets: Vec<u8>) -> String {
    match Zip::open(Cursor::new(octets)) {
        Ok(zip) => panic!("taken: {:?}", zip.names().collect::<Vec<_>>()),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn files_of_a_zip_are_read_under_limits() {
    let mut zip = Zip::open(Cursor::new(zip_of(&[("a", b"one"), ("b/c", &[7; 5000])]))).unwrap();
    assert_eq!(zip.names().collect::<Vec<_>>(), ["a", "b/c"]);
    assert_eq!(zip.read("a", 3).unwrap(), b"one");
    assert_eq!(zip.read("b/c", 5000).unwrap(), [7; 5000]);
    assert_eq!(zip.read("b/c", 4999).unwrap_err().to_string(), "b/c is longer than the 4999 octets that are allowed");
    assert_eq!(
        zip.read("index.xml", 9).unwrap_err().to_string(),
        "\"There is no item named 'index.xml' in the archive\""
    );
}

#[test]
fn names_stay_inside() {
    for name in ["../a", "a/../../b", "/etc/passwd", "a\\b", "a//b", "./a"] {
        let why = refusal(zip_of(&[("fine", b""), (name, b"x")]));
        assert_eq!(why, format!("It has a file that is called {name:?}, which does not lie inside of it"));
    }
}

#[test]
fn a_zip_that_breaks_off_is_none() {
    let whole = zip_of(&[("a", b"one"), ("b", b"two")]);
    for length in 0..whole.len() {
        assert!(refusal(whole[..length].to_vec()).starts_with("File is not a zip file ("), "{length}");
    }
    assert_eq!(refusal([&whole[..], b"more"].concat()), "File is not a zip file (something stands behind its end)");
    assert_eq!(
        refusal([b"more", &whole[..]].concat()),
        "File is not a zip file (its directory is not where its end says)"
    );
}

/// A ZIP with another end, its directory's size and place as they were.
fn with_end(mut zip: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let end = zip.len() - 22;
    change(&mut zip[end..]);
    zip
}

#[test]
fn an_end_that_lies_is_seen_before_the_directory_is_read() {
    let whole = zip_of(&[("a", b"one")]);
    let more = with_end(whole.clone(), |end| end[8..12].fill(0xFE));
    assert!(refusal(more).starts_with("File is not a zip file ("));
    let parts = with_end(whole.clone(), |end| end[4] = 1);
    assert_eq!(refusal(parts), "File is not a zip file (it is a part of several)");
    let elsewhere = with_end(whole.clone(), |end| end[16] += 1);
    assert_eq!(refusal(elsewhere), "File is not a zip file (its directory is not where its end says)");
    let zip64 = with_end(whole, |end| end[8..20].fill(0xFF));
    assert_eq!(refusal(zip64), "File is not a zip file (its ZIP64 directory is not where its end says)");
}

#[test]
fn too_many_files_are_refused_by_their_count() {
    let mut zip = b"PK\x06\x06".to_vec();
    zip.extend(44u64.to_le_bytes());
    zip.extend([0; 12]);
    for number in [1u64 << 40, 1 << 40, 46 << 40, 0] {
        zip.extend(number.to_le_bytes());
    }
    zip.extend(b"PK\x06\x07\0\0\0\0");
    zip.extend(0u64.to_le_bytes());
    zip.extend([1, 0, 0, 0]);
    zip.extend(b"PK\x05\x06");
    zip.extend([0, 0, 0, 0]);
    zip.extend([0xFF; 12]);
    zip.extend([0, 0]);
    assert_eq!(refusal(zip), "It has 1099511627776 files, more than the 65535 that are allowed");
}

#[test]
fn a_directory_that_is_too_long_is_told_by_its_length() {
    let long = with_end(zip_of(&[("a", b"one")]), |end| end[12..16].copy_from_slice(&(17_u32 << 20).to_le_bytes()));
    assert_eq!(refusal(long), "Its directory has 17825792 octets, more than the 16777216 that are allowed");
}

#[test]
fn two_files_of_one_name_are_refused() {
    let whole = zip_of(&[("aaa", b"one"), ("bbb", b"two")]);

    let mut renamed = whole;
    for at in 0..renamed.len() - 3 {
        if &renamed[at..at + 3] == b"bbb" {
            renamed[at..at + 3].fill(b'a');
        }
    }
    assert_eq!(refusal(renamed), "It has two files of one name");
}

#[test]
fn a_file_that_claims_to_be_larger_than_it_can_be_is_refused() {
    let mut zip = zip_of(&[("a", b"one")]);
    let central = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap();
    zip[central + 24..central + 28].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    assert_eq!(refusal(zip), "It has a file that is called \"a\" and cannot be as long as it says");
}

#[test]
fn a_folder_holds_what_lies_in_it_and_no_links() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("depot");
    std::fs::create_dir_all(folder.join("vib20")).unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    std::fs::write(folder.join("vib20/a.vib"), "vib").unwrap();
    symlink("../secret", folder.join("link")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    let folder = Folder::new(std::fs::File::open(folder).unwrap());
    assert_eq!(folder.read("vib20/a.vib", 3).unwrap(), b"vib");
    for (name, why) in [
        ("vib20/a.vib", "vib20/a.vib is longer than the 2 octets that are allowed"),
        ("none", "\"There is no item named 'none' in the archive\""),
        ("vib20/a.vib/x", "\"There is no item named 'vib20/a.vib/x' in the archive\""),
        ("link", "link is or lies behind a symbolic link, and links are not followed"),
        ("up/secret", "up/secret is or lies behind a symbolic link, and links are not followed"),
        ("../secret", "The name \"../secret\" does not lie inside of it"),
    ] {
        assert_eq!(folder.read(name, 2).unwrap_err().to_string(), why);
    }
    assert!(matches!(folder.read("vib20", 9), Err(ContainerProblem::Io(_))));
}
