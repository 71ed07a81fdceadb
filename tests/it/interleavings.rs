//! The pool's primitives over every interleaving of their steps: loom runs each model with all orders of atomic operations that
//! the memory model allows. The code is the product's own file, compiled against loom's atomics.

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
}

#[path = "../../src/extract/pool/signals.rs"]
mod signals;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use signals::{Claim, Nap, Turnstile, posted};

/// Two posters and a sleeper: whoever posts last is seen by the sleeper before it sleeps, or wakes it. Exactly one wakes it.
#[test]
fn no_job_waits_while_the_worker_sleeps() {
    loom::model(|| {
        let (nap, work, wakes) = (Arc::new(Nap::new()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let posters: Vec<_> = (0..2)
            .map(|_| {
                let (nap, work, wakes) = (Arc::clone(&nap), Arc::clone(&work), Arc::clone(&wakes));
                thread::spawn(move || {
                    work.fetch_add(1, Ordering::Relaxed);
                    posted();
                    if nap.wake() {
                        wakes.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        nap.lie_down();
        let saw = work.load(Ordering::Relaxed);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        let woken = wakes.load(Ordering::SeqCst);
        assert!(saw == 2 || woken == 1, "saw {saw} of 2 jobs, woken {woken} times");
        nap.get_up();
    });
}

/// The control: a sleeper that looks for work before it announces sleep is missed in some order.
#[test]
#[should_panic(expected = "missed")]
fn looking_before_lying_down_is_found_out() {
    loom::model(|| {
        let (nap, work) = (Arc::new(Nap::new()), Arc::new(AtomicUsize::new(0)));
        let (other, jobs) = (Arc::clone(&nap), Arc::clone(&work));
        let poster = thread::spawn(move || {
            jobs.fetch_add(1, Ordering::Relaxed);
            posted();
            other.wake()
        });
        let saw = work.load(Ordering::SeqCst);
        nap.lie_down();
        let woken = poster.join().unwrap();
        assert!(saw == 1 || woken, "missed");
    });
}

/// Closing against entering and leaving: the end is announced at least once, and never while a job that was let in is inside.
#[test]
fn the_end_is_announced_after_the_last_job() {
    // All orders of three threads take minutes; those with at most two preemptions show the races that are known.
    let mut few = loom::model::Builder::new();
    few.preemption_bound = Some(2);
    few.check(|| {
        let (door, inside, ends) =
            (Arc::new(Turnstile::new()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs: Vec<_> = (0..2)
            .map(|_| {
                let (door, inside, ends) = (Arc::clone(&door), Arc::clone(&inside), Arc::clone(&ends));
                thread::spawn(move || {
                    let let_in = door.enter();
                    if let_in {
                        inside.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                    if door.leave() {
                        assert_eq!(inside.load(Ordering::SeqCst), 0);
                        ends.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        if door.close() {
            ends.fetch_add(1, Ordering::SeqCst);
        }
        jobs.into_iter().for_each(|job| job.join().unwrap());
        assert!(ends.load(Ordering::SeqCst) >= 1 && door.inside() == 0);
        assert!(!door.enter());
    });
}

/// Worker and watchdog: one answer.
#[test]
fn one_answers() {
    loom::model(|| {
        let claim = Arc::new(Claim::new());
        let other = Arc::clone(&claim);
        let watchdog = thread::spawn(move || other.take());
        let mine = claim.take();
        assert!(mine != watchdog.join().unwrap() && claim.is_taken());
    });
}
