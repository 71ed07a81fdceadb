//! Keywords to `Labels`: what a person said that a file shows.
//!
//! One vocabulary counts, the first that has any: a picture's keywords stand in up to three, and IPTC's copy is cut to 64
//! bytes. Such a label has a name and, where a tree of keywords says so, a parent; it has no confidence, which tells it
//! from the labels of a model.

use super::facts::{Datum, Facts, Group};
use crate::model::{Members, field};

/// Where keywords stand, best first, and what separates several in one text.
static SOURCES: &[(Group, &str, Option<char>)] = &[
    (Group::Xmp, "dc:subject", None),
    (Group::Iptc, "Keywords", None),
    (Group::Exif, "XPKeywords", Some(';')),
    (Group::Xmp, "MicrosoftPhoto:LastKeywordXMP", None),
    (Group::Document, "Keywords", None),
];

/// Where paths of keywords stand (`Places|Europe|Oslo`), and what separates their steps.
static TREES: &[(&str, char)] = &[("lr:hierarchicalSubject", '|'), ("digiKam:TagsList", '/')];

/// Labels of one file, at most; the text cap bounds each.
const MOST: usize = 256;

/// Keywords of one vocabulary that are looked at: each is compared with those before it.
const WORDS: usize = 4 * MOST;

/// The labels that the facts support, in the order of the file.
pub(super) fn labels(facts: &Facts) -> Vec<Members> {
    let mut found: Vec<(&str, Option<&str>)> = Vec::new();
    for (group, tag, separator) in SOURCES {
        let texts = texts(facts, *group, tag);
        let words = texts.flat_map(|text| text.split(|c| Some(c) == *separator));
        words.take(WORDS).for_each(|word| keep(&mut found, word.trim(), None));
        if !found.is_empty() {
            break;
        }
    }
    for (tag, separator) in TREES {
        for path in texts(facts, Group::Xmp, tag) {
            let mut steps = path.rsplit(*separator).map(str::trim);
            let leaf = steps.next().unwrap_or("");
            keep(&mut found, leaf, steps.next().filter(|parent| !parent.is_empty()));
        }
    }
    found.into_iter().map(label).collect()
}

fn texts<'f>(facts: &'f Facts, group: Group, tag: &'static str) -> impl Iterator<Item = &'f str> {
    facts.facts.iter().filter(move |fact| fact.group == group && fact.tag == tag).filter_map(|fact| match &fact.value {
        Datum::Text(text) => Some(&**text),
        _ => None,
    })
}

/// Adds a label, or to one that is there its parent.
fn keep<'f>(found: &mut Vec<(&'f str, Option<&'f str>)>, name: &'f str, parent: Option<&'f str>) {
    if let Some((_, slot)) = found.iter_mut().find(|(of, _)| *of == name) {
        *slot = slot.or(parent);
    } else if !name.is_empty() && found.len() < MOST {
        found.push((name, parent));
    }
}

fn label((name, parent): (&str, Option<&str>)) -> Members {
    let mut label = Members::new();
    label.set(field::LABEL_NAME, name);
    if let Some(parent) = parent {
        label.set(field::PARENT_LABEL_NAME, parent);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn shown(all: &[(Group, &'static str, &str)]) -> Vec<String> {
        let mut facts = Facts::new(&Limits::default());
        all.iter().for_each(|(group, tag, text)| facts.add("t", *group, *tag, 0, *text));
        let text = |label: &Members, id| label.text(id).unwrap_or("-").to_owned();
        let show = |label: &Members| text(label, field::LABEL_NAME) + "<" + &text(label, field::PARENT_LABEL_NAME);
        labels(&facts).iter().map(show).collect()
    }

    #[test]
    fn one_vocabulary_counts_and_trees_add_parents() {
        let iptc = (Group::Iptc, "Keywords", "cut of");
        let subject = |text| (Group::Xmp, "dc:subject", text);
        let tree = (Group::Xmp, "lr:hierarchicalSubject", "Places|Europe|Oslo");
        assert_eq!(shown(&[iptc, subject("Oslo"), subject("sea"), subject("Oslo")]), ["Oslo<-", "sea<-"]);
        assert_eq!(shown(&[subject("Oslo"), tree]), ["Oslo<Europe"]);
        assert_eq!(shown(&[iptc, (Group::Xmp, "digiKam:TagsList", "Fjord")]), ["cut of<-", "Fjord<-"]);
        assert_eq!(shown(&[(Group::Exif, "XPKeywords", "a; b;;a")]), ["a<-", "b<-"]);
        assert_eq!(shown(&[]), Vec::<String>::new());
    }
}
