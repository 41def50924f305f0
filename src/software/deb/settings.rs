//! What apt's own configuration in a root says (`apt.conf(5)`).
//!
//! It is read here and never handed to a tool of apt: each of them runs programs that the configuration names (`Dir::Bin::dpkg`,
//! also only to ask for the architectures), and who writes a root's files must not have anything run by this service.

mod statements;

use std::io;

use self::statements::Statement;
use crate::software::root::Root;

/// The file that is read last, and the folder of those that are read before it.
const MAIN: &str = "/etc/apt/apt.conf";
const PARTS: &str = "/etc/apt/apt.conf.d";

/// The largest file that is read; real ones have some lines.
const LARGEST_FILE: u64 = 1024 * 1024;

/// How many files are read.
const MOST_FILES: usize = 1000;

/// The option that allows lists without a good signature, and the one that it stands below.
const TAKES_UNSIGNED: &str = "Acquire::AllowInsecureRepositories";
const ACQUIRE: &str = "Acquire";

/// Whether apt takes the lists of every repository, also of one without a good signature. What else allows to install from
/// such a repository (`APT::Get::AllowUnauthenticated`) does not make apt take its lists, and is never used here. An error if
/// that cannot be told: apt would refuse the configuration, or a file cannot be read, or another is included, which is named
/// by its path on the host.
pub(super) fn takes_unsigned_lists(root: &Root) -> io::Result<bool> {
    let mut known: Result<bool, String> = Ok(false);
    for path in files(root)? {
        let contents = match root.read(&path, LARGEST_FILE) {
            Ok(contents) => contents.unwrap_or_default(),
            Err(error) => {
                known = Err(format!("{path} cannot be read: {error}"));
                continue;
            }
        };
        statements::read(&String::from_utf8_lossy(&contents), |statement| match statement {
            Statement::Set(name, value) if name.is(TAKES_UNSIGNED) => known = Ok(is_true(value)),
            Statement::Clear(name) if [ACQUIRE, TAKES_UNSIGNED].iter().any(|of| name.eq_ignore_ascii_case(of)) => {
                known = Ok(false);
            }
            Statement::Include(other) => known = Err(format!("{path} includes {other}, which is not read")),
            Statement::Set(..) | Statement::Clear(_) => {}
        })
        .map_err(|damage| io::Error::other(format!("{path}, {damage}")))?;
    }
    known.map_err(io::Error::other)
}

/// Whether apt takes a value for true; to this option everything else is false.
fn is_true(value: &str) -> bool {
    let number = value.trim_start().trim_start_matches('+');
    let number = number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")).unwrap_or(number);
    ["yes", "true", "with", "on", "enable"].iter().any(|word| value.eq_ignore_ascii_case(word))
        || number.trim_start_matches('0') == "1"
}

