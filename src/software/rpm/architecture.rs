//! Which architectures a machine's packages may have, by the rules of dnf and of libsolv (`poolarch.c`).

/// Each architecture of a row also takes packages of those behind it.
const ROWS: [&[&str]; 11] = [
    &["x86_64", "i686", "i586", "i486", "i386"],
    &["s390x", "s390"],
    &["ppc64p7", "ppc64", "ppc"],
    &["armv8hl", "armv7hl", "armv6hl"],
    &["armv7hnl", "armv7hl", "armv6hl"],
    &["armv8l", "armv7l", "armv6l", "armv5tejl", "armv5tel", "armv5tl", "armv5l", "armv4tl", "armv4l", "armv3l"],
    &["ia64", "i686", "i586", "i486", "i386"],
    &["sparc64v", "sparc64", "sparcv9", "sparcv8", "sparc"],
    &["sh4a", "sh4"],
    &["athlon", "i686", "i586", "i486", "i386"],
    &["geode", "i586", "i486", "i386"],
];

/// The names behind a base architecture (`dnf.rpm.basearch`) that differ from it.
const BASES: [(&str, &[&str]); 7] = [
    ("i386", &["i386", "i486", "i586", "i686", "athlon", "geode"]),
    ("x86_64", &["x86_64", "amd64", "ia32e"]),
    ("armhfp", &["armv6hl", "armv7hl", "armv7hnl", "armv8hl"]),
    ("arm", &["armv5tejl", "armv5tel", "armv5tl", "armv6l", "armv7l", "armv8l"]),
    ("ppc64", &["ppc64", "ppc64iseries", "ppc64p7", "ppc64pseries"]),
    ("sh4", &["sh4", "sh4a"]),
    ("sparc", &["sparc", "sparc64", "sparc64v", "sparcv8", "sparcv9", "sparcv9v"]),
];

/// Base architectures that go by one name.
const PLAIN_BASES: [&str; 14] = [
    "aarch64",
    "ia64",
    "loongarch64",
    "mips",
    "mips64",
    "mips64el",
    "mipsel",
    "ppc",
    "ppc64le",
    "riscv32",
    "riscv64",
    "riscv128",
    "s390",
    "s390x",
];

/// The machine that packages are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Architecture(String);

impl Architecture {
    /// This host's machine.
    pub(super) fn of_host() -> Self {
        Self::of_machine(&rustix::system::uname().machine().to_string_lossy())
    }

    /// The machine that the kernel calls so. Of 32-bit ARM, distributions with RPM packages have only the variant with
    /// floating-point registers, which the kernel's name does not tell.
    fn of_machine(machine: &str) -> Self {
        match machine {
            "armv6l" => Self("armv6hl".to_owned()),
            "armv7l" => Self("armv7hnl".to_owned()),
            "armv8l" => Self("armv8hl".to_owned()),
            other => Self(other.to_owned()),
        }
    }

    /// Its name, dnf's `$arch`.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The name of its kind, dnf's `$basearch`; `None` for a machine that dnf does not know.
    pub(super) fn base(&self) -> Option<&'static str> {
        let of_several = BASES.iter().find(|(_, names)| names.contains(&self.name())).map(|(base, _)| *base);
        of_several.or_else(|| PLAIN_BASES.into_iter().find(|base| *base == self.name()))
    }

    /// Whether it can have packages of this architecture. Source packages have none that can be installed.
    pub(super) fn takes(&self, architecture: &str) -> bool {
        let behind = |row: &&[&str]| {
            let from = row.iter().position(|name| *name == self.name());
            from.and_then(|from| row.get(from..)).is_some_and(|rest| rest.contains(&architecture))
        };
        architecture == "noarch" || architecture == self.name() || ROWS.iter().any(behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(machine: &str) -> Vec<&'static str> {
        let machine = Architecture::of_machine(machine);
        let all = ["noarch", "x86_64", "i686", "i386", "aarch64", "armv7hl", "s390x", "s390", "src", "nosrc", ""];
        all.into_iter().filter(|name| machine.takes(name)).collect()
    }

    #[test]
    fn a_machine_takes_what_it_can_run() {
        assert_eq!(taken("x86_64"), ["noarch", "x86_64", "i686", "i386"]);
        assert_eq!(taken("i686"), ["noarch", "i686", "i386"]);
        assert_eq!(taken("aarch64"), ["noarch", "aarch64"]);
        assert_eq!(taken("armv7l"), ["noarch", "armv7hl"]);
        assert_eq!(taken("s390"), ["noarch", "s390"]);
        assert_eq!(taken("toaster"), ["noarch"]);
    }

    #[test]
    fn machines_have_a_kind() {
        let base = |machine| Architecture::of_machine(machine).base();
        assert_eq!(base("x86_64"), Some("x86_64"));
        assert_eq!(base("i686"), Some("i386"));
        assert_eq!(base("armv7l"), Some("armhfp"));
        assert_eq!(base("ppc64le"), Some("ppc64le"));
        assert_eq!(base("toaster"), None);
        assert!(Architecture::of_host().base().is_some());
    }
}
