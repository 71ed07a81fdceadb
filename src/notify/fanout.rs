//! From topics into queues: what the outbox says of a topic becomes a message of every queue that is subscribed.
//!
//! Messages and the place in the outbox land in one batch, so each message is put into each queue once, whatever dies when.

use super::body::Style;
use super::message::{NewMessage, message_id};
use super::queue::{Lane, Queues, locked};
use super::receiver::QUEUES;
use super::topic::{Endpoint, Subscription};
use crate::error::Result;
use crate::store::notice::{self, CursorRow, OutboxRow, QueueRow};
use crate::store::{Durability, Reader};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Events that are put into queues together.
const STEP: usize = 256;

/// A queue that messages of the step go into.
struct Way {
    name: String,
    queue: QueueRow,
    lane: Arc<Mutex<Lane>>,
    messages: Vec<NewMessage>,
}

impl Queues {
    /// Puts the next events into queues; answers whether there may be more.
    pub(super) fn fan_out(&self, style: &Style) -> Result<bool> {
        let reader = self.store.reader();
        let cursor = self.cursor(&reader, QUEUES)?;
        let rows = self.outbox.read(&self.store, cursor.done.saturating_add(1), STEP)?;
        let Some((last, _)) = rows.last() else { return Ok(false) };
        let ways = self.ways(&reader, &rows, style)?;
        drop(reader);
        // In the order of the queues' numbers, and never another way round: whoever else holds a lane holds one.
        let mut lanes: Vec<_> = ways.values().map(|way| (way, locked(&way.lane))).collect();
        let mut batch = self.store.batch();
        let mut delivered = 0;
        let reader = self.store.reader();
        for (way, lane) in &mut lanes {
            let there = reader.row::<QueueRow>(&notice::queue(&way.name))?;
            if there.is_none_or(|there| there.id != way.queue.id) {
                // Removed meanwhile.
                continue;
            }
            for message in &way.messages {
                self.add(&mut batch, &way.queue, lane, &message_id()?, message)?;
                delivered += 1;
            }
            self.sweep(&mut batch, &way.queue, lane)?;
        }
        let cursor = CursorRow { done: *last, delivered: cursor.delivered.saturating_add(delivered), ..cursor };
        batch.put(&notice::cursor(QUEUES), &cursor)?;
        // Lost with the power, the events are still there: they go before this does not.
        self.store.commit(batch, Durability::Buffered)?;
        drop(lanes);
        if delivered > 0 {
            self.bell.ring();
        }
        Ok(rows.len() == STEP)
    }

    fn ways(&self, reader: &Reader<'_>, rows: &[(u64, OutboxRow)], style: &Style) -> Result<BTreeMap<u64, Way>> {
        let mut topics: BTreeMap<&str, Vec<(Subscription, String, QueueRow)>> = BTreeMap::new();
        let mut ways: BTreeMap<u64, Way> = BTreeMap::new();
        for (_, row) in rows.iter().filter(|(_, row)| !row.topic.is_empty() && row.receiver.is_empty()) {
            if !topics.contains_key(row.topic.as_str()) {
                topics.insert(&row.topic, self.queues_of(reader, &row.topic)?);
            }
            for (subscription, name, queue) in topics.get(row.topic.as_str()).into_iter().flatten() {
                if !subscription.filter_tag.is_empty() && subscription.filter_tag != row.tag {
                    continue;
                }
                let body = style.queued(row, subscription);
                let way = ways.entry(queue.id).or_insert_with(|| Way {
                    name: name.clone(),
                    queue: queue.clone(),
                    lane: self.lane(queue.id),
                    messages: Vec::new(),
                });
                way.messages.push(NewMessage { body, delay: None, priority: None });
            }
        }
        Ok(ways)
    }

    /// The queues that are subscribed to a topic; none where the topic is not there.
    fn queues_of(&self, reader: &Reader<'_>, topic: &str) -> Result<Vec<(Subscription, String, QueueRow)>> {
        if reader.bytes(&notice::topic(topic))?.is_none() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for subscription in self.subscriptions(reader, topic)? {
            if let Ok(Endpoint::Queue(name)) = Endpoint::parse(&subscription.endpoint)
                && let Some(queue) = reader.row::<QueueRow>(&notice::queue(&name))?
            {
                found.push((subscription, name, queue));
            }
        }
        Ok(found)
    }
}
