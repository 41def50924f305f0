//! The version of a VIB and its order.
//!
//! The order is not published; this one agrees with every example that is: the part before the first `-` counts first, then
//! the release behind it; each falls into groups at everything that is no letter or digit, and a group into runs of digits
//! and runs of letters.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::relation::Comparison;

/// A version as descriptors write it, `version-release`; some have no release.
///
/// Two of them are equal here if they are written alike. How they are ordered is told by [`VibVersion::compare`], to which
/// `1.0-1` and `1.00-1` are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VibVersion(Box<str>);

impl VibVersion {
    /// The version that is written so.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is older than the other one, the same, or newer: first by what stands before the release, group by group,
    /// then by the release. Digits are compared as numbers, letters by their codes, and digits are newer than letters. What
    /// only begins as the other does is older.
    pub fn compare(&self, other: &Self) -> Ordering {
        let ((version, release), (other_version, other_release)) = (self.parts(), other.parts());
        compare_groups(version, other_version).then_with(|| match (release, other_release) {
            (Some(release), Some(other_release)) => compare_groups(release, other_release),
            (release, other_release) => release.is_some().cmp(&other_release.is_some()),
        })
    }

    /// Whether it is one of the versions that a constraint means. If the constraint's version has no release, no release
    /// counts.
    pub fn meets(&self, comparison: Comparison, wanted: &Self) -> bool {
        let order = match (self.parts(), wanted.parts()) {
            ((version, _), (wanted_version, None)) => compare_groups(version, wanted_version),
            _ => self.compare(wanted),
        };
        match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Equal => order.is_eq(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Greater => order.is_gt(),
        }
    }

    /// What stands before the release, and the release.
    fn parts(&self) -> (&str, Option<&str>) {
        self.0.split_once('-').map_or((&self.0, None), |(version, release)| (version, Some(release)))
    }
}

impl fmt::Display for VibVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn compare_groups(one: &str, other: &str) -> Ordering {
    groups(one).map(Group).cmp(groups(other).map(Group))
}

fn groups(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric()).filter(|group| !group.is_empty())
}

/// A group of a version, ordered run by run.
struct Group<'a>(&'a str);

impl<'a> Group<'a> {
    fn runs(&self) -> impl Iterator<Item = Run<'a>> + use<'a> {
        self.0.as_bytes().chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit()).map(Run::new)
    }
}

impl Ord for Group<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.runs().cmp(other.runs())
    }
}

impl PartialOrd for Group<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Group<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Group<'_> {}

