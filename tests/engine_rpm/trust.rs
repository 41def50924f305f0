//! Signatures and checksums.

use std::fs;
use std::path::Path;

use quartermaster::software::{ApplyError, CancelToken, Operation};

use super::engine;
use super::steps::{apply, as_planned, install, refresh};
use super::support::operations::installed;
use super::support::packages::{RpmRoot, SigningKey, build_rpm};

fn assert_untrusted(root: &RpmRoot, text: &str) {
    let engine = engine(root);
    let (result, kept) = apply(&*engine, &install("alpha-0:1-1.noarch", false));
    assert!(matches!(&result, Err(ApplyError::Untrusted(why)) if why.contains(text)), "{result:?}");
    assert!(kept.started.is_empty());
    assert!(installed(&*engine).is_empty());
}

fn with_key(check: &str, key: &SigningKey) -> String {
    format!("{check}\ngpgkey=file://{}", key.public().display())
}

#[test]
fn packages_must_be_signed_by_the_key_of_the_repository() {
    let root = RpmRoot::new();
    let (key, other) = (SigningKey::new(), SigningKey::new());
    let file = build_rpm(&root.scratch(), "alpha", "1", "1", &[]);
    root.publish(std::slice::from_ref(&file));
    root.configure_repository("gpgcheck=1");
    assert_untrusted(&root, "no key is configured for the repository test");
    // Only then dnf looks at the package before it looks for the key.
    fs::create_dir_all(root.path().join("etc/dnf")).unwrap();
    fs::write(root.path().join("etc/dnf/dnf.conf"), "[main]\n").unwrap();
    assert_untrusted(&root, "alpha-1-1.noarch.rpm is not signed");
    root.configure_repository(&with_key("gpgcheck=1", &key));
    assert_untrusted(&root, "alpha-1-1.noarch.rpm is not signed");

    other.sign_rpm(&file);
    let root = RpmRoot::new();
    root.publish(std::slice::from_ref(&file));
    root.configure_repository(&with_key("gpgcheck=1", &key));
    assert_untrusted(&root, "Public key for alpha-1-1.noarch.rpm is not installed");
    root.configure_repository(&with_key("gpgcheck=1", &other));
    as_planned(&*engine(&root), &install("alpha-0:1-1.noarch", false));
}

#[test]
fn metadata_must_be_signed_and_unaltered() {
    let root = RpmRoot::new();
    let key = SigningKey::new();
    root.publish(&[build_rpm(&root.scratch(), "alpha", "1", "1", &[])]);
    key.sign_repository(&root.repository());
    root.configure_repository(&with_key("repo_gpgcheck=1\ngpgcheck=0", &key));
    // A plan takes no key, and so the next one does not find it taken.
    for _ in 0..2 {
        let plan = engine(&root).plan(&install("alpha-0:1-1.noarch", false), &CancelToken::default());
        assert!(
            matches!(&plan, Err(ApplyError::Untrusted(why)) if why.contains("refresh the repositories")),
            "{plan:?}"
        );
    }
    refresh(&*engine(&root));
    as_planned(&*engine(&root), &install("alpha-0:1-1.noarch", false));

    let altered = RpmRoot::new();
    altered.publish(&[build_rpm(&altered.scratch(), "alpha", "1", "1", &[])]);
    key.sign_repository(&altered.repository());
    append(&altered.repository().join("repodata/repomd.xml"), b"<!-- altered -->\n");
    altered.configure_repository(&with_key("repo_gpgcheck=1\ngpgcheck=0", &key));
    assert_untrusted(&altered, "the repository test is not trusted");
    let (result, _) = apply(&*engine(&altered), &Operation::RefreshRepositories);
    assert!(matches!(&result, Err(ApplyError::Untrusted(why)) if why.contains("repository test")), "{result:?}");
}

#[test]
fn an_altered_package_is_not_installed() {
    let root = RpmRoot::new();
    root.publish(&[build_rpm(&root.scratch(), "alpha", "1", "1", &[])]);
    root.configure_repository("gpgcheck=0");
    append(&root.repository().join("alpha-1-1.noarch.rpm"), b"x");
    assert_untrusted(&root, "checksum");
}

#[test]
fn a_damaged_package_file_is_not_installed() {
    let root = RpmRoot::new();
    let file = build_rpm(&root.scratch(), "alpha", "1", "1", &[]);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 40;
    bytes[last] ^= 0xff;
    fs::write(&file, bytes).unwrap();
    let engine = engine(&root);
    let (result, kept) = apply(&*engine, &super::steps::install_file(&*engine, &file, false));
    assert!(matches!(&result, Err(ApplyError::Untrusted(why)) if why.contains("does not verify")), "{result:?}");
    assert!(kept.started.is_empty());
}

fn append(file: &Path, bytes: &[u8]) {
    let mut content = fs::read(file).unwrap();
    content.extend_from_slice(bytes);
    fs::write(file, content).unwrap();
}
