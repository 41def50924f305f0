//! The reader against hostile input, and reader and writer against each other.

use proptest::prelude::*;

use super::*;

fn refusal(text: &str) -> XmlErrorKind {
    read(text, &Limits::default()).expect_err(&text.chars().take(80).collect::<String>()).kind
}

#[test]
fn hostile_documents_are_refused_for_what_they_are() {
    use XmlErrorKind::*;
    let laughs = format!(
        "<!DOCTYPE l [<!ENTITY l0 \"lol\">{}]><l>&l9;</l>",
        (1..10).map(|i| format!("<!ENTITY l{i} \"{}\">", format!("&l{};", i - 1).repeat(10))).collect::<String>()
    );
    let nested_namespaces: String = (0..20_000).map(|i| format!("<a xmlns:p{i}=\"urn:{i}\">")).collect();
    let wide_namespaces: String = (0..1000).map(|i| format!(" xmlns:p{i}=\"urn:{i}\"")).collect();
    let wide: String = (0..60_000).map(|i| format!(" a{i}=\"\"")).collect();
    let cases = [
        ("<!DOCTYPE a><a/>".to_owned(), Doctype),
        ("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>".to_owned(), Doctype),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned(), Doctype),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>".to_owned(), Doctype),
        ("<!doctype a><a/>".to_owned(), Doctype),
        ("<!DOCTYPE a [".to_owned(), Doctype),
        (laughs, Doctype),
        (format!("<!DOCTYPE a [<!ENTITY x \"{}\">]><a>{}</a>", "y".repeat(40_000), "&x;".repeat(10_000)), Doctype),
        ("<a>&x;</a>".to_owned(), UnknownEntity),
        ("<a b=\"&x;\"/>".to_owned(), UnknownEntity),
        ("<a>".repeat(65) + &"</a>".repeat(65), TooDeep),
        ("<a>".repeat(1_000_000), TooDeep),
        (nested_namespaces, TooDeep),
        (format!("<a{wide_namespaces}>{}</a>", "<b/>".repeat(2000)), TooManyNamespaces),
        (format!("<a{wide}/>"), TooManyAttributes),
        (format!("<a>{}</a>", "<b/>".repeat(500_000)), TooManyElements),
        ("<a xmlns:p=\"urn:x\" xmlns:q=\"urn:x\" p:b=\"1\" q:b=\"2\"/>".to_owned(), DuplicateAttribute),
        ("<a b=\"1\" b=\"2\"/>".to_owned(), DuplicateAttribute),
        ("<a xmlns:p=\"urn:1\" xmlns:p=\"urn:2\"/>".to_owned(), DuplicateAttribute),
        ("<a/>text".to_owned(), TextOutsideRoot),
        ("text<a/>".to_owned(), TextOutsideRoot),
        ("<a/>&amp;".to_owned(), TextOutsideRoot),
        ("<![CDATA[ ]]><a/>".to_owned(), TextOutsideRoot),
        ("<a/><b/>".to_owned(), SecondRoot),
        ("<a></a><a></a>".to_owned(), SecondRoot),
        ("<a><b></b>".to_owned(), Unclosed),
        ("<a>".to_owned(), Unclosed),
        ("".to_owned(), Empty),
        (" \n ".to_owned(), Empty),
        ("<!-- nothing -->".to_owned(), Empty),
        ("<a>\u{1}</a>".to_owned(), IllegalCharacter),
        ("<a b='\u{8}'/>".to_owned(), IllegalCharacter),
        ("<a>\u{FFFF}</a>".to_owned(), IllegalCharacter),
        ("<a>&#1;</a>".to_owned(), IllegalCharacter),
        ("<a b=\"&#x0;\"/>".to_owned(), IllegalCharacter),
        ("<a>&#xD800;</a>".to_owned(), IllegalCharacter),
        ("<a>&#x110000;</a>".to_owned(), IllegalCharacter),
        ("<a>&#99999999999999999999;</a>".to_owned(), IllegalCharacter),
        ("<a>&#;</a>".to_owned(), BadReference),
        ("<a>&#xg;</a>".to_owned(), BadReference),
        ("<a>&#+65;</a>".to_owned(), BadReference),
        ("<a>&;</a>".to_owned(), BadReference),
        ("<a>& </a>".to_owned(), BadReference),
        ("<a b=\"&amp\"/>".to_owned(), BadReference),
        ("<a b=\"<\"/>".to_owned(), LessThanInAttribute),
        ("<a xmlns:p=\"<\"/>".to_owned(), LessThanInAttribute),
        ("<a>]]></a>".to_owned(), CdataEndInText),
        ("<1a/>".to_owned(), BadName),
        ("<a:b:c xmlns:a=\"urn:a\"/>".to_owned(), BadName),
        ("<:a/>".to_owned(), BadName),
        ("<a 1b=\"\"/>".to_owned(), BadName),
        ("<a xmlns:1=\"urn:x\"/>".to_owned(), BadName),
        ("<>x</>".to_owned(), BadName),
        ("< a/>".to_owned(), BadName),
        ("<a b=\"1\"c=\"2\"/>".to_owned(), BadAttribute),
        ("<a b/>".to_owned(), BadAttribute),
        ("<a b=c/>".to_owned(), BadAttribute),
        ("<a b=\"1\" / >".to_owned(), BadAttribute),
        ("<p:a/>".to_owned(), UnboundPrefix),
        ("<a p:b=\"\"/>".to_owned(), UnboundPrefix),
        ("<a xmlns:p=\"urn:x\"><p:b xmlns:p=\"\"/></a>".to_owned(), UnboundPrefix),
        ("<a xmlns:xml=\"urn:x\"/>".to_owned(), ReservedPrefix),
        ("<a xmlns:xmlns=\"urn:x\"/>".to_owned(), ReservedPrefix),
        ("<a xmlns:p=\"http://www.w3.org/2000/xmlns&#47;\"><p:b/></a>".to_owned(), ReservedPrefix),
        ("<a xmlns:p=\"http://www.w3.org/XML/1998/&#110;amespace\"/>".to_owned(), ReservedPrefix),
        ("<xmlns:a/>".to_owned(), ReservedPrefix),
        ("<?pi x?><a/>".to_owned(), ProcessingInstruction),
        ("<a><?pi x?></a>".to_owned(), ProcessingInstruction),
        ("<?pi".to_owned(), ProcessingInstruction),
        (" <?xml version=\"1.0\"?><a/>".to_owned(), LateDeclaration),
        ("<a><?xml version=\"1.0\"?></a>".to_owned(), LateDeclaration),
        ("<?xml version=\"1.0\"?><?xml version=\"1.0\"?><a/>".to_owned(), LateDeclaration),
        ("<?xml version=\"1.1\"?><a/>".to_owned(), BadDeclaration),
        ("<?xml encoding=\"UTF-8\"?><a/>".to_owned(), BadDeclaration),
        ("<a></b>".to_owned(), MismatchedEnd),
        ("<a></a></a>".to_owned(), MismatchedEnd),
        ("<x xmlns:p=\"u\" xmlns:q=\"u\"><p:a></q:a></x>".to_owned(), MismatchedEnd),
        ("<a><!-- -- --></a>".to_owned(), BadComment),
        ("<a".to_owned(), BadMarkup),
        ("<a b=\"".to_owned(), BadMarkup),
        ("<a><![CDATA[</a>".to_owned(), BadMarkup),
        ("<a><!-- </a>".to_owned(), BadMarkup),
        ("<!x><a/>".to_owned(), BadMarkup),
    ];
    for (text, kind) in cases {
        assert_eq!(refusal(&text), kind, "{}", text.chars().take(80).collect::<String>());
    }
}

