//! Model packs: a folder with `model.onnx`, `labels.csv` and `pack.toml`. Nothing is downloaded: who wants a pack puts it there.
//!
//! Everything is checked when a pack is loaded: settings, labels, the network's inputs and outputs, and one run on grey.

mod face;
mod network;
#[cfg(test)]
mod tests;

pub use network::{MAX_COST, MAX_MODEL_BYTES};

use super::label::{Label, Labeler};
use super::manifest::{self, Activation, MAX_LABELS_BYTES, MAX_MANIFEST_BYTES, Manifest, PackKind, Row};
use super::{Budget, Pixels};
use crate::error::{Error, Result};
use crate::model::Members;
use network::Network;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A loaded pack.
pub struct Pack {
    manifest: Manifest,
    rows: Vec<Row>,
    network: Network,
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

/// The pack that comes with medialith.
static SCENES: OnceLock<Result<Arc<Pack>, String>> = OnceLock::new();

impl Pack {
    /// Loads a pack from its folder. Errors name the file and what is wrong with it.
    pub fn load(folder: &Path) -> Result<Pack> {
        let manifest = read(folder, "pack.toml", MAX_MANIFEST_BYTES as u64)?;
        let labels = read(folder, "labels.csv", MAX_LABELS_BYTES as u64)?;
        let model = read(folder, "model.onnx", MAX_MODEL_BYTES)?;
        let pack = text(manifest, "pack.toml").and_then(|m| Pack::from_parts(&m, &text(labels, "labels.csv")?, model));
        pack.map_err(|e| Error::new(e.kind(), format!("{}: {}", folder.display(), e.message())))
    }

    /// A pack of the contents of its three files.
    pub fn from_parts(manifest: &str, labels: &str, model: Vec<u8>) -> Result<Pack> {
        let manifest = Manifest::parse(manifest)?;
        let rows = manifest::rows(labels)?;
        let network = Network::load(model, &manifest)?;
        let pack = Pack { manifest, rows, network };
        let grey = Pixels::new(1, 1, vec![128; 3])?;
        let budget = Budget::new(MAX_COST * 4, usize::MAX);
        match pack.manifest.kind {
            PackKind::ImageClassification => pack.scores(&grey, &budget).map(drop)?,
            PackKind::FaceDetection => pack.faces(&grey, (1, 1), &budget).map(drop)?,
        }
        Ok(pack)
    }

    /// The pack that medialith brings along: `medialith-scenes`, loaded when it is first asked for.
    pub fn scenes() -> Result<Arc<Pack>> {
        let load = || {
            let (manifest, labels) = (include_str!("scenes/pack.toml"), include_str!("scenes/labels.csv"));
            let model = include_bytes!("scenes/model.onnx").to_vec();
            Pack::from_parts(manifest, labels, model).map(Arc::new).map_err(|e| e.message().to_owned())
        };
        SCENES.get_or_init(load).clone().map_err(Error::invalid)
    }

    /// `pack.toml`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What one picture took when the pack was loaded.
    pub fn cost(&self) -> Duration {
        self.network.cost()
    }

    /// Number of labels, parents included.
    pub fn label_count(&self) -> usize {
        self.rows.iter().filter(|row| !row.name.is_empty()).count()
    }

    /// The faces of a picture that is `size` at full size, as elements of `Figures`.
    pub fn faces(&self, pixels: &Pixels, size: (u32, u32), budget: &Budget) -> Result<Vec<Members>> {
        let outputs = self.network.run(pixels, &self.manifest, budget)?;
        let [scores, boxes] = outputs.as_slice() else {
            return Err(Error::invalid(format!("{}: expected scores and boxes", self.manifest.name)));
        };
        face::figures(scores, boxes, &self.manifest.output, size)
    }

    /// The scores of a classifier, one for each of the first rows.
    fn scores(&self, pixels: &Pixels, budget: &Budget) -> Result<Vec<f32>> {
        let outputs = self.network.run(pixels, &self.manifest, budget)?;
        let scores = outputs.into_iter().next().unwrap_or_default();
        if scores.is_empty() || scores.len() > self.rows.len() {
            let (got, rows) = (scores.len(), self.rows.len());
            return Err(Error::invalid(format!(
                "model.onnx: expected 1 to {rows} outputs, a row of labels.csv for each, got {got}"
            )));
        }
        Ok(network::activated(&scores, self.manifest.output.activation))
    }

    /// The label of a row.
    fn label(&self, row: &Row, confidence: f32) -> Label {
        let label = Label::new(row.level, &row.name, &row.parent, confidence);
        Label { alias: row.alias.clone(), language: row.language.clone(), ..label }
    }
}

impl Labeler for Pack {
    fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Labels at or above the pack's threshold, the surest first, and their parents: a parent is as sure as its children
    /// together where scores sum to 1, as the surest of them otherwise.
    fn labels(&self, pixels: &Pixels, budget: &Budget) -> Result<Vec<Label>> {
        if self.manifest.kind != PackKind::ImageClassification {
            return Ok(Vec::new());
        }
        let scores = self.scores(pixels, budget)?;
        let sums = self.manifest.output.activation == Activation::Softmax;
        let mut found: Vec<(&Row, f32)> =
            self.rows.iter().zip(scores).filter(|(row, _)| !row.name.is_empty()).collect();
        found.retain(|(_, score)| *score >= self.manifest.output.threshold);
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.truncate(self.manifest.output.most);
        let mut parents: Vec<(&Row, f32)> = Vec::new();
        for (row, score) in &found {
            let mut parent = row.parent.as_str();
            while let Some(above) = self.rows.iter().find(|r| !parent.is_empty() && r.name == parent) {
                match parents.iter_mut().find(|(row, _)| row.name == above.name) {
                    Some((_, sum)) => *sum = if sums { *sum + score } else { sum.max(*score) },
                    None => parents.push((above, *score)),
                }
                parent = &above.parent;
            }
        }
        Ok(parents.into_iter().chain(found).map(|(row, score)| self.label(row, score)).collect())
    }
}

fn read(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let failed = |e| Error::io(format_args!("read {}", path.display()), e);
    let file = std::fs::File::open(&path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Error::invalid(format!("{}: expected at most {most} bytes, got more", path.display())));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| Error::invalid(format!("{name}: expected UTF-8, got {e}")))
}
