//! What of the installed packages or of an image's VIBs changed, whoever changed it: compared with what was noted last, also
//! over a restart.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::software::Inventory;
use crate::software::vib::{ImageSnapshot, Standing};
use crate::store::{Store, StoreError, changes, installed};

/// The subject of the change records of installed packages; what is before and after is the package's
/// `name-epoch:version-release.arch` as a JSON text.
pub const PACKAGE_SUBJECT: &str = "installed_package";

/// The subject of the change records of an image's VIBs; what is before and after is a [`Standing`].
pub const VIB_SUBJECT: &str = "image_vib";

/// No package's name; it is noted with the first ones, of which there may be none.
const NOTED: &str = "";

/// Notes what is installed on one managed root or in one image.
#[derive(Debug)]
pub struct Observed {
    store: Arc<Store>,
    clock: SharedClock,
    root: String,
}

impl Observed {
    /// Of what is below this root, or in the image store there.
    pub fn new(store: Arc<Store>, clock: SharedClock, root: &Path) -> Self {
        Self { store, clock, root: root.display().to_string() }
    }

    /// Writes a change record for every package that came or went since the last call, and tells how many. What is there at
    /// the first call ever is only noted. Blocks.
    pub fn note(&self, inventory: &Inventory) -> Result<usize, StoreError> {
        let now = inventory.packages().iter().map(|package| package.nevra.to_string()).collect();
        self.compare(PACKAGE_SUBJECT, &now, json, |_, _| false)
    }

    /// The same for every VIB that came into the image, went, or stands otherwise.
    pub fn note_image(&self, snapshot: &ImageSnapshot) -> Result<usize, StoreError> {
        let text = |standing: &Standing| {
            serde_json::to_string(standing).map_err(|error| StoreError::damaged(VIB_SUBJECT, error))
        };
        let now = snapshot.standing().map(|(_, standing)| text(&standing)).collect::<Result<_, _>>()?;
        let id = |text: &str| serde_json::from_str::<Standing>(text).ok().map(|standing| standing.id);
        self.compare(VIB_SUBJECT, &now, str::to_owned, |gone, new| id(gone) == id(new))
    }

    /// What is noted is compared with what there is now. `record` makes the text of a change record of it; where `is_same`,
    /// something that is gone and something new are one thing that changed.
    fn compare(
        &self,
        subject: &str,
        now: &HashSet<String>,
        record: impl Fn(&str) -> String,
        is_same: impl Fn(&str, &str) -> bool,
    ) -> Result<usize, StoreError> {
        let mut known = self.store.read(|connection| installed::all(connection, &self.root))?;
        let is_first = !known.remove(NOTED);
        let changed = changed(&known, now, is_same);
        if changed.is_empty() && !is_first {
            return Ok(0);
        }
        let time = self.clock.now();
        self.store.write(|transaction| {
            let mut written = 0;
            installed::add(transaction, &self.root, NOTED)?;
            for (gone, new) in &changed {
                gone.map_or(Ok(()), |name| installed::remove(transaction, &self.root, name))?;
                new.map_or(Ok(()), |name| installed::add(transaction, &self.root, name))?;
                if !is_first {
                    let [before, after] = [gone, new].map(|name| name.map(&record));
                    changes::append(transaction, time, subject, before.as_deref(), after.as_deref())?;
                    written += 1;
                }
            }
            Ok(written)
        })
    }
}

/// What went, what changed and what came, by what is noted of it before and now.
fn changed<'a>(
    known: &'a HashSet<String>,
    now: &'a HashSet<String>,
    is_same: impl Fn(&str, &str) -> bool,
) -> Vec<(Option<&'a str>, Option<&'a str>)> {
    let sorted = |names: Vec<&'a String>| {
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        names
    };
    let (gone, mut new) = (sorted(known.difference(now).collect()), sorted(now.difference(known).collect()));
    let mut changed: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    for name in gone {
        let place = new.iter().position(|other| is_same(name, other));
        changed.push((Some(name), place.map(|place| new.remove(place))));
    }
    changed.extend(new.into_iter().map(|name| (None, Some(name))));
    changed
}

fn json(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::software::testing::{image_snapshot, package};

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

    #[test]
    fn a_vib_that_will_run_and_then_runs_is_one_that_changed() {
        let [old, new, other] = [("a", "1.0-1"), ("a", "2.0-1"), ("b", "1.0-1")];
        let store = Arc::new(Store::in_memory().unwrap());
        let observed = || Observed::new(store.clone(), Arc::new(SystemClock), Path::new("image"));
        assert_eq!(observed().note_image(&image_snapshot(&[old, other], None)).unwrap(), 0);
        assert_eq!(observed().note_image(&image_snapshot(&[old, other], Some(&[new, other]))).unwrap(), 2);
        assert_eq!(observed().note_image(&image_snapshot(&[new, other], None)).unwrap(), 3);
        let records = store.read(|c| changes::after(c, 0, 10)).unwrap();
        let read = |text: &Option<String>| {
            let standing: Option<Standing> = text.as_deref().map(|text| serde_json::from_str(text).unwrap());
            standing.map(|it| (it.id.as_str().to_owned(), it.is_running, it.is_next))
        };
        let seen: Vec<_> = records.iter().map(|r| (read(&r.before), read(&r.after))).collect();
        let is = |(name, version), running, next| Some((format!("VMware_bootbank_{name}_{version}"), running, next));
        let mut expected = [
            (is(other, true, false), is(other, true, true)),
            (None, is(new, false, true)),
            (is(new, false, true), is(new, true, false)),
            (is(old, true, false), None),
            (is(other, true, true), is(other, true, false)),
        ];
        // Within one look they come in the order of what is noted of them.
        expected[2..].sort();
        let mut seen = seen;
        seen[2..].sort();
        assert_eq!(seen, expected);
    }
}
