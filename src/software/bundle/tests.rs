use super::*;
use crate::software::testing::{catalog, package};
use crate::software::{Family, Inventory};

fn part(name: &str, is_optional: bool) -> Part {
    Part::Package { names: name.split('|').map(Into::into).collect(), is_optional }
}

fn bundle(kind: BundleKind, id: &str, parts: &[Part]) -> Bundle {
    let mut bundle = Bundle::new(kind, id);
    parts.iter().for_each(|part| bundle.add(part.clone()));
    bundle
}

fn build(name: &str, version: &str) -> Part {
    Part::Build(Nevra::from_debian(name, version, "all").unwrap())
}

#[test]
fn parts_are_what_is_installed_or_else_the_newest_that_is_offered() {
    let inventory = Inventory::new([package("a", "1", ""), package("c", "1", "")]);
    let catalog = catalog(&[("a", "2", "all"), ("b", "1", "amd64"), ("b", "3", "amd64"), ("b", "9", "i386")]);
    let group = bundle(
        BundleKind::Group,
        "g",
        &[
            part("a", false),
            part("b", false),
            part("x|c|a", false),
            part("gone", false),
            build("a", "2"),
            build("a", "3"),
        ],
    );
    let bundles = Bundles::new(Family::Deb, "amd64", [group]);
    let packages = bundles.packages(&bundles.all()[0], &inventory, &catalog);
    let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
    assert_eq!(packages, ["a-0:1.all", "a-0:2.all", "b-0:3.amd64", "c-0:1.all"]);
    for text in ["a-0:1.all", "b-0:3.amd64", "a-0:3.all", "b-0:1.amd64", "gone-0:1.all"] {
        let contains = bundles.contains(&bundles.all()[0], &text.parse().unwrap(), &inventory, &catalog);
        assert_eq!(contains, packages.iter().any(|package| package == text), "{text}");
    }
}

#[test]
fn states_count_what_is_needed_and_can_be_had() {
    let inventory = Inventory::new([package("a", "1", "")]);
    let catalog = catalog(&[("b", "1", "all")]);
    let state = |kind, parts: &[Part]| {
        let bundles = Bundles::new(Family::Deb, "amd64", [bundle(kind, "x", parts)]);
        bundles.state(&bundles.all()[0], &inventory, &catalog)
    };
    let (a, b, gone) = (part("a", false), part("b", false), part("gone", false));
    for (parts, expected) in [
        (vec![a.clone()], BundleState::Installed),
        (vec![a.clone(), gone.clone(), part("b", true)], BundleState::Installed),
        (vec![a.clone(), b.clone()], BundleState::InPart),
        (vec![b.clone()], BundleState::NotInstalled),
        (vec![gone], BundleState::NotInstalled),
        (vec![part("a", true), a, part("a", true), b], BundleState::InPart),
    ] {
        assert_eq!(state(BundleKind::Group, &parts), expected, "{parts:?}");
    }
    for (parts, expected) in [
        (vec![build("a", "1"), build("b", "2")], BundleState::Installed),
        (vec![build("a", "0")], BundleState::Installed),
        (vec![build("a", "0"), build("a", "2")], BundleState::InPart),
        (vec![build("a", "2")], BundleState::NotInstalled),
        (vec![build("b", "1")], BundleState::NotApplicable),
    ] {
        assert_eq!(state(BundleKind::Advisory, &parts), expected, "{parts:?}");
    }
}

#[test]
fn what_several_tell_of_one_bundle_is_one() {
    let mut named = bundle(BundleKind::Task, "t", &[part("b", true)]);
    named.name = "The task".to_owned();
    let first = bundle(BundleKind::Task, "t", &[part("a", false)]);
    let odd = [bundle(BundleKind::Task, "", &[]), bundle(BundleKind::Task, "a\nb", &[])];
    let other = bundle(BundleKind::Group, "t", &[]);
    let bundles = Bundles::new(Family::Deb, "amd64", [first, named, other].into_iter().chain(odd));
    assert_eq!(bundles.all().len(), 2);
    let task = bundles.find(BundleKind::Task, "t").unwrap();
    assert_eq!((task.name.as_str(), task.parts.len()), ("The task", 2));
    assert_eq!(bundles.find(BundleKind::Advisory, "t"), None);
}
