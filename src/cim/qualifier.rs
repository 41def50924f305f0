//! The qualifiers that DSP0004 defines (5.6.3): their types, and what becomes of them in subclasses.

use std::fmt;

use super::CimType;

/// Type, scope and flavour of a qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifierType {
    /// Its name.
    pub name: &'static str,
    /// The type of its value, or of each element if that is an array.
    pub cim_type: CimType,
    /// Whether its value is an array.
    pub array: bool,
    /// The value it has where it is not given, as MOF; `None` for NULL.
    pub default: Option<&'static str>,
    /// What may have it, as MOF.
    pub scope: &'static str,
    /// Whether a subclass may change it (EnableOverride).
    pub overridable: bool,
    /// Whether it holds for subclasses too (ToSubclass); otherwise it holds for the class or feature that has it alone
    /// (Restricted).
    pub to_subclass: bool,
    /// Whether its text may be translated.
    pub translatable: bool,
}

impl QualifierType {
    /// The qualifier of that name, in any case; `None` if DSP0004 does not define it.
    pub fn of(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|standard| standard.name.eq_ignore_ascii_case(name))
    }

    /// All that DSP0004 defines.
    pub fn all() -> &'static [Self] {
        &STANDARD
    }
}

impl fmt::Display for QualifierType {
    /// The declaration as MOF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Qualifier {} : {}{}", self.name, self.cim_type, if self.array { "[]" } else { "" })?;
        if let Some(default) = self.default {
            write!(f, " = {default}")?;
        }
        let overrides = if self.overridable { "EnableOverride" } else { "DisableOverride" };
        let reach = if self.to_subclass { "ToSubclass" } else { "Restricted" };
        let translatable = if self.translatable { ", Translatable" } else { "" };
        writeln!(f, ",\n    Scope({}),\n    Flavor({overrides}, {reach}{translatable});", self.scope)
    }
}

/// What holds values or returns them.
const VALUE: &str = "property, method, parameter";
/// Classes of every kind.
const CLASS: &str = "class, association, indication";

const fn fixed(name: &'static str, cim_type: CimType, scope: &'static str) -> QualifierType {
    let default = if matches!(cim_type, CimType::Boolean) { Some("false") } else { None };
    QualifierType {
        name,
        cim_type,
        array: false,
        default,
        scope,
        overridable: false,
        to_subclass: true,
        translatable: false,
    }
}

const fn free(name: &'static str, cim_type: CimType, scope: &'static str) -> QualifierType {
    QualifierType { overridable: true, ..fixed(name, cim_type, scope) }
}

const fn translatable(name: &'static str, scope: &'static str) -> QualifierType {
    QualifierType { translatable: true, ..free(name, CimType::String, scope) }
}

const fn restricted(qualifier: QualifierType) -> QualifierType {
    QualifierType { to_subclass: false, ..qualifier }
}

const fn array(qualifier: QualifierType) -> QualifierType {
    QualifierType { array: true, ..qualifier }
}

const fn otherwise(default: &'static str, qualifier: QualifierType) -> QualifierType {
    QualifierType { default: Some(default), ..qualifier }
}

