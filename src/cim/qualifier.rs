//! The qualifiers that DSP0004 defines (5.6.3): their types, and what becomes of them in subclasses.

use super::CimType;

/// Type and flavour of a qualifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifierType {
    /// Its name.
    pub name: &'static str,
    /// The type of its value, or of each element if that is an array.
    pub cim_type: CimType,
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
        STANDARD.iter().find(|standard| standard.name.eq_ignore_ascii_case(name))
    }
}

const fn fixed(name: &'static str, cim_type: CimType) -> QualifierType {
    QualifierType { name, cim_type, overridable: false, to_subclass: true, translatable: false }
}

const fn free(name: &'static str, cim_type: CimType) -> QualifierType {
    QualifierType { overridable: true, ..fixed(name, cim_type) }
}

const fn translatable(name: &'static str) -> QualifierType {
    QualifierType { translatable: true, ..free(name, CimType::String) }
}

const fn restricted(qualifier: QualifierType) -> QualifierType {
    QualifierType { to_subclass: false, ..qualifier }
}

const STANDARD: [QualifierType; 42] = [
    restricted(free("Abstract", CimType::Boolean)),
    restricted(free("Deprecated", CimType::String)),
    restricted(free("Experimental", CimType::Boolean)),
    restricted(free("Override", CimType::String)),
    restricted(translatable("Version")),
    fixed("Aggregate", CimType::Boolean),
    fixed("Aggregation", CimType::Boolean),
    fixed("ArrayType", CimType::String),
    fixed("Association", CimType::Boolean),
    fixed("Composition", CimType::Boolean),
    fixed("EmbeddedObject", CimType::Boolean),
    fixed("Exception", CimType::Boolean),
    fixed("In", CimType::Boolean),
    fixed("Indication", CimType::Boolean),
    fixed("Key", CimType::Boolean),
    fixed("OctetString", CimType::Boolean),
    fixed("Out", CimType::Boolean),
    fixed("Propagated", CimType::String),
    fixed("Required", CimType::Boolean),
    fixed("Static", CimType::Boolean),
    fixed("Weak", CimType::Boolean),
    free("BitMap", CimType::String),
    free("Counter", CimType::Boolean),
    free("EmbeddedInstance", CimType::String),
    free("Gauge", CimType::Boolean),
    free("MappingStrings", CimType::String),
    free("Max", CimType::Uint32),
    free("MaxLen", CimType::Uint32),
    free("MaxValue", CimType::Sint64),
    free("Min", CimType::Uint32),
    free("MinLen", CimType::Uint32),
    free("MinValue", CimType::Sint64),
    free("ModelCorrespondence", CimType::String),
    free("PUnit", CimType::String),
    free("Read", CimType::Boolean),
    free("UMLPackagePath", CimType::String),
    free("ValueMap", CimType::String),
    free("Write", CimType::Boolean),
    translatable("BitValues"),
    translatable("Description"),
    translatable("DisplayName"),
    translatable("Values"),
];

#[cfg(test)]
mod tests {
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
}