/// A run of letters or of digits; digits are greater. A number of any length is compared by how many digits it has, without
/// zeros in front, and then by them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Run<'a> {
    Letters(&'a [u8]),
    Number { length: usize, digits: &'a [u8] },
}

impl<'a> Run<'a> {
    fn new(octets: &'a [u8]) -> Self {
        if !octets.first().is_some_and(u8::is_ascii_digit) {
            return Self::Letters(octets);
        }
        let zeros = octets.iter().take_while(|&&digit| digit == b'0').count();
        let digits = octets.get(zeros..).unwrap_or_default();
        Self::Number { length: digits.len(), digits }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(one: &str, other: &str) -> Ordering {
        VibVersion::new(one).compare(&VibVersion::new(other))
    }

    #[test]
    fn published_versions_are_in_order() {
        for (older, newer) in [
            ("5.5.0-1.15.1623387", "5.5.0-1.16.1746018"),
            ("5.5.0-0.0.1331820", "5.5.0-1.15.1623387"),
            ("0.255.03.01-1vmw.550.0.0.1331820", "0.255.03.01-2vmw.550.1.16.1746018"),
            ("0.3.10-3vmw.600.0.0.2494585", "0.4.6-4vmw.600.0.0.2494585"),
            ("1.9-1", "1.10-1"),
            ("2.2.3d-1", "2.2.4f-1"),
            ("2.2.4f-1", "2.2.6a-1"),
            ("2.2.4f.v60.10-1vmw.600.0.0.2494585", "2.2.4f.v60.11-1vmw.600.0.0.2494585"),
            ("1.713.10.v55.1-1OEM.550.0.0.1331820", "1.713.10.v55.1-2OEM.550.0.0.1331820"),
            ("7.0.0-1.0", "7.0.0-1.0.15843807"),
            ("7.0.0-1.0.15843807", "7.0.0-1.1"),
            ("03-02.04", "3-2.5"),
            ("8.045a-napi", "8.46-napi"),
            ("CMU 2.3.0", "CMU 2.10.0"),
            ("1.0.0", "1.0.0-0.0.0"),
            ("99999999999999999999999999-1", "100000000000000000000000000-1"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} << {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} >> {older}");
        }
    }

    #[test]
    fn zeros_in_front_and_kinds_of_separators_do_not_count() {
        for (one, other) in [("1.0-1", "01.00-001"), ("1..2-1", "1.2-1"), ("CMU 2.3", "CMU.2.3"), ("0-0", "00-0")] {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} = {other}");
        }
    }

    #[test]
    fn digits_are_newer_than_letters_and_more_is_newer() {
        assert_eq!(compare("1.a-1", "1.1-1"), Ordering::Less);
        assert_eq!(compare("1.2-1", "1.2a-1"), Ordering::Less);
        assert_eq!(compare("1-1OEM", "1-1vmw"), Ordering::Less, "capital letters stand before small ones");
        assert_eq!(compare("1-1-1", "1-1-2"), Ordering::Less, "a second hyphen is part of the release");
    }

    #[test]
    fn a_wanted_version_without_a_release_means_every_release() {
        let meets = |version: &str, comparison, wanted: &str| {
            VibVersion::new(version).meets(comparison, &VibVersion::new(wanted))
        };
        let base = "5.5.0-1.16.1746018";
        assert!(meets(base, Comparison::GreaterOrEqual, "5.5"));
        assert!(meets(base, Comparison::LessOrEqual, "6.0.0"));
        assert!(meets(base, Comparison::Equal, "5.5.0"));
        assert!(!meets(base, Comparison::Greater, "5.5.0"));
        assert!(!meets(base, Comparison::Less, "5.5.0"));
        assert!(!meets(base, Comparison::Equal, "5.5.0-1.15.1623387"));
        let update = "7.0.0-1.0.15843807";
        assert!(meets(update, Comparison::GreaterOrEqual, "7.0.0-1.0"));
        assert!(meets(update, Comparison::Less, "7.0.0-1.1"));
        assert!(!meets("1.0", Comparison::GreaterOrEqual, "1.0-1"), "no release is older than any");
    }

    proptest! {
        #[test]
        fn the_order_is_one(
            one in "[0-2a-bA]{0,2}[.]?[0-2a]{0,3}(-[0-2a.]{0,4})?",
            two in "[0-2a-bA]{0,2}[.]?[0-2a]{0,3}(-[0-2a.]{0,4})?",
            three in "[0-2a-bA]{0,2}[.]?[0-2a]{0,3}(-[0-2a.]{0,4})?",
        ) {
            prop_assert_eq!(compare(&one, &one), Ordering::Equal);
            prop_assert_eq!(compare(&one, &two), compare(&two, &one).reverse());
            if compare(&one, &two).is_le() && compare(&two, &three).is_le() {
                prop_assert!(compare(&one, &three).is_le());
            }
            if compare(&one, &two).is_eq() {
                prop_assert_eq!(compare(&one, &three), compare(&two, &three));
            }
        }

        #[test]
        fn anything_has_its_place(one in ".{0,12}", two in ".{0,12}") {
            prop_assert_eq!(compare(&one, &two), compare(&two, &one).reverse());
        }

        #[test]
        fn of_a_version_exactly_one_of_less_equal_and_greater_holds(one in "[0-9a-c.-]{0,10}", two in "[0-9a-c.-]{0,10}") {
            let (one, two) = (VibVersion::new(&one), VibVersion::new(&two));
            let held = [Comparison::Less, Comparison::Equal, Comparison::Greater].map(|c| one.meets(c, &two));
            prop_assert_eq!(held.iter().filter(|held| **held).count(), 1);
            prop_assert_eq!(one.meets(Comparison::LessOrEqual, &two), !one.meets(Comparison::Greater, &two));
            prop_assert_eq!(one.meets(Comparison::GreaterOrEqual, &two), !one.meets(Comparison::Less, &two));
        }

        #[test]
        fn a_number_is_compared_as_one(one: u64, two: u64) {
            prop_assert_eq!(compare(&format!("1.{one}-1"), &format!("1.{two}-1")), one.cmp(&two));
        }
    }
}
