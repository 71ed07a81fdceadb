//! Locking without poisoning: what a lock guards here is valid after every step, so a panic elsewhere does not spoil it.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// Locks, whether or not a holder panicked before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks, or says that another holds it; waits for it only where `wait` is set.
pub(super) fn enter(mutex: &Mutex<()>, wait: bool) -> Option<MutexGuard<'_, ()>> {
    if wait {
        return Some(lock(mutex));
    }
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Joins those who share.
pub(super) fn share(rwlock: &RwLock<()>) -> RwLockReadGuard<'_, ()> {
    rwlock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until nobody shares and keeps it so.
pub(super) fn exclude(rwlock: &RwLock<()>) -> RwLockWriteGuard<'_, ()> {
    rwlock.write().unwrap_or_else(PoisonError::into_inner)
}