#[test]
fn limits_are_exact() {
    let deep = |n| "<a>".repeat(n) + &"</a>".repeat(n);
    assert!(read(&deep(64), &Limits::default()).is_ok());
    let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n - 1));
    assert!(read(&many(20_000), &Limits::default()).is_ok());
    assert_eq!(refusal(&many(20_001)), XmlErrorKind::TooManyElements);
    let wide = |n| format!("<a{}/>", (0..n).map(|i| format!(" b{i}='{i}'")).collect::<String>());
    assert_eq!(read(&wide(64), &Limits::default()).unwrap().attributes.len(), 64);
    assert_eq!(refusal(&wide(65)), XmlErrorKind::TooManyAttributes);
}

#[test]
fn an_error_tells_where() {
    let error = read("<a>\n  <b>ä&nbsp;</b>\n</a>", &Limits::default()).unwrap_err();
    assert_eq!((error.line, error.column), (2, 7));
    assert_eq!(error.to_string(), "not acceptable XML: an entity is unknown (line 2, column 7)");
}

#[test]
fn a_document_becomes_its_element() {
    let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><p:a xmlns:p='urn:&amp;p' xmlns='urn:d' \
                p:x=\"1&#10;2\t&lt;\" y = '3' xml:lang=\"en\">\n  <b>one<!-- c --> &amp;<![CDATA[ <two>]]>\r\n</b>\n  \
                <c xmlns=''> </c>\n</p:a >\n";
    let root = read(text, &Limits::default()).unwrap();
    assert!(root.is("urn:&p", "a"));
    assert_eq!(root.attribute("urn:&p", "x"), Some("1\n2 <"));
    assert_eq!(root.attribute("", "y"), Some("3"));
    assert_eq!(root.attribute(XML_NAMESPACE, "lang"), Some("en"));
    assert_eq!(root.attributes.len(), 3);
    assert_eq!(root.children.len(), 2);
    let b = root.child("urn:d", "b").unwrap();
    assert_eq!(b.verbatim_text(), "one & <two>\n");
    assert_eq!(b.text(), "one & <two>");
    assert_eq!(root.child("", "c").unwrap().verbatim_text(), " ");
}

