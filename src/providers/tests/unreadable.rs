//! What cannot be read is told as a failure: an empty list would say that there is nothing.

use super::*;
use crate::store::StoreError;

impl Host {
    /// How a walk ends, and how an enumeration of its links does.
    fn failures(&self, source: &Instance, association: &str) -> [CimError; 2] {
        let query = AssociationQuery {
            traversal: Traversal::AssociationInstances,
            source: self.broker.path_of(source),
            association_class: Some(association.to_owned()),
            role: None,
            result_class: None,
            result_role: None,
        };
        let walked = match self.broker.associations(&self.caller, query) {
            Ok(links) => links.last().unwrap().unwrap_err(),
            Err(error) => error,
        };
        let class = self.broker.class(INTEROP_NAMESPACE, association).unwrap().clone();
        let all = self.broker.enumerate(&self.caller, INTEROP_NAMESPACE, &class).unwrap().0;
        [walked, all.last().unwrap().unwrap_err()]
    }
}

fn is_our_failure(error: &CimError) -> bool {
    error.status == CimStatus::Failed && error.message.contains("operator's log") && error.source.is_some()
}

#[test]
fn links_that_the_engine_cannot_tell_are_a_failure() {
    let host = host_of(FixedPackages::new([package("alpha", "1", "")]).unreadable());
    let one = |class: &str| host.enumerate("root/cimv2", class).remove(0);
    let system = one("CIM_ComputerSystem");
    let alpha = host.walk(&system, "CIM_InstalledSoftwareIdentity", None).remove(0);
    for (source, association) in [
        (&system, "LMI_HostedSoftwareIdentityResource"),
        (&alpha, "LMI_ResourceForSoftwareIdentity"),
        (&alpha, "LMI_SoftwareIdentityChecks"),
        (&alpha, "CIM_OrderedComponent"),
        (&alpha, "QM_OrderedDependency"),
        (&one("LMI_SystemSoftwareCollection"), "LMI_MemberOfSoftwareCollection"),
        (&one("CIM_SoftwareInstallationService"), "LMI_SoftwareInstallationServiceAffectsElement"),
    ] {
        for error in host.failures(source, association) {
            assert!(is_our_failure(&error), "{association}: {error:?}");
            assert!(!error.message.contains("secret"), "{association}: {error}");
        }
    }
}

#[test]
fn installed_software_is_shown_before_what_is_offered_fails() {
    let host = host_of(FixedPackages::new([package("alpha", "1", "")]).unreadable());
    let class = host.broker.class(INTEROP_NAMESPACE, "CIM_ElementConformsToProfile").unwrap().clone();
    let links: Vec<_> = host.broker.enumerate(&host.caller, INTEROP_NAMESPACE, &class).unwrap().0.collect();
    let failures = links.iter().filter_map(|link| link.as_ref().err());
    assert!(
        failures.clone().count() == 2 && failures.clone().all(is_our_failure),
        "offered ones and bundles: {links:?}"
    );
    // The system, a package, the two services and the profile of registration itself.
    assert_eq!(links.iter().filter(|link| link.is_ok()).count(), 5);
}

#[test]
fn links_of_a_package_that_nobody_knows_are_none_only_if_that_can_be_told() {
    let link = |host: &Host| {
        let ghost = ObjectPath::new(
            "root/cimv2",
            "LMI_SoftwareIdentity",
            vec![("InstanceID".into(), "LMI:LMI_SoftwareIdentity:ghost-0:1.all".into())],
        );
        let collection = host.broker.path_of(&host.enumerate("root/cimv2", "LMI_SystemSoftwareCollection")[0]);
        let keys = vec![("Collection".into(), collection.into()), ("Member".into(), ghost.into())];
        let path = ObjectPath::new("root/cimv2", "LMI_MemberOfSoftwareCollection", keys);
        host.broker.get(&host.caller, &path).unwrap_err()
    };
    assert_eq!(link(&host()).status, CimStatus::NotFound);
    assert!(is_our_failure(&link(&host_of(FixedPackages::new([]).unreadable()))));
}

#[test]
fn records_that_the_store_cannot_tell_are_a_failure() {
    let host = host();
    let log = host.enumerate("root/cimv2", "CIM_RecordLog").remove(0);
    let record = {
        let keys = vec![
            ("Log".into(), host.broker.path_of(&log).into()),
            (
                "Record".into(),
                ObjectPath::new(
                    "root/cimv2",
                    "CIM_LogEntry",
                    vec![("InstanceID".into(), "Quartermaster:SoftwareHistory:1".into())],
                )
                .into(),
            ),
        ];
        ObjectPath::new("root/cimv2", "CIM_LogManagesRecord", keys)
    };
    let get = || host.broker.get(&host.caller, &record).unwrap_err();
    assert_eq!(get().status, CimStatus::NotFound);
    host.store.write(|t| t.execute_batch("ALTER TABLE history RENAME TO hidden").map_err(StoreError::from)).unwrap();
    assert!(is_our_failure(&get()), "{:?}", get());
    let class = host.broker.class("root/cimv2", "CIM_LogManagesRecord").unwrap().clone();
    let links = host.broker.enumerate(&host.caller, "root/cimv2", &class).unwrap().0;
    let links: Vec<_> = links.take(3).collect();
    assert!(matches!(&links[..], [Err(error)] if is_our_failure(error)), "{links:?}");
}
