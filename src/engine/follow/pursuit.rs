//! One binding's thread: sessions, one after the other until one ends because it was asked to.

use super::heirs::Heirs;
use super::options::FollowOptions;
use super::polling::Polling;
use super::roster::{Kind, Roster, Seat};
use super::rounds::Rounds;
use super::settle::Settling;
use super::waiting::Waiting;
use crate::engine::audit::close_home;
use crate::engine::binding::{check_identity, clip};
use crate::engine::compare::Gone;
use crate::engine::dataset::Dataset;
use crate::engine::intake;
use crate::engine::open::Engine;
use crate::engine::progress::Progress;
use crate::engine::reading::Reading;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::pool::Pool;
use crate::model::{BindingPhase, BindingState, now};
use crate::source::{
    Bucket, Filter, Folder, Identity, Mount, WatchBudget, Watcher, is_network, is_remote, key_of_path, mounts_below,
};
use crate::store::rows::BindingRow;
use crate::store::{Durability, Key};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// First pause after a source could not be reached.
const RETRY_LEAST: Duration = Duration::from_secs(1);
/// Longest wait for events, so that the wish to stop is noticed.
const LOOK_UP: Duration = Duration::from_millis(250);
/// How often documents are looked at that wait for other bindings.
const WAITING_EVERY: Duration = Duration::from_millis(50);
/// Time in which a file that moved here settles.
const SETTLED: Duration = Duration::from_secs(2);
/// How often the root is looked at.
const ROOT_EVERY: Duration = Duration::from_secs(1);

/// Where a binding's files are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// In a folder, which is opened anew each time.
    Folder(PathBuf),
    /// In a store that the process has open.
    Store(Bucket),
    /// In a store of that address.
    Address(String),
}

impl Source {
    /// What a bucket of the process stands for.
    pub(super) fn of(place: &Bucket) -> Source {
        match place.folder() {
            Some(folder) => Source::Folder(folder.root().to_owned()),
            None => Source::Store(place.clone()),
        }
    }

    /// What a binding names.
    pub(super) fn named(source: &str) -> Source {
        if is_remote(source) { Source::Address(source.to_owned()) } else { Source::Folder(PathBuf::from(source)) }
    }
}

/// Follows one binding.
pub(super) struct Pursuit {
    engine: Engine,
    key: Key,
    pub(super) bucket: String,
    row: BindingRow,
    source: Option<Source>,
    pub(super) options: FollowOptions,
    budget: WatchBudget,
    pub(super) seat: Arc<Seat>,
}

impl Pursuit {
    pub(super) fn new(
        engine: &Engine,
        (key, bucket, row): (Key, String, BindingRow),
        source: Option<Source>,
        options: &FollowOptions,
        budget: WatchBudget,
        seat: Arc<Seat>,
    ) -> Pursuit {
        Pursuit { engine: engine.clone(), key, bucket, row, source, options: *options, budget, seat }
    }

    /// Follows until it is asked to stop, or nothing can be stored any more.
    pub(super) fn run(self) {
        let _leaving = Leaving { engine: self.engine.clone(), key: self.key.clone() };
        let mut wait = RETRY_LEAST;
        while !self.seat.is_stopped() {
            let begun = Instant::now();
            let outcome = self.follow();
            self.seat.set_idle(false);
            self.seat.follows(None);
            self.seat.looks(None);
            let error = match outcome {
                Ok(()) => return,
                Err(e) if matches!(e.kind(), ErrorKind::OutcomeUnknown | ErrorKind::NotFound) => return,
                Err(e) => e,
            };
            let state =
                if error.kind() == ErrorKind::LimitExceeded { BindingState::Failed } else { BindingState::Retrying };
            if self.tell(state, &error).is_err() || state == BindingState::Failed {
                return;
            }
            wait = if begun.elapsed() > wait * 2 { RETRY_LEAST } else { wait * 2 }.min(self.options.retry_most);
            // It was tried, and there is nothing else to do.
            self.seat.set_idle(true);
            self.doze(wait);
            self.seat.set_idle(false);
        }
    }

    fn follow(&self) -> Result<()> {
        let dataset = self.engine.dataset(&self.row.project, &self.row.dataset)?;
        let progress = Progress::new();
        let place = match &self.source {
            Some(Source::Store(place)) => place.clone(),
            Some(Source::Address(address)) => Bucket::open(address)?,
            Some(Source::Folder(_)) | None => Bucket::Folder(Folder::open(self.root()?)?),
        };
        let place = place.until(self.seat.stop());
        let pool = intake::pool(&self.engine.handle.inner, &place, self.options.extract, self.options.pool)?;
        match place {
            Bucket::Folder(folder) => Session::begin(self, &dataset, &pool, &progress, folder)?.run(),
            Bucket::Objects(_) => Rounds::begin(self, &dataset, &pool, &progress, place)?.run(),
        }
    }

