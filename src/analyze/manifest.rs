//! `pack.toml` and `labels.csv`: what a network takes and what its outputs mean.

use super::embedding::{MAX_SPACE, is_space};
use crate::error::{Error, Result};
use serde::Deserialize;

/// Longest `pack.toml`, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 << 10;
/// Longest `labels.csv`, in bytes.
pub const MAX_LABELS_BYTES: usize = 4 << 20;
/// Most rows of `labels.csv`.
pub const MAX_LABELS: usize = 100_000;
/// Longest side of a network's input, in pixels.
pub const MAX_INPUT: u32 = 1024;

/// Most numbers of a sentence.
pub const MAX_TEXT: usize = 512;

/// What a pack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackKind {
    /// One score for each label: the operator `LabelClassification`.
    ImageClassification,
    /// Boxes and scores of faces: the operator `FaceDetection`.
    FaceDetection,
    /// A point for each picture: the operator `ExtractImageEmbeddings`.
    ImageEmbedding,
    /// A point for each face that a detector found: the operator `FaceDetection`, for figure clusters.
    FaceEmbedding,
    /// A point for a sentence, in the space of a pack for pictures: SemanticQuery.
    TextEmbedding,
}

impl PackKind {
    /// Its name as in `pack.toml`.
    pub fn name(self) -> &'static str {
        match self {
            PackKind::ImageClassification => "image-classification",
            PackKind::FaceDetection => "face-detection",
            PackKind::ImageEmbedding => "image-embedding",
            PackKind::FaceEmbedding => "face-embedding",
            PackKind::TextEmbedding => "text-embedding",
        }
    }

    /// Whether it gives points.
    pub fn embeds(self) -> bool {
        matches!(self, PackKind::ImageEmbedding | PackKind::FaceEmbedding | PackKind::TextEmbedding)
    }
}

/// Order of the numbers of a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Layout {
    /// Batch, channel, row, column.
    #[default]
    #[serde(rename = "NCHW")]
    Nchw,
    /// Batch, row, column, channel.
    #[serde(rename = "NHWC")]
    Nhwc,
}

/// Order of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Channels {
    /// Red first.
    #[default]
    #[serde(rename = "RGB")]
    Rgb,
    /// Blue first.
    #[serde(rename = "BGR")]
    Bgr,
}

/// How a picture of other proportions becomes the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// The whole picture, its proportions changed.
    #[default]
    Stretch,
    /// The largest middle part of the input's proportions.
    Crop,
}

/// What is done with the outputs before they are scores from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing: they are.
    #[default]
    None,
    /// Each by itself.
    Sigmoid,
    /// All together sum to 1.
    Softmax,
}

/// The input of a network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Columns, 1 to [`MAX_INPUT`].
    pub width: u32,
    /// Rows, 1 to [`MAX_INPUT`].
    pub height: u32,
    /// Order of the numbers.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the channels.
    #[serde(default)]
    pub channels: Channels,
    /// How pictures of other proportions fit.
    #[serde(default)]
    pub fit: Fit,
    /// Subtracted from each channel of a pixel, which is 0 to 1, in the order of `channels`.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Each channel is divided by this then.
    #[serde(default = "ones")]
    pub deviation: [f32; 3],
    /// What is seen beyond the box of a face on each side, as a part of its longer side, 0 to 2. For face embedding, which sees squares.
    #[serde(default)]
    pub margin: f32,
}

/// The input of a network for sentences: `input_ids`, `attention_mask` and `token_type_ids`, of which the first is needed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextInput {
    /// Numbers of a sentence, 2 to [`MAX_TEXT`]: what is longer is cut.
    pub length: usize,
    /// Whether the vocabulary knows small letters alone (BERT's `do_lower_case`).
    #[serde(default = "yes")]
    pub lowercase: bool,
    /// Whether it knows letters without accents alone (BERT's `strip_accents`); where it is not said, as `lowercase`.
    pub strip_accents: Option<bool>,
}

impl TextInput {
    /// Whether letters lose their accents.
    pub fn strips_accents(&self) -> bool {
        self.strip_accents.unwrap_or(self.lowercase)
    }
}

fn yes() -> bool {
    true
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

/// The outputs of a network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// How outputs become scores.
    #[serde(default)]
    pub activation: Activation,
    /// Least score of what is reported, 0 to 1.
    #[serde(default = "half")]
    pub threshold: f32,
    /// Labels or faces that are reported at most, 1 to 1,000.
    #[serde(default = "ten")]
    pub most: usize,
    /// Name of the output with the scores; by default the first output.
    #[serde(default)]
    pub scores: String,
    /// Name of the output with boxes (left, top, right, bottom, each 0 to 1), for face detection.
    #[serde(default)]
    pub boxes: String,
    /// Boxes that overlap by more than this part of their union are one face.
    #[serde(default = "half")]
    pub overlap: f32,
    /// Name of the output with the point, for embeddings; by default the first output.
    #[serde(default)]
    pub point: String,
    /// The space of the points: packs that name the same one give points that can be compared. By default the pack's name and version.
    #[serde(default)]
    pub space: String,
}

