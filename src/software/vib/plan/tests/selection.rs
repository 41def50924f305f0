//! Which candidates are chosen from what bundles have.

use super::super::super::samples::{Package, host_with, platform, vib};
use super::*;

fn names(candidates: &[Candidate]) -> Vec<(&str, bool)> {
    candidates.iter().map(|candidate| (&*candidate.descriptor.name, candidate.wanted)).collect()
}

#[test]
fn what_is_in_bulletins_for_others_is_no_candidate_and_what_is_in_none_is() {
    let host = host_with(vec![]).host;
    let mut package = Package::of(["a 1-1", "b 1-1", "c 1-1", "both 1-1"].map(vib))
        .with_bulletin("B-5", 1, &["a 1-1", "both 1-1"])
        .with_bulletin("B-6", 1, &["b 1-1", "both 1-1"]);
    package.bulletins[1].platforms = vec![platform("embeddedEsx 6.*")];
    let all = Candidate::select(&host, &package.catalogue(), None).unwrap();
    assert_eq!(names(&all), [("a", true), ("c", true), ("both", true)]);
    let some = Candidate::select(&host, &package.catalogue(), Some(&["B-5".to_owned()])).unwrap();
    assert_eq!(names(&some), [("a", true), ("c", false), ("both", true)]);
    let error = Candidate::select(&host, &package.catalogue(), Some(&["B-6".to_owned()])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[NoMatchError] Bulletin B-6 is for embeddedEsx 6.*, and the host is embeddedEsx 5.5.0. Get the bundle that is made \
         for the host's version."
    );
}

#[test]
fn a_vib_for_another_product_is_no_candidate() {
    let host = host_with(vec![]).host;
    let dpu = Descriptor { platforms: vec![platform("esxio 8.*")], ..vib("esxio-base 8.0.0-1") };
    let package = Package::of([vib("a 1-1"), dpu]);
    assert_eq!(names(&Candidate::select(&host, &package.catalogue(), None).unwrap()), [("a", true)]);
}

#[test]
fn a_bulletin_must_be_there_with_all_its_vibs() {
    let host = host_with(vec![]).host;
    let mut package = Package::of([vib("a 1-1")]).with_bulletin("B", 1, &["a 1-1"]);
    package.bulletins[0].vibs.push(vib("gone 1-1").id());
    let select =
        |id: &str| Candidate::select(&host, &package.catalogue(), Some(&[id.to_owned()])).unwrap_err().to_string();
    assert_eq!(
        select("b"),
        "[NoMatchError] No bulletin matching bulletin search specification 'b'. Name a bulletin that the metadata of the \
         bundles has."
    );
    assert_eq!(
        select("B"),
        "[BulletinValidationError] Bulletin B lists VIB VMware_bootbank_gone_1-1, which no bundle has. Add the bundle or the \
         metadata that has it. vibs = VMware_bootbank_gone_1-1"
    );
    let empty = Candidate::select(&host, &Package::default().catalogue(), None).unwrap_err();
    assert_eq!(empty.text, "The bundles have no VIBs. Name a bundle that has what is to be installed.");
}

#[test]
fn a_bulletin_that_has_nothing_for_the_host_is_told_of_by_what_it_has() {
    let host = host_with(vec![]).host;
    let dpu = Descriptor { platforms: vec![platform("esxio 8.*")], ..vib("esxio-base 8.0.0-1") };
    let package = Package::of([vib("a 1-1"), dpu])
        .with_bulletin("A", 1, &["a 1-1"])
        .with_bulletin("NOTE", 1, &[])
        .with_bulletin("NEWS", 1, &[])
        .with_bulletin("DPU", 1, &["esxio-base 8.0.0-1"]);
    let select = |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|&id| id.to_owned()).collect();
        Candidate::select(&host, &package.catalogue(), Some(&ids)).map_err(|error| error.to_string())
    };
    assert_eq!(
        select(&["NOTE"]).unwrap_err(),
        "[NoMatchError] Bulletin NOTE has no VIBs, so there is nothing to install. Name bulletins that have some."
    );
    assert_eq!(
        select(&["NOTE", "NEWS"]).unwrap_err(),
        "[NoMatchError] Bulletins NOTE, NEWS have no VIBs, so there is nothing to install. Name bulletins that have some."
    );
    assert_eq!(
        select(&["DPU"]).unwrap_err(),
        "[NoMatchError] Bulletin DPU has nothing for embeddedEsx 5.5.0: the VIBs are for esxio 8.*. Get the bundle that is \
         made for the host's version."
    );
    assert_eq!(names(&select(&["NOTE", "A"]).unwrap()).len(), 1);
}
