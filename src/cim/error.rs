//! The error every CIM operation ends with when it does not end well.

use std::borrow::Cow;

/// The CIM status codes of DSP0223 that an operation can end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum CimStatus {
    /// A failure that has no code of its own.
    Failed = 1,
    /// The caller may not do this.
    AccessDenied = 2,
    /// The CIM namespace does not exist.
    InvalidNamespace = 3,
    /// A parameter is missing, unknown, given twice or has a wrong value.
    InvalidParameter = 4,
    /// The class does not exist in the namespace.
    InvalidClass = 5,
    /// The instance does not exist.
    NotFound = 6,
    /// The class or instance does not offer the operation.
    NotSupported = 7,
    /// The instance exists already.
    AlreadyExists = 11,
    /// The class has no such property.
    NoSuchProperty = 12,
    /// A value is not of the property's type.
    TypeMismatch = 13,
    /// The query language is not known.
    QueryLanguageNotSupported = 14,
    /// The query is not a sentence of its language, or asks for what the class has not.
    InvalidQuery = 15,
    /// The method exists but cannot be called now.
    MethodNotAvailable = 16,
    /// The class has no such method.
    MethodNotFound = 17,
    /// A limit of this server was reached.
    ServerLimitsExceeded = 27,
}

/// A failed CIM operation: a status for programs and a sentence for people.
///
/// The message goes to the peer, so it says what to change and holds no paths, no SQL and no stack.
/// What only the operator may read is kept in `source` and goes to the log.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CimError {
    /// What went wrong, as DSP0223 counts it.
    pub status: CimStatus,
    /// What went wrong, in a sentence that says what to change.
    pub message: Cow<'static, str>,
    /// Whether it is over at all, and whether the same may be done later.
    pub circumstance: Circumstance,
    /// What the log says beside it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a failed operation leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Circumstance {
    /// Nothing: it was not done.
    #[default]
    Over,
    /// It was not done because something is in use that will be free again.
    InUse,
    /// It goes on; its caller does not wait any longer.
    GoesOn,
}

impl CimError {
    /// An error of the given status with a sentence for the peer.
    pub fn new(status: CimStatus, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), circumstance: Circumstance::Over, source: None }
    }

    /// Our own failure: the peer reads `message`, the log reads `source` too.
    pub fn internal(
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(CimStatus::Failed, message) }
    }

    /// [`CimStatus::Failed`], because something is in use that will be free again.
    pub fn in_use(message: impl Into<Cow<'static, str>>) -> Self {
        Self { circumstance: Circumstance::InUse, ..Self::new(CimStatus::Failed, message) }
    }

    /// [`CimStatus::Failed`], because the caller waits no longer; the operation goes on, and the message says where to look.
    pub fn timed_out(message: impl Into<Cow<'static, str>>) -> Self {
        Self { circumstance: Circumstance::GoesOn, ..Self::new(CimStatus::Failed, message) }
    }

    /// [`CimStatus::NotFound`].
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CimStatus::NotFound, message)
    }

    /// [`CimStatus::NotSupported`].
    pub fn not_supported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CimStatus::NotSupported, message)
    }

    /// [`CimStatus::InvalidParameter`].
    pub fn invalid_parameter(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CimStatus::InvalidParameter, message)
    }

    /// [`CimStatus::AccessDenied`].
    pub fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(CimStatus::AccessDenied, message)
    }
}
