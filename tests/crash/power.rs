//! Loss of power on a file system of our own: everything that was not synced is gone. Only acknowledgements that were heard before
//! the power went count: a sync under way at that moment may report success and be lost, which real disks do not do.
//!
//! `MEDIALITH_CUTS_OF_POWER=500` is the size of a night.

use crate::rig::{Disk, inside};
use crate::world::{Lie, Supervisor, times};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One cut, and what is found afterwards.
fn cut(disk: &Disk, supervisor: &mut Supervisor, lie: Option<Lie>) -> Result<(), String> {
    let mut victim = supervisor.start(lie);
    let (begun, life) = (Instant::now(), Duration::from_millis(supervisor.dice.below(200)));
    while victim.heard.load(Ordering::SeqCst) == 0 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(life);
    let heard = victim.heard.load(Ordering::SeqCst);
    disk.lose_power()?;
    drop(victim.child.kill());
    let said = victim.ended().1;
    supervisor.note(&said[..heard]);
    let late = (said.len() - heard) as u64 + 1;
    disk.unmount()?;
    disk.mount()?;
    supervisor.verify(late)
}

#[test]
fn power_may_go_at_any_moment() {
    if !inside("power::power_may_go_at_any_moment") {
        return;
    }
    let disk = match Disk::make(512) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: {why}"),
    };
    let cuts = times("MEDIALITH_CUTS_OF_POWER", 8);
    let mut supervisor = Supervisor::new(disk.mount.join("db"), u64::from(std::process::id()));
    for number in 1..=cuts {
        cut(&disk, &mut supervisor, None).unwrap_or_else(|lost| panic!("cut {number}: {lost}"));
    }
    supervisor.report(&format!("loss of power on ext4: cuts {cuts}"));
    assert!(supervisor.acknowledged > cuts, "the children lived long enough: {}", supervisor.acknowledged);
}

/// The control: commits without a sync are found missing.
#[test]
fn what_was_not_synced_is_missed() {
    if !inside("power::what_was_not_synced_is_missed") {
        return;
    }
    let disk = match Disk::make(512) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: {why}"),
    };
    let mut supervisor = Supervisor::new(disk.mount.join("db"), 5);
    let missed =
        (0..20).any(|_| cut(&disk, &mut supervisor, Some(Lie::NoSync)).is_err_and(|lost| lost.contains("rounds")));
    assert!(missed, "commits without a sync pass for durable");
}
