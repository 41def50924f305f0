//! Method calls (DSP0227 11, DSP0230 9.5). The input is read by [`super::Mapping::input`].

use std::sync::Arc;

use super::Mapping;
use super::write::{Style, write_property};
use crate::cim::{Method, Shape, Value};
use crate::soap::{Envelope, Fault, FaultDetail, FaultKind};
use crate::wire::names::CIM;
use crate::wire::resource::shown;
use crate::xml::{Element, ElementExt, Writer};

/// Parameters by name, in the order of the method's declaration.
pub type Parameters = Vec<(Arc<str>, Value)>;

/// Writes `Method_OUTPUT`: the OUT parameters in the given order, NULL ones as such, and the return value last.
/// `class` is the class the request names. `xsi`, `cim`, `wsa` and `wsman` must be declared.
pub fn write_output(
    w: &mut Writer,
    class: &str,
    method: &Method,
    outputs: &[(Arc<str>, Value)],
    returned: &Value,
    style: &Style<'_>,
) {
    write_call(w, class, method, "_OUTPUT", style, |w| {
        write_parameters(w, method, outputs, style);
        write_property(w, "p", ("ReturnValue", &Shape::scalar(method.returns)), returned, style);
    });
}

/// Writes `Method_INPUT`, for a call of ours.
pub fn write_input(w: &mut Writer, class: &str, method: &Method, inputs: &[(Arc<str>, Value)], style: &Style<'_>) {
    write_call(w, class, method, "_INPUT", style, |w| write_parameters(w, method, inputs, style));
}

/// Writes parameters; those that the method does not have pass by.
fn write_parameters(w: &mut Writer, method: &Method, given: &[(Arc<str>, Value)], style: &Style<'_>) {
    for (name, value) in given {
        if let Some(parameter) = method.parameter(name) {
            write_property(w, "p", (&parameter.name, &parameter.shape), value, style);
        }
    }
}

fn write_call(
    w: &mut Writer,
    class: &str,
    method: &Method,
    suffix: &str,
    style: &Style<'_>,
    write: impl FnOnce(&mut Writer),
) {
    let tag = [&method.name, suffix].concat();
    w.start_in("p", &tag).attribute_parts("xmlns:p", &style.form.class_uri_parts(class));
    write(w);
    w.end_in("p", &tag);
}

/// Reads `Method_OUTPUT`, the answer to a call of ours: the return value and the OUT parameters that were given.
pub fn read_output(mapping: &Mapping<'_>, message: &Envelope, method: &Method) -> Result<(Value, Parameters), Fault> {
    let body = message.body(&format!("{}_OUTPUT", method.name))?;
    if !body.name.ends_with("_OUTPUT") {
        return Err(Fault::schema(format!("the body must hold {}_OUTPUT, not {}", method.name, shown(&body.name))));
    }
    let value = |name: &str, shape: &Shape| -> Result<Option<Value>, Fault> {
        let of_it = |e: &&Element| e.name.eq_ignore_ascii_case(name) && e.namespace_uri() != CIM;
        let elements: Vec<&Element> = body.elements().filter(of_it).collect();
        if elements.is_empty() {
            return Ok(None);
        }
        mapping.value(&elements, shape).map(Some).map_err(|why| {
            let reason = format!("{name} of method {}: {why}", method.name);
            Fault::detailed(FaultKind::InvalidParameter, FaultDetail::TypeMismatch, reason)
        })
    };
    let returned = value("ReturnValue", &Shape::scalar(method.returns))?;
    let mut outputs = Vec::new();
    for parameter in method.parameters.iter().filter(|p| p.direction.is_out()) {
        if let Some(value) = value(&parameter.name, &parameter.shape)? {
            outputs.push((parameter.name.clone(), value));
        }
    }
    Ok((returned.unwrap_or_default(), outputs))
}
