//! What the threads of a pool share: queues, counters and the rules for sleeping and waking.
//!
//! Sleeping is the classical two-flag protocol: a sleeper sets its flag, then looks at the queues; a poster fills a
//! queue, then looks at the flags (`signals`). So no job waits while every worker sleeps.

use super::desk::{Desk, Seat, place};
use super::hand::Held;
use super::options::PoolOptions;
use super::signals::{Claim, Turnstile, posted};
use super::work::{Answer, Failure, Work};
use crossbeam::channel::{Receiver, Sender};
use crossbeam::deque::{Injector, Steal};
use crossbeam::queue::ArrayQueue;
use crossbeam::sync::{Parker, Unparker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::{Duration, Instant};

/// Tasks moved at least from the injector to a worker's deque: saves contention, leaves most for the others.
const BATCH: usize = 4;

/// One job on its way.
pub(super) struct Task<W: Work> {
    pub(super) job: W::Job,
    /// Taken by whoever answers it.
    answered: Claim,
}

impl<W: Work> Task<W> {
    pub(super) fn is_answered(&self) -> bool {
        self.answered.is_taken()
    }
}

/// What the answer channel carries.
pub(super) enum Message<W: Work> {
    /// A job's answer.
    Answer(Answer<W>),
    /// No answer will follow.
    End,
}

/// State of a pool, owned by its threads and its handle together.
pub(super) struct Shared<W: Work> {
    pub(super) work: W,
    pub(super) options: PoolOptions,
    pub(super) desks: Box<[Desk<W>]>,
    /// Places where no thread sits.
    pub(super) seats: ArrayQueue<Seat<W>>,
    injector: Injector<Arc<Task<W>>>,
    answers: Sender<Message<W>>,
    born: Instant,
    /// Jobs submitted and not yet received, and whether more may come.
    turnstile: Turnstile,
    /// Workers that serve the queues: neither stuck nor gone.
    on_duty: AtomicUsize,
    /// Threads that were given up and have not come back.
    stuck: AtomicUsize,
    quitting: AtomicBool,
    watchdog: Unparker,
    /// The other half of `watchdog`, until its thread takes it.
    pub(super) watchdog_bed: ArrayQueue<Parker>,
    watchdog_asleep: AtomicBool,
}

impl<W: Work> Shared<W> {
    pub(super) fn new(work: W, options: PoolOptions) -> (Arc<Shared<W>>, Receiver<Message<W>>) {
        let places = options.threads.saturating_add(options.max_stuck);
        let (desks, seats): (Vec<_>, Vec<_>) = (0..places).map(place).unzip();
        let free = ArrayQueue::new(places);
        for seat in seats {
            let _ = free.push(seat);
        }
        // Every answer holds a place of `in_flight`, and one `End` may lie beside them: sending never waits.
        let (answers, receiver) = crossbeam::channel::bounded(options.in_flight.saturating_add(1));
        let parker = Parker::new();
        let watchdog = parker.unparker().clone();
        let watchdog_bed = ArrayQueue::new(1);
        let _ = watchdog_bed.push(parker);
        let shared = Shared {
            work,
            options,
            desks: desks.into(),
            seats: free,
            injector: Injector::new(),
            answers,
            born: Instant::now(),
            turnstile: Turnstile::new(),
            on_duty: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            quitting: AtomicBool::new(false),
            watchdog,
            watchdog_bed,
            watchdog_asleep: AtomicBool::new(false),
        };
        (Arc::new(shared), receiver)
    }

    // Jobs in and out.

    /// Queues a job, or gives it back after [`Shared::close`].
    pub(super) fn post(&self, job: W::Job) -> Result<(), W::Job> {
        if !self.turnstile.enter() {
            self.received();
            return Err(job);
        }
        self.injector.push(Arc::new(Task { job, answered: Claim::new() }));
        self.wake_one();
        if self.watchdog_asleep.load(Ordering::SeqCst) {
            self.watchdog.unpark();
        }
        Ok(())
    }

    /// Answers a task unless that was done before; tells whether this call did it.
    pub(super) fn answer(&self, task: &Arc<Task<W>>, outcome: Result<W::Done, Failure>) -> bool {
        let first = task.answered.take();
        if first {
            // Fails only when the pool was dropped, and then nobody asks.
            let _ = self.answers.try_send(Message::Answer(Answer { task: Arc::clone(task), outcome }));
        }
        first
    }

    /// Counts one job less under way.
    pub(super) fn received(&self) {
        if self.turnstile.leave() {
            self.announce_end();
        }
    }

    /// Refuses further jobs.
    pub(super) fn close(&self) {
        if self.turnstile.close() {
            self.announce_end();
        }
    }

    /// Lets a receiver return `None`. One announcement at a time suffices: whoever takes it repeats it.
    pub(super) fn announce_end(&self) {
        let _ = self.answers.try_send(Message::End);
    }

    pub(super) fn pending(&self) -> usize {
        self.turnstile.inside()
    }

    // Finding work.

    /// A task from the injector or from another worker, some more of them into `seat`'s own deque: half of those that wait
    /// at most, so that a few are shared among the threads.
    pub(super) fn steal(&self, seat: &Seat<W>) -> Option<Arc<Task<W>>> {
        let most = self.work.at_once().max(BATCH);
        let injected = insist(|| self.injector.steal_batch_with_limit_and_pop(&seat.deque, most));
        injected.or_else(|| {
            let others = self.desks.iter().cycle().skip(seat.index).take(self.desks.len());
            others.filter(|desk| !desk.stealer.is_empty()).find_map(|desk| insist(|| desk.stealer.steal()))
        })
    }

    /// Any task that nobody has begun.
    pub(super) fn unbegun(&self) -> Option<Arc<Task<W>>> {
        insist(|| self.injector.steal()).or_else(|| self.desks.iter().find_map(|desk| insist(|| desk.stealer.steal())))
    }

    /// Whether a task waits in any queue.
    pub(super) fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.desks.iter().any(|desk| !desk.stealer.is_empty())
    }

    /// Takes tasks up together and shows them to the watchdog.
    pub(super) fn take_up(&self, desk: usize, tasks: Vec<Arc<Task<W>>>) -> Arc<Held<W>> {
        let held = Arc::new(Held::new(tasks, self.now()));
        if let Some(desk) = self.desks.get(desk) {
            desk.begun.force_push(Arc::clone(&held));
        }
        held
    }

    /// How long nothing has moved in a hand.
    pub(super) fn age(&self, held: &Held<W>) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(held.moved()))
    }

    /// Nanoseconds since the pool was built.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    // Sleeping and waking.

    /// Wakes one sleeping worker, if there is one.
    pub(super) fn wake_one(&self) {
        posted();
        let _ = self.desks.iter().any(Desk::wake);
    }

    /// Sleeps until there may be work.
    pub(super) fn sleep(&self, seat: &Seat<W>) {
        let Some(desk) = self.desks.get(seat.index) else { return };
        desk.nap.lie_down();
        if !self.has_work() && !self.is_quitting() {
            seat.parker.park();
        }
        desk.nap.get_up();
    }

    /// The watchdog's sleep: for a while when jobs are under way, else until one comes.
    pub(super) fn doze(&self, parker: &Parker, tick: Duration) {
        self.watchdog_asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if self.pending() == 0 && !self.is_quitting() {
            parker.park();
        }
        self.watchdog_asleep.store(false, Ordering::SeqCst);
        parker.park_timeout(tick);
    }

    /// Asks every thread to leave after what it is doing.
    pub(super) fn quit(&self) {
        self.quitting.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.desks.iter().for_each(Desk::shake);
        self.watchdog.unpark();
    }

    pub(super) fn is_quitting(&self) -> bool {
        self.quitting.load(Ordering::SeqCst)
    }

    // Who serves.

    pub(super) fn on_duty(&self) -> usize {
        self.on_duty.load(Ordering::SeqCst)
    }

    pub(super) fn stuck(&self) -> usize {
        self.stuck.load(Ordering::SeqCst)
    }

    /// Counts one worker more, unless there are enough.
    pub(super) fn join_duty(&self) -> bool {
        let more = |count: usize| (count < self.options.threads).then(|| count.saturating_add(1));
        self.on_duty.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Counts one worker less.
    pub(super) fn leave_duty(&self) {
        self.on_duty.fetch_sub(1, Ordering::SeqCst);
        self.watchdog.unpark();
    }

    /// Gives a hand up unless its worker comes to its end first; that costs the pool the worker. The task that it is at
    /// fails, the others wait for another worker.
    pub(super) fn give_up(&self, held: &Held<W>, limit: Duration) {
        // IMPORTANT: counted before the hand is over, because the worker may come back right after.
        self.stuck.fetch_add(1, Ordering::SeqCst);
        if !held.over.take() {
            self.stuck.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        let at = held.at();
        for (place, task) in held.tasks.iter().enumerate().filter(|(_, task)| !task.is_answered()) {
            if place == at {
                self.answer(task, Err(Failure::TimedOut(limit)));
            } else {
                self.injector.push(Arc::clone(task));
                self.wake_one();
            }
        }
        self.leave_duty();
    }

    /// A worker that was given up is back; tells whether it is wanted again.
    pub(super) fn come_back(&self) -> bool {
        self.stuck.fetch_sub(1, Ordering::SeqCst);
        self.join_duty()
    }
}

/// Repeats a steal that lost a race; each loss means that another thread got on.
fn insist<T>(mut steal: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(item) => return Some(item),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
