//! All operators of one file: what extraction has found goes in, the members of the document come out.
//!
//! Each operator stands alone: one that fails, panics or runs out of its budget costs the members that it gives, and says so in
//! the member `ops`. A picture is decoded once for all that look at it.

use super::cropping::{self, Cropping, Ratio};
use super::hash::ImageHash;
use super::installed::{FacesSeen, Installed, TextPoint};
use super::label::{rounded, to_value};
use super::picture::{LONGEST, LONGEST_FOR_TEXT, Picture};
use super::place::Location;
use super::score::Score;
use super::text::{Tesseract, Texts};
use super::{Budget, Embedding, Label, Labelers, Operator, placeholder};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{LatLong, Members, Value, field};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What operators need beside the file. Clones share it.
#[derive(Debug, Clone)]
pub struct Analyzer {
    installed: Arc<Installed>,
    program: PathBuf,
    /// The installed Tesseract, once it has been looked for.
    tesseract: Arc<OnceLock<Result<Tesseract, String>>>,
    /// Time for all operators of one file.
    pub time: Duration,
    /// Memory for one file.
    pub memory_bytes: usize,
}

impl Default for Analyzer {
    fn default() -> Analyzer {
        Analyzer::over(Installed::built_in(), "tesseract")
    }
}

/// Gives the picture in a file: its longer side at most so long, within that budget.
pub type Decode<'a> = dyn Fn(u32, &Budget) -> Result<Picture> + 'a;

impl Analyzer {
    /// Operators with these labelers; `program` is Tesseract's, looked for on the path where it is a bare name.
    pub fn new(labelers: Labelers, program: impl Into<PathBuf>) -> Analyzer {
        Analyzer::over(Installed::these(labelers), program)
    }

    /// Operators with what is installed: the model packs that are the folders of `packs`, which need not exist, and Tesseract.
    /// Packs are loaded when the first picture needs one.
    pub fn with_packs(packs: impl Into<PathBuf>) -> Analyzer {
        Analyzer::over(Installed::folder(packs.into()), "tesseract")
    }

    fn over(installed: Installed, program: impl Into<PathBuf>) -> Analyzer {
        let installed = Arc::new(installed);
        let (time, memory_bytes) = (Budget::TIME, Budget::MEMORY_BYTES);
        Analyzer { installed, program: program.into(), tesseract: Arc::default(), time, memory_bytes }
    }

    /// A budget for one file that begins now.
    pub fn budget(&self) -> Budget {
        Budget::new(self.time, self.memory_bytes)
    }

    /// The labelers; fails where a model pack cannot be loaded.
    pub fn labelers(&self) -> Result<&Labelers> {
        self.installed.labelers()
    }

    /// The installed Tesseract; [`ErrorKind::NotFound`] where there is none.
    pub fn tesseract(&self) -> Result<&Tesseract> {
        let found = self.tesseract.get_or_init(|| Tesseract::find(&self.program).map_err(|e| e.message().to_owned()));
        found.as_ref().map_err(|why| Error::new(ErrorKind::NotFound, format!("no program reads text: {why}")))
    }

    /// The members of a document: of what extraction `found` in a file those that the operators stand for, and what the
    /// operators add. `found` holds what the caller knows already, such as a place. `decode` gives the picture in the file, once
    /// an operator wants to see it, its longer side at most as long as it is told.
    pub fn run(&self, operators: &BTreeSet<Operator>, decode: &Decode<'_>, found: &Members) -> Members {
        let media = found.text(field::MEDIA_TYPE).unwrap_or("other").to_owned();
        let mut members = kept(operators, &media, found);
        let mut report = Report::default();
        let longest = if operators.contains(&Operator::ImageTexts) { LONGEST_FOR_TEXT } else { LONGEST };
        let budget = self.budget();
        let mut picture: Option<Result<Picture>> = None;
        for operator in operators.iter().copied().filter(|operator| operator.runs_on(&media)) {
            if operator.runs_later(&media) {
                match self.provides(operator) {
                    Ok(()) => report.wait(operator),
                    Err(e) => report.add(operator, Some(&e)),
                }
                continue;
            }
            if operator.card().needs.is_some_and(|member| found.get(member).is_none()) {
                continue;
            }
            let outcome = if operator.sees() && self.provides(operator).is_ok() {
                let decoded = picture.get_or_insert_with(|| guarded(|| decode(longest, &budget)));
                match decoded {
                    Ok(picture) => guarded(|| self.see(operator, picture, &budget)),
                    Err(e) => Err(Error::new(e.kind(), e.message())),
                }
            } else if operator.sees() {
                self.provides(operator).map(|()| Members::new())
            } else {
                guarded(|| look_up(operator, found))
            };
            report.add(operator, outcome.as_ref().err());
            if outcome.is_ok() {
                report.name(operator, self.used_by(operator));
            }
            outcome.into_iter().for_each(|gained| merge(&mut members, gained));
        }
        report.write(&mut members);
        members
    }

