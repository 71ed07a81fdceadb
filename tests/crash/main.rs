//! Deaths and faults from outside: kill -9 at random moments, loss of power, blocks that never reached the disk, failing system
//! calls, a full disk, rotten bits. A child writes and acknowledges on a pipe; the supervisor lets it die, opens the database,
//! and compares it with what was acknowledged. Each harness has a control that must fail.
//!
//! What needs root or a device says `skipped: why` where it cannot run. Sizes are those of a change; `./dev soak` sets those of a
//! night (docs/reliability.md).
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail by panicking, as its assertions do, and say what they skip"
)]

mod blocks;
#[path = "../child/mod.rs"]
mod child;
#[cfg(feature = "models")]
mod clusters;
mod films;
mod full;
mod power;
#[path = "../receiver/mod.rs"]
#[expect(dead_code, reason = "no binary needs all of it")]
mod receiver;
mod rig;
mod rot;
mod sweep;
mod tasks;
#[path = "../told/mod.rs"]
mod told;
mod world;

use std::time::Duration;
use world::{Dice, Lie, Supervisor, times};

/// Longest life of a child in milliseconds; opening is part of it.
const LIFE: u64 = 500;

/// The child that writes until it dies.
#[test]
#[ignore = "started by the supervisor"]
fn victim() {
    world::live();
}

/// The child that answers errors.
#[test]
#[ignore = "started by the supervisor"]
fn persistent() {
    world::persist();
}

/// One life and death of a child, and what is found afterwards.
fn crash(supervisor: &mut Supervisor, lie: Option<Lie>) -> Result<(), String> {
    let mut victim = supervisor.start(lie);
    std::thread::sleep(Duration::from_millis(supervisor.dice.below(LIFE)));
    // One that has already ended cannot be killed.
    drop(victim.child.kill());
    let said = victim.ended().1;
    supervisor.note(&said);
    supervisor.verify(1)
}

#[test]
fn nothing_acknowledged_is_lost() {
    let crashes = times("MEDIALITH_CRASHES", 15);
    let dir = tempfile::tempdir().unwrap();
    let mut supervisor = Supervisor::new(dir.path().to_owned(), u64::from(std::process::id()));
    for death in 1..=crashes {
        crash(&mut supervisor, None).unwrap_or_else(|lost| panic!("crash {death}: {lost}"));
    }
    assert!(supervisor.acknowledged > crashes, "the children lived long enough to write: {}", supervisor.acknowledged);
    supervisor.report(&format!("kill -9: crashes {crashes}"));
    let slowest = supervisor.reopened.iter().map(|(time, _)| *time).max().unwrap();
    assert!(slowest < Duration::from_secs(10), "a restart replays little: {slowest:?}");
}

/// The control: a child that acknowledges before it commits is found out.
#[test]
fn a_lying_child_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut supervisor = Supervisor::new(dir.path().to_owned(), 7);
    let found_out = (0..40)
        .any(|_| crash(&mut supervisor, Some(Lie::AckFirst)).is_err_and(|lost| lost.contains("rounds are there")));
    assert!(found_out, "acknowledgements before the commit pass for durable");
}
