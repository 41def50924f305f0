//! What VIBs may not be larger than.

use super::*;

#[test]
fn gzip_bombs_are_not_unpacked_to_their_end() {
    let bomb = Payload::of("bomb", "boot", &vec![0; 3 << 20]);
    let twice = Vib { payloads: vec![bomb.clone(), Payload { name: "bomb2".to_owned(), ..bomb }], ..sample() };
    let file = twice.to_file();
    assert!(file.len() < 40_000, "{}", file.len());
    read(&file).unwrap();
    let limits = VibLimits { unpacked: 1 << 20, ..VibLimits::default() };
    let expected = "[VibFormatError] Payload bomb unpacks to more than 1048576 octets. vibs = Acme_bootbank_demo_1.0-1";
    assert_eq!(told_by(read_with(&file, limits)), expected);
    let limits = VibLimits { unpacked_in_all: 4 << 20, ..VibLimits::default() };
    let expected =
        "[VibFormatError] Payload bomb2 unpacks to more than 1048576 octets. vibs = Acme_bootbank_demo_1.0-1";
    assert_eq!(told_by(read_with(&file, limits)), expected);
}

#[test]
fn payloads_that_are_no_gzip_count_too() {
    let vib = Vib { payloads: vec![Payload::stored("kernel", "boot", vec![0; 5000], None)], ..sample() };
    let twice = Payload { name: "again".to_owned(), ..vib.payloads[0].clone() };
    let vib = Vib { payloads: vec![vib.payloads[0].clone(), twice], ..vib };
    let file = vib.to_file();
    let told = |limits| told_by(read_with(&file, limits));
    read_with(&file, VibLimits { unpacked: 5000, unpacked_in_all: 10_000, ..VibLimits::default() }).unwrap();
    let one = told(VibLimits { unpacked: 4999, ..VibLimits::default() });
    assert_eq!(
        one,
        "[VibFormatError] Payload kernel unpacks to more than 4999 octets. vibs = Acme_bootbank_demo_1.0-1"
    );
    let all = told(VibLimits { unpacked_in_all: 9999, ..VibLimits::default() });
    assert_eq!(all, "[VibFormatError] Payload again unpacks to more than 4999 octets. vibs = Acme_bootbank_demo_1.0-1");
}

#[test]
fn limits_are_kept() {
    let file = sample().at_level("partner").to_file();
    let told = |limits| told_by(read_with(&file, limits));
    let limits = VibLimits { payloads: 2, ..VibLimits::default() };
    assert!(told(limits).starts_with("[VibFormatError] The VIB has too many payloads."));
    let limits = VibLimits { signature: 100, ..VibLimits::default() };
    assert!(told(limits).starts_with("[VibFormatError] The VIB's sig.pkcs7 has "));
    let limits = VibLimits { entries: 2, ..VibLimits::default() };
    assert!(told(limits).starts_with("[VibFormatError] Payload demo has more than 2 entries."));
}
