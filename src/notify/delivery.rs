//! Delivery: the threads that carry messages from the outbox to queues, webhooks and HTTP subscriptions.
//!
//! One thread fills queues, trims the outbox and tells the workers what is new. Workers serve receivers: one at a time each,
//! in the order of the outbox, so that a receiver hears of a dataset's changes in their order. A receiver is a place in the
//! outbox and nothing more: one that takes nothing costs a row, however much waits for it. IMPORTANT: one that fails or is
//! slow moves to workers of its own, so that it cannot hold up those that answer.

use super::address::Allowed;
use super::body::Style;
use super::push::Pusher;
use super::queue::{Queues, locked, random};
use super::receiver::Target;
use super::signing::Signer;
use super::topic::Strategy;
use crate::error::{Error, ErrorKind, Result};
use crate::model::now;
use crate::store::Durability;
use crate::store::notice::{self, CursorRow, DeadRow, OutboxRow};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Threads for receivers that answer.
const WORKERS: usize = 8;
/// Threads for receivers that failed, or took long, the last time.
const SLOW_WORKERS: usize = 4;
/// A receiver that takes longer than this is slow.
const SLOW: Duration = Duration::from_secs(1);
/// Events that are read together.
const STEP: usize = 64;
/// Longest that a worker stays with one receiver.
const TURN: Duration = Duration::from_secs(2);
/// Longest between two looks at what can be trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(10);
/// Events that everybody was told of and that are kept for replay.
pub const KEPT_EVENTS: u64 = 10_000;
/// Age from which events go, whoever was not told.
pub const MAX_AGE: Duration = Duration::from_secs(7 * 86_400);
/// Longest text of a failure that is kept.
const MAX_FAILURE: usize = 300;

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver took it.
    Taken,
    /// It did not, for this reason.
    Failed(String),
    /// It wants nothing more (HTTP status 410).
    Gone,
}

/// Carries one message to one receiver.
pub(super) trait Carrier: Send + Sync {
    fn carry(&self, target: &Target, row: &OutboxRow) -> Outcome;
}

/// The running threads; they end when it is dropped.
pub struct Running {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    queues: Arc<Queues>,
    style: Style,
    carrier: Box<dyn Carrier>,
    board: Mutex<Board>,
    changed: Condvar,
}

#[derive(Default)]
struct Board {
    slots: BTreeMap<String, Slot>,
    settled: u64,
    stopped: bool,
}

/// A receiver, as the workers see it.
struct Slot {
    target: Target,
    busy: bool,
    slow: bool,
    suspended: bool,
    /// Milliseconds since 1970 before which it is left alone.
    due: u64,
    /// It has nothing up to this number.
    idle: u64,
    /// When it was last served: who waits longest is next.
    served: u64,
}

impl Shared {
    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    pub(super) fn start(queues: Arc<Queues>, style: Style, carrier: Box<dyn Carrier>) -> Result<Running> {
        if queues.staffed.swap(true, Ordering::AcqRel) {
            return Err(Error::new(ErrorKind::Locked, "the delivery of this database is running already"));
        }
        queues.outbox.close(false);
        let shared = Arc::new(Shared { queues, style, carrier, board: Mutex::default(), changed: Condvar::new() });
        let mut running = Running { shared: Arc::clone(&shared), threads: Vec::new() };
        running.spawn("medialith-outbox", coordinate)?;
        for number in 0..WORKERS + SLOW_WORKERS {
            running.spawn("medialith-notify", move |shared| work(shared, number >= WORKERS))?;
        }
        Ok(running)
    }

    /// Starts to deliver, with HTTP requests to webhooks and subscriptions.
    pub fn push(
        queues: Arc<Queues>,
        style: Style,
        allowed: Allowed,
        signer: Arc<Signer>,
        certificate_url: String,
    ) -> Result<Running> {
        let pusher = Pusher::new(allowed, style.clone(), signer, certificate_url);
        Running::start(queues, style, Box::new(pusher))
    }

