//! Ctrl-C, SIGTERM and SIGHUP: the first asks the running command to stop cleanly, the second ends it at once.

use super::exit::Exit;
use super::output::complain;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Catches the signals from now on and returns the flag that they raise. Commands that only read do not call this:
/// they may end anywhere.
pub(crate) fn watch() -> &'static AtomicBool {
    let caught = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        complain("stopping after what is in hand; once more to stop at once");
    });
    if let Err(e) = caught {
        complain(format_args!("Ctrl-C will end the run at once: {e}"));
    }
    &ASKED
}
