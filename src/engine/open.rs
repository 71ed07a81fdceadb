//! Opening and closing: who owns what.

use super::background::{self, Background};
use super::failpoint::point;
use super::film_labels;
use super::follow::Roster;
use super::home::{self, Home};
use super::options::{Options, TailLimits};
use super::recover;
use super::room::{self, Room};
use super::segments;
use super::space::Space;
use super::sync::lock;
use super::work::Desk;
use super::workflow::Workflow;
use crate::error::{Error, ErrorKind, Result};
use crate::isolate::Extractor;
use crate::model::Limits;
#[cfg(feature = "push")]
use crate::notify::Signer;
use crate::notify::{Outbox, Queues};
use crate::store::rows::DatabaseRow;
use crate::store::{DatasetId, Durability, Store, keys};
use crate::task::TaskList;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

/// An open database. Clones are cheap and share everything; the last one closes it.
#[derive(Clone)]
pub struct Engine {
    pub(super) handle: Arc<Handle>,
}

/// Keeps the database open.
pub(super) struct Handle {
    pub(super) inner: Arc<Inner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What all handles and threads share.
pub(super) struct Inner {
    /// Held first to last: the lock of the directory outlives the store.
    pub(super) store: Arc<Store>,
    pub(super) options: Options,
    pub(super) tail: TailLimits,
    pub(super) token_key: [u8; 32],
    /// Held by whoever changes projects or datasets.
    pub(super) catalog: Mutex<()>,
    spaces: Mutex<HashMap<DatasetId, Slot>>,
    pub(super) next_segment: AtomicU64,
    /// Work that was accepted.
    pub(super) desk: Desk,
    /// What happened and others are to be told.
    pub(super) outbox: Arc<Outbox>,
    pub(super) queues: Arc<Queues>,
    #[cfg(feature = "push")]
    pub(super) signer: Arc<Signer>,
    /// Tasks.
    pub(super) tasks: TaskList,
    /// Held by whoever groups or merges figures.
    pub(super) figures: Mutex<()>,
    /// Films that wait for their labels.
    pub(super) films: film_labels::Desk,
    /// Who follows which binding.
    pub(super) roster: Roster,
    /// Read by whoever names or unnames segment files, written by a checkpoint.
    pub(super) files: RwLock<()>,
    pub(super) background: Background,
    pub(super) extractor: Arc<Extractor>,
    pub(super) room: Room,
    /// Why it was opened for reading only though it was to be written.
    pub(super) trouble: Option<Error>,
    pub(super) home: Home,
    /// Templates, and what operators need.
    pub(super) workflow: Workflow,
}

/// A dataset, once it has been opened; its lock is held while it opens.
type Slot = Arc<Mutex<Option<Arc<Space>>>>;

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("home", &self.handle.inner.home).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the database in `dir`. Datasets are recovered when they are first used.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Engine> {
        Engine::start(dir.as_ref(), options).map_err(|e| e.during("open"))
    }

    /// Opens as asked. On a full disk the reserve is given up, which makes room for recovery; if that is not enough, or
    /// nothing may be written at all, the database is opened for reading, and writes are refused with the reason.
    fn start(dir: &Path, options: Options) -> Result<Engine> {
        options.validate()?;
        let error = match Engine::attempt(dir, &options, None) {
            Ok(engine) => return Ok(engine),
            Err(error) => error,
        };
        if options.read_only || !room::is_of_room(&error) || !home::is_database(dir) {
            return Err(error);
        }
        room::give_up_reserve(dir);
        match Engine::attempt(dir, &options, None) {
            Err(e) if room::is_of_room(&e) => Engine::attempt(dir, &Options { read_only: true, ..options }, Some(e)),
            other => other,
        }
    }

