//! The ways a pool can go wrong (house-style rule 35), each ended by a deadline.

use super::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a test job does to its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Double,
    Panic,
    PanicOddly,
    Hang,
    Sleep(u64),
}

type Job = (u64, Deed);

/// Work that does as told. `Hang` ends when `release` is set, so that no test leaves a thread behind for ever.
#[derive(Clone, Default)]
struct Obedient {
    release: Arc<AtomicBool>,
    running: Arc<AtomicUsize>,
    most_running: Arc<AtomicUsize>,
    /// Scratches that panic before one is built.
    bad_scratches: Arc<AtomicUsize>,
    scratches: Arc<AtomicUsize>,
}

impl Obedient {
    fn hang(&self) {
        while !self.release.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Work for Obedient {
    type Job = Job;
    type Done = u64;
    type Scratch = Vec<u64>;

    fn scratch(&self) -> Vec<u64> {
        self.scratches.fetch_add(1, Ordering::SeqCst);
        let bad = |n: usize| n.checked_sub(1);
        if self.bad_scratches.fetch_update(Ordering::SeqCst, Ordering::SeqCst, bad).is_ok() {
            panic!("no scratch today");
        }
        Vec::new()
    }

    fn run(&self, scratch: &mut Vec<u64>, &(number, deed): &Job) -> u64 {
        scratch.push(number);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        match deed {
            Deed::Double => {}
            Deed::Panic => {
                self.running.fetch_sub(1, Ordering::SeqCst);
                panic!("job {number} is bad");
            }
            Deed::PanicOddly => std::panic::panic_any(number),
            Deed::Hang => self.hang(),
            Deed::Sleep(millis) => std::thread::sleep(Duration::from_millis(millis)),
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        number * 2
    }
}

/// The same, several jobs at once, but for every fifth: it leaves out every fourth, as work may.
struct Greedy(Obedient);

impl Work for Greedy {
    type Job = Job;
    type Done = u64;
    type Scratch = Vec<u64>;

    fn scratch(&self) -> Vec<u64> {
        self.0.scratch()
    }

    fn run(&self, scratch: &mut Vec<u64>, job: &Job) -> u64 {
        self.0.run(scratch, job)
    }

    fn at_once(&self) -> usize {
        8
    }

    fn is_alone(&self, job: &Job) -> bool {
        job.0.is_multiple_of(5)
    }

    fn run_all(&self, scratch: &mut Vec<u64>, hand: &Hand<'_, Greedy>) {
        assert!(!hand.jobs().any(|job| self.is_alone(job)), "a job that is done alone came with others");
        assert!(hand.jobs().count() <= self.at_once());
        for (place, job) in hand.jobs().enumerate().filter(|(_, job)| job.0 % 4 != 1) {
            hand.begin(place);
            hand.done(place, self.0.run(scratch, job));
            // Of two answers the first counts.
            hand.done(place, 0);
        }
    }
}

/// Runs a test body in a thread and fails if it has not ended in time.
fn within(seconds: u64, body: impl FnOnce() + Send + 'static) {
    let (done, ended) = crossbeam::channel::bounded(1);
    let thread = std::thread::spawn(move || {
        body();
        done.send(()).unwrap();
    });
    if ended.recv_timeout(Duration::from_secs(seconds)).is_err() && !thread.is_finished() {
        panic!("not ended after {seconds} s");
    }
    thread.join().unwrap();
}

fn options(threads: usize, timeout_ms: u64) -> PoolOptions {
    PoolOptions { timeout: Duration::from_millis(timeout_ms), ..PoolOptions::threads(threads) }
}

/// Submits all jobs from one thread, receiving as places run out; answers by job number.
fn drive<W: Work<Job = Job, Done = u64>>(
    pool: &Pool<W>,
    jobs: impl IntoIterator<Item = Job>,
) -> BTreeMap<u64, Result<u64, Failure>> {
    let mut answers = BTreeMap::new();
    let mut keep = |answer: Answer<W>| {
        let number = answer.job().0;
        assert!(answers.insert(number, answer.outcome).is_none(), "job {number} was answered twice");
    };
    for job in jobs {
        while pool.try_submit(job).is_err() {
            keep(pool.recv().unwrap());
        }
    }
    pool.finish();
    while let Some(answer) = pool.recv() {
        keep(answer);
    }
    assert_eq!(pool.pending(), 0);
    answers
}

#[test]
fn every_job_is_answered_exactly_once() {
    within(60, || {
        for threads in [1, 2, 8] {
            let pool = Pool::new(Obedient::default(), options(threads, 30_000)).unwrap();
            let answers = drive(&pool, (0..20_000).map(|n| (n, Deed::Double)));
            assert_eq!(answers.len(), 20_000);
            assert!(answers.iter().all(|(number, outcome)| *outcome == Ok(number * 2)));
        }
    });
}

#[test]
fn jobs_that_are_done_together_are_answered_each_for_itself() {
    within(60, || {
        for threads in [1, 3] {
            let pool = Pool::new(Greedy(Obedient::default()), options(threads, 30_000)).unwrap();
            let deed = |n| if n % 50 == 3 { Deed::Panic } else { Deed::Double };
            let answers = drive(&pool, (0..5000).map(|n| (n, deed(n))));
            assert_eq!(answers.len(), 5000);
            for (number, outcome) in answers {
                let expected = match deed(number) {
                    Deed::Panic => Err(Failure::Panicked(format!("job {number} is bad"))),
                    _ => Ok(number * 2),
                };
                assert_eq!(outcome, expected);
            }
        }
    });
}

#[test]
fn a_stuck_job_costs_none_of_those_in_the_same_hand() {
    within(60, || {
        let work = Obedient::default();
        let pool = Pool::new(Greedy(work.clone()), options(2, 200)).unwrap();
        let deed = |n| if n % 40 == 2 { Deed::Hang } else { Deed::Double };
        let answers = drive(&pool, (0..200).map(|n| (n, deed(n))));
        assert_eq!(answers.len(), 200);
        for (number, outcome) in answers {
            let expected = match deed(number) {
                Deed::Hang => Err(Failure::TimedOut(Duration::from_millis(200))),
                _ => Ok(number * 2),
            };
            assert_eq!(outcome, expected, "{number}");
        }
        // Those that come back find their other jobs answered, and serve again.
        work.release.store(true, Ordering::SeqCst);
        while pool.stuck() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

#[test]
fn many_submitters_and_receivers() {
    within(60, || {
        let pool = Pool::new(Obedient::default(), PoolOptions { in_flight: 3, ..options(3, 30_000) }).unwrap();
        let seen = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let receivers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        while pool.recv().is_some() {
                            seen.fetch_add(1, Ordering::SeqCst);
                        }
                    })
                })
                .collect();
            let submitters: Vec<_> = (0..4u64)
                .map(|_| {
                    scope.spawn(|| {
                        (0..2_000).for_each(|n| {
                            pool.submit((n, Deed::Double)).unwrap();
                        })
                    })
                })
                .collect();
            submitters.into_iter().for_each(|s| s.join().unwrap());
            pool.finish();
            receivers.into_iter().for_each(|r| r.join().unwrap());
        });
        assert_eq!(seen.load(Ordering::SeqCst), 8_000);
        assert_eq!(pool.submit((0, Deed::Double)), Err(Refused::Finished((0, Deed::Double))));
        assert!(pool.recv().is_none());
    });
}

