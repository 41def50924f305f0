//! Judges how a file is against how it was installed.

use super::{FailedCheck, FileKind, FileRecord, FileState};

/// In what a file differs from its record, in the order of [`FailedCheck::ALL`]; `None` stands for a file that is not
/// there, of which nothing else is judged.
///
/// What the record does not know or exempts, and what the state could not learn, is not judged. The rules are those of
/// OpenLMI's file checks: another kind counts as another mode and leaves nothing of the contents to compare; size,
/// checksum and time are those of regular files, numbers those of devices, and links have no mode. The files' access
/// control lists and capabilities are not compared.
pub fn compare(record: &FileRecord, state: Option<&FileState>) -> Vec<FailedCheck> {
    let mut failed = match state {
        None => vec![FailedCheck::Existence],
        Some(state) => FailedCheck::ALL.into_iter().filter(|check| differs(*check, record, state)).collect(),
    };
    failed.retain(|check| record.is_judged(*check));
    failed
}

fn differs(check: FailedCheck, record: &FileRecord, state: &FileState) -> bool {
    let is_same_kind = record.kind.is_none_or(|kind| kind == state.kind);
    let is = |kind: FileKind| is_same_kind && state.kind == kind;
    match check {
        FailedCheck::Existence => false,
        FailedCheck::Size => is(FileKind::Regular) && is_other(record.size, state.size),
        FailedCheck::Mode => !is_same_kind || (!is(FileKind::Link) && is_other(record.mode, state.mode)),
        FailedCheck::Checksum => is(FileKind::Regular) && are_other_contents(record, state),
        FailedCheck::Device => is_same_kind && record.device.is_some() && record.device != state.device,
        FailedCheck::LinkTarget => {
            is(FileKind::Link) && record.link_target.is_some() && record.link_target != state.link_target
        }
        FailedCheck::User => is_other(record.user, state.user),
        FailedCheck::Group => is_other(record.group, state.group),
        FailedCheck::Modified => {
            is(FileKind::Regular) && is_other(record.modified.map(i128::from), state.modified.into())
        }
    }
}

fn is_other<T: PartialEq>(known: Option<T>, now: T) -> bool {
    known.is_some_and(|known| known != now)
}

