//! What may be asked of a store: so many requests a second, and so many at the same time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lets requests through at their pace.
#[derive(Debug)]
pub(super) struct Budget {
    /// Time of one request; zero for no limit.
    pace: Duration,
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    running: usize,
    /// When the next request may begin, if no more than `most` come at once.
    due: Instant,
}

/// A request under way; its place is free when this is dropped.
#[derive(Debug)]
pub(super) struct Permit<'b>(&'b Budget);

impl Budget {
    /// `rate`: requests a second, 0 for no limit; `most`: at the same time.
    pub(super) fn new(rate: u32, most: usize) -> Budget {
        let pace = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
        let state = State { running: 0, due: Instant::now() };
        Budget { pace, most, state: Mutex::new(state), freed: Condvar::new() }
    }

    /// Waits for a place and for the time that a request is due.
    pub(super) fn enter(&self) -> Permit<'_> {
        let mut state = self.lock();
        while state.running >= self.most {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running += 1;
        let now = Instant::now();
        let due = state.due.max(now);
        state.due = due + self.pace;
        drop(state);
        std::thread::sleep(due.saturating_duration_since(now));
        Permit(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn requests_keep_to_the_pace_and_the_places() {
        let budget = Budget::new(200, 3);
        let (running, highest) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let permit = budget.enter();
                        highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(1));
                        running.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                });
            }
        });
        // The first of forty is due at once, the last after 39 steps of 5 ms.
        assert!(begun.elapsed() >= Duration::from_millis(194), "{:?}", begun.elapsed());
        assert!(highest.load(Ordering::SeqCst) <= 3);
    }
}