const STANDARD: [QualifierType; 42] = [
    restricted(free("Abstract", CimType::Boolean, CLASS)),
    restricted(array(free("Deprecated", CimType::String, "any"))),
    restricted(free("Experimental", CimType::Boolean, "any")),
    restricted(free("Override", CimType::String, "property, reference, method")),
    restricted(translatable("Version", CLASS)),
    fixed("Aggregate", CimType::Boolean, "reference"),
    fixed("Aggregation", CimType::Boolean, "association"),
    otherwise("\"Bag\"", fixed("ArrayType", CimType::String, "property, parameter")),
    fixed("Association", CimType::Boolean, "association"),
    fixed("Composition", CimType::Boolean, "association"),
    fixed("EmbeddedObject", CimType::Boolean, VALUE),
    fixed("Exception", CimType::Boolean, "class, indication"),
    otherwise("true", fixed("In", CimType::Boolean, "parameter")),
    fixed("Indication", CimType::Boolean, "class, indication"),
    fixed("Key", CimType::Boolean, "property, reference"),
    fixed("OctetString", CimType::Boolean, VALUE),
    fixed("Out", CimType::Boolean, "parameter"),
    fixed("Propagated", CimType::String, "property"),
    fixed("Required", CimType::Boolean, "property, reference, method, parameter"),
    fixed("Static", CimType::Boolean, "property, method"),
    fixed("Weak", CimType::Boolean, "reference"),
    array(free("BitMap", CimType::String, VALUE)),
    free("Counter", CimType::Boolean, VALUE),
    free("EmbeddedInstance", CimType::String, VALUE),
    free("Gauge", CimType::Boolean, VALUE),
    array(free("MappingStrings", CimType::String, "any")),
    free("Max", CimType::Uint32, "reference"),
    free("MaxLen", CimType::Uint32, VALUE),
    free("MaxValue", CimType::Sint64, VALUE),
    otherwise("0", free("Min", CimType::Uint32, "reference")),
    otherwise("0", free("MinLen", CimType::Uint32, VALUE)),
    free("MinValue", CimType::Sint64, VALUE),
    array(free("ModelCorrespondence", CimType::String, "any")),
    free("PUnit", CimType::String, VALUE),
    otherwise("true", free("Read", CimType::Boolean, "property")),
    free("UMLPackagePath", CimType::String, CLASS),
    array(free("ValueMap", CimType::String, VALUE)),
    free("Write", CimType::Boolean, "property"),
    array(translatable("BitValues", VALUE)),
    translatable("Description", "any"),
    translatable("DisplayName", "any"),
    array(translatable("Values", VALUE)),
];

#[cfg(test)]
mod tests {
    use super::super::Schema;
    use super::*;

    #[test]
    fn a_qualifier_is_found_in_any_case_and_has_its_flavour() {
        let version = QualifierType::of("VERSION").unwrap();
        assert!(!version.to_subclass && version.overridable && version.translatable);
        let key = QualifierType::of("key").unwrap();
        assert!(key.to_subclass && !key.overridable && !key.translatable);
        let gauge = QualifierType::of("Gauge").unwrap();
        assert!(gauge.to_subclass && gauge.overridable && !gauge.translatable);
        assert_eq!(QualifierType::of("MaxLen").unwrap().cim_type, CimType::Uint32);
        assert_eq!(QualifierType::of("Colour"), None);
    }

    #[test]
    fn a_declaration_says_type_scope_and_flavour() {
        let declaration = |name| QualifierType::of(name).unwrap().to_string();
        assert_eq!(
            declaration("Key"),
            "Qualifier Key : boolean = false,\n    Scope(property, reference),\n    Flavor(DisableOverride, ToSubclass);\n"
        );
        assert_eq!(
            declaration("Values"),
            "Qualifier Values : string[],\n    Scope(property, method, parameter),\n    \
             Flavor(EnableOverride, ToSubclass, Translatable);\n"
        );
        assert!(declaration("Version").contains("Flavor(EnableOverride, Restricted, Translatable)"));
    }

    #[test]
    fn every_qualifier_of_the_server_is_defined_and_has_its_type() {
        let schema = Schema::builtin().unwrap();
        for class in schema.classes() {
            let properties = class.properties().iter().map(|p| &p.qualifiers);
            let methods = class.methods().iter().map(|m| &m.qualifiers);
            let parameters = class.methods().iter().flat_map(|m| &m.parameters).map(|p| &p.qualifiers);
            let all = [class.qualifiers()].into_iter().chain(properties).chain(methods).chain(parameters);
            for (name, value) in all.flat_map(|qualifiers| &qualifiers.0) {
                let standard = QualifierType::of(name).unwrap_or_else(|| panic!("{name} of {}", class.name()));
                assert_eq!(standard.array, value.as_array().is_some(), "{name} of {}", class.name());
            }
        }
    }
}
