//! Queues: their names and attributes, as MNS has them (notifications.md 5 and 6).

use super::clock::Clock;
use super::outbox::Outbox;
use crate::codec::order;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Listing;
use crate::model::event::check_name;
use crate::store::notice::{self, QueueRow};
use crate::store::rows::Row;
use crate::store::{Batch, Durability, Key, Reader, Store};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most queues, and most topics, of one database.
pub const MAX_QUEUES: usize = 10_000;
/// Most bytes of a message body that a caller may send.
pub const MAX_MESSAGE_BYTES: u32 = 65_536;

/// What can be chosen of a queue: ranges and defaults are those of MNS; spans in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueSpec {
    /// `VisibilityTimeout`, 1 to 43,200, by default 30.
    pub visibility: Option<u32>,
    /// `MaximumMessageSize` in bytes, 1,024 to [`MAX_MESSAGE_BYTES`], by default that.
    pub message_bytes: Option<u32>,
    /// `MessageRetentionPeriod`, 60 to 1,296,000, by default 345,600.
    pub retention: Option<u32>,
    /// `DelaySeconds`, 0 to 604,800, by default 0.
    pub delay: Option<u32>,
    /// `PollingWaitSeconds`, 0 to 30, by default 0.
    pub polling_wait: Option<u32>,
    /// `LoggingEnabled`: kept and echoed.
    pub logging: Option<bool>,
}

/// A queue as it is now; times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its attributes and times.
    pub row: QueueRow,
    /// Messages that can be received.
    pub active: u64,
    /// Messages that somebody has received and may yet delete.
    pub inactive: u64,
    /// Messages that cannot be received yet for the first time.
    pub delayed: u64,
}

/// Whether something was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    New,
    /// It was there, with the same attributes.
    Same,
}

/// The queues and topics of a database.
pub struct Queues {
    pub(super) store: Arc<Store>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) durability: Durability,
    pub(super) clock: Clock,
    /// Held by whoever makes or removes queues, topics, subscriptions and webhooks.
    pub(super) catalog: Mutex<()>,
    /// Held by whoever changes the messages of a queue, by its number.
    lanes: Mutex<HashMap<u64, Arc<Mutex<Lane>>>>,
    pub(super) bell: Bell,
    /// Somebody delivers.
    pub(super) staffed: AtomicBool,
}

/// What is remembered of a queue so that the rows of what is gone are not walked over again and again. All of it may be
/// lower than it must be.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Number of the next message; 0 while it is unknown.
    pub(super) next: u64,
    /// For each priority, a number that no receivable message is below.
    pub(super) visible: [u64; 17],
    /// A time that no hidden message becomes visible before.
    pub(super) due: u64,
    /// A number that no message is below.
    pub(super) oldest: u64,
    /// When the oldest were last looked at.
    pub(super) swept: u64,
}

