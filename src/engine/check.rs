//! The check of everything against everything: records, index, counters, change rows, files.

use super::catalog;
use super::dataset::Dataset;
use super::open::Engine;
use super::rebuild::uri_of;
use super::segments;
use super::space::{Piece, PieceId};
use super::sync::{exclude, lock};
use super::view::{Sight, scan_files};
use super::{commit, document};
use crate::error::Result;
use crate::store::rows::{CountersRow, ProjectRow, Row};
use crate::store::{Change, Record, keys};
use std::sync::atomic::Ordering;

/// Problems that one report lists at most; the rest are counted.
const MOST_LISTED: usize = 1000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Datasets looked at.
    pub datasets: u64,
    /// Records looked at.
    pub records: u64,
    /// Parts of indexes looked at.
    pub parts: u64,
    /// The first thousand problems.
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `project/dataset`.
    pub place: String,
    /// A sentence that names what was expected and what was found.
    pub what: String,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    fn add(&mut self, place: &str, what: String) {
        self.problem_count += 1;
        if self.problems.len() < MOST_LISTED {
            self.problems.push(Problem { place: place.to_owned(), what });
        }
    }
}

impl Engine {
    /// Checks every dataset; `deep` also reads every section of every segment and every field of every record.
    pub fn check(&self, deep: bool) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let mut places = Vec::new();
        {
            let reader = self.handle.inner.store.reader();
            let mut rows = reader.scan(&keys::project(""), None)?;
            while let Some((key, value)) = rows.current()? {
                let (project, row) = (keys::text_after(key, 1).unwrap_or("").to_owned(), ProjectRow::decode(value)?);
                let datasets = catalog::dataset_ids(&reader, row.id())?;
                if datasets.len() as i64 != row.dataset_count {
                    let (expected, got) = (row.dataset_count, datasets.len());
                    report.add(&project, format!("expected {expected} datasets as counted, got {got}"));
                }
                places.extend(datasets.into_iter().map(|(name, _)| (project.clone(), name)));
                rows.advance();
            }
        }
        for (project, name) in places {
            match self.dataset(&project, &name) {
                Ok(dataset) => dataset.check(deep, &mut report)?,
                Err(e) => report.add(&format!("{project}/{name}"), format!("cannot be opened: {}", e.message())),
            }
        }
        self.check_files(&mut report)?;
        Ok(report)
    }

    /// Every file that the manifest names is there.
    fn check_files(&self, report: &mut CheckReport) -> Result<()> {
        let inner = &self.handle.inner;
        let _still = exclude(&inner.files);
        let named = segments::named(&inner.store.reader())?;
        let (listed, _) = segments::listed(&inner.home.segments())?;
        for id in named.difference(&listed) {
            report.add("", format!("expected the segment file {}, got none", inner.home.segment(*id).display()));
        }
        Ok(())
    }
}

impl Dataset {
    fn check(&self, deep: bool, report: &mut CheckReport) -> Result<()> {
        let place = format!("{}/{}", self.project(), self.name());
        let sight = Sight::take(self.inner(), &self.space)?;
        report.datasets += 1;
        report.parts += sight.view.pieces.len() as u64;
        if self.space.damaged.load(Ordering::Relaxed) {
            report.add(&place, format!("the index on disk is damaged: {}", lock(&self.space.tally.last_failure)));
        }
        if deep {
            verify_parts(&sight.view.pieces, &place, report);
        }
        let found = self.check_records(&sight, deep, &place, report)?;
        let expected = sight.counters;
        if (found.files, found.bytes) != (expected.files, expected.bytes) {
            let (ef, eb, gf, gb) = (expected.files, expected.bytes, found.files, found.bytes);
            report.add(&place, format!("expected {ef} files of {eb} bytes as counted, got {gf} of {gb}"));
        }
        // Each record was found in one part: as many live documents as records leaves none without a record.
        let live = sight.view.index.live();
        if live != found.files {
            report.add(&place, format!("expected {} live documents in the index, got {live}", found.files));
        }
        self.check_changes(&sight, &place, report)
    }

    /// Walks the records; each must be live in exactly one part.
    fn check_records(
        &self,
        sight: &Sight<'_>,
        deep: bool,
        place: &str,
        report: &mut CheckReport,
    ) -> Result<CountersRow> {
        let mut found = CountersRow::default();
        let mut rows = scan_files(&sight.reader, self.space.id, None)?;
        while let Some((key, value)) = rows.current()? {
            let uri = uri_of(key)?;
            found.files += 1;
            match Record::decode(uri, value) {
                Ok(record) => found.bytes = found.bytes.saturating_add(document::counted_size(&record.members)),
                Err(e) => report.add(place, format!("the record of {uri} cannot be read: {}", e.message())),
            }
            if deep && let Err(e) = self.place.whole(uri, value).and_then(|file| file.validate()) {
                report.add(place, format!("the record of {uri} breaks a rule: {}", e.message()));
            }
            match count_live(&sight.view.pieces, uri) {
                Ok(1) => {}
                Ok(count) => report.add(place, format!("{uri}: expected in one part of the index, got {count}")),
                Err(e) => report.add(place, format!("{uri} cannot be looked up: {}", e.message())),
            }
            rows.advance();
        }
        report.records += found.files;
        Ok(found)
    }

    /// Change rows can be read, and none is newer than the counters.
    fn check_changes(&self, sight: &Sight<'_>, place: &str, report: &mut CheckReport) -> Result<()> {
        let mut rows = sight.reader.scan(&keys::changes(self.space.id), None)?;
        while let Some((key, value)) = rows.current()? {
            let commit = keys::number_after_dataset(key).map_or(u64::MAX, |(_, commit)| commit);
            if commit > sight.counters.commit {
                let expected = sight.counters.commit;
                report.add(place, format!("expected no change after commit {expected}, got one of {commit}"));
            }
            if let Err(e) = Change::decode(value) {
                report.add(place, format!("the change of commit {commit} cannot be read: {}", e.message()));
            }
            rows.advance();
        }
        Ok(())
    }
}

fn count_live(pieces: &[Piece], uri: &str) -> Result<u64> {
    let mut count = 0;
    for piece in pieces {
        count += u64::from(commit::find_live(&piece.part, uri)?.is_some());
    }
    Ok(count)
}

fn verify_parts(pieces: &[Piece], place: &str, report: &mut CheckReport) {
    for piece in pieces {
        let name = match piece.id {
            PieceId::Sealed(id) => crate::index::segment_file(id),
            PieceId::Tail { serial, .. } => format!("part {serial} in memory"),
        };
        if let Err(e) = piece.part.segment.verify() {
            report.add(place, format!("{name}: {}", e.message()));
        }
        let beyond = piece.part.deleted.max().is_some_and(|last| last >= piece.part.segment.len());
        if beyond {
            report.add(place, format!("{name}: expected tombstones below {}, got more", piece.part.segment.len()));
        }
    }
}
