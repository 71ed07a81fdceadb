//! What is installed beside the operators of the binary: model packs. They are loaded when the first picture needs one.

use super::{Budget, Labelers, Picture};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Members;
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
    faces: Option<Arc<Pack>>,
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
        if loaded.faces.is_some() {
            return Ok(());
        }
        let _no_detector = loaded;
        Err(Error::new(ErrorKind::NotFound, "no model pack for face detection is installed"))
    }

    #[cfg(feature = "models")]
    pub(super) fn faces(&self, picture: &Picture, budget: &Budget) -> Result<Vec<Members>> {
        self.finds_faces()?;
        let pack = self.loaded()?.faces.as_ref();
        pack.map_or(Ok(Vec::new()), |pack| pack.faces(&picture.pixels, (picture.width, picture.height), budget))
    }

    #[cfg(not(feature = "models"))]
    pub(super) fn faces(&self, _: &Picture, _: &Budget) -> Result<Vec<Members>> {
        self.finds_faces().map(|()| Vec::new())
    }

    fn loaded(&self) -> Result<&Loaded> {
        let load = || self.load().map_err(|e| e.message().to_owned());
        self.loaded.get_or_init(load).as_ref().map_err(|why| Error::invalid(why.as_str()))
    }

    #[cfg(not(feature = "models"))]
    fn load(&self) -> Result<Loaded> {
        Ok(Loaded::of(Labelers::built_in()))
    }

    /// Packs in the order of their names. Of detectors the first counts; the classifier that comes with medialith steps back
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
                PackKind::FaceDetection => loaded.faces = loaded.faces.or(Some(pack)),
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
            faces: None,
        }
    }
}
