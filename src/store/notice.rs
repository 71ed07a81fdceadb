//! Keys and rows of the tables `outbox` and `queues`. Layouts: `docs/format.md`, "Keys" and "Rows".

use super::keys::Key;
use super::rows::Row;
use super::table::Table;
use crate::codec::order;
use serde::{Deserialize, Serialize};

/// Rows of `queues` are told apart by their first byte.
const STATE: u8 = b'n';
const CURSOR: u8 = b'k';
const DEAD: u8 = b'x';
const WEBHOOK: u8 = b'h';

fn queues(parts: &[&[u8]]) -> Key {
    Key { table: Table::Queues, bytes: parts.concat() }
}

/// An event, by its number.
pub fn event(number: u64) -> Key {
    Key { table: Table::Outbox, bytes: order::key(number).to_vec() }
}

/// All events.
pub fn events() -> Key {
    Key { table: Table::Outbox, bytes: Vec::new() }
}

/// The number of an event's key.
pub fn event_number(bytes: &[u8]) -> Option<u64> {
    let (number, rest) = order::take_key(bytes)?;
    rest.is_empty().then_some(number)
}

/// The one row about the outbox itself.
pub fn outbox_state() -> Key {
    queues(&[&[STATE]])
}

/// How far a receiver has been told, by its name; or all whose names begin with `receiver`.
pub fn cursor(receiver: &str) -> Key {
    queues(&[&[CURSOR], receiver.as_bytes()])
}

/// What a receiver never took, by the receiver's name and the event's number.
pub fn dead(receiver: &str, number: u64) -> Key {
    queues(&[&[DEAD], receiver.as_bytes(), &[0], &order::key(number)])
}

/// All that a receiver never took.
pub fn dead_of(receiver: &str) -> Key {
    queues(&[&[DEAD], receiver.as_bytes(), &[0]])
}

/// The number behind the receiver's name in the key of a dead letter.
pub fn dead_number(bytes: &[u8]) -> Option<u64> {
    let at = bytes.len().checked_sub(8)?;
    order::take_key(bytes.get(at..)?).map(|(number, _)| number)
}

/// A webhook by name, or all whose names begin with `name`.
pub fn webhook(name: &str) -> Key {
    queues(&[&[WEBHOOK], name.as_bytes()])
}

/// Something to tell: an event, or a message that somebody published to a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Identity of the event or message.
    pub id: String,
    /// Type of the event; empty for a published message.
    pub kind: String,
    /// Name of the project, or empty.
    pub project: String,
    /// Name of the dataset, or empty.
    pub dataset: String,
    /// Name of the topic, or empty.
    pub topic: String,
    /// Tag of a published message.
    pub tag: String,
    /// Name of the only receiver that is told; empty for all.
    pub receiver: String,
    /// When, in nanoseconds since 1970.
    pub time: i64,
    /// Payload of the event as JSON, or body of the message.
    pub content: String,
}

impl Row for OutboxRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "event row";
}

/// The outbox itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxStateRow {
    /// Events up to this number are gone; numbers up to it are never given again.
    pub trimmed: u64,
    /// Events that were removed before every receiver had been told.
    pub lost: u64,
}

impl Row for OutboxStateRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "outbox row";
}

/// How far a receiver has been told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRow {
    /// Everything up to this number is done with.
    pub done: u64,
    /// Tries of the next one so far.
    pub tries: u32,
    /// When it is tried again, in nanoseconds since 1970; 0 for at once.
    pub due: i64,
    /// Messages given up in a row: while there are any, the next ones are tried once each.
    pub given_up: u32,
    /// Messages that it took.
    pub delivered: u64,
    /// Messages that it never took.
    pub dead: u64,
    /// What went wrong last, or empty.
    pub failure: String,
    /// When something last went wrong, in nanoseconds since 1970.
    pub failed: i64,
    /// Nothing is sent until it is resumed.
    pub suspended: bool,
}

impl Row for CursorRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "cursor row";
}

/// What a receiver never took: kept until it is replayed or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRow {
    /// What it should have been told.
    pub event: OutboxRow,
    /// Tries.
    pub tries: u32,
    /// When it was given up, in nanoseconds since 1970.
    pub time: i64,
    /// What went wrong the last time.
    pub failure: String,
}

impl Row for DeadRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "dead letter row";
}

/// A webhook, under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRow {
    /// Where to post.
    pub url: String,
    /// Key of the signature: `whsec_` and base64.
    pub secret: String,
    /// Types of the events that it wants, or beginnings of them that end in `*`; empty for all.
    pub types: Vec<String>,
    /// Name of the project whose events it wants; empty for all.
    pub project: String,
    /// Name of the dataset whose events it wants; empty for all.
    pub dataset: String,
    /// How it is tried again: 0 for three tries, 1 for the exponential decay over a day.
    pub strategy: u8,
    /// When it was made, in nanoseconds since 1970.
    pub create_time: i64,
}

impl Row for WebhookRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "webhook row";
}

/// The key that signs what is pushed.
pub fn signing_key() -> Key {
    queues(&[&[SIGNING]])
}

/// The key that signs what is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRow {
    /// An RSA key in PKCS #8.
    pub key: Vec<u8>,
    /// Its certificate (X.509) in DER.
    pub certificate: Vec<u8>,
}

impl Row for SigningKeyRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "signing key row";
}

