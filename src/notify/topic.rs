//! Topics and their subscriptions; publishing (notifications.md 5 and 6).
//!
//! A topic keeps nothing for readers: what is published goes to the outbox, and from there to every subscription that is
//! there by then.

use super::message::message_id;
use super::outbox::begin_at;
use super::queue::{MAX_MESSAGE_BYTES, MAX_QUEUES, Made, Queues, locked, names};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Listing;
use crate::model::event::check_name;
use crate::store::notice::{self, OutboxRow, SubscriptionRow, TopicRow};
use crate::store::rows::Row;
use crate::store::{Key, Reader};
use std::fmt;

/// Most subscriptions of one topic.
pub const MAX_SUBSCRIPTIONS: usize = 100;
/// Most characters of a tag (MNS).
pub const MAX_TAG: usize = 16;
/// Most bytes of a URL that is pushed to.
pub const MAX_URL: usize = 2048;

/// Where messages of a subscription go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Into the queue of that name.
    Queue(String),
    /// To that URL.
    Http(String),
}

impl Endpoint {
    /// Reads `acs:mns:<region>:<account>:queues/<queue>`, or a URL of `http` or `https`.
    pub fn parse(text: &str) -> Result<Endpoint> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return check_url(text).map(|()| Endpoint::Http(text.to_owned()));
        }
        let queue = text.strip_prefix("acs:mns:").and_then(|rest| rest.split_once(":queues/")).map(|(_, queue)| queue);
        let Some(queue) = queue else {
            let shown: String = text.chars().take(64).collect();
            let rule = "a URL of http or https, or acs:mns:<region>:<account>:queues/<queue>";
            return Err(Error::invalid(format!("Endpoint: expected {rule}, got {shown:?}")));
        };
        check_name("Endpoint", queue)?;
        Ok(Endpoint::Queue(queue.to_owned()))
    }
}

/// Whether a text can be posted to; whether it may is decided when it is.
pub(super) fn check_url(url: &str) -> Result<()> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    let plain = url.bytes().all(|b| b.is_ascii_graphic());
    if !host.is_empty() && !host.contains('@') && plain && url.len() <= MAX_URL {
        return Ok(());
    }
    let shown: String = url.chars().take(64).collect();
    let rule = format!("a URL of http or https without a user, at most {MAX_URL} printable ASCII characters");
    Err(Error::invalid(format!("URL: expected {rule}, got {shown:?}")))
}

/// How a message that was not taken is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// `BACKOFF_RETRY`: three more times, 10 to 20 seconds apart.
    #[default]
    Backoff,
    /// `EXPONENTIAL_DECAY_RETRY`: 176 more times within a day: after 1, 2, 4 and so on to 512 seconds, then every 512.
    Decay,
}

impl Strategy {
    /// Every strategy, with its name in the API.
    pub const ALL: [(Strategy, &'static str); 2] =
        [(Strategy::Backoff, "BACKOFF_RETRY"), (Strategy::Decay, "EXPONENTIAL_DECAY_RETRY")];

    /// Tries after the first.
    pub fn retries(self) -> u32 {
        match self {
            Strategy::Backoff => 3,
            Strategy::Decay => 176,
        }
    }

    /// Milliseconds from the failure of try number `tries` (from 1) to the next one; `spread` is any number.
    pub fn pause_millis(self, tries: u32, spread: u64) -> u64 {
        match self {
            Strategy::Backoff => 10_000 + spread % 10_001,
            Strategy::Decay => 1000 << tries.saturating_sub(1).min(9),
        }
    }

    pub(super) fn stored(self) -> u8 {
        u8::from(self == Strategy::Decay)
    }

    pub(super) fn of(stored: u8) -> Strategy {
        if stored == 1 { Strategy::Decay } else { Strategy::Backoff }
    }
}

/// What is sent of a message: `NotifyContentFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// An XML document about the message.
    #[default]
    Xml,
    /// The same as a JSON object.
    Json,
    /// The body of the message alone.
    Simplified,
}

impl Format {
    /// Every format, with its name in the API.
    pub const ALL: [(Format, &'static str); 3] =
        [(Format::Xml, "XML"), (Format::Json, "JSON"), (Format::Simplified, "SIMPLIFIED")];

    pub(super) fn stored(self) -> u8 {
        match self {
            Format::Xml => 0,
            Format::Json => 1,
            Format::Simplified => 2,
        }
    }

    pub(super) fn of(stored: u8) -> Format {
        Format::ALL.into_iter().map(|(format, _)| format).find(|f| f.stored() == stored).unwrap_or_default()
    }
}

fn named<T: Copy + PartialEq>(all: &[(T, &'static str)], what: &str, text: &str) -> Result<T> {
    let found = all.iter().find(|(_, name)| *name == text).map(|(value, _)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(_, name)| *name).collect();
        Error::invalid(format!("{what}: expected {}, got {text:?}", names.join(" or ")))
    })
}

impl std::str::FromStr for Strategy {
    type Err = Error;
    fn from_str(text: &str) -> Result<Strategy> {
        named(&Strategy::ALL, "NotifyStrategy", text)
    }
}

impl std::str::FromStr for Format {
    type Err = Error;
    fn from_str(text: &str) -> Result<Format> {
        named(&Format::ALL, "NotifyContentFormat", text)
    }
}

fn name_of<T: PartialEq>(all: &[(T, &'static str)], value: &T) -> &'static str {
    all.iter().find(|(v, _)| v == value).map_or("", |(_, name)| name)
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&Strategy::ALL, self))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&Format::ALL, self))
    }
}

/// What can be chosen of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicSpec {
    /// `MaximumMessageSize` in bytes, 1,024 to 65,536, by default that.
    pub message_bytes: Option<u32>,
    /// `LoggingEnabled`: kept and echoed.
    pub logging: Option<bool>,
}

