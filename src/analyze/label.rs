//! Labels of a picture or frame, and who gives them.

use super::{Budget, Pixels, colour, light, medium};
use crate::error::Result;
use crate::model::{Members, Value, field};
use std::sync::Arc;

/// What a picture shows, in the words of one labeler.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// `LabelName`.
    pub name: String,
    /// `ParentLabelName`: the label one level up; empty at level 1.
    pub parent: String,
    /// `LabelLevel`, 1 (widest) to 3.
    pub level: u8,
    /// `LabelConfidence`, 0 to 1.
    pub confidence: f32,
    /// `CentricScore`, 0 to 1: how much of it lies in the middle; `None` where that has no meaning.
    pub centric: Option<f32>,
    /// `LabelAlias`, may be empty.
    pub alias: String,
    /// `Language` of the name, BCP 47.
    pub language: String,
}

impl Label {
    /// An English label without alias. The confidence is kept within 0 and 1.
    pub fn new(level: u8, name: &str, parent: &str, confidence: f32) -> Label {
        let confidence = if confidence.is_nan() { 0.0 } else { confidence.clamp(0.0, 1.0) };
        let (alias, language) = (String::new(), "en".to_owned());
        Label { name: name.to_owned(), parent: parent.to_owned(), level, confidence, centric: None, alias, language }
    }

    /// The same label with a `CentricScore`.
    #[must_use]
    pub fn centred(mut self, centric: f32) -> Label {
        self.centric = Some(centric.clamp(0.0, 1.0));
        self
    }

    /// The members of one element of `Labels`; scores are rounded to four digits.
    pub fn to_members(&self) -> Members {
        let mut members = Members::new();
        members.set(field::LABEL_NAME, self.name.as_str());
        members.set(field::PARENT_LABEL_NAME, self.parent.as_str());
        members.set(field::LABEL_LEVEL, i64::from(self.level));
        members.set(field::LABEL_CONFIDENCE, rounded(self.confidence));
        if let Some(centric) = self.centric {
            members.set(field::LABEL_CENTRIC_SCORE, rounded(centric));
        }
        members.set(field::LABEL_ALIAS, self.alias.as_str());
        members.set(field::LABEL_LANGUAGE, self.language.as_str());
        members
    }
}

/// The value of `Labels`.
pub fn to_value(labels: &[Label]) -> Value {
    Value::Rows(labels.iter().map(Label::to_members).collect())
}

/// A score with four digits: more would claim a precision that no score has.
pub(super) fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e4).round() / 1e4
}

/// Gives labels to decoded pixels: the same for the same pixels, whoever calls it and when.
pub trait Labeler: Send + Sync {
    /// Name in errors and logs.
    fn name(&self) -> &str;

    /// The labels of one picture or frame, parents before their children. Fails when the budget is spent.
    fn labels(&self, pixels: &Pixels, budget: &Budget) -> Result<Vec<Label>>;
}

/// The labelers that the operator `LabelClassification` runs, in order. Clones share them.
#[derive(Clone)]
pub struct Labelers {
    all: Vec<Arc<dyn Labeler>>,
}

impl Labelers {
    /// Those that need no model: colours, light and medium.
    pub fn built_in() -> Labelers {
        Labelers { all: vec![Arc::new(colour::Colours), Arc::new(light::Light), Arc::new(medium::Medium)] }
    }

    /// The same and one more behind them.
    #[must_use]
    pub fn with(mut self, labeler: Arc<dyn Labeler>) -> Labelers {
        self.all.push(labeler);
        self
    }

    /// The labels of all: the widest levels first, the surest of one level first; of equal names under one parent the
    /// surest. The picture is shrunk to [`Labelers::LONGEST`] first, so that frames of any size cost alike.
    pub fn labels(&self, pixels: &Pixels, budget: &Budget) -> Result<Vec<Label>> {
        let small = pixels.shrunk(Labelers::LONGEST);
        let mut labels = Vec::new();
        for labeler in &self.all {
            budget.check(labeler.name())?;
            labels.extend(labeler.labels(&small, budget)?);
        }
        labels.sort_by(|a: &Label, b| a.level.cmp(&b.level).then(b.confidence.total_cmp(&a.confidence)));
        let mut kept: Vec<Label> = Vec::with_capacity(labels.len());
        for label in labels {
            if !kept.iter().any(|k| k.name == label.name && k.parent == label.parent) {
                kept.push(label);
            }
        }
        Ok(kept)
    }

    /// Longer side, in pixels, of what labelers see.
    pub const LONGEST: u32 = 512;
}

impl std::fmt::Debug for Labelers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all.iter().map(|labeler| labeler.name())).finish()
    }
}

/// The first level of every built-in label.
pub(super) const ROOT: &str = "Appearance";
/// Labels that are less sure than this are left out.
pub(super) const LEAST: f32 = 0.1;

/// The tree of one group's leaves: root, group, and the leaves that are sure enough. The group is as sure as its surest leaf.
pub(super) fn tree(group: &str, leaves: Vec<Label>) -> Vec<Label> {
    let leaves: Vec<Label> = leaves.into_iter().filter(|leaf| leaf.confidence >= LEAST).collect();
    let Some(surest) = leaves.iter().map(|leaf| leaf.confidence).max_by(f32::total_cmp) else { return Vec::new() };
    let above = [Label::new(1, ROOT, "", 1.0), Label::new(2, group, ROOT, surest)];
    above.into_iter().chain(leaves).collect()
}

/// 0 at `from` and before it, 1 at `to` and beyond, straight between; `from` may be the larger one.
pub(super) fn ramp(value: f32, from: f32, to: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::tried;

    #[test]
    fn labels_of_all_are_merged() {
        let labels = Labelers::built_in().labels(&tried::plain(40, 30, [0, 0, 220]), &Budget::default()).unwrap();
        let shown: Vec<(u8, &str, &str)> =
            labels.iter().map(|l| (l.level, l.parent.as_str(), l.name.as_str())).collect();
        assert_eq!(shown.iter().filter(|l| **l == (1, "", "Appearance")).count(), 1, "{shown:?}");
        assert!(shown.contains(&(2, "Appearance", "Colour")) && shown.contains(&(3, "Colour", "Blue")), "{shown:?}");
        assert!(labels.is_sorted_by_key(|l| l.level));
        assert!(labels.iter().all(|l| (0.0..=1.0).contains(&l.confidence)));
    }

    #[test]
    fn time_that_is_over_is_an_error() {
        let over = Budget::new(std::time::Duration::ZERO, 1 << 20);
        assert!(Labelers::built_in().labels(&tried::plain(4, 4, [1, 2, 3]), &over).is_err());
    }

    #[test]
    fn members_fit_the_registry() {
        let label = Label::new(3, "Blue", "Colour", 0.123_456).centred(2.0);
        let file = crate::model::File::new("oss://b/k").with(field::LABELS, to_value(&[label]));
        file.validate().unwrap();
        let json = file.to_json();
        assert!(json.contains("\"LabelConfidence\":0.1235") && json.contains("\"CentricScore\":1"), "{json}");
    }
}
