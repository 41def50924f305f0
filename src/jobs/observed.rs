//! What of the installed packages changed, whoever changed it: compared with what was noted last, also over a restart.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::software::Inventory;
use crate::store::{Store, StoreError, changes, installed};

/// The subject of the change records of installed packages; what is before and after is the package's
/// `name-epoch:version-release.arch` as a JSON text.
pub const PACKAGE_SUBJECT: &str = "installed_package";

/// No package's name; it is noted with the first ones, of which there may be none.
const NOTED: &str = "";

/// Notes what is installed on one managed root.
#[derive(Debug)]
pub struct Observed {
    store: Arc<Store>,
    clock: SharedClock,
    root: String,
}

impl Observed {
    /// Of the packages below this root.
    pub fn new(store: Arc<Store>, clock: SharedClock, root: &Path) -> Self {
        Self { store, clock, root: root.display().to_string() }
    }

    /// Writes a change record for every package that came or went since the last call, and tells how many. What is there at
    /// the first call ever is only noted. Blocks.
    pub fn note(&self, inventory: &Inventory) -> Result<usize, StoreError> {
        let mut known = self.store.read(|connection| installed::all(connection, &self.root))?;
        let is_first = !known.remove(NOTED);
        let now: HashSet<String> = inventory.packages().iter().map(|package| package.nevra.to_string()).collect();
        let (mut gone, mut new): (Vec<&String>, Vec<&String>) =
            (known.difference(&now).collect(), now.difference(&known).collect());
        if gone.is_empty() && new.is_empty() && !is_first {
            return Ok(0);
        }
        gone.sort();
        new.sort();
        let time = self.clock.now();
        self.store.write(|transaction| {
            let mut written = 0;
            installed::add(transaction, &self.root, NOTED)?;
            for name in &gone {
                installed::remove(transaction, &self.root, name)?;
                changes::append(transaction, time, PACKAGE_SUBJECT, Some(&json(name)), None)?;
                written += 1;
            }
            for name in &new {
                installed::add(transaction, &self.root, name)?;
                if !is_first {
                    changes::append(transaction, time, PACKAGE_SUBJECT, None, Some(&json(name)))?;
                    written += 1;
                }
            }
            Ok(written)
        })
    }
}

fn json(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::software::testing::package;

    #[test]
    fn what_came_and_went_is_recorded_once_also_over_a_restart() {
        let store = Arc::new(Store::in_memory().unwrap());
        let observed = || Observed::new(store.clone(), Arc::new(SystemClock), Path::new("/"));
        let first = Inventory::new([package("a", "1", ""), package("b", "1", "")]);
        assert_eq!(observed().note(&first).unwrap(), 0, "what was there before is no change");
        let second = Inventory::new([package("a", "2", ""), package("b", "1", "")]);
        assert_eq!(observed().note(&second).unwrap(), 2);
        assert_eq!(observed().note(&second).unwrap(), 0);
        let records = store.read(|c| changes::after(c, 0, 10)).unwrap();
        let seen: Vec<_> = records.iter().map(|r| (r.before.as_deref(), r.after.as_deref())).collect();
        assert_eq!(seen, [(Some("\"a-0:1.all\""), None), (None, Some("\"a-0:2.all\""))]);
    }
}
