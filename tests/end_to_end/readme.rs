//! The walk of README.md, run as it is written.

use crate::marked::{as_here, blocks, run_shell};
use crate::support::packages::{DebRoot, build_deb};
use crate::support::server::Host;

#[test]
fn the_walk_of_the_readme_works_as_it_is_written() {
    let blocks = blocks("README.md", "sh");
    assert!(blocks.len() >= 5, "README.md has only {} blocks of a walk", blocks.len());

    let root = DebRoot::new();
    let dir = root.scratch();
    for name in ["alpha", "beta"] {
        root.install_by_hand(&build_deb(&dir, name, "1.0-1", &[]));
    }
    let package = build_deb(&dir, "hello", "2.10-3", &[]);
    let host = Host::bare(&["--root", root.path().to_str().unwrap(), "--engine", "deb"]);
    let server = host.serve();
    let said = run_shell(&as_here(&blocks.join("\n"), &host, &server, &package), &dir);
    for expected in ["IdentifyResponse", "Name>alpha<", "ReturnValue>4096<", "Completed successfully", "Name>hello<"] {
        assert!(said.contains(expected), "the walk never showed {expected}:\n{said}");
    }
}
