//! What matches what: constraints and VIBs, platforms and hosts.

use std::collections::HashMap;

use super::descriptor::{Descriptor, HardwarePlatform, SoftwarePlatform};
use super::image::ImageHost;
use super::relation::Constraint;
use super::version::VibVersion;

impl Constraint {
    /// Whether a VIB is meant, by its name or by something that it provides. A constraint on a version is not met by what is
    /// provided without one.
    pub fn matches(&self, vib: &Descriptor) -> bool {
        (self.name == vib.name && self.takes(Some(&vib.version)))
            || vib.provides.iter().any(|provide| provide.name == self.name && self.takes(provide.version.as_ref()))
    }

    fn takes(&self, version: Option<&VibVersion>) -> bool {
        match (&self.version, version) {
            (None, _) => true,
            (Some((comparison, wanted)), Some(version)) => version.meets(*comparison, wanted),
            (Some(_), None) => false,
        }
    }
}

impl Descriptor {
    /// Whether this VIB takes the place of the other: it is a newer one of its name, or it says that it replaces it.
    pub fn obsoletes(&self, other: &Self) -> bool {
        if self.name == other.name {
            return self.version.compare(&other.version).is_gt();
        }
        self.replaces.iter().any(|replaced| replaced.matches(other))
    }

    /// Whether it is for the host's product.
    pub fn fits_platform(&self, host: &ImageHost) -> bool {
        self.platforms.is_empty() || self.platforms.iter().any(|platform| platform.fits(host))
    }

    /// Whether it is for the host's hardware; a host whose hardware is not known takes all.
    pub fn fits_hardware(&self, host: &ImageHost) -> bool {
        let Some(hardware) = &host.hardware else { return true };
        self.hardware.is_empty() || self.hardware.iter().any(|wanted| wanted.fits(hardware))
    }
}

impl SoftwarePlatform {
    /// Whether the host is of this product line, version and locale. Each that is empty is any; a `*` in the version stands
    /// for any characters.
    pub fn fits(&self, host: &ImageHost) -> bool {
        let any_or = |wanted: &str, is: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(is);
        any_or(&self.product_line, &host.product_line)
            && any_or(&self.locale, &host.locale)
            && (self.version.is_empty() || fits_pattern(&self.version, &host.version))
    }
}

impl HardwarePlatform {
    /// Whether this hardware is meant, without regard to case; no model is any of the vendor's.
    fn fits(&self, hardware: &Self) -> bool {
        let same_model = |model: &str| hardware.model.as_deref().is_some_and(|is| is.eq_ignore_ascii_case(model));
        self.vendor.eq_ignore_ascii_case(&hardware.vendor) && self.model.as_deref().is_none_or(same_model)
    }
}

/// Whether a text is one that the pattern means; each `*` stands for any characters.
fn fits_pattern(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_suffix(end) else { return false };
    for part in middle.split('*') {
        let Some((_, behind)) = text.split_once(part) else { return false };
        text = behind;
    }
    true
}

/// VIBs by the names that they have and provide.
#[derive(Debug, Default)]
pub(super) struct ProvideIndex<'a> {
    by_name: HashMap<&'a str, Vec<&'a Descriptor>>,
}

impl<'a> ProvideIndex<'a> {
    pub(super) fn new(vibs: impl IntoIterator<Item = &'a Descriptor>) -> Self {
        let mut index = Self::default();
        for vib in vibs {
            for name in names(vib) {
                let of_name = index.by_name.entry(name).or_default();
                // A name that a VIB provides in several versions stands there once.
                if of_name.last().is_none_or(|last| !std::ptr::eq(*last, vib)) {
                    of_name.push(vib);
                }
            }
        }
        index
    }

    /// Whether a constraint means any of them.
    pub(super) fn has(&self, constraint: &Constraint) -> bool {
        self.matching(constraint).next().is_some()
    }

    /// The VIBs that a constraint means, in the order in which they were given.
    pub(super) fn matching(&self, constraint: &Constraint) -> impl Iterator<Item = &'a Descriptor> {
        self.by_name.get(&*constraint.name).into_iter().flatten().copied().filter(|vib| constraint.matches(vib))
    }
}

/// VIBs by what they replace or exclude.
#[derive(Debug)]
pub(super) struct ConstraintIndex<'a> {
    by_name: HashMap<&'a str, Vec<(&'a Descriptor, &'a Constraint)>>,
}

impl<'a> ConstraintIndex<'a> {
    /// Of the constraints that `of` tells of each VIB.
    pub(super) fn new(
        vibs: impl IntoIterator<Item = &'a Descriptor>,
        of: impl Fn(&'a Descriptor) -> &'a [Constraint],
    ) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for vib in vibs {
            for constraint in of(vib) {
                by_name.entry(&*constraint.name).or_default().push((vib, constraint));
            }
        }
        Self { by_name }
    }

    /// The other VIBs whose constraints mean this one, each with the constraint.
    pub(super) fn meaning(&self, vib: &'a Descriptor) -> impl Iterator<Item = (&'a Descriptor, &'a Constraint)> {
        names(vib)
            .filter_map(|name| self.by_name.get(name))
            .flatten()
            .copied()
            .filter(move |(other, constraint)| other.name != vib.name && constraint.matches(vib))
    }
}