fn half() -> f32 {
    0.5
}

fn ten() -> usize {
    10
}

/// `pack.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name, 1 to 64 of A-Z, a-z, 0-9, - and _.
    pub name: String,
    /// Version, grows with results; 1 to 32 characters.
    pub version: String,
    /// Licence of the network, as an SPDX expression.
    pub license: String,
    /// What it can tell and what not, for people.
    #[serde(default)]
    pub about: String,
    /// What it is for.
    pub kind: PackKind,
    /// The input of networks that see pictures.
    #[serde(default)]
    pub input: Option<Input>,
    /// The input of networks that read sentences.
    #[serde(default)]
    pub text: Option<TextInput>,
    /// The outputs.
    pub output: Output,
}

/// An error that names a setting, what was expected and what came.
fn wrong(what: &str, expected: &str, got: &dyn std::fmt::Debug) -> Result<()> {
    Err(Error::invalid(format!("{what}: expected {expected}, got {got:?}")))
}

impl Input {
    fn check(&self, kind: PackKind) -> Result<()> {
        for (what, side) in [("input.width", self.width), ("input.height", self.height)] {
            if !(1..=MAX_INPUT).contains(&side) {
                return wrong(what, &format!("1 to {MAX_INPUT}"), &side);
            }
        }
        if !self.mean.iter().all(|m| m.is_finite()) {
            return wrong("input.mean", "three finite numbers", &self.mean);
        }
        if !self.deviation.iter().all(|d| d.is_finite() && d.abs() > 1e-6) {
            return wrong("input.deviation", "three numbers that can be divided by", &self.deviation);
        }
        if !(0.0..=2.0).contains(&self.margin) {
            return wrong("input.margin", "0 to 2", &self.margin);
        }
        if self.margin > 0.0 && kind != PackKind::FaceEmbedding {
            return wrong("input.margin", "none but for face-embedding", &self.margin);
        }
        Ok(())
    }
}

impl Output {
    fn check(&self, kind: PackKind) -> Result<()> {
        for (what, share) in [("output.threshold", self.threshold), ("output.overlap", self.overlap)] {
            if !(0.0..=1.0).contains(&share) {
                return wrong(what, "0 to 1", &share);
            }
        }
        if !(1..=1000).contains(&self.most) {
            return wrong("output.most", "1 to 1000", &self.most);
        }
        if kind == PackKind::FaceDetection && self.boxes.is_empty() {
            return wrong("output.boxes", "the name of the output with the boxes of faces", &self.boxes);
        }
        if kind == PackKind::TextEmbedding && self.space.is_empty() {
            return wrong(
                "output.space",
                "the space of the pack for pictures that sentences are compared with",
                &self.space,
            );
        }
        let fits = self.space.is_empty() || (kind.embeds() && is_space(&self.space));
        if !fits {
            let rule = format!("1 to {MAX_SPACE} of A-Z, a-z, 0-9 and -_.@, for embeddings");
            return wrong("output.space", &rule, &self.space);
        }
        if !self.point.is_empty() && !kind.embeds() {
            return wrong("output.point", "none but for embeddings", &self.point);
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads and checks `pack.toml`; errors name the setting, what was expected and what came.
    pub fn parse(text: &str) -> Result<Manifest> {
        if text.len() > MAX_MANIFEST_BYTES {
            let got = text.len();
            return Err(Error::invalid(format!("pack.toml: expected at most {MAX_MANIFEST_BYTES} bytes, got {got}")));
        }
        let manifest: Manifest = toml::from_str(text).map_err(|e| Error::invalid(format!("pack.toml: {e}")))?;
        manifest.check().map_err(|e| Error::invalid(format!("pack.toml: {}", e.message())))?;
        Ok(manifest)
    }

    /// Name and version, as documents say which pack gave what.
    pub fn title(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The space of its points.
    pub fn space(&self) -> String {
        if self.output.space.is_empty() { self.title() } else { self.output.space.clone() }
    }

    fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=64).contains(&self.name.len()) || !self.name.chars().all(plain) {
            return wrong("name", "1 to 64 of A-Z, a-z, 0-9, - and _", &self.name);
        }
        if !(1..=32).contains(&self.version.chars().count()) {
            return wrong("version", "1 to 32 characters", &self.version);
        }
        if self.kind.embeds() && !is_space(&self.title()) {
            return wrong("version", "1 to 32 of A-Z, a-z, 0-9 and -_.@, for embeddings", &self.version);
        }
        if self.license.is_empty() {
            return wrong("license", "an SPDX expression", &self.license);
        }
        match (self.kind == PackKind::TextEmbedding, &self.input, &self.text) {
            (false, Some(input), None) => input.check(self.kind)?,
            (true, None, Some(text)) if !(2..=MAX_TEXT).contains(&text.length) => {
                return wrong("text.length", &format!("2 to {MAX_TEXT}"), &text.length);
            }
            (true, None, Some(_)) => {}
            (false, None, _) => return wrong("input", "the input of the network", &"none"),
            (false, ..) => return wrong("text", "none but for text-embedding", &self.text),
            (true, None, None) => return wrong("text", "the input of the network", &"none"),
            (true, ..) => return wrong("input", "none for text-embedding, which has text", &self.input),
        }
        self.output.check(self.kind)
    }
}

/// One row of `labels.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `LabelName`; empty for an output that stands for nothing.
    pub name: String,
    /// `ParentLabelName`, the name of another row; empty at level 1.
    pub parent: String,
    /// `LabelLevel`, 1 to 3.
    pub level: u8,
    /// `LabelAlias`.
    pub alias: String,
    /// `Language`, BCP 47.
    pub language: String,
}