#[test]
fn elements_of_one_place_are_given_away_as_they_are_read() {
    let text = "<a><many> <b><many><c/></many></b> <d>x</d></many><e/></a>";
    let (mut given, limits) = (Vec::new(), Limits::default());
    let is_inside: fn(&[Element]) -> bool = |open| matches!(open, [_, many] if many.name == "many");
    let rest = read_giving(text, &limits, Giving { is_inside, to: &mut |element| given.push(element) }).unwrap();
    assert_eq!(rest, read("<a><many/><e/></a>", &limits).unwrap());
    assert_eq!(given, [read("<b><many><c/></many></b>", &limits).unwrap(), read("<d>x</d>", &limits).unwrap()]);
    // They count as all others do.
    let few = Limits { elements: 6, ..limits };
    let refused = read_giving(text, &few, Giving { is_inside, to: &mut |_| {} }).unwrap_err();
    assert_eq!(refused.kind, XmlErrorKind::TooManyElements);
}

#[test]
fn white_space_alone_beside_elements_is_no_content_however_it_is_written() {
    for text in
        ["<a> <b/>&#x20;<c/>&#10;</a>", "<a><![CDATA[ ]]><b/><![CDATA[\t]]><c/> &#32;</a>", "<a>&#32;<b/><c/></a>"]
    {
        assert_eq!(read(text, &Limits::default()).unwrap().children.len(), 2, "{text}");
    }
    for (text, content) in
        [("<a>&#32;<![CDATA[\t]]> </a>", " \t "), ("<a><b/> &amp;</a>", " &"), ("<a> &amp;<b/></a>", " &")]
    {
        let root = read(text, &Limits::default()).unwrap();
        assert_eq!(root.children.iter().find_map(XMLNode::as_text), Some(content), "{text}");
    }
    assert!(read("<a><![CDATA[]]></a>", &Limits::default()).unwrap().children.is_empty());
}

#[test]
fn a_namespace_is_a_value_like_others() {
    let root = read("<a xmlns:p='urn:\n}&#125;b' p:x='1'><p:b/></a>", &Limits::default()).unwrap();
    assert_eq!(root.attribute("urn: }}b", "x"), Some("1"));
    assert!(root.elements().next().unwrap().is("urn: }}b", "b"));
    let mut w = Writer::new(1000);
    w.element(&root);
    assert_eq!(String::from_utf8(w.finish()).unwrap(), "<a xmlns:n0=\"urn: }}b\" n0:x=\"1\"><n0:b/></a>");
}

#[test]
fn the_writer_writes_what_it_is_told_and_nothing_else() {
    const SCOPE: Namespaces = &[("s", "urn:s")];
    let mut w = Writer::new(1000);
    w.start("s:a").namespaces(SCOPE).attribute("q", "\"<\t\r&>");
    w.empty("s:b").leaf("s:c", "x\u{1}y\r\n]]>z\u{FFFE}").start_in("s", "d").unsigned(0).signed(i64::MIN);
    w.unsigned(u64::MAX).end_in("s", "d");
    let foreign = element("urn:x", "e")
        .with_attribute("urn:y", "k", "v")
        .with_child(element("urn:s", "f").with_text("t"))
        .with_child(element("", "g"));
    w.element(&foreign).raw("<s:h/>").end("s:a");
    assert_eq!(
        String::from_utf8(w.finish()).unwrap(),
        "<s:a xmlns:s=\"urn:s\" q=\"&quot;&lt;&#9;&#13;&amp;&gt;\"><s:b/>\
         <s:c>x\u{FFFD}y&#13;\n]]&gt;z\u{FFFD}</s:c><s:d>0-922337203685477580818446744073709551615</s:d>\
         <n0:e xmlns:n0=\"urn:x\" xmlns:n1=\"urn:y\" n1:k=\"v\"><s:f>t</s:f><g/></n0:e><s:h/></s:a>"
    );
}

