//! Appends lines: what is answered is on disk, and the chain goes on whatever became of the file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

use chrono::{DateTime, Utc};

use super::Settings;
use super::chain::Link;
use super::entry::{Entry, Event, TornOctets};
use super::files::{Files, Turn};
use super::tail::{Rest, Tail};

/// Appends to the log of one folder, in turn with other processes.
#[derive(Debug)]
pub(super) struct Appender {
    files: Files,
    lock: File,
    settings: Settings,
    /// The file as this process left it.
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    file: File,
    length: u64,
    last: Link,
}

/// The file as it is found, and what is to be told of it.
struct Found {
    known: Known,
    /// What is to be written before the next line.
    first: Vec<Entry>,
    /// Whether the last line lacks its end.
    line_end: bool,
}

impl Appender {
    pub(super) fn open(settings: Settings) -> io::Result<Self> {
        let files = Files::new(&settings.file)?;
        files.make_folder()?;
        let lock = files.open_lock()?;
        Ok(Self { files, lock, settings, known: None })
    }

    /// Writes the entries, all or none, and tells their places. They are on disk when this returns.
    pub(super) fn append(&mut self, now: DateTime<Utc>, entries: &[Entry]) -> io::Result<Vec<Link>> {
        let lock = self.lock.try_clone()?;
        let _turn = Turn::take(&lock)?;
        let mut found = self.look()?;
        if found.known.length >= self.settings.rotate_octets && found.first.is_empty() && !found.line_end {
            found = self.rotate(now, found.known.last)?;
        }
        let Found { mut known, first, line_end } = found;
        let (mut text, mut last, mut links) = (Vec::new(), known.last, Vec::with_capacity(entries.len()));
        if line_end {
            text.push(b'\n');
        }
        for entry in &first {
            last = last.append(now, entry, &mut text)?;
        }
        for entry in entries {
            last = last.append(now, entry, &mut text)?;
            links.push(last);
        }
        write(&known.file, known.length, &text)?;
        (known.length, known.last) = (known.length + text.len() as u64, last);
        self.known = Some(known);
        for entry in &first {
            report(entry);
        }
        Ok(links)
    }

    /// Looks whether the file is as this process left it, and else where the chain ends by now. If this fails the file is
    /// looked at anew the next time.
    fn look(&mut self) -> io::Result<Found> {
        let before = self.known.take();
        let Some(file) = self.files.open()? else {
            return self.without_file(before.map(|known| known.last));
        };
        let (length, is_known) = {
            let found = file.metadata()?;
            let same = |known: &Known| {
                let known_file = known.file.metadata()?;
                let is_same = (known_file.dev(), known_file.ino()) == (found.dev(), found.ino());
                Ok::<_, io::Error>(is_same && known.length == found.len())
            };
            (found.len(), before.as_ref().map(same).transpose()?.unwrap_or(false))
        };
        match before {
            Some(known) if is_known => Ok(Found { known, first: Vec::new(), line_end: false }),
            before => self.reread(file, length, before.map(|known| known.last)),
        }
    }

    /// There is no file: this is the first start, or somebody removed it.
    fn without_file(&self, before: Option<Link>) -> io::Result<Found> {
        let last = match before {
            Some(last) => last,
            None => self.last_rotated()?.unwrap_or(Link::START),
        };
        let known = Known { file: self.files.create()?, length: 0, last };
        let first = match before {
            Some(_) => vec![damaged("the file was removed while it was written")],
            None => Vec::new(),
        };
        Ok(Found { known, first, line_end: false })
    }

    /// Where the chain ends in the newest of the rotated files.
    fn last_rotated(&self) -> io::Result<Option<Link>> {
        let Some(newest) = self.files.rotated()?.pop() else { return Ok(None) };
        let file = File::open(newest.path)?;
        let length = file.metadata()?.len();
        Ok(Tail::read(&file, length)?.last)
    }

    fn reread(&self, file: File, length: u64, before: Option<Link>) -> io::Result<Found> {
        let Tail { last: found, rest } = Tail::read(&file, length)?;
        let last = match (found, before) {
            (Some(found), _) => found,
            (None, Some(before)) => before,
            (None, None) => self.last_rotated()?.unwrap_or(Link::START),
        };
        let mut first = Vec::new();
        let line_end = matches!(rest, Rest::LineEnd | Rest::Torn(_));
        match rest {
            Rest::Nothing | Rest::LineEnd => {}
            Rest::Torn(torn) => first.push(Entry { torn: Some(torn), ..Entry::new(Event::Torn) }),
            Rest::Damaged(torn) => first.push(Entry { torn: Some(torn), ..damaged("its end is no line of the log") }),
        }
        if let Some(before) = before.filter(|before| last.sequence < before.sequence) {
            let lost = format!("lines {} to {} were there and are gone", last.sequence + 1, before.sequence);
            first.push(damaged(&lost));
        }
        Ok(Found { known: Known { file, length, last }, first, line_end })
    }

    /// Begins a new file; its first line tells which lines are not kept any longer.
    fn rotate(&self, now: DateTime<Utc>, last: Link) -> io::Result<Found> {
        self.files.rotate(last.sequence)?;
        let mut kept = self.files.rotated()?;
        let surplus = kept.len().saturating_sub(self.settings.kept_files.max(1));
        let removed = kept.drain(..surplus).collect::<Vec<_>>();
        let removed_through = removed.last().map(|file| file.through);
        let mut known = Known { file: self.files.create()?, length: 0, last };
        let mut text = Vec::new();
        // Told before it is done: a line must not be missing that no other line speaks of.
        known.last = last.append(now, &Entry { removed_through, ..Entry::new(Event::Rotated) }, &mut text)?;
        write(&known.file, 0, &text)?;
        known.length = text.len() as u64;
        for file in removed {
            fs::remove_file(file.path)?;
        }
        Ok(Found { known, first: Vec::new(), line_end: false })
    }
}

/// Writes at the end of the file, which is so long; what cannot be written whole is taken back.
fn write(mut file: &File, length: u64, text: &[u8]) -> io::Result<()> {
    file.write_all(text).and_then(|()| file.sync_data()).inspect_err(|_| {
        // Should this fail too, the next look finds a torn line.
        let _ = file.set_len(length);
    })
}

fn damaged(why: &str) -> Entry {
    Entry { details: Some(why.to_owned()), ..Entry::new(Event::Damaged) }
}

fn report(entry: &Entry) {
    let octets = entry.torn.as_ref().map(|TornOctets { octets, .. }| octets);
    tracing::warn!(octets, "the audit log is not as it was left: {entry}");
}
