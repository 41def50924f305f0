//! The chain as a whole: what is written is verified, and whatever is done to it is found.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use tempfile::TempDir;

use super::append::Appender;
use super::*;
use crate::clock::ManualClock;

fn settings(folder: &Path) -> Settings {
    Settings { file: folder.join("audit/audit.jsonl"), rotate_octets: 1 << 20, kept_files: 3 }
}

fn log(settings: &Settings) -> Log {
    let clock = ManualClock::new(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
    Log::open(settings.clone(), Arc::new(clock)).unwrap()
}

fn entry(details: impl ToString) -> Entry {
    Entry { details: Some(details.to_string()), ..Entry::new(Event::Asked) }
}

/// A log of so many lines.
fn written(lines: u64) -> (TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    append(&settings, lines);
    (folder, settings)
}

/// Another process writes so many lines.
fn append(settings: &Settings, lines: u64) -> Link {
    let mut appender = Appender::open(settings.clone()).unwrap();
    let entries: Vec<_> = (0..lines).map(entry).collect();
    appender.append(DateTime::UNIX_EPOCH, &entries).unwrap().pop().unwrap()
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

fn put(file: &Path, lines: &[String]) {
    fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// The first line of the file that is not as it was, and what is said of it.
fn broken(settings: &Settings) -> (u64, String) {
    let broken = verify(&settings.file, None).unwrap().broken.unwrap();
    assert_eq!(broken.file, settings.file);
    (broken.line, broken.why)
}

#[test]
fn what_is_committed_is_there_for_its_owner_alone_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let log = log(&settings);
    let link = log.commit(entry("one")).unwrap();
    assert_eq!(lines(&settings.file).len(), 1, "before the log is closed");
    assert_eq!(log.counts(), (1, 0));
    log.tell(entry("two"));
    drop(log);
    let report = verify(&settings.file, Some(&(1, link.hash.to_string()[..16].to_owned()))).unwrap();
    assert_eq!((report.lines, report.broken, report.has_known), (2, None, Some(true)));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&settings.file), mode(settings.file.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_line_that_was_noted_elsewhere_shows_that_the_chain_was_made_anew() {
    let (_folder, settings) = written(3);
    let noted = (2, verify(&settings.file, None).unwrap().last.unwrap().hash.to_string());
    assert_eq!(verify(&settings.file, Some(&noted)).unwrap().has_known, Some(false));
}

#[test]
fn many_processes_write_one_chain() {
    let (_folder, settings) = written(1);
    let (one, other) = (log(&settings), log(&settings));
    std::thread::scope(|scope| {
        for log in [&one, &other] {
            scope.spawn(move || (0..50).for_each(|n| assert!(log.commit(entry(n)).is_ok())));
        }
    });
    let report = verify(&settings.file, None).unwrap();
    assert_eq!((report.lines, report.broken), (101, None));
}

#[test]
fn the_chain_goes_on_over_rotated_files_and_tells_which_are_gone() {
    let (_folder, settings) = written(1);
    let settings = Settings { rotate_octets: 500, kept_files: 2, ..settings };
    let log = log(&settings);
    for n in 0..50 {
        log.commit(entry(n)).unwrap();
    }
    drop(log);
    let folder = settings.file.parent().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let [current, older, newer, _lock] = &files[..] else { panic!("{files:?}") };
    assert_eq!(current, &settings.file);
    let report = verify(&settings.file, None).unwrap();
    assert_eq!(report.broken, None);
    assert!(report.first.unwrap().sequence > 1 && report.last.unwrap().sequence > 50);
    assert_eq!(verify_files(&[older.clone(), newer.clone()], None).unwrap().broken, None);
    let mut shown = Vec::new();
    let unread = show(&settings.file, |line| {
        shown.push(line.sequence);
        true
    });
    assert_eq!((unread.unwrap(), shown.len() as u64), (0, report.lines));

    let swapped = verify_files(&[newer.clone(), older.clone()], None).unwrap().broken.unwrap();
    assert_eq!((&swapped.file, swapped.line), (older, 1));
    fs::remove_file(newer).unwrap();
    let hole = verify(&settings.file, None).unwrap().broken.unwrap();
    assert_eq!((&hole.file, hole.line), (current, 1));
    assert!(hole.why.contains("missing"), "{}", hole.why);
    fs::remove_file(older).unwrap();
    let missing = verify(&settings.file, None).unwrap().broken.unwrap();
    assert!(missing.why.contains("no line tells that they were removed"), "{}", missing.why);
}

#[test]
fn what_a_crash_left_half_written_is_told_and_belongs_to_the_chain() {
    let (_folder, settings) = written(3);
    let whole = fs::read(&settings.file).unwrap();
    fs::write(&settings.file, &whole[..whole.len() - 20]).unwrap();
    let (line, why) = broken(&settings);
    assert_eq!(line, 3);
    assert!(why.contains("cut off"), "{why}");
    append(&settings, 2);
    let report = verify(&settings.file, None).unwrap();
    assert_eq!((report.lines, report.broken, report.torn), (5, None, vec![3]));
    let text = fs::read_to_string(&settings.file).unwrap();
    // The half line is still there, and nobody may change it.
    fs::write(&settings.file, text.replacen("\"details\":\"2\"", "\"details\":\"7\"", 1)).unwrap();
    assert_eq!(broken(&settings).0, 3);
}

#[test]
fn a_line_that_lacks_nothing_but_its_end_is_whole() {
    let (_folder, settings) = written(3);
    let whole = fs::read(&settings.file).unwrap();
    fs::write(&settings.file, &whole[..whole.len() - 1]).unwrap();
    append(&settings, 1);
    let report = verify(&settings.file, None).unwrap();
    assert_eq!((report.lines, report.broken, report.torn), (4, None, vec![]));
}

#[test]
fn the_service_tells_that_somebody_was_at_the_file_while_it_was_written() {
    for (cut, why) in
        [(true, "lines 2 to 3 were there and are gone"), (false, "the file was removed while it was written")]
    {
        let (_folder, settings) = written(1);
        let log = log(&settings);
        log.commit(entry("a")).unwrap();
        log.commit(entry("b")).unwrap();
        let kept = lines(&settings.file);
        if cut {
            put(&settings.file, &kept[..1])
        } else {
            fs::remove_file(&settings.file).unwrap()
        }
        log.commit(entry("c")).unwrap();
        let report = verify(&settings.file, None).unwrap();
        let broken = report.broken.unwrap();
        assert!(broken.why.contains(why), "{}", broken.why);
    }
}

#[test]
fn without_the_log_nothing_is_committed_and_what_was_to_be_told_is_told_later() {
    let (_folder, settings) = written(1);
    let log = log(&settings);
    let aside = settings.file.with_extension("aside");
    fs::rename(&settings.file, &aside).unwrap();
    fs::create_dir(&settings.file).unwrap();
    assert_eq!(log.commit(entry("refused")), Err(Unrecorded));
    assert!(log.is_failing());
    log.tell(entry("told later"));
    log.report(entry("reported"));
    assert_eq!(log.commit(entry("refused too")), Err(Unrecorded));
    fs::remove_dir(&settings.file).unwrap();
    fs::rename(&aside, &settings.file).unwrap();
    log.commit(entry("made")).unwrap();
    assert!(!log.is_failing());
    let report = verify(&settings.file, None).unwrap();
    assert_eq!((report.broken, report.lost), (None, vec![(5, 2)]));
    let all = lines(&settings.file);
    assert_eq!(all.len(), 5);
    assert!(all[1].contains("told later") && all[2].contains("reported") && all[3].contains("made"), "{all:?}");
}

/// What somebody may do to a file.
#[derive(Clone, Debug)]
enum Deed {
    Edit,
    Remove,
    Swap,
    Repeat,
    Truncate,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn verify_names_the_first_line_that_is_not_as_it_was(
        count in 2..20_u64,
        at in any::<prop::sample::Index>(),
        deed in prop::sample::select(vec![Deed::Edit, Deed::Remove, Deed::Swap, Deed::Repeat, Deed::Truncate]),
    ) {
        let (_folder, settings) = written(count);
        let mut all = lines(&settings.file);
        // Whoever removes the last line leaves a whole chain: that is found by a line that was noted elsewhere.
        let at = at.index(all.len() - 1);
        match deed {
            Deed::Edit => all[at] = all[at].replacen("1970", "1971", 1),
            Deed::Remove => drop(all.remove(at)),
            Deed::Swap => all.swap(at, at + 1),
            Deed::Repeat => all.insert(at + 1, all[at].clone()),
            Deed::Truncate => {
                let half = all[at].len() / 2;
                all[at].truncate(half);
            }
        }
        put(&settings.file, &all);
        let at = at as u64 + 1;
        // A chain may begin with any line: a second line that stands first is known by what follows it.
        let follows = matches!(deed, Deed::Repeat) || matches!(deed, Deed::Swap) && at == 1;
        let expected = at + u64::from(follows);
        prop_assert_eq!(broken(&settings).0, expected);
    }

    #[test]
    fn whatever_a_crash_leaves_of_the_last_lines_the_chain_goes_on(
        count in 1..8_u64,
        cut in any::<prop::sample::Index>(),
        garbage in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let (_folder, settings) = written(count);
        let mut whole = fs::read(&settings.file).unwrap();
        whole.truncate(cut.index(whole.len() + 1));
        whole.extend(garbage.iter().copied().filter(|&b| b != b'\n'));
        fs::write(&settings.file, &whole).unwrap();
        append(&settings, 3);
        let report = verify(&settings.file, None).unwrap();
        prop_assert_eq!(&report.broken, &None);
        prop_assert!(report.torn.len() <= 1 && report.lines >= 3);
    }
}
