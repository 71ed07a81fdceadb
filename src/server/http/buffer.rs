//! Buffers for what is being received, paid for from one budget: many large requests at once are refused, not swapped.

use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What every connection may buffer beyond the budget: an ordinary request costs no permit.
const FREE_BYTES: usize = 16 << 10;
/// Unit of the budget.
const UNIT: usize = 1 << 10;

/// Bytes that all connections together may hold in buffers.
#[derive(Debug, Clone)]
pub(in crate::server) struct Budget {
    units: Arc<Semaphore>,
    most: usize,
}

impl Budget {
    pub(in crate::server) fn new(bytes: usize) -> Budget {
        let most = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Budget { units: Arc::new(Semaphore::new(most)), most }
    }

    /// Waits until so many bytes are there to be held; what is larger than the budget gets all of it.
    pub(in crate::server) async fn wait(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = (bytes.saturating_sub(FREE_BYTES) / UNIT).min(self.most);
        let wanted = u32::try_from(wanted).ok().filter(|wanted| *wanted > 0)?;
        // The semaphore is never closed.
        Arc::clone(&self.units).acquire_many_owned(wanted).await.ok()
    }
}

/// Why a buffer did not grow.
#[derive(Debug)]
pub(super) enum Short {
    /// The client went away.
    Gone,
    /// The budget is used up.
    Full,
}

/// Bytes received and not yet consumed.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    budget: Budget,
    paid: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    pub(super) fn new(budget: &Budget) -> Buffer {
        Buffer { bytes: Vec::new(), budget: budget.clone(), paid: None }
    }

    /// Receives more; answers how much.
    pub(super) async fn fill<I: AsyncRead + Unpin>(&mut self, io: &mut I) -> Result<usize, Short> {
        if self.bytes.len() == self.bytes.capacity() {
            self.grow()?;
        }
        match io.read_buf(&mut self.bytes).await {
            Ok(0) | Err(_) => Err(Short::Gone),
            Ok(count) => Ok(count),
        }
    }

    fn grow(&mut self) -> Result<(), Short> {
        let wanted = self.bytes.capacity().saturating_mul(2).max(FREE_BYTES);
        self.pay(wanted)?;
        self.bytes.reserve_exact(wanted.saturating_sub(self.bytes.len()));
        Ok(())
    }

    /// Makes sure that `capacity` bytes are paid for.
    fn pay(&mut self, capacity: usize) -> Result<(), Short> {
        let paid = self.paid.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = (capacity.saturating_sub(FREE_BYTES) / UNIT).saturating_sub(paid);
        let Some(more) = u32::try_from(more).ok().filter(|more| *more > 0) else { return Ok(()) };
        let permit = Arc::clone(&self.budget.units).try_acquire_many_owned(more).map_err(|_| Short::Full)?;
        match &mut self.paid {
            Some(paid) => paid.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }

    /// Appends decoded bytes that another buffer received.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Short> {
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            let wanted = (self.bytes.len() + bytes.len()).max(self.bytes.capacity() * 2);
            self.pay(wanted)?;
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Splits off the first `count` bytes together with what was paid; what follows them stays, which is short: the
    /// client sent it before it had its answer.
    pub(super) fn take(&mut self, count: usize) -> Buffer {
        let rest = self.bytes.split_off(count.min(self.bytes.len()));
        let bytes = std::mem::replace(&mut self.bytes, rest);
        Buffer { bytes, budget: self.budget.clone(), paid: self.paid.take() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_bounds_all_buffers_together() {
        let budget = Budget::new(64 << 10);
        let (mut one, mut two) = (Buffer::new(&budget), Buffer::new(&budget));
        one.append(&[0; 60 << 10]).unwrap();
        assert!(matches!(two.append(&[0; 60 << 10]), Err(Short::Full)));
        two.append(&[0; FREE_BYTES]).unwrap();
        let taken = one.take(50 << 10);
        assert_eq!((taken.bytes.len(), one.bytes.len()), (50 << 10, 10 << 10));
        drop(taken);
        two.append(&[0; 40 << 10]).unwrap();
    }
}
