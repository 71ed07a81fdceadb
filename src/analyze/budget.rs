//! What one file's operators may spend: time until a deadline, and memory.

use crate::error::{Error, ErrorKind, Result};
use std::time::{Duration, Instant};

/// Caps on the work of one subject. An operator asks [`Budget::check`] between steps; one that passes a cap fails with
/// [`ErrorKind::DeadlineExceeded`] or [`ErrorKind::BudgetExceeded`].
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Moment at which work ends.
    pub deadline: Instant,
    /// Bytes that decoding and one operator may hold at the same time, the file's own bytes included.
    pub memory_bytes: usize,
}

impl Budget {
    /// Time for all operators of one file, by default.
    pub const TIME: Duration = Duration::from_secs(5);
    /// Memory for one file, by default: a photograph of 50 megapixels fits.
    pub const MEMORY_BYTES: usize = 256 << 20;

    /// A budget that begins now.
    pub fn new(time: Duration, memory_bytes: usize) -> Budget {
        let now = Instant::now();
        Budget { deadline: now.checked_add(time).unwrap_or(now), memory_bytes }
    }

    /// Fails when the deadline has passed; `doing` is named in the error.
    pub fn check(&self, doing: &str) -> Result<()> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Error::new(ErrorKind::DeadlineExceeded, format!("{doing}: the time for this file is over")))
    }

    /// Fails when `bytes` are more than is allowed; `doing` is named in the error.
    pub fn afford(&self, bytes: u64, doing: &str) -> Result<()> {
        if usize::try_from(bytes).is_ok_and(|n| n <= self.memory_bytes) {
            return Ok(());
        }
        let most = self.memory_bytes;
        Err(Error::new(ErrorKind::BudgetExceeded, format!("{doing}: expected at most {most} bytes, needs {bytes}")))
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(Budget::TIME, Budget::MEMORY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends() {
        let spent = Budget::new(Duration::ZERO, 10);
        assert_eq!(spent.check("scoring").unwrap_err().kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(spent.afford(11, "decoding").unwrap_err().kind(), ErrorKind::BudgetExceeded);
        spent.afford(10, "decoding").unwrap();
        Budget::default().check("scoring").unwrap();
    }
}
