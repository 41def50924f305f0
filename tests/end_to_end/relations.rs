//! What packages need and what bundles them, as a client sees it: on a Debian and on an RPM root.

use std::path::PathBuf;

use xmltree::Element;

use crate::support::dnf::{advisories, advisory, groups, publish};
use crate::support::eventually;
use crate::support::packages::{DebRoot, RpmRoot, build_deb, build_rpm};
use crate::support::server::{Host, PATIENCE};
use crate::support::wsman::{ALL_CLASSES, ANONYMOUS, CIM, Client, Message, child, descendants, property};

const WHOLE: &str = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";
const IDENTITY: &str = "LMI:LMI_SoftwareIdentity:";
const REQUIREMENT: &str = "Quartermaster:SoftwareRequirement:";
const BUNDLE: &str = "Quartermaster:SoftwareBundle:";

/// The instances of an answer that is one page.
fn items(page: &Element) -> Vec<Element> {
    assert!(child(page, "EndOfSequence").is_some(), "more than one page");
    let items = child(page, "Items").unwrap();
    items.children.iter().filter_map(|node| node.as_element()).cloned().collect()
}

fn enumerate(client: &mut Client, class: &str) -> Vec<Element> {
    items(&client.ask(&Message::enumerate(&format!("{CIM}/{class}"), WHOLE)))
}

fn search(client: &mut Client, class: &str, query: &str) -> Vec<Element> {
    let filter =
        format!("<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf\">{query}</w:Filter>{WHOLE}");
    items(&client.ask(&Message::enumerate(&format!("{CIM}/{class}"), &filter)))
}

fn get(client: &mut Client, id: &str) -> Element {
    client.ask(&Message::get(&format!("{CIM}/CIM_SoftwareIdentity")).selector("InstanceID", id.replace('>', "&gt;")))
}

/// What a walk from a software identity in a role leads to: the other ends, or the links themselves.
fn walk(client: &mut Client, kind: &str, id: &str, association: &str, role: &str) -> Vec<Element> {
    let id = id.replace('>', "&gt;");
    let filter = format!(
        "<w:Filter Dialect=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter\"><b:{kind}><b:Object>\
         <a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{CIM}/CIM_SoftwareIdentity</w:ResourceURI>\
         <w:SelectorSet><w:Selector Name=\"InstanceID\">{id}</w:Selector></w:SelectorSet></a:ReferenceParameters>\
         </b:Object>{association}<b:Role>{role}</b:Role></b:{kind}></w:Filter>{WHOLE}"
    );
    items(&client.ask(&Message::enumerate(ALL_CLASSES, &filter)))
}

/// The InstanceIDs at the other ends, in order.
fn ends(client: &mut Client, id: &str, association: &str, role: &str) -> Vec<String> {
    let association = format!("<b:AssociationClassName>{association}</b:AssociationClassName>");
    let mut ids = ids(&walk(client, "AssociatedInstances", id, &association, role));
    ids.sort();
    ids
}

fn ids(instances: &[Element]) -> Vec<String> {
    instances.iter().map(|instance| property(instance, "InstanceID").unwrap()).collect()
}

fn needed_by(client: &mut Client, nevra: &str) -> Vec<String> {
    ends(client, &format!("{IDENTITY}{nevra}"), "CIM_OrderedDependency", "Dependent")
}

fn needing(client: &mut Client, id: &str) -> Vec<String> {
    ends(client, id, "CIM_OrderedDependency", "Antecedent")
}

/// The InstanceIDs of packages.
fn identities(nevras: &[&str]) -> Vec<String> {
    nevras.iter().map(|nevra| format!("{IDENTITY}{nevra}")).collect()
}

