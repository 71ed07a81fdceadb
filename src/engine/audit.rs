//! The audit: does the index say what the source holds? Differences are listed, and put right where that is asked for.

use super::binding::check_identity;
use super::buckets::Buckets;
use super::compare::{Comparison, Gone, Seen, away, is_within, key_of};
use super::dataset::Dataset;
use super::follow::{FollowOptions, Heirs, bury};
use super::intake::{self, Candidate, Done, Intake};
use super::open::Engine;
use super::progress::Progress;
use super::tags::{self, Tagged};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Binding;
use crate::source::{Bucket, Filter, Folder, Identity, Skipped, Walking, Why, key_of_path};
use crate::store::keys;
use crate::store::rows::BindingRow;
use std::path::Path;

/// Differences that a report lists at most; all are counted.
pub const MOST_DIFFERENCES: usize = 10_000;

/// How a file and its document differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The file has no document.
    Missing,
    /// The document is of an earlier state of the file.
    Stale,
    /// The document's file is gone.
    Orphan,
}

impl Difference {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Difference::Missing => "missing",
            Difference::Stale => "stale",
            Difference::Orphan => "orphan",
        }
    }
}

/// What an audit is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// Files are read and documents removed until both agree, as following does.
    pub repair: bool,
    /// Tags of objects are compared too.
    pub tags: Option<TagBudget>,
}

/// Which tags of a store to compare: each object costs a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagBudget {
    /// Objects at most; 0 for all.
    pub most: u64,
    /// From behind this key on; empty for the beginning.
    pub after: String,
}

/// What an audit of one bucket found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The bucket.
    pub bucket: String,
    /// The folder, or the address of the store.
    pub source: String,
    /// Files that were compared.
    pub files: u64,
    /// Files without documents.
    pub missing: u64,
    /// Documents of an earlier state of their files.
    pub stale: u64,
    /// Documents whose files are gone.
    pub orphans: u64,
    /// Folders and files that could not be read: nothing is known of what is below them.
    pub unreachable: Vec<String>,
    /// The first [`MOST_DIFFERENCES`], with their URIs.
    pub differences: Vec<(Difference, String)>,
    /// Objects whose tags were compared.
    pub tags: u64,
    /// The last of them, where some are left for another audit.
    pub tags_upto: Option<String>,
    /// Differences that were put right.
    pub repaired: u64,
    /// Whether it ended because it was asked to.
    pub cancelled: bool,
}

impl AuditReport {
    /// How many differences there are, repaired ones included.
    pub fn count(&self) -> u64 {
        self.missing + self.stale + self.orphans
    }

    fn add(&mut self, difference: Difference, uri: &str) {
        match difference {
            Difference::Missing => self.missing += 1,
            Difference::Stale => self.stale += 1,
            Difference::Orphan => self.orphans += 1,
        }
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push((difference, uri.to_owned()));
        }
    }
}

impl Engine {
    /// Compares what a binding follows with the dataset. `buckets` says where buckets lie that the binding does not name a
    /// folder for. With `repair` files are read and documents removed until both agree, as following does.
    pub fn audit(
        &self,
        binding: &Binding,
        buckets: &Buckets,
        repair: bool,
        progress: &Progress,
    ) -> Result<AuditReport> {
        self.audit_with(binding, buckets, &AuditOptions { repair, ..AuditOptions::default() }, progress)
    }