    /// Begins with a source that was found, if it is the one that was bound.
    pub(super) fn enter(&self, identity: Identity) -> Result<BindingRow> {
        let row = self.change(Durability::Buffered, |row| {
            row.root.get_or_insert(identity);
        })?;
        check_identity(&row, identity)?;
        self.change(Durability::Buffered, |row| {
            row.state = BindingState::Running;
            row.reason = String::new();
            row.phase = if row.scanned { BindingPhase::IncrementalScanning } else { BindingPhase::FullScanning };
        })
    }

    /// Writes down how far the first scan is.
    pub(super) fn save(&self, row: &mut BindingRow, upto: &str) -> Result<()> {
        if upto.is_empty() {
            return Ok(());
        }
        match self.change(Durability::Buffered, |row| row.cursor = upto.to_owned()) {
            Ok(saved) => *row = saved,
            // Stopped or deleted meanwhile: there is nothing to remember.
            Err(_) if self.seat.is_stopped() => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Notes that everything up to `began` was compared, and whether all of it could be read.
    pub(super) fn verified(&self, began: i64, whole: bool) -> Result<BindingRow> {
        self.change(Durability::Buffered, |row| {
            row.scanned = true;
            row.cursor = String::new();
            row.phase = BindingPhase::IncrementalScanning;
            row.reconciled = row.lost;
            if whole {
                row.verified = began;
            }
        })
    }

    /// Writes down why it does not go on.
    fn tell(&self, state: BindingState, error: &Error) -> Result<()> {
        let reason = clip(error.message());
        self.change(Durability::Buffered, |row| (row.state, row.reason) = (state, reason)).map(drop)
    }

    /// Changes the row. An error of the kind NotFound says that the binding is not to be followed any more.
    pub(super) fn change(&self, durability: Durability, change: impl FnOnce(&mut BindingRow)) -> Result<BindingRow> {
        let changed = self.engine.handle.inner.change_binding(&self.key, self.row.create_time, durability, change)?;
        changed.ok_or_else(|| Error::new(ErrorKind::NotFound, "the binding was stopped or deleted"))
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.engine.handle.inner.roster
    }

    /// What it reads lately, among the other bindings of its dataset.
    pub(super) fn heirs(&self) -> Heirs {
        self.roster().heirs(&self.key)
    }

    /// Those of the documents without files that need not wait for other bindings.
    pub(super) fn sift(
        &self,
        waiting: &mut Waiting,
        gone: Vec<Gone>,
        from: (&Dataset, &Heirs),
        kind: Kind,
    ) -> Result<Vec<Gone>> {
        waiting.sift(gone, from, self.roster(), (&self.key, kind))
    }

    /// Those that waited for long enough.
    pub(super) fn take_waiting(&self, waiting: &mut Waiting, heirs: &Heirs, kind: Kind, most: Duration) -> Vec<Gone> {
        let mut over = waiting.take(heirs, self.roster(), &self.key, kind);
        over.extend(waiting.take_old(most));
        over
    }

    fn doze(&self, time: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < time && !self.seat.is_stopped() {
            std::thread::sleep(Duration::from_millis(50).min(time));
        }
    }

    fn root(&self) -> Result<&Path> {
        let missing = || {
            let bucket = &self.bucket;
            Error::new(
                ErrorKind::Io,
                format!("no folder is given for the bucket {bucket}: start with --bucket {bucket}=PATH"),
            )
        };
        match &self.source {
            Some(Source::Folder(root)) => Ok(root),
            _ => Err(missing()),
        }
    }
}

/// Frees the seat, also when the thread panics.
struct Leaving {
    engine: Engine,
    key: Key,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.engine.handle.inner.roster.exit(&self.key);
    }
}

/// The time in which a binding's source can be reached.
pub(super) struct Session<'a> {
    pub(super) pursuit: &'a Pursuit,
    pub(super) dataset: &'a Dataset,
    pub(super) pool: &'a Pool<Reading>,
    pub(super) progress: &'a Progress,
    pub(super) row: BindingRow,
    pub(super) filter: Filter,
    pub(super) watcher: Arc<Watcher>,
    pub(super) settling: Settling,
    pub(super) polling: Polling,
    pub(super) heirs: Heirs,
    pub(super) waiting: Waiting,
    /// When all that is polled was looked at last.
    pub(super) looked: Instant,
    /// What is mounted below the root.
    mounts: BTreeSet<Mount>,
    /// Keys of what could not be read.
    pub(super) unread: BTreeSet<String>,
    /// Events were dropped: everything is to be compared.
    pub(super) rescan: bool,
}

