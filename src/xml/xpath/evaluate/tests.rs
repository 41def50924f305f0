//! The annex's examples, and expressions against random documents.

use proptest::prelude::*;

use super::super::super::element;
use super::super::tests::{conditions, document, documents, expressions, xpath};
use super::*;

/// What is selected, as short texts: an element by its name and all its text, each word once.
fn selected(root: &Element, text: &str) -> Vec<String> {
    let shown = |node: Selected<'_>| match node {
        Selected::Element(element) => format!("<{}> {}", element.name, words(element)),
        Selected::Text(text) => text.trim().to_owned(),
        Selected::Attribute { name, value } => format!("{name}={value}"),
    };
    xpath(text).select(root).into_iter().map(shown).collect()
}

fn words(element: &Element) -> String {
    let of_node = |node: &XMLNode| match node {
        XMLNode::Element(inner) => words(inner),
        XMLNode::Text(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    element.children.iter().map(of_node).collect::<Vec<_>>().join(" ")
}

/// The annex's example document, from its context node.
fn annex() -> Element {
    document("<a>\n <b x=\"y\"> 100 </b>\n <c>\n <d> 200 </d>\n </c>\n <c>\n <d> 300 </d>\n <d> 400 </d>\n </c>\n </a>")
}

#[test]
fn level_1_selects_what_the_annex_says() {
    let root = annex();
    for (text, expected) in [
        ("/", &["<a> 100 200 300 400"][..]),
        ("/a", &["<a> 100 200 300 400"]),
        (".", &["<a> 100 200 300 400"]),
        ("../a", &["<a> 100 200 300 400"]),
        ("b", &["<b> 100"]),
        ("c", &["<c> 200", "<c> 300 400"]),
        ("c[1]", &["<c> 200"]),
        ("c[2]/d[2]", &["<d> 400"]),
        ("c[2]/d[2]/text()", &["400"]),
        ("b/text()", &["100"]),
        ("b/@x", &["x=y"]),
    ] {
        assert_eq!(selected(&root, text), expected, "{text}");
    }
}

#[test]
fn level_2_selects_what_the_annex_says() {
    let root = annex();
    for (text, expected) in [
        ("b[@x=\"y\"]", &["<b> 100"][..]),
        ("b[.=\"100\"]", &["<b> 100"]),
        ("c[d=\"200\"]", &["<c> 200"]),
        ("c/d[.=\"200\"]", &["<d> 200"]),
        ("b[.=\"100\" and @x=\"z\"]", &[]),
        ("c[d=\"200\" or d=\"300\"]", &["<c> 200", "<c> 300 400"]),
        ("c[2][not(.=\"400\" or @x=\"100\")]", &["<c> 300 400"]),
        ("c/d[.=\"100\" or (@x=\"400\" and .=\"500\")]", &[]),
    ] {
        assert_eq!(selected(&root, text), expected, "{text}");
    }
}

#[test]
fn the_filters_of_enumerations_and_events_let_through_what_the_standard_says() {
    let disk = |letter, megabytes| {
        document(&format!(
            "<DiskInfo xmlns=\"urn:disk\"><LogicalDisk>{letter}</LogicalDisk>\
             <CurrentMegabytes>{megabytes}</CurrentMegabytes><BackupDrive> true </BackupDrive></DiskInfo>"
        ))
    };
    for (text, expected) in [
        ("/", [true, true]),
        ("/DiskInfo", [true, true]),
        ("../DiskInfo", [true, true]),
        (".", [true, true]),
        ("../DiskInfo[LogicalDisk=\"C:\"]", [true, false]),
        ("../DiskInfo[CurrentMegabytes>\"10\" and CurrentMegabytes <\"200\"]", [true, false]),
        ("../DiskInfo[LogicalDisk=\"C:\" and CurrentMegabytes < \"20\"]", [true, false]),
        ("/p:DiskInfo[p:BackupDrive = 'true' and not(p:LogicalDisk='C:')]", [false, true]),
        ("DiskInfo[LogicalDisk='C:']", [true, false]),
        ("../LowDiskSpaceEvent", [false, false]),
    ] {
        for (item, expected) in [disk("C:", 12), disk("D:", 1200)].iter().zip(expected) {
            assert_eq!(xpath(text).matches(item), expected, "{text}");
            let named = !text.contains("LowDisk");
            assert_eq!(xpath(text).is_whole(item), named || text.starts_with(".."), "{text}");
        }
    }
}

#[test]
fn paths_begin_at_the_root_however_clients_write_it() {
    let root = document(
        "<p:CIM_X xmlns:p=\"urn:x\" v=\"1\"><p:Name>n</p:Name><p:Roles>r</p:Roles><p:Roles>s</p:Roles></p:CIM_X>",
    );
    for (text, expected) in [
        ("Name", &["<Name> n"][..]),
        ("  Name/text()\n ", &["n"]),
        ("./Name", &["<Name> n"]),
        ("p:Name", &["<Name> n"]),
        ("CIM_X/Name", &["<Name> n"]),
        ("CIM_X", &["<CIM_X> n r s"]),
        ("/CIM_X/Roles", &["<Roles> r", "<Roles> s"]),
        ("../q:CIM_X/q:Roles[2]/text()", &["s"]),
        ("/CIM_X/CIM_X", &[]),
        ("/Name", &[]),
        ("/CIM_Y/Name", &[]),
        ("@v", &["v=1"]),
        ("./@v", &["v=1"]),
        ("/CIM_X/@v", &["v=1"]),
        ("name", &[]),
    ] {
        assert_eq!(selected(&root, text), expected, "{text}");
    }
    let child = |text| xpath(text).child_of_root(&root).map(str::to_owned);
    assert_eq!([child("/CIM_X/A/B"), child("A/B"), child("CIM_X/A"), child("A/@x")], ["A"; 4].map(|a| Some(a.into())));
    assert_eq!([child("/"), child("."), child("CIM_X[Name='n']"), child("@v"), child("text()")], [const { None }; 5]);
    let whole = |text| xpath(text).is_whole(&root);
    assert!(whole("/") && whole(".") && whole("CIM_X") && whole("/Y") && !whole("Name") && !whole("@v"));
}

#[test]
fn a_child_that_is_called_like_the_root_goes_before_it() {
    let root = document("<a><a><b>1</b></a><b>2</b></a>");
    assert_eq!(selected(&root, "a"), ["<a> 1"]);
    assert_eq!(selected(&root, "a/b"), ["<b> 1"]);
    assert_eq!(selected(&root, "/a/b"), ["<b> 2"]);
    assert_eq!(selected(&root, "../a/a/b"), ["<b> 1"]);
}

#[test]
fn indexes_count_among_what_is_left_in_each_parent() {
    let root = document("<r><a k='1'><b>1</b><x/><b>2</b><b>3</b></a><a k='2'><b>4</b></a><a k='3'/></r>");
    for (text, expected) in [
        ("a/b[1]", &["<b> 1", "<b> 4"][..]),
        ("a/b[2]", &["<b> 2"]),
        ("a[b][2]/b", &["<b> 4"]),
        ("a[2][b]/@k", &["k=2"]),
        ("a[not(b)]/@k", &["k=3"]),
        ("a/b[. > 1][2]", &["<b> 3"]),
        ("a[b[3]='3']/@k", &["k=1"]),
        ("a[b[. = 4]]/@k", &["k=2"]),
        ("a[4294967295]", &[]),
    ] {
        assert_eq!(selected(&root, text), expected, "{text}");
    }
}

#[test]
fn values_compare_as_numbers_or_strings_and_with_any_node() {
    let root = document(
        "<r xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><n>  10 </n><n>9.50</n><m>-3</m><w>1e1</w>\
         <e/><nil xsi:nil='true'/><t>one <i>two</i> three</t><s>it's</s></r>",
    );
    for (condition, expected) in [
        ("n = 10", true),
        ("n = '10'", true),
        ("n = ' 10\n'", true),
        ("n = '10.0'", false),
        ("n = 10.0 and n = 9.5 and 9.5 = n", true),
        ("n = '9.5'", false),
        ("n != 10", true),
        ("n != '10' and n != '9.50'", true),
        ("m != -3 or m != '-3'", false),
        ("not(n = 11) and not(n = '11')", true),
        ("n < '10' and n <= 9.5 and not(n < 9.5)", true),
        ("n > '9.5' and n >= 10 and not(n > 10)", true),
        ("10 > n and -4 < m and '-3' >= m", true),
        ("m < .5 and m > -3.5", true),
        ("w = 10 or w < 10 or w > 10", false),
        ("w != 10", true),
        ("e = '' and nil = '' and nil/@xsi:nil = 'true' and e != 0", true),
        ("e = 0 or e < 1 or e > -1 or e/text()", false),
        ("absent = '' or absent != '' or absent < 1 or absent = absent", false),
        ("not(absent) and e and n and @absent or absent", false),
        ("t = 'one two three' and t/text() = 'one' and t/text() = 'three' and t/text() != 'one'", true),
        ("t/text() = 'two' or t = 'one'", false),
        ("s = \"it's\"", true),
        ("n = n and n != n and not(m != m)", true),
        ("m < n and n > m and not(n <= m) and n >= n", true),
        ("'a' = 'a' and 1 < 2 and not('a' != 'a') and 1 != '2'", true),
        (". != '' and not(. = '') and .", true),
    ] {
        assert_eq!(xpath(&format!("/r[{condition}]")).matches(&root), expected, "{condition}");
    }
}

#[test]
fn operators_bind_as_in_xpath_and_words_may_be_names() {
    let root = document("<r><and>1</and><or>2</or><not>3</not><text>4</text><div>5</div></r>");
    for condition in [
        "and and or",
        "and='1'and or='2'",
        "x or and and or",
        "(and or x) and not(x)",
        "not and text and not(not(not))",
        "text='4' and text/text()='4'",
        "div = 5",
        "x and x or and",
    ] {
        assert!(xpath(&format!("/r[{condition}]")).matches(&root), "{condition}");
    }
    assert!(!xpath("/r[x and (x or and)]").matches(&root));
}

#[test]
fn long_arrays_are_compared_without_trying_every_pair() {
    let mut root = element("", "r");
    for i in 0..20_000 {
        let name = if i % 2 == 0 { "a" } else { "b" };
        root.children.push(XMLNode::Element(element("", name).with_text(format!("{name}{i}"))));
    }
    let conditions = ["a=b or a<b or a>b or not(a!=b)"; 5].join(" or ");
    assert!(!xpath(&format!("/r[{conditions}]")).matches(&root));
}

#[test]
fn the_value_of_an_element_is_all_text_in_it_however_deep() {
    let mut root = element("", "a").with_text("x");
    for _ in 0..2000 {
        root = element("", "a").with_child(root);
    }
    assert!(xpath("/a[.='x']").matches(&root));
}

proptest! {
    #[test]
    fn what_is_selected_stands_in_the_document_in_order(expression in expressions(), root in documents()) {
        let mut all = vec![&root];
        let mut next = 0;
        while let Some(element) = all.get(next) {
            next += 1;
            all.splice(next..next, element.children.iter().filter_map(XMLNode::as_element));
        }
        let place = |found: &Element| all.iter().position(|one| std::ptr::eq(*one, found));
        let selected = expression.select(&root);
        let elements = selected.iter().filter_map(|node| if let Selected::Element(e) = node { Some(*e) } else { None });
        let places: Vec<_> = elements.map(place).collect();
        prop_assert!(places.iter().all(Option::is_some));
        prop_assert!(places.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(expression.matches(&root), !selected.is_empty());
    }

    #[test]
    fn a_condition_and_its_negation_part_the_elements(condition in conditions(), root in documents()) {
        let with = |condition| {
            let steps = vec![Step { name: root.name.clone(), predicates: vec![Predicate::Condition(condition)] }];
            XPath { anchor: Anchor::Document, path: Path { steps, end: End::Element } }.matches(&root)
        };
        prop_assert_ne!(with(condition.clone()), with(Condition::Not(Box::new(condition))));
    }
}