    /// The same with more to say.
    pub fn audit_with(
        &self,
        binding: &Binding,
        buckets: &Buckets,
        options: &AuditOptions,
        progress: &Progress,
    ) -> Result<AuditReport> {
        let audited = || -> Result<AuditReport> {
            let spec = &binding.spec;
            let place = place_of(binding, buckets)?;
            let dataset = self.dataset(&binding.project, &binding.dataset)?;
            let bucket = binding.bucket.as_str();
            let row: Option<BindingRow> =
                self.handle.inner.store.reader().row(&keys::binding(dataset.space.id, bucket))?;
            if let Some(row) = row.as_ref().filter(|row| row.root.is_some()) {
                check_identity(row, place.identity()?)?;
            }
            let mut filter = Filter::new(&spec.prefix, &spec.exclude)?;
            close_home(&mut filter, &place, self.handle.inner.home.root());
            let report =
                AuditReport { bucket: binding.bucket.clone(), source: place.address(), ..AuditReport::default() };
            let mounts = row.map(|row| row.mounts).unwrap_or_default();
            let tags = options.tags.clone().filter(|_| matches!(place, Bucket::Objects(_)));
            let (heirs, asking) = (Heirs::new(bucket), Vec::new());
            let mut run = Run {
                dataset: &dataset,
                place,
                filter,
                mounts,
                progress,
                report,
                heirs,
                tags,
                asking,
                last_asked: None,
            };
            run.all(options.repair)?;
            Ok(run.report)
        };
        audited().map_err(|e| e.during("audit"))
    }
}

/// Where the files of a binding are.
fn place_of(binding: &Binding, buckets: &Buckets) -> Result<Bucket> {
    let (source, bucket) = (&binding.spec.source, &binding.bucket);
    if !source.is_empty() {
        return Bucket::open(source);
    }
    match buckets.place(bucket) {
        // The directory at its path now, should another have been mounted there.
        Some(Bucket::Folder(folder)) => Ok(Bucket::Folder(Folder::open(folder.root())?)),
        Some(place) => Ok(place.clone()),
        None => {
            let what = format!("no folder is given for the bucket {bucket}: name it with --bucket {bucket}=PATH");
            Err(Error::new(ErrorKind::NotFound, what))
        }
    }
}

/// The database itself is never part of what it describes, should it lie in the folder.
pub(super) fn close_home(filter: &mut Filter, place: &Bucket, home: &Path) {
    let Some(folder) = place.folder() else { return };
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    if let Ok(below) = home.strip_prefix(folder.root()) {
        filter.close(&key_of_path(below));
    }
}

/// An audit under way.
struct Run<'a> {
    dataset: &'a Dataset,
    place: Bucket,
    filter: Filter,
    /// File systems that were found below the folder before.
    mounts: Vec<(String, Identity)>,
    progress: &'a Progress,
    report: AuditReport,
    heirs: Heirs,
    tags: Option<TagBudget>,
    /// Objects that are as they were, but for their tags, which are to be asked for.
    asking: Vec<Candidate>,
    /// The last object whose tags were asked for.
    last_asked: Option<String>,
}

