//! The descriptions of tasks, as tasksel has them (`/usr/share/doc/tasksel/README`).

use std::fs::File;
use std::io::{self, BufReader, Read};

use super::super::database::description;
use super::super::stanza::{Met, Stanza, Stanzas};
use super::package;
use crate::software::root::Root;
use crate::software::{Bundle, BundleKind};

/// Where the descriptions lie in a root.
const FOLDERS: [&str; 2] = ["/usr/share/tasksel/descs", "/usr/local/share/tasksel/descs"];

const FIELDS: &[&str] = &["Task", "Description", "Key", "Packages"];

/// The largest file that is read; Debian's has some ten thousand octets.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// How many tasks one file may describe.
const MOST_TASKS: usize = 10_000;

/// The files of descriptions, by their paths in the root.
pub(super) fn files(root: &Root) -> Vec<String> {
    let files = FOLDERS.iter().flat_map(|folder| {
        let names = root.names(folder).unwrap_or_default().into_iter();
        names.filter(|name| name.ends_with(".desc")).map(move |name| format!("{folder}/{name}"))
    });
    files.collect()
}

/// Reads all of them. What is damaged is logged and left out.
pub(super) fn read(root: &Root) -> Vec<Bundle> {
    let mut tasks = Vec::new();
    for path in files(root) {
        let opened = root.open_file(&path);
        if let Err(error) = opened.and_then(|file| file.map_or(Ok(()), |file| read_file(&path, file, &mut tasks))) {
            tracing::warn!(file = path, %error, "the descriptions of tasks cannot be read to their end");
        }
    }
    tasks
}

fn read_file(path: &str, file: File, tasks: &mut Vec<Bundle>) -> io::Result<()> {
    let mut stanzas = Stanzas::new(BufReader::new(file.take(LARGEST_FILE)), FIELDS);
    for _ in 0..MOST_TASKS {
        match stanzas.next()? {
            None => return Ok(()),
            Some(Met::Stanza(stanza)) => tasks.extend(task(&stanza)),
            Some(Met::Damaged(line, why)) => {
                tracing::warn!(file = path, line, "left out a damaged description of a task: {why}");
            }
        }
    }
    Err(io::Error::other("it has more tasks than any system"))
}

/// The task without those packages that say of themselves that they belong to it.
fn task(stanza: &Stanza) -> Option<Bundle> {
    let id = stanza.get("Task").filter(|id| !id.is_empty())?;
    let mut task = Bundle::new(BundleKind::Task, id);
    let (name, text) = description(stanza.get("Description").unwrap_or_default());
    (task.name, task.description) = (name.to_owned(), text);
    let keys = stanza.get("Key").unwrap_or_default().split_whitespace();
    let listed = stanza.get("Packages").unwrap_or_default().trim().strip_prefix("list").unwrap_or_default();
    keys.chain(listed.split_whitespace()).for_each(|name| task.add(package(name.into())));
    Some(task)
}