/// Contents of another length are other contents, also where they were not read.
fn are_other_contents(record: &FileRecord, state: &FileState) -> bool {
    match (&record.checksum, &state.checksum) {
        (Some(known), Some(now)) => known != now,
        (Some(_), None) => is_other(record.size, state.size),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;
    use crate::software::ChecksumKind;

    fn kinds() -> impl Strategy<Value = FileKind> {
        select(vec![
            FileKind::Regular,
            FileKind::Directory,
            FileKind::Link,
            FileKind::Pipe,
            FileKind::CharacterDevice,
            FileKind::BlockDevice,
        ])
    }

    prop_compose! {
        /// A file of a package, of which everything is known.
        fn records()(
            kind in kinds(),
            size in 0u64..1_000_000,
            mode in 0u32..0o7777,
            owner in (0u32..70_000, 0u32..70_000),
            modified in 0u64..4_000_000_000,
            device in (0u32..4096, 0u32..1_000_000),
            is_configuration in any::<bool>(),
        ) -> FileRecord {
            let regular = kind == FileKind::Regular;
            FileRecord {
                kind: Some(kind),
                size: regular.then_some(size),
                mode: Some(mode),
                user: Some(owner.0),
                group: Some(owner.1),
                link_target: (kind == FileKind::Link).then(|| "target".to_owned()),
                checksum: regular.then(|| (ChecksumKind::Sha256, format!("{size:064x}"))),
                modified: Some(modified),
                device: kind.is_device().then_some(device),
                is_configuration,
                ..FileRecord::at("/file".to_owned())
            }
        }
    }

    /// The file as it was installed.
    fn installed(record: &FileRecord) -> FileState {
        FileState {
            kind: record.kind.unwrap(),
            size: record.size.unwrap_or(7),
            mode: record.mode.unwrap(),
            user: record.user.unwrap(),
            group: record.group.unwrap(),
            link_target: record.link_target.clone(),
            checksum: record.checksum.clone(),
            modified: record.modified.unwrap().try_into().unwrap(),
            device: record.device,
        }
    }

    /// Changes what one check looks at.
    fn change(state: &mut FileState, check: FailedCheck) {
        match check {
            FailedCheck::Existence => {}
            FailedCheck::Size => state.size += 1,
            FailedCheck::Mode => state.mode ^= 0o4,
            FailedCheck::Checksum => state.checksum = Some((ChecksumKind::Sha256, "00".to_owned())),
            FailedCheck::Device => state.device = state.device.map(|(major, minor)| (major, minor + 1)),
            FailedCheck::LinkTarget => state.link_target = Some("elsewhere".to_owned()),
            FailedCheck::User => state.user += 1,
            FailedCheck::Group => state.group += 1,
            FailedCheck::Modified => state.modified -= 1,
        }
    }

    /// Whether a check is one of this kind of file.
    fn applies(check: FailedCheck, kind: FileKind) -> bool {
        match check {
            FailedCheck::Existence => false,
            FailedCheck::Size | FailedCheck::Checksum | FailedCheck::Modified => kind == FileKind::Regular,
            FailedCheck::Mode => kind != FileKind::Link,
            FailedCheck::Device => kind.is_device(),
            FailedCheck::LinkTarget => kind == FileKind::Link,
            FailedCheck::User | FailedCheck::Group => true,
        }
    }

    proptest! {
        #[test]
        fn what_is_as_installed_never_fails(record in records(), unknown in any::<u16>()) {
            let state = installed(&record);
            prop_assert_eq!(compare(&record, Some(&state)), []);
            let unread = FileState { checksum: None, ..state.clone() };
            prop_assert_eq!(compare(&record, Some(&unread)), []);
            let record = FileRecord {
                kind: record.kind.filter(|_| unknown & 1 == 0),
                size: record.size.filter(|_| unknown & 2 == 0),
                mode: record.mode.filter(|_| unknown & 4 == 0),
                checksum: record.checksum.clone().filter(|_| unknown & 8 == 0),
                ..record
            };
            prop_assert_eq!(compare(&record, Some(&state)), []);
        }

        #[test]
        fn each_change_is_found_and_no_other(
            record in records(),
            changes in subsequence(FailedCheck::ALL.to_vec(), 0..=9),
            exempt in subsequence(FailedCheck::ALL.to_vec(), 0..=9),
        ) {
            let mut state = installed(&record);
            changes.iter().for_each(|check| change(&mut state, *check));
            let kind = record.kind.unwrap();
            let expected: Vec<FailedCheck> = changes.into_iter().filter(|c| applies(*c, kind)).collect();
            prop_assert_eq!(compare(&record, Some(&state)), expected.clone());
            let record = FileRecord { exempt: exempt.clone(), ..record };
            let judged: Vec<FailedCheck> = expected.into_iter().filter(|c| !exempt.contains(c)).collect();
            prop_assert_eq!(compare(&record, Some(&state)), judged);
        }

        #[test]
        fn another_kind_is_another_mode(record in records(), kind in kinds()) {
            let state = FileState { kind, size: 99, modified: 1, ..installed(&record) };
            if record.kind != Some(kind) {
                prop_assert_eq!(compare(&record, Some(&state)), [FailedCheck::Mode]);
            }
        }

        #[test]
        fn what_is_missing_is_only_missing(record in records()) {
            prop_assert_eq!(compare(&record, None), [FailedCheck::Existence]);
            let ghost = FileRecord { exempt: vec![FailedCheck::Existence], ..record };
            prop_assert_eq!(compare(&ghost, None), []);
        }
    }

    #[test]
    fn another_length_is_other_contents_though_they_were_not_read() {
        let record = FileRecord {
            size: Some(3),
            checksum: Some((ChecksumKind::Md5, "x".to_owned())),
            ..FileRecord::at("/file".to_owned())
        };
        let state = FileState {
            kind: FileKind::Regular,
            size: 4,
            mode: 0,
            user: 0,
            group: 0,
            link_target: None,
            checksum: None,
            modified: -1,
            device: None,
        };
        assert_eq!(compare(&record, Some(&state)), [FailedCheck::Size, FailedCheck::Checksum]);
    }
}