    fn spawn(&mut self, name: &str, run: impl Fn(&Shared) + Send + 'static) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let builder = std::thread::Builder::new().name(name.into()).stack_size(512 << 10);
        let thread = builder.spawn(move || run(&shared));
        self.threads.push(thread.map_err(|e| Error::io("start a thread of the delivery", e))?);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.board().stopped = true;
        self.shared.changed.notify_all();
        self.shared.queues.outbox.close(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to do.
            drop(thread.join());
        }
        self.shared.queues.outbox.close(false);
        self.shared.queues.staffed.store(false, Ordering::Release);
    }
}

/// Fills queues, trims, and tells the workers.
fn coordinate(shared: &Shared) {
    let queues = &shared.queues;
    let (mut seen, mut woken, mut trimmed) = (0, None, None::<Instant>);
    loop {
        let now_woken = queues.outbox.woken();
        if woken != Some(now_woken) && reload(shared).is_ok() {
            woken = Some(now_woken);
        }
        // What cannot be stored now is tried again with the next event, or in a second.
        let more = queues.fan_out(&shared.style).unwrap_or(false);
        if trimmed.is_none_or(|at| at.elapsed() > TRIM_EVERY) {
            let oldest = now().0.saturating_sub(i64::try_from(MAX_AGE.as_nanos()).unwrap_or(i64::MAX));
            drop(queues.trim(KEPT_EVENTS, oldest));
            trimmed = Some(Instant::now());
        }
        if more {
            continue;
        }
        match queues.outbox.wait_for(seen, now_woken, Duration::from_secs(1)) {
            Some(settled) => seen = settled,
            None => return,
        }
        shared.board().settled = seen;
        shared.changed.notify_all();
    }
}

/// Takes over which receivers there are, and where they stand.
fn reload(shared: &Shared) -> Result<()> {
    let queues = &shared.queues;
    let reader = queues.store.reader();
    let targets = queues.targets(&reader)?;
    let mut board = shared.board();
    let mut slots = BTreeMap::new();
    for target in targets {
        let name = target.receiver();
        let cursor = queues.cursor(&reader, &name)?;
        let old = board.slots.remove(&name);
        let slot = Slot {
            target,
            busy: old.as_ref().is_some_and(|slot| slot.busy),
            slow: old.as_ref().map_or(cursor.tries > 0, |slot| slot.slow),
            suspended: cursor.suspended,
            due: u64::try_from(cursor.due / 1_000_000).unwrap_or(0),
            idle: cursor.done,
            served: old.as_ref().map_or(0, |slot| slot.served),
        };
        slots.insert(name, slot);
    }
    board.slots = slots;
    drop(board);
    shared.changed.notify_all();
    Ok(())
}

/// Serves receivers until it is stopped.
fn work(shared: &Shared, slow: bool) {
    while let Some((name, target)) = next(shared, slow) {
        let turn = Turn { shared, name: &name, target: &target };
        let served = catch_unwind(AssertUnwindSafe(|| turn.serve()));
        let left = served.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a delivery panicked")));
        let mut board = shared.board();
        let now = shared.queues.clock.millis();
        if let Some(slot) = board.slots.get_mut(&name) {
            (slot.busy, slot.served) = (false, now);
            match left {
                Ok(left) => {
                    (slot.slow, slot.due, slot.idle) = (left.slow, left.due, left.idle);
                    slot.suspended |= left.suspended;
                }
                // The store is in trouble: not at once again.
                Err(_) => (slot.slow, slot.due) = (true, now.saturating_add(1000)),
            }
        }
        drop(board);
        shared.changed.notify_all();
    }
}

