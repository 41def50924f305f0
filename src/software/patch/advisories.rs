//! Advisories of dnf repositories as bulletins.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    InstallState, MetadataSource, PartChange, PatchAssessment, PatchHost, PatchPart, PatchReason, PatchState,
    PatchStatus,
};
use crate::software::{AdvisoryKind, Bundle, BundleKind, Bundles, Family, Inventory, Nevra, Part, Severity};

/// The name and the architecture of packages that take each other's place.
type Slot = (Arc<str>, Arc<str>);

/// Compares what is installed with the advisories of the enabled repositories.
pub fn assess_advisories(
    inventory: &Inventory,
    bundles: &Bundles,
    host: PatchHost,
    metadata: Vec<MetadataSource>,
    at: DateTime<Utc>,
) -> PatchAssessment {
    let advisories: Vec<&Bundle> = bundles.all().iter().filter(|bundle| bundle.kind == BundleKind::Advisory).collect();
    let newest = newest_builds(&advisories);
    let mut bulletins: Vec<PatchStatus> =
        advisories.iter().map(|advisory| status(advisory, inventory, &newest)).collect();
    bulletins.sort_by(|a, b| a.id.cmp(&b.id));
    PatchAssessment { at, host, metadata, bulletins }
}

/// The newest build of each package that any advisory has, and the advisory's id.
fn newest_builds<'a>(advisories: &[&'a Bundle]) -> HashMap<Slot, (&'a Nevra, &'a str)> {
    let mut newest: HashMap<Slot, (&Nevra, &str)> = HashMap::new();
    for advisory in advisories {
        for build in builds(advisory) {
            let entry = newest.entry(slot(build)).or_insert((build, &advisory.id));
            if build.version_order(entry.0, Family::Rpm) == Ordering::Greater {
                *entry = (build, &advisory.id);
            }
        }
    }
    newest
}

fn builds(advisory: &Bundle) -> impl Iterator<Item = &Nevra> {
    advisory.parts.iter().filter_map(|part| match part {
        Part::Build(nevra) => Some(nevra),
        Part::Package { .. } => None,
    })
}

fn slot(build: &Nevra) -> Slot {
    (build.name.as_ref().into(), build.architecture.as_ref().into())
}

fn status(advisory: &Bundle, inventory: &Inventory, newest: &HashMap<Slot, (&Nevra, &str)>) -> PatchStatus {
    let parts: Vec<(&Nevra, PatchPart)> = builds(advisory).map(|build| (build, part(build, inventory))).collect();
    let is_of_host = |part: &PatchPart| part.change != PartChange::New;
    let of_host: Vec<&(&Nevra, PatchPart)> = parts.iter().filter(|(_, part)| is_of_host(part)).collect();
    let applicable = !of_host.is_empty();
    let has = |change| of_host.iter().any(|(_, part)| part.change == change);
    let (state, reasons) = match (applicable, has(PartChange::Update), has(PartChange::Installed)) {
        (false, ..) => (PatchState::NotApplicable, vec![PatchReason::NotInstalled]),
        (true, true, _) => (PatchState::Missing, Vec::new()),
        (true, false, true) => (PatchState::Installed, Vec::new()),
        (true, false, false) => (PatchState::Superseded, vec![PatchReason::Obsoleted]),
    };
    let installed = matches!(state, PatchState::Installed | PatchState::Superseded);
    let newer = |build: &Nevra| newest.get(&slot(build)).filter(|(other, _)| *other != build).map(|(_, id)| *id);
    let successors: Vec<Option<&str>> = of_host.iter().map(|(build, _)| newer(build)).collect();
    let is_superseded = applicable && successors.iter().all(Option::is_some);
    let superseded_by: BTreeSet<&str> = successors.into_iter().flatten().filter(|_| is_superseded).collect();
    PatchStatus {
        id: advisory.id.to_string(),
        vendor: String::new(),
        summary: advisory.name.clone(),
        description: advisory.description.clone(),
        severity: advisory.severity.map_or("general", severity).to_owned(),
        component: None,
        category: advisory.advisory.map_or("general", category).to_owned(),
        release_type: "patch".to_owned(),
        release_date: advisory.released_at,
        kb_url: advisory.references.first().cloned().unwrap_or_default(),
        cves: advisory.cves.clone(),
        state,
        applicable,
        reasons,
        installed,
        install_states: if installed { vec![InstallState::ImageActive] } else { Vec::new() },
        missing_requirements: Vec::new(),
        conflicts_with: Vec::new(),
        superseded_by: superseded_by.into_iter().map(str::to_owned).collect(),
        prerequisites: Vec::new(),
        // That an advisory does not say so does not tell that none is needed.
        needs_reboot: advisory.needs_reboot.then_some(true),
        needs_maintenance_mode: false,
        parts: parts.into_iter().map(|(_, part)| part).collect(),
    }
}

