//! Commands that were told to keep to little memory.

use super::args::Place;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Memory below which it is scarce.
const SCARCE: u64 = 192 << 20;
/// How long mimalloc keeps freed pages, in milliseconds (mimalloc, "Environment Options").
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// Whether batches should be small and freed memory should go back at once.
pub(crate) fn is_scarce(place: &Place) -> bool {
    place.memory.is_some_and(|memory| memory < SCARCE)
}

/// Starts the command over with an allocator that gives freed pages back at once: it reads its options only when a
/// process starts. The new program takes this one's place, with its number and its open streams; where that fails, the
/// command goes on and takes more memory.
pub(crate) fn restart_if_scarce(place: &Place) {
    if !is_scarce(place) || std::env::var_os(PURGE_DELAY).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let _failed = Command::new(program).args(std::env::args_os().skip(1)).env(PURGE_DELAY, "0").exec();
    }
}
