//! Messages of a queue: sent, received, given back, deleted.
//!
//! A message is received by its number's row in `visible`, lowest priority number and then oldest first; received, it moves
//! to `hidden` until its time, and comes back unless it is deleted with its present receipt handle. Each call is one batch
//! under the lock of the queue. What a receiver is told may be lost with the power (it is then told again), what a sender
//! or a deleter is told may not.

use super::queue::{Lane, Queues, locked, next_number, random};
use crate::error::{Error, ErrorKind, Result};
use crate::store::notice::{self, MessageRow, QueueRow};
use crate::store::rows::Row;
use crate::store::{Batch, Durability, Reader};
use std::time::{Duration, Instant};

/// Most messages of one batch call.
pub const MAX_BATCH: usize = 16;
/// Priority of a message that names none (1 is first, 16 last).
pub const DEFAULT_PRIORITY: u8 = 8;
/// Messages beyond their retention that one call removes.
const SWEEP: usize = 256;
/// Least time between two looks at the oldest messages of a queue.
const SWEEP_MILLIS: u64 = 1000;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewMessage {
    /// `MessageBody`.
    pub body: String,
    /// `DelaySeconds`, 0 to 604,800; the queue's where it is not given.
    pub delay: Option<u32>,
    /// `Priority`, 1 (first) to 16; [`DEFAULT_PRIORITY`] where it is not given.
    pub priority: Option<u8>,
}

/// A message that was received or looked at. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `MessageId`.
    pub id: String,
    /// `ReceiptHandle`; empty where it was only looked at.
    pub receipt: String,
    /// `MessageBody`.
    pub body: String,
    /// `EnqueueTime`.
    pub enqueued: u64,
    /// `NextVisibleTime`.
    pub next_visible: u64,
    /// `FirstDequeueTime`.
    pub first_dequeued: u64,
    /// `DequeueCount`.
    pub dequeued: u32,
    /// `Priority`.
    pub priority: u8,
}

/// What a call to receive gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where there are none: when the next hidden one becomes visible.
    pub next: Option<u64>,
}

/// What became of a receipt handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled<T> {
    /// Done.
    Done(T),
    /// The message is gone, or somebody received it since.
    Gone,
    /// Not a receipt handle.
    Malformed,
}

/// A receipt handle: number of the message and what its row carries.
fn receipt(number: u64, token: u64) -> String {
    format!("{number:x}-{token:016x}")
}

fn parse_receipt(text: &str) -> Option<(u64, u64)> {
    let (number, token) = text.split_once('-')?;
    if number.len() > 16 || token.len() != 16 {
        return None;
    }
    Some((u64::from_str_radix(number, 16).ok()?, u64::from_str_radix(token, 16).ok()?))
}

/// `MessageId`: 32 upper-case hexadecimal digits, as MNS makes them.
pub(super) fn message_id() -> Result<String> {
    Ok(format!("{:016X}{:016X}", random()?, random()?))
}

impl Queues {
    /// Sends up to [`MAX_BATCH`] messages to a queue, all or none; answers the id of each.
    pub fn send(&self, queue: &str, messages: &[NewMessage]) -> Result<Vec<String>> {
        if !(1..=MAX_BATCH).contains(&messages.len()) {
            let got = messages.len();
            return Err(Error::invalid(format!("messages: expected 1 to {MAX_BATCH}, got {got}")));
        }
        let row = self.find(&self.store.reader(), queue)?;
        messages.iter().try_for_each(|message| check(message, row.message_bytes))?;
        let lane = self.lane(row.id);
        let mut lane = locked(&lane);
        let mut batch = self.store.batch();
        let ids = messages.iter().map(|_| message_id()).collect::<Result<Vec<_>>>()?;
        for (id, message) in ids.iter().zip(messages) {
            self.add(&mut batch, &row, &mut lane, id, message)?;
        }
        self.sweep(&mut batch, &row, &mut lane)?;
        // Removed meanwhile: its lane is no longer that of the name.
        self.find(&self.store.reader(), queue)?;
        self.land(batch)?;
        drop(lane);
        self.bell.ring();
        Ok(ids)
    }

