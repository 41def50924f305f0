//! What packages need, and what they are bundled in, over the broker.

use super::*;
use crate::software::{Bundle, BundleKind, Part};

const DEPENDENCY: &str = "CIM_OrderedDependency";
const COMPONENT: &str = "CIM_OrderedComponent";

fn bundle(kind: BundleKind, id: &str, names: &[&str]) -> Bundle {
    let mut bundle = Bundle::new(kind, id);
    for name in names {
        bundle.add(Part::Package { names: vec![(*name).into()], is_optional: false });
    }
    bundle
}

/// `editor` needs others in every way; `library` is needed by two.
fn related() -> Host {
    let installed = [package("editor", "1", ""), package("library", "2", ""), package("viewer", "1", "")];
    let mut advisory = bundle(BundleKind::Advisory, "A-2024:1", &[]);
    advisory.add(Part::Build("library-0:3.all".parse().unwrap()));
    advisory.add(Part::Build("unknown-0:3.all".parse().unwrap()));
    advisory.cves = vec!["CVE-2024-1".to_owned()];
    host_of(
        FixedPackages::new(installed)
            .offering(&[("library", "3", "all"), ("fonts", "1", "all"), ("fonts", "2", "all"), ("late", "1", "all")])
            .relating(
                &[
                    (
                        "editor-0:1.all",
                        &["library >= 1", "fonts | clipart", "lib.so", "library < 9", "own", "nowhere > 7 | nowhere"],
                        &["own"],
                    ),
                    ("library-0:2.all", &[], &["lib.so"]),
                    ("viewer-0:1.all", &["lib.so"], &[]),
                ],
                &[
                    ("fonts-0:1.all", &[], &[]),
                    ("fonts-0:2.all", &[], &["clipart"]),
                    ("late-0:1.all", &["library >= 3", "editor"], &[]),
                    ("library-0:3.all", &[], &[]),
                ],
            )
            .bundling([bundle(BundleKind::Task, "desk", &["editor", "fonts", "gone"]), advisory]),
    )
}

impl Host {
    fn get(&self, class: &str, id: &str) -> Instance {
        let path = ObjectPath::new("root/cimv2", class, vec![("InstanceID".into(), id.into())]);
        self.broker.get(&self.caller, &path).unwrap()
    }

    fn package(&self, text: &str) -> Instance {
        self.get("CIM_SoftwareIdentity", &format!("LMI:LMI_SoftwareIdentity:{text}"))
    }

    /// The ElementNames at the other ends, where the source plays this role.
    fn ends(&self, source: &Instance, association: &str, role: &str) -> Vec<String> {
        let query = AssociationQuery {
            traversal: Traversal::AssociatedInstances,
            source: self.broker.path_of(source),
            association_class: Some(association.to_owned()),
            role: Some(role.to_owned()),
            result_class: None,
            result_role: None,
        };
        let found = self.broker.associations(&self.caller, query).unwrap().filter_map(Result::unwrap);
        found.map(|end| text(&end, "ElementName").to_owned()).collect()
    }
}

fn number(instance: &Instance, property: &str) -> Option<u64> {
    instance.get(property).and_then(Value::as_u64)
}

#[test]
fn what_a_package_needs_is_what_is_installed_or_else_offered_or_else_a_requirement() {
    let host = related();
    let editor = host.package("editor-0:1.all");
    assert_eq!(
        host.ends(&editor, DEPENDENCY, "Dependent"),
        ["library-0:2.all", "fonts-0:2.all", "nowhere > 7", "nowhere"]
    );
    let links = host.associations(Traversal::AssociationInstances, &editor, DEPENDENCY, None);
    let told: Vec<_> =
        links.iter().map(|link| (number(link, "AssignedSequence").unwrap(), text(link, "Requirement"))).collect();
    let (fonts, nowhere) = ("fonts | clipart", "nowhere > 7 | nowhere");
    assert_eq!(told, [(1, "library >= 1"), (2, fonts), (6, nowhere), (6, nowhere)]);
    assert!(links.iter().all(|link| number(link, "DependencyType") == Some(3)));
    assert_eq!(
        host.ends(&host.package("late-0:1.all"), DEPENDENCY, "Dependent"),
        ["library-0:3.all", "editor-0:1.all"]
    );
}

