//! Following a store: all of it is listed from time to time and compared with the records, because stores need not tell their
//! changes and what they tell may be lost. What is the same costs no more than its part of a page. What messages name is
//! looked at between ([`super::named`]).

use super::heirs::{Heirs, bury};
use super::pass::{Missing, Pace, SAVE_EVERY, in_parts};
use super::pursuit::{Pursuit, Session};
use super::roster::Kind;
use super::waiting::Waiting;
use crate::engine::compare::{Comparison, Gone, key_of};
use crate::engine::dataset::Dataset;
use crate::engine::intake::{Done, Intake};
use crate::engine::progress::Progress;
use crate::engine::reading::Reading;
use crate::error::Result;
use crate::extract::pool::Pool;
use crate::model::BindingPhase;
use crate::source::{Bucket, Filter, Skipped, Walking, Why};
use crate::store::Durability;
use crate::store::rows::BindingRow;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often the wish to stop is looked at while there is nothing to do.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Longest that a document without an object waits for other bindings to look, where they list as often as that.
const WAIT_MOST: Duration = Duration::from_secs(60);
/// How often a pass looks at what messages named.
const TURN_EVERY: Duration = Duration::from_millis(100);
/// Listings take at most this part of the time, up to the longest pause.
const SHARE: u32 = 4;

/// The time in which a store can be reached.
pub(super) struct Rounds<'a> {
    pub(super) pursuit: &'a Pursuit,
    pub(super) dataset: &'a Dataset,
    pub(super) pool: &'a Pool<Reading>,
    pub(super) progress: &'a Progress,
    pub(super) row: BindingRow,
    pub(super) filter: Filter,
    pub(super) place: Bucket,
    heirs: Heirs,
    waiting: Waiting,
    /// Keys of what could not be read in this round.
    pub(super) unread: BTreeSet<String>,
    /// Objects that were new or changed in this round, and documents without objects.
    changes: u64,
    /// The key up to which tags were compared; empty for the beginning.
    pub(super) tags_upto: String,
    /// There is a reason not to wait for the next round longer than need be.
    pub(super) list_soon: bool,
}

