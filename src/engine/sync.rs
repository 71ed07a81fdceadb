//! Locking without poisoning: what a lock guards here is valid after every step, so a panic elsewhere does not spoil it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whether or not a holder panicked before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
