//! What messages of a store named, and what is found there: a small comparison around each key, which sees what is new, changed
//! or gone as a listing of everything would.

use super::hints::{Hinted, Near, near};
use super::rounds::Rounds;
use crate::engine::abreast::abreast;
use crate::engine::compare::{Comparison, Gone, Seen};
use crate::engine::intake::Intake;
use crate::engine::tags;
use crate::error::Result;
use crate::source::{Bucket, Touch, Walking, Why};
use std::collections::HashSet;
use std::time::Instant;

/// Keys of one turn.
const TURN_KEYS: usize = 500;
/// Turns before something else is looked at.
const MOST_TURNS: usize = 4;
/// Steps of one comparison, of some hundred objects each. What is around a key is a few objects; where it is more, everything is
/// listed instead.
const MOST_STEPS: usize = 4;

/// What lies around a key.
#[derive(Default)]
struct Found {
    seen: Vec<Seen>,
    gone: Vec<Gone>,
    /// Keys of what could not be read.
    unread: Vec<String>,
    /// There is more than is worth it.
    more: bool,
}

impl Rounds<'_> {
    /// Looks at the keys whose time has come; not at all of a flood, which must not hold up the next listing.
    pub(super) fn follow_hints(&mut self) -> Result<()> {
        for _ in 0..MOST_TURNS {
            let hinted = self.pursuit.seat.hints().take(Instant::now(), TURN_KEYS);
            if hinted.is_empty() || self.is_stopped() {
                break;
            }
            self.look_around(&hinted)?;
        }
        Ok(())
    }

    fn look_around(&mut self, hinted: &[Hinted]) -> Result<()> {
        let wanted: Vec<Hinted> = hinted.iter().filter(|hinted| self.filter.takes(&hinted.key)).cloned().collect();
        let parts = near(&wanted);
        let width = self.place.concurrency();
        let found = abreast(width, &parts, |part| self.around(part));
        let again: HashSet<&str> = wanted.iter().filter(|h| h.again).map(|h| h.key.as_str()).collect();
        let (place, mut gone) = (self.place.clone(), Vec::new());
        let mut intake = Intake::new(self.dataset, self.pool, self.progress, true)?;
        for found in found {
            let found = found?;
            self.unread.extend(found.unread);
            self.list_soon |= found.more;
            gone.extend(found.gone);
            for seen in found.seen {
                let candidate = seen.candidate();
                let again = again.contains(candidate.entry.key.as_str());
                if intake.is_due(&candidate, again) {
                    intake.submit(&place, candidate)?;
                }
            }
        }
        intake.drain()?;
        self.learn(intake.take_done());
        self.bury(gone)?;
        self.cover();
        Ok(())
    }

    /// Asks for the tags of some objects after each listing, the next ones each time; those that have changed are read again.
    pub(super) fn compare_tags(&mut self) -> Result<()> {
        let Bucket::Objects(objects) = self.place.clone() else { return Ok(()) };
        let mut left = self.pursuit.options.tags;
        while left > 0 && !self.is_stopped() {
            let some = left.min(tags::TOGETHER);
            let stored = tags::stored(self.dataset, &self.pursuit.bucket, &self.filter, &self.tags_upto, some)?;
            let outcomes = tags::differ(&*objects, &stored);
            let mut failed = false;
            for (tagged, outcome) in stored.iter().zip(outcomes) {
                match outcome {
                    Ok(true) => self.pursuit.seat.hints().note(tagged.key.clone(), Touch::Told, Instant::now()),
                    Ok(false) => {}
                    Err(_) => failed = self.unread.insert(tagged.key.clone()) || failed,
                }
            }
            self.tags_upto = stored.last().filter(|_| stored.len() == some).map_or_else(String::new, |t| t.key.clone());
            left = if failed || self.tags_upto.is_empty() { 0 } else { left - some };
        }
        self.cover();
        Ok(())
    }

    /// What lies around a key now. Fails where the store cannot be listed.
    fn around(&self, part: &Near) -> Result<Found> {
        let filter = part.filter(&self.row.prefix, &self.row.exclude)?;
        let walking = Walking { filter: filter.clone(), after: part.after.clone(), ..Walking::default() };
        let bounds = (part.after.as_str(), part.until.as_str());
        let bucket = &self.pursuit.bucket;
        let mut comparison = Comparison::new(self.dataset, bucket, &filter, self.place.tour(walking), "", bounds);
        let mut found = Found::default();
        for _ in 0..MOST_STEPS {
            let step = comparison.step()?;
            found.seen.extend(step.seen);
            found.gone.extend(step.gone);
            for skipped in step.skipped {
                match skipped.why {
                    Why::Failed(e) if skipped.key.is_empty() => return Err(e),
                    Why::Failed(_) => found.unread.push(skipped.key),
                    _ => {}
                }
            }
            if step.is_last {
                return Ok(found);
            }
        }
        Ok(Found { more: true, ..Found::default() })
    }
}
