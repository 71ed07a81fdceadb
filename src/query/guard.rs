//! What a query may cost: deadline, memory, cancellation.

use crate::error::{Error, ErrorKind, Result};
use crate::model::FieldId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Members that no index holds, because they are the same for every document of a dataset or follow from its URI.
pub trait Derived: std::fmt::Debug + Sync {
    /// The value that every document has.
    fn constant(&self, field: FieldId) -> Option<&str>;
    /// Whether the value follows from the URI.
    fn is_derived(&self, field: FieldId) -> bool;
    /// The value of such a field in the document of a URI.
    fn of(&self, field: FieldId, uri: &str) -> Option<String>;
}

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
    /// Members that the engine derives, if any.
    pub derived: Option<&'a dyn Derived>,
    /// Most threads that evaluate segments at a time, the caller's included.
    pub threads: usize,
}

/// Memory that a query may use where nothing else is asked for.
pub const DEFAULT_BUDGET_BYTES: usize = 64 << 20;

impl<'a> Context<'a> {
    /// A query of one thread, without a deadline, with [`DEFAULT_BUDGET_BYTES`].
    pub const fn new(token_key: &'a [u8; 32], dataset: u64) -> Context<'a> {
        let budget_bytes = DEFAULT_BUDGET_BYTES;
        Context { deadline: None, budget_bytes, token_key, dataset, cancel: None, derived: None, threads: 1 }
    }

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