    /// Puts a message into the batch; the lane's lock is held until the batch has landed.
    pub(super) fn add(
        &self,
        batch: &mut Batch<'_>,
        queue: &QueueRow,
        lane: &mut Lane,
        id: &str,
        message: &NewMessage,
    ) -> Result<()> {
        if lane.next == 0 {
            lane.next = next_number(&self.store.reader(), queue.id)?;
        }
        let (number, now) = (lane.next, self.clock.millis());
        lane.next = lane.next.saturating_add(1);
        let delay = u64::from(message.delay.unwrap_or(queue.delay)) * 1000;
        let row = MessageRow {
            id: id.to_owned(),
            body: message.body.clone(),
            priority: message.priority.unwrap_or(DEFAULT_PRIORITY),
            enqueued: now,
            first_dequeued: 0,
            next_visible: now.saturating_add(delay),
            dequeued: 0,
            hidden: delay > 0,
            receipt: 0,
        };
        place(batch, queue.id, number, &row, lane)
    }

    /// Receives up to `most` messages (1 to [`MAX_BATCH`]); where there is none, waits up to `wait` for one. `None`: the
    /// queue's `PollingWaitSeconds`.
    pub fn receive(&self, queue: &str, most: usize, wait: Option<Duration>) -> Result<Vec<Message>> {
        let polling = self.find(&self.store.reader(), queue)?.polling_wait;
        let wait = wait.unwrap_or(Duration::from_secs(u64::from(polling)));
        let (begun, mut seen) = (Instant::now(), self.wait(0, Duration::ZERO));
        loop {
            let received = self.try_receive(queue, most)?;
            let left = wait.saturating_sub(begun.elapsed());
            if !received.messages.is_empty() || left.is_zero() {
                return Ok(received.messages);
            }
            let until = received.next.map(|at| Duration::from_millis(at.saturating_sub(self.clock.millis()).max(1)));
            seen = self.wait(seen, until.unwrap_or(left).min(left));
        }
    }

    /// Receives without waiting.
    pub fn try_receive(&self, queue: &str, most: usize) -> Result<Received> {
        check_most(most)?;
        let row = self.find(&self.store.reader(), queue)?;
        let lane = self.lane(row.id);
        let mut lane = locked(&lane);
        let mut batch = self.store.batch();
        self.sweep(&mut batch, &row, &mut lane)?;
        let reader = self.store.reader();
        let next = self.surface(&mut batch, &reader, &row, &mut lane)?;
        // What just surfaced is visible in the next snapshot only.
        self.told(batch)?;
        let (reader, now) = (self.store.reader(), self.clock.millis());
        let mut batch = self.store.batch();
        let mut messages = Vec::new();
        for (number, mut message) in ready(&reader, row.id, &mut lane, most)? {
            batch.delete(&notice::visible(row.id, message.priority, number))?;
            message.dequeued = message.dequeued.saturating_add(1);
            message.first_dequeued = if message.first_dequeued == 0 { now } else { message.first_dequeued };
            message.next_visible = now.saturating_add(u64::from(row.visibility) * 1000);
            (message.hidden, message.receipt) = (true, random()?);
            place(&mut batch, row.id, number, &message, &mut lane)?;
            messages.push(told(number, message, true));
        }
        self.told(batch)?;
        Ok(Received { next: next.filter(|_| messages.is_empty()), messages })
    }

    /// Looks at up to `most` messages that can be received, and leaves them as they are.
    pub fn peek(&self, queue: &str, most: usize) -> Result<Vec<Message>> {
        check_most(most)?;
        let row = self.find(&self.store.reader(), queue)?;
        let lane = self.lane(row.id);
        let mut lane = locked(&lane);
        let mut batch = self.store.batch();
        self.sweep(&mut batch, &row, &mut lane)?;
        self.surface(&mut batch, &self.store.reader(), &row, &mut lane)?;
        self.told(batch)?;
        let found = ready(&self.store.reader(), row.id, &mut lane, most)?;
        Ok(found.into_iter().map(|(number, message)| told(number, message, false)).collect())
    }

