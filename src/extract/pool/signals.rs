//! The pool's own primitives over atomics: who sleeps, who may still enter, who answers. Each is checked over every interleaving
//! (`tests/it/interleavings.rs`, which compiles this file against atomics that it controls).

use super::atomics::{AtomicBool, AtomicUsize, Ordering, fence};

/// A sleeper's flag. A sleeper sets it, then looks for work once more; a poster makes work, then looks at the flag.
/// IMPORTANT: all four steps and the fences between them are sequentially consistent, so at least one side sees the other.
pub(super) struct Nap {
    asleep: AtomicBool,
}

impl Nap {
    pub(super) fn new() -> Nap {
        Nap { asleep: AtomicBool::new(false) }
    }

    /// Announces sleep. The caller must look for work once more before it sleeps.
    pub(super) fn lie_down(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Takes the announcement back.
    pub(super) fn get_up(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Whether the caller, of all that ask, is the one to wake the sleeper. The caller must have made the work before
    /// [`posted`] and this.
    pub(super) fn wake(&self) -> bool {
        self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst)
    }
}

/// The poster's step between making work and looking at flags.
pub(super) fn posted() {
    fence(Ordering::SeqCst);
}

/// Counts jobs under way and knows whether more may come; says when the last one has left.
pub(super) struct Turnstile {
    inside: AtomicUsize,
    closed: AtomicBool,
}

impl Turnstile {
    pub(super) fn new() -> Turnstile {
        Turnstile { inside: AtomicUsize::new(0), closed: AtomicBool::new(false) }
    }

    /// Counts one more, unless closed. Where it refuses, the caller leaves again by [`Turnstile::leave`].
    pub(super) fn enter(&self) -> bool {
        // IMPORTANT: count first, look second; `close` does it the other way round.
        self.inside.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        !self.closed.load(Ordering::SeqCst)
    }

    /// Counts one less; tells whether that was the last one ever.
    pub(super) fn leave(&self) -> bool {
        if self.inside.fetch_sub(1, Ordering::SeqCst) != 1 {
            return false;
        }
        fence(Ordering::SeqCst);
        if !self.closed.load(Ordering::SeqCst) {
            return false;
        }
        // IMPORTANT: look once more after `closed`: another may have been let in between the count and the closing.
        fence(Ordering::SeqCst);
        self.inside() == 0
    }

    /// Lets no more in; tells whether nobody is inside.
    pub(super) fn close(&self) -> bool {
        self.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.inside() == 0
    }

    pub(super) fn inside(&self) -> usize {
        self.inside.load(Ordering::SeqCst)
    }
}

/// Who answers a job: worker or watchdog, never both.
pub(super) struct Claim {
    taken: AtomicBool,
}

impl Claim {
    pub(super) fn new() -> Claim {
        Claim { taken: AtomicBool::new(false) }
    }

    /// Whether the caller is the first.
    pub(super) fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::AcqRel)
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }
}