/// The links of a package with what it needs: sequence, type and requirement of each.
fn links(client: &mut Client, nevra: &str) -> Vec<(String, String, String)> {
    let class = "<b:ResultClassName>QM_OrderedDependency</b:ResultClassName>";
    let links = walk(client, "AssociationInstances", &format!("{IDENTITY}{nevra}"), class, "Dependent");
    let of = |link: &Element, name| property(link, name).unwrap();
    links.iter().map(|l| (of(l, "AssignedSequence"), of(l, "DependencyType"), of(l, "Requirement"))).collect()
}

#[test]
fn a_debian_host_tells_what_needs_what_and_what_belongs_together() {
    let root = DebRoot::new();
    let dir = root.scratch();
    let build = |name: &str, version: &str, fields: &[(&str, &str)]| build_deb(&dir, name, version, fields);
    let alpha = build(
        "alpha",
        "1.0-1",
        &[("Depends", "gamma | beta, mail"), ("Recommends", "delta"), ("Suggests", "nowhere (>= 2)")],
    );
    let packages: Vec<PathBuf> = vec![
        build("beta", "2", &[("Provides", "mail")]),
        alpha,
        build("delta", "1", &[]),
        build("delta", "3", &[("Depends", "alpha (>= 1)")]),
        build("suite", "7", &[("Section", "metapackages"), ("Depends", "alpha, delta"), ("Description", "All of it")]),
    ];
    packages[..2].iter().for_each(|package| root.install_by_hand(package));
    let root = root.with_repository(&packages);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let client = &mut server.admin();

    let nowhere = format!("{REQUIREMENT}nowhere >= 2");
    let gamma = format!("{REQUIREMENT}gamma");
    let mut expected = identities(&["beta-0:2.all", "delta-0:3.all"]);
    expected.extend([gamma, nowhere.clone()]);
    assert_eq!(needed_by(client, "alpha-0:1.0-1.all"), expected);
    let link = |sequence: &str, kind: &str, text: &str| (sequence.to_owned(), kind.to_owned(), text.to_owned());
    assert_eq!(
        links(client, "alpha-0:1.0-1.all"),
        [
            link("1", "3", "gamma | beta"),
            link("1", "3", "gamma | beta"),
            link("3", "4", "delta"),
            link("4", "5", "nowhere >= 2")
        ]
    );
    assert_eq!(needed_by(client, "delta-0:3.all"), identities(&["alpha-0:1.0-1.all"]));
    let alpha = identities(&["alpha-0:1.0-1.all"]);
    for id in [identities(&["beta-0:2.all"]), identities(&["delta-0:3.all"]), vec![nowhere.clone()]].concat() {
        assert_eq!(needing(client, &id), alpha, "{id}");
    }
    let placeholder = get(client, &nowhere);
    assert_eq!(placeholder.name, "QM_SoftwareRequirement");
    let of = |name| property(&placeholder, name).unwrap();
    assert_eq!((of("IsEntity"), of("Name"), of("VersionString")), ("false".into(), "nowhere".into(), "2".into()));
    assert_eq!(enumerate(client, "CIM_OrderedDependency").len(), 4);

    let suite = format!("{BUNDLE}metapackage:suite");
    let software = ids(&enumerate(client, "CIM_SoftwareIdentity"));
    assert_eq!(software.len(), 6);
    assert_eq!(software.last(), Some(&suite));
    let state = |client: &mut Client| property(&get(client, &suite), "InstallState").unwrap();
    assert_eq!(state(client), "3");
    let parts = identities(&["alpha-0:1.0-1.all", "delta-0:3.all", "suite-0:7.all"]);
    assert_eq!(ends(client, &suite, "CIM_OrderedComponent", "GroupComponent"), parts);
    assert_eq!(ends(client, &alpha[0], "CIM_OrderedComponent", "PartComponent"), std::slice::from_ref(&suite));
    for package in [&packages[3], &packages[4]] {
        root.install_by_hand(package);
    }
    eventually("all of the bundle to be installed", PATIENCE, || (state(client) == "2").then_some(()));
    assert_eq!(needing(client, &alpha[0]), identities(&["delta-0:3.all", "suite-0:7.all"]));
}