#[test]
fn what_needs_a_package_is_installed() {
    let host = related();
    let needing = |source: &Instance| host.ends(source, DEPENDENCY, "Antecedent");
    assert_eq!(needing(&host.package("library-0:2.all")), ["editor-0:1.all", "viewer-0:1.all"]);
    assert_eq!(needing(&host.package("fonts-0:2.all")), ["editor-0:1.all"]);
    for nobody_needs in ["editor-0:1.all", "library-0:3.all", "fonts-0:1.all"] {
        assert_eq!(needing(&host.package(nobody_needs)), [""; 0], "{nobody_needs}");
    }
    let nowhere = host.get("CIM_SoftwareIdentity", "Quartermaster:SoftwareRequirement:nowhere > 7");
    assert_eq!(needing(&nowhere), ["editor-0:1.all"]);
    let met = host.get("QM_SoftwareRequirement", "Quartermaster:SoftwareRequirement:library >= 1");
    assert_eq!(needing(&met), [""; 0]);
    assert!(host.ends(&nowhere, DEPENDENCY, "Dependent").is_empty());
}

#[test]
fn all_links_are_those_of_installed_packages_and_are_found_again() {
    let host = related();
    let links = host.enumerate("root/cimv2", DEPENDENCY);
    assert_eq!(links.len(), 5);
    let parts = host.enumerate("root/cimv2", COMPONENT);
    assert_eq!(parts.len(), 3);
    for link in links.iter().chain(&parts) {
        assert_eq!(&host.broker.get(&host.caller, &host.broker.path_of(link)).unwrap(), link);
    }
    let [mut wrong, other] = [&links[0], &links[4]].map(Clone::clone);
    wrong.set("Dependent", other.get("Dependent").unwrap().clone()).unwrap();
    wrong.set("Antecedent", links[1].get("Antecedent").unwrap().clone()).unwrap();
    let error = host.broker.get(&host.caller, &host.broker.path_of(&wrong)).unwrap_err();
    assert_eq!(error.status, CimStatus::NotFound);
}

#[test]
fn a_requirement_is_made_of_its_name() {
    let host = related();
    let requirement = host.get("CIM_SoftwareIdentity", "quartermaster:softwarerequirement:libc6:any >= 2.36");
    assert_eq!(text(&requirement, "InstanceID"), "Quartermaster:SoftwareRequirement:libc6:any >= 2.36");
    assert_eq!((text(&requirement, "Name"), text(&requirement, "VersionString")), ("libc6", "2.36"));
    assert_eq!(requirement.get("IsEntity"), Some(&false.into()));
    for wrong in ["", "a b", "a >="] {
        let id = format!("Quartermaster:SoftwareRequirement:{wrong}");
        let path = ObjectPath::new("root/cimv2", "CIM_SoftwareIdentity", vec![("InstanceID".into(), id.into())]);
        assert_eq!(host.broker.get(&host.caller, &path).unwrap_err().status, CimStatus::NotFound, "{wrong}");
    }
}

#[test]
fn bundles_are_software_that_leads_to_its_packages_and_back() {
    let host = related();
    let software = host.enumerate("root/cimv2", "CIM_SoftwareIdentity");
    let names: Vec<&str> = software.iter().map(|software| text(software, "ElementName")).collect();
    assert_eq!(names[names.len() - 2..], ["desk", "A-2024:1"]);
    assert!(!names.iter().any(|name| name.contains("nowhere")), "{names:?}");
    let bundles = host.enumerate("root/cimv2", "QM_SoftwareBundle");
    let told: Vec<_> = bundles.iter().map(|of| (number(of, "BundleType"), number(of, "InstallState"))).collect();
    assert_eq!(told, [(Some(3), Some(3)), (Some(5), Some(4))]);
    assert_eq!(bundles[0].get("Classifications"), Some(&Value::array([13u16])));
    assert_eq!(bundles[1].get("CVEs"), Some(&Value::array(["CVE-2024-1"])));
    assert_eq!(bundles[0].get("CVEs"), Some(&Value::Null));
    assert_eq!(text(&bundles[1], "InstanceID"), "Quartermaster:SoftwareBundle:advisory:A-2024:1");
    let ends = |source: &Instance, role: &str| host.ends(source, COMPONENT, role);
    assert_eq!(ends(&bundles[0], "GroupComponent"), ["editor-0:1.all", "fonts-0:2.all"]);
    assert_eq!(ends(&bundles[1], "GroupComponent"), ["library-0:3.all"]);
    assert_eq!(ends(&host.package("fonts-0:2.all"), "PartComponent"), ["desk"]);
    assert_eq!(ends(&host.package("fonts-0:1.all"), "PartComponent"), [""; 0]);
    assert_eq!(ends(&bundles[0], "PartComponent"), [""; 0]);
    for bundle in &bundles {
        assert_eq!(&host.get("CIM_SoftwareIdentity", text(bundle, "InstanceID")), bundle);
    }
    let link = host.enumerate("root/cimv2", COMPONENT).remove(0);
    assert_eq!(number(&link, "AssignedSequence"), Some(0));
}
