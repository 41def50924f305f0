//! What is installed, as a list.

use crate::browser::Browser;
use crate::support::packages::{Deb, DebRoot};
use crate::support::server::Host;

#[test]
fn packages_are_listed_in_parts_and_found_by_name_and_summary() {
    let root = DebRoot::new();
    let description = "<script>alert(1)</script> & a \"Quoted\" summary";
    let evil = Deb::new("evil", "2:1.0-1").field("Description", description).build(&root.scratch());
    root.install_by_hand(&evil);
    root.fill(405);
    let host = Host::new(&root.path(), "deb");
    let server = host.serve();
    let mut browser = Browser::of_admin(&server);
    let first = browser.page("/software");
    assert!(first.has("1 to 200 of 406 packages") && first.has("rel=\"next\" href=\"/software?page=2\""), "{first:?}");
    assert!(first.has("&#60;script&#62;alert(1)&#60;/script&#62; &#38; a &#34;Quoted&#34; summary"), "{first:?}");
    assert!(!first.has("<script>alert"), "{first:?}");
    assert!(first.has("<td class=\"mono\">2:1.0-1</td>"), "{first:?}");
    let last = browser.page("/software?page=99");
    assert!(last.has("401 to 406 of 406 packages") && last.has("filler-0404") && !last.has("filler-0398"), "{last:?}");

    let found = browser.page("/software?q=FILLER-040");
    assert!(found.has("5 packages") && found.has("filler-0402") && !found.has("filler-0399"), "{found:?}");
    assert!(browser.page("/software?q=quoted").has("1 package<"));
    assert!(browser.page("/software?q=no+such").has("No packages"));
    let hostile = browser.page("/software?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    assert!(hostile.has("&#34;&#62;&#60;script&#62;alert(1)") && !hostile.has("<script>alert"), "{hostile:?}");
}
