//! Instances, paths and values into XML. This is where most octets of all replies come from.

use super::octets::write_octets;
use super::tags::{PREFIX, tags};
use crate::cim::{DateTime, Instance, ObjectPath, Shape, Value};
use crate::wire::UriForm;
use crate::wire::names::{ANONYMOUS, CIM_NAMESPACE_SELECTOR, MS_WSMAN};
use crate::xml::Writer;

/// How CIM objects are written for one client.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// How the client names classes.
    pub form: &'a UriForm,
    /// The address in endpoint references.
    pub address: &'a str,
    /// Whether NULL properties are left out (option `ExcludeNilProperties`).
    pub exclude_nil: bool,
    /// Whether keys and versions of classes are marked (option `ShowExtensions`).
    pub show_extensions: bool,
    /// Whether an array that is NULL is marked as one (option `UsePreciseArrays`).
    pub precise_arrays: bool,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self {
            form: &UriForm::Vendor,
            address: ANONYMOUS,
            exclude_nil: false,
            show_extensions: false,
            precise_arrays: false,
        }
    }
}

/// The prefix that an instance inside another declares, where its holder has [`PREFIX`].
const INNER_PREFIX: &str = "p1";

/// Writes an instance as the element of its class. `xsi`, `cim`, `wsa` and `wsman` must be declared.
pub fn write_instance(w: &mut Writer, instance: &Instance, style: &Style<'_>) {
    let class = instance.class().name();
    w.start_in(PREFIX, class).attribute_parts("xmlns:p", &style.form.class_uri_parts(class));
    w.attribute_parts("xsi:type", &["p:", class, "_Type"]);
    if style.show_extensions
        && let Some(version) = instance.class().qualifiers().get("Version").and_then(Value::as_str)
    {
        w.attribute("cim:Version", version);
    }
    let properties = instance.class().properties().iter().zip(instance.values());
    for ((property, value), tags) in properties.zip(tags(instance.class()).iter()) {
        match value {
            Value::Null if style.exclude_nil => {}
            Value::Null if !style.precise_arrays => {
                w.raw(&tags.nil);
            }
            // These put attributes into the tag, or have several tags.
            Value::Null | Value::Instance(_) | Value::Array(_) => {
                write_property(w, PREFIX, (&property.name, &property.shape), value, style);
            }
            key if style.show_extensions && property.key => {
                w.start_in(PREFIX, &property.name).raw_attribute(" cim:Key=\"true\"");
                write_content(w, key, style, INNER_PREFIX);
                w.end_in(PREFIX, &property.name);
            }
            scalar => {
                w.raw(&tags.open);
                write_content(w, scalar, style, INNER_PREFIX);
                w.raw(&tags.close);
            }
        }
    }
    w.end_in(PREFIX, class);
}

/// Writes `wsman:Item`: what is shown of an instance, and the reference to it.
pub fn write_item(w: &mut Writer, shown: impl FnOnce(&mut Writer), path: &ObjectPath, style: &Style<'_>) {
    w.start("wsman:Item");
    shown(w);
    write_wrapped_path(w, path, style);
    w.end("wsman:Item");
}

/// Writes a path as `wsa:EndpointReference`.
pub fn write_wrapped_path(w: &mut Writer, path: &ObjectPath, style: &Style<'_>) {
    w.start("wsa:EndpointReference");
    write_path(w, path, style);
    w.end("wsa:EndpointReference");
}

/// Writes a path as the content of an endpoint reference, without an element around it.
pub fn write_path(w: &mut Writer, path: &ObjectPath, style: &Style<'_>) {
    w.leaf("wsa:Address", style.address).start("wsa:ReferenceParameters").start("wsman:ResourceURI");
    for part in style.form.class_uri_parts_in(path.namespace(), path.class()) {
        w.text(part);
    }
    w.end("wsman:ResourceURI").start("wsman:SelectorSet");
    w.start("wsman:Selector").attribute("Name", CIM_NAMESPACE_SELECTOR).text(path.namespace()).end("wsman:Selector");
    for (name, value) in path.keys().iter().filter(|(_, value)| !value.is_null()) {
        w.start("wsman:Selector").attribute("Name", name);
        match value {
            Value::Reference(path) => write_wrapped_path(w, path, style),
            // Selectors hold plain simple types.
            Value::Datetime(time) => {
                w.text(&time.to_xml());
            }
            other => write_content(w, other, style, INNER_PREFIX),
        }
        w.end("wsman:Selector");
    }
    w.end("wsman:SelectorSet").end("wsa:ReferenceParameters");
}

/// Writes a property or parameter, given by name and shape: one element, or one for each element of an array.
pub(super) fn write_property(
    w: &mut Writer,
    prefix: &'static str,
    (name, shape): (&str, &Shape),
    value: &Value,
    style: &Style<'_>,
) {
    if value.is_null() && style.exclude_nil {
        return;
    }
    write_elements(w, Tag::Prefixed(prefix, name), shape, value, style);
}