    /// Deletes messages by their receipt handles; answers what became of each.
    pub fn delete(&self, queue: &str, receipts: &[String]) -> Result<Vec<Handled<()>>> {
        if !(1..=MAX_BATCH).contains(&receipts.len()) {
            let got = receipts.len();
            return Err(Error::invalid(format!("receipt handles: expected 1 to {MAX_BATCH}, got {got}")));
        }
        let row = self.find(&self.store.reader(), queue)?;
        let lane = self.lane(row.id);
        let _lane = locked(&lane);
        let reader = self.store.reader();
        let (mut batch, mut outcomes) = (self.store.batch(), Vec::with_capacity(receipts.len()));
        for handle in receipts {
            outcomes.push(match held(&reader, row.id, handle)? {
                Handled::Done((number, message)) => {
                    remove(&mut batch, row.id, number, &message)?;
                    Handled::Done(())
                }
                Handled::Gone => Handled::Gone,
                Handled::Malformed => Handled::Malformed,
            });
        }
        self.land(batch)?;
        Ok(outcomes)
    }

    /// Changes when a received message comes back: after `seconds` (0 to 43,200) from now. Answers the new receipt handle
    /// and the time.
    pub fn change_visibility(&self, queue: &str, handle: &str, seconds: u32) -> Result<Handled<(String, u64)>> {
        if seconds > 43_200 {
            return Err(Error::invalid(format!("VisibilityTimeout: expected 0 to 43200, got {seconds}")));
        }
        let row = self.find(&self.store.reader(), queue)?;
        let lane = self.lane(row.id);
        let mut lane = locked(&lane);
        let (number, mut message) = match held(&self.store.reader(), row.id, handle)? {
            Handled::Done(found) => found,
            Handled::Gone => return Ok(Handled::Gone),
            Handled::Malformed => return Ok(Handled::Malformed),
        };
        let mut batch = self.store.batch();
        remove(&mut batch, row.id, number, &message)?;
        message.next_visible = self.clock.millis().saturating_add(u64::from(seconds) * 1000);
        (message.hidden, message.receipt) = (seconds > 0, random()?);
        place(&mut batch, row.id, number, &message, &mut lane)?;
        self.store.commit(batch, Durability::Buffered)?;
        drop(lane);
        self.bell.ring();
        Ok(Handled::Done((receipt(number, message.receipt), message.next_visible)))
    }

    /// Lands what a receiver was told.
    fn told(&self, batch: Batch<'_>) -> Result<()> {
        if batch.is_empty() { Ok(()) } else { self.store.commit(batch, Durability::Buffered) }
    }

    /// Makes visible what has been hidden long enough; answers when the next is.
    fn surface(
        &self,
        batch: &mut Batch<'_>,
        reader: &Reader<'_>,
        row: &QueueRow,
        lane: &mut Lane,
    ) -> Result<Option<u64>> {
        let (queue, now) = (row.id, self.clock.millis());
        if lane.due > now {
            return Ok((lane.due != u64::MAX).then_some(lane.due));
        }
        let mut rows = reader.scan(&notice::all_hidden(queue), Some(&notice::hidden(queue, lane.due, 0)))?;
        lane.due = u64::MAX;
        while let Some((key, _)) = rows.current()? {
            let parts = notice::hidden_parts(key);
            let (until, number) = parts.ok_or_else(|| Error::corrupted("a key of a hidden message is cut short"))?;
            if until > now {
                lane.due = until;
                break;
            }
            // One beyond its retention is being swept away in the same batch, or soon.
            let message = reader.row::<MessageRow>(&notice::message(queue, number))?;
            if let Some(mut message) = message.filter(|message| !is_old(message, row, now)) {
                message.hidden = false;
                place(batch, queue, number, &message, lane)?;
            }
            batch.delete(&notice::hidden(queue, until, number))?;
            rows.advance();
        }
        Ok((lane.due != u64::MAX).then_some(lane.due))
    }

    /// Removes messages beyond their retention, some at a time.
    pub(super) fn sweep(&self, batch: &mut Batch<'_>, queue: &QueueRow, lane: &mut Lane) -> Result<()> {
        let now = self.clock.millis();
        if now < lane.swept.saturating_add(SWEEP_MILLIS) {
            return Ok(());
        }
        let reader = self.store.reader();
        let from = notice::message(queue.id, lane.oldest);
        let mut rows = reader.scan(&notice::messages(queue.id), Some(&from))?;
        for _ in 0..SWEEP {
            let Some((key, value)) = rows.current()? else { break };
            let number = notice::message_number(key).unwrap_or(0);
            let message = MessageRow::decode(value)?;
            lane.oldest = number;
            if !is_old(&message, queue, now) {
                lane.swept = now;
                break;
            }
            remove(batch, queue.id, number, &message)?;
            rows.advance();
        }
        Ok(())
    }
}

