//! What can be said of a class, of its properties and of its methods.

/// What kind of software a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Deb,
    Rpm,
    /// VIBs.
    Image,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deb => "Debian",
            Self::Rpm => "RPM",
            Self::Image => "image",
        }
    }

    /// Whether such a host has instances of the class.
    pub(crate) fn has(self, class: &str) -> bool {
        let is_patch = crate::patches::CLASSES.iter().any(|entry| entry.class == class);
        let is_vmware = class.starts_with("VMware_") || class.starts_with("OMC_");
        let is_of_images = is_vmware || is_patch || VIBS_TOLD.contains(&class);
        if self == Self::Image { is_of_images || SHARED.contains(&class) } else { !is_of_images }
    }
}

/// Classes that hosts of all kinds have instances of, and whose instances on a host with an image are looked at.
const SHARED: [&str; 11] = [
    "CIM_RegisteredProfile",
    "CIM_ReferencedProfile",
    "CIM_ElementConformsToProfile",
    "CIM_RecordLog",
    "CIM_LogEntry",
    "CIM_LogManagesRecord",
    "CIM_UseOfLog",
    "CIM_InstMethodCall",
    "CIM_Error",
    "__MethodParameters_InstallFromURI",
    "__MethodParameters_InstallFromURI_Result",
];

/// What changes of VIBs are told by: VMware has no classes for it.
const VIBS_TOLD: [&str; 3] = ["CIM_InstCreation", "CIM_InstModification", "CIM_InstDeletion"];

/// A class that has instances, whether they are enumerated, reached from others, sent as events or held by others.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) class: &'static str,
    /// What its instances are, and where they are found.
    pub(crate) says: &'static str,
    /// Tests that show them, beside the one of this table: file and function.
    pub(crate) by: &'static [&'static str],
    pub(crate) rows: &'static [Row],
    pub(crate) methods: &'static [Method],
}

/// What is said of some properties of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Their names, with a blank between them.
    pub(crate) names: &'static str,
    pub(crate) is: Is,
    /// The one family on whose hosts they have a value, and why not on the others'.
    pub(crate) only: Option<(Family, &'static str)>,
    /// How OpenLMI differs, and why we do.
    pub(crate) unlike: Option<&'static str>,
    /// A test of these properties: file and function.
    pub(crate) by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Is {
    /// Every instance has this value; what it means.
    Fixed(&'static str, &'static str),
    /// Every instance on a Debian host has the first value, on an RPM host the second; what they mean.
    PerFamily([&'static str; 2], &'static str),
    /// Instances have values; where they come from.
    Served(&'static str),
    /// No instance has a value; why.
    NotApplicable(&'static str),
}

/// Each instance has this value; elements of arrays have commas between them.
pub(crate) const fn fixed(names: &'static str, value: &'static str, meaning: &'static str) -> Row {
    row(names, Is::Fixed(value, meaning))
}

/// The same where it depends on what packages the host has.
pub(crate) const fn per_family(names: &'static str, deb: &'static str, rpm: &'static str, is: &'static str) -> Row {
    row(names, Is::PerFamily([deb, rpm], is))
}

/// Instances have values from this source.
pub(crate) const fn served(names: &'static str, source: &'static str) -> Row {
    row(names, Is::Served(source))
}

/// No instance has a value, because of this.
pub(crate) const fn none(names: &'static str, why: &'static str) -> Row {
    row(names, Is::NotApplicable(why))
}

const fn row(names: &'static str, is: Is) -> Row {
    Row { names, is, only: None, unlike: None, by: None }
}

impl Row {
    pub(crate) const fn only(self, family: Family, why: &'static str) -> Self {
        Self { only: Some((family, why)), ..self }
    }

    pub(crate) const fn unlike(self, how: &'static str) -> Self {
        Self { unlike: Some(how), ..self }
    }

    pub(crate) const fn by(self, test: &'static str) -> Self {
        Self { by: Some(test), ..self }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split(' ')
    }

    pub(crate) fn is_served(&self) -> bool {
        !matches!(self.is, Is::NotApplicable(_))
    }
}

/// What is said of a method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) answer: Answer,
    /// How OpenLMI differs, and why we do.
    pub(crate) unlike: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// It does what it is for: what, the value it returned to the deeds here, and a test of it.
    Works { returns: &'static str, does: &'static str, by: &'static str },
    /// It returns that it is not supported (1), whatever it is called with; why.
    NotSupported(&'static str),
    /// It answers with this fault; why.
    Fault(&'static str, &'static str),
}

pub(crate) const fn works(name: &'static str, returns: &'static str, does: &'static str, by: &'static str) -> Method {
    Method { name, answer: Answer::Works { returns, does, by }, unlike: None }
}

pub(crate) const fn not_supported(name: &'static str, why: &'static str) -> Method {
    Method { name, answer: Answer::NotSupported(why), unlike: None }
}

pub(crate) const fn fault(name: &'static str, fault: &'static str, why: &'static str) -> Method {
    Method { name, answer: Answer::Fault(fault, why), unlike: None }
}

impl Method {
    pub(crate) const fn unlike(self, how: &'static str) -> Self {
        Self { unlike: Some(how), ..self }
    }
}
