//! The one public error type: a kind to act on, the operation that failed, and a sentence for a person.
//!
//! Knows no other module's types; every module converts its own facts into an [`Error`] where it can name what
//! was expected and what came.

use std::fmt;

/// What went wrong, coarse enough to decide on. Each kind maps to one HTTP status and API code (see `docs/limits.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter, name, document or query breaks its rule.
    InvalidArgument,
    /// The named project, dataset or file does not exist.
    NotFound,
    /// The named project or dataset exists already.
    AlreadyExists,
    /// A quota or documented maximum would be exceeded.
    LimitExceeded,
    /// The project or dataset still holds what must be removed first.
    NotEmpty,
    /// The directory is in use by another process.
    Locked,
    /// The handle refuses writes: opened read-only, or the file system is.
    ReadOnly,
    /// Bytes on disk are not what was written: bad magic, checksum or structure.
    Corrupted,
    /// The directory or file was written by a newer format version.
    UnsupportedVersion,
    /// No space left on the device.
    StorageFull,
    /// A write may or may not have become durable; the handle refuses writes until reopened.
    OutcomeUnknown,
    /// The query passed its deadline.
    DeadlineExceeded,
    /// The query passed its memory budget.
    BudgetExceeded,
    /// The caller cancelled the operation.
    Cancelled,
    /// The operating system reported an error.
    Io,
    /// A defect in medialith.
    Internal,
}

impl ErrorKind {
    /// Every kind, for tables that must cover all of them.
    pub const ALL: [ErrorKind; 16] = [
        ErrorKind::InvalidArgument,
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::LimitExceeded,
        ErrorKind::NotEmpty,
        ErrorKind::Locked,
        ErrorKind::ReadOnly,
        ErrorKind::Corrupted,
        ErrorKind::UnsupportedVersion,
        ErrorKind::StorageFull,
        ErrorKind::OutcomeUnknown,
        ErrorKind::DeadlineExceeded,
        ErrorKind::BudgetExceeded,
        ErrorKind::Cancelled,
        ErrorKind::Io,
        ErrorKind::Internal,
    ];

    /// The error code of the API. Statuses and meanings: `docs/limits.md`.
    pub fn api_code(self) -> &'static str {
        match self {
            ErrorKind::InvalidArgument | ErrorKind::NotEmpty => "InvalidArgument",
            ErrorKind::NotFound => "ResourceNotFound",
            ErrorKind::AlreadyExists => "ResourceAlreadyExists",
            ErrorKind::LimitExceeded => "LimitExceededError",
            ErrorKind::Locked | ErrorKind::ReadOnly | ErrorKind::StorageFull | ErrorKind::Cancelled => {
                "ServiceUnavailable"
            }
            ErrorKind::DeadlineExceeded | ErrorKind::BudgetExceeded => "ServiceUnavailable",
            ErrorKind::Corrupted | ErrorKind::UnsupportedVersion | ErrorKind::OutcomeUnknown => "InternalError",
            ErrorKind::Io | ErrorKind::Internal => "InternalError",
        }
    }
}

/// An error of any medialith operation. `Display` is a sentence for a person; [`Error::kind`] is for programs.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    op: &'static str,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

/// The result of any medialith operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A new error. `message` is a sentence without its final stop that names what was expected and what came.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, op: "", message: message.into(), source: None }
    }

    /// Shorthand for [`ErrorKind::InvalidArgument`].
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// Shorthand for [`ErrorKind::Corrupted`].
    pub fn corrupted(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Corrupted, message)
    }

    /// An operating-system error while doing `what` ("open /data/db/LOCK"), with the kind that its number implies.
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Error {
        let kind = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::StorageFull,
            std::io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            _ => ErrorKind::Io,
        };
        Error { kind, op: "", message: format!("could not {what}: {source}"), source: Some(Box::new(source)) }
    }

    /// Names the public operation that failed, for example `"search"`. The innermost name wins.
    #[must_use]
    pub fn during(mut self, op: &'static str) -> Error {
        if self.op.is_empty() {
            self.op = op;
        }
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Box::new(source));
        self
    }

    /// What to decide on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The public operation that failed, or `""` where none was named.
    pub fn operation(&self) -> &'static str {
        self.op
    }

    /// The sentence, without the operation.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed later without any change by the caller.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Locked | ErrorKind::StorageFull | ErrorKind::DeadlineExceeded | ErrorKind::BudgetExceeded
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.op.is_empty() { write!(f, "{}", self.message) } else { write!(f, "{}: {}", self.op, self.message) }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as &(dyn std::error::Error + 'static))
    }
}
