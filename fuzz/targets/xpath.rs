//! XPath: what is read is printed and read back as the same, selects the same, and changes a document whole or not at
//! all. An input is an expression, a line end, and a document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster::xml::xpath::{FragmentError, MAX_LENGTH, XPath};
use quartermaster::xml::{Element, Limits, read};

fuzz_target!(|text: &str| {
    let (expression, document) = text.split_once('\n').unwrap_or((text, "<a/>"));
    let Ok(xpath) = XPath::parse(expression) else { return };
    let printed = xpath.to_string();
    let again = XPath::parse(&printed);
    assert!(again.as_ref() == Ok(&xpath) || printed.len() > MAX_LENGTH, "{printed}: {again:?}");
    let Ok(root) = read(document, &Limits::default()) else { return };
    assert_eq!(xpath.matches(&root), !xpath.select(&root).is_empty());
    if let Ok(fragment) = xpath.get(&root) {
        assert_eq!(fragment, again.as_ref().unwrap_or(&xpath).select(&root), "{printed}");
    }
    let _ = (xpath.is_whole(&root), xpath.child_of_root(&root));
    changes(&root, |copy| xpath.remove(copy));
    changes(&root, |copy| xpath.insert(copy, &root.children));
    changes(&root, |copy| xpath.replace(copy, &root.children));
});

fn changes(root: &Element, change: impl FnOnce(&mut Element) -> Result<(), FragmentError>) {
    let mut copy = root.clone();
    if change(&mut copy).is_err() {
        assert_eq!(copy, *root);
    }
}