const SIGNING: u8 = b'r';
const QUEUE: u8 = b'q';
const TOPIC: u8 = b't';
const SUBSCRIPTION: u8 = b's';
const MESSAGE: u8 = b'm';
const VISIBLE: u8 = b'a';
const HIDDEN: u8 = b'i';

/// A queue by name, or all whose names begin with `name`.
pub fn queue(name: &str) -> Key {
    queues(&[&[QUEUE], name.as_bytes()])
}

/// A topic by name, or all whose names begin with `name`.
pub fn topic(name: &str) -> Key {
    queues(&[&[TOPIC], name.as_bytes()])
}

/// A subscription of a topic by name, or all of the topic whose names begin with `name`.
pub fn subscription(topic: &str, name: &str) -> Key {
    queues(&[&[SUBSCRIPTION], topic.as_bytes(), &[0], name.as_bytes()])
}

/// All subscriptions of all topics.
pub fn all_subscriptions() -> Key {
    queues(&[&[SUBSCRIPTION]])
}

/// Topic and name of the key of a subscription.
pub fn subscription_names(bytes: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(bytes.strip_prefix(&[SUBSCRIPTION])?).ok()?.split_once('\0')
}

/// A message, by its queue and its number.
pub fn message(queue: u64, number: u64) -> Key {
    queues(&[&[MESSAGE], &order::key(queue), &order::key(number)])
}

/// All messages of a queue.
pub fn messages(queue: u64) -> Key {
    queues(&[&[MESSAGE], &order::key(queue)])
}

/// The number of a message's key.
pub fn message_number(bytes: &[u8]) -> Option<u64> {
    let (_, rest) = order::take_key(bytes.strip_prefix(&[MESSAGE])?)?;
    order::take_key(rest).map(|(number, _)| number)
}

/// That a message can be received: by priority, then by number.
pub fn visible(queue: u64, priority: u8, number: u64) -> Key {
    queues(&[&[VISIBLE], &order::key(queue), &[priority], &order::key(number)])
}

/// What can be received of a priority.
pub fn visible_of(queue: u64, priority: u8) -> Key {
    queues(&[&[VISIBLE], &order::key(queue), &[priority]])
}

/// What can be received.
pub fn all_visible(queue: u64) -> Key {
    queues(&[&[VISIBLE], &order::key(queue)])
}

/// The number behind the fixed part of a key of [`visible`].
pub fn visible_number(bytes: &[u8]) -> Option<u64> {
    order::take_key(bytes.get(10..)?).map(|(number, _)| number)
}

/// That a message cannot be received before `until`, in milliseconds since 1970.
pub fn hidden(queue: u64, until: u64, number: u64) -> Key {
    queues(&[&[HIDDEN], &order::key(queue), &order::key(until), &order::key(number)])
}

/// What cannot be received yet.
pub fn all_hidden(queue: u64) -> Key {
    queues(&[&[HIDDEN], &order::key(queue)])
}

/// Time and number of a key of [`hidden`].
pub fn hidden_parts(bytes: &[u8]) -> Option<(u64, u64)> {
    let (until, rest) = order::take_key(bytes.get(9..)?)?;
    order::take_key(rest).map(|(number, _)| (until, number))
}

/// A queue, under its name. Times are milliseconds since 1970, spans are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// Its number.
    pub id: u64,
    /// `VisibilityTimeout`.
    pub visibility: u32,
    /// `MaximumMessageSize`, bytes.
    pub message_bytes: u32,
    /// `MessageRetentionPeriod`.
    pub retention: u32,
    /// `DelaySeconds`.
    pub delay: u32,
    /// `PollingWaitSeconds`.
    pub polling_wait: u32,
    /// `LoggingEnabled`.
    pub logging: bool,
    /// `CreateTime`.
    pub create_time: u64,
    /// `LastModifyTime`.
    pub modify_time: u64,
}

impl Row for QueueRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "queue row";
}

/// A message of a queue. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// `MessageId`.
    pub id: String,
    /// `MessageBody`.
    pub body: String,
    /// `Priority`, 1 (first) to 16.
    pub priority: u8,
    /// `EnqueueTime`.
    pub enqueued: u64,
    /// `FirstDequeueTime`; 0 before it.
    pub first_dequeued: u64,
    /// `NextVisibleTime`.
    pub next_visible: u64,
    /// `DequeueCount`.
    pub dequeued: u32,
    /// Whether its key is among the hidden ones.
    pub hidden: bool,
    /// What the present receipt handle carries.
    pub receipt: u64,
}

impl Row for MessageRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "message row";
}

/// A topic, under its name. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRow {
    /// `MaximumMessageSize`, bytes.
    pub message_bytes: u32,
    /// `LoggingEnabled`.
    pub logging: bool,
    /// `CreateTime`.
    pub create_time: u64,
    /// `LastModifyTime`.
    pub modify_time: u64,
}

impl Row for TopicRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "topic row";
}

/// A subscription of a topic. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRow {
    /// `Endpoint`.
    pub endpoint: String,
    /// `FilterTag`, or empty.
    pub filter_tag: String,
    /// `NotifyStrategy`: 0 for three tries, 1 for the exponential decay over a day.
    pub strategy: u8,
    /// `NotifyContentFormat`: 0 XML, 1 JSON, 2 SIMPLIFIED.
    pub format: u8,
    /// `CreateTime`.
    pub create_time: u64,
    /// `LastModifyTime`.
    pub modify_time: u64,
}

impl Row for SubscriptionRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "subscription row";
}
