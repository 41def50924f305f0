use proptest::prelude::*;

use super::*;

#[test]
fn durations_read_and_write() {
    for (text, seconds, written) in [
        ("PT60.000S", 60, "PT1M"),
        ("P1DT2H3M4S", 93_784, "P1DT2H3M4S"),
        ("P1W", 604_800, "P7D"),
        ("PT0S", 0, "PT0S"),
        ("P1Y", 31_536_000, "P365D"),
    ] {
        let interval = Interval::parse_duration(text).unwrap();
        assert_eq!((interval.seconds(), interval.to_duration().as_str()), (seconds, written));
    }
    assert_eq!(Interval::parse_duration("PT0.5S").unwrap().to_duration(), "PT0.5S");
    assert_eq!(Interval::parse_duration("P99999999999999999999Y").unwrap().microseconds(), LONGEST);
    for bad in ["", "P", "PT", "P1", "1S", "PT1M1H", "P1.5D", "PTxS", "PT-1S", "-PT1S", "PT.5S"] {
        assert!(Interval::parse_duration(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn all_three_spellings_of_an_instant_agree() {
    let cim = DateTime::parse("20261121103000.000000+060").unwrap();
    let xml = DateTime::parse("2026-11-21T10:30:00+01:00").unwrap();
    assert_eq!(cim, xml);
    assert_eq!(cim.to_xml(), "2026-11-21T10:30:00+01:00");
    assert_eq!(xml.to_cim(), "20261121103000.000000+060");
    assert_eq!(DateTime::parse("2026-11-21T10:30:00").unwrap().to_xml(), "2026-11-21T10:30:00Z");
    assert_eq!(DateTime::parse("00000000000500.000000:000").unwrap(), DateTime::seconds(300));
    for bad in [
        "",
        "20261321103000.000000+060",
        "2026-02-30T00:00:00Z",
        "00000000006000.000000:000",
        "2026112110300*.000000+000",
    ] {
        assert!(DateTime::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_chrono_reads_but_cim_cannot_write_is_refused_or_rounded() {
    assert_eq!(DateTime::parse("2026-12-31T23:59:60Z").unwrap().to_cim(), "20261231235959.999999+000");
    assert_eq!(DateTime::parse("2026-11-21T10:30:00.1234567Z").unwrap().to_xml(), "2026-11-21T10:30:00.123456Z");
    for bad in ["2026-11-21T10:30:00+23:00", "+12026-11-21T10:30:00", "-0001-11-21T10:30:00", "-PT1S"] {
        assert!(DateTime::parse(bad).is_err(), "{bad:?}");
    }
    let odd = FixedOffset::east_opt(3_601).unwrap().with_ymd_and_hms(2026, 1, 1, 1, 0, 1).unwrap();
    assert_eq!(DateTime::Timestamp(odd).to_cim(), "20260101000000.000000+000");
    let far = FixedOffset::east_opt(20 * 3600).unwrap().with_ymd_and_hms(2026, 1, 1, 20, 0, 0).unwrap();
    assert_eq!(DateTime::Timestamp(far).to_cim(), "20260101000000.000000+000");
    assert_eq!(DateTime::parse("20260101163900.000000+999").unwrap().to_xml(), "2026-01-01T00:00:00Z");
    assert_eq!(DateTime::utc(chrono::DateTime::<Utc>::MAX_UTC).to_cim().len(), 25);
    assert_eq!(DateTime::utc(chrono::DateTime::<Utc>::MIN_UTC).to_cim().len(), 25);
}

fn datetime() -> impl Strategy<Value = DateTime> {
    let timestamp = (-62_000_000_000i64..253_000_000_000, 0u32..1_000_000, -999i32..=999).prop_map(|(s, us, zone)| {
        let offset = FixedOffset::east_opt(zone * 60).unwrap();
        DateTime::Timestamp(chrono::DateTime::from_timestamp(s, us * 1000).unwrap().with_timezone(&offset))
    });
    let interval = (0..=LONGEST).prop_map(|us| DateTime::Interval(Interval(us)));
    prop_oneof![timestamp, interval]
}

proptest! {
    #[test]
    fn both_spellings_read_back_as_the_same_datetime(time in datetime()) {
        prop_assert_eq!(DateTime::parse(&time.to_cim()), Ok(time), "{}", time.to_cim());
        prop_assert_eq!(DateTime::parse(&time.to_xml()), Ok(time), "{}", time.to_xml());
        prop_assert_eq!(time.to_cim().len(), 25);
    }

    #[test]
    fn whatever_is_read_can_be_written(
        text in prop_oneof![
            "[0-9]{14}\\.[0-9]{6}[+:-][0-9]{3}",
            "[0-2]0[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])?",
            "P([0-9]{1,20}[YMWD])?([0-9]{1,20}[D])?(T([0-9]{1,20}[HM])?([0-9.]{1,9}S)?)?",
            ".{0,30}",
        ]
    ) {
        if let Ok(time) = DateTime::parse(&text) {
            prop_assert_eq!(DateTime::parse(&time.to_cim()), Ok(time), "{}", time.to_cim());
            prop_assert_eq!(DateTime::parse(&time.to_xml()), Ok(time), "{}", time.to_xml());
        }
    }
}
