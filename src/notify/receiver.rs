//! Receivers: who is told, how far each is, what each never took; replay.

use super::outbox::begin_at;
use super::queue::{Queues, locked};
use super::topic::{Endpoint, Subscription};
use super::webhook::{Webhook, webhooks};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Timestamp;
use crate::store::notice::{self, CursorRow, DeadRow, OutboxRow, SubscriptionRow};
use crate::store::rows::Row;
use crate::store::{Durability, Reader};

/// The receiver that puts messages of topics into queues.
pub const QUEUES: &str = "queues";

/// Where a receiver's messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Webhook(Webhook),
    Push(Subscription),
}

impl Target {
    /// The name that its place in the outbox is kept under.
    pub(super) fn receiver(&self) -> String {
        match self {
            Target::Webhook(webhook) => Webhook::receiver(&webhook.name),
            Target::Push(subscription) => Subscription::receiver(&subscription.topic, &subscription.name),
        }
    }

    /// Whether it is told of a row.
    pub(super) fn wants(&self, row: &OutboxRow) -> bool {
        if !row.receiver.is_empty() {
            return row.receiver == self.receiver();
        }
        match self {
            Target::Webhook(webhook) => webhook.wants(row),
            Target::Push(s) => row.topic == s.topic && (s.filter_tag.is_empty() || s.filter_tag == row.tag),
        }
    }
}

/// How far a receiver has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverState {
    /// `webhook:<name>`, `subscription:<topic>/<name>`, or [`QUEUES`].
    pub name: String,
    /// Where its messages go.
    pub endpoint: String,
    /// Number of the last event that it is done with.
    pub done: u64,
    /// Events after it, its own or not.
    pub behind: u64,
    /// Tries of the next one so far.
    pub tries: u32,
    /// When it is tried again; `None` for at once.
    pub due: Option<Timestamp>,
    /// Messages that it took.
    pub delivered: u64,
    /// Messages that were given up.
    pub dead: u64,
    /// What went wrong last, or empty.
    pub failure: String,
    /// When that was.
    pub failed: Option<Timestamp>,
    /// Nothing is sent until it is resumed.
    pub suspended: bool,
}

/// A message that a receiver never took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Number of the event.
    pub number: u64,
    /// Identity of the event or message.
    pub id: String,
    /// Type of the event; empty for a published message.
    pub kind: String,
    /// Tries.
    pub tries: u32,
    /// When it was given up.
    pub time: Timestamp,
    /// What went wrong the last time.
    pub failure: String,
}

impl Queues {
    /// Every receiver but the queues: webhooks and HTTP subscriptions.
    pub(super) fn targets(&self, reader: &Reader<'_>) -> Result<Vec<Target>> {
        let mut targets: Vec<Target> = webhooks(reader)?.into_iter().map(Target::Webhook).collect();
        let mut rows = reader.scan(&notice::all_subscriptions(), None)?;
        while let Some((key, value)) = rows.current()? {
            let names = notice::subscription_names(key);
            let (topic, name) = names.ok_or_else(|| Error::corrupted("a key of a subscription has no names"))?;
            let subscription = Subscription::of(topic, name, &SubscriptionRow::decode(value)?);
            if let Ok(Endpoint::Http(_)) = Endpoint::parse(&subscription.endpoint) {
                targets.push(Target::Push(subscription));
            }
            rows.advance();
        }
        Ok(targets)
    }

    pub(super) fn cursor(&self, reader: &Reader<'_>, receiver: &str) -> Result<CursorRow> {
        Ok(reader.row(&notice::cursor(receiver))?.unwrap_or_default())
    }

    /// Every receiver, and how far it is.
    pub fn receivers(&self) -> Result<Vec<ReceiverState>> {
        let reader = self.store.reader();
        let last = self.outbox.state().last;
        let mut states = vec![state(QUEUES, "queues of subscriptions", &self.cursor(&reader, QUEUES)?, last)];
        for target in self.targets(&reader)? {
            let (name, endpoint) = match &target {
                Target::Webhook(webhook) => (target.receiver(), &webhook.url),
                Target::Push(subscription) => (target.receiver(), &subscription.endpoint),
            };
            states.push(state(&name, endpoint, &self.cursor(&reader, &name)?, last));
        }
        Ok(states)
    }

    fn existing(&self, receiver: &str) -> Result<CursorRow> {
        let absent = || Error::new(ErrorKind::NotFound, format!("the receiver {receiver:?} does not exist"));
        self.store.reader().row(&notice::cursor(receiver))?.ok_or_else(absent)
    }

    fn set_cursor(&self, receiver: &str, cursor: &CursorRow) -> Result<()> {
        let mut batch = self.store.batch();
        batch.put(&notice::cursor(receiver), cursor)?;
        self.land(batch)?;
        self.outbox.wake();
        Ok(())
    }

