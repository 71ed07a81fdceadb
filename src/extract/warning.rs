//! What was wrong with a file, and why a parser stopped.

use std::fmt;
use std::io;

/// One thing that was not as its format's specification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The format whose rule was broken, for example `"jpeg"`.
    pub format: &'static str,
    /// Where in the file, in bytes from its start.
    pub offset: u64,
    /// What was expected and what came, as a sentence without its final stop.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.format, self.offset, self.message)
    }
}

/// Why a parser stopped before the end of its work.
#[derive(Debug)]
pub enum Stop {
    /// The bytes break a rule of the format. A walker may note it and go on with the next part.
    Malformed(Warning),
    /// A cap of [`Limits`](crate::extract::Limits) was reached. Nothing more may be read of this file.
    Exhausted(Warning),
    /// The source failed.
    Io(io::Error),
}

/// The result of reading and parsing inside one file.
pub type Parsed<T> = Result<T, Stop>;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Malformed(warning) | Stop::Exhausted(warning) => warning.fmt(f),
            Stop::Io(error) => error.fmt(f),
        }
    }
}
