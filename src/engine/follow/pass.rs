//! Passes: a source, or a part of it, beside the records, until both agree.

use super::heirs::bury;
use super::pursuit::Session;
use super::roster::Kind;
use crate::engine::compare::{Comparison, Gone, away, is_within, key_of};
use crate::engine::intake::{Done, Intake};
use crate::error::Result;
use crate::model::BindingPhase;
use crate::source::{Bucket, Identity, Look, Walking, key_of_path};
use crate::store::Durability;
use std::path::Path;
use std::time::{Duration, Instant};

/// Documents without files that one pass remembers at most; more take another pass.
const MOST_GONE: usize = 100_000;
/// Documents that are removed between two looks at the wish to stop.
const BURIED_AT_ONCE: usize = 1000;
/// File systems below the root that are remembered at most.
const MOST_MOUNTS: usize = 1000;
/// Longest that a document without a file waits for other bindings to look.
const WAIT_MOST: Duration = Duration::from_secs(60);
/// How often the first scan writes down how far it is.
pub(super) const SAVE_EVERY: Duration = Duration::from_secs(2);
/// How often a pass looks at what changed meanwhile.
const TURN_EVERY: Duration = Duration::from_millis(100);

/// Which part of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'s> {
    /// The folder, below the root.
    pub(super) within: &'s Path,
    /// Keys from behind this one, or from the beginning.
    pub(super) after: &'s str,
    /// Keys up to this one, or to the end.
    pub(super) until: &'s str,
    /// It is the first scan: how far it is gets written down.
    pub(super) first: bool,
}

impl<'s> Span<'s> {
    pub(super) fn tree(within: &'s Path) -> Span<'s> {
        Span { within, after: "", until: "", first: false }
    }
}

/// Documents without files, as passes collect them.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) gone: Vec<Gone>,
    /// There were more.
    pub(super) more: bool,
}

impl Missing {
    pub(super) fn extend(&mut self, gone: Vec<Gone>) {
        let room = MOST_GONE.saturating_sub(self.gone.len());
        self.more |= gone.len() > room;
        self.gone.extend(gone.into_iter().take(room));
    }
}

