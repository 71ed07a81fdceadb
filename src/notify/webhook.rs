//! Webhooks: URLs that are told of events whether or not a request asked for it.

use super::outbox::begin_at;
use super::queue::{Queues, locked, random};
use super::topic::{Strategy, check_url};
use crate::error::{Error, ErrorKind, Result};
use crate::model::EventType;
use crate::model::event::check_name;
use crate::store::Reader;
use crate::store::notice::{self, OutboxRow, WebhookRow};
use crate::store::rows::Row;
use data_encoding::BASE64;

/// Most webhooks of one database.
pub const MAX_WEBHOOKS: usize = 100;
/// What a secret begins with (Standard Webhooks).
const SECRET_PREFIX: &str = "whsec_";

/// What can be chosen of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookSpec {
    /// Where to post.
    pub url: String,
    /// `whsec_` and 24 to 64 bytes in Base64; made where it is not given.
    pub secret: Option<String>,
    /// Types of events, or beginnings of them that end in `*`; empty for all.
    pub types: Vec<String>,
    /// Only events of this project.
    pub project: String,
    /// Only events of this dataset.
    pub dataset: String,
    /// How it is tried again; by default the exponential decay over a day.
    pub strategy: Option<Strategy>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// Key of its signatures.
    pub secret: String,
    /// Types of events that it wants; empty for all.
    pub types: Vec<String>,
    /// Project whose events it wants; empty for all.
    pub project: String,
    /// Dataset whose events it wants; empty for all.
    pub dataset: String,
    /// How it is tried again.
    pub strategy: Strategy,
}

impl Webhook {
    pub(super) fn of(name: &str, row: WebhookRow) -> Webhook {
        Webhook {
            name: name.to_owned(),
            url: row.url,
            secret: row.secret,
            types: row.types,
            project: row.project,
            dataset: row.dataset,
            strategy: Strategy::of(row.strategy),
        }
    }

    /// The name that its place in the outbox is kept under.
    pub(super) fn receiver(name: &str) -> String {
        format!("webhook:{name}")
    }

    /// Whether it wants an event.
    pub(super) fn wants(&self, row: &OutboxRow) -> bool {
        let of = |chosen: &str, got: &str| chosen.is_empty() || chosen == got;
        let kind = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => row.kind.starts_with(beginning),
            None => *pattern == row.kind,
        };
        !row.kind.is_empty()
            && of(&self.project, &row.project)
            && of(&self.dataset, &row.dataset)
            && (self.types.is_empty() || self.types.iter().any(kind))
    }

    /// The bytes of its secret.
    pub(super) fn key(&self) -> Vec<u8> {
        key(&self.secret).unwrap_or_default()
    }
}

fn key(secret: &str) -> Option<Vec<u8>> {
    BASE64.decode(secret.strip_prefix(SECRET_PREFIX)?.as_bytes()).ok()
}

fn new_secret() -> Result<String> {
    let mut bytes = Vec::with_capacity(32);
    for _ in 0..4 {
        bytes.extend_from_slice(&random()?.to_le_bytes());
    }
    Ok(format!("{SECRET_PREFIX}{}", BASE64.encode(&bytes)))
}

impl Queues {
    /// Adds a webhook, which is told of what happens from now on.
    pub fn add_webhook(&self, name: &str, spec: &WebhookSpec) -> Result<Webhook> {
        check_name("webhook", name)?;
        check_url(&spec.url)?;
        for pattern in &spec.types {
            let beginning = pattern.strip_suffix('*').unwrap_or("");
            let known = EventType::all().any(|kind| kind.as_str().starts_with(beginning));
            if !pattern.ends_with('*') || !known {
                EventType::parse(pattern)?;
            }
        }
        let secret = spec.secret.clone().map_or_else(new_secret, Ok)?;
        if !key(&secret).is_some_and(|key| (24..=64).contains(&key.len())) {
            return Err(Error::invalid("secret: expected whsec_ and 24 to 64 bytes in Base64, got another text"));
        }
        let _catalog = locked(&self.catalog);
        let reader = self.store.reader();
        if reader.bytes(&notice::webhook(name))?.is_some() {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("the webhook {name:?} exists already")));
        }
        self.check_room(&reader, &notice::webhook(""), "webhooks", MAX_WEBHOOKS)?;
        let row = WebhookRow {
            url: spec.url.clone(),
            secret,
            types: spec.types.clone(),
            project: spec.project.clone(),
            dataset: spec.dataset.clone(),
            strategy: spec.strategy.unwrap_or(Strategy::Decay).stored(),
            create_time: crate::model::now().0,
        };
        let mut batch = self.store.batch();
        batch.put(&notice::webhook(name), &row)?;
        batch.put(&notice::cursor(&Webhook::receiver(name)), &begin_at(self.outbox.settled()))?;
        self.land(batch)?;
        self.outbox.count_listener(true);
        self.outbox.wake();
        Ok(Webhook::of(name, row))
    }

    /// Removes a webhook with what it never took.
    pub fn remove_webhook(&self, name: &str) -> Result<()> {
        check_name("webhook", name)?;
        let _catalog = locked(&self.catalog);
        if self.store.reader().bytes(&notice::webhook(name))?.is_none() {
            return Err(Error::new(ErrorKind::NotFound, format!("the webhook {name:?} does not exist")));
        }
        let receiver = Webhook::receiver(name);
        let mut batch = self.store.batch();
        batch.delete(&notice::webhook(name))?;
        batch.delete(&notice::cursor(&receiver))?;
        batch.delete_all(&notice::dead_of(&receiver))?;
        self.land(batch)?;
        self.outbox.count_listener(false);
        self.outbox.wake();
        Ok(())
    }

    /// All webhooks, by name.
    pub fn webhooks(&self) -> Result<Vec<Webhook>> {
        webhooks(&self.store.reader())
    }
}

pub(super) fn webhooks(reader: &Reader<'_>) -> Result<Vec<Webhook>> {
    let mut rows = reader.scan(&notice::webhook(""), None)?;
    let mut found = Vec::new();
    while let Some((key, value)) = rows.current()? {
        let name = key.get(1..).and_then(|name| std::str::from_utf8(name).ok());
        let name = name.ok_or_else(|| Error::corrupted("a key of a webhook has no name"))?;
        found.push(Webhook::of(name, WebhookRow::decode(value)?));
        rows.advance();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_webhook_wants() {
        let mut webhook = Webhook {
            name: "w".into(),
            url: String::new(),
            secret: new_secret().unwrap(),
            types: vec![],
            project: String::new(),
            dataset: String::new(),
            strategy: Strategy::Decay,
        };
        assert_eq!(webhook.key().len(), 32);
        let row = |kind: &str| OutboxRow {
            id: String::new(),
            kind: kind.into(),
            project: "p".into(),
            dataset: "d".into(),
            topic: String::new(),
            tag: String::new(),
            receiver: String::new(),
            time: 0,
            content: String::new(),
        };
        assert!(webhook.wants(&row("imm:FileMeta:Index")) && !webhook.wants(&row("")));
        webhook.types = vec!["imm:Task:*".into(), "imm:FileMeta:Delete".into()];
        assert!(webhook.wants(&row("imm:Task:AsyncTask")) && webhook.wants(&row("imm:FileMeta:Delete")));
        assert!(!webhook.wants(&row("imm:FileMeta:Index")));
        webhook.project = "q".into();
        assert!(!webhook.wants(&row("imm:FileMeta:Delete")));
    }
}
