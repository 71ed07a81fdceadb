//! LabelClassification and FaceDetection of indexed films: after a document is stored with the state `waiting`, one thread of low priority finds
//! the film's shots, labels and faces, in the way of CreateVideoLabelClassificationTask, and leaves them in the document.
//!
//! The list of work is what documents say: a state of `waiting` or `running`. IMPORTANT, in this order: `running` and the number
//! of the attempt are durable before a film is begun, so that one that ends the process is not begun for ever; what was found
//! lands only where the document still says so.

mod desk;
mod faces;

pub(super) use desk::Desk;
pub use desk::FilmCounts;
pub(super) use faces::FilmFaces;
pub use faces::MAX_FILM_FIGURES;

use super::amendment::{Amendment, entry};
use super::binding::check_identity;
use super::buckets::Buckets;
use super::catalog::{find_dataset, find_project};
use super::commit;
use super::dataset::Dataset;
use super::group::Op;
use super::open::Engine;
use super::video_labels::{self, Wanted};
use super::{scenes, sync};
use crate::analyze::Operator;
use crate::analyze::run::{DONE, FAILED, RUNNING, UNAVAILABLE, WAITING};
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Condition, File, Filter, Members, Query, Uri, field};
use crate::source::{Bucket, Opened};
use crate::store::rows::BindingRow;
use crate::store::{Record, Stamp, keys};
use crate::task::{MAX_ATTEMPTS, yield_to_queries};
use crate::video::{self, Failure, Film, Observer};
use desk::Place;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

/// The operators that are done here, all of a film in one go.
const OPERATORS: [Operator; 2] = [Operator::LabelClassification, Operator::FaceDetection];
/// Films that are listed together.
const PAGE: usize = 100;
/// Wait before a film is tried again that could not be read, and after the store refused something.
const RETRY: Duration = Duration::from_secs(30);
/// Name of the entry in `ops` that counts attempts.
const ATTEMPTS: &str = "attempts";

/// The thread that looks at films; it ends when this is stopped or dropped.
#[derive(Debug)]
pub struct FilmLabels {
    engine: Engine,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Starts to look at films that wait: those that earlier processes left in datasets whose template has
    /// LabelClassification, and those that are stored from now on. Files are read from `buckets` and from the folders of bindings.
    /// One such thread runs per database.
    pub fn start_film_labels(&self, buckets: Buckets, options: video::Options) -> Result<FilmLabels> {
        let started = || -> Result<FilmLabels> {
            let inner = &self.handle.inner;
            inner.writable()?;
            inner.films.staff()?;
            let leave = |e: Error| {
                inner.films.leave();
                e
            };
            self.note_datasets().map_err(leave)?;
            let looking = Looking { engine: self.clone(), buckets, options };
            let thread = std::thread::Builder::new().name("medialith-films".into()).spawn(move || looking.all());
            let thread = thread.map_err(|e| leave(Error::io("start a thread for films", e)))?;
            Ok(FilmLabels { engine: self.clone(), thread: Mutex::new(Some(thread)) })
        };
        started().map_err(|e| e.during("label films"))
    }

    /// Datasets whose template has such an operator may have films that wait.
    fn note_datasets(&self) -> Result<()> {
        let workflow = &self.handle.inner.workflow;
        let labels = |id: &str| {
            workflow.templates.find(id).is_ok_and(|t| OPERATORS.iter().any(|operator| t.operators.contains(operator)))
        };
        let mut projects = String::new();
        loop {
            let page = self.projects("", &[], &projects, 0)?;
            for project in page.items {
                let mut token = String::new();
                loop {
                    let page = self.datasets(&project.name, "", &token, 0)?;
                    for dataset in page.items {
                        let own =
                            if dataset.template_id.is_empty() { &project.template_id } else { &dataset.template_id };
                        if labels(own) {
                            self.handle.inner.films.note(&project.name, &dataset.name);
                        }
                    }
                    if page.next_token.is_empty() {
                        break;
                    }
                    token = page.next_token;
                }
            }
            if page.next_token.is_empty() {
                return Ok(());
            }
            projects = page.next_token;
        }
    }
}