/// A build, and what is installed in its place.
fn part(build: &Nevra, inventory: &Inventory) -> PatchPart {
    let same = inventory.named(&build.name).iter().filter(|package| package.nevra.architecture == build.architecture);
    let there = same.max_by(|a, b| a.nevra.version_order(&b.nevra, Family::Rpm));
    let change = match there.map(|package| package.nevra.version_order(build, Family::Rpm)) {
        None => PartChange::New,
        Some(Ordering::Less) => PartChange::Update,
        Some(Ordering::Equal) => PartChange::Installed,
        Some(Ordering::Greater) => PartChange::Obsoleted,
    };
    let on_host = there.filter(|package| package.nevra != *build).map(|package| package.nevra.to_string());
    PatchPart {
        id: build.to_string(),
        name: build.name.to_string(),
        version: build.evr(),
        vendor: String::new(),
        summary: there.map(|package| package.summary.to_string()).unwrap_or_default(),
        change,
        on_host: on_host.into_iter().collect(),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Moderate => "moderate",
        Severity::Important => "important",
        Severity::Critical => "critical",
    }
}

fn category(kind: AdvisoryKind) -> &'static str {
    match kind {
        AdvisoryKind::Security => "security",
        AdvisoryKind::BugFix => "bugfix",
        AdvisoryKind::Enhancement | AdvisoryKind::NewPackage => "enhancement",
        AdvisoryKind::Other => "general",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::{Package, PackageState};

    fn advisory(id: &str, builds: &[&str]) -> Bundle {
        let mut bundle = Bundle::new(BundleKind::Advisory, id);
        bundle.severity = Some(Severity::Important);
        bundle.advisory = Some(AdvisoryKind::Security);
        for build in builds {
            bundle.add(Part::Build(build.parse().unwrap()));
        }
        bundle
    }

    #[test]
    fn advisories_are_bulletins() {
        let installed = |text: &str| Package::bare(text.parse().unwrap(), PackageState::Installed);
        let inventory = Inventory::new([installed("a-0:2-1.x86_64"), installed("b-0:1-1.noarch")]);
        let bundles = Bundles::new(
            Family::Rpm,
            "x86_64",
            [
                advisory("R-1", &["a-0:1-1.x86_64"]),
                advisory("R-2", &["a-0:2-1.x86_64"]),
                advisory("R-3", &["a-0:3-1.x86_64", "c-0:1-1.x86_64"]),
                advisory("R-4", &["b-0:2-1.noarch"]),
                advisory("R-5", &["b-0:3-1.noarch"]),
                Bundle { needs_reboot: true, ..advisory("R-6", &["c-0:1-1.x86_64"]) },
            ],
        );
        let assessment =
            assess_advisories(&inventory, &bundles, PatchHost::default(), Vec::new(), DateTime::UNIX_EPOCH);
        let seen: Vec<(PatchState, Vec<PatchReason>, String)> =
            assessment.bulletins.iter().map(|b| (b.state, b.reasons.clone(), b.superseded_by.join(" "))).collect();
        use PatchState::{Installed, Missing, NotApplicable, Superseded};
        let none = Vec::new;
        assert_eq!(
            seen,
            [
                (Superseded, vec![PatchReason::Obsoleted], "R-3".to_owned()),
                (Installed, none(), "R-3".to_owned()),
                (Missing, none(), String::new()),
                (Missing, none(), "R-5".to_owned()),
                (Missing, none(), String::new()),
                (NotApplicable, vec![PatchReason::NotInstalled], String::new()),
            ]
        );
        let third = assessment.bulletins.iter().find(|b| b.id == "R-3").unwrap();
        assert_eq!(third.parts.iter().map(|p| p.on_host.join(" ")).collect::<Vec<_>>(), ["a-0:2-1.x86_64", ""]);
        assert_eq!((third.severity.as_str(), third.category.as_str()), ("important", "security"));
        let reboots: Vec<_> = assessment.bulletins.iter().map(|bulletin| bulletin.needs_reboot).collect();
        assert_eq!(reboots, [None, None, None, None, None, Some(true)]);
    }
}
