//! Model packs: a folder with `model.onnx` and `pack.toml`, and with `labels.csv` or `vocab.txt` where the kind needs one. Nothing is
//! downloaded: who wants a pack puts it there.
//!
//! Everything is checked when a pack is loaded: settings, labels, the network's inputs and outputs, and one run on grey.

mod face;
mod network;
#[cfg(test)]
mod tests;
mod words;

pub use face::Face;
pub use network::{MAX_COST, MAX_MODEL_BYTES};
pub use words::MAX_VOCABULARY_BYTES;

use super::label::{Label, Labeler};
use super::manifest::{self, Activation, MAX_LABELS_BYTES, MAX_MANIFEST_BYTES, Manifest, PackKind, Row};
use super::{Budget, Embedding, Pixels, Vector};
use crate::error::{Error, Result};
use network::{Network, Subject};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use words::Words;

/// A loaded pack.
pub struct Pack {
    manifest: Manifest,
    rows: Vec<Row>,
    words: Option<Words>,
    network: Network,
    /// Numbers of a point.
    numbers: usize,
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
        let loaded = || -> Result<Pack> {
            let manifest = text(read(folder, "pack.toml", MAX_MANIFEST_BYTES as u64)?, "pack.toml")?;
            let (name, most) = match Manifest::parse(&manifest)?.kind {
                PackKind::ImageClassification | PackKind::FaceDetection => ("labels.csv", MAX_LABELS_BYTES),
                PackKind::TextEmbedding => ("vocab.txt", MAX_VOCABULARY_BYTES),
                PackKind::ImageEmbedding | PackKind::FaceEmbedding => ("", 0),
            };
            let words = if name.is_empty() { Vec::new() } else { read(folder, name, most as u64)? };
            Pack::from_parts(&manifest, &text(words, name)?, read(folder, "model.onnx", MAX_MODEL_BYTES)?)
        };
        loaded().map_err(|e| Error::new(e.kind(), format!("{}: {}", folder.display(), e.message())))
    }

    /// A pack of the contents of its files; `words` is what `labels.csv` or `vocab.txt` holds, whichever the kind needs.
    pub fn from_parts(manifest: &str, words: &str, model: Vec<u8>) -> Result<Pack> {
        let manifest = Manifest::parse(manifest)?;
        let rows = match manifest.kind {
            PackKind::ImageClassification | PackKind::FaceDetection => manifest::rows(words)?,
            _ => Vec::new(),
        };
        let words = manifest.text.as_ref().map(|input| Words::parse(words, input)).transpose()?;
        let (grey, example) = (Pixels::new(1, 1, vec![128; 3])?, numbered(&words, &manifest, "a"));
        let example = match &example {
            Some((pieces, used)) => Subject::Text(pieces, *used),
            None => Subject::Picture(&grey),
        };
        let network = Network::load(model, &manifest, &example)?;
        let mut pack = Pack { manifest, rows, words, network, numbers: 0 };
        let budget = Budget::new(MAX_COST * 4, usize::MAX);
        match pack.manifest.kind {
            PackKind::ImageClassification => pack.scores(&grey, &budget).map(drop)?,
            PackKind::FaceDetection => pack.faces(&grey, (1, 1), &budget).map(drop)?,
            _ => pack.numbers = pack.point(&example, &budget)?.numbers().len(),
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

    /// Numbers of its points; 0 where it gives none.
    pub fn numbers(&self) -> usize {
        self.numbers
    }

    /// Pieces of its vocabulary; 0 without one.
    pub fn vocabulary(&self) -> usize {
        self.words.as_ref().map_or(0, Words::len)
    }

    /// The numbers that stand for a sentence, as many as the network takes; none for packs that read no sentences.
    pub fn pieces(&self, text: &str) -> Vec<i32> {
        numbered(&self.words, &self.manifest, text).map(|(pieces, _)| pieces).unwrap_or_default()
    }

    /// The point of a picture, for packs that embed pictures or faces.
    pub fn picture_point(&self, pixels: &Pixels, budget: &Budget) -> Result<Embedding> {
        self.embedding(&Subject::Picture(pixels), budget)
    }

    /// The point of a face: of what lies in a box of a picture (left, top, right, bottom as parts of its sides), made square, and the pack's
    /// margin around it.
    pub fn face_point(&self, pixels: &Pixels, face: [f32; 4], budget: &Budget) -> Result<Embedding> {
        let margin = self.manifest.input.as_ref().map_or(0.0, |input| input.margin);
        self.picture_point(&face::crop(pixels, face, margin), budget)
    }

    /// The point of a sentence.
    pub fn text_point(&self, text: &str, budget: &Budget) -> Result<Embedding> {
        let numbered = numbered(&self.words, &self.manifest, text);
        let (pieces, used) =
            numbered.ok_or_else(|| Error::invalid(format!("{}: it reads no sentences", self.manifest.name)))?;
        self.embedding(&Subject::Text(&pieces, used), budget)
    }

    fn embedding(&self, subject: &Subject<'_>, budget: &Budget) -> Result<Embedding> {
        let vector = self.point(subject, budget)?;
        if vector.numbers().len() != self.numbers {
            let (got, expected) = (vector.numbers().len(), self.numbers);
            return Err(Error::invalid(format!("model.onnx: expected a point of {expected} numbers, got {got}")));
        }
        Ok(Embedding { space: self.manifest.space(), vector })
    }

    fn point(&self, subject: &Subject<'_>, budget: &Budget) -> Result<Vector> {
        let outputs = self.network.run(subject, &self.manifest, budget)?;
        let point = outputs.first().map_or(&[][..], Vec::as_slice);
        Vector::of(point).map_err(|e| Error::invalid(format!("model.onnx: {}", e.message())))
    }

    /// The faces of a picture that is `size` at full size, the surest first.
    pub fn faces(&self, pixels: &Pixels, size: (u32, u32), budget: &Budget) -> Result<Vec<Face>> {
        let outputs = self.network.run(&Subject::Picture(pixels), &self.manifest, budget)?;
        let [scores, boxes] = outputs.as_slice() else {
            return Err(Error::invalid(format!("{}: expected scores and boxes", self.manifest.name)));
        };
        face::figures(scores, boxes, &self.manifest.output, size, face::seed(pixels))
    }

    /// The scores of a classifier, one for each of the first rows.
    fn scores(&self, pixels: &Pixels, budget: &Budget) -> Result<Vec<f32>> {
        let outputs = self.network.run(&Subject::Picture(pixels), &self.manifest, budget)?;
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

/// The numbers of a sentence, for packs that read sentences.
fn numbered(words: &Option<Words>, manifest: &Manifest, text: &str) -> Option<(Vec<i32>, usize)> {
    Some(words.as_ref()?.numbers(text, manifest.text.as_ref()?.length))
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
