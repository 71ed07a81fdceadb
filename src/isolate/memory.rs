//! The counting allocator: in a worker it refuses what one file may not cost, everywhere else it only passes on.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Bytes that may be held at once; `usize::MAX` while nobody counts.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// Bytes held. Frees of what was taken before counting began stop at 0.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// Set once the limit refused something, until the next job.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// An allocator that counts in worker processes. Programs that serve as workers install it around their own:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: medialith::isolate::Counted<std::alloc::System> =
///     medialith::isolate::Counted(std::alloc::System);
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct Counted<A>(pub A);

#[expect(unsafe_code, reason = "an allocator is an unsafe trait; every call is passed on unchanged")]
// SAFETY: each method keeps the contract of `GlobalAlloc` because the inner allocator does: arguments are passed on as they
// came, and where the limit refuses, null is returned, which the trait allows. Nothing here allocates or unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        give(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !take(size.saturating_sub(layout.size())) {
            return std::ptr::null_mut();
        }
        give(layout.size().saturating_sub(size));
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.realloc(at, layout, size) }
    }
}

/// Counts bytes that are wanted; `false` if the limit is in the way.
fn take(bytes: usize) -> bool {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit == usize::MAX {
        return true;
    }
    // A worker has one thread: no other changes the count between the two steps.
    let held = HELD.load(Ordering::Relaxed).saturating_add(bytes);
    if held > limit {
        refuse();
        return false;
    }
    HELD.store(held, Ordering::Relaxed);
    true
}

fn give(bytes: usize) {
    if LIMIT.load(Ordering::Relaxed) != usize::MAX {
        HELD.store(HELD.load(Ordering::Relaxed).saturating_sub(bytes), Ordering::Relaxed);
    }
}

/// Tells the parent at once: most code aborts when memory is refused, and then nobody could.
#[cold]
fn refuse() {
    if !REFUSED.swap(true, Ordering::Relaxed) {
        super::worker::tell_of_refusal();
    }
}

/// Begins to count from 0, with a limit.
pub(super) fn begin(limit: usize) {
    REFUSED.store(false, Ordering::Relaxed);
    HELD.store(0, Ordering::Relaxed);
    LIMIT.store(limit.min(usize::MAX - 1), Ordering::Relaxed);
}

/// Stops counting; tells whether the limit refused anything.
pub(super) fn end() -> bool {
    LIMIT.store(usize::MAX, Ordering::Relaxed);
    REFUSED.swap(false, Ordering::Relaxed)
}

/// Whether the program's allocator counts.
pub(super) fn is_present() -> bool {
    begin(usize::MAX - 1);
    let probe = std::hint::black_box(Box::new([0u8; 64]));
    let counted = HELD.load(Ordering::Relaxed) > 0;
    drop(probe);
    end();
    counted
}
