//! Documents without files that wait before they go: their files may have moved to another binding of the dataset, which has
//! not read them yet. They wait until every other binding that may have got them has looked, and no longer than that takes.

use super::heirs::Heirs;
use super::roster::{Kind, Roster};
use crate::engine::compare::Gone;
use crate::engine::dataset::Dataset;
use crate::error::Result;
use crate::store::Key;
use std::time::{Duration, Instant};

/// Documents that wait at most; more go at once.
const MOST: usize = 100_000;

/// The documents that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    gone: Vec<(Gone, Instant)>,
}

impl Waiting {
    /// Keeps those whose heirs are not known, if another binding may know them soon; returns the others.
    pub(super) fn sift(
        &mut self,
        gone: Vec<Gone>,
        (dataset, heirs): (&Dataset, &Heirs),
        roster: &Roster,
        (own, kind): (&Key, Kind),
    ) -> Result<Vec<Gone>> {
        // Those of other bindings must not pass on to them from now on: two that did so to each other would both be lost.
        gone.iter().for_each(|gone| heirs.forget(gone));
        if gone.is_empty() || !roster.has_others(own, kind) {
            return Ok(gone);
        }
        let now = Instant::now();
        let room = MOST.saturating_sub(self.gone.len());
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for gone in gone {
            let heir = heirs.find(dataset, &gone)?;
            if heir.is_some() { known.push(gone) } else { unknown.push(gone) }
        }
        let rest = unknown.split_off(unknown.len().min(room));
        self.gone.extend(unknown.into_iter().map(|gone| (gone, now)));
        roster.ask_others(own, kind);
        known.extend(rest);
        Ok(known)
    }

    /// Those that need not wait any longer.
    pub(super) fn take(&mut self, heirs: &Heirs, roster: &Roster, own: &Key, kind: Kind) -> Vec<Gone> {
        if self.gone.is_empty() {
            return Vec::new();
        }
        let looked = roster.others_have_looked(own, kind);
        let is_over = |(gone, since): &(Gone, Instant)| looked.is_none_or(|at| at >= *since) || heirs.know(gone);
        let (over, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.gone).into_iter().partition(is_over);
        self.gone = left;
        over.into_iter().map(|(gone, _)| gone).collect()
    }

    /// Those that waited for as long as that.
    pub(super) fn take_old(&mut self, age: Duration) -> Vec<Gone> {
        let (old, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.gone).into_iter().partition(|(_, since)| since.elapsed() >= age);
        self.gone = left;
        old.into_iter().map(|(gone, _)| gone).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }
}