/// A topic; times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its attributes and times.
    pub row: TopicRow,
}

/// What can be chosen of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionSpec {
    /// `Endpoint`; must be given for a new one, cannot be changed.
    pub endpoint: Option<String>,
    /// `FilterTag`, up to [`MAX_TAG`] characters: only messages of that tag. Cannot be changed.
    pub filter_tag: Option<String>,
    /// `NotifyStrategy`.
    pub strategy: Option<Strategy>,
    /// `NotifyContentFormat`; cannot be changed.
    pub format: Option<Format>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its topic.
    pub topic: String,
    /// Its name.
    pub name: String,
    /// `Endpoint` as given.
    pub endpoint: String,
    /// `FilterTag`, or empty.
    pub filter_tag: String,
    /// `NotifyStrategy`.
    pub strategy: Strategy,
    /// `NotifyContentFormat`.
    pub format: Format,
    /// `CreateTime` in milliseconds since 1970.
    pub create_time: u64,
    /// `LastModifyTime` in milliseconds since 1970.
    pub modify_time: u64,
}

impl Subscription {
    pub(super) fn of(topic: &str, name: &str, row: &SubscriptionRow) -> Subscription {
        Subscription {
            topic: topic.to_owned(),
            name: name.to_owned(),
            endpoint: row.endpoint.clone(),
            filter_tag: row.filter_tag.clone(),
            strategy: Strategy::of(row.strategy),
            format: Format::of(row.format),
            create_time: row.create_time,
            modify_time: row.modify_time,
        }
    }

    /// The name that its place in the outbox is kept under.
    pub(super) fn receiver(topic: &str, name: &str) -> String {
        format!("subscription:{topic}/{name}")
    }
}

fn find_topic(reader: &Reader<'_>, name: &str) -> Result<TopicRow> {
    check_name("topic", name)?;
    let absent = || Error::new(ErrorKind::NotFound, format!("the topic {name:?} does not exist"));
    reader.row(&notice::topic(name))?.ok_or_else(absent)
}

fn apply(row: &mut TopicRow, spec: TopicSpec) -> Result<()> {
    if let Some(got) = spec.message_bytes {
        if !(1024..=MAX_MESSAGE_BYTES).contains(&got) {
            let what = format!("MaximumMessageSize: expected 1024 to {MAX_MESSAGE_BYTES}, got {got}");
            return Err(Error::invalid(what));
        }
        row.message_bytes = got;
    }
    row.logging = spec.logging.unwrap_or(row.logging);
    Ok(())
}