#[test]
fn an_rpm_host_tells_its_groups_and_which_advisories_it_needs() {
    let root = RpmRoot::new();
    let dir = root.scratch();
    let build = |name: &str, version: &str, tags: &[(&str, &str)]| build_rpm(&dir, name, version, "1", tags);
    let packages: Vec<PathBuf> = vec![
        build("library", "1", &[("Provides", "lib(so) = 1")]),
        build("editor", "1", &[("Requires", "lib(so) >= 1"), ("Recommends", "fonts, (nowhere if absent)")]),
        build("editor", "2", &[("Requires", "library")]),
        build("fonts", "1", &[]),
    ];
    packages[..2].iter().for_each(|package| root.install_by_hand(package));
    let members = "<packagereq type=\"mandatory\">editor</packagereq><packagereq>fonts</packagereq>";
    let advisories = advisories(&[
        advisory("T-2024:1", "security", "Important", Some("CVE-2024-1"), &[("editor", "2", "1"), ("gone", "1", "1")]),
        advisory("T-2024:2", "security", "Low", Some("CVE-2024-2"), &[("editor", "2", "1")]),
        advisory("T-2024:3", "bugfix", "None", None, &[("library", "1", "1")]),
    ]);
    publish(&root, &packages, &groups(&[("desk", "Desk", members)]), &advisories);
    let host = Host::new(&root.path(), "rpm");
    let server = host.serve();
    let client = &mut server.admin();

    let editor = "editor-0:1-1.noarch";
    let mut expected = identities(&["fonts-0:1-1.noarch", "library-0:1-1.noarch"]);
    expected.push(format!("{REQUIREMENT}(nowhere if absent)"));
    assert_eq!(needed_by(client, editor), expected);
    assert_eq!(needed_by(client, "editor-0:2-1.noarch"), identities(&["library-0:1-1.noarch"]));
    assert_eq!(needing(client, &format!("{IDENTITY}library-0:1-1.noarch")), identities(&[editor]));

    let desk = get(client, &format!("{BUNDLE}group:desk"));
    assert_eq!((desk.name.as_str(), property(&desk, "InstallState").unwrap()), ("QM_SoftwareBundle", "3".to_owned()));
    assert_eq!(descendants(&desk, "Classifications").len(), 1);
    assert_eq!(property(&desk, "Classifications").as_deref(), Some("13"));
    assert_eq!(
        ends(client, &format!("{BUNDLE}group:desk"), "CIM_OrderedComponent", "GroupComponent"),
        identities(&[editor, "fonts-0:1-1.noarch"])
    );
    let of_new = ends(client, &format!("{IDENTITY}editor-0:2-1.noarch"), "CIM_OrderedComponent", "PartComponent");
    assert_eq!(of_new, ["T-2024:1", "T-2024:2"].map(|id| format!("{BUNDLE}advisory:{id}")));

    let needed = "SELECT * FROM QM_SoftwareBundle WHERE BundleType = 5 AND InstallState = 4 AND Severity &gt;= 4";
    let found = search(client, "QM_SoftwareBundle", needed);
    assert_eq!(ids(&found), [format!("{BUNDLE}advisory:T-2024:1")]);
    let of = |name| property(&found[0], name).unwrap();
    assert_eq!((of("CVEs"), of("References")), ("CVE-2024-1".into(), "https://example.org/CVE-2024-1".into()));
    assert_eq!((of("AdvisoryType"), of("ElementName")), ("2".into(), "T-2024:1 is out".into()));
    assert!(of("ReleaseDate").starts_with("2024-01-02T03:04:05"), "{found:?}");
    let done =
        search(client, "CIM_SoftwareIdentity", "SELECT InstanceID FROM QM_SoftwareBundle WHERE InstallState = 2");
    assert_eq!(ids(&done), [format!("{BUNDLE}advisory:T-2024:3")]);
}
