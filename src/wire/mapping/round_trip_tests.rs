//! Instances of every shape: written and read, they are the same.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::cim::{CimType, Class, DateTime, Instance, Interval, ObjectPath, Schema, Shape, Value};
use crate::wire::UriForm;
use crate::wire::names::REQUEST_PREFIXES;
use crate::xml::{Element, ElementExt, Limits, Writer, read};

/// The types that have names; references and embedded instances are in the class below.
const NAMED: [&str; 14] = [
    "boolean", "string", "char16", "uint8", "uint16", "uint32", "uint64", "sint8", "sint16", "sint32", "sint64",
    "real32", "real64", "datetime",
];

const OTHERS: &str = r#"
class CIM_Key { [Key] string Name; };
class LMI_Keys { [Key] string Name; [Key] uint64 Number; [Key] sint8 Sign; [Key] boolean Truth; [Key] datetime When; };
[Association] class VMware_Link { [Key] CIM_Key REF Left; [Key] LMI_Keys REF Right; };
class PG_Chain { [Key] VMware_Link REF Link; [Key] uint16 Place; };
class LMI_All : CIM_Key {
    CIM_Key REF Key; LMI_Keys REF Keys[]; PG_Chain REF Chain;
    [EmbeddedInstance("CIM_Key")] string Inner; [EmbeddedObject] string Any; [EmbeddedObject] string Some[];
"#;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let named: String = NAMED.iter().map(|t| format!("    {t} One_{t}; {t} Many_{t}[];\n")).collect();
    Schema::from_mof([("test.mof", format!("{OTHERS}{named}}};"))].into_iter()).unwrap()
});
static NAMESPACE: LazyLock<Arc<str>> = LazyLock::new(|| "root/cimv2".into());

fn class(name: &str) -> Arc<Class> {
    SCHEMA.class(name).unwrap().clone()
}

fn element(inner: &str) -> Element {
    let declared: String = REQUEST_PREFIXES.iter().map(|(p, uri)| format!(" xmlns:{p}='{uri}'")).collect();
    let root = read(&format!("<x{declared}>{inner}</x>"), &Limits::default()).unwrap();
    root.elements().next().unwrap().clone()
}

/// What XML cannot hold is replaced on the way out and cannot come back.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[ -~ä€𝄞\t\r\n]{0,12}"]
}

fn datetime() -> impl Strategy<Value = Value> {
    let interval = any::<u64>().prop_map(|us| DateTime::Interval(Interval::from_microseconds(us)));
    // xs:dateTime has offsets up to 14 hours; what is further away goes out as UTC.
    let timestamp = (-62_135_000_000_000_000i64..253_402_000_000_000_000, -840i32..=840).prop_map(|(us, minutes)| {
        let zone = chrono::FixedOffset::east_opt(60 * minutes).unwrap();
        DateTime::Timestamp(chrono::DateTime::from_timestamp_micros(us).unwrap().with_timezone(&zone))
    });
    prop_oneof![interval, timestamp].prop_map(Value::from)
}

/// The path of an instance of a class, with references among its keys where the class has them.
fn path(class: Arc<Class>) -> BoxedStrategy<Value> {
    let keys: Vec<_> = class.keys().map(|key| value_of(&key.shape, 0).prop_map(trimmed).boxed()).collect();
    (keys, "root/[a-z]{1,8}")
        .prop_map(move |(values, namespace)| {
            let keys = class.keys().map(|key| key.name.clone()).zip(values).collect();
            Value::from(ObjectPath::new(namespace, class.name().clone(), keys))
        })
        .boxed()
}

/// White space around a selector's text does not count.
fn trimmed(value: Value) -> Value {
    match &value {
        Value::String(text) => Value::from(text.trim()),
        _ => value,
    }
}