impl FilmLabels {
    /// Waits until no film is left that can be looked at now, at most `patience`.
    pub fn wait_idle(&self, patience: Duration) -> bool {
        self.engine.handle.inner.films.wait_idle(patience)
    }

    /// What was done since the start.
    pub fn counts(&self) -> FilmCounts {
        self.engine.handle.inner.films.counts()
    }

    /// Ends: the film in hand is given up, and begun again by the next one.
    pub fn stop(&self) {
        self.engine.handle.inner.films.close();
        let thread = sync::lock(&self.thread).take();
        if let Some(thread) = thread {
            // One that panicked has left its work in the documents.
            drop(thread.join());
            self.engine.handle.inner.films.leave();
        }
    }
}

impl Drop for FilmLabels {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Dataset {
    /// Films whose labels or faces have yet to be found.
    pub fn waiting_films(&self) -> Result<u64> {
        let mut query = Query { filter: Some(waiting()?), with_fields: vec![field::URI], ..Query::default() };
        query.page.max_results = 1;
        Ok(self.search(&query)?.total.unwrap_or(0))
    }
}

/// Whether a document on its way in has a film to look at.
pub(super) fn is_waiting(file: &File) -> bool {
    OPERATORS.iter().any(|operator| entry(file.members(), *operator, "state") == Some(WAITING))
}

fn waiting() -> Result<Filter> {
    let mut any = Vec::new();
    for operator in OPERATORS {
        let path = format!("{}.{}.state", field::OPS, operator.name());
        for state in [WAITING, RUNNING] {
            any.push(Filter::Is(Condition::parse(&path, "eq", state)?));
        }
    }
    Ok(Filter::Or(any))
}

/// What the thread needs.
struct Looking {
    engine: Engine,
    buckets: Buckets,
    options: video::Options,
}

impl Looking {
    fn all(&self) {
        yield_to_queries();
        let desk = &self.engine.handle.inner.films;
        while let Some(place) = desk.next() {
            match self.dataset(&place) {
                Ok(false) => {}
                // Nothing can be written until the database is opened again.
                Err(e) if e.kind() == ErrorKind::OutcomeUnknown => return desk.close(),
                // Deleted meanwhile.
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Ok(true) | Err(_) => desk.again(place, RETRY),
            }
        }
    }

    /// Looks at the films of a dataset; answers whether some are to be tried again.
    fn dataset(&self, (project, name): &Place) -> Result<bool> {
        let dataset = self.engine.dataset(project, name)?;
        let mut query = Query { filter: Some(waiting()?), without_total: true, ..Query::default() };
        query.page.max_results = PAGE;
        let mut again = false;
        loop {
            // In the order of URIs: films that are done meanwhile move nothing.
            let page = dataset.search_uris(&query, None)?;
            for uri in &page.uris {
                if self.engine.handle.inner.films.is_closed() {
                    return Ok(false);
                }
                again |= self.film(&dataset, uri)?;
            }
            if page.next_token.is_empty() {
                return Ok(again);
            }
            query.page.token = page.next_token;
        }
    }

