//! Why a film could not be analysed.

use std::fmt::Display;

/// The end of an analysis without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Code`: for programs.
    pub code: String,
    /// `Message`: a sentence for a person.
    pub message: String,
    /// Whether the same analysis may succeed later.
    pub passing: bool,
}

/// The result of a step of an analysis.
pub(super) type Step<T> = Result<T, Failure>;

impl Failure {
    fn new(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { code: code.into(), message: message.into(), passing: false }
    }

    /// The container is none that is known, or holds no video.
    pub(super) fn format(message: impl Into<String>) -> Failure {
        Failure::new("UnsupportedFormat", message)
    }

    /// Nothing here decodes the codec.
    pub(super) fn codec(name: &str, why: &str) -> Failure {
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(32).collect();
        Failure::new(format!("UnsupportedCodec.{name}"), format!("No decoder for the codec {name:?}: {why}"))
    }

    /// The bytes are not what their format says.
    pub(super) fn damaged(message: impl Into<String>) -> Failure {
        Failure::new("InvalidVideo", message)
    }

    /// The film is encrypted.
    pub(super) fn encrypted() -> Failure {
        Failure::new("EncryptedVideo", "The video is encrypted.")
    }

    /// A time limit was met.
    pub(super) fn late(seconds: u64) -> Failure {
        Failure::new("TaskTimeout", format!("The analysis took longer than {seconds} s."))
    }

    /// More than may be held would be needed.
    pub(super) fn large(message: impl Into<String>) -> Failure {
        Failure::new("LimitExceededError", message)
    }

    /// The worker was told to stop.
    pub(super) fn stopped() -> Failure {
        Failure { passing: true, ..Failure::new("TaskStopped", "The analysis was stopped.") }
    }

    /// The operating system refused something.
    pub(super) fn system(what: &str, error: impl Display) -> Failure {
        Failure { passing: true, ..Failure::new("InternalError", format!("Could not {what}: {error}")) }
    }
}
