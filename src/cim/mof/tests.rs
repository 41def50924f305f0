use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{DateTime, Interval};
use super::*;

fn one(text: &str) -> ClassDeclaration {
    let mut classes = parse("t.mof", text).unwrap();
    assert_eq!(classes.len(), 1);
    classes.remove(0)
}

fn error(text: &str) -> String {
    parse("t.mof", text).unwrap_err().to_string()
}

fn default_of(declaration: &str) -> Value {
    one(&format!("class A {{ {declaration}; }};")).properties[0].default.clone().unwrap()
}

#[test]
fn a_class_with_everything_is_read() {
    let class = one(r#"
        // a comment
        #pragma locale ("en_US")
        #pragma include ("other.mof")
        Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride, ToSubclass);
        [Association : DisableOverride ToSubclass, Version ( "1.0" ), Description("one " "two"
            " three")]
        class CIM_A : CIM_B /* here ** too */ {
            [key, Max(1)] CIM_C REF Left;
            uint8 Numbers[4] = { 1, 0x0A, 101b, 017, NULL };
            [EmbeddedInstance("CIM_D")] string Inner;
            [EmbeddedObject] STRING Any[];
            [Static] uint32 Do([in(false), OUT] CIM_C Ref Job, [Required] boolean Now, string Texts[]);
            uint32 Nothing();
        };
    "#);
    assert_eq!((&*class.name, class.superclass.as_deref()), ("CIM_A", Some("CIM_B")));
    assert_eq!(class.qualifiers.get("DESCRIPTION"), Some(&Value::from("one two three")));
    assert!(class.qualifiers.is_set("association"));
    let [left, numbers, inner, any] = &class.properties[..] else { panic!("{class:?}") };
    assert_eq!((left.shape.cim_type, left.shape.class.as_deref()), (CimType::Reference, Some("CIM_C")));
    assert_eq!(left.qualifiers.get("Max"), Some(&Value::Uint64(1)));
    let expected = [Value::Uint8(1), Value::Uint8(10), Value::Uint8(5), Value::Uint8(15), Value::Null];
    assert_eq!(numbers.default, Some(Value::Array(expected.into())));
    assert_eq!((inner.shape.cim_type, inner.shape.class.as_deref()), (CimType::Instance, Some("CIM_D")));
    assert_eq!((any.shape.cim_type, any.shape.array, &any.shape.class), (CimType::Instance, true, &None));
    assert_eq!(class.methods[0].parameters.len(), 3);
    assert_eq!((class.at.line, class.at.column), (8, 15));
}

#[test]
fn literals_take_every_form_of_dsp0004() {
    for (text, value) in [
        ("sint8 A = -0x80", Value::Sint8(-128)),
        ("uint64 A = +18446744073709551615", Value::Uint64(u64::MAX)),
        ("sint16 A = -11b", Value::Sint16(-3)),
        ("uint8 A = 0", Value::Uint8(0)),
        ("real32 A = .5", Value::Real32(0.5)),
        ("real64 A = -1.5E-3", Value::Real64(-0.0015)),
        ("real64 A = 2", Value::Real64(2.0)),
        ("boolean A = TRUE", Value::Boolean(true)),
        ("char16 A = '\\x41'", Value::Char16(0x41)),
        ("char16 A = '\\''", Value::Char16(0x27)),
        ("string A = \"\\x48\\x0065\\\"\\\\\\n\\xD83D\\xDE00\"", Value::from("He\"\\\n😀")),
        ("string A = null", Value::Null),
        ("string A[] = { }", Value::Array([].into())),
    ] {
        assert_eq!(default_of(text), value, "{text}");
    }
}

