//! `quartermaster audit`.

mod selection;

use std::collections::VecDeque;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::selection::Selection;
use super::{Failure, leave_to_owner_of, settings};
use crate::audit::{self, Entry, Report, Shown, one_line};
use crate::clock::{Clock, SystemClock};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// See whether no line of the audit log was changed, left out or moved.
    Verify {
        /// Files of a log, in their order [default: the log of the settings, with the files that were rotated].
        files: Vec<PathBuf>,
        /// A line that was noted elsewhere and must be there: its number, a colon, and 16 or more of the first digits of its
        /// hash.
        #[arg(long, value_name = "NUMBER:HASH")]
        known: Option<Known>,
        #[command(flatten)]
        place: Place,
    },
    /// Print the audit log.
    Show {
        #[command(flatten)]
        selection: Selection,
        /// Only the last of these lines, so many.
        #[arg(long, value_name = "COUNT")]
        last: Option<usize>,
        /// Write each line as a JSON object, as the file has it, without the chain.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the log is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The settings [default: /etc/quartermaster/quartermaster.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's state directory.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// A line that was noted elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Known(u64, String);

impl FromStr for Known {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hash = |digits: &&str| digits.len() >= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let (number, digits) = text.split_once(':').unwrap_or((text, ""));
        match (number.parse(), Some(digits).filter(is_hash)) {
            (Ok(number), Some(digits)) => Ok(Self(number, digits.to_ascii_lowercase())),
            _ => Err("it is a number, a colon, and 16 or more hexadecimal digits".to_owned()),
        }
    }
}

/// The log is not whole.
#[derive(Debug, thiserror::Error)]
#[error("the audit log is not whole: {0}")]
struct NotWhole(String);

pub(super) fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::Verify { files, known, place } => verify(&files, known, &place),
        Action::Show { selection, last, json, place } => {
            let write = if json { write_json } else { write_line };
            show(&selection, last, write, &place)
        }
    }
}

fn verify(files: &[PathBuf], known: Option<Known>, place: &Place) -> Result<(), Failure> {
    let known = known.map(|Known(number, digits)| (number, digits));
    let report = if files.is_empty() {
        audit::verify(&log_file(place)?, known.as_ref())?
    } else {
        audit::verify_files(files, known.as_ref())?
    };
    let mut lines = String::new();
    tell(&report, &mut lines);
    io::stdout().write_all(lines.as_bytes())?;
    if let Some(broken) = report.broken {
        return Err(NotWhole(broken.to_string()).into());
    }
    if let (Some((number, digits)), Some(false)) = (known, report.has_known) {
        return Err(NotWhole(format!("there is no line {number} with the hash {digits}…")).into());
    }
    Ok(())
}

fn tell(report: &Report, lines: &mut String) {
    use std::fmt::Write as _;
    // Writing into a string does not fail.
    let _ = match (report.first, report.last) {
        (Some(first), Some(last)) => writeln!(
            lines,
            "{} lines from {} to {} belong together; the hash of the last is {}",
            report.lines, first.sequence, last.sequence, last.hash
        ),
        _ => writeln!(lines, "there are no lines"),
    };
    for sequence in &report.torn {
        let _ = writeln!(lines, "line {sequence} tells of a line before it that a crash left half-written");
    }
    for (sequence, count) in &report.lost {
        let _ = writeln!(lines, "line {sequence} tells of {count} lines that could not be written");
    }
}

/// How a line is written.
type WriteLine = fn(&mut dyn Write, &Shown) -> io::Result<()>;

fn show(selection: &Selection, last: Option<usize>, write: WriteLine, place: &Place) -> Result<(), Failure> {
    let file = log_file(place)?;
    let now = SystemClock.now();
    let (mut output, mut failed, mut kept) = (BufWriter::new(io::stdout().lock()), None, VecDeque::new());
    let unread = audit::show(&file, |line| {
        if !selection.has(&line, now) {
            return true;
        }
        let Some(last) = last else {
            failed = write(&mut output, &line).err();
            return failed.is_none();
        };
        kept.push_back(line);
        if kept.len() > last {
            kept.pop_front();
        }
        true
    })?;
    let written = failed.map_or(Ok(()), Err).and_then(|()| kept.iter().try_for_each(|line| write(&mut output, line)));
    match written.and_then(|()| output.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
        written => written?,
    }
    if unread > 0 {
        return Err(NotWhole(format!("{unread} lines are none of this log; see quartermaster audit verify")).into());
    }
    Ok(())
}

/// What the file says of a line, in its words.
#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    time: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

fn write_json(output: &mut dyn Write, Shown { sequence, time, entry }: &Shown) -> io::Result<()> {
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    serde_json::to_writer(&mut *output, &Line { sequence: *sequence, time, entry })?;
    writeln!(output)
}

/// Number, time, who from where, what; then the job and the request.
fn write_line(output: &mut dyn Write, Shown { sequence, time, entry }: &Shown) -> io::Result<()> {
    let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let user = entry.user.as_deref().map_or_else(|| "-".to_owned(), one_line);
    let from = entry.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    write!(output, "{sequence}\t{time}\t{user}\t{from}\t{entry}")?;
    if let Some(job) = entry.job {
        write!(output, " [job {job}]")?;
    }
    match &entry.request {
        Some(request) => writeln!(output, " [request {}]", one_line(request)),
        None => writeln!(output),
    }
}

/// The log of the settings. What another user can write is read as that user.
fn log_file(place: &Place) -> Result<PathBuf, Failure> {
    let config = settings(place.config.as_deref(), place.state_dir.clone())?;
    let file = config.audit_file();
    let folder = if file.starts_with(&config.state_dir) { Some(&*config.state_dir) } else { file.parent() };
    leave_to_owner_of(folder.unwrap_or(Path::new("/")))?;
    Ok(file)
}