/// The first line of `labels.csv`.
const HEADER: &str = "name,parent,level,alias,language";

/// Reads `labels.csv` (RFC 4180): a header, then a row for each output in order; rows beyond the outputs are parents. Errors
/// name the line.
pub fn rows(text: &str) -> Result<Vec<Row>> {
    if text.len() > MAX_LABELS_BYTES {
        let got = text.len();
        return Err(Error::invalid(format!("labels.csv: expected at most {MAX_LABELS_BYTES} bytes, got {got}")));
    }
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).enumerate();
    let header = lines.next().map_or("", |(_, line)| line).trim_start_matches('\u{feff}');
    if header != HEADER {
        return Err(Error::invalid(format!("labels.csv, line 1: expected {HEADER:?}, got {header:?}")));
    }
    let mut rows = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        if rows.len() == MAX_LABELS {
            return Err(Error::invalid(format!("labels.csv: expected at most {MAX_LABELS} rows, got more")));
        }
        let row = row(line).map_err(|why| Error::invalid(format!("labels.csv, line {}: {why}", number + 1)))?;
        rows.push(row);
    }
    check_parents(&rows)?;
    Ok(rows)
}

fn row(line: &str) -> Result<Row, String> {
    let cells = cells(line)?;
    let [name, parent, level, alias, language] = cells.as_slice() else {
        return Err(format!("expected 5 cells, got {}", cells.len()));
    };
    let level = match level.as_str() {
        "1" => 1,
        "2" => 2,
        "3" => 3,
        // What stands for nothing has no place in the tree.
        "" if name.is_empty() => 3,
        other => return Err(format!("level: expected 1, 2 or 3, got {other:?}")),
    };
    if level == 1 && !parent.is_empty() {
        return Err(format!("parent: expected none at level 1, got {parent:?}"));
    }
    let text = |cell: &String| cell.clone();
    Ok(Row { name: text(name), parent: text(parent), level, alias: text(alias), language: text(language) })
}

/// The cells of a line; `"` around a cell keeps commas, doubled ones stand for themselves. A cell ends with its line.
fn cells(line: &str) -> Result<Vec<String>, String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    if quoted {
        return Err("a cell has no closing quote".to_owned());
    }
    cells.push(cell);
    Ok(cells)
}