impl Run<'_> {
    fn all(&mut self, repair: bool) -> Result<()> {
        let options = FollowOptions::default();
        let inner = self.dataset.inner();
        let pool = repair.then(|| intake::pool(inner, &self.place, options.extract, options.pool)).transpose()?;
        let mut intake = pool.as_ref().map(|pool| Intake::new(self.dataset, pool, self.progress, true)).transpose()?;
        let filter = self.filter.clone();
        let walking = Walking { filter: filter.clone(), ..Walking::default() };
        let walk = self.place.tour(walking);
        let bucket = self.report.bucket.clone();
        let mut comparison = Comparison::new(self.dataset, &bucket, &filter, walk, "", ("", ""));
        let mut orphans = Vec::new();
        let gone_away = away(&self.place, &self.mounts);
        loop {
            let step = comparison.step()?;
            for seen in step.seen {
                self.meet(seen, intake.as_mut())?;
            }
            if step.is_last || self.asking.len() >= tags::TOGETHER {
                self.ask_for_tags(intake.as_mut())?;
            }
            // Of a store nothing is known where it cannot be listed.
            let unlisted = step.skipped.into_iter().find(|skipped| skipped.key.is_empty());
            if let (Bucket::Objects(_), Some(Skipped { why: Why::Failed(e), .. })) = (&self.place, unlisted) {
                return Err(e);
            }
            for gone in self.orphans(step.gone, &gone_away)? {
                self.report.add(Difference::Orphan, &gone.uri);
                if repair {
                    orphans.push(gone);
                }
            }
            self.report.cancelled = self.progress.is_cancelled();
            if step.is_last || self.report.cancelled {
                break;
            }
        }
        self.report.unreachable.extend(comparison.unread().iter().cloned());
        self.report.unreachable.extend(gone_away);
        if let Some(mut intake) = intake {
            intake.drain()?;
            self.learn(intake.take_done());
            // IMPORTANT: a disk may have gone while its files were looked for.
            let gone_away = away(&self.place, &self.mounts);
            orphans.retain(|gone| !gone_away.iter().any(|folder| is_within(key_of(&gone.uri), folder)));
            self.report.repaired += bury(self.dataset, &self.heirs, orphans)?;
        }
        Ok(())
    }

    /// Those of the missing whose files are gone: one that came since the walk passed is no orphan, nor is one on a disk that is
    /// away.
    fn orphans(&self, mut gone: Vec<Gone>, gone_away: &[String]) -> Result<Vec<Gone>> {
        gone.retain(|gone| !gone_away.iter().any(|folder| is_within(key_of(&gone.uri), folder)));
        let keys: Vec<&str> = gone.iter().map(|gone| key_of(&gone.uri)).collect();
        let absent = self.place.absent(&keys)?;
        Ok(gone.into_iter().zip(absent).filter_map(|(gone, absent)| absent.then_some(gone)).collect())
    }

    fn meet(&mut self, seen: Seen, intake: Option<&mut Intake<'_>>) -> Result<()> {
        self.report.files += 1;
        Progress::add(&self.progress.found, 1);
        let found = seen.candidate();
        if found.is_same() {
            self.note_for_tags(found);
            return Ok(());
        }
        if self.place.open_file(&found.entry).is_err() {
            self.report.unreachable.push(found.entry.key);
            return Ok(());
        }
        let difference = if found.kept.is_none() { Difference::Missing } else { Difference::Stale };
        self.report.add(difference, &found.uri);
        let Some(intake) = intake else { return Ok(()) };
        intake.submit(&self.place, found)?;
        self.learn(intake.take_done());
        Ok(())
    }

    fn note_for_tags(&mut self, found: Candidate) {
        let Some(budget) = &self.tags else { return };
        if found.entry.key <= budget.after {
            return;
        }
        let noted = self.report.tags + self.asking.len() as u64;
        if budget.most == 0 || noted < budget.most {
            self.asking.push(found);
        } else if self.report.tags_upto.is_none() {
            // Behind the last one that is asked for.
            let last = self.asking.last().map(|last| last.entry.key.clone());
            self.report.tags_upto = last.or_else(|| self.last_asked.clone());
        }
    }

    /// Compares the tags of those that were noted.
    fn ask_for_tags(&mut self, mut intake: Option<&mut Intake<'_>>) -> Result<()> {
        let Bucket::Objects(objects) = self.place.clone() else { return Ok(()) };
        let asking = std::mem::take(&mut self.asking);
        let stored: Vec<Tagged> =
            asking.iter().map(|found| Tagged { key: found.entry.key.clone(), tags: found.tags.clone() }).collect();
        let outcomes = tags::differ(&*objects, &stored);
        self.last_asked = stored.last().map(|last| last.key.clone()).or(self.last_asked.take());
        self.report.tags += outcomes.len() as u64;
        for (found, outcome) in asking.into_iter().zip(outcomes) {
            match outcome {
                Ok(false) => {}
                Ok(true) => {
                    self.report.add(Difference::Stale, &found.uri);
                    if let Some(intake) = intake.as_deref_mut() {
                        intake.submit(&self.place, found)?;
                        self.learn(intake.take_done());
                    }
                }
                Err(_) => self.report.unreachable.push(found.entry.key),
            }
        }
        Ok(())
    }

    fn learn(&mut self, done: Vec<Done>) {
        for done in done {
            self.report.repaired += u64::from(!done.kept);
            self.heirs.add(&done);
        }
    }
}
