//! What is installed beside the operators of the binary: model packs. They are loaded when the first picture needs one.

use super::{Budget, Embedding, Faces, Labelers, Operator, Picture};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Members;
#[cfg(feature = "models")]
use crate::model::field;
use std::path::PathBuf;
use std::sync::OnceLock;

#[cfg(feature = "models")]
use super::{manifest::PackKind, pack::Pack};
#[cfg(feature = "models")]
use std::sync::Arc;

/// Labelers and detectors.
#[derive(Debug)]
pub(super) struct Installed {
    /// Where packs are.
    #[cfg_attr(not(feature = "models"), expect(dead_code, reason = "without networks no pack is loaded"))]
    folder: Option<PathBuf>,
    loaded: OnceLock<Result<Loaded, String>>,
}

#[derive(Debug)]
struct Loaded {
    labelers: Labelers,
    #[cfg(feature = "models")]
    packs: Packs,
}

/// Packs of which the first of a kind counts.
#[cfg(feature = "models")]
#[derive(Debug, Default)]
struct Packs {
    faces: Option<Arc<Pack>>,
    face_points: Option<Arc<Pack>>,
    pictures: Option<Arc<Pack>>,
    texts: Option<Arc<Pack>>,
}

/// What was found of faces in a picture.
#[derive(Debug, Default)]
pub struct FacesSeen {
    /// Elements of `Figures`.
    pub figures: Vec<Members>,
    /// Their points, where a pack gives such and time was left.
    pub points: Option<Faces>,
}

/// A sentence as a point.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPoint {
    /// Where.
    pub embedding: Embedding,
    /// Least cosine of a picture that shows what it says.
    pub threshold: f32,
}

impl Installed {
    /// These labelers and no packs.
    pub(super) fn these(labelers: Labelers) -> Installed {
        Installed { folder: None, loaded: OnceLock::from(Ok(Loaded::of(labelers))) }
    }

    /// What comes with medialith.
    pub(super) fn built_in() -> Installed {
        Installed { folder: None, loaded: OnceLock::new() }
    }

    /// The packs that are folders of `folder`, and what comes with medialith.
    pub(super) fn folder(folder: PathBuf) -> Installed {
        Installed { folder: Some(folder), loaded: OnceLock::new() }
    }

    pub(super) fn labelers(&self) -> Result<&Labelers> {
        Ok(&self.loaded()?.labelers)
    }

    /// Fails with [`ErrorKind::NotFound`] where no pack finds faces.
    pub(super) fn finds_faces(&self) -> Result<()> {
        let loaded = self.loaded()?;
        #[cfg(feature = "models")]
        if loaded.packs.faces.is_some() {
            return Ok(());
        }
        let _no_detector = loaded;
        Err(Error::new(ErrorKind::NotFound, "no model pack for face detection is installed"))
    }

    /// Fails with [`ErrorKind::NotFound`] where no pack gives points of pictures.
    pub(super) fn embeds_pictures(&self) -> Result<()> {
        let loaded = self.loaded()?;
        #[cfg(feature = "models")]
        if loaded.packs.pictures.is_some() {
            return Ok(());
        }
        let _no_pack = loaded;
        Err(Error::new(ErrorKind::NotFound, "no model pack for image embedding is installed"))
    }

