//! The jail: what a worker gives up before it sees the first foreign byte.

mod calls;
mod files;
mod limits;

pub(super) use limits::Allowed;

use super::Posture;

/// Gives up everything but what reading one file takes, in an order in which each step is still allowed. A step that this
/// kernel or this user cannot do is left out and shows in the posture; the daemon decides whether that is enough.
///
/// IMPORTANT: the process has one thread; user, Landlock and filter apply to the calling thread only.
pub(super) fn enter(memory_bytes: u64) -> Posture {
    limits::close_all_but_the_standard_streams();
    limits::offer_to_the_memory_killer();
    let unprivileged = limits::drop_root();
    let limits = limits::set(memory_bytes) && limits::give_up_privileges();
    let landlock = files::deny();
    // IMPORTANT: last, because it forbids all of the above.
    let seccomp = calls::filter();
    Posture { limits, seccomp, landlock, unprivileged, counted: super::memory::is_present() }
}
