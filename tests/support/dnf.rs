//! Repositories of RPM packages with groups and advisories, and dnf on a private root that uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::packages::{RpmRoot, run};

/// A dnf that works on the root: with its own repositories and cache.
pub fn dnf(root: &RpmRoot, arguments: &[&str]) -> Command {
    let home = root.scratch().join("home");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
    let mut dnf = Command::new("dnf");
    dnf.env("HOME", home).args(["--quiet", "--assumeyes", "--noplugins", "--releasever=1"]);
    dnf.arg(format!("--installroot={}", root.path().display()));
    dnf.arg(format!("--setopt=reposdir={}", root.path().join("etc/yum.repos.d").display()));
    dnf.args(arguments);
    dnf
}

/// What dnf answers for the root.
pub fn ask_dnf(root: &RpmRoot, arguments: &[&str]) -> String {
    String::from_utf8(run(&mut dnf(root, arguments)).stdout).unwrap()
}

/// Makes packages a repository `test` that the root uses, with these groups and advisories, in place of the one that may be
/// there; dnf then fetches it.
pub fn publish(root: &RpmRoot, packages: &[PathBuf], groups: &str, advisories: &str) {
    let repository = root.scratch().join("repository");
    fs::create_dir_all(&repository).unwrap();
    for package in packages {
        fs::copy(package, repository.join(package.file_name().unwrap())).unwrap();
    }
    let comps = root.scratch().join("comps.xml");
    fs::write(&comps, groups).unwrap();
    run(Command::new("createrepo_c").args(["--quiet", "--groupfile"]).arg(&comps).arg(&repository));
    add_advisories(&root.scratch(), &repository, advisories);
    let folder = root.path().join("etc/yum.repos.d");
    fs::create_dir_all(&folder).unwrap();
    let text = format!("[test]\nname=Test\nbaseurl=file://{}\ngpgcheck=0\nmetadata_expire=0\n", repository.display());
    fs::write(folder.join("test.repo"), text).unwrap();
    run(&mut dnf(root, &["--refresh", "makecache"]));
}

fn add_advisories(scratch: &Path, repository: &Path, advisories: &str) {
    let updateinfo = scratch.join("updateinfo.xml");
    fs::write(&updateinfo, advisories).unwrap();
    run(Command::new("modifyrepo_c").arg(&updateinfo).arg(repository.join("repodata")));
}

/// A list of groups: each with its id, its name and what its `packagelist` holds.
pub fn groups(groups: &[(&str, &str, &str)]) -> String {
    let groups = groups.iter().map(|(id, name, packages)| {
        format!(
            "<group><id>{id}</id><name>{name}</name><description>All {id}</description><default>false</default>\
             <uservisible>true</uservisible><packagelist>{packages}</packagelist></group>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n<comps>{}</comps>\n",
        groups.collect::<String>()
    )
}

/// An advisory about builds of architecture `noarch`: name, version and release.
pub fn advisory(id: &str, kind: &str, severity: &str, cve: Option<&str>, builds: &[(&str, &str, &str)]) -> String {
    let reference = cve.map(|cve| {
        format!("<reference href=\"https://example.org/{cve}\" id=\"{cve}\" type=\"cve\" title=\"{cve}\"/>")
    });
    let builds = builds.iter().map(|(name, version, release)| {
        format!(
            "<package name=\"{name}\" version=\"{version}\" release=\"{release}\" epoch=\"0\" arch=\"noarch\" \
             src=\"{name}.src.rpm\"><filename>{name}-{version}-{release}.noarch.rpm</filename></package>"
        )
    });
    format!(
        "<update from=\"a@example.org\" status=\"final\" type=\"{kind}\" version=\"1\"><id>{id}</id><title>{id} is out</title>\
         <issued date=\"2024-01-02 03:04:05\"/><severity>{severity}</severity><summary>s</summary>\
         <description>What {id} does.</description><solution>Install it.</solution><references>{}</references>\
         <pkglist><collection short=\"c\"><name>c</name>{}</collection></pkglist></update>",
        reference.unwrap_or_default(),
        builds.collect::<String>()
    )
}

/// A list of advisories.
pub fn advisories(advisories: &[String]) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>{}</updates>\n", advisories.concat())
}