    /// Fails with [`ErrorKind::NotFound`] where nothing is installed that does what the operator is for.
    fn provides(&self, operator: Operator) -> Result<()> {
        match operator {
            Operator::ImageTexts => self.tesseract().map(drop),
            Operator::FaceDetection => self.installed.finds_faces(),
            Operator::ExtractImageEmbeddings => self.installed.embeds_pictures(),
            _ => Ok(()),
        }
    }

    /// What one operator sees in a picture.
    fn see(&self, operator: Operator, picture: &Picture, budget: &Budget) -> Result<Members> {
        budget.check(operator.name())?;
        let mut members = Members::new();
        match operator {
            Operator::LabelClassification => members.set(field::LABELS, to_value(&self.labels(picture, budget)?)),
            Operator::ImageScoring => {
                let mut score = Members::new();
                score.set(field::OVERALL_QUALITY_SCORE, self.score(picture));
                members.set(field::IMAGE_SCORE, Value::Object(score));
            }
            Operator::FaceDetection => {
                let FacesSeen { figures, points } = self.faces(picture, budget)?;
                members.set(field::FIGURE_COUNT, i64::try_from(figures.len()).unwrap_or(i64::MAX));
                members.set(field::FIGURES, Value::Rows(figures));
                points.iter().for_each(|points| members.set(field::FACE_EMBEDDINGS, points.write()));
            }
            Operator::ExtractImageEmbeddings => {
                let point = self.installed.picture_point(picture, budget)?;
                point.iter().for_each(|point| members.set(field::IMAGE_EMBEDDING, point.write()));
            }
            Operator::ImageHash => members.set(field::IMAGE_HASH, ImageHash::of(&picture.pixels).to_string()),
            Operator::ImagePlaceholder => members.set(field::IMAGE_PLACEHOLDER, placeholder::of(&picture.pixels)),
            Operator::ImageTexts => {
                let texts = self.texts(picture, budget)?;
                members.set(field::OCR_CONTENTS, Value::Rows(texts.contents));
                members.set(field::OCR_TEXTS, texts.text);
            }
            _ => {}
        }
        Ok(members)
    }

    /// `Labels` of a picture.
    pub fn labels(&self, picture: &Picture, budget: &Budget) -> Result<Vec<Label>> {
        self.labelers()?.labels(&picture.pixels, budget)
    }

    /// Faces of a picture; [`ErrorKind::NotFound`] where no model pack finds such.
    pub fn faces(&self, picture: &Picture, budget: &Budget) -> Result<FacesSeen> {
        self.installed.faces(picture, budget)
    }

    /// The point of a picture; [`ErrorKind::NotFound`] where no model pack gives one.
    pub fn picture_point(&self, picture: &Picture, budget: &Budget) -> Result<Option<Embedding>> {
        self.installed.picture_point(picture, budget)
    }

    /// A sentence as a point; `None` where no model pack reads sentences.
    pub fn text_point(&self, text: &str, budget: &Budget) -> Result<Option<TextPoint>> {
        self.installed.text_point(text, budget)
    }

    /// The space of the points of faces, and the least cosine of two of one person; `None` where no model pack gives such points.
    pub fn face_space(&self) -> Result<Option<(String, f32)>> {
        self.installed.face_space()
    }

    /// Entries of an operator in `ops` that name the model packs which it uses.
    pub fn used_by(&self, operator: Operator) -> Vec<(&'static str, String)> {
        self.installed.used_by(operator)
    }

    /// `OverallQualityScore` of a picture, 0 to 1.
    pub fn score(&self, picture: &Picture) -> f64 {
        rounded(Score::of(&picture.at_most(LONGEST)).overall())
    }

    /// `OCRContents` and `OCRTexts` of a picture.
    pub fn texts(&self, picture: &Picture, budget: &Budget) -> Result<Texts> {
        self.tesseract()?.read(picture, budget)
    }

    /// `Croppings` of a picture, one for each ratio; the best of the common ones where none is given.
    pub fn croppings(&self, picture: &Picture, ratios: &[Ratio], budget: &Budget) -> Result<Vec<Cropping>> {
        cropping::suggest(picture, ratios, budget)
    }
}

/// What extraction found, as far as the operators stand for it.
fn kept(operators: &BTreeSet<Operator>, media: &str, found: &Members) -> Members {
    let metadata = [Operator::Exif, Operator::MediaMeta, Operator::ExtractDocumentText];
    let described = metadata.iter().any(|operator| operators.contains(operator) && operator.runs_on(media));
    let of = |operator: Operator, id| operator.card().gives.contains(&id);
    // Who runs on some media alone has looked which it is.
    let looked = operators.iter().any(|operator| !operator.card().media.is_empty() && operator.runs_on(media));
    let mut members = found.clone();
    members.retain(|id| match id {
        field::MEDIA_TYPE if looked => true,
        id if of(Operator::OssMeta, id) => operators.contains(&Operator::OssMeta),
        id if of(Operator::Mime, id) => operators.contains(&Operator::Mime),
        _ => described,
    });
    members
}