    fn attempt(dir: &Path, options: &Options, trouble: Option<Error>) -> Result<Engine> {
        let extractor = Arc::new(Extractor::new(&options.isolation)?);
        let home = Home::open(dir, options.read_only, options.create_if_missing)?;
        let workflow = Workflow::open(dir)?;
        let store = Arc::new(Store::open(&home.store(), &options.store())?);
        let (named, (files, unfinished)) = (segments::named(&store.reader())?, segments::listed(&home.segments())?);
        let token_key = database_row(&store, options.read_only, files.is_empty())?.token_key;
        let last = named.iter().chain(&files).map(|id| id.0).max();
        let desk = Desk::open(&store.reader())?;
        let outbox = Arc::new(Outbox::open(&store.reader())?);
        let queues = Arc::new(Queues::open(Arc::clone(&store), Arc::clone(&outbox), options.durability));
        let tasks = TaskList::open(&store.reader())?;
        let inner = Arc::new(Inner {
            store,
            desk,
            outbox,
            #[cfg(feature = "push")]
            signer: Arc::new(Signer::new(Arc::clone(&queues))),
            queues,
            tasks,
            figures: Mutex::default(),
            films: film_labels::Desk::default(),
            roster: Roster::default(),
            tail: options.tail(),
            options: options.clone(),
            room: Room::new(dir, options.keep_free_bytes),
            trouble,
            token_key,
            catalog: Mutex::default(),
            spaces: Mutex::default(),
            next_segment: AtomicU64::new(last.map_or(1, |id| id.saturating_add(1))),
            files: RwLock::default(),
            background: Background::default(),
            extractor,
            home,
            workflow,
        });
        if !inner.options.read_only {
            segments::unlink(&inner, files.difference(&named).copied());
            unfinished.iter().for_each(|path| drop(std::fs::remove_file(path)));
            point("recover-orphans")?;
        }
        if !inner.options.read_only {
            inner.room.ensure_reserve(inner.options.reserve_bytes);
        }
        let threads = if inner.options.read_only { Vec::new() } else { background::start(&inner)? };
        Ok(Engine { handle: Arc::new(Handle { inner, threads: Mutex::new(threads) }) })
    }

    /// What the database was opened with.
    pub fn options(&self) -> &Options {
        &self.handle.inner.options
    }
}

/// The row of the database; a new database gets one.
fn database_row(store: &Store, read_only: bool, empty: bool) -> Result<DatabaseRow> {
    if let Some(row) = store.reader().row(&keys::database())? {
        return Ok(row);
    }
    if read_only || !empty {
        return Err(Error::corrupted("the store has no database row: expected that of a database, got an empty store"));
    }
    let mut token_key = [0; 32];
    getrandom::fill(&mut token_key)
        .map_err(|e| Error::new(ErrorKind::Io, format!("could not get random bytes for the token key: {e}")))?;
    let row = DatabaseRow { token_key, next_project: 1, next_dataset: 1, project_count: 0 };
    let mut batch = store.batch();
    batch.put(&keys::database(), &row)?;
    store.commit(batch, Durability::Sync)?;
    Ok(row)
}

impl Inner {
    /// Whether writes are taken, and if not, why.
    pub(super) fn writable(&self) -> Result<()> {
        if let Some(trouble) = &self.trouble {
            let what = format!("the database was opened for reading only, because {}", trouble.message());
            return Err(Error::new(trouble.kind(), what));
        }
        self.store.writable()?;
        self.room.check()
    }

    /// The dataset in memory; the first caller recovers it.
    pub(super) fn space(&self, id: DatasetId, limits: &Limits) -> Result<Arc<Space>> {
        let slot = Arc::clone(lock(&self.spaces).entry(id).or_default());
        let mut slot = lock(&slot);
        if let Some(space) = slot.as_ref() {
            return Ok(Arc::clone(space));
        }
        let space = recover::load(self, id, limits.clone())?;
        *slot = Some(Arc::clone(&space));
        Ok(space)
    }

    /// Forgets a deleted dataset.
    pub(super) fn forget(&self, id: DatasetId) {
        lock(&self.spaces).remove(&id);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.background.stop();
        for thread in lock(&self.threads).drain(..) {
            // A thread that panicked has nothing left to do.
            drop(thread.join());
        }
    }
}
