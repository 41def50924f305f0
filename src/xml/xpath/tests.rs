//! Expressions read, refused and written again, and what other tests of expressions share.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Element, ElementExt, Limits, XMLNode, element, read};
use super::*;

pub(super) fn document(text: &str) -> Element {
    read(text, &Limits::default()).unwrap()
}

pub(super) fn xpath(text: &str) -> XPath {
    XPath::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> (usize, String) {
    let error = XPath::parse(text).expect_err(&shortened(text));
    (error.position, error.message)
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[test]
fn what_is_not_supported_is_refused_with_a_sentence() {
    for (text, position, part) in [
        ("", 1, "an element's name is expected here, not the end of the expression"),
        ("//a", 1, "a search with // is not supported"),
        ("a//b", 2, "a search with // is not supported"),
        ("*", 1, "write the name"),
        ("a/@*", 4, "write the name"),
        ("a|b", 2, "unions with | are not supported"),
        ("child::a", 6, "axes are not supported"),
        ("a[$x='1']", 3, "variables are not supported"),
        ("a[b + 1 = 2]", 5, "arithmetic is not supported"),
        ("a[b - 1 = 2]", 5, "arithmetic is not supported"),
        ("a[b div 2 = 1]", 5, "an operator or ] is expected here, not div"),
        ("a[last()]", 3, "last() is not supported"),
        ("a[position() = 1]", 3, "position() is not supported"),
        ("a[contains(b, 'c')]", 3, "contains() is not supported"),
        ("a[not(starts-with(b,'c'))]", 7, "starts-with() is not supported"),
        ("a[b, c]", 4, "an operator or ] is expected here, not ,"),
        ("not(a)", 1, "not() stands around a whole condition"),
        ("a[b=not(c)]", 5, "not() stands around a whole condition"),
        ("count(a)", 1, "count() is not supported"),
        ("a/node()", 3, "node() is not supported"),
        ("/count(a)", 2, "count() is not supported"),
        ("..", 3, "/ and the root element's name are expected here"),
        ("../", 4, "the root element's name is expected here"),
        ("../..", 4, "the root element's name is expected here, not .."),
        ("a/../b", 3, "an element's name is expected here, not .."),
        ("a/./b", 3, "an element's name is expected here, not ."),
        ("a/", 3, "an element's name is expected here"),
        ("./", 3, "an element's name is expected here"),
        ("/@x", 2, "the root element's name is expected here, not @"),
        ("/text()", 8, "text() stands behind an element"),
        ("a/text()/b", 9, "nothing follows text() or an attribute"),
        ("a/@x/text()", 5, "nothing follows text() or an attribute"),
        ("a/text()[1]", 9, "nothing follows text() or an attribute"),
        ("a/text(1)", 8, "nothing in text(), but its ) is expected here, not the number 1"),
        ("a[0]", 3, "an index is a whole number from 1 to 4294967295"),
        ("a[-1]", 3, "an index is a whole number"),
        ("a[1.5]", 3, "an index is a whole number"),
        ("a[4294967296]", 3, "an index is a whole number"),
        ("a['b']", 3, "compare this value"),
        ("a[b and 1]", 9, "compare this value"),
        ("a[b=]", 5, "a path, a string or a number is expected here, not ]"),
        ("a[]", 3, "a path, a string or a number is expected here, not ]"),
        ("a[b", 4, "an operator or ] is expected here, not the end"),
        ("a[(b]", 5, "an operator or ) is expected here, not ]"),
        ("a[b=c=d]", 6, "an operator or ] is expected here, not ="),
        ("a[../b='1']", 3, "lead down from the element"),
        ("a[/b='1']", 3, "lead down from the element"),
        ("a[b='1\"]", 5, "this string does not end with '"),
        ("a='b'", 2, "a condition stands in brackets"),
        ("a and b", 3, "a condition stands in brackets"),
        ("a b", 3, "the end of the expression is expected here, not b"),
        ("a]", 2, "the end of the expression is expected here, not ]"),
        (".[a]", 2, "the end of the expression is expected here, not ["),
        ("p:", 1, "a name follows the prefix p"),
        ("p:*", 1, "a name follows the prefix p"),
        ("a/ä#", 4, "'#' means nothing in a path"),
        ("1", 1, "an element's name is expected here, not the number 1"),
    ] {
        let (at, message) = refusal(text);
        assert!(message.contains(part), "{text}: {message}");
        assert_eq!(at, position, "{text}: {message}");
    }
    assert_eq!(
        XPath::parse("a[0]").unwrap_err().to_string(),
        "an index is a whole number from 1 to 4294967295 (character 3)"
    );
}

#[test]
fn limits_are_exact_and_hostile_text_is_refused() {
    let long = |n: usize| format!("a[.='{}']", "x".repeat(n - 7));
    assert!(XPath::parse(&long(MAX_LENGTH)).is_ok());
    assert!(refusal(&long(MAX_LENGTH + 1)).1.contains("at most 2048 octets"));
    let steps = |n: usize| vec!["a"; n].join("/");
    assert!(XPath::parse(&steps(MAX_STEPS)).is_ok());
    assert!(XPath::parse(&(steps(MAX_STEPS) + "/text()")).is_ok());
    assert!(refusal(&steps(MAX_STEPS + 1)).1.contains("at most 32 steps"));
    for (open, close, level) in [("(", ")", 1), ("not(", ")", 1), ("b[", "]", 1), ("b[not(", ")]", 2)] {
        let nested = |n: usize| format!("a[{}b{}]", open.repeat(n), close.repeat(n));
        let most = (MAX_NESTING - 1) / level;
        assert!(XPath::parse(&nested(most)).is_ok(), "{open}");
        assert!(refusal(&nested(most + 1)).1.contains("nest at most 16 deep"), "{open}");
    }
    for hostile in ["[", "(", "a[", "a[(", "a[not(", "/", "../", "./", "@", "'", "\"", "-", ".", "9", "a[9", ":", "a:"]
    {
        for text in [hostile.repeat(MAX_LENGTH / hostile.len()), format!("a[{}", hostile.repeat(500))] {
            assert!(XPath::parse(&text).is_err(), "{}", shortened(&text));
        }
    }
    assert!(refusal(&format!("a[.={}]", "9".repeat(400))).1.contains("too large"));
    assert!(XPath::parse(&format!("a[.={}.{}]", "9".repeat(300), "9".repeat(300))).is_ok());
    assert!(xpath(&format!("/a[.!=0 and .!=.{}]", "0".repeat(400))).matches(&document("<a>1</a>")));
}

#[test]
fn an_expression_is_written_in_one_way() {
    for (text, expected) in [
        ("../a", "/a"),
        (" / ", "/"),
        ("./p:a/p:b", "a/b"),
        (".", "."),
        ("./text()", "text()"),
        ("./@x:y", "@y"),
        ("a [ 2 ] / @x", "a[2]/@x"),
        ("a[((b))]", "a[b]"),
        ("a[b = 'c' and (d!=.50 or not( @e<\"'\" ))]", "a[b=\"c\" and (d!=0.5 or not(@e<\"'\"))]"),
        ("a[(b and c) or d]", "a[b and c or d]"),
        ("a[b and (c or d)]", "a[b and (c or d)]"),
        ("a[.='\"']", "a[.='\"']"),
    ] {
        assert_eq!(xpath(text).to_string(), expected, "{text}");
    }
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]", 1 => "and|or|not|text|div", 1 => "[a-zA-Z_ä][a-zA-Z0-9_.ä-]{0,6}"]
}

fn paths(steps: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Path> {
    let ends = prop_oneof![3 => Just(End::Element), 1 => Just(End::Text), 1 => names().prop_map(End::Attribute)];
    (steps, ends).prop_map(|(steps, end)| Path { steps, end })
}

fn steps(conditions: impl Strategy<Value = Condition>) -> impl Strategy<Value = Vec<Step>> {
    let predicate = prop_oneof![(1..5u32).prop_map(Predicate::Index), conditions.prop_map(Predicate::Condition)];
    let step = (names(), vec(predicate, 0..2)).prop_map(|(name, predicates)| Step { name, predicates });
    vec(step, 0..3)
}

fn plain_steps() -> impl Strategy<Value = Vec<Step>> {
    let index = vec((1..=u32::MAX).prop_map(Predicate::Index), 0..2);
    vec((names(), index).prop_map(|(name, predicates)| Step { name, predicates }), 0..3)
}

fn operands() -> impl Strategy<Value = Operand> {
    let numbers = prop_oneof![
        (-20i8..20).prop_map(f64::from),
        (-1e6..1e6f64),
        any::<f64>().prop_filter("finite", |n| n.is_finite() && n.abs() < 1e15)
    ];
    let text = prop_oneof!["[0-9]{1,2}", "[^\"\\pC]{0,8}", "[^'\\pC]{0,8}"];
    prop_oneof![
        paths(plain_steps()).prop_map(Operand::Path),
        text.prop_map(Operand::Text),
        numbers.prop_map(Operand::Number)
    ]
}

fn comparisons() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

pub(super) fn conditions() -> impl Strategy<Value = Condition> {
    let compare = (operands(), comparisons(), operands());
    let leaf = prop_oneof![
        compare.prop_map(|(left, comparison, right)| Condition::Compare { left, comparison, right }),
        paths(plain_steps()).prop_map(Condition::Exists),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.clone().prop_map(|one| Condition::Not(Box::new(one))),
            paths(steps(inner)).prop_map(Condition::Exists),
        ]
    })
}

