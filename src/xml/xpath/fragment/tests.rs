//! The examples of DSP0226 7.8 to 7.11, and what is refused.

use proptest::prelude::*;

use super::super::super::Writer;
use super::super::tests::{document, documents};
use super::*;

fn written(root: &Element) -> String {
    let mut w = Writer::new(usize::MAX);
    w.element(root);
    String::from_utf8(w.finish()).unwrap()
}

/// What stands in a fragment's wrapper.
fn content(text: &str) -> Vec<XMLNode> {
    document(&format!("<XmlFragment>{text}</XmlFragment>")).children
}

type Change = fn(&XPath, &mut Element, &[XMLNode]) -> Result<(), FragmentError>;

const PUT: Change = XPath::replace;
const CREATE: Change = XPath::insert;
const DELETE: Change = |xpath, root, _| xpath.remove(root);

/// The document after a change; it stays as it was if the change is refused.
fn changed(change: Change, text: &str, path: &str, fragment: &str) -> Result<String, FragmentError> {
    let mut root = document(text);
    let result = change(&XPath::parse(path).unwrap(), &mut root, &content(fragment));
    if result.is_err() {
        assert_eq!(root, document(text), "{path} changed half");
    }
    result.map(|()| written(&root))
}

const DISK: &str = "<Disk><Manufacturer> Acme, Inc. </Manufacturer><BootPartition>0</BootPartition></Disk>";
const SERVER: &str = "<S><N>n</N><Ip>1</Ip><Ip>2</Ip><Z/></S>";

#[test]
fn the_examples_of_get() {
    let disk = document(DISK);
    let get = |path: &str| XPath::parse(path).unwrap().get(&disk).unwrap();
    let [Selected::Element(element)] = get("\n   Manufacturer\n  ")[..] else { panic!("one element") };
    assert_eq!(written(element), "<Manufacturer> Acme, Inc. </Manufacturer>");
    assert_eq!(get("Manufacturer/text()"), [Selected::Text(" Acme, Inc. ")]);
    assert_eq!(get("SerialNumber"), []);
    assert_eq!(get("SerialNumber/text()"), []);
}

#[test]
fn an_array_is_got_as_its_elements_but_its_texts_need_an_index() {
    let server = document(SERVER);
    let get = |path: &str| XPath::parse(path).unwrap().get(&server).map(|found| found.len());
    assert_eq!(get("Ip"), Ok(2));
    assert_eq!(get("/S/Ip[2]"), Ok(1));
    assert_eq!(get("Ip[2]/text()"), Ok(1));
    assert_eq!(get("Z/text()"), Ok(0));
    let error = get("Ip/text()").unwrap_err();
    assert!(matches!(error, FragmentError::Ambiguous(_)));
    assert_eq!(error.to_string(), "Ip/text() is in several places: tell which one with an index, as in a[2]");
}