fn check(message: &NewMessage, most: u32) -> Result<()> {
    let got = message.body.len();
    if got == 0 || u32::try_from(got).map_or(true, |got| got > most) {
        return Err(Error::invalid(format!("MessageBody: expected 1 to {most} bytes, got {got}")));
    }
    if let Some(got) = message.priority.filter(|p| !(1..=16).contains(p)) {
        return Err(Error::invalid(format!("Priority: expected 1 to 16, got {got}")));
    }
    match message.delay.filter(|delay| *delay > 604_800) {
        Some(got) => Err(Error::invalid(format!("DelaySeconds: expected 0 to 604800, got {got}"))),
        None => Ok(()),
    }
}

/// Whether a message is beyond its retention.
fn is_old(message: &MessageRow, queue: &QueueRow, now: u64) -> bool {
    message.enqueued.saturating_add(u64::from(queue.retention) * 1000) <= now
}

fn check_most(most: usize) -> Result<()> {
    if (1..=MAX_BATCH).contains(&most) {
        return Ok(());
    }
    Err(Error::invalid(format!("numOfMessages: expected 1 to {MAX_BATCH}, got {most}")))
}

/// Puts the rows of a message, and lowers what the lane remembers.
fn place(batch: &mut Batch<'_>, queue: u64, number: u64, message: &MessageRow, lane: &mut Lane) -> Result<()> {
    batch.put(&notice::message(queue, number), message)?;
    if message.hidden {
        lane.due = lane.due.min(message.next_visible);
        return batch.put_bytes(&notice::hidden(queue, message.next_visible, number), &[]);
    }
    if let Some(lowest) = lane.visible.get_mut(usize::from(message.priority)) {
        *lowest = (*lowest).min(number);
    }
    batch.put_bytes(&notice::visible(queue, message.priority, number), &[])
}

/// Removes the rows of a message.
fn remove(batch: &mut Batch<'_>, queue: u64, number: u64, message: &MessageRow) -> Result<()> {
    batch.delete(&notice::message(queue, number))?;
    batch.delete(&notice::hidden(queue, message.next_visible, number))?;
    batch.delete(&notice::visible(queue, message.priority, number))
}

/// The first messages that can be received.
fn ready(reader: &Reader<'_>, queue: u64, lane: &mut Lane, most: usize) -> Result<Vec<(u64, MessageRow)>> {
    let mut found = Vec::new();
    for priority in 1..=16u8 {
        let Some(lowest) = lane.visible.get_mut(usize::from(priority)) else { break };
        if *lowest == u64::MAX || found.len() == most {
            continue;
        }
        let from = notice::visible(queue, priority, *lowest);
        let mut rows = reader.scan(&notice::visible_of(queue, priority), Some(&from))?;
        *lowest = u64::MAX;
        let mut first = None;
        while let Some((key, _)) = rows.current()? {
            let number = notice::visible_number(key);
            let number = number.ok_or_else(|| Error::corrupted("a key of a visible message is cut short"))?;
            first = first.or(Some(number));
            if found.len() == most {
                break;
            }
            let message = reader.row::<MessageRow>(&notice::message(queue, number))?;
            let lost = || Error::new(ErrorKind::Corrupted, format!("message {number} of a queue has no row"));
            found.push((number, message.ok_or_else(lost)?));
            rows.advance();
        }
        *lowest = first.unwrap_or(u64::MAX);
    }
    Ok(found)
}

/// The message of a receipt handle.
fn held(reader: &Reader<'_>, queue: u64, handle: &str) -> Result<Handled<(u64, MessageRow)>> {
    let Some((number, token)) = parse_receipt(handle) else { return Ok(Handled::Malformed) };
    let message = reader.row::<MessageRow>(&notice::message(queue, number))?;
    Ok(message.filter(|m| m.receipt == token && m.dequeued > 0).map_or(Handled::Gone, |m| Handled::Done((number, m))))
}