    #[cfg(feature = "models")]
    pub(super) fn faces(&self, picture: &Picture, budget: &Budget) -> Result<FacesSeen> {
        self.finds_faces()?;
        let packs = &self.loaded()?.packs;
        let Some(detector) = &packs.faces else { return Ok(FacesSeen::default()) };
        let found = detector.faces(&picture.pixels, (picture.width, picture.height), budget)?;
        let mut seen = FacesSeen::default();
        if let Some(pack) = &packs.face_points {
            let mut points = Vec::new();
            for face in &found {
                match pack.face_point(&picture.pixels, face.sides, budget) {
                    Ok(embedding) => {
                        points.push((face.figure.text(field::FIGURE_ID).unwrap_or("").to_owned(), embedding.vector))
                    }
                    // Faces for which no time is left have no points; they are faces all the same.
                    Err(e) if e.kind() == ErrorKind::DeadlineExceeded => break,
                    Err(e) => return Err(e),
                }
            }
            seen.points = (!points.is_empty()).then(|| Faces { space: pack.manifest().space(), points });
        }
        seen.figures = found.into_iter().map(|face| face.figure).collect();
        Ok(seen)
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn faces(&self, _: &Picture, _: &Budget) -> Result<FacesSeen> {
        self.finds_faces().map(|()| FacesSeen::default())
    }

    /// The point of a picture.
    #[cfg(feature = "models")]
    pub(super) fn picture_point(&self, picture: &Picture, budget: &Budget) -> Result<Option<Embedding>> {
        self.embeds_pictures()?;
        let pack = self.loaded()?.packs.pictures.as_ref();
        pack.map(|pack| pack.picture_point(&picture.pixels, budget)).transpose()
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn picture_point(&self, _: &Picture, _: &Budget) -> Result<Option<Embedding>> {
        self.embeds_pictures().map(|()| None)
    }

    /// The point of a sentence; `None` where no pack reads sentences.
    #[cfg(feature = "models")]
    pub(super) fn text_point(&self, text: &str, budget: &Budget) -> Result<Option<TextPoint>> {
        let Some(pack) = &self.loaded()?.packs.texts else { return Ok(None) };
        let threshold = pack.manifest().output.threshold;
        Ok(Some(TextPoint { embedding: pack.text_point(text, budget)?, threshold }))
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn text_point(&self, _: &str, _: &Budget) -> Result<Option<TextPoint>> {
        Ok(None)
    }

    /// The space of the points of faces, and the least cosine of two of one person; `None` without a pack.
    #[cfg(feature = "models")]
    pub(super) fn face_space(&self) -> Result<Option<(String, f32)>> {
        let pack = self.loaded()?.packs.face_points.as_ref();
        Ok(pack.map(|pack| (pack.manifest().space(), pack.manifest().output.threshold)))
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn face_space(&self) -> Result<Option<(String, f32)>> {
        Ok(None)
    }

    /// Names and versions of the packs that an operator uses, by the names of their entries in `ops`.
    #[cfg(feature = "models")]
    pub(super) fn used_by(&self, operator: Operator) -> Vec<(&'static str, String)> {
        let Ok(loaded) = self.loaded() else { return Vec::new() };
        let packs = &loaded.packs;
        let used = match operator {
            Operator::FaceDetection => vec![("pack", &packs.faces), ("embedding", &packs.face_points)],
            Operator::ExtractImageEmbeddings => vec![("pack", &packs.pictures)],
            _ => Vec::new(),
        };
        used.into_iter().filter_map(|(name, pack)| Some((name, pack.as_ref()?.manifest().title()))).collect()
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn used_by(&self, _: Operator) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn loaded(&self) -> Result<&Loaded> {
        let load = || self.load().map_err(|e| e.message().to_owned());
        self.loaded.get_or_init(load).as_ref().map_err(|why| Error::invalid(why.as_str()))
    }

    #[cfg(not(feature = "models"))]
    fn load(&self) -> Result<Loaded> {
        Ok(Loaded::of(Labelers::built_in()))
    }

    /// Packs in the order of their names. Of all kinds but classifiers the first counts; the classifier that comes with medialith steps back
    /// where another is installed.
    #[cfg(feature = "models")]
    fn load(&self) -> Result<Loaded> {
        let mut loaded = Loaded::of(Labelers::built_in());
        let mut classifies = false;
        for folder in self.folders()? {
            let pack = Arc::new(Pack::load(&folder)?);
            match pack.manifest().kind {
                PackKind::ImageClassification => {
                    classifies = true;
                    loaded.labelers = loaded.labelers.with(pack);
                }
                PackKind::FaceDetection => first(&mut loaded.packs.faces, pack),
                PackKind::FaceEmbedding => first(&mut loaded.packs.face_points, pack),
                PackKind::ImageEmbedding => first(&mut loaded.packs.pictures, pack),
                PackKind::TextEmbedding => first(&mut loaded.packs.texts, pack),
            }
        }
        if !classifies {
            loaded.labelers = loaded.labelers.with(Pack::scenes()?);
        }
        Ok(loaded)
    }

    #[cfg(feature = "models")]
    fn folders(&self) -> Result<Vec<PathBuf>> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let failed = |e| Error::io(format_args!("list {}", folder.display()), e);
        let entries = match std::fs::read_dir(folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut folders = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        folders.sort();
        Ok(folders)
    }
}

impl Loaded {
    fn of(labelers: Labelers) -> Loaded {
        Loaded {
            labelers,
            #[cfg(feature = "models")]
            packs: Packs::default(),
        }
    }
}

#[cfg(feature = "models")]
fn first(place: &mut Option<Arc<Pack>>, pack: Arc<Pack>) {
    place.get_or_insert(pack);
}
