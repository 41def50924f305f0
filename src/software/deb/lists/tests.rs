use std::fs;

use proptest::prelude::*;

use super::*;

const SOURCES: &str = "deb [trusted=yes] file:/r ./\ndeb http://a x main other\n# deb http://a off main\n";

/// A root with these sources and these lists; its architectures are those of the host's dpkg.
fn root(sources: &str, lists: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["etc/apt", "var/lib/apt/lists", "var/lib/dpkg"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("etc/apt/sources.list"), sources).unwrap();
    fs::write(dir.path().join("var/lib/dpkg/arch"), "amd64\ni386\n").unwrap();
    for (name, text) in lists {
        fs::write(path(dir.path()).join(name), text).unwrap();
    }
    dir
}

fn path(root: &Path) -> PathBuf {
    root.join("var/lib/apt/lists")
}

fn package(name: &str, architecture: &str, description: &str) -> String {
    format!("Package: {name}\nVersion: 1:2-3\nArchitecture: {architecture}\n{description}\n\n")
}

fn told(catalog: &Catalog) -> Vec<String> {
    let told = |number| {
        let repositories: Vec<&str> = catalog.repositories_of(number).map(|id| &**id).collect();
        format!("{} {}", catalog.nevra(number).unwrap(), repositories.join("; "))
    };
    (0..catalog.len()).map(told).collect()
}

#[test]
fn the_lists_of_enabled_repositories_are_read() {
    let all = package("both", "all", "Description: x");
    let dir = root(
        SOURCES,
        &[
            ("_r_._Packages", &all),
            ("a_dists_x_main_binary-amd64_Packages", &package("native", "amd64", "Description: x")),
            ("a_dists_x_main_binary-all_Packages", &all),
            ("a_dists_x_other_binary-i386_Packages", &package("foreign", "i386", "Description: x")),
            ("a_dists_x_other_binary-m68k_Packages", &package("strange", "m68k", "Description: x")),
            ("a_dists_off_main_binary-amd64_Packages", &package("off", "amd64", "Description: x")),
        ],
    );
    assert_eq!(
        told(&read(dir.path()).unwrap()),
        [
            "both-1:2-3.all deb file:/r ./; deb http://a x main other",
            "foreign-1:2-3.i386 deb http://a x main other",
            "native-1:2-3.amd64 deb http://a x main other",
        ]
    );
    let names: Vec<_> = files(dir.path()).unwrap();
    assert_eq!(names.len(), 2 + 6);
    assert!(names.iter().all(|file| file.starts_with(dir.path()) && file.is_file()));
}

#[test]
fn fields_and_descriptions_are_those_of_the_lists() {
    let checksum = "0123456789abcdef0123456789abcdef";
    let short = format!(
        "Maintainer: M <m@example.org>\nInstalled-Size: 7\nSize: 99\nDescription: short\nDescription-md5: {checksum}"
    );
    let dir = root(
        SOURCES,
        &[
            ("a_dists_x_main_binary-amd64_Packages", &package("short", "amd64", &short)),
            (
                "a_dists_x_main_i18n_Translation-en",
                &format!("Package: short\nDescription-md5: {checksum}\nDescription-en: short\n long\n .\n end\n"),
            ),
            ("_r_._Packages", &package("own", "all", "Description: own\n text")),
        ],
    );
    let catalog = read(dir.path()).unwrap();
    let (own, short) = (catalog.package(0).unwrap(), catalog.package(1).unwrap());
    assert_eq!((&*own.summary, &*own.description), ("own", "text"));
    assert_eq!((own.manufacturer, own.installed_size, catalog.download_size(0)), (None, None, None));
    assert_eq!((&*short.summary, &*short.description), ("short", "long\n\nend"));
    assert_eq!(short.manufacturer.as_deref(), Some("M <m@example.org>"));
    assert_eq!((short.installed_size, catalog.download_size(1)), (Some(7 * 1024), Some(99)));
}

#[test]
fn a_damaged_list_costs_only_its_damage() {
    let good = package("good", "all", "Description: x");
    let dir = root(
        "deb http://a x main\ndeb http://b x main\ndeb http://c x main\n",
        &[
            ("a_dists_x_main_binary-all_Packages", &format!("junk\n\nPackage: bad\n\n{good}")),
            ("b_dists_x_main_binary-all_Packages.xz", "no xz"),
        ],
    );
    assert_eq!(told(&read(dir.path()).unwrap()), ["good-1:2-3.all deb http://a x main"]);
    assert!(read(tempfile::tempdir().unwrap().path()).unwrap().is_empty());
}

#[test]
fn the_variable_stands_for_the_hosts_architecture() {
    let native = std::process::Command::new("dpkg").arg("--print-architecture").output().unwrap().stdout;
    let native = String::from_utf8(native).unwrap();
    let native = native.trim();
    let list = format!("a_{native}_sub_{native}_Packages");
    let dir = root("deb http://a/$(ARCH) sub/$(ARCH)/\n", &[(&list, &package("one", "all", "Description: x"))]);
    assert_eq!(told(&read(dir.path()).unwrap()), ["one-1:2-3.all deb http://a/$(ARCH) sub/$(ARCH)/"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let dir = root("deb file:/r ./\n", &[]);
        for name in ["_r_._Packages", "_r_._en"] {
            fs::write(path(dir.path()).join(name), &bytes).unwrap();
        }
        read(dir.path()).unwrap();
    }
}
