//! The users and groups of a managed root, by their names.

use std::collections::HashMap;
use std::io;

use super::root::Root;

/// How large `passwd` and `group` may be: some 200,000 accounts.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// The numbers of the users and groups that a root's own `/etc/passwd` and `/etc/group` name. Those of directory
/// services, which the root's files do not name, are not known here.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Accounts {
    /// Reads both files; one that is not there names nobody.
    pub(super) fn read(root: &Root) -> io::Result<Self> {
        let numbers = |path| Ok::<_, io::Error>(numbers(&root.read(path, LARGEST_FILE)?.unwrap_or_default()));
        Ok(Self { users: numbers("/etc/passwd")?, groups: numbers("/etc/group")? })
    }

    /// The number of a user; `None` if nobody is called so.
    pub(super) fn user(&self, name: &str) -> Option<u32> {
        number(&self.users, name)
    }

    /// The number of a group; `None` if none is called so.
    pub(super) fn group(&self, name: &str) -> Option<u32> {
        number(&self.groups, name)
    }
}

/// `root` is 0 also where no file says so, as the package managers have it.
fn number(numbers: &HashMap<String, u32>, name: &str) -> Option<u32> {
    numbers.get(name).copied().or_else(|| (name == "root").then_some(0))
}

/// Lines of `name:password:number:…` (`passwd(5)`, `group(5)`); the first of a name counts, as `getpwnam(3)` has it.
/// Other lines, such as those that include a directory service, name nobody.
fn numbers(text: &[u8]) -> HashMap<String, u32> {
    let mut numbers = HashMap::new();
    for line in text.split(|b| *b == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(Ok(number))) = (fields.next(), fields.next(), fields.next().map(str::parse)) {
            numbers.entry(name.to_owned()).or_insert(number);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_the_numbers_of_the_roots_own_files() {
        let dir = tempfile::tempdir().unwrap();
        let nobody = Accounts::read(&Root::open(dir.path()).unwrap()).unwrap();
        assert_eq!((nobody.user("root"), nobody.group("root"), nobody.user("daemon")), (Some(0), Some(0), None));
        fs::create_dir(dir.path().join("etc")).unwrap();
        let passwd = b"root:x:0:0::/root:/bin/sh\nweb:x:33:33:::\nweb:x:34:33:::\n+::::::\nodd:x:-1:1\nshort\n\xff";
        fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        fs::write(dir.path().join("etc/group"), "web:x:7:").unwrap();
        let accounts = Accounts::read(&Root::open(dir.path()).unwrap()).unwrap();
        assert_eq!((accounts.user("web"), accounts.group("web")), (Some(33), Some(7)));
        assert_eq!((accounts.user("odd"), accounts.user("short"), accounts.user("+")), (None, None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            numbers(&bytes);
        }
    }
}