/// Waits for a receiver that wants something.
fn next(shared: &Shared, slow: bool) -> Option<(String, Target)> {
    let mut board = shared.board();
    loop {
        if board.stopped {
            return None;
        }
        let (now, settled) = (shared.queues.clock.millis(), board.settled);
        let wants = |slot: &Slot| !slot.busy && slot.slow == slow && !slot.suspended && slot.idle < settled;
        let waiting = board.slots.iter_mut().filter(|(_, slot)| wants(slot));
        let first = waiting.min_by_key(|(_, slot)| (slot.due.max(now), slot.served));
        let pause = match first {
            Some((name, slot)) if slot.due <= now => {
                slot.busy = true;
                return Some((name.clone(), slot.target.clone()));
            }
            Some((_, slot)) => Duration::from_millis(slot.due - now),
            None => Duration::from_secs(3600),
        };
        board = shared.changed.wait_timeout(board, pause).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// One worker's time with one receiver.
struct Turn<'s> {
    shared: &'s Shared,
    name: &'s str,
    target: &'s Target,
}

/// How a receiver was left.
struct Left {
    slow: bool,
    suspended: bool,
    due: u64,
    idle: u64,
}

impl Turn<'_> {
    fn serve(&self) -> Result<Left> {
        let queues = &self.shared.queues;
        let (begun, mut slow) = (Instant::now(), false);
        let mut cursor = queues.cursor(&queues.store.reader(), self.name)?;
        // Where its row stands: `cursor` runs ahead over what is not for it.
        let mut stored = cursor.done;
        let changed = |slow| Ok(Left { slow, suspended: false, due: 0, idle: 0 });
        loop {
            let rows = queues.outbox.read(&queues.store, cursor.done.saturating_add(1), STEP)?;
            let end = rows.len() < STEP;
            for (number, row) in rows {
                if !self.target.wants(&row) {
                    cursor.done = number;
                    continue;
                }
                let started = Instant::now();
                let outcome = self.shared.carrier.carry(self.target, &row);
                slow |= started.elapsed() > SLOW;
                cursor = after(cursor, number, &outcome, self.strategy(), random()?);
                if !self.settle(stored, &cursor, Some((number, &row)))? {
                    return changed(slow);
                }
                stored = cursor.done;
                let taken = outcome == Outcome::Taken;
                if !taken || begun.elapsed() > TURN || self.shared.board().stopped {
                    let due = u64::try_from(cursor.due / 1_000_000).unwrap_or(0);
                    return Ok(Left { slow: slow || !taken, suspended: cursor.suspended, due, idle: cursor.done });
                }
            }
            if end || begun.elapsed() > TURN {
                if cursor.done > stored && !self.settle(stored, &cursor, None)? {
                    return changed(slow);
                }
                return Ok(Left { slow, suspended: false, due: 0, idle: cursor.done });
            }
        }
    }

    fn strategy(&self) -> Strategy {
        match self.target {
            Target::Webhook(webhook) => webhook.strategy,
            Target::Push(subscription) => subscription.strategy,
        }
    }

    /// Stores where the receiver is now, and what it will never take; false where somebody else moved or removed it.
    fn settle(&self, expected: u64, cursor: &CursorRow, tried: Option<(u64, &OutboxRow)>) -> Result<bool> {
        let queues = &self.shared.queues;
        let _catalog = locked(&queues.catalog);
        let row = queues.store.reader().row::<CursorRow>(&notice::cursor(self.name))?;
        let Some(row) = row.filter(|row| row.done == expected) else { return Ok(false) };
        let mut batch = queues.store.batch();
        if let Some((number, event)) = tried.filter(|_| cursor.dead > row.dead) {
            let dead = DeadRow {
                event: event.clone(),
                tries: row.tries.saturating_add(1),
                time: cursor.failed,
                failure: cursor.failure.clone(),
            };
            batch.put(&notice::dead(self.name, number), &dead)?;
        }
        let suspended = row.suspended || cursor.suspended;
        batch.put(&notice::cursor(self.name), &CursorRow { suspended, ..cursor.clone() })?;
        // Lost with the power, the message is sent once more.
        queues.store.commit(batch, Durability::Buffered)?;
        Ok(true)
    }
}