impl<'a> Session<'a> {
    fn begin(
        pursuit: &'a Pursuit,
        dataset: &'a Dataset,
        pool: &'a Pool<Reading>,
        progress: &'a Progress,
        folder: Folder,
    ) -> Result<Session<'a>> {
        let row = pursuit.enter(folder.identity()?)?;
        let mut filter = Filter::new(&row.prefix, &row.exclude)?;
        close_home(&mut filter, &Bucket::Folder(folder.clone()), pursuit.engine.handle.inner.home.root());
        let blind = pursuit.options.poll || is_network(folder.file_system()?);
        let watcher = if blind { None } else { Watcher::new(folder.root(), pursuit.budget.clone()).ok() };
        let watcher = Arc::new(watcher.unwrap_or_else(|| Watcher::blind(folder.root())));
        let mounts = mounts_below(folder.root());
        pursuit.seat.looks(Some(Kind::Folder));
        Ok(Session {
            pursuit,
            dataset,
            pool,
            progress,
            row,
            filter,
            watcher,
            settling: Settling::default(),
            polling: Polling::new(pursuit.options.poll_least, pursuit.options.poll_most),
            heirs: pursuit.heirs(),
            waiting: Waiting::default(),
            looked: Instant::now(),
            mounts,
            unread: BTreeSet::new(),
            rescan: false,
        })
    }

    /// The folder, if it is the one that was bound. It is held open only while it is worked with, so that a disk can be
    /// unmounted.
    pub(super) fn open(&self) -> Result<Folder> {
        let folder = Folder::open(self.pursuit.root()?)?;
        check_identity(&self.row, folder.identity()?)?;
        Ok(folder)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.pursuit.seat.is_stopped()
    }

    fn run(mut self) -> Result<()> {
        if self.row.scanned {
            self.compare_all()?
        } else {
            self.scan_first()?
        };
        let options = &self.pursuit.options;
        let (mut root_looked, mut verified, mut retried) = (Instant::now(), Instant::now(), Instant::now());
        while !self.is_stopped() {
            let wait = self.patience();
            let busy = self.rescan || !self.settling.is_empty() || !self.waiting.is_empty();
            self.pursuit.seat.set_idle(!busy);
            self.listen(wait)?;
            let heard = Instant::now();
            self.turn(true)?;
            if self.rescan || verified.elapsed() >= options.verify {
                self.compare_all()?;
                verified = Instant::now();
            }
            if self.polling.next().is_some_and(|next| next <= Instant::now()) {
                self.poll()?;
            }
            if root_looked.elapsed() >= ROOT_EVERY {
                self.look_at_mounts()?;
                root_looked = Instant::now();
            }
            if retried.elapsed() >= options.retry_most {
                self.retry_unread();
                retried = Instant::now();
            }
            self.cover();
            if self.pursuit.seat.take_asked() {
                self.polling.hurry();
            }
            self.tell_looked(heard);
            self.bury_waiting()?;
        }
        Ok(())
    }

    /// Tells others up to when everything that happened was read.
    fn tell_looked(&self, heard: Instant) {
        let polled = (self.polling.len() > 0).then_some(self.looked);
        // What waits for longer is still being written: it did not move here.
        let settling = self.settling.oldest().map(|first| first.max(heard.checked_sub(SETTLED).unwrap_or(first)));
        let looked = [polled, settling].into_iter().flatten().fold(heard, Instant::min);
        if !self.rescan {
            self.pursuit.seat.has_looked(looked);
        }
    }

    /// Sees that the root is there, and looks into what was mounted or unmounted below it: no event tells.
    fn look_at_mounts(&mut self) -> Result<()> {
        let mounts = mounts_below(self.open()?.root());
        let changed: Vec<PathBuf> = mounts.symmetric_difference(&self.mounts).map(|(path, _)| path.clone()).collect();
        for path in changed.iter().filter(|path| self.filter.enters(&key_of_path(path))) {
            // What was watched there is not there any more.
            self.watcher.forget(path);
            self.settling.note(path, true, false, self.pursuit.options.quiet, Instant::now());
        }
        self.mounts = mounts;
        Ok(())
    }

    /// How long to wait for events: until something is due.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        // What waits for others is looked at often.
        let waiting = (!self.waiting.is_empty()).then(|| now + WAITING_EVERY);
        let next = [self.settling.next(), self.polling.next(), waiting].into_iter().flatten().min();
        next.map_or(LOOK_UP, |next| next.saturating_duration_since(now).min(LOOK_UP))
    }

    /// Tells how well it follows.
    pub(super) fn cover(&self) {
        self.pursuit.seat.cover(|coverage| {
            coverage.live = self.watcher.len();
            coverage.polled = self.polling.len();
            coverage.unreachable = self.unread.len() as u64;
        });
    }

    /// Notes that everything up to `began` was compared.
    pub(super) fn note_verified(&mut self, began: i64) -> Result<()> {
        self.row = self.pursuit.verified(began, self.unread.is_empty())?;
        Ok(())
    }

    /// The present time, as rows keep it.
    pub(super) fn clock() -> i64 {
        now().0
    }
}