/// Whether apt reads files of this name in its folders of configuration: it passes over hidden ones and other characters.
pub(super) fn is_read(name: &str) -> bool {
    !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// The files of the configuration in apt's order.
fn files(root: &Root) -> io::Result<Vec<String>> {
    let is_part = |name: &String| is_read(name) && (!name.contains('.') || name.ends_with(".conf"));
    let parts: Vec<String> =
        root.names(PARTS)?.into_iter().filter(is_part).map(|name| format!("{PARTS}/{name}")).collect();
    if parts.len() > MOST_FILES {
        return Err(io::Error::other(format!("{PARTS} has more than {MOST_FILES} files")));
    }
    Ok(parts.into_iter().chain([MAIN.to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn takes_unsigned(files: &[(&str, &str)]) -> Option<bool> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/apt/apt.conf.d")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join("etc/apt").join(name), text).unwrap();
        }
        takes_unsigned_lists(&Root::open(dir.path()).unwrap()).ok()
    }

    const YES: &str = "Acquire::AllowInsecureRepositories \"yes\";\n";
    const NO: &str = "Acquire::AllowInsecureRepositories \"no\";\n";

    #[test]
    fn the_last_word_counts() {
        for (files, expected) in [
            (vec![], Some(false)),
            (vec![("apt.conf", YES)], Some(true)),
            (vec![("apt.conf.d/50.conf", YES), ("apt.conf.d/60.conf", NO)], Some(false)),
            (vec![("apt.conf.d/50.conf", NO), ("apt.conf", YES)], Some(true)),
            (vec![("apt.conf.d/50.conf", YES), ("apt.conf", "#clear acquire;\n")], Some(false)),
            (vec![("apt.conf.d/50.bak", YES), ("apt.conf.d/.hidden", YES)], Some(false)),
            (vec![("apt.conf", "APT::Get::AllowUnauthenticated \"true\";\n")], Some(false)),
            (vec![("apt.conf.d/50.conf", YES), ("apt.conf", "junk;;{")], None),
            (vec![("apt.conf.d/50.conf", "#include \"/x\";\n"), ("apt.conf", "")], None),
            (vec![("apt.conf.d/50.conf", "#include \"/x\";\n"), ("apt.conf", YES)], Some(true)),
            (vec![("apt.conf.d/50.conf", "junk"), ("apt.conf", YES)], None),
        ] {
            assert_eq!(takes_unsigned(&files), expected, "{files:?}");
        }
    }

    /// What apt itself makes of a text that names no programs and no files.
    fn told_by_apt(text: &str) -> Option<bool> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let nothing_else = "Dir::Etc::main \"/dev/null\";\nDir::Etc::parts \"/dev/null\";\n";
        fs::write(file.path(), format!("{nothing_else}{text}")).unwrap();
        let mut tool = Command::new("apt-config");
        tool.args(["shell", "ANSWER", "Acquire::AllowInsecureRepositories/b"]).env("APT_CONFIG", file.path());
        let answer = tool.output().unwrap();
        answer.status.success().then(|| answer.stdout.starts_with(b"ANSWER='true'"))
    }

    #[test]
    fn values_are_told_as_apt_tells_them() {
        let values =
            ["yes", "TRUE", "with", "On", "enable", "1", "01", "0x1", "+1", " 1", "1 ", "11", "2", "0", "no", "y", ""];
        for value in values {
            let text = format!("Acquire::AllowInsecureRepositories \"{value}\";\n");
            assert_eq!(takes_unsigned(&[("apt.conf", &text)]), told_by_apt(&text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Texts that are made of what means something to apt.
        #[test]
        fn texts_are_told_as_apt_tells_them(parts in proptest::collection::vec(prop::sample::select(vec![
            "Acquire", "acquire", "::", "AllowInsecureRepositories", "Acquire::AllowInsecureRepositories", "\"1\"", "yes",
            "\"", "{", "}", ";", ";\n", " ", "\n", "\t", "//", "/*", "*/", "# ", "#clear ", "[", "]", "%3a", "x",
            "Acquire { AllowInsecureRepositories", "Acquire::AllowInsecureRepositories \"1\";", "};", "\"1\" { x \"2\"; };",
        ]), 0..14)) {
            let text = parts.concat();
            prop_assert_eq!(takes_unsigned(&[("apt.conf", &text)]), told_by_apt(&text), "{}", text);
        }

        #[test]
        fn any_text_is_read(text in "(.|\n|\"|/\\*|\\*/|[{};#% ]){0,80}") {
            let _ = statements::read(&text, |_| {});
        }
    }

    #[test]
    fn links_and_includes_lead_nowhere_outside_of_the_root() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), YES).unwrap();
        assert_eq!(takes_unsigned(&[("apt.conf", &format!("#include \"{}\";\n", outside.path().display()))]), None);
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/apt")).unwrap();
        symlink(outside.path(), dir.path().join("etc/apt/apt.conf")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(!takes_unsigned_lists(&root).unwrap());
        fs::write(dir.path().join("inside"), YES).unwrap();
        fs::remove_file(dir.path().join("etc/apt/apt.conf")).unwrap();
        symlink("/inside", dir.path().join("etc/apt/apt.conf")).unwrap();
        assert!(takes_unsigned_lists(&root).unwrap());
    }
}