#[test]
fn a_panic_costs_one_job() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), options(2, 30_000)).unwrap();
        let deed = |n| {
            if n == 3 {
                Deed::PanicOddly
            } else if n % 10 == 0 {
                Deed::Panic
            } else {
                Deed::Double
            }
        };
        let answers = drive(&pool, (0..100).map(|n| (n, deed(n))));
        assert_eq!(answers.len(), 100);
        assert_eq!(answers[&20], Err(Failure::Panicked("job 20 is bad".into())));
        assert_eq!(answers[&3], Err(Failure::Panicked("no message".into())));
        assert_eq!(answers.values().filter(|outcome| outcome.is_err()).count(), 11);
        assert!(work.scratches.load(Ordering::SeqCst) >= 11, "state that a panic may have spoilt was used again");
    });
}

#[test]
fn a_panic_while_building_a_worker_costs_one_job() {
    within(30, || {
        let work = Obedient::default();
        work.bad_scratches.store(5, Ordering::SeqCst);
        let pool = Pool::new(work, options(4, 30_000)).unwrap();
        let answers = drive(&pool, (0..50).map(|n| (n, Deed::Double)));
        let failed: Vec<_> = answers.values().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(failed, [&Failure::Panicked("no scratch today".into()); 5]);
        assert_eq!(answers.len(), 50);
    });
}

#[test]
fn more_threads_than_work_and_no_work_at_all() {
    within(30, || {
        for jobs in [0, 1, 3] {
            let pool = Pool::new(Obedient::default(), options(64, 30_000)).unwrap();
            assert_eq!(drive(&pool, (0..jobs).map(|n| (n, Deed::Double))).len() as u64, jobs);
        }
    });
}

