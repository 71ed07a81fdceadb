//! Announcing: how a change of the engine is told to others.
//!
//! Whoever changes something that others may hear of does three things, in this order:
//!
//! ```text
//! let event = Event { id, kind: EventType::of_task(task_type), project, dataset, topic, time: now(), content };
//! let announced = outbox::announce(inner, &mut batch, &[event])?;   // in the batch of the change itself
//! inner.store.commit(batch, durability)?;
//! drop(announced);                                                  // after the commit has returned, not before
//! ```
//!
//! `topic` is [`Notification::topic`](crate::model::Notification) of the request (parse it when the request is accepted,
//! so that a malformed one is refused there); `content` is the payload of the API as JSON text; `id` is the `EventId` that
//! the call answered ([`event_id`](super::work) makes one), the same if the work is done twice. Events that nobody wants
//! are not written, and `is_wanted` says so before a payload is made. Events of one dataset are told in the order of
//! their numbers: call `announce` in the order in which the batches are committed.
//!
//! Nothing is sent here; how messages go out is told at the head of `notify`.

use super::open::{Engine, Inner};
use crate::error::Result;
use crate::model::Event;
use crate::notify::{Announced, OutboxState, Queues};
use crate::store::Batch;

/// Puts events into the batch of the change that they tell of.
pub(super) fn announce<'i>(inner: &'i Inner, batch: &mut Batch<'_>, events: &[Event]) -> Result<Announced<'i>> {
    inner.outbox.announce(batch, events)
}

/// Whether anybody wants to hear of an event whose request named `topic` (empty: none).
pub(super) fn is_wanted(inner: &Inner, topic: &str) -> bool {
    inner.outbox.is_wanted(topic)
}

impl Engine {
    /// Topics, queues, webhooks, and how far each receiver is.
    pub fn queues(&self) -> &Queues {
        &self.handle.inner.queues
    }

    /// What waits to be told.
    pub fn outbox(&self) -> OutboxState {
        self.handle.inner.outbox.state()
    }
}