pub(super) fn expressions() -> impl Strategy<Value = XPath> {
    let anchors = prop_oneof![Just(Anchor::Document), Just(Anchor::Root)];
    (anchors, paths(steps(conditions()))).prop_map(|(anchor, path)| {
        // Above the root there are neither texts nor attributes.
        let anchor = if path.steps.is_empty() && path.end != End::Element { Anchor::Root } else { anchor };
        XPath { anchor, path }
    })
}

pub(super) fn documents() -> impl Strategy<Value = Element> {
    let text = prop_oneof![Just(String::new()), "[ ]?[0-9]{1,2}", "[a-d ]{1,4}", "\\PC{1,8}"];
    let leaf = ("[a-d]", vec(("[a-d]", "[0-9]{1,2}"), 0..2), text).prop_map(|(name, attributes, text)| {
        let start = element("urn:d", &name);
        let mut e = attributes.into_iter().fold(start, |e, (name, value)| e.with_attribute("", &name, value));
        if !text.is_empty() {
            e.children.push(XMLNode::Text(text));
        }
        e
    });
    leaf.prop_recursive(4, 40, 5, |inner| {
        (inner.clone(), vec(inner, 1..5)).prop_map(|(mut parent, children)| {
            parent.children.extend(children.into_iter().map(XMLNode::Element));
            parent
        })
    })
}

#[test]
fn writing_adds_no_nesting() {
    let deep = |inner: &str| format!("a{}[{inner}]{}", "[b".repeat(MAX_NESTING - 1), "]".repeat(MAX_NESTING - 1));
    for inner in ["c or d and e", "c and d or e and f"] {
        let expression = xpath(&deep(inner));
        assert_eq!(XPath::parse(&expression.to_string()), Ok(expression));
    }
}

proptest! {
    #[test]
    fn what_is_written_parses_to_the_same(expression in expressions()) {
        let text = expression.to_string();
        prop_assume!(text.len() <= MAX_LENGTH);
        prop_assert_eq!(XPath::parse(&text), Ok(expression));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-c/.@\\[\\]()=!<>'\" 0-9-]{0,40}|(a|b|/|\\[|\\]|=|'1'|\\.| and | or |not\\(|\\)|text\\(\\)|2){0,16}|\\PC{0,30}") {
        match XPath::parse(&text) {
            Ok(expression) => prop_assert_eq!(XPath::parse(&expression.to_string()), Ok(expression)),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.position)),
        }
    }
}
