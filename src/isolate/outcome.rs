//! What became of one file's extraction, as a code that is stored and never renumbered.

use crate::error::{Error, ErrorKind};
use crate::extract::Extracted;
use std::fmt;

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Read to the end of what is read of its format.
    Ok,
    /// Read in part: a cap was reached, an allocation was refused, or bytes were not as their format says.
    Partial,
    /// A parser asked for more memory than one file may cost.
    LimitMemory,
    /// A parser computed for longer than one file may.
    LimitCpu,
    /// There was no answer in time.
    Timeout,
    /// The worker died of a signal or left without an answer.
    Crashed,
    /// The worker tried what the jail forbids.
    SandboxViolation,
    /// The worker's answer broke the protocol.
    ProtocolError,
    /// The bytes could not be read from where they are.
    SourceError,
    /// It was not tried: the same bytes cost a worker before.
    Quarantined,
}

/// Codes and names: DO NOT CHANGE, they are in databases.
const TABLE: [(Outcome, u8, &str); 10] = [
    (Outcome::Ok, 0, "ok"),
    (Outcome::Partial, 1, "partial"),
    (Outcome::LimitMemory, 2, "limit_memory"),
    (Outcome::LimitCpu, 3, "limit_cpu"),
    (Outcome::Timeout, 4, "timeout"),
    (Outcome::Crashed, 5, "crashed"),
    (Outcome::SandboxViolation, 6, "sandbox_violation"),
    (Outcome::ProtocolError, 7, "protocol_error"),
    (Outcome::SourceError, 8, "source_error"),
    (Outcome::Quarantined, 9, "quarantined"),
];

impl Outcome {
    /// What became of a file that its parser read to the end.
    pub fn of(extracted: &Extracted) -> Outcome {
        match extracted.memory_refused {
            true => Outcome::LimitMemory,
            false if extracted.warnings.is_empty() => Outcome::Ok,
            false => Outcome::Partial,
        }
    }

    /// Every outcome.
    pub const ALL: [Outcome; 10] = [
        Outcome::Ok,
        Outcome::Partial,
        Outcome::LimitMemory,
        Outcome::LimitCpu,
        Outcome::Timeout,
        Outcome::Crashed,
        Outcome::SandboxViolation,
        Outcome::ProtocolError,
        Outcome::SourceError,
        Outcome::Quarantined,
    ];

    fn row(self) -> (Outcome, u8, &'static str) {
        TABLE.into_iter().find(|(of, _, _)| *of == self).unwrap_or((Outcome::Crashed, 5, "crashed"))
    }

    /// Its number in databases and on the wire.
    pub fn code(self) -> u8 {
        self.row().1
    }

    /// Its name in reasons, metrics and logs.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// The outcome of a code.
    pub fn from_code(code: u8) -> Option<Outcome> {
        TABLE.into_iter().find(|(_, number, _)| *number == code).map(|row| row.0)
    }

    /// Whether the file is to blame, so that trying the same bytes again costs another worker.
    pub fn is_poison(self) -> bool {
        !matches!(self, Outcome::Ok | Outcome::Partial | Outcome::SourceError | Outcome::Quarantined)
    }

    /// Whether another try may end otherwise: counted memory and processor time depend on nothing but the file.
    pub(super) fn is_worth_a_retry(self) -> bool {
        self.is_poison() && !matches!(self, Outcome::LimitMemory | Outcome::LimitCpu)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a file gave nothing: its outcome, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code.
    pub outcome: Outcome,
    /// What happened, without its final stop.
    pub message: String,
}

impl Fault {
    pub(super) fn new(outcome: Outcome, message: impl Into<String>) -> Fault {
        Fault { outcome, message: message.into() }
    }

    /// The fault of a file that was not tried again.
    pub fn quarantined(before: Outcome) -> Fault {
        Fault::new(Outcome::Quarantined, format!("not read again, because these bytes ended in {before} before"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.outcome, self.message)
    }
}

impl std::error::Error for Fault {}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::new(Outcome::SourceError, error.message())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let kind = if fault.outcome == Outcome::SourceError { ErrorKind::Io } else { ErrorKind::Internal };
        Error::new(kind, fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_frozen() {
        let codes: Vec<u8> = Outcome::ALL.iter().map(|o| o.code()).collect();
        assert_eq!(codes, (0..10).collect::<Vec<u8>>());
        assert!(Outcome::ALL.iter().all(|o| Outcome::from_code(o.code()) == Some(*o)));
        assert_eq!(Outcome::from_code(10), None);
        assert_eq!(Outcome::SandboxViolation.to_string(), "sandbox_violation");
    }
}