fn told(number: u64, message: MessageRow, received: bool) -> Message {
    Message {
        id: message.id,
        receipt: if received { receipt(number, message.receipt) } else { String::new() },
        body: message.body,
        enqueued: message.enqueued,
        next_visible: message.next_visible,
        // Before it was ever received, the time is that of its coming (as MNS answers).
        first_dequeued: if message.first_dequeued == 0 { message.enqueued } else { message.first_dequeued },
        dequeued: message.dequeued,
        priority: message.priority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{Outbox, QueueSpec};
    use crate::store::{Store, StoreOptions};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn queues(dir: &std::path::Path) -> Queues {
        let store = Arc::new(Store::open(dir, &StoreOptions::small()).unwrap());
        let outbox = Arc::new(Outbox::open(&store.reader()).unwrap());
        Queues::open(store, outbox, Durability::Buffered)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Send {
            priority: u8,
            delay: u32,
        },
        Receive(usize),
        /// Deletes, or changes the visibility of, one of the handles that were ever given.
        Delete(usize),
        Change(usize, u32),
        Peek(usize),
        Pass(u64),
        Reopen,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1u8..=16, prop_oneof![3 => Just(0u32), 1 => 1u32..100]).prop_map(|(priority, delay)| Step::Send { priority, delay }),
            4 => (1usize..=16).prop_map(Step::Receive),
            3 => any::<usize>().prop_map(Step::Delete),
            2 => (any::<usize>(), 0u32..100).prop_map(|(at, seconds)| Step::Change(at, seconds)),
            1 => (1usize..=16).prop_map(Step::Peek),
            3 => (1001u64..90_000).prop_map(Step::Pass),
            1 => Just(Step::Reopen),
        ]
    }

    /// A message of the model: the queue is a list.
    #[derive(Debug, Clone)]
    struct Held {
        body: String,
        priority: u8,
        sent: u64,
        visible: u64,
        receipt: String,
        dequeued: u32,
    }

    const VISIBILITY: u64 = 30_000;
    const RETENTION: u64 = 300_000;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn a_queue_is_a_list(steps in proptest::collection::vec(step(), 1..60)) {
            let dir = tempfile::tempdir().unwrap();
            let mut real = queues(dir.path());
            real.clock.stop(1_000_000);
            let spec = QueueSpec { retention: Some(300), ..QueueSpec::default() };
            real.create_queue("q", &spec).unwrap();
            let (mut model, mut now, mut handles): (Vec<Held>, u64, Vec<String>) = (Vec::new(), 1_000_000, Vec::new());
            for (number, step) in steps.into_iter().enumerate() {
                let ready = |model: &[Held], now: u64| {
                    let mut found: Vec<usize> = (0..model.len()).filter(|at| model[*at].visible <= now).collect();
                    found.sort_by_key(|at| model[*at].priority);
                    found
                };
                match step {
                    Step::Send { priority, delay } => {
                        let body = format!("{number}");
                        let message = NewMessage { body: body.clone(), delay: Some(delay), priority: Some(priority) };
                        real.send("q", &[message]).unwrap();
                        let visible = now + u64::from(delay) * 1000;
                        model.push(Held { body, priority, sent: now, visible, receipt: String::new(), dequeued: 0 });
                    }
                    Step::Receive(most) => {
                        let expected: Vec<usize> = ready(&model, now).into_iter().take(most).collect();
                        let got = real.try_receive("q", most).unwrap();
                        let bodies: Vec<&str> = expected.iter().map(|at| model[*at].body.as_str()).collect();
                        prop_assert_eq!(got.messages.iter().map(|m| m.body.as_str()).collect::<Vec<_>>(), bodies);
                        if expected.is_empty() {
                            // It may be early, as what it waits for may have been deleted, and never late.
                            let next = model.iter().map(|m| m.visible).min();
                            prop_assert!(next.is_none_or(|next| got.next.is_some_and(|got| got <= next)));
                        }
                        for (at, message) in expected.into_iter().zip(&got.messages) {
                            let held = &mut model[at];
                            held.dequeued += 1;
                            held.visible = now + VISIBILITY;
                            held.receipt.clone_from(&message.receipt);
                            prop_assert_eq!((message.dequeued, message.next_visible), (held.dequeued, held.visible));
                            handles.push(message.receipt.clone());
                        }
                    }
                    Step::Delete(at) if !handles.is_empty() => {
                        let handle = handles[at % handles.len()].clone();
                        let known = model.iter().position(|m| m.receipt == handle);
                        let expected = if known.is_some() { Handled::Done(()) } else { Handled::Gone };
                        prop_assert_eq!(real.delete("q", &[handle]).unwrap(), vec![expected]);
                        known.map(|at| model.remove(at));
                    }
                    Step::Change(at, seconds) if !handles.is_empty() => {
                        let handle = handles[at % handles.len()].clone();
                        let known = model.iter_mut().find(|m| m.receipt == handle);
                        match (known, real.change_visibility("q", &handle, seconds).unwrap()) {
                            (Some(held), Handled::Done((handle, visible))) => {
                                held.visible = now + u64::from(seconds) * 1000;
                                prop_assert_eq!(held.visible, visible);
                                held.receipt.clone_from(&handle);
                                handles.push(handle);
                            }
                            (None, Handled::Gone) => {}
                            other => prop_assert!(false, "{other:?}"),
                        }
                    }
                    Step::Peek(most) => {
                        let expected = ready(&model, now).into_iter().take(most).map(|at| model[at].body.clone());
                        let got = real.peek("q", most).unwrap().into_iter().map(|m| m.body);
                        prop_assert_eq!(got.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
                    }
                    Step::Pass(millis) => {
                        now += millis;
                        real.clock.stop(now);
                        // What is beyond its retention goes when somebody looks, at most once a second.
                        model.retain(|held| held.sent + RETENTION > now);
                        drop(real.try_receive("q", 1).map(|got| got.messages.into_iter().for_each(|m| {
                            let held = model.iter_mut().find(|held| held.body == m.body).unwrap();
                            (held.dequeued, held.visible) = (m.dequeued, m.next_visible);
                            held.receipt.clone_from(&m.receipt);
                            handles.push(m.receipt);
                        })));
                    }
                    Step::Reopen => {
                        drop(real);
                        real = queues(dir.path());
                        real.clock.stop(now);
                    }
                    Step::Delete(_) | Step::Change(..) => {}
                }
            }
        }
    }

    #[test]
    fn a_receiver_waits_for_what_comes_and_for_what_becomes_visible() {
        let dir = tempfile::tempdir().unwrap();
        let queues = queues(dir.path());
        queues.create_queue("q", &QueueSpec::default()).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queues.receive("q", 1, Some(Duration::from_secs(20))).unwrap());
            std::thread::sleep(Duration::from_millis(50));
            queues.send("q", &[NewMessage { body: "a".into(), ..NewMessage::default() }]).unwrap();
            assert_eq!(waiting.join().unwrap()[0].body, "a");
        });
        queues.send("q", &[NewMessage { body: "b".into(), delay: Some(1), priority: None }]).unwrap();
        let begun = Instant::now();
        assert_eq!(queues.receive("q", 1, Some(Duration::from_secs(20))).unwrap()[0].body, "b");
        assert!(begun.elapsed() < Duration::from_secs(15));
        assert_eq!(queues.receive("q", 1, Some(Duration::from_millis(20))).unwrap(), []);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_and_removed_queues_are_empty() {
        let dir = tempfile::tempdir().unwrap();
        let queues = queues(dir.path());
        let kind = |message: NewMessage| queues.send("q", &[message]).unwrap_err().kind();
        let of = |body: &str| NewMessage { body: body.into(), ..NewMessage::default() };
        assert_eq!(kind(of("x")), ErrorKind::NotFound);
        queues.create_queue("q", &QueueSpec { message_bytes: Some(1024), ..QueueSpec::default() }).unwrap();
        for bad in [
            of(""),
            of(&"x".repeat(1025)),
            NewMessage { priority: Some(0), ..of("x") },
            NewMessage { priority: Some(17), ..of("x") },
            NewMessage { delay: Some(604_801), ..of("x") },
        ] {
            assert_eq!(kind(bad), ErrorKind::InvalidArgument);
        }
        assert!(queues.send("q", &[]).is_err() && queues.try_receive("q", 17).is_err());
        queues.send("q", &[of("x")]).unwrap();
        queues.delete_queue("q").unwrap();
        queues.create_queue("q", &QueueSpec::default()).unwrap();
        assert_eq!(queues.try_receive("q", 1).unwrap().messages, []);
        for bad in ["", "-", "1-", "x-0000000000000000", "1-000000000000000g", "11111111111111111-0000000000000000"] {
            assert_eq!(queues.delete("q", &[bad.to_owned()]).unwrap(), [Handled::Malformed], "{bad}");
        }
        assert_eq!(queues.delete("q", &["1-0000000000000000".to_owned()]).unwrap(), [Handled::Gone]);
    }
}