impl<'a> Rounds<'a> {
    pub(super) fn begin(
        pursuit: &'a Pursuit,
        dataset: &'a Dataset,
        pool: &'a Pool<Reading>,
        progress: &'a Progress,
        place: Bucket,
    ) -> Result<Rounds<'a>> {
        let row = pursuit.enter(place.identity()?)?;
        let filter = Filter::new(&row.prefix, &row.exclude)?;
        let (heirs, unread) = (pursuit.heirs(), BTreeSet::new());
        // From now on: what happened before is found by the first round.
        pursuit.seat.follows(Some(place.clone()));
        pursuit.seat.looks(Some(Kind::Store));
        Ok(Rounds {
            pursuit,
            dataset,
            pool,
            progress,
            row,
            filter,
            place,
            heirs,
            waiting: Waiting::default(),
            unread,
            changes: 0,
            tags_upto: String::new(),
            list_soon: false,
        })
    }

    /// One round after the other, until it is asked to stop. The pause doubles while nothing changes.
    pub(super) fn run(mut self) -> Result<()> {
        let options = &self.pursuit.options;
        let mut pause = options.list_least;
        while !self.is_stopped() {
            let begun = Instant::now();
            let whole = self.round()?;
            // What cannot be read is tried in each round, and need not be tried often.
            let calm = whole && self.changes <= self.unread.len() as u64;
            pause = if calm { pause * 2 } else { options.list_least };
            let bound =
                |pause: Duration| pause.max(begun.elapsed() * SHARE).clamp(options.list_least, options.list_most);
            pause = bound(pause);
            // What could not be compared to the end is work that is known of.
            if whole {
                self.compare_tags()?;
                self.rest(pause, bound(options.list_least))?;
            }
            self.pursuit.seat.set_idle(false);
        }
        Ok(())
    }

    /// Waits for the next round, and looks at what messages name meanwhile; only `soon` where there is a reason.
    fn rest(&mut self, pause: Duration, soon: Duration) -> Result<()> {
        let rested = Instant::now();
        loop {
            self.follow_hints()?;
            self.bury_waiting()?;
            self.list_soon |= self.pursuit.seat.hints().take_overflow() || self.pursuit.seat.take_asked();
            let pause = if self.list_soon { soon } else { pause };
            if rested.elapsed() >= pause || self.is_stopped() {
                return Ok(());
            }
            // Those who bring hints say so first: what they brought meanwhile is not taken for nothing.
            self.pursuit.seat.set_idle(true);
            if !self.pursuit.seat.hints().is_empty() || !self.waiting.is_empty() {
                self.pursuit.seat.set_idle(false);
            }
            if !self.pursuit.seat.hints().are_due(Instant::now()) {
                std::thread::sleep(LOOK_UP.min(pause));
            }
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.pursuit.seat.is_stopped()
    }

    /// Compares everything; false where some of it is left. The first scan begins where the last one ended, and ends with what
    /// was done before, because that may have changed since.
    fn round(&mut self) -> Result<bool> {
        let (began, looked) = (Session::clock(), Instant::now());
        self.unread.clear();
        self.changes = 0;
        self.list_soon = false;
        let cursor = if self.row.scanned { String::new() } else { self.row.cursor.clone() };
        let mut missing = Missing::default();
        if !self.pass(&cursor, "", &mut missing)? {
            return Ok(false);
        }
        if !cursor.is_empty() && !self.pass("", &cursor, &mut missing)? {
            return Ok(false);
        }
        let more = missing.more;
        self.changes += missing.gone.len() as u64;
        self.bury(missing.gone)?;
        self.cover();
        if more || self.is_stopped() {
            return Ok(false);
        }
        self.heirs.keep_recent();
        self.row = self.pursuit.verified(began, self.unread.is_empty())?;
        self.pursuit.seat.has_looked(looked);
        Ok(true)
    }

    /// Compares what lies behind one key up to another; false where it was asked to stop before the end. Fails where the store
    /// cannot be listed: then nothing is known of what is missing.
    fn pass(&mut self, after: &str, until: &str, missing: &mut Missing) -> Result<bool> {
        let first = !self.row.scanned && until.is_empty();
        if first {
            self.row = self.pursuit.change(Durability::Buffered, |row| row.phase = BindingPhase::FullScanning)?;
        }
        let (filter, place) = (self.filter.clone(), self.place.clone());
        let walking = Walking { filter: filter.clone(), after: after.to_owned(), ..Walking::default() };
        let (dataset, bucket) = (self.dataset, &self.pursuit.bucket);
        let mut comparison = Comparison::new(dataset, bucket, &filter, place.tour(walking), "", (after, until));
        let mut intake = Intake::new(dataset, self.pool, self.progress, true)?;
        let (mut saved, mut turned, mut pace) = (Instant::now(), Instant::now(), Pace::new(self.row.rate));
        loop {
            let step = comparison.step()?;
            pace.keep(step.seen.len(), || self.is_stopped());
            for seen in step.seen {
                let found = seen.candidate();
                if intake.is_due(&found, false) {
                    self.changes += 1;
                    intake.submit(&place, found)?;
                }
            }
            self.learn(intake.take_done());
            missing.extend(step.gone);
            let stopped = self.is_stopped();
            let failed = step.skipped.into_iter().find_map(|skipped| self.pass_over(skipped));
            if stopped || failed.is_some() || (first && saved.elapsed() >= SAVE_EVERY) {
                intake.drain()?;
                self.learn(intake.take_done());
                if first && failed.is_none() {
                    self.pursuit.save(&mut self.row, &step.upto)?;
                }
                self.cover();
                saved = Instant::now();
            }
            if turned.elapsed() >= TURN_EVERY && self.pursuit.seat.hints().are_due(turned) {
                // The pool is one: what the pass handed in comes first.
                intake.drain()?;
                self.learn(intake.take_done());
                self.follow_hints()?;
                turned = Instant::now();
            }
            match failed {
                Some(e) => return Err(e),
                None if stopped => return Ok(false),
                None if step.is_last => break,
                None => {}
            }
        }
        intake.drain()?;
        self.learn(intake.take_done());
        Ok(true)
    }

    /// Notes what was passed over; answers why the listing failed, if that is what it says.
    fn pass_over(&mut self, skipped: Skipped) -> Option<crate::error::Error> {
        match skipped.why {
            Why::Failed(e) if skipped.key.is_empty() => return Some(e),
            Why::Failed(_) => drop(self.unread.insert(skipped.key)),
            _ => {}
        }
        None
    }

    pub(super) fn learn(&mut self, done: Vec<Done>) {
        for done in done {
            self.heirs.add(&done);
            if done.unread {
                self.unread.insert(key_of(&done.uri).to_owned());
            }
        }
    }

    /// Lets documents without objects pass on to those that their objects became, and removes the others: those of which a
    /// second listing says the same, at once, or when other bindings have looked whether they got them.
    pub(super) fn bury(&mut self, gone: Vec<Gone>) -> Result<()> {
        let gone = self.pursuit.sift(&mut self.waiting, gone, (self.dataset, &self.heirs), Kind::Store)?;
        self.bury_now(gone)
    }

    /// The same with those that have waited.
    fn bury_waiting(&mut self) -> Result<()> {
        let most = WAIT_MOST.max(self.pursuit.options.list_least * 3);
        let over = self.pursuit.take_waiting(&mut self.waiting, &self.heirs, Kind::Store, most);
        self.bury_now(over)
    }

    fn bury_now(&mut self, gone: Vec<Gone>) -> Result<()> {
        if gone.is_empty() || self.is_stopped() {
            return Ok(());
        }
        let mut gone = gone;
        gone.sort_unstable_by(|a, b| a.uri.cmp(&b.uri));
        let keys: Vec<&str> = gone.iter().map(|gone| key_of(&gone.uri)).collect();
        let absent = self.place.absent(&keys)?;
        let gone = gone.into_iter().zip(absent).filter_map(|(gone, absent)| absent.then_some(gone)).collect();
        in_parts(gone, |part| bury(self.dataset, &self.heirs, part).map(|_| !self.is_stopped()))
    }

    /// Tells how well it follows.
    pub(super) fn cover(&self) {
        self.pursuit.seat.cover(|coverage| {
            (coverage.live, coverage.polled, coverage.unreachable) = (0, 1, self.unread.len() as u64);
        });
    }
}