/// The tag of a property's elements.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tag<'a> {
    /// With a prefix that is declared.
    Prefixed(&'static str, &'a str),
    /// In a namespace, given in pieces, that it declares itself.
    Declaring([&'a str; 4], &'a str),
    /// In no namespace.
    Bare(&'a str),
}

impl Tag<'_> {
    fn start(self, w: &mut Writer) {
        match self {
            Self::Prefixed(prefix, name) => w.start_in(prefix, name),
            Self::Declaring(uri, name) => w.start_in("q", name).attribute_parts("xmlns:q", &uri),
            Self::Bare(name) => w.start(name),
        };
    }

    fn end(self, w: &mut Writer) {
        match self {
            Self::Prefixed(prefix, name) => w.end_in(prefix, name),
            Self::Declaring(_, name) => w.end_in("q", name),
            Self::Bare(name) => w.end(name),
        };
    }

    /// A prefix that an instance inside may declare.
    fn free_prefix(self) -> &'static str {
        if matches!(self, Self::Prefixed(PREFIX, _)) { INNER_PREFIX } else { PREFIX }
    }
}

/// Writes the elements of one value.
pub(super) fn write_elements(w: &mut Writer, tag: Tag<'_>, shape: &Shape, value: &Value, style: &Style<'_>) {
    match value {
        Value::Array(items) if shape.octets => {
            tag.start(w);
            write_octets(w, items);
            tag.end(w);
        }
        Value::Array(items) => {
            for item in items.iter() {
                tag.start(w);
                write_nil_or_content(w, item, style, tag.free_prefix());
                tag.end(w);
            }
        }
        one => {
            tag.start(w);
            if one.is_null() && shape.array && style.precise_arrays {
                w.attribute("xmlns:m", MS_WSMAN).raw_attribute(" m:IsNullArray=\"true\"");
            }
            write_nil_or_content(w, one, style, tag.free_prefix());
            tag.end(w);
        }
    }
}

fn write_nil_or_content(w: &mut Writer, value: &Value, style: &Style<'_>, free: &'static str) {
    if value.is_null() {
        w.raw_attribute(" xsi:nil=\"true\"");
    } else {
        write_content(w, value, style, free);
    }
}

/// Writes what stands inside the element of a value. `free` is a prefix that an instance in it may declare.
fn write_content(w: &mut Writer, value: &Value, style: &Style<'_>, free: &'static str) {
    match value {
        Value::Null | Value::Array(_) => w,
        Value::Boolean(truth) => w.text(if *truth { "true" } else { "false" }),
        Value::String(text) => w.text(text),
        Value::Char16(unit) => w.text(char::from_u32((*unit).into()).unwrap_or('\u{FFFD}').encode_utf8(&mut [0; 4])),
        Value::Uint8(n) => w.unsigned((*n).into()),
        Value::Uint16(n) => w.unsigned((*n).into()),
        Value::Uint32(n) => w.unsigned((*n).into()),
        Value::Uint64(n) => w.unsigned(*n),
        Value::Sint8(n) => w.signed((*n).into()),
        Value::Sint16(n) => w.signed((*n).into()),
        Value::Sint32(n) => w.signed((*n).into()),
        Value::Sint64(n) => w.signed(*n),
        Value::Real32(x) => w.text(&real(*x, x.is_finite() && !(1e-5..1e15).contains(&x.abs()) && *x != 0.0)),
        Value::Real64(x) => w.text(&real(*x, x.is_finite() && !(1e-5..1e15).contains(&x.abs()) && *x != 0.0)),
        Value::Datetime(time @ DateTime::Timestamp(_)) => w.leaf("cim:Datetime", &time.to_xml()),
        Value::Datetime(time @ DateTime::Interval(_)) => w.leaf("cim:Interval", &time.to_xml()),
        Value::Reference(path) => {
            write_path(w, path, style);
            w
        }
        Value::Instance(instance) => {
            write_embedded(w, instance, style, free);
            w
        }
    };
}

/// An instance inside a property: the property's element gets the type, and inside are the instance's properties
/// (DSP0230 7.2.5.2).
fn write_embedded(w: &mut Writer, instance: &Instance, style: &Style<'_>, prefix: &'static str) {
    let class = instance.class().name();
    let declaration = if prefix == PREFIX { "xmlns:p" } else { "xmlns:p1" };
    w.attribute_parts(declaration, &style.form.class_uri_parts(class));
    w.attribute_parts("xsi:type", &[prefix, ":", class, "_Type"]);
    for (property, value) in instance.class().properties().iter().zip(instance.values()) {
        write_property(w, prefix, (&property.name, &property.shape), value, style);
    }
}

/// `xs:double` and `xs:float`: the shortest digits that mean the same number.
fn real(number: impl std::fmt::Display + std::fmt::UpperExp, with_exponent: bool) -> String {
    let text = if with_exponent { format!("{number:E}") } else { number.to_string() };
    match text.as_str() {
        "inf" => "INF".to_owned(),
        "-inf" => "-INF".to_owned(),
        _ => text,
    }
}
