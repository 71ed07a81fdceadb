//! The atomics that the pool's primitives stand on; a test puts others in their place.

pub(super) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