fn value_of(shape: &Shape, depth: u32) -> BoxedStrategy<Value> {
    match shape.cim_type {
        CimType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        CimType::String => text().prop_map(Value::from).boxed(),
        CimType::Char16 => {
            let character = prop_oneof!["[ -~\t\r\nä€]", "[\u{E000}-\u{FFFD}]"];
            character.prop_map(|c| Value::Char16(c.encode_utf16().next().unwrap())).boxed()
        }
        CimType::Uint8 => any::<u8>().prop_map(Value::from).boxed(),
        CimType::Uint16 => any::<u16>().prop_map(Value::from).boxed(),
        CimType::Uint32 => any::<u32>().prop_map(Value::from).boxed(),
        CimType::Uint64 => any::<u64>().prop_map(Value::from).boxed(),
        CimType::Sint8 => any::<i8>().prop_map(Value::from).boxed(),
        CimType::Sint16 => any::<i16>().prop_map(Value::from).boxed(),
        CimType::Sint32 => any::<i32>().prop_map(Value::from).boxed(),
        CimType::Sint64 => any::<i64>().prop_map(Value::from).boxed(),
        CimType::Real32 => any::<f32>().prop_map(Value::from).boxed(),
        CimType::Real64 => any::<f64>().prop_map(Value::from).boxed(),
        CimType::Datetime => datetime().boxed(),
        CimType::Reference => path(class(shape.class.as_deref().unwrap())),
        CimType::Instance if depth == 0 => Just(Value::Null).boxed(),
        CimType::Instance => {
            let plain = instance(class("CIM_Key"), 0).prop_map(Value::from);
            let deep = instance(class("LMI_All"), depth - 1).prop_map(Value::from);
            prop_oneof![plain, deep].boxed()
        }
    }
}

fn instance(class: Arc<Class>, depth: u32) -> BoxedStrategy<Instance> {
    let of = |shape: &Shape| {
        let one = value_of(shape, depth);
        if !shape.array {
            return prop_oneof![1 => Just(Value::Null), 3 => one].boxed();
        }
        let member = prop_oneof![1 => Just(Value::Null), 4 => one];
        // An array without elements is written as nothing, one NULL alone as the whole array's NULL.
        let told = |items: &Vec<Value>| items.iter().any(|item| !item.is_null()) || items.len() > 1;
        let array = prop::collection::vec(member, 1..4).prop_filter("it can be told from NULL", told);
        prop_oneof![1 => Just(Value::Null), 3 => array.prop_map(|items| Value::Array(items.into()))].boxed()
    };
    let values: Vec<_> = class.properties().iter().map(|property| of(&property.shape)).collect();
    values
        .prop_map(move |values| {
            let mut instance = Instance::new(class.clone());
            for (index, value) in values.into_iter().enumerate() {
                instance.set_at(index, value).unwrap();
            }
            instance
        })
        .boxed()
}

fn forms() -> impl Strategy<Value = UriForm> {
    prop_oneof![Just(UriForm::Vendor), Just(UriForm::Dmtf), Just(UriForm::Wmi { namespace: NAMESPACE.clone() }),]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_value_survives_the_way_out_and_in(
        instance in instance(class("LMI_All"), 2),
        form in forms(),
        exclude_nil: bool,
        precise_arrays: bool,
        show_extensions: bool,
    ) {
        let style = Style { form: &form, exclude_nil, precise_arrays, show_extensions, ..Style::default() };
        let mut w = Writer::new(usize::MAX);
        write_instance(&mut w, &instance, &style);
        let text = String::from_utf8(w.finish()).unwrap();
        let mapping = Mapping { schema: &SCHEMA, namespace: &NAMESPACE, precise_arrays };
        let given = mapping.instance(&element(&text), instance.class()).unwrap();
        // NaN is not equal to itself; its text is.
        prop_assert_eq!(format!("{:?}", given.instance), format!("{:?}", instance), "{}", text);
        prop_assert!(exclude_nil || given.given.iter().all(|g| *g));
    }
}