#[test]
fn errors_tell_file_line_and_column() {
    for (text, message) in [
        ("class", "t.mof:1:6: expected the class's name, found the end of the file"),
        ("class A {\n  uint9 X;\n};", "t.mof:2:3: uint9 is not a type; a reference is written uint9 REF"),
        ("class A {\n  uint8 X = 256;\n};", "t.mof:2:13: 256 is not in the range of uint8"),
        ("class A { real32 X = 1.0e39; };", "t.mof:1:22: 1e39 is not in the range of real32"),
        ("class A { uint8 X = 089; };", "t.mof:1:21: \"089\" is not a number"),
        ("class A { uint8 X; uint8 x; };", "t.mof:1:26: x is declared twice in this class"),
        ("class A { uint8 X(uint8 P, string p); };", "t.mof:1:35: p is declared twice in this method"),
        ("[Key, key] class A {};", "t.mof:1:7: qualifier key is given twice"),
        ("class A { uint8 X[] = 1; };", "t.mof:1:23: an array's value stands between { and }"),
        ("class A { uint8 X = { 1 }; };", "t.mof:1:21: this property is no array"),
        ("class A { string X = 'a'; };", "t.mof:1:22: this is not a string"),
        (
            "class A { string X = \"\\q\"; };",
            "t.mof:1:25: a backslash is followed by b t n f r \" ' \\ or x and hexadecimal digits",
        ),
        ("class A { string X = \"\\xD800\"; };", "t.mof:1:29: half a surrogate pair is no character"),
        ("class A { string X = \"a\n\"; };", "t.mof:1:24: a string ends with \" on the line it starts on"),
        ("class A { [EmbeddedObject] uint8 X; };", "t.mof:1:34: only a string can hold an embedded instance"),
        ("class A {}", "t.mof:1:11: expected \";\", found the end of the file"),
        ("class é /* x", "t.mof:1:9: this comment does not end"),
        ("instance of A { };", "t.mof:1:1: instances are not read here; only classes are"),
        ("class A as $B {};", "t.mof:1:9: expected \"{\", found \"as\""),
        ("class A { B REF f(); };", "t.mof:1:17: a method does not return a reference"),
        ("[Q { { } }] class A {};", "t.mof:1:6: expected a value, found \"{\""),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_a_crash() {
    for sign in ["{", "[", "(", "[Q(", "[Q{"] {
        assert!(parse("t.mof", &sign.repeat(200_000)).is_err());
    }
}

fn name() -> impl Strategy<Value = Arc<str>> {
    "[A-Z][A-Za-z0-9]{0,5}_?[a-zé]{0,4}".prop_map(Arc::from)
}

fn scalar(cim_type: CimType) -> BoxedStrategy<Value> {
    match cim_type {
        CimType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        CimType::String => any::<String>().prop_map(Value::from).boxed(),
        CimType::Char16 => any::<u16>().prop_map(Value::Char16).boxed(),
        CimType::Uint8 => any::<u8>().prop_map(Value::from).boxed(),
        CimType::Uint16 => any::<u16>().prop_map(Value::from).boxed(),
        CimType::Uint32 => any::<u32>().prop_map(Value::from).boxed(),
        CimType::Uint64 => any::<u64>().prop_map(Value::from).boxed(),
        CimType::Sint8 => any::<i8>().prop_map(Value::from).boxed(),
        CimType::Sint16 => any::<i16>().prop_map(Value::from).boxed(),
        CimType::Sint32 => any::<i32>().prop_map(Value::from).boxed(),
        CimType::Sint64 => any::<i64>().prop_map(Value::from).boxed(),
        CimType::Real32 => proptest::num::f32::NORMAL.prop_map(Value::from).boxed(),
        CimType::Real64 => proptest::num::f64::NORMAL.prop_map(Value::from).boxed(),
        CimType::Datetime => prop_oneof![
            any::<u64>().prop_map(|us| DateTime::Interval(Interval::from_microseconds(us))),
            (0i64..253_402_000_000_000_000, -999i32..=999).prop_map(|(us, minutes)| {
                let zone = chrono::FixedOffset::east_opt(60 * minutes).unwrap();
                DateTime::Timestamp(chrono::DateTime::from_timestamp_micros(us).unwrap().with_timezone(&zone))
            }),
        ]
        .prop_map(Value::from)
        .boxed(),
        CimType::Reference | CimType::Instance => Just(Value::Null).boxed(),
    }
}

fn value(cim_type: CimType, array: bool) -> BoxedStrategy<Value> {
    if array {
        let member = prop_oneof![1 => Just(Value::Null), 4 => scalar(cim_type)];
        vec(member, 0..4).prop_map(|items| Value::Array(items.into())).boxed()
    } else {
        scalar(cim_type)
    }
}

/// Qualifiers whose types the parser cannot mistake, plus those the shape needs.
fn qualifiers(shape: &Shape) -> impl Strategy<Value = Qualifiers> + use<> {
    let embedded: Option<(Arc<str>, Value)> = (shape.cim_type == CimType::Instance).then(|| match &shape.class {
        Some(class) => ("EmbeddedInstance".into(), Value::String(class.clone())),
        None => ("EmbeddedObject".into(), Value::Boolean(true)),
    });
    let types = prop_oneof![
        Just(CimType::Boolean),
        Just(CimType::String),
        Just(CimType::Uint64),
        Just(CimType::Char16),
        Just(CimType::Real64)
    ];
    let one = (types, any::<bool>()).prop_flat_map(|(t, array)| value(t, array));
    vec(one, 0..3).prop_map(move |values| {
        let numbered = values.into_iter().enumerate().map(|(i, v)| (Arc::from(format!("Q{i}")), v));
        Qualifiers(embedded.clone().into_iter().chain(numbered).collect())
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let types = prop::sample::select(vec![
        CimType::Boolean,
        CimType::String,
        CimType::Char16,
        CimType::Uint8,
        CimType::Uint16,
        CimType::Uint32,
        CimType::Uint64,
        CimType::Sint8,
        CimType::Sint16,
        CimType::Sint32,
        CimType::Sint64,
        CimType::Real32,
        CimType::Real64,
        CimType::Datetime,
        CimType::Reference,
        CimType::Instance,
    ]);
    (types, any::<bool>(), prop::option::of(name())).prop_map(|(cim_type, array, class)| {
        let class = match cim_type {
            CimType::Reference => Some(class.unwrap_or_else(|| "Other".into())),
            CimType::Instance => class,
            _ => None,
        };
        Shape { cim_type, array, class, octets: false }
    })
}

fn nowhere() -> Position {
    Position { file: "".into(), line: 0, column: 0 }
}

fn property(index: usize) -> impl Strategy<Value = PropertyDeclaration> {
    (name(), shape()).prop_flat_map(move |(name, shape)| {
        let valued = !matches!(shape.cim_type, CimType::Reference | CimType::Instance);
        let default =
            if valued { prop::option::of(value(shape.cim_type, shape.array)).boxed() } else { Just(None).boxed() };
        (default, qualifiers(&shape)).prop_map(move |(default, qualifiers)| PropertyDeclaration {
            name: format!("{name}{index}").into(),
            shape: shape.clone(),
            default,
            qualifiers,
            at: nowhere(),
        })
    })
}

fn parameter(index: usize) -> impl Strategy<Value = ParameterDeclaration> {
    property(index).prop_map(|p| ParameterDeclaration {
        name: p.name,
        shape: p.shape,
        qualifiers: p.qualifiers,
        at: p.at,
    })
}

fn class() -> impl Strategy<Value = ClassDeclaration> {
    let plain = Shape::scalar(CimType::String);
    let properties = (property(0), property(1), property(2)).prop_map(|(a, b, c)| vec![a, b, c]);
    let parameters = (parameter(0), parameter(1)).prop_map(|(a, b)| vec![a, b]);
    (name(), prop::option::of(name()), qualifiers(&plain), properties, parameters, qualifiers(&plain)).prop_map(
        |(name, superclass, qualifiers, properties, parameters, of_method)| {
            let method = MethodDeclaration {
                name: "Do".into(),
                returns: CimType::Uint32,
                parameters,
                qualifiers: of_method,
                at: nowhere(),
            };
            ClassDeclaration { name, superclass, qualifiers, properties, methods: vec![method], at: nowhere() }
        },
    )
}

/// The same declaration without the places it was read from.
fn placeless(mut class: ClassDeclaration) -> ClassDeclaration {
    class.at = nowhere();
    class.properties.iter_mut().for_each(|p| p.at = nowhere());
    for method in &mut class.methods {
        method.at = nowhere();
        method.parameters.iter_mut().for_each(|p| p.at = nowhere());
    }
    class
}

proptest! {
    #[test]
    fn a_printed_class_reads_back_as_the_same_class(class in class()) {
        let text = class.to_string();
        let read = parse("t.mof", &text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(read.into_iter().map(placeless).collect::<Vec<_>>(), vec![class], "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\](){}:;,=#'\"\\\\a-zA-Z0-9 .+*/$\n-]{0,80}") {
        let _ = parse("t.mof", &text);
        let _ = parse("t.mof", &format!("class A {{ {text} }};"));
    }
}
