use proptest::prelude::*;

use super::*;

fn dependency(kind: DependencyKind, text: &str) -> Dependency {
    Dependency { kind, alternatives: alternatives(text) }
}

fn relations(family: Family, packages: &[(&str, &[&str], &[&str])]) -> Relations {
    let mut builder = RelationsBuilder::new(family);
    for (nevra, needs, provides) in packages {
        let told = Told {
            dependencies: needs.iter().map(|text| dependency(DependencyKind::Depends, text)).collect(),
            provides: provides.iter().map(|text| text.parse().unwrap()).collect(),
            for_all_architectures: nevra.starts_with("foreign"),
        };
        builder.add(&nevra.parse().unwrap(), &told).unwrap();
    }
    builder.finish()
}

fn meeting(relations: &Relations, text: &str, dependent: &str) -> Vec<String> {
    let numbers = relations.meeting(&text.parse().unwrap(), &dependent.parse().unwrap());
    numbers.into_iter().map(|number| relations.nevra(number).unwrap().to_string()).collect()
}

const DEPENDENT: &str = "x-0:1-1.amd64";

#[test]
fn dependencies_come_back_by_kind_and_in_order() {
    let mut builder = RelationsBuilder::new(Family::Deb);
    let needs = [
        dependency(DependencyKind::Suggests, "s"),
        dependency(DependencyKind::Depends, "b | c >= 1"),
        dependency(DependencyKind::Depends, "a:any"),
        dependency(DependencyKind::PreDepends, "p"),
        dependency(DependencyKind::Depends, "(x | y if z)"),
    ];
    let told = Told { dependencies: needs.to_vec(), ..Told::default() };
    builder.add(&DEPENDENT.parse().unwrap(), &told).unwrap();
    builder.add(&DEPENDENT.parse().unwrap(), &Told::default()).unwrap();
    builder.add(&"w-0:1-1.all".parse().unwrap(), &Told::default()).unwrap();
    let relations = builder.finish();
    assert_eq!((relations.len(), relations.dependencies(0)), (2, Vec::new()));
    let [suggested, first, second, pre, condition] = needs;
    assert_eq!(relations.dependencies(1), [pre, first, second, condition, suggested]);
    assert_eq!(relations.find(&DEPENDENT.parse().unwrap()), Some(1));
}

#[test]
fn the_best_of_those_that_meet_a_requirement_is_first() {
    let relations = relations(
        Family::Deb,
        &[
            ("a-0:1-1.amd64", &[], &[]),
            ("a-0:3-1.i386", &[], &[]),
            ("a-0:2-1.amd64", &[], &[]),
            ("b-0:1-1.all", &[], &["a = 9", "mail"]),
            ("c-0:1-1.amd64", &[], &["mail", "mail"]),
            ("foreign-0:1-1.i386", &[], &["mail"]),
        ],
    );
    let meeting = |text: &str| meeting(&relations, text, DEPENDENT);
    assert_eq!(meeting("a"), ["a-0:2-1.amd64", "a-0:1-1.amd64", "b-0:1-1.all"]);
    assert_eq!(meeting("a < 2-1"), ["a-0:1-1.amd64"]);
    assert_eq!(meeting("a = 9"), ["b-0:1-1.all"]);
    assert_eq!(meeting("a:i386"), ["a-0:3-1.i386", "b-0:1-1.all"]);
    assert_eq!(meeting("a:any >= 3"), ["a-0:3-1.i386", "b-0:1-1.all"]);
    assert_eq!(meeting("mail"), ["b-0:1-1.all", "c-0:1-1.amd64", "foreign-0:1-1.i386"]);
    assert_eq!(meeting("mail >= 1"), [""; 0]);
    assert_eq!(meeting("ma"), [""; 0]);
    assert_eq!(meeting("(a if b)"), [""; 0]);
}

#[test]
fn with_rpm_the_architecture_only_tells_which_is_better() {
    let relations = relations(
        Family::Rpm,
        &[
            ("a-0:3-1.i686", &[], &["a = 3-1", "lib.so"]),
            ("a-0:2-1.x86_64", &[], &["a = 2-1", "lib.so()(64bit)", "lib.so"]),
        ],
    );
    assert_eq!(meeting(&relations, "lib.so", "x-0:1-1.x86_64"), ["a-0:2-1.x86_64", "a-0:3-1.i686"]);
    assert_eq!(meeting(&relations, "lib.so()(64bit)", "x-0:1-1.noarch"), ["a-0:2-1.x86_64"]);
    assert_eq!(meeting(&relations, "a > 2-1", "x-0:1-1.x86_64"), ["a-0:3-1.i686"]);
}

proptest! {
    /// What is found is what a look at everything finds.
    #[test]
    fn everything_that_meets_a_requirement_is_found(
        packages in proptest::collection::vec(("[a-c]", "[1-3]", proptest::collection::vec("[a-e]( = [1-3])?", 0..3)), 0..8),
        wanted in "[a-e]( (<|<=|=|>=|>) [1-3])?",
        is_rpm in any::<bool>(),
    ) {
        let family = if is_rpm { Family::Rpm } else { Family::Deb };
        let required: Requirement = wanted.parse().unwrap();
        let mut builder = RelationsBuilder::new(family);
        let mut expected = std::collections::BTreeSet::new();
        let mut known = HashSet::new();
        for (name, version, provides) in &packages {
            let nevra: Nevra = format!("{name}-0:{version}.all").parse().unwrap();
            let provides: Vec<Requirement> = provides.iter().map(|text| text.parse().unwrap()).collect();
            let told = Told { provides: provides.clone(), ..Told::default() };
            builder.add(&nevra, &told).unwrap();
            let meets = |provided: &Requirement| provided.name == required.name && required.is_met_by(provided, family);
            if known.insert(nevra.clone()) && (meets(&itself(&nevra)) || provides.iter().any(meets)) {
                expected.insert(nevra);
            }
        }
        let relations = builder.finish();
        let found = relations.meeting(&required, &"x-0:1.all".parse().unwrap());
        let set: std::collections::BTreeSet<Nevra> =
            found.iter().map(|&number| relations.nevra(number).unwrap().clone()).collect();
        prop_assert_eq!((found.len(), set), (expected.len(), expected));
    }
}