    /// Tells a receiver again everything from event `from` on that is still kept.
    pub fn replay(&self, receiver: &str, from: u64) -> Result<()> {
        let _catalog = locked(&self.catalog);
        let cursor = self.existing(receiver)?;
        let state = self.outbox.state();
        if !(state.first..=state.last.saturating_add(1)).contains(&from) {
            let (first, end) = (state.first, state.last.saturating_add(1));
            return Err(Error::invalid(format!("from: expected {first} to {end}, which are kept, got {from}")));
        }
        let (delivered, dead) = (cursor.delivered, cursor.dead);
        self.set_cursor(receiver, &CursorRow { delivered, dead, ..begin_at(from.saturating_sub(1)) })
    }

    /// Sends nothing to a receiver until it is resumed, or resumes it at once.
    pub fn suspend(&self, receiver: &str, suspended: bool) -> Result<()> {
        let _catalog = locked(&self.catalog);
        let cursor = self.existing(receiver)?;
        self.set_cursor(receiver, &CursorRow { suspended, tries: 0, due: 0, given_up: 0, ..cursor })
    }

    /// What a receiver never took, from event `from` on.
    pub fn dead_letters(&self, receiver: &str, from: u64, most: usize) -> Result<Vec<DeadLetter>> {
        self.existing(receiver)?;
        let found = self.dead_rows(receiver, from, most)?;
        let letter = |(number, row): (u64, DeadRow)| DeadLetter {
            number,
            id: row.event.id,
            kind: row.event.kind,
            tries: row.tries,
            time: Timestamp(row.time),
            failure: row.failure,
        };
        Ok(found.into_iter().map(letter).collect())
    }

    fn dead_rows(&self, receiver: &str, from: u64, most: usize) -> Result<Vec<(u64, DeadRow)>> {
        let reader = self.store.reader();
        let mut rows = reader.scan(&notice::dead_of(receiver), Some(&notice::dead(receiver, from)))?;
        let mut found = Vec::new();
        while found.len() < most
            && let Some((key, value)) = rows.current()?
        {
            let number = notice::dead_number(key);
            let number = number.ok_or_else(|| Error::corrupted("a key of a dead letter has no number"))?;
            found.push((number, DeadRow::decode(value)?));
            rows.advance();
        }
        Ok(found)
    }

    /// Puts what a receiver never took at the end of what it is to be told; answers how many there were.
    pub fn replay_dead(&self, receiver: &str) -> Result<u64> {
        let _catalog = locked(&self.catalog);
        self.existing(receiver)?;
        let mut count = 0;
        loop {
            let found = self.dead_rows(receiver, 0, 1000)?;
            if found.is_empty() {
                return Ok(count);
            }
            count += found.len() as u64;
            let mut batch = self.store.batch();
            let (numbers, rows): (Vec<u64>, Vec<OutboxRow>) = found
                .into_iter()
                .map(|(number, row)| (number, OutboxRow { receiver: receiver.to_owned(), ..row.event }))
                .unzip();
            let announced = self.outbox.put(&mut batch, &rows)?;
            numbers.iter().try_for_each(|number| batch.delete(&notice::dead(receiver, *number)))?;
            self.land(batch)?;
            drop(announced);
        }
    }

    /// Drops what a receiver never took.
    pub fn drop_dead(&self, receiver: &str) -> Result<()> {
        let _catalog = locked(&self.catalog);
        self.existing(receiver)?;
        let mut batch = self.store.batch();
        batch.delete_all(&notice::dead_of(receiver))?;
        self.land(batch)
    }

    /// Removes the events that every receiver is done with, but for the newest `keep`, and those older than `oldest`
    /// (nanoseconds since 1970) whoever was not told.
    pub(super) fn trim(&self, keep: u64, oldest: i64) -> Result<()> {
        let reader = self.store.reader();
        let state = self.outbox.state();
        let mut done = self.cursor(&reader, QUEUES)?.done;
        for target in self.targets(&reader)? {
            done = done.min(self.cursor(&reader, &target.receiver())?.done);
        }
        drop(reader);
        let through = done.min(state.last.saturating_sub(keep));
        let mut old = state.first.saturating_sub(1);
        loop {
            let rows = self.outbox.read(&self.store, old.saturating_add(1), 256)?;
            let aged = rows.iter().take_while(|(_, row)| row.time < oldest).last().map(|(number, _)| *number);
            let all = rows.last().map(|(number, _)| *number) == aged;
            old = aged.unwrap_or(old);
            if aged.is_none() || !all {
                break;
            }
        }
        let lost = old.saturating_sub(done.max(state.first.saturating_sub(1)));
        let mut batch = self.store.batch();
        if self.outbox.forget(&mut batch, through.max(old), lost)? {
            self.store.commit(batch, Durability::Buffered)?;
        }
        Ok(())
    }
}

fn state(name: &str, endpoint: &str, cursor: &CursorRow, last: u64) -> ReceiverState {
    let time = |nanos: i64| (nanos > 0).then_some(Timestamp(nanos));
    ReceiverState {
        name: name.to_owned(),
        endpoint: endpoint.to_owned(),
        done: cursor.done,
        behind: last.saturating_sub(cursor.done),
        tries: cursor.tries,
        due: time(cursor.due),
        delivered: cursor.delivered,
        dead: cursor.dead,
        failure: cursor.failure.clone(),
        failed: time(cursor.failed),
        suspended: cursor.suspended,
    }
}
