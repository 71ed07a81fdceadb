//! CreateVideoLabelClassificationTask: a film of a bucket, its shots, and what they show when.

use super::film_labels::FilmFaces;
use super::tasks::Doing;
use crate::analyze::{Analyzer, Budget, Labelers, Pixels};
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{TaskOrder, Uri};
use crate::task::{Held, Outcome};
use crate::video::{self, Film, Frame, FrameLabel, Labeller, Observer, Summary};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Time for the labels of one picture.
pub(super) const PICTURE: Duration = Duration::from_secs(30);
/// Bytes for the labels of one picture.
pub(super) const MEMORY: usize = 64 << 20;

/// What a worker needs of the request.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "SourceURI")]
    source_uri: String,
}

fn request(definition: &str) -> Result<Request> {
    serde_json::from_str(definition).map_err(|e| Error::invalid(format!("SourceURI: expected in the request, got {e}")))
}

/// Checks an order when it is accepted.
pub(super) fn check(order: &TaskOrder) -> Result<()> {
    let uri = request(&order.definition)?.source_uri;
    match Uri::parse(&uri)?.bucket_and_key() {
        Some((_, key)) if !key.is_empty() => Ok(()),
        _ => {
            let shown: String = uri.chars().take(120).collect();
            Err(Error::invalid(format!("SourceURI: expected oss://bucket/key, got {shown:?}")))
        }
    }
}

/// The film that a task is about.
pub(super) fn source_uri(definition: &str) -> String {
    request(definition).map(|request| request.source_uri).unwrap_or_default()
}

/// Does the task.
pub(super) fn run(doing: &Doing, held: &Held) -> Outcome {
    let analysed = source(doing, held).and_then(|(bucket, key, file)| {
        let open = |key: &str| -> Result<Box<dyn ReadAt>> {
            let file = doing.buckets.open(&format!("oss://{bucket}/{key}"))?;
            Ok(Box::new(file))
        };
        let film = Film { source: &*file, key: &key, open: &open };
        let wanted = Wanted { labels: true, faces: None };
        analyse(&film, doing.engine.analyzer(), &doing.options.video, &Watched { doing, held }, wanted)
    });
    match analysed {
        Ok(summary) => Outcome::Done { result: document(&summary).to_string() },
        // A cancelled task has ended already; one that was stopped has not.
        Err(_) if held.is_stopped() => Outcome::Stopped,
        Err(video::Failure { code, message, passing: true }) => Outcome::Again { code, message },
        Err(video::Failure { code, message, .. }) => Outcome::Failed { code, message },
    }
}

fn source(doing: &Doing, held: &Held) -> Result<(String, String, Box<dyn ReadAt>), video::Failure> {
    let opened = || -> Result<(String, String, Box<dyn ReadAt>)> {
        let uri = request(&held.task.definition)?.source_uri;
        let (bucket, key) = Uri::parse(&uri)?
            .bucket_and_key()
            .map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
            .ok_or_else(|| Error::invalid(format!("SourceURI: expected oss://bucket/key, got {uri:?}")))?;
        Ok((bucket, key, Box::new(doing.buckets.open(&uri)?)))
    };
    opened().map_err(|e| failure(&e))
}

/// The one way from a film to its shots and labels, for tasks and for the operator of templates alike.
pub(super) fn analyse(
    film: &Film<'_>,
    analyzer: &Analyzer,
    options: &video::Options,
    observer: &dyn Observer,
    wanted: Wanted<'_>,
) -> Result<Summary, video::Failure> {
    let labelers = if wanted.labels { Some(analyzer.labelers().map_err(|e| failure(&e))?) } else { None };
    video::analyze(film, &Naming { labelers, faces: wanted.faces }, options, observer)
}

/// What is looked for in the pictures of a film.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) labels: bool,
    pub(super) faces: Option<&'w FilmFaces<'w>>,
}

/// An error of this database as the end of an analysis.
pub(super) fn failure(error: &Error) -> video::Failure {
    video::Failure {
        code: error.kind().api_code().to_owned(),
        message: error.message().to_owned(),
        passing: !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidArgument),
    }
}

/// Between the analysis and the list of tasks.
struct Watched<'w> {
    doing: &'w Doing,
    held: &'w Held,
}

impl Observer for Watched<'_> {
    fn is_stopped(&self) -> bool {
        self.held.is_stopped()
    }

    fn progress(&self, percent: u8) {
        self.doing.report(self.held, percent);
    }
}

/// The operators that name pictures.
struct Naming<'a> {
    labelers: Option<&'a Labelers>,
    faces: Option<&'a FilmFaces<'a>>,
}

impl Labeller for Naming<'_> {
    fn labels(&self, picture: &Frame) -> Result<Vec<FrameLabel>> {
        let pixels = Pixels::new(picture.width, picture.height, picture.rgb.clone())?;
        self.faces.map_or(Ok(()), |faces| faces.look(&pixels))?;
        let labels = self.labelers.map_or(Ok(Vec::new()), |all| all.labels(&pixels, &Budget::new(PICTURE, MEMORY)))?;
        let label = |label: crate::analyze::Label| FrameLabel {
            name: label.name,
            parent: label.parent,
            level: label.level,
            alias: label.alias,
            language: label.language,
            confidence: f64::from(label.confidence),
            centric: label.centric.map(f64::from),
        };
        Ok(labels.into_iter().map(label).collect())
    }
}

/// The result as it is kept.
fn document(summary: &Summary) -> Value {
    let label = |timed: &video::TimedLabel| {
        let mut members = json!({
            "LabelName": timed.label.name,
            "LabelLevel": timed.label.level,
            "LabelConfidence": timed.label.confidence,
            "Language": timed.label.language,
            "Clips": timed.clips.iter().map(|(from, to)| json!({ "TimeRange": [from, to] })).collect::<Vec<_>>(),
        });
        let optional = [
            ("ParentLabelName", Some(&timed.label.parent).filter(|text| !text.is_empty()).map(|text| json!(text))),
            ("LabelAlias", Some(&timed.label.alias).filter(|text| !text.is_empty()).map(|text| json!(text))),
            ("CentricScore", timed.label.centric.map(|score| json!(score))),
        ];
        if let Some(object) = members.as_object_mut() {
            object.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        members
    };
    json!({
        "Labels": summary.labels.iter().map(label).collect::<Vec<_>>(),
        "Shots": summary.scenes.iter().map(|s| json!({ "Start": s.shot.start, "End": s.shot.end })).collect::<Vec<_>>(),
        "Duration": summary.duration,
        "CodecName": summary.codec,
        "Pictures": summary.pictures,
        "Decoded": summary.decoded,
    })
}