#[test]
fn quitting_while_idle_is_prompt() {
    within(30, || {
        let pool = Pool::new(Obedient::default(), options(8, 30_000)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        drop(pool);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    });
}

#[test]
fn dropping_while_busy_does_not_wait_for_the_queue() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), PoolOptions { in_flight: 1000, ..options(2, 30_000) }).unwrap();
        for n in 0..1000 {
            pool.submit((n, Deed::Sleep(20))).unwrap();
        }
        let start = Instant::now();
        drop(pool);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_eq!(work.running.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn dropping_does_not_wait_for_a_stuck_job() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), options(2, 3_600_000)).unwrap();
        pool.submit((1, Deed::Hang)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        drop(pool);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        work.release.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_stuck_job_is_given_up_and_its_worker_replaced() {
    within(60, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), options(2, 100)).unwrap();
        let deed = |n| if n < 6 { Deed::Hang } else { Deed::Double };
        let answers = drive(&pool, (0..500).map(|n| (n, deed(n))));
        let limit = Duration::from_millis(100);
        assert!((0..6).all(|n| answers[&n] == Err(Failure::TimedOut(limit))), "{answers:?}");
        assert!((6..500).all(|n| answers[&n] == Ok(n * 2)));
        assert_eq!(pool.stuck(), 6);
        work.release.store(true, Ordering::SeqCst);
        while pool.stuck() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

#[test]
fn with_every_worker_stuck_the_rest_fails_rather_than_waits() {
    within(60, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), PoolOptions { max_stuck: 1, ..options(2, 50) }).unwrap();
        for n in 0..9 {
            pool.submit((n, Deed::Hang)).unwrap();
        }
        let answers: Vec<_> = (0..9).map(|_| pool.recv().unwrap().outcome.unwrap_err()).collect();
        let timed_out = answers.iter().filter(|failure| matches!(failure, Failure::TimedOut(_))).count();
        assert_eq!((timed_out, answers.len()), (3, 9), "{answers:?}");
        assert_eq!(answers[8], Failure::NoWorker(3));
        // The stuck ones come back: the pool works again.
        work.release.store(true, Ordering::SeqCst);
        while pool.stuck() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let answers = drive(&pool, (0..200).map(|n| (n, Deed::Double)));
        assert!(answers.len() == 200 && answers.values().all(Result::is_ok), "{answers:?}");
    });
}

#[test]
fn submission_waits_when_the_pool_is_full() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), PoolOptions { in_flight: 4, ..options(2, 30_000) }).unwrap();
        for n in 0..4 {
            pool.try_submit((n, Deed::Hang)).unwrap();
        }
        assert_eq!(pool.try_submit((9, Deed::Double)), Err(Refused::Full((9, Deed::Double))));
        std::thread::scope(|scope| {
            let blocked = scope.spawn(|| pool.submit((4, Deed::Double)));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!blocked.is_finished() && pool.pending() == 4);
            work.release.store(true, Ordering::SeqCst);
            // Done is not enough: the place is free when the answer is received.
            assert!(pool.recv().is_some());
            blocked.join().unwrap().unwrap();
        });
        assert_eq!(drive(&pool, []).len(), 4);
        assert!(work.most_running.load(Ordering::SeqCst) <= 2);
    });
}

#[test]
fn workers_share_a_batch_that_one_of_them_took() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(work.clone(), PoolOptions { in_flight: 64, ..options(8, 30_000) }).unwrap();
        let answers = drive(&pool, (0..64).map(|n| (n, Deed::Sleep(20))));
        assert_eq!(answers.len(), 64);
        assert!(work.most_running.load(Ordering::SeqCst) == 8, "{:?}", work.most_running);
    });
}

#[test]
fn jobs_that_are_done_alone_wait_for_no_other() {
    within(30, || {
        let work = Obedient::default();
        let pool = Pool::new(Greedy(work.clone()), PoolOptions { in_flight: 64, ..options(8, 30_000) }).unwrap();
        // In between are some that are done together.
        let deed = |n: u64| if n.is_multiple_of(5) { Deed::Sleep(20) } else { Deed::Double };
        let answers = drive(&pool, (0..320).map(|n| (n, deed(n))));
        assert!((0..320).all(|n| answers[&n] == Ok(n * 2)));
        assert!(work.most_running.load(Ordering::SeqCst) == 8, "{:?}", work.most_running);
    });
}

#[test]
fn an_idle_pool_burns_no_processor_time() {
    within(30, || {
        let pool = Pool::new(Obedient::default(), options(16, 200)).unwrap();
        drive(&pool, [(1, Deed::Double)]);
        std::thread::sleep(Duration::from_millis(20));
        let before = own_threads_ticks();
        std::thread::sleep(Duration::from_millis(500));
        let spent = own_threads_ticks() - before;
        // A spinning thread would spend 50 ticks of 10 ms here. Other tests run pools too, hence the room.
        assert!(spent <= 16 * 10, "{spent} ticks");
        drop(pool);
    });
}

/// Processor time in clock ticks of the threads called as ours, from proc(5) `/proc/self/task/*/stat`.
fn own_threads_ticks() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let ticks = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        name.starts_with("medialith").then(|| fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
    });
    ticks.sum()
}

#[test]
fn options_keep_their_maxima() {
    for bad in [
        PoolOptions { threads: 0, ..PoolOptions::default() },
        PoolOptions { threads: 257, ..PoolOptions::default() },
        PoolOptions { in_flight: 0, ..PoolOptions::default() },
        PoolOptions { timeout: Duration::ZERO, ..PoolOptions::default() },
        PoolOptions { max_stuck: 1025, ..PoolOptions::default() },
    ] {
        assert!(Pool::new(Obedient::default(), bad).is_err(), "{bad:?}");
    }
}
