//! Telling others: the outbox, topics and queues, webhooks.
//!
//! Owns the numbers of events and their way to receivers: into queues, which keep messages until a reader deletes them, and
//! to URLs, which are pushed to (feature `push`). Must not know files, queries or the wire of the API. How an event is
//! written is told at the head of `outbox`, how it goes out at the head of `delivery`; for users in `docs/notifications.md`.

#[cfg(feature = "push")]
mod address;
mod body;
mod clock;
#[cfg(feature = "push")]
mod delivery;
#[cfg(feature = "push")]
mod fanout;
mod message;
mod outbox;
#[cfg(feature = "push")]
mod push;
#[cfg_attr(not(feature = "push"), expect(dead_code, reason = "the delivery asks for it"))]
mod queue;
#[cfg_attr(not(feature = "push"), expect(dead_code, reason = "the delivery asks for it"))]
mod receiver;
#[cfg(feature = "push")]
mod signing;
mod topic;
#[cfg_attr(not(feature = "push"), expect(dead_code, reason = "the delivery asks for it"))]
mod webhook;

#[cfg(feature = "push")]
pub use address::{Allowed, is_global};
pub use body::{NAMESPACE, Style, escape, md5_hex};
#[cfg(feature = "push")]
pub use delivery::{KEPT_EVENTS, MAX_AGE, Running};
pub use message::{DEFAULT_PRIORITY, Handled, MAX_BATCH, Message, NewMessage, Received};
pub use outbox::{Announced, MAX_EVENTS, Outbox, OutboxState};
#[cfg(feature = "push")]
pub use push::{MAX_ANSWER, PUSH_DEADLINE, WEBHOOK_DEADLINE};
pub use queue::{MAX_MESSAGE_BYTES, MAX_QUEUES, Made, Queue, QueueSpec, Queues};
pub use receiver::{DeadLetter, QUEUES, ReceiverState};
#[cfg(feature = "push")]
pub use signing::Signer;
pub use topic::{
    Endpoint, Format, MAX_SUBSCRIPTIONS, MAX_TAG, MAX_URL, Strategy, Subscription, SubscriptionSpec, Topic, TopicSpec,
};
pub use webhook::{MAX_WEBHOOKS, Webhook, WebhookSpec};
