//! What the command's exit code says.

use crate::error::{Error, ErrorKind};

/// The end of a command. The numbers are part of the interface: scripts test them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All was done.
    Done = 0,
    /// Nothing or not everything was done; the message says why.
    Failed = 1,
    /// The command line, a name or a query breaks a rule.
    Usage = 2,
    /// The rest was done, but some input was unreadable or invalid; it has been named.
    Partial = 3,
    /// A named file, dataset or database does not exist.
    NotFound = 4,
    /// Another process has the database open, or a time or memory limit was met: try again.
    Busy = 5,
    /// The database is damaged, or `check` found something.
    Damaged = 6,
    /// Stopped by Ctrl-C or SIGTERM; everything acknowledged so far is kept.
    Interrupted = 130,
}

/// The table of the help text.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  all was done
    1  failed; the message says why
    2  the command line, a name or a query breaks a rule
    3  the rest was done, but some input was unreadable or invalid (it is named)
    4  a named file, dataset or database does not exist
    5  the database is in use, or a time or memory limit was met: try again
    6  the database is damaged, or `check` found something
  130  stopped by Ctrl-C; everything acknowledged is kept, run again to continue";

impl Exit {
    /// The code for a failed operation.
    pub(crate) fn of(error: &Error) -> Exit {
        match error.kind() {
            ErrorKind::InvalidArgument => Exit::Usage,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::Locked | ErrorKind::DeadlineExceeded | ErrorKind::BudgetExceeded => Exit::Busy,
            ErrorKind::Corrupted | ErrorKind::UnsupportedVersion => Exit::Damaged,
            ErrorKind::Cancelled => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// The number for the operating system.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Partial,
            Exit::NotFound,
            Exit::Busy,
            Exit::Damaged,
            Exit::Interrupted,
        ];
        for exit in all {
            assert!(TABLE.lines().any(|l| l.trim_start().starts_with(&format!("{}  ", exit.code()))), "{exit:?}");
        }
        let failures = ErrorKind::ALL.map(|kind| Exit::of(&Error::new(kind, "x")));
        assert!(failures.iter().all(|exit| *exit != Exit::Done));
    }
}