impl Queues {
    /// Makes a topic. One of the same attributes may be there already; one of others is [`ErrorKind::AlreadyExists`].
    pub fn create_topic(&self, name: &str, spec: TopicSpec) -> Result<Made> {
        check_name("topic", name)?;
        let _catalog = locked(&self.catalog);
        let (reader, now) = (self.store.reader(), self.clock.millis());
        let mut row = TopicRow { message_bytes: MAX_MESSAGE_BYTES, logging: false, create_time: now, modify_time: now };
        apply(&mut row, spec)?;
        if let Some(there) = reader.row::<TopicRow>(&notice::topic(name))? {
            if (there.message_bytes, there.logging) == (row.message_bytes, row.logging) {
                return Ok(Made::Same);
            }
            let what = format!("the topic {name:?} exists already, with other attributes");
            return Err(Error::new(ErrorKind::AlreadyExists, what));
        }
        self.check_room(&reader, &notice::topic(""), "topics", MAX_QUEUES)?;
        let mut batch = self.store.batch();
        batch.put(&notice::topic(name), &row)?;
        self.land(batch)?;
        Ok(Made::New)
    }

    pub(super) fn check_room(&self, reader: &Reader<'_>, all: &Key, what: &str, most: usize) -> Result<()> {
        let (mut rows, mut count) = (reader.scan(all, None)?, 0);
        while rows.current()?.is_some() {
            count += 1;
            rows.advance();
        }
        if count < most {
            return Ok(());
        }
        Err(Error::new(ErrorKind::LimitExceeded, format!("expected at most {most} {what}, got one more")))
    }

    /// Changes what `spec` names of a topic.
    pub fn set_topic(&self, name: &str, spec: TopicSpec) -> Result<()> {
        let _catalog = locked(&self.catalog);
        let mut row = find_topic(&self.store.reader(), name)?;
        apply(&mut row, spec)?;
        row.modify_time = self.clock.millis();
        let mut batch = self.store.batch();
        batch.put(&notice::topic(name), &row)?;
        self.land(batch)
    }

    /// A topic.
    pub fn topic(&self, name: &str) -> Result<Topic> {
        Ok(Topic { name: name.to_owned(), row: find_topic(&self.store.reader(), name)? })
    }