fn check_parents(rows: &[Row]) -> Result<()> {
    let levels: std::collections::HashMap<&str, u8> = rows.iter().map(|row| (row.name.as_str(), row.level)).collect();
    for row in rows.iter().filter(|row| !row.parent.is_empty()) {
        match levels.get(row.parent.as_str()) {
            Some(level) if *level < row.level => {}
            Some(level) => {
                let (name, parent, own) = (&row.name, &row.parent, row.level);
                let message = format!("labels.csv: {name:?} at level {own} has the parent {parent:?} at level {level}");
                return Err(Error::invalid(message));
            }
            None => {
                let (name, parent) = (&row.name, &row.parent);
                return Err(Error::invalid(format!(
                    "labels.csv: {name:?} has the parent {parent:?}, which has no row"
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "name = \"x\"\nversion = \"1\"\nlicense = \"CC0-1.0\"\nkind = \"image-classification\"\n[input]\nwidth = 32\nheight = 32\n[output]\n";

    #[test]
    fn manifests_have_defaults_and_rules() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let input = manifest.input.clone().unwrap();
        assert_eq!((manifest.title().as_str(), manifest.space().as_str()), ("x@1", "x@1"));
        assert_eq!((input.layout, input.deviation, manifest.output.most), (Layout::Nchw, [1.0; 3], 10));
        for (from, to, why) in [
            ("\"x\"", "\"a b\"", "name: expected"),
            ("width = 32", "width = 0", "input.width: expected 1 to 1024, got 0"),
            ("height = 32", "height = 32\ndeviation = [1, 0, 1]", "input.deviation"),
            ("[output]", "[output]\nthreshold = 2.0", "output.threshold"),
            ("[output]", "[output]\nmost = 0", "output.most"),
            ("image-classification", "face-detection", "output.boxes"),
            ("image-classification", "mind-reading", "unknown variant"),
            ("image-classification", "text-embedding", "input: expected none"),
            ("[output]", "[output]\nspace = \"s\"", "output.space"),
            ("[output]", "[output]\npoint = \"s\"", "output.point"),
            ("height = 32", "height = 32\nmargin = 0.2", "input.margin"),
            ("[input]\nwidth = 32\nheight = 32\n", "", "input: expected the input"),
            ("[output]", "[text]\nlength = 8\n[output]", "text: expected none"),
            ("[output]", "[output]\nlicence = 1", "unknown field"),
            ("license = \"CC0-1.0\"\n", "", "license"),
        ] {
            let error = Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.message().starts_with("pack.toml: ") && error.message().contains(why), "{error}");
        }
    }

    #[test]
    fn embeddings_name_their_space() {
        let faces =
            GOOD.replace("image-classification", "face-embedding").replace("height = 32", "height = 32\nmargin = 0.2");
        assert_eq!(Manifest::parse(&faces).unwrap().space(), "x@1");
        let spaced = faces.replace("version = \"1\"", "version = \"1 b\"");
        assert!(Manifest::parse(&spaced).unwrap_err().message().contains("version: expected"));
        let words = "name = \"w\"\nversion = \"1\"\nlicense = \"CC0-1.0\"\nkind = \"text-embedding\"\n[text]\nlength = 16\n[output]\nspace = \"joint-1\"\n";
        let manifest = Manifest::parse(words).unwrap();
        let text = manifest.text.as_ref().unwrap();
        assert_eq!((manifest.space().as_str(), text.lowercase, text.strips_accents()), ("joint-1", true, true));
        let cased = |rest: &str| {
            let cased = words.replace("length = 16", &format!("length = 16\nlowercase = false{rest}"));
            Manifest::parse(&cased).unwrap().text.unwrap().strips_accents()
        };
        assert_eq!((cased(""), cased("\nstrip_accents = true")), (false, true));
        for (from, to, why) in [
            ("space = \"joint-1\"", "", "output.space: expected the space"),
            ("joint-1", "joint 1", "output.space: expected 1 to 128"),
            ("length = 16", "length = 1", "text.length: expected 2 to 512, got 1"),
            ("[text]\nlength = 16\n", "", "text: expected the input"),
        ] {
            let error = Manifest::parse(&words.replacen(from, to, 1)).unwrap_err();
            assert!(error.message().contains(why), "{error}");
        }
    }

    #[test]
    fn labels_are_read_and_checked() {
        let text = "name,parent,level,alias,language\n\"Sea, calm\",Water,3,\"the \"\"big\"\" blue\",en\n,,,,\nWater,Scene,2,,en\nScene,,1,,en\n";
        let rows = rows(text).unwrap();
        assert_eq!((rows[0].name.as_str(), rows[0].alias.as_str(), rows.len()), ("Sea, calm", "the \"big\" blue", 4));
        for (bad, why) in [
            ("", "line 1"),
            ("name,parent,level,alias,language\nSea,,3", "expected 5 cells"),
            ("name,parent,level,alias,language\nSea,,4,,en", "level"),
            ("name,parent,level,alias,language\nSea,Water,3,,en", "no row"),
            ("name,parent,level,alias,language\nSea,Water,1,,en", "level 1"),
            ("name,parent,level,alias,language\nA,B,2,,\nB,A,2,,", "at level 2 has the parent"),
            ("name,parent,level,alias,language\n\"A,,1,,", "closing quote"),
        ] {
            assert!(super::rows(bad).unwrap_err().message().contains(why), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = Manifest::parse(&text);
            let _ = rows(&text);
            let _ = rows(&format!("{HEADER}\n{text}"));
        }
    }
}
