use std::fs;

use super::*;

/// A root with these files below `etc/apt` and these lists.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["etc/apt/sources.list.d", "var/lib/apt/lists"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// What a file says, one line for each entry and then for each damage.
pub(super) fn lines(Parsed { written, damages }: &Parsed) -> Vec<String> {
    let entries = written.iter().map(|w| format!("{} {} {}", w.enabled, w.source.is_checked, w.source));
    entries.chain(damages.iter().map(|d| format!("{}: {}", d.line, d.why))).collect()
}

fn ids(root: &Path) -> Vec<String> {
    read(root).unwrap().iter().map(|r| format!("{} {}", r.enabled, r.id)).collect()
}

#[test]
fn entries_of_all_files_are_there_under_their_own_ids() {
    let one = "deb http://a stable main\n";
    let dir = root(&[
        ("etc/apt/sources.list", &format!("{one}# {one}")),
        ("etc/apt/sources.list.d/b.list", &format!("{one}deb http://user:secret@z stable main\ndeb http://broken\n")),
        (
            "etc/apt/sources.list.d/a.sources",
            "Types: deb\nURIs: http://a\nSuites: stable\nComponents: main\nEnabled: no\n",
        ),
        ("etc/apt/sources.list.d/b.list.save", "deb http://saved stable main\n"),
        ("etc/apt/sources.list.d/.b.list", "deb http://hidden stable main\n"),
        ("etc/apt/sources.list.d/b c.list", "deb http://blank stable main\n"),
    ]);
    assert_eq!(
        ids(dir.path()),
        [
            "true deb http://a stable main",
            "false deb http://a stable main (/etc/apt/sources.list)",
            "false deb http://a stable main (/etc/apt/sources.list.d/a.sources)",
            "true deb http://a stable main (/etc/apt/sources.list.d/b.list)",
            "true deb http://z stable main",
        ]
    );
    let third = root(&[("etc/apt/sources.list", &one.repeat(3))]);
    assert_eq!(ids(third.path())[2], "true deb http://a stable main (/etc/apt/sources.list, 2)");
    assert!(ids(root(&[]).path()).is_empty());
    assert!(ids(tempfile::tempdir().unwrap().path()).is_empty());
}

#[test]
fn a_repository_is_called_as_its_maker_calls_it() {
    let release = |suite: &str, day: u32| {
        format!("Origin: Debian\nLabel: Debian\nCodename: {suite}\nDate: Sat, {day} May 2025 09:11:56 UTC\n")
    };
    let dir = root(&[
        (
            "etc/apt/sources.list.d/a.sources",
            "Types: deb deb-src\nURIs: http://a/debian mirror+http://a/list.txt\nSuites: x x-updates\nComponents: main contrib\n",
        ),
        ("etc/apt/sources.list", "deb [trusted=yes] file:/r ./\n"),
        ("var/lib/apt/lists/a_debian_dists_x_InRelease", &release("x", 17)),
        ("var/lib/apt/lists/a_debian_dists_x-updates_Release", &release("x-updates", 24)),
        ("var/lib/apt/lists/a_debian_dists_x_contrib_binary-m68k_Packages.xz", ""),
    ]);
    let repositories = read(dir.path()).unwrap();
    let [flat, suites] = repositories.as_slice() else { panic!("{repositories:?}") };
    assert_eq!(suites.name, "Debian x, Debian x-updates (main contrib)");
    assert_eq!(suites.base_urls, ["http://a/debian"]);
    assert_eq!(suites.mirror_list.as_deref(), Some("mirror+http://a/list.txt"));
    let updated_at = suites.metadata.as_ref().unwrap().updated_at.unwrap();
    assert_eq!(updated_at.to_rfc3339(), "2025-05-24T09:11:56+00:00");
    assert!(suites.checks_metadata == Some(true) && suites.changed_at.is_some());
    assert_eq!(suites.file, dir.path().join("etc/apt/sources.list.d/a.sources"));
    assert_eq!((flat.name.as_str(), &flat.metadata, flat.checks_metadata), ("file:/r ./", &None, Some(false)));

    fs::write(dir.path().join("var/lib/apt/lists/_r_._Packages"), "").unwrap();
    let flat = read(dir.path()).unwrap().swap_remove(0);
    assert_eq!(flat.metadata.unwrap().updated_at, None);
}

#[test]
fn one_is_switched_in_its_file_and_nothing_else() {
    let list = "# words\ndeb http://a x main # mine\ndeb http://b x main\n";
    let stanzas = "Types: deb\nURIs: http://c\nSuites: x\nComponents: main\n\nTypes: deb\nURIs: http://d\nSuites: ./";
    let dir = root(&[("etc/apt/sources.list.d/a.list", list), ("etc/apt/sources.list.d/a.sources", stanzas)]);
    let text = |name: &str| fs::read_to_string(dir.path().join("etc/apt/sources.list.d").join(name)).unwrap();
    let set = |id: &str, enabled| set_enabled(dir.path(), id, enabled).unwrap();

    set("deb http://a x main", true);
    assert_eq!(text("a.list"), list);
    for _ in 0..2 {
        set("deb http://a x main", false);
        assert_eq!(text("a.list"), list.replace("deb http://a", "# deb http://a"));
    }
    set("deb http://a x main", true);
    assert_eq!(text("a.list"), list);

    set("deb http://c x main", false);
    assert_eq!(text("a.sources"), stanzas.replacen("main\n", "main\nEnabled: no\n", 1));
    set("deb http://c x main", true);
    set("deb http://d ./", false);
    assert_eq!(text("a.sources"), format!("{}\nEnabled: no\n", stanzas.replacen("main\n", "main\nEnabled: yes\n", 1)));
    assert_eq!(ids(dir.path()).iter().filter(|id| id.starts_with("false")).count(), 1);

    let error = set_enabled(dir.path(), "deb http://e x main", true).unwrap_err();
    assert!(matches!(error, RepositoryError::NotFound(id) if id == "deb http://e x main"));
}

#[test]
fn an_id_stays_when_its_entry_or_another_is_switched() {
    let one = "deb http://a stable main\n";
    let dir = root(&[("etc/apt/sources.list", &one.repeat(3)), ("etc/apt/sources.list.d/a.list", one)]);
    let of = |root: &Path| read(root).unwrap().into_iter().map(|r| r.id).collect::<Vec<_>>();
    let before = of(dir.path());
    for id in &before {
        set_enabled(dir.path(), id, false).unwrap();
        assert_eq!(of(dir.path()), before);
    }
    assert!(read(dir.path()).unwrap().iter().all(|r| !r.enabled));
}

#[test]
fn unreadable_files_cost_only_themselves() {
    let dir = root(&[("etc/apt/sources.list", "deb http://a x main\n")]);
    let folder = dir.path().join("etc/apt/sources.list.d");
    fs::create_dir(folder.join("folder.list")).unwrap();
    fs::write(folder.join("large.list"), "#".repeat(LARGEST_FILE as usize + 1)).unwrap();
    fs::write(folder.join("many.list"), "deb http://b x main\n".repeat(MOST_ENTRIES)).unwrap();
    let repositories = read(dir.path()).unwrap();
    assert_eq!(repositories.len(), MOST_ENTRIES);
    assert_eq!(&*repositories[0].id, "deb http://a x main");
}

#[test]
fn the_sources_of_this_system_are_read() {
    let host = Path::new("/");
    for repository in read(host).unwrap() {
        assert!(repository.id.starts_with("deb ") && repository.file.is_file() && !repository.name.is_empty());
    }
}