/// What follows from members alone; the metadata operators' members are there already.
fn look_up(operator: Operator, found: &Members) -> Result<Members> {
    let mut members = Members::new();
    if operator == Operator::ReGeo {
        let point = LatLong::parse(found.text(field::LAT_LONG).unwrap_or(""))?;
        if let Some(location) = Location::of(point) {
            members.set(field::ADDRESSES, Value::Rows(location.addresses()));
            members.set(field::TIMEZONE, location.time_zone);
        }
    }
    Ok(members)
}

/// Adds members; labels join those that are there.
fn merge(members: &mut Members, gained: Members) {
    for (id, value) in gained.iter() {
        let value = match (members.get(id), value) {
            (Some(Value::Rows(before)), Value::Rows(more)) if id == field::LABELS => {
                Value::Rows(before.iter().chain(more).cloned().collect())
            }
            _ => value.clone(),
        };
        members.set(id, value);
    }
}

/// Runs something that a defect must not bring down.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    let outcome = catch_unwind(AssertUnwindSafe(run));
    outcome.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Internal, "the operator panicked: a defect in medialith or one of its crates"))
    })
}

/// State of an operator that has yet to look at a film.
pub const WAITING: &str = "waiting";
/// State of an operator that looks at a film now.
pub const RUNNING: &str = "running";
/// State of an operator that gave its members.
pub const DONE: &str = "done";
/// State of an operator that could not; the reason stands beside it.
pub const FAILED: &str = "failed";
/// State of an operator for which nothing is installed.
pub const UNAVAILABLE: &str = "unavailable";

/// The member `ops` under way.
#[derive(Default)]
struct Report {
    pairs: Vec<(String, String)>,
    first: Option<String>,
}

impl Report {
    fn wait(&mut self, operator: Operator) {
        let card = operator.card();
        self.pairs.push((format!("{}.state", card.name), WAITING.to_owned()));
        self.pairs.push((format!("{}.version", card.name), card.version.to_string()));
    }