    /// Removes a topic with its subscriptions; an absent one is fine.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        check_name("topic", name)?;
        let _catalog = locked(&self.catalog);
        let mut batch = self.store.batch();
        batch.delete(&notice::topic(name))?;
        for subscription in self.subscriptions(&self.store.reader(), name)? {
            let receiver = Subscription::receiver(name, &subscription.name);
            batch.delete(&notice::subscription(name, &subscription.name))?;
            batch.delete(&notice::cursor(&receiver))?;
            batch.delete_all(&notice::dead_of(&receiver))?;
        }
        self.land(batch)?;
        self.outbox.wake();
        Ok(())
    }

    /// Names of topics that begin with `prefix`, from `marker` on; `most`: 1 to 1000, 0 for 1000.
    pub fn topic_names(&self, prefix: &str, marker: &str, most: usize) -> Result<Listing<String>> {
        names(&self.store.reader(), notice::topic, prefix, marker, most)
    }

    /// Subscribes an endpoint to what is published to a topic from now on. One of the same attributes may be there already;
    /// one of others is [`ErrorKind::AlreadyExists`].
    pub fn subscribe(&self, topic: &str, name: &str, spec: &SubscriptionSpec) -> Result<Made> {
        check_name("subscription", name)?;
        let text = spec.endpoint.as_deref().unwrap_or("");
        let endpoint = Endpoint::parse(text)?;
        let filter_tag = spec.filter_tag.clone().unwrap_or_default();
        check_tag("FilterTag", &filter_tag)?;
        let _catalog = locked(&self.catalog);
        let (reader, now) = (self.store.reader(), self.clock.millis());
        find_topic(&reader, topic)?;
        let row = SubscriptionRow {
            endpoint: text.to_owned(),
            filter_tag,
            strategy: spec.strategy.unwrap_or_default().stored(),
            format: spec.format.unwrap_or_default().stored(),
            create_time: now,
            modify_time: now,
        };
        if let Some(there) = reader.row::<SubscriptionRow>(&notice::subscription(topic, name))? {
            if (SubscriptionRow { create_time: there.create_time, modify_time: there.modify_time, ..row }) == there {
                return Ok(Made::Same);
            }
            let what = format!("the subscription {name:?} of {topic:?} exists already, with other attributes");
            return Err(Error::new(ErrorKind::AlreadyExists, what));
        }
        self.check_room(&reader, &notice::subscription(topic, ""), "subscriptions of a topic", MAX_SUBSCRIPTIONS)?;
        let mut batch = self.store.batch();
        batch.put(&notice::subscription(topic, name), &row)?;
        if matches!(endpoint, Endpoint::Http(_)) {
            batch.put(&notice::cursor(&Subscription::receiver(topic, name)), &begin_at(self.outbox.settled()))?;
        }
        self.land(batch)?;
        self.outbox.wake();
        Ok(Made::New)
    }

    /// Changes the strategy of a subscription.
    pub fn set_subscription(&self, topic: &str, name: &str, strategy: Strategy) -> Result<()> {
        let _catalog = locked(&self.catalog);
        let mut row = self.find_subscription(topic, name)?;
        (row.strategy, row.modify_time) = (strategy.stored(), self.clock.millis());
        let mut batch = self.store.batch();
        batch.put(&notice::subscription(topic, name), &row)?;
        self.land(batch)?;
        self.outbox.wake();
        Ok(())
    }

    fn find_subscription(&self, topic: &str, name: &str) -> Result<SubscriptionRow> {
        check_name("subscription", name)?;
        let reader = self.store.reader();
        find_topic(&reader, topic)?;
        let absent = || {
            Error::new(ErrorKind::NotFound, format!("the subscription {name:?} of the topic {topic:?} does not exist"))
        };
        reader.row(&notice::subscription(topic, name))?.ok_or_else(absent)
    }

    /// A subscription.
    pub fn subscription(&self, topic: &str, name: &str) -> Result<Subscription> {
        Ok(Subscription::of(topic, name, &self.find_subscription(topic, name)?))
    }

    /// Removes a subscription; an absent one is fine.
    pub fn unsubscribe(&self, topic: &str, name: &str) -> Result<()> {
        check_name("subscription", name)?;
        let _catalog = locked(&self.catalog);
        find_topic(&self.store.reader(), topic)?;
        let receiver = Subscription::receiver(topic, name);
        let mut batch = self.store.batch();
        batch.delete(&notice::subscription(topic, name))?;
        batch.delete(&notice::cursor(&receiver))?;
        batch.delete_all(&notice::dead_of(&receiver))?;
        self.land(batch)?;
        self.outbox.wake();
        Ok(())
    }

    /// Names of a topic's subscriptions that begin with `prefix`, from `marker` on; `most`: 1 to 1000, 0 for 1000.
    pub fn subscription_names(&self, topic: &str, prefix: &str, marker: &str, most: usize) -> Result<Listing<String>> {
        let reader = self.store.reader();
        find_topic(&reader, topic)?;
        names(&reader, |name| notice::subscription(topic, name), prefix, marker, most)
    }

    pub(super) fn subscriptions(&self, reader: &Reader<'_>, topic: &str) -> Result<Vec<Subscription>> {
        let mut rows = reader.scan(&notice::subscription(topic, ""), None)?;
        let mut found = Vec::new();
        while let Some((key, value)) = rows.current()? {
            let names = notice::subscription_names(key);
            let (topic, name) = names.ok_or_else(|| Error::corrupted("a key of a subscription has no names"))?;
            found.push(Subscription::of(topic, name, &SubscriptionRow::decode(value)?));
            rows.advance();
        }
        Ok(found)
    }

    /// Publishes a message to a topic; answers its id. On return it is durable, and on its way.
    pub fn publish(&self, topic: &str, body: &str, tag: &str) -> Result<String> {
        check_tag("MessageTag", tag)?;
        let most = find_topic(&self.store.reader(), topic)?.message_bytes as usize;
        if body.is_empty() || body.len() > most {
            let got = body.len();
            return Err(Error::invalid(format!("MessageBody: expected 1 to {most} bytes, got {got}")));
        }
        let id = message_id()?;
        let row = OutboxRow {
            id: id.clone(),
            kind: String::new(),
            project: String::new(),
            dataset: String::new(),
            topic: topic.to_owned(),
            tag: tag.to_owned(),
            receiver: String::new(),
            time: crate::model::now().0,
            content: body.to_owned(),
        };
        let mut batch = self.store.batch();
        let announced = self.outbox.put(&mut batch, &[row])?;
        self.land(batch)?;
        drop(announced);
        Ok(id)
    }
}

fn check_tag(what: &str, tag: &str) -> Result<()> {
    let got = tag.chars().count();
    if got <= MAX_TAG {
        return Ok(());
    }
    Err(Error::invalid(format!("{what}: expected at most {MAX_TAG} characters, got {got}")))
}