/// Rings when a message can be received that could not be received before.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    fn wait(&self, seen: u64, patience: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(rung, patience, |rung| *rung <= seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queues {
    /// The queues of a store.
    pub fn open(store: Arc<Store>, outbox: Arc<Outbox>, durability: Durability) -> Queues {
        Queues {
            store,
            outbox,
            durability,
            clock: Clock::default(),
            catalog: Mutex::default(),
            lanes: Mutex::default(),
            bell: Bell::default(),
            staffed: AtomicBool::new(false),
        }
    }

    /// Seconds that a receiver waits for a message where it does not say.
    pub fn polling_wait(&self, queue: &str) -> Result<u32> {
        Ok(self.find(&self.store.reader(), queue)?.polling_wait)
    }

    /// Lets whoever waits for messages look again.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Waits until more messages than `seen` have come or become visible, at most `patience`; answers a number to wait on.
    /// A message that becomes visible by time rings nobody: ask again when [`Received::next`](super::Received) says.
    pub fn wait(&self, seen: u64, patience: Duration) -> u64 {
        self.bell.wait(seen, patience)
    }

    pub(super) fn lane(&self, queue: u64) -> Arc<Mutex<Lane>> {
        Arc::clone(locked(&self.lanes).entry(queue).or_default())
    }

    pub(super) fn find(&self, reader: &Reader<'_>, name: &str) -> Result<QueueRow> {
        check_name("queue", name)?;
        let absent = || Error::new(ErrorKind::NotFound, format!("the queue {name:?} does not exist"));
        reader.row(&notice::queue(name))?.ok_or_else(absent)
    }

    pub(super) fn land(&self, batch: Batch<'_>) -> Result<()> {
        self.store.commit(batch, self.durability)
    }

    /// Makes a queue. One of the same attributes may be there already; one of others is [`ErrorKind::AlreadyExists`].
    pub fn create_queue(&self, name: &str, spec: &QueueSpec) -> Result<Made> {
        check_name("queue", name)?;
        let _catalog = locked(&self.catalog);
        let (reader, now) = (self.store.reader(), self.clock.millis());
        let mut row = QueueRow {
            // Never the number of a removed queue, into which somebody may still be putting messages.
            id: random()?,
            visibility: 30,
            message_bytes: MAX_MESSAGE_BYTES,
            retention: 345_600,
            delay: 0,
            polling_wait: 0,
            logging: false,
            create_time: now,
            modify_time: now,
        };
        apply(&mut row, spec)?;
        if let Some(there) = reader.row::<QueueRow>(&notice::queue(name))? {
            let same = QueueRow { id: there.id, create_time: there.create_time, modify_time: there.modify_time, ..row };
            if same == there {
                return Ok(Made::Same);
            }
            let what = format!("the queue {name:?} exists already, with other attributes");
            return Err(Error::new(ErrorKind::AlreadyExists, what));
        }
        self.check_room(&reader, &notice::queue(""), "queues", MAX_QUEUES)?;
        let mut batch = self.store.batch();
        batch.put(&notice::queue(name), &row)?;
        self.land(batch)?;
        Ok(Made::New)
    }

    /// Changes what `spec` names of a queue.
    pub fn set_queue(&self, name: &str, spec: &QueueSpec) -> Result<()> {
        let _catalog = locked(&self.catalog);
        let mut row = self.find(&self.store.reader(), name)?;
        apply(&mut row, spec)?;
        row.modify_time = self.clock.millis();
        let mut batch = self.store.batch();
        batch.put(&notice::queue(name), &row)?;
        self.land(batch)
    }

    /// A queue with its counts, which take time in proportion to them.
    pub fn queue(&self, name: &str) -> Result<Queue> {
        let now = self.clock.millis();
        let reader = self.store.reader();
        let row = self.find(&reader, name)?;
        let mut queue = Queue { name: name.to_owned(), active: 0, inactive: 0, delayed: 0, row };
        let mut rows = reader.scan(&notice::messages(queue.row.id), None)?;
        while let Some((_, value)) = rows.current()? {
            let message = notice::MessageRow::decode(value)?;
            let count = match (message.hidden && message.next_visible > now, message.dequeued) {
                (false, _) => &mut queue.active,
                (true, 0) => &mut queue.delayed,
                (true, _) => &mut queue.inactive,
            };
            *count += 1;
            rows.advance();
        }
        Ok(queue)
    }

    /// Removes a queue with its messages; an absent one is fine.
    pub fn delete_queue(&self, name: &str) -> Result<()> {
        check_name("queue", name)?;
        let _catalog = locked(&self.catalog);
        let Some(row) = self.store.reader().row::<QueueRow>(&notice::queue(name))? else { return Ok(()) };
        let lane = self.lane(row.id);
        let _nobody_else = locked(&lane);
        let mut batch = self.store.batch();
        batch.delete(&notice::queue(name))?;
        for prefix in [notice::messages(row.id), notice::all_visible(row.id), notice::all_hidden(row.id)] {
            batch.delete_all(&prefix)?;
        }
        self.land(batch)?;
        locked(&self.lanes).remove(&row.id);
        Ok(())
    }

    /// Names of queues that begin with `prefix`, from `marker` on; `most`: 1 to 1000, 0 for 1000.
    pub fn queue_names(&self, prefix: &str, marker: &str, most: usize) -> Result<Listing<String>> {
        names(&self.store.reader(), notice::queue, prefix, marker, most)
    }
}

/// Names behind the first byte of keys: a page of them.
pub(super) fn names(
    reader: &Reader<'_>,
    key: impl Fn(&str) -> Key,
    prefix: &str,
    marker: &str,
    most: usize,
) -> Result<Listing<String>> {
    let most = if most == 0 { 1000 } else { most.min(1000) };
    let fixed = key("").bytes.len();
    let from = key(if marker > prefix { marker } else { prefix });
    let mut rows = reader.scan(&key(prefix), Some(&from))?;
    let (mut items, mut next_token) = (Vec::new(), String::new());
    while let Some((bytes, _)) = rows.current()? {
        let name = bytes.get(fixed..).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("").to_owned();
        if items.len() == most {
            next_token = name;
            break;
        }
        items.push(name);
        rows.advance();
    }
    Ok(Listing { items, next_token })
}

fn apply(row: &mut QueueRow, spec: &QueueSpec) -> Result<()> {
    let set = |what: &str, slot: &mut u32, given: Option<u32>, least: u32, most: u32| match given {
        Some(got) if !(least..=most).contains(&got) => {
            Err(Error::invalid(format!("{what}: expected {least} to {most}, got {got}")))
        }
        Some(got) => {
            *slot = got;
            Ok(())
        }
        None => Ok(()),
    };
    set("VisibilityTimeout", &mut row.visibility, spec.visibility, 1, 43_200)?;
    set("MaximumMessageSize", &mut row.message_bytes, spec.message_bytes, 1024, MAX_MESSAGE_BYTES)?;
    set("MessageRetentionPeriod", &mut row.retention, spec.retention, 60, 1_296_000)?;
    set("DelaySeconds", &mut row.delay, spec.delay, 0, 604_800)?;
    set("PollingWaitSeconds", &mut row.polling_wait, spec.polling_wait, 0, 30)?;
    row.logging = spec.logging.unwrap_or(row.logging);
    Ok(())
}

/// The number of the message after the last of a queue.
pub(super) fn next_number(reader: &Reader<'_>, queue: u64) -> Result<u64> {
    let last = reader.last(&notice::messages(queue))?;
    let number = last.as_deref().and_then(notice::message_number);
    Ok(number.unwrap_or(0).saturating_add(1))
}

/// Random bytes as a number.
pub(super) fn random() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(ErrorKind::Io, format!("could not get random bytes for a message: {e}")))?;
    Ok(order::take_key(&bytes).map_or(0, |(number, _)| number))
}
