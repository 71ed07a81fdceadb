//! What a query may cost: deadline, memory, cancellation.

use crate::error::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The circumstances of one query.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// When to give up; `None` for never.
    pub deadline: Option<Instant>,
    /// Most bytes of intermediate results.
    pub budget_bytes: usize,
    /// Authenticates page tokens; secret of the database.
    pub token_key: &'a [u8; 32],
    /// The dataset that tokens are bound to.
    pub dataset: u64,
    /// Set by another thread to end the query.
    pub cancel: Option<&'a AtomicBool>,
}

impl Context<'_> {
    /// Fails once the query is past its deadline or was cancelled. Called every few microseconds of work.
    pub(crate) fn tick(&self) -> Result<()> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(Error::new(ErrorKind::Cancelled, "the query was cancelled"));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::new(ErrorKind::DeadlineExceeded, "the query passed its deadline"));
        }
        Ok(())
    }

    /// Fails if `bytes` of intermediate results are more than the query may hold.
    pub(crate) fn afford(&self, bytes: usize) -> Result<()> {
        if bytes <= self.budget_bytes {
            return Ok(());
        }
        let budget = self.budget_bytes;
        Err(Error::new(
            ErrorKind::BudgetExceeded,
            format!("the query needs {bytes} bytes of memory, its budget is {budget}"),
        ))
    }
}