    /// Looks at one film; answers whether it is to be tried again.
    fn film(&self, dataset: &Dataset, uri: &str) -> Result<bool> {
        let desk = &self.engine.handle.inner.films;
        let Some(before) = State::of(dataset, uri)? else { return Ok(false) };
        // In no bucket that was given, on a disk that is away, or gone: it waits.
        let Ok(source) = self.open(dataset, uri) else { return Ok(false) };
        if before.attempts >= MAX_ATTEMPTS {
            let message =
                format!("The process ended {} times with this film, or it could not be read.", before.attempts);
            let failure = Failure { code: "InternalError".to_owned(), message, passing: false };
            return self.land(dataset, uri, &before, Err(failure)).map(|()| false);
        }
        let attempts = before.attempts + 1;
        if !before.amend(dataset, uri, &[WAITING, RUNNING], |o| (state(o, RUNNING, attempts), Found::default()))? {
            return Ok(false);
        }
        let outcome = self.analyse(dataset, uri, &source, &before);
        match outcome {
            Err(_) if desk.is_closed() => {
                // A stop in order is no attempt.
                before.amend(dataset, uri, &[RUNNING], |o| (state(o, WAITING, before.attempts), Found::default()))?;
                Ok(false)
            }
            Err(failure) if failure.passing && attempts < MAX_ATTEMPTS => {
                before.amend(dataset, uri, &[RUNNING], |o| (state(o, WAITING, attempts), Found::default()))?;
                Ok(true)
            }
            outcome => self.land(dataset, uri, &before, outcome).map(|()| false),
        }
    }

    /// Leaves in the document what came of its film.
    fn land(&self, dataset: &Dataset, uri: &str, before: &State, outcome: Result<Analysed, Failure>) -> Result<()> {
        let is_done = outcome.is_ok();
        let landed = before.amend(dataset, uri, &[WAITING, RUNNING], |operator| {
            let version = ("version", operator.card().version.to_string());
            match &outcome {
                Ok(Analysed { labels, faces }) => {
                    let gained = if operator == Operator::FaceDetection { faces } else { labels };
                    let mut entries = vec![("state", DONE.to_owned()), version];
                    entries.extend(self.engine.analyzer().used_by(operator));
                    (entries, Found { gained: gained.clone(), reason: None })
                }
                Err(Failure { code, message, .. }) => {
                    let unknown = code.starts_with("UnsupportedCodec");
                    let state = if unknown { UNAVAILABLE } else { FAILED };
                    let reason = format!("[{code}] {}: {message}", operator.name());
                    let entries = vec![("state", state.to_owned()), version, ("reason", format!("[{code}] {message}"))];
                    (entries, Found { gained: Members::new(), reason: (!unknown).then_some(reason) })
                }
            }
        })?;
        if landed {
            self.engine.handle.inner.films.count(|counts| match is_done {
                true => counts.done += 1,
                false => counts.failed += 1,
            });
        }
        Ok(())
    }

    fn analyse(&self, dataset: &Dataset, uri: &str, source: &Opened, state: &State) -> Result<Analysed, Failure> {
        let place = Uri::parse(uri).map_err(|e| video_labels::failure(&e))?;
        let (bucket, key) = place.bucket_and_key().unwrap_or(("", ""));
        let open = |key: &str| -> Result<Box<dyn ReadAt>> {
            Ok(Box::new(self.open(dataset, &format!("oss://{bucket}/{key}"))?))
        };
        let film = Film { source, key, open: &open };
        let analyzer = self.engine.analyzer();
        let analysed = || -> Result<Analysed, Failure> {
            let faces = FilmFaces::new(analyzer, state.size);
            let wanted = Wanted {
                labels: state.operators.contains(&Operator::LabelClassification),
                faces: state.operators.contains(&Operator::FaceDetection).then_some(&faces),
            };
            let summary = video_labels::analyse(&film, analyzer, &self.options, &Watched(&self.engine), wanted)?;
            let faces = faces.members().map_err(|e| video_labels::failure(&e))?;
            Ok(Analysed { labels: scenes::members(&summary), faces })
        };
        catch_unwind(AssertUnwindSafe(analysed)).unwrap_or_else(|_| {
            let message = "The analysis panicked: a defect in medialith or one of its crates.".to_owned();
            Err(Failure { code: ErrorKind::Internal.api_code().to_owned(), message, passing: false })
        })
    }