/// Where a receiver is after a try of event `number`; `spread` is any number.
fn after(cursor: CursorRow, number: u64, outcome: &Outcome, strategy: Strategy, spread: u64) -> CursorRow {
    let present = now().0;
    let failed = |why: &str| CursorRow {
        failure: why.chars().take(MAX_FAILURE).collect(),
        failed: present,
        tries: cursor.tries.saturating_add(1),
        ..cursor.clone()
    };
    let later = |millis: u64| present.saturating_add(i64::try_from(millis).unwrap_or(0).saturating_mul(1_000_000));
    match outcome {
        Outcome::Taken => {
            let delivered = cursor.delivered.saturating_add(1);
            CursorRow { done: number, tries: 0, due: 0, given_up: 0, delivered, ..cursor }
        }
        Outcome::Gone => CursorRow { suspended: true, ..failed("status 410: it wants nothing more") },
        Outcome::Failed(why) => {
            let failed = failed(why);
            let retries = if cursor.given_up > 0 { 0 } else { strategy.retries() };
            if failed.tries <= retries {
                return CursorRow { due: later(strategy.pause_millis(failed.tries, spread)), ..failed };
            }
            let (given_up, dead) = (cursor.given_up.saturating_add(1), cursor.dead.saturating_add(1));
            let due = later(Strategy::Decay.pause_millis(given_up, spread));
            CursorRow { done: number, tries: 0, due, given_up, dead, ..failed }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, EventType};
    use crate::notify::{Outbox, WebhookSpec};
    use crate::store::{Store, StoreOptions};

    #[test]
    fn retries_end_and_what_comes_after_is_tried_once_each() {
        let failed = Outcome::Failed("no".into());
        let mut cursor = CursorRow::default();
        for tries in 1..=3 {
            cursor = after(cursor, 7, &failed, Strategy::Backoff, 5_000);
            assert_eq!((cursor.tries, cursor.done, cursor.dead), (tries, 0, 0));
            let pause = (cursor.due - cursor.failed) / 1_000_000;
            assert_eq!(pause, 15_000);
        }
        cursor = after(cursor, 7, &failed, Strategy::Backoff, 0);
        assert_eq!((cursor.tries, cursor.done, cursor.dead, cursor.given_up), (0, 7, 1, 1));
        cursor = after(cursor, 8, &failed, Strategy::Backoff, 0);
        assert_eq!((cursor.done, cursor.dead, cursor.given_up), (8, 2, 2));
        assert_eq!((cursor.due - cursor.failed) / 1_000_000, 2_000);
        cursor = after(cursor, 9, &Outcome::Taken, Strategy::Backoff, 0);
        assert_eq!((cursor.done, cursor.delivered, cursor.given_up, cursor.due), (9, 1, 0, 0));
        assert!(after(cursor, 10, &Outcome::Gone, Strategy::Backoff, 0).suspended);
    }

    #[test]
    fn the_decay_lasts_a_day() {
        let pauses: Vec<u64> = (1..=176).map(|tries| Strategy::Decay.pause_millis(tries, 0) / 1000).collect();
        assert_eq!(pauses.get(..11).unwrap(), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512]);
        let total: u64 = pauses.iter().sum();
        assert!((86_000..=87_000).contains(&total), "{total}");
    }

    /// Takes and refuses as it is told, and keeps the ids of what it saw.
    #[derive(Default)]
    struct Scripted {
        refuse: Mutex<Vec<String>>,
        seen: Mutex<Vec<String>>,
    }

    impl Carrier for Arc<Scripted> {
        fn carry(&self, _: &Target, row: &OutboxRow) -> Outcome {
            locked(&self.seen).push(row.id.clone());
            let refused = locked(&self.refuse).contains(&row.id);
            if refused { Outcome::Failed("refused".into()) } else { Outcome::Taken }
        }
    }

    impl Scripted {
        fn wait(&self, expected: &[&str]) {
            let begun = Instant::now();
            while *locked(&self.seen) != expected {
                assert!(begun.elapsed() < Duration::from_secs(30), "{:?} is not {expected:?}", locked(&self.seen));
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    fn queues(dir: &std::path::Path) -> Arc<Queues> {
        let store = Arc::new(Store::open(dir, &StoreOptions::small()).unwrap());
        let outbox = Arc::new(Outbox::open(&store.reader()).unwrap());
        Arc::new(Queues::open(store, outbox, Durability::Buffered))
    }

    fn announce(queues: &Queues, id: &str) {
        let event = Event {
            id: id.into(),
            kind: EventType::INDEX,
            project: "p".into(),
            dataset: "d".into(),
            topic: String::new(),
            time: now(),
            content: "{}".into(),
        };
        let mut batch = queues.store.batch();
        let announced = queues.outbox.announce(&mut batch, &[event]).unwrap();
        queues.store.commit(batch, Durability::Buffered).unwrap();
        drop(announced);
    }

    #[test]
    fn dead_letters_are_kept_and_told_again_and_what_was_told_can_be_replayed() {
        let dir = tempfile::tempdir().unwrap();
        let queues = queues(dir.path());
        let spec = WebhookSpec { url: "https://example.com/".into(), ..WebhookSpec::default() };
        queues.add_webhook("w", &spec).unwrap();
        // As after a message that was given up: what is refused now is dead at once.
        let mut batch = queues.store.batch();
        batch.put(&notice::cursor("webhook:w"), &CursorRow { given_up: 1, ..CursorRow::default() }).unwrap();
        queues.store.commit(batch, Durability::Buffered).unwrap();
        ["a", "b", "c"].iter().for_each(|id| announce(&queues, id));
        let script = Arc::new(Scripted::default());
        locked(&script.refuse).push("a".into());
        let running = Running::start(Arc::clone(&queues), Style::default(), Box::new(Arc::clone(&script))).unwrap();
        script.wait(&["a", "b", "c"]);
        let dead = queues.dead_letters("webhook:w", 0, 10).unwrap();
        assert_eq!((dead.len(), dead[0].number, dead[0].id.as_str(), dead[0].failure.as_str()), (1, 1, "a", "refused"));
        locked(&script.refuse).clear();
        assert_eq!(queues.replay_dead("webhook:w").unwrap(), 1);
        script.wait(&["a", "b", "c", "a"]);
        assert!(queues.dead_letters("webhook:w", 0, 10).unwrap().is_empty());
        // What is sent and not yet written down when a replay begins is sent again and counted once.
        let delivered = || queues.receivers().unwrap().pop().unwrap().delivered;
        while delivered() < 3 {
            std::thread::sleep(Duration::from_millis(5));
        }
        queues.replay("webhook:w", 2).unwrap();
        script.wait(&["a", "b", "c", "a", "b", "c", "a"]);
        assert!(queues.replay("webhook:w", 99).is_err() && queues.replay("webhook:x", 1).is_err());
        drop(running);
        let state = queues.receivers().unwrap().pop().unwrap();
        assert_eq!((state.name.as_str(), state.delivered, state.dead, state.behind), ("webhook:w", 6, 1, 0));
        queues.remove_webhook("w").unwrap();
        assert!(queues.receivers().unwrap().iter().all(|r| r.name == "queues"));
    }

    #[test]
    fn events_go_when_everybody_was_told_or_they_are_old() {
        let dir = tempfile::tempdir().unwrap();
        let queues = queues(dir.path());
        let spec = WebhookSpec { url: "https://example.com/".into(), ..WebhookSpec::default() };
        queues.add_webhook("w", &spec).unwrap();
        (0..20).for_each(|n| announce(&queues, &n.to_string()));
        assert!(!queues.fan_out(&Style::default()).unwrap());
        queues.trim(5, 0).unwrap();
        assert_eq!(queues.outbox.state().events(), 20, "the webhook was not told yet");
        let mut batch = queues.store.batch();
        batch.put(&notice::cursor("webhook:w"), &CursorRow { done: 18, ..CursorRow::default() }).unwrap();
        queues.store.commit(batch, Durability::Buffered).unwrap();
        queues.trim(5, 0).unwrap();
        assert_eq!((queues.outbox.state().first, queues.outbox.state().lost), (16, 0), "the newest are kept");
        queues.trim(5, now().0 + 1).unwrap();
        assert_eq!((queues.outbox.state().events(), queues.outbox.state().lost), (0, 2), "old ones go, told or not");
        let again = Outbox::open(&queues.store.reader()).unwrap();
        assert_eq!((again.state().first, again.state().last, again.state().lost), (21, 20, 2));
    }
}
