//! Class declarations written as MOF.

use std::fmt::{self, Formatter, Write};

use super::super::{CimType, Qualifiers, Shape, Value};
use super::{ClassDeclaration, MethodDeclaration, ParameterDeclaration, PropertyDeclaration};

pub(super) fn class(f: &mut Formatter<'_>, class: &ClassDeclaration) -> fmt::Result {
    qualifiers(f, "", &class.qualifiers)?;
    write!(f, "class {}", class.name)?;
    if let Some(superclass) = &class.superclass {
        write!(f, " : {superclass}")?;
    }
    f.write_str("\n{\n")?;
    for one in &class.properties {
        property(f, one)?;
    }
    for one in &class.methods {
        method(f, one)?;
    }
    f.write_str("};\n")
}

fn property(f: &mut Formatter<'_>, property: &PropertyDeclaration) -> fmt::Result {
    qualifiers(f, "    ", &property.qualifiers)?;
    f.write_str("    ")?;
    typed_name(f, &property.shape, &property.name)?;
    if let Some(default) = &property.default {
        f.write_str(" = ")?;
        value(f, default)?;
    }
    f.write_str(";\n")
}

fn method(f: &mut Formatter<'_>, method: &MethodDeclaration) -> fmt::Result {
    qualifiers(f, "    ", &method.qualifiers)?;
    write!(f, "    {} {}(", method.returns, method.name)?;
    for (i, one) in method.parameters.iter().enumerate() {
        f.write_str(if i == 0 { "\n" } else { ",\n" })?;
        parameter(f, one)?;
    }
    f.write_str(");\n")
}

fn parameter(f: &mut Formatter<'_>, parameter: &ParameterDeclaration) -> fmt::Result {
    qualifiers(f, "        ", &parameter.qualifiers)?;
    f.write_str("        ")?;
    typed_name(f, &parameter.shape, &parameter.name)
}

fn typed_name(f: &mut Formatter<'_>, shape: &Shape, name: &str) -> fmt::Result {
    match (shape.cim_type, &shape.class) {
        (CimType::Reference, Some(class)) => write!(f, "{class} REF {name}")?,
        (cim_type, _) => write!(f, "{cim_type} {name}")?,
    }
    if shape.array { f.write_str("[]") } else { Ok(()) }
}

fn qualifiers(f: &mut Formatter<'_>, indent: &str, qualifiers: &Qualifiers) -> fmt::Result {
    for (i, (name, given)) in qualifiers.0.iter().enumerate() {
        if i == 0 {
            write!(f, "{indent}[")?;
        } else {
            write!(f, ",\n{indent} ")?;
        }
        f.write_str(name)?;
        match given {
            Value::Boolean(true) => {}
            Value::Array(_) => {
                f.write_char(' ')?;
                value(f, given)?;
            }
            scalar => {
                f.write_char('(')?;
                value(f, scalar)?;
                f.write_char(')')?;
            }
        }
    }
    if qualifiers.0.is_empty() { Ok(()) } else { f.write_str("]\n") }
}

fn value(f: &mut Formatter<'_>, given: &Value) -> fmt::Result {
    match given {
        Value::Boolean(truth) => write!(f, "{truth}"),
        Value::String(text) => quoted(f, text),
        Value::Char16(unit) => character(f, *unit),
        Value::Uint8(n) => write!(f, "{n}"),
        Value::Uint16(n) => write!(f, "{n}"),
        Value::Uint32(n) => write!(f, "{n}"),
        Value::Uint64(n) => write!(f, "{n}"),
        Value::Sint8(n) => write!(f, "{n}"),
        Value::Sint16(n) => write!(f, "{n}"),
        Value::Sint32(n) => write!(f, "{n}"),
        Value::Sint64(n) => write!(f, "{n}"),
        Value::Real32(n) if n.is_finite() => real(f, &format!("{n:e}")),
        Value::Real64(n) if n.is_finite() => real(f, &format!("{n:e}")),
        Value::Datetime(time) => write!(f, "\"{time}\""),
        Value::Array(items) => {
            f.write_str("{ ")?;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                value(f, item)?;
            }
            f.write_str(" }")
        }
        // References, embedded instances and numbers without end have no literal in MOF.
        Value::Null | Value::Real32(_) | Value::Real64(_) | Value::Reference(_) | Value::Instance(_) => {
            f.write_str("NULL")
        }
    }
}

/// MOF wants digits after a point: `1e7` becomes `1.0e7`.
fn real(f: &mut Formatter<'_>, scientific: &str) -> fmt::Result {
    match scientific.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => write!(f, "{mantissa}.0e{exponent}"),
        _ => f.write_str(scientific),
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            c if c.is_control() => write!(f, "\\x{:04X}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

fn character(f: &mut Formatter<'_>, unit: u16) -> fmt::Result {
    match char::from_u32(u32::from(unit)) {
        Some(c) if c.is_ascii_graphic() && c != '\'' && c != '\\' => write!(f, "'{c}'"),
        _ => write!(f, "'\\x{unit:04X}'"),
    }
}