#[test]
fn the_examples_of_put() {
    let tree = "<a><b><c>1</c><d>2</d></b><e><f/><g/></e></a>";
    for (text, path, fragment, expected) in [
        (tree, "b", "<b><c>3</c></b>", "<a><b><c>3</c></b><e><f/><g/></e></a>"),
        (tree, "b/d", "<d>3</d>", "<a><b><c>1</c><d>3</d></b><e><f/><g/></e></a>"),
        (tree, "a/b/d", "<d>3</d>", "<a><b><c>1</c><d>3</d></b><e><f/><g/></e></a>"),
        (
            "<D><BootPartition>0</BootPartition></D>",
            "BootPartition",
            "\n<BootPartition> 1 </BootPartition>\n",
            "<D><BootPartition> 1 </BootPartition></D>",
        ),
        (
            "<D><BootPartition>0</BootPartition></D>",
            "BootPartition/text()",
            "1",
            "<D><BootPartition>1</BootPartition></D>",
        ),
        ("<D><L x=\"1\">0</L></D>", "L/@x", "2", "<D><L x=\"2\">0</L></D>"),
        ("<D><L>0</L></D>", "L/text()", "", "<D><L/></D>"),
        ("<D><L/></D>", "L/text()", "1", "<D><L>1</L></D>"),
        ("<D>0</D>", ".", "<D>1</D>", "<D>1</D>"),
        ("<D>0</D>", "/D", "<D>1</D>", "<D>1</D>"),
    ] {
        assert_eq!(changed(PUT, text, path, fragment).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn a_nil_value_comes_and_goes() {
    let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    let mut root = document("<D><AssetLabel>l</AssetLabel></D>");
    let nil = content(&format!("<AssetLabel {xsi} xsi:nil='true'/>"));
    XPath::parse("AssetLabel").unwrap().replace(&mut root, &nil).unwrap();
    assert_eq!(root, document(&format!("<D><AssetLabel {xsi} xsi:nil='true'/></D>")));
    XPath::parse("AssetLabel/text()").unwrap().replace(&mut root, &content("m")).unwrap();
    assert_eq!(written(&root), "<D><AssetLabel>m</AssetLabel></D>");
}

#[test]
fn items_and_whole_arrays_are_replaced() {
    for (path, fragment, expected) in [
        ("Ip[2]", "<Ip>3</Ip>", "<S><N>n</N><Ip>1</Ip><Ip>3</Ip><Z/></S>"),
        ("Ip[.='1']", "<Ip>3</Ip>", "<S><N>n</N><Ip>3</Ip><Ip>2</Ip><Z/></S>"),
        ("Ip", "<Ip>3</Ip>", "<S><N>n</N><Ip>3</Ip><Z/></S>"),
        ("Ip", "<Ip>3</Ip><Ip>4</Ip><Ip>5</Ip>", "<S><N>n</N><Ip>3</Ip><Ip>4</Ip><Ip>5</Ip><Z/></S>"),
        ("Ip[1]/text()", "3", "<S><N>n</N><Ip>3</Ip><Ip>2</Ip><Z/></S>"),
    ] {
        assert_eq!(changed(PUT, SERVER, path, fragment).as_deref(), Ok(expected), "{path}");
    }
    let parted = "<S><Ip>1</Ip><N/><Ip>2</Ip></S>";
    assert_eq!(changed(PUT, parted, "Ip", "<Ip>3</Ip><Ip>4</Ip>").unwrap(), "<S><Ip>3</Ip><Ip>4</Ip><N/></S>");
}

#[test]
fn the_examples_of_delete() {
    for (text, path, expected) in [
        ("<D><VolumeLabel>l</VolumeLabel><A/></D>", "VolumeLabel", "<D><A/></D>"),
        (SERVER, "Ip[2]", "<S><N>n</N><Ip>1</Ip><Z/></S>"),
        (SERVER, "Ip", "<S><N>n</N><Z/></S>"),
        (SERVER, "Ip[. > 0]", "<S><N>n</N><Z/></S>"),
        (SERVER, "N/text()", "<S><N/><Ip>1</Ip><Ip>2</Ip><Z/></S>"),
        ("<S><N x=\"1\" y=\"2\"/></S>", "N/@x", "<S><N y=\"2\"/></S>"),
    ] {
        assert_eq!(changed(DELETE, text, path, "").as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn the_examples_of_create() {
    for (text, path, fragment, expected) in [
        (
            "<D><A/></D>",
            "VolumeLabel",
            "<VolumeLabel> MyDisk </VolumeLabel>",
            "<D><A/><VolumeLabel> MyDisk </VolumeLabel></D>",
        ),
        ("<D><A/></D>", "VolumeLabel/text()", "MyDisk", "<D><A/><VolumeLabel>MyDisk</VolumeLabel></D>"),
        ("<D><A/></D>", "/D/A/B", "<B/>", "<D><A><B/></A></D>"),
        (SERVER, "Ip[3]", "<Ip>3</Ip>", "<S><N>n</N><Ip>1</Ip><Ip>2</Ip><Ip>3</Ip><Z/></S>"),
        (SERVER, "Ip[2]", "<Ip>3</Ip>", "<S><N>n</N><Ip>1</Ip><Ip>3</Ip><Ip>2</Ip><Z/></S>"),
        (SERVER, "Ip[1]/text()", "3", "<S><N>n</N><Ip>3</Ip><Ip>1</Ip><Ip>2</Ip><Z/></S>"),
        ("<S><N/></S>", "Ip[1]", "<Ip>3</Ip>", "<S><N/><Ip>3</Ip></S>"),
        ("<S><N/></S>", "Ip", "<Ip>3</Ip><Ip>4</Ip>", "<S><N/><Ip>3</Ip><Ip>4</Ip></S>"),
    ] {
        assert_eq!(changed(CREATE, text, path, fragment).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn elements_without_a_namespace_get_that_of_their_place() {
    let mut root = document("<p:S xmlns:p='urn:s'><p:N>n</p:N></p:S>");
    XPath::parse("N").unwrap().replace(&mut root, &content("<N>m</N>")).unwrap();
    XPath::parse("M/text()").unwrap().insert(&mut root, &content("1")).unwrap();
    XPath::parse("O").unwrap().insert(&mut root, &content("<O xmlns='urn:o'>1</O>")).unwrap();
    let expected = "<S xmlns='urn:s'><N>m</N><M>1</M><O xmlns='urn:o'>1</O></S>";
    assert_eq!(root, document(expected));
    XPath::parse("/").unwrap().replace(&mut root, &content("<S><N xmlns='urn:s'/></S>")).unwrap();
    assert_eq!(root, document("<S xmlns='urn:s'><N/></S>"));
}

#[test]
fn changes_that_do_not_fit_are_refused_and_change_nothing() {
    use FragmentError::*;
    let twice = "<S><A><B>1</B></A><A><B>2</B></A></S>";
    type Kind = fn(String) -> FragmentError;
    let cases: [(Change, &str, &str, &str, Kind, &str); 36] = [
        (PUT, SERVER, "Ip[3]", "<Ip/>", Missing, "there is no Ip[3]"),
        (PUT, SERVER, "X", "<X/>", Missing, "there is no X"),
        (PUT, SERVER, "X/text()", "1", Missing, "there is no X/text()"),
        (PUT, SERVER, "N/@x", "1", Missing, "there is no N/@x"),
        (PUT, SERVER, "/X", "<X/>", Missing, "there is no /X"),
        (PUT, twice, "A/B", "<B/>", Ambiguous, "A/B is in several places"),
        (PUT, SERVER, "Ip/text()", "1", Ambiguous, "tell which one with an index"),
        (PUT, SERVER, "Ip[.>0]", "<Ip/>", Ambiguous, "is in several places"),
        (PUT, twice, "A/@x", "1", Ambiguous, "is in several places"),
        (PUT, SERVER, "N", "<M/>", Content, "N takes the element N, not M"),
        (PUT, SERVER, "N", "<N/><M/>", Content, "not M"),
        (PUT, SERVER, "N", "1", Content, "not text; for the value alone the path ends with text()"),
        (PUT, SERVER, "N", "", Content, "N takes the element N, not nothing"),
        (PUT, SERVER, "N/text()", "<N>1</N>", Content, "takes the value alone, not the element N"),
        (PUT, SERVER, "Ip[1]", "<Ip/><Ip/>", Content, "Ip[1] takes one element Ip, not several"),
        (PUT, SERVER, ".", "<S/><S/>", Content, "takes one element S, not several"),
        (PUT, SERVER, "/", "<T/>", Content, "takes the element S, not T"),
        (PUT, twice, "A[1]/text()", "1", Place, "A has no text but elements: leave text() out"),
        (DELETE, SERVER, "Ip[3]", "", Missing, "there is no Ip[3]"),
        (DELETE, SERVER, "Z/text()", "", Missing, "there is no Z/text()"),
        (DELETE, SERVER, "N/@x", "", Missing, "there is no N/@x"),
        (DELETE, SERVER, "Ip/text()", "", Ambiguous, "is in several places"),
        (DELETE, twice, "A/B[1]", "", Ambiguous, "is in several places"),
        (DELETE, SERVER, "/", "", Place, "/ is the whole object"),
        (DELETE, SERVER, "S", "", Place, "S is the whole object"),
        (DELETE, twice, "A[1]/text()", "", Place, "A has no text but elements"),
        (CREATE, SERVER, "N", "<N>1</N>", Exists, "N is there already"),
        (CREATE, SERVER, "Z/text()", "1", Exists, "Z/text() is there already"),
        (CREATE, SERVER, ".", "<S/>", Exists, "is there already"),
        (CREATE, SERVER, "Ip[4]", "<Ip/>", Place, "there is no Ip[4] to insert before; the next index is 3"),
        (CREATE, SERVER, "Ip[.='1']", "<Ip/>", Place, "give Ip no condition, only an index"),
        (CREATE, SERVER, "N/@x", "1", Place, "attributes cannot be inserted, as N/@x would be"),
        (CREATE, SERVER, "Ip[3]", "<Ip/><Ip/>", Content, "takes one element Ip, not several"),
        (CREATE, SERVER, "X", "1", Content, "X takes the element X, not text"),
        (CREATE, SERVER, "X/Y", "<Y/>", Missing, "there is nothing to insert X/Y into"),
        (CREATE, twice, "A/C", "<C/>", Ambiguous, "is in several places"),
    ];
    for (change, text, path, fragment, kind, part) in cases {
        let error = changed(change, text, path, fragment).expect_err(path);
        assert_eq!(error, kind(error.to_string()), "{path}");
        assert!(error.to_string().contains(part), "{path}: {error}");
    }
}

proptest! {
    #[test]
    fn what_was_got_can_be_put_back(root in documents(), path in "([a-d](\\[[1-3]\\])?/){0,2}([a-d](\\[[1-3]\\])?|@[a-d]|text\\(\\))") {
        let path = XPath::parse(&path).unwrap();
        let fragment: Vec<XMLNode> = path.select(&root).into_iter().map(|node| match node {
            Selected::Element(element) => XMLNode::Element(element.clone()),
            Selected::Text(text) | Selected::Attribute { value: text, .. } => XMLNode::Text(text.to_owned()),
        }).collect();
        let mut again = root.clone();
        if path.replace(&mut again, &fragment).is_ok() && !path.select(&root).is_empty() {
            prop_assert_eq!(path.select(&again), path.select(&root));
        }
    }

    #[test]
    fn what_was_inserted_can_be_removed(root in documents(), path in "([a-d](\\[[1-3]\\])?/){0,2}[e](\\[1\\])?") {
        let path = XPath::parse(&path).unwrap();
        let mut changed = root.clone();
        if path.insert(&mut changed, &content("<e>1</e>")).is_ok() {
            prop_assert_eq!(path.select(&changed).len(), 1);
            path.remove(&mut changed).unwrap();
        }
        prop_assert_eq!(changed, root);
    }
}
