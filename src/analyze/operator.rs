//! The operators: what each needs and gives, on which files it runs, and its version. Source of the official ones:
//! "Workflow templates and operators" of the IMM documentation.

use crate::error::{Error, Result};
use crate::model::{FieldId, field};

/// One thing that can be told of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// What the store of the file says: name, size, times, digests.
    OssMeta,
    /// The type, by content.
    Mime,
    /// What a picture says of itself.
    Exif,
    /// What a film or a sound says of itself.
    MediaMeta,
    /// What a document or an archive says of itself, its text included.
    ExtractDocumentText,
    /// The address and the time zone of a place.
    ReGeo,
    /// Faces, by a model pack.
    FaceDetection,
    /// Labels: colours, light, medium, and those of model packs; of films also the shots.
    LabelClassification,
    /// The quality score.
    ImageScoring,
    /// The picture as a point among others, by a model pack.
    ExtractImageEmbeddings,
    /// The perceptual hash.
    ImageHash,
    /// A placeholder of some thirty bytes.
    ImagePlaceholder,
    /// The text in a picture, where Tesseract is installed.
    ImageTexts,
}

/// What an operator asks of the machine, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Nothing beyond what extraction has read.
    Extraction,
    /// A look into a table: microseconds.
    Table,
    /// A decoded picture: milliseconds, shared by all operators of the class.
    Pixels,
    /// A network or a program over decoded pixels: up to seconds.
    Model,
}

/// What is to be known of an operator before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Its name in templates and in `ops.<name>.state`.
    pub name: &'static str,
    /// Grows when the same file may give other results.
    pub version: u32,
    /// What it costs.
    pub cost: Cost,
    /// `MediaType`s of the files that it runs on; any where empty.
    pub media: &'static [&'static str],
    /// The member that it needs; it does not run on files without it.
    pub needs: Option<FieldId>,
    /// Members that it gives, where they are few enough to be named: those of metadata follow from the media.
    pub gives: &'static [FieldId],
}

const IMAGE: &[&str] = &["image"];

impl Operator {
    /// Every operator, in the order in which they run.
    pub const ALL: [Operator; 13] = [
        Operator::OssMeta,
        Operator::Mime,
        Operator::Exif,
        Operator::MediaMeta,
        Operator::ExtractDocumentText,
        Operator::ReGeo,
        Operator::FaceDetection,
        Operator::LabelClassification,
        Operator::ImageScoring,
        Operator::ExtractImageEmbeddings,
        Operator::ImageHash,
        Operator::ImagePlaceholder,
        Operator::ImageTexts,
    ];

    /// What is to be known of it.
    pub fn card(self) -> Card {
        use Cost::{Extraction, Model, Pixels, Table};
        let (name, version, cost, media): (_, _, _, &'static [&'static str]) = match self {
            Operator::OssMeta => ("OSSMeta", 1, Extraction, &[]),
            Operator::Mime => ("MIME", 1, Extraction, &[]),
            Operator::Exif => ("EXIF", 1, Extraction, IMAGE),
            Operator::MediaMeta => ("MediaMeta", 1, Extraction, &["audio", "video"]),
            Operator::ExtractDocumentText => ("ExtractDocumentText", 1, Extraction, &["archive", "document", "other"]),
            Operator::ReGeo => ("ReGEO", 1, Table, &[]),
            Operator::FaceDetection => ("FaceDetection", 2, Model, &["image", "video"]),
            Operator::LabelClassification => ("LabelClassification", 1, Pixels, &["image", "video"]),
            Operator::ImageScoring => ("ImageScoring", 1, Pixels, IMAGE),
            Operator::ExtractImageEmbeddings => ("ExtractImageEmbeddings", 1, Model, IMAGE),
            Operator::ImageHash => ("ImageHash", 1, Pixels, IMAGE),
            Operator::ImagePlaceholder => ("ImagePlaceholder", 1, Pixels, IMAGE),
            Operator::ImageTexts => ("ImageTexts", 1, Model, IMAGE),
        };
        let needs = (self == Operator::ReGeo).then_some(field::LAT_LONG);
        Card { name, version, cost, media, needs, gives: self.gives() }
    }

    fn gives(self) -> &'static [FieldId] {
        match self {
            Operator::OssMeta => &OSS_META,
            Operator::Mime => &[field::CONTENT_TYPE, field::MEDIA_TYPE],
            Operator::Exif | Operator::MediaMeta | Operator::ExtractDocumentText => &[],
            Operator::ReGeo => &[field::ADDRESSES, field::TIMEZONE],
            Operator::FaceDetection => &[field::FIGURES, field::FIGURE_COUNT, field::FACE_EMBEDDINGS],
            Operator::LabelClassification => &[field::LABELS, field::SCENE_ELEMENTS],
            Operator::ImageScoring => &[field::IMAGE_SCORE],
            Operator::ExtractImageEmbeddings => &[field::IMAGE_EMBEDDING],
            Operator::ImageHash => &[field::IMAGE_HASH],
            Operator::ImagePlaceholder => &[field::IMAGE_PLACEHOLDER],
            Operator::ImageTexts => &[field::OCR_CONTENTS, field::OCR_TEXTS],
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.card().name
    }

    /// The operator of a name; case does not matter.
    pub fn parse(name: &str) -> Result<Operator> {
        let found = Operator::ALL.into_iter().find(|o| o.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names: Vec<&str> = Operator::ALL.iter().map(|o| o.name()).collect();
            Error::invalid(format!("operator: expected one of {}, got {name:?}", names.join(", ")))
        })
    }

    /// Whether it runs on files of that `MediaType`.
    pub fn runs_on(self, media: &str) -> bool {
        let card = self.card();
        card.media.is_empty() || card.media.contains(&media)
    }

    /// Whether it runs on files of that `MediaType` after their documents are stored, because it may take minutes.
    pub fn runs_later(self, media: &str) -> bool {
        matches!(self, Operator::LabelClassification | Operator::FaceDetection) && media == "video"
    }

    /// Whether it looks at pixels.
    pub fn sees(self) -> bool {
        self.card().cost >= Cost::Pixels
    }
}

/// What a store says of a file (fields.md 2).
static OSS_META: [FieldId; 7] = [
    field::FILENAME,
    field::SIZE,
    field::FILE_HASH,
    field::FILE_MODIFIED_TIME,
    field::ETAG,
    field::CONTENT_MD5,
    field::OSS_CRC64,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for operator in Operator::ALL {
            assert_eq!(Operator::parse(&operator.name().to_lowercase()).unwrap(), operator);
        }
        assert!(Operator::parse("Telepathy").unwrap_err().message().contains("LabelClassification"));
    }

    #[test]
    fn media_and_costs() {
        assert!(Operator::Mime.runs_on("video") && Operator::Exif.runs_on("image") && !Operator::Exif.runs_on("video"));
        assert!(Operator::ImageHash.sees() && !Operator::ReGeo.sees());
    }
}