    /// Opens a file of a bucket: that of a name that was given, or the place that a binding of the dataset follows.
    fn open(&self, dataset: &Dataset, uri: &str) -> Result<Opened> {
        let place = Uri::parse(uri)?;
        let absent = || Error::new(ErrorKind::NotFound, "File does not exist.");
        let (bucket, key) = place.bucket_and_key().ok_or_else(absent)?;
        if self.buckets.place(bucket).is_some() {
            return self.buckets.open(uri);
        }
        let reader = self.engine.handle.inner.store.reader();
        let owner = find_project(&reader, dataset.project())?;
        let id = find_dataset(&reader, owner.id(), dataset.name())?.id();
        let row: BindingRow = reader.row(&keys::binding(id, bucket))?.ok_or_else(absent)?;
        if row.source.is_empty() {
            return Err(absent());
        }
        let place = Bucket::open(&row.source)?;
        check_identity(&row, place.identity()?)?;
        place.open_key(key)
    }
}

/// What an amendment adds beside the state.
#[derive(Default)]
struct Found {
    gained: Members,
    reason: Option<String>,
}

/// What was found in a film, as members of its document.
struct Analysed {
    labels: Members,
    faces: Members,
}

/// What a document says of its film.
#[derive(Debug, Clone)]
struct State {
    stamp: Option<Stamp>,
    attempts: u32,
    /// Operators that wait for it.
    operators: Vec<Operator>,
    /// Columns and rows, or zeros.
    size: (u32, u32),
}

impl State {
    /// `None` where the document is gone or its film no longer waits.
    fn of(dataset: &Dataset, uri: &str) -> Result<Option<State>> {
        let bytes = dataset.inner().store.reader().bytes(&keys::file(dataset.space.id, uri))?;
        let wanted = [field::OPS, field::VIDEO_WIDTH, field::VIDEO_HEIGHT];
        let Some(record) = bytes.map(|bytes| Record::decode_fields(uri, &bytes, &wanted)).transpose()? else {
            return Ok(None);
        };
        let waits = |operator: &Operator| {
            let state = entry(&record.members, *operator, "state");
            state == Some(WAITING) || state == Some(RUNNING)
        };
        let operators: Vec<Operator> = OPERATORS.into_iter().filter(waits).collect();
        let attempts = |operator: &Operator| entry(&record.members, *operator, ATTEMPTS)?.parse().ok();
        let side =
            |id| record.members.get(id).and_then(|v| v.as_int()).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let found = State {
            stamp: record.stamp,
            attempts: operators.iter().filter_map(attempts).max().unwrap_or(0),
            size: (side(field::VIDEO_WIDTH), side(field::VIDEO_HEIGHT)),
            operators,
        };
        Ok((!found.operators.is_empty()).then_some(found))
    }

    /// Changes the document if it is still the one that this is of: of each operator that waits what `each` says. Answers whether it was.
    fn amend(
        &self,
        dataset: &Dataset,
        uri: &str,
        from: &'static [&'static str],
        each: impl Fn(Operator) -> (Vec<(&'static str, String)>, Found),
    ) -> Result<bool> {
        let mut all = true;
        for operator in self.operators.iter().copied() {
            let (ops, Found { gained, reason }) = each(operator);
            let amendment = Amendment { uri: uri.to_owned(), operator, stamp: self.stamp, from, ops, gained, reason };
            let op = Op::Amend(Box::new(amendment));
            let amended = commit::submit(dataset.inner(), &dataset.space, op, Vec::new())?;
            all &= amended.first() == Some(&true);
        }
        Ok(all)
    }
}

/// The entries of a film that is not done.
fn state(operator: Operator, state: &str, attempts: u32) -> Vec<(&'static str, String)> {
    let version = operator.card().version.to_string();
    vec![("state", state.to_owned()), ("version", version), (ATTEMPTS, attempts.to_string())]
}

/// Between the analysis and whoever stops it.
struct Watched<'e>(&'e Engine);

impl Observer for Watched<'_> {
    fn is_stopped(&self) -> bool {
        self.0.handle.inner.films.is_closed()
    }

    fn progress(&self, _: u8) {}
}
