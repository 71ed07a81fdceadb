//! A store: its address, its signed requests, and what is asked of it.

use super::address::{Address, Dialect};
use super::credentials::Credentials;
use super::facts;
use super::listing::Listing;
use super::object::RemoteObject;
use super::pairing::Pairing;
use super::ready::done;
use super::tagging::Tagging;
use super::wire::{Line, Wire};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Members;
use crate::source::bucket::{Object, Objects, Tour};
use crate::source::{Identity, Stamp, Walking};
use opendal::services::{Oss, S3};
use opendal::{HttpTransporter, OperationContext, Operator};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Objects of one page of a listing.
const PAGE: usize = 1000;

/// An object store, or a part of one below a prefix. Clones share connections and budgets.
#[derive(Debug, Clone)]
pub(in crate::source) struct Store {
    inner: Arc<Inner>,
    /// Set when nobody waits for answers any more.
    stop: Option<Arc<AtomicBool>>,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    shown: String,
    operator: Operator,
    tagging: Tagging,
    wire: Arc<Wire>,
}

impl Store {
    /// A store by its address; nothing is asked of it yet. Fails if the address or the keys are not as they must be.
    pub(in crate::source) fn open(text: &str) -> Result<Store> {
        let address = Address::parse(text)?;
        let credentials = Credentials::find(&address)?;
        let operator = operator(&address, credentials.as_ref())?;
        let tagging = Tagging::new(&address, credentials.as_ref());
        let wire = Arc::new(Wire::new(&address)?);
        let inner = Arc::new(Inner { address, shown: text.to_owned(), operator, tagging, wire });
        Ok(Store { inner, stop: None })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.inner.address.dialect
    }

    /// A line for one operation.
    pub(super) fn line(&self) -> Line {
        Line::new(&self.inner.wire, self.stop.clone())
    }

    pub(super) fn tagging(&self) -> &Tagging {
        &self.inner.tagging
    }

    /// The operator with a line of its own.
    pub(super) fn operator(&self) -> (Operator, Line) {
        let line = self.line();
        let context = OperationContext::new().with_http_transport(HttpTransporter::new(line.clone()));
        (self.inner.operator.clone().with_context(context), line)
    }

    /// Asks for the state of an object: `HeadObject`.
    pub(super) fn head(&self, key: &str) -> Result<(Stamp, http::HeaderMap)> {
        let what = || format!("look at {key}");
        if !is_plain(key) {
            return Err(Error::new(ErrorKind::NotFound, format!("the file {key:?} does not exist")));
        }
        let (operator, line) = self.operator();
        done(operator.stat(key)).map_err(|e| line.error(&what(), &e))?;
        let headers = line.heard().answer.map(|(_, headers)| headers).unwrap_or_default();
        let stamp = facts::stamp(&headers).ok_or_else(|| {
            let expected = "expected ETag, Last-Modified and Content-Length in the answer, got less";
            Error::new(ErrorKind::Io, format!("could not {}: {expected}", what()))
        })?;
        Ok((stamp, headers))
    }
}

/// Whether OpenDAL leaves a key as it is: names with one `/` between them, no white space at either end. `.` and `..` are
/// names that URLs give another meaning.
pub(super) fn is_plain(key: &str) -> bool {
    key.trim() == key && !key.split('/').any(|name| matches!(name, "" | "." | ".."))
}

fn operator(address: &Address, credentials: Option<&Credentials>) -> Result<Operator> {
    let root = format!("/{}", address.prefix);
    let built = match address.dialect {
        Dialect::S3 => {
            let mut builder = S3::default()
                .root(&root)
                .bucket(&address.bucket)
                .endpoint(&address.endpoint)
                .region(&address.region)
                .disable_config_load();
            if !address.path_style {
                builder = builder.enable_virtual_host_style();
            }
            match credentials {
                None => Operator::new(builder.skip_signature()),
                Some(keys) => Operator::new(
                    builder
                        .access_key_id(&keys.access_key_id)
                        .secret_access_key(&keys.access_key_secret)
                        .session_token(&keys.session_token),
                ),
            }
        }
        Dialect::Oss => {
            let style = if address.path_style { "path" } else { "virtual" };
            let builder =
                Oss::default().root(&root).bucket(&address.bucket).endpoint(&address.endpoint).addressing_style(style);
            match credentials {
                None => Operator::new(builder.skip_signature()),
                Some(keys) => Operator::new(
                    builder
                        .access_key_id(&keys.access_key_id)
                        .access_key_secret(&keys.access_key_secret)
                        .security_token(&keys.session_token),
                ),
            }
        }
    };
    // Its own words may repeat what it was given.
    built.map_err(|e| Error::invalid(format!("{}: expected the address of a store, got {}", address.place(), e.kind())))
}

impl Objects for Store {
    fn address(&self) -> &str {
        &self.inner.shown
    }

    fn identity(&self) -> Identity {
        let place = self.inner.address.place();
        (facts::number(&place), facts::number(&format!("{place}/")))
    }

    fn until(&self, stop: Arc<AtomicBool>) -> Arc<dyn Objects> {
        Arc::new(Store { inner: Arc::clone(&self.inner), stop: Some(stop) })
    }

    fn concurrency(&self) -> usize {
        self.inner.address.concurrency
    }

    fn list(&self, walking: &Walking) -> Box<dyn Tour> {
        Box::new(Pairing::new(Listing::new(self, walking, PAGE)))
    }

    fn absent(&self, keys: &[&str]) -> Result<Vec<bool>> {
        super::listing::absent(self, keys, PAGE)
    }

    fn key_here(&self, bucket: &str, key: &str) -> Option<String> {
        let address = &self.inner.address;
        let key = Some(key).filter(|_| bucket == address.bucket)?.strip_prefix(&address.prefix)?;
        is_plain(key).then(|| key.to_owned())
    }

    fn tags(&self, key: &str) -> Result<Members> {
        self.tagging().read(&self.line(), key).map(facts::tags)
    }

    fn open(&self, key: &str, state: Option<Stamp>) -> Result<Box<dyn Object>> {
        RemoteObject::open(self, key, state).map(|object| Box::new(object) as Box<dyn Object>)
    }
}
