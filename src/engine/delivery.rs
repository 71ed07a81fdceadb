//! Delivery of what the outbox holds: to queues always, to webhooks and HTTP subscriptions where pushing is built in.

use super::open::Engine;
use super::queues::{Allowed, Style};
use crate::error::Result;
use crate::notify;
use std::sync::Arc;

/// How to deliver.
#[derive(Debug, Clone, Default)]
pub struct DeliveryOptions {
    /// How messages are written.
    pub style: Style,
    /// Hosts that may be pushed to though their addresses are not the open internet's.
    pub allowed: Allowed,
    /// Where receivers of HTTP subscriptions find the certificate of the signatures.
    pub certificate_url: String,
}

/// A running delivery; it ends when it is dropped, after the requests under way.
pub struct Delivery {
    /// Dropped first: its threads use the store, whose directory stays locked while the engine is held.
    _running: notify::Running,
    _engine: Engine,
}

impl Engine {
    /// The certificate that signatures of HTTP subscriptions are verified with, in PEM; made when it is first asked for.
    pub fn push_certificate(&self) -> Result<String> {
        self.handle.inner.signer.certificate().map_err(|e| e.during("certificate"))
    }

    /// Starts to deliver. One delivery runs per database.
    pub fn start_delivery(&self, options: DeliveryOptions) -> Result<Delivery> {
        self.handle.inner.store.writable()?;
        let queues = Arc::clone(&self.handle.inner.queues);
        let DeliveryOptions { style, allowed, certificate_url } = options;
        let running =
            notify::Running::push(queues, style, allowed, Arc::clone(&self.handle.inner.signer), certificate_url);
        let running = running.map_err(|e| e.during("deliver"))?;
        Ok(Delivery { _running: running, _engine: self.clone() })
    }
}
