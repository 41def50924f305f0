//! FindUpdates, our own: everything that is installed and of which something newer is offered, in one call.

use std::collections::BTreeMap;

use super::model::Model;
use crate::broker::MethodReply;
use crate::cim::{CimError, Value};
use crate::software::{Catalog, Family, Nevra};

/// `FindUpdates`: of each name and architecture the newest that is installed, and the newest that is newer.
pub(super) fn find(model: &Model) -> Result<MethodReply, CimError> {
    let (inventory, catalog, family) = (model.manager.inventory(), model.catalog()?, model.manager.family());
    let mut newest: BTreeMap<(&str, &str), &Nevra> = BTreeMap::new();
    for package in inventory.packages().iter().filter(|package| package.state.has_files()) {
        let own = &package.nevra;
        let known = newest.entry((&own.name, &own.architecture)).or_insert(own);
        if known.version_order(own, family).is_lt() {
            *known = own;
        }
    }
    let updates: Vec<(&Nevra, Nevra)> =
        newest.into_values().filter_map(|own| Some((own, newer(&catalog, own, family)?))).collect();
    let paths = |nevra: &Nevra| model.identity_path(nevra);
    Ok(MethodReply::code(0)
        .with("Installed", Value::array(updates.iter().map(|(installed, _)| paths(installed))))
        .with("Newest", Value::array(updates.iter().map(|(_, newest)| paths(newest)))))
}

/// The newest that is offered of the same name and architecture, if it is newer.
fn newer(catalog: &Catalog, installed: &Nevra, family: Family) -> Option<Nevra> {
    let offered = catalog.newest(catalog.named(&installed.name));
    let mut offered = offered.into_iter().filter_map(|number| catalog.nevra(number));
    let newest = offered.find(|offered| offered.architecture == installed.architecture)?;
    installed.version_order(&newest, family).is_lt().then_some(newest)
}