/// The names that constraints may mean a VIB by: its own and what it provides.
fn names(vib: &Descriptor) -> impl Iterator<Item = &str> {
    std::iter::once(&*vib.name).chain(vib.provides.iter().map(|provide| &*provide.name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{constraint, host_with, platform, vib};
    use super::*;

    #[test]
    fn a_constraint_means_a_vib_by_its_name_or_by_what_it_provides() {
        let base = vib("esx-base 7.0.0-1.0.15843807").providing("vmkapi_2_2_0_0").providing("esx-version 7.0.0");
        for met in [
            "esx-base",
            "esx-base >= 7.0.0-1.0",
            "esx-base << 7.0.0-1.1",
            "esx-base = 7.0.0",
            "vmkapi_2_2_0_0",
            "esx-version >= 6.7",
        ] {
            assert!(constraint(met).matches(&base), "{met}");
        }
        for unmet in ["esx", "esx-base >> 7.0.0", "esx-base = 7.0.0-1.0", "esx-version << 7.0.0"] {
            assert!(!constraint(unmet).matches(&base), "{unmet}");
        }
        assert!(!constraint("vmkapi_2_2_0_0 >= 1.0").matches(&base), "what is provided without a version has none");
    }

    #[test]
    fn a_name_that_is_provided_in_several_versions_is_met_by_any() {
        let driver = vib("drv 1.0-1").providing("api 1.0").providing("api 2.0");
        let index = ProvideIndex::new([&driver]);
        assert_eq!(index.matching(&constraint("api = 2.0")).count(), 1);
        assert_eq!(index.matching(&constraint("api")).count(), 1, "once");
        assert_eq!(index.matching(&constraint("api >> 2.0")).count(), 0);
    }

    #[test]
    fn newer_versions_and_what_replaces_obsolete() {
        let old = vib("net-e1000 1.0-1");
        assert!(vib("net-e1000 1.1-1").obsoletes(&old));
        assert!(!vib("net-e1000 1.0-1").obsoletes(&old));
        assert!(!old.obsoletes(&vib("net-e1000 1.1-1")));
        let renamed = vib("ne1000 0.1-1").replacing("net-e1000 << 1.1");
        assert!(renamed.obsoletes(&old));
        assert!(!renamed.obsoletes(&vib("net-e1000 1.1-1")));
        assert!(!vib("net-e1000 0.9-1").replacing("net-e1000").obsoletes(&old), "not itself in a newer version");
    }

    #[test]
    fn a_platform_is_told_by_product_version_and_locale() {
        let host = host_with(vec![]).host;
        for fits in
            ["embeddedEsx 5.5.0", "embeddedEsx 5.*", "embeddedEsx *", " ", "EMBEDDEDESX 5.5.*", "embeddedEsx *.5.*"]
        {
            assert!(platform(fits).fits(&host), "{fits}");
        }
        for other in ["esxio 5.5.0", "embeddedEsx 5.5", "embeddedEsx 6.*", "embeddedEsx 5.1.*", "embeddedEsx 5.5.0.*"] {
            assert!(!platform(other).fits(&host), "{other}");
        }
        let german = SoftwarePlatform { locale: "de".into(), ..platform("embeddedEsx 5.*") };
        assert!(!german.fits(&host));
        assert!(german.fits(&ImageHost { locale: "DE".into(), ..host }));
    }

    #[test]
    fn hardware_is_told_by_vendor_and_model_and_counts_only_where_it_is_known() {
        let hardware = |vendor: &str, model: Option<&str>| HardwarePlatform {
            vendor: vendor.into(),
            model: model.map(Into::into),
        };
        let tool = Descriptor {
            hardware: vec![hardware("Dell Inc.", None), hardware("HP", Some("DL380"))],
            ..vib("tool 1.0-1")
        };
        let fits = |is| {
            let host = ImageHost { hardware: is, ..host_with(vec![]).host };
            (tool.fits_hardware(&host), vib("any 1.0-1").fits_hardware(&host))
        };
        assert_eq!(fits(None), (true, true));
        assert_eq!(fits(Some(hardware("dell inc.", Some("R720")))), (true, true));
        assert_eq!(fits(Some(hardware("HP", Some("dl380")))), (true, true));
        assert_eq!(fits(Some(hardware("HP", Some("DL360")))), (false, true));
        assert_eq!(fits(Some(hardware("HP", None))), (false, true));
        assert_eq!(fits(Some(hardware("IBM", None))), (false, true));
    }

    #[test]
    fn patterns_mean_any_characters_by_a_star() {
        for (pattern, text) in [("a*b", "ab"), ("*", ""), ("**", "x"), ("5.*.0", "5.5.0"), ("a*b*c*d", "a1b2c3d")] {
            assert!(fits_pattern(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*a", "a"), ("", "a"), ("a*b*c", "acb"), ("5.*", "55")] {
            assert!(!fits_pattern(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn an_index_finds_what_matches(names in prop::collection::vec("[ab][ab]?", 1..5), wanted in "[ab][ab]?", version in 0_u8..3) {
            let vibs: Vec<_> = names.iter().enumerate()
                .map(|(at, name)| vib(&format!("v{at} {at}-1")).providing(&format!("{name} {}", at % 3)))
                .collect();
            let constraint = constraint(&format!("{wanted} >= {version}"));
            let matching: Vec<_> = vibs.iter().filter(|vib| constraint.matches(vib)).collect();
            prop_assert_eq!(ProvideIndex::new(&vibs).matching(&constraint).collect::<Vec<_>>(), matching);
        }
    }
}