impl Session<'_> {
    /// The first scan: from where the last one ended to the end, then from the beginning to there, because what was done
    /// before may have changed since.
    pub(super) fn scan_first(&mut self) -> Result<()> {
        let began = Session::clock();
        let cursor = self.row.cursor.clone();
        let root = Path::new("");
        let span = Span { within: root, after: &cursor, until: "", first: true };
        let mut missing = Missing::default();
        if !self.pass(span, &mut missing)? {
            return Ok(());
        }
        if !cursor.is_empty() && !self.pass(Span { after: "", until: &cursor, first: false, ..span }, &mut missing)? {
            return Ok(());
        }
        self.finish(began, missing)
    }

    /// Compares everything.
    pub(super) fn compare_all(&mut self) -> Result<()> {
        let (began, looked) = (Session::clock(), Instant::now());
        self.rescan = false;
        let mut missing = Missing::default();
        if !self.pass(Span::tree(Path::new("")), &mut missing)? {
            return Ok(());
        }
        self.finish(began, missing)?;
        self.looked = looked;
        Ok(())
    }

    fn finish(&mut self, began: i64, missing: Missing) -> Result<()> {
        let more = missing.more;
        self.bury(missing)?;
        if more {
            self.rescan = true;
            return Ok(());
        }
        self.heirs.keep_recent();
        self.note_verified(began)?;
        self.cover();
        Ok(())
    }

    /// Compares a part; false where it was asked to stop before the end.
    pub(super) fn pass(&mut self, span: Span<'_>, missing: &mut Missing) -> Result<bool> {
        let folder = self.open()?;
        let filter = self.filter.clone();
        let within = key_of_path(span.within);
        if span.first {
            self.row = self.pursuit.change(Durability::Buffered, |row| row.phase = BindingPhase::FullScanning)?;
        }
        if span.until.is_empty() {
            self.unread.retain(|key| !is_within(key, &within));
        }
        let walking = Walking {
            filter: filter.clone(),
            within: span.within.to_owned(),
            after: span.after.to_owned(),
            watcher: Some(std::sync::Arc::clone(&self.watcher)),
        };
        let (dataset, bucket) = (self.dataset, &self.pursuit.bucket);
        let bounds = (span.after, span.until);
        let place = Bucket::Folder(folder);
        let mut comparison = Comparison::new(dataset, bucket, &filter, place.tour(walking), &within, bounds);
        let mut intake = Intake::new(dataset, self.pool, self.progress, true)?;
        let gone_away = away(&place, &self.row.mounts);
        let (mut saved, mut turned, mut pace) = (Instant::now(), Instant::now(), Pace::new(self.row.rate));
        loop {
            let step = comparison.step()?;
            self.remember(comparison.take_mounts())?;
            pace.keep(step.seen.len(), || self.is_stopped());
            for seen in step.seen {
                let found = seen.candidate();
                if intake.is_due(&found, false) {
                    intake.submit(&place, found)?;
                }
            }
            self.learn(intake.take_done());
            missing.extend(step.gone.into_iter().filter(|gone| !self.is_below(gone, &gone_away)).collect());
            let stopped = self.is_stopped();
            if stopped || step.is_last || saved.elapsed() >= SAVE_EVERY || turned.elapsed() >= TURN_EVERY {
                self.listen(Duration::ZERO)?;
            }
            if stopped || (span.first && saved.elapsed() >= SAVE_EVERY) {
                intake.drain()?;
                self.learn(intake.take_done());
                self.save(span, &step.upto)?;
                saved = Instant::now();
            }
            if stopped {
                return Ok(false);
            }
            if turned.elapsed() >= TURN_EVERY && self.settling.next().is_some_and(|due| due <= Instant::now()) {
                // The pool is one: what the pass handed in comes first.
                intake.drain()?;
                self.turn(false)?;
            }
            if turned.elapsed() >= TURN_EVERY {
                self.cover();
                turned = Instant::now();
            }
            if step.is_last {
                break;
            }
        }
        intake.drain()?;
        self.learn(intake.take_done());
        self.unread.extend(comparison.unread().iter().cloned());
        self.unread.extend(gone_away.into_iter().filter(|key| is_within(key, &within)));
        Ok(true)
    }

    /// Writes down which file systems are mounted below the root, before anything of them is stored: when one is away, what
    /// is known of it stays.
    fn remember(&mut self, mut mounts: Vec<(String, Identity)>) -> Result<()> {
        mounts.retain(|(key, _)| !self.row.mounts.iter().any(|(known, _)| known == key));
        mounts.truncate(MOST_MOUNTS.saturating_sub(self.row.mounts.len()));
        if !mounts.is_empty() {
            self.row = self.pursuit.change(Durability::Buffered, |row| row.mounts.extend(mounts))?;
        }
        Ok(())
    }

    fn is_below(&self, gone: &Gone, folders: &[String]) -> bool {
        folders.iter().any(|folder| is_within(key_of(&gone.uri), folder))
    }

    fn save(&mut self, span: Span<'_>, upto: &str) -> Result<()> {
        if span.first { self.pursuit.save(&mut self.row, upto) } else { Ok(()) }
    }

    /// Remembers what was read.
    pub(super) fn learn(&mut self, done: Vec<Done>) {
        for done in done {
            self.heirs.add(&done);
            let key = key_of(&done.uri).to_owned();
            if done.unread {
                self.unread.insert(key);
            } else {
                self.unread.remove(&key);
            }
        }
    }

    /// Lets documents without files pass on to those that their files became, and removes the others: at once, or when other
    /// bindings have looked whether they got them.
    pub(super) fn bury(&mut self, missing: Missing) -> Result<()> {
        let gone = self.pursuit.sift(&mut self.waiting, missing.gone, (self.dataset, &self.heirs), Kind::Folder)?;
        self.bury_now(gone)
    }

    /// The same with those that have waited.
    pub(super) fn bury_waiting(&mut self) -> Result<()> {
        let over = self.pursuit.take_waiting(&mut self.waiting, &self.heirs, Kind::Folder, WAIT_MOST);
        self.bury_now(over)
    }

    fn bury_now(&mut self, gone: Vec<Gone>) -> Result<()> {
        if gone.is_empty() || self.is_stopped() {
            return Ok(());
        }
        let folder = self.open()?;
        let gone_away = away(&Bucket::Folder(folder.clone()), &self.row.mounts);
        let (lost, gone): (Vec<Gone>, Vec<Gone>) = gone.into_iter().partition(|g| self.is_below(g, &gone_away));
        if !lost.is_empty() {
            self.unread.extend(gone_away);
        }
        let absent =
            |gone: &Gone| folder.look_key(key_of(&gone.uri)).is_ok_and(|found| !matches!(found, Look::File(_)));
        let gone: Vec<Gone> = gone.into_iter().filter(absent).collect();
        // IMPORTANT: the root may have gone while its files were looked for.
        drop(self.open()?);
        in_parts(gone, |part| bury(self.dataset, &self.heirs, part).map(|_| !self.is_stopped()))
    }
}

/// Does a part after the other, so that the wish to stop is noticed between: what is left is found again.
pub(super) fn in_parts(mut gone: Vec<Gone>, mut each: impl FnMut(Vec<Gone>) -> Result<bool>) -> Result<()> {
    while !gone.is_empty() {
        let rest = gone.split_off(gone.len().min(BURIED_AT_ONCE));
        if !each(gone)? {
            break;
        }
        gone = rest;
    }
    Ok(())
}

/// Keeps a scan to so many files per second.
pub(super) struct Pace {
    rate: u32,
    begun: Instant,
    files: u64,
}

impl Pace {
    pub(super) fn new(rate: u32) -> Pace {
        Pace { rate, begun: Instant::now(), files: 0 }
    }

    /// Waits until that many more files are due.
    pub(super) fn keep(&mut self, files: usize, stopped: impl Fn() -> bool) {
        if self.rate == 0 {
            return;
        }
        self.files += files as u64;
        let due = Duration::from_secs_f64(self.files as f64 / f64::from(self.rate));
        while self.begun.elapsed() < due && !stopped() {
            std::thread::sleep(due.saturating_sub(self.begun.elapsed()).min(Duration::from_millis(50)));
        }
    }
}