#[test]
fn pieces_make_the_document_that_one_buffer_would_have_held() {
    let item = "x".repeat(900);
    let (mut w, mut expected) = (Writer::new(usize::MAX), String::from("<s:a>"));
    w.start("s:a").close_start();
    let first = w.checkpoint();
    let mut middle = first;
    for number in 0..100 {
        let before = w.checkpoint();
        w.leaf("s:i", &item);
        // Every tenth is taken back and written anew.
        if number % 10 == 9 {
            w.rollback(before);
            w.leaf("s:i", &item);
        }
        if number == 50 {
            middle = w.checkpoint();
        }
    }
    // So much that whole pieces go.
    w.rollback(middle);
    (0..20).for_each(|_| {
        w.leaf("s:i", &item);
    });
    (0..71).for_each(|_| expected.push_str(&format!("<s:i>{item}</s:i>")));
    expected.push_str("</s:a>");
    w.insert(first, |w| {
        w.leaf("s:context", "1").empty("s:e");
    });
    expected.insert_str("<s:a>".len(), "<s:context>1</s:context><s:e/>");
    assert_eq!(w.len() + "</s:a>".len(), expected.len());
    w.end("s:a");
    let written = w.finish_in_pieces();
    assert_eq!(written.len(), expected.len());
    let pieces: Vec<Vec<u8>> = written.clone().into_pieces().collect();
    assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= 40_000), "{}", pieces.len());
    assert_eq!(String::from_utf8(written.join()).unwrap(), expected);
}

#[test]
fn elements_are_put_in_behind_full_pieces_too() {
    let item = "y".repeat(40_000);
    let mut w = Writer::new(usize::MAX);
    w.start("s:a").leaf("s:i", &item).leaf("s:i", &item);
    let at = w.checkpoint();
    w.leaf("s:i", "z").insert(at, |w| {
        w.empty("s:here");
    });
    w.end("s:a");
    let expected = format!("<s:a><s:i>{item}</s:i><s:i>{item}</s:i><s:here/><s:i>z</s:i></s:a>");
    assert_eq!(String::from_utf8(w.finish()).unwrap(), expected);
}

#[test]
fn a_page_stops_at_the_last_item_that_fits() {
    let mut w = Writer::new(60);
    w.start("items");
    w.close_start();
    let head = w.checkpoint();
    w.reserve("<context>7</context></items>".len());
    let mut count = 0;
    loop {
        let before = w.checkpoint();
        w.leaf("i", "12");
        if w.is_over() {
            w.rollback(before);
            break;
        }
        count += 1;
    }
    w.reserve(0);
    w.insert(head, |w| {
        w.leaf("context", "7");
    });
    w.end("items");
    assert_eq!(count, 2);
    let text = String::from_utf8(w.finish()).unwrap();
    assert_eq!(text, "<items><context>7</context><i>12</i><i>12</i></items>");
    assert!(text.len() <= 60);
}

fn names() -> impl Strategy<Value = String> {
    "[a-zA-Z_ä][a-zA-Z0-9_.ä-]{0,8}"
}

fn trees() -> impl Strategy<Value = Element> {
    let namespaces = prop_oneof![Just(""), Just("urn:a"), Just("urn:b&\""), Just("{}urn:}")];
    let attributes = prop::collection::vec((namespaces.clone(), names(), "\\PC{0,12}|[ \t\r\n&<>\"']{1,5}"), 0..3);
    let leaf = (namespaces, names(), attributes, "\\PC{0,20}|[ \t\r\n&<>\"'\\]]{1,8}").prop_map(
        |(ns, name, attributes, text)| {
            let mut e = element(ns, &name);
            for (ns, name, value) in attributes {
                e = e.with_attribute(ns, &name, value);
            }
            e.with_text(text)
        },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(mut parent, children)| {
            parent.children = children.into_iter().map(XMLNode::Element).collect();
            parent
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(tree in trees()) {
        let mut w = Writer::new(usize::MAX);
        w.element(&tree);
        let text = String::from_utf8(w.finish()).unwrap();
        prop_assert_eq!(read(&text, &Limits::default()), Ok(tree));
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in "[<>/?!\\[\\]a:&;='\" x#-]{0,60}|\\PC{0,40}") {
        if let Ok(element) = read(&text, &Limits::default()) {
            let mut w = Writer::new(usize::MAX);
            w.element(&element);
            let again = read(&String::from_utf8(w.finish()).unwrap(), &Limits::default());
            prop_assert_eq!(again, Ok(element));
        }
    }
}
