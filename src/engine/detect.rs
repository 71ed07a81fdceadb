//! What operators tell of one file at an address, without storing anything.

use super::indexer::Indexer;
use super::reading::handle;
pub use crate::analyze::{Cropping, Ratio};
use crate::analyze::{LONGEST, LONGEST_FOR_TEXT, Picture, label};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{File, Members, Value, field};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a detection is to tell of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection {
    /// `Labels` that are at least so sure, 0 to 1.
    Labels(f64),
    /// `ImageScore`.
    Score,
    /// `OCRContents` and `OCRTexts`.
    Texts,
    /// `Figures`.
    Faces,
}

impl Indexer {
    /// What an operator tells of the picture at an address, as members of a document. [`ErrorKind::NotFound`] where nothing is
    /// installed that could tell.
    pub fn detect_image(&self, uri: &str, detection: &Detection) -> Result<File> {
        let longest = if *detection == Detection::Texts { LONGEST_FOR_TEXT } else { LONGEST };
        let analyzer = self.engine().analyzer();
        match detection {
            Detection::Texts => drop(analyzer.tesseract()?),
            Detection::Labels(_) | Detection::Score | Detection::Faces => {}
        }
        let budget = analyzer.budget();
        let mut members = Members::new();
        self.seen(uri, longest, |picture| {
            match detection {
                Detection::Labels(threshold) => {
                    let mut labels = analyzer.labels(picture, &budget)?;
                    labels.retain(|l| f64::from(l.confidence) >= *threshold);
                    members.set(field::LABELS, label::to_value(&labels));
                }
                Detection::Score => {
                    let mut score = Members::new();
                    score.set(field::OVERALL_QUALITY_SCORE, analyzer.score(picture));
                    members.set(field::IMAGE_SCORE, Value::Object(score));
                }
                Detection::Texts => {
                    let texts = analyzer.texts(picture, &budget)?;
                    members.set(field::OCR_CONTENTS, Value::Rows(texts.contents));
                    members.set(field::OCR_TEXTS, texts.text);
                }
                Detection::Faces => members.set(field::FIGURES, Value::Rows(analyzer.faces(picture, &budget)?.figures)),
            }
            Ok(())
        })?;
        Ok(File::from_members(members))
    }

    /// Windows of these proportions that keep what stands out of the picture at an address; the best of the common ones where
    /// none are given.
    pub fn detect_croppings(&self, uri: &str, ratios: &[Ratio]) -> Result<Vec<Cropping>> {
        let analyzer = self.engine().analyzer();
        self.seen(uri, LONGEST, |picture| analyzer.croppings(picture, ratios, &analyzer.budget()))
    }

    /// Decodes the picture at an address, where files are read, and looks at it. A defect costs the call, not its thread.
    fn seen<T>(&self, uri: &str, longest: u32, look: impl FnOnce(&Picture) -> Result<T>) -> Result<T> {
        let file = self.buckets().open(uri)?;
        let budget = self.engine().analyzer().budget();
        let picture = self.engine().handle.inner.extractor.picture(handle(&file), uri, longest, &budget)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| look(&picture)));
        outcome.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "the operator panicked on the picture")))
    }
}
