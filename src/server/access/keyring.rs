//! The keys as a running server holds them: unsealed in memory, read again when the file changes.

use super::grant::Grant;
use super::store::{AccessKeys, token_hash};
use crate::error::Result;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A key with its secret.
pub(in crate::server) struct Known {
    pub(in crate::server) grant: Grant,
    pub(in crate::server) secret: String,
}

impl Known {
    /// Whether that is its security token.
    pub(in crate::server) fn has_token(&self, token: &str) -> bool {
        self.grant.token_hash.is_some_and(|hash| bool::from(hash.ct_eq(&token_hash(token))))
    }
}

/// What tells one state of the file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

/// All keys in force or disabled.
pub(in crate::server) struct Keyring {
    keys: AccessKeys,
    known: ArcSwap<HashMap<String, Arc<Known>>>,
    looked: Mutex<(Instant, Option<Mark>)>,
}

impl Keyring {
    pub(in crate::server) fn open(keys: AccessKeys) -> Result<Keyring> {
        let mark = mark(&keys);
        let known = ArcSwap::from_pointee(load(&keys)?);
        Ok(Keyring { keys, known, looked: Mutex::new((Instant::now(), mark)) })
    }

    /// The key of that id.
    pub(in crate::server) fn find(&self, id: &str) -> Option<Arc<Known>> {
        self.refresh();
        self.known.load().get(id).map(Arc::clone)
    }

    /// Reads the file if it was replaced. A file that cannot be read leaves the keys as they were.
    fn refresh(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.0.elapsed() < LOOK_EVERY {
            return;
        }
        looked.0 = Instant::now();
        let mark = mark(&self.keys);
        if mark == looked.1 {
            return;
        }
        if let Ok(known) = load(&self.keys) {
            looked.1 = mark;
            self.known.store(Arc::new(known));
        }
    }
}

fn load(keys: &AccessKeys) -> Result<HashMap<String, Arc<Known>>> {
    let known = |row: super::store::Row| {
        let secret = row.secret(keys.seal())?;
        Ok((row.grant.id.clone(), Arc::new(Known { grant: row.grant, secret })))
    };
    keys.rows()?.into_iter().map(known).collect()
}

fn mark(keys: &AccessKeys) -> Option<Mark> {
    let found = std::fs::metadata(keys.path()).ok()?;
    Some(Mark { inode: found.ino(), modified: (found.mtime(), found.mtime_nsec()), size: found.size() })
}