    fn name(&mut self, operator: Operator, packs: Vec<(&'static str, String)>) {
        let entry = |(name, pack): (&str, String)| (format!("{}.{name}", operator.name()), pack);
        self.pairs.extend(packs.into_iter().map(entry));
    }

    fn add(&mut self, operator: Operator, error: Option<&Error>) {
        let card = operator.card();
        let state = match error.map(Error::kind) {
            None => DONE,
            Some(ErrorKind::NotFound) => UNAVAILABLE,
            Some(_) => FAILED,
        };
        self.pairs.push((format!("{}.state", card.name), state.to_owned()));
        self.pairs.push((format!("{}.version", card.name), card.version.to_string()));
        if let Some(error) = error {
            self.pairs.push((format!("{}.reason", card.name), error.message().to_owned()));
            if state == FAILED && self.first.is_none() {
                self.first = Some(format!("[{}] {}: {}", error.kind().api_code(), card.name, error.message()));
            }
        }
    }

    fn write(self, members: &mut Members) {
        if !self.pairs.is_empty() {
            members.set(field::OPS, Value::map(self.pairs));
        }
        if let Some(first) = self.first {
            members.set(field::REASON, first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::{Labeler, Pixels, tried};
    use crate::model::File;

    fn png() -> Vec<u8> {
        let scene = tried::scene(120, 90, 2);
        let image = image::RgbImage::from_raw(120, 90, scene.rgb().to_vec()).unwrap();
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn decode(bytes: Vec<u8>) -> impl Fn(u32, &Budget) -> Result<Picture> {
        move |longest, budget| Picture::decode(&bytes, longest, budget)
    }

    fn found() -> Members {
        let mut members = Members::new();
        members.set(field::MEDIA_TYPE, "image");
        members.set(field::CONTENT_TYPE, "image/png");
        members.set(field::LAT_LONG, "30.293600,120.161400");
        members.set(field::TITLE, "West lake");
        members
    }

    fn all() -> BTreeSet<Operator> {
        Operator::ALL.into_iter().collect()
    }

    fn analyzer() -> Analyzer {
        Analyzer::new(Labelers::built_in(), "/nowhere/tesseract")
    }

    fn state(members: &Members, key: &str) -> String {
        let Some(Value::Map(pairs)) = members.get(field::OPS) else { return String::new() };
        pairs.iter().find(|(k, _)| &**k == key).map_or(String::new(), |(_, v)| v.to_string())
    }

    #[test]
    fn each_operator_gives_what_its_card_says() {
        let members = analyzer().run(&all(), &decode(png()), &found());
        for operator in all().into_iter().filter(|o| o.runs_on("image")) {
            let expected = match operator {
                Operator::FaceDetection | Operator::ExtractImageEmbeddings | Operator::ImageTexts => UNAVAILABLE,
                _ => DONE,
            };
            assert_eq!(state(&members, &format!("{}.state", operator.name())), expected, "{operator:?}");
            let given = operator.card().gives.iter().filter(|id| members.get(**id).is_some()).count();
            let derived = !matches!(operator, Operator::OssMeta) && expected == DONE;
            // Shots are given by films alone.
            let film = usize::from(operator == Operator::LabelClassification);
            assert!(!derived || given == operator.card().gives.len() - film, "{operator:?} gave {given}");
        }
        assert_eq!(state(&members, "MediaMeta.state"), "", "not run on pictures");
        let mut file = File::from_members(members);
        file.set(field::URI, "oss://b/k");
        file.validate().unwrap();
        assert_eq!(file.text(field::TIMEZONE), Some("Asia/Shanghai"));
        assert_eq!(file.text(field::REASON), None, "nothing failed");
    }

    #[test]
    fn films_wait_for_their_labels() {
        let mut film = found();
        film.set(field::MEDIA_TYPE, "video");
        let members = analyzer().run(&all(), &decode(b"not looked at".to_vec()), &film);
        assert_eq!(state(&members, "LabelClassification.state"), WAITING);
        assert_eq!((state(&members, "MediaMeta.state"), members.text(field::REASON)), (DONE.to_owned(), None));
        assert!(members.get(field::LABELS).is_none() && state(&members, "ImageHash.state").is_empty());
    }

    #[test]
    fn templates_choose_members() {
        let run =
            |operators: &[Operator]| analyzer().run(&operators.iter().copied().collect(), &decode(png()), &found());
        assert!(run(&[]).is_empty());
        let mime = run(&[Operator::Mime]);
        assert_eq!((mime.text(field::CONTENT_TYPE), mime.text(field::TITLE)), (Some("image/png"), None));
        let exif = run(&[Operator::Exif]);
        assert_eq!((exif.text(field::CONTENT_TYPE), exif.text(field::TITLE)), (None, Some("West lake")));
        assert_eq!(run(&[Operator::MediaMeta]).text(field::TITLE), None);
        // FaceManagement has no MIME: that it is a picture is known all the same, where faces were looked for.
        let faces = run(&[Operator::OssMeta, Operator::FaceDetection]);
        let told = (faces.text(field::MEDIA_TYPE), faces.text(field::CONTENT_TYPE), faces.text(field::TITLE));
        assert_eq!(told, (Some("image"), None, None));
        assert_eq!(run(&[Operator::OssMeta, Operator::MediaMeta]).text(field::MEDIA_TYPE), None);
    }

    #[test]
    fn a_picture_that_cannot_be_decoded_costs_pixels_only() {
        let members = analyzer().run(&all(), &decode(b"\x89PNG\r\n\x1a\n then nothing".to_vec()), &found());
        assert_eq!(state(&members, "ImageScoring.state"), FAILED);
        assert_eq!(state(&members, "ReGEO.state"), DONE);
        assert_eq!(members.text(field::TITLE), Some("West lake"));
        assert!(members.get(field::IMAGE_SCORE).is_none() && members.get(field::ADDRESSES).is_some());
        let reason = members.text(field::REASON).unwrap();
        assert!(reason.starts_with("[InvalidArgument] LabelClassification: "), "{reason}");
    }

    #[test]
    fn a_labeler_that_panics_or_dawdles_costs_labels_only() {
        struct Panics;
        impl Labeler for Panics {
            fn name(&self) -> &str {
                "panics"
            }
            fn labels(&self, _: &Pixels, budget: &Budget) -> Result<Vec<Label>> {
                budget.check("dawdling")?;
                panic!("a defect")
            }
        }
        let mut analyzer = Analyzer::new(Labelers::built_in().with(Arc::new(Panics)), "/nowhere/tesseract");
        let members = analyzer.run(&all(), &decode(png()), &found());
        assert_eq!(state(&members, "LabelClassification.state"), FAILED);
        assert!(state(&members, "LabelClassification.reason").contains("panicked"));
        assert_eq!(state(&members, "ImageHash.state"), DONE);
        analyzer.time = Duration::ZERO;
        assert!(state(&analyzer.run(&all(), &decode(png()), &found()), "ImageHash.reason").contains("time"));
    }

    #[test]
    fn the_same_bytes_give_the_same_members() {
        let once = || analyzer().run(&all(), &decode(png()), &found());
        assert_eq!(once(), once());
    }
}
