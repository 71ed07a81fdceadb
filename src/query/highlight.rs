//! Where a query matches in a file: fields and byte ranges of their values, for people's eyes.
//!
//! The query itself decides what matches; this finds the places again. Marked are the parts of texts (with typos, where
//! they count), and what `eq`, `prefix` and `match-phrase` ask of strings; what stands below `not` is not.

use super::filter::fold_case;
use super::text::{self, Part};
use super::traced::Traced;
use crate::index::Typo;
use crate::model::query::{Comparison, Test};
use crate::model::{
    Anchor, Condition, FieldId, FieldPath, File, Filter, KeyCase, Kind, Query, TextMatch, Typos, Value,
};
use std::ops::Range;

/// Most words and phrases of one query that are looked for; later ones are not marked.
pub const MAX_MARKED: usize = 100;

/// Where a query matches in one value of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Highlight {
    /// The field, with the key for entries of maps.
    pub field: FieldPath,
    /// For members of arrays, which element.
    pub element: Option<usize>,
    /// Byte ranges of the value as it is stored: in order, not empty, not touching each other.
    pub ranges: Vec<Range<usize>>,
}

impl Highlight {
    /// The value that the ranges are places of.
    pub fn value<'f>(&self, file: &'f File) -> Option<&'f str> {
        let is = |place: &Place<'_>| {
            place.id == self.field.id && place.key == self.field.key.as_deref() && place.element == self.element
        };
        places(file).into_iter().find(is).map(|place| place.text)
    }
}

/// The places in `file` where `query` matches, in the order of its fields.
pub fn highlight(file: &File, query: &Query) -> Vec<Highlight> {
    Highlighter::new(query).file(file)
}

/// A query, prepared to be found again in many files.
pub struct Highlighter {
    texts: Vec<Wanted>,
    conditions: Vec<Condition>,
}

/// A text with where it is looked for.
struct Wanted {
    parts: Vec<WantedPart>,
    search_in: Vec<FieldId>,
    anchor: Anchor,
    typos: Typos,
}

struct WantedPart {
    part: Part,
    /// Words with what is near them, where parts that do not say otherwise tolerate typos.
    words: Vec<(String, Option<Typo>)>,
}

/// One string of a file.
struct Place<'a> {
    id: FieldId,
    key: Option<&'a str>,
    element: Option<usize>,
    text: &'a str,
}

impl Highlighter {
    /// Prepares a query. What cannot be searched for is not marked.
    pub fn new(query: &Query) -> Highlighter {
        let mut highlighter = Highlighter { texts: Vec::new(), conditions: Vec::new() };
        let text = TextMatch { text: query.text.clone(), search_in: query.search_in.clone(), anchor: query.anchor };
        let mut left = MAX_MARKED;
        highlighter.want(&text, query.typos, &mut left);
        if let Some(filter) = &query.filter {
            highlighter.collect(filter, &mut left);
        }
        highlighter
    }

    fn want(&mut self, text: &TextMatch, typos: Typos, left: &mut usize) {
        let mut wanted = Vec::new();
        for part in text::parse(&text.text).unwrap_or_default() {
            let tolerant = part.tolerant_words(typos != Typos::Off);
            let cost = tolerant.len().max(1);
            if cost > *left {
                break;
            }
            *left -= cost;
            let near =
                |(word, distance): (&str, u8)| (word.to_owned(), (distance > 0).then(|| Typo::new(word, distance)));
            let words = tolerant.into_iter().map(near).collect();
            wanted.push(WantedPart { part, words });
        }
        let (search_in, anchor) = (text.search_in.clone(), text.anchor);
        self.texts.push(Wanted { parts: wanted, search_in, anchor, typos });
    }

    fn collect(&mut self, filter: &Filter, left: &mut usize) {
        match filter {
            Filter::And(of) | Filter::Or(of) | Filter::Nested(_, of) => {
                of.iter().for_each(|filter| self.collect(filter, left));
            }
            Filter::Not(_) => {}
            Filter::Is(condition) => self.conditions.push(condition.clone()),
            Filter::Text(text) => self.want(text, Typos::Off, left),
        }
    }

    /// The places in a file, in the order of its fields.
    pub fn file(&self, file: &File) -> Vec<Highlight> {
        let places = places(file);
        let traced: Vec<Traced<'_>> = places.iter().map(|place| Traced::folded(place.text)).collect();
        let mut ranges: Vec<Vec<Range<usize>>> = vec![Vec::new(); places.len()];
        for wanted in &self.texts {
            let searched: Vec<bool> = places.iter().map(|place| wanted.searches(place.id)).collect();
            wanted.find(&traced, &searched, &mut ranges);
        }
        for (place, ranges) in places.iter().zip(&mut ranges) {
            self.conditions.iter().for_each(|condition| ranges.extend(fulfilled(condition, place)));
        }
        let marked = places.into_iter().zip(ranges).filter(|(_, ranges)| !ranges.is_empty());
        let highlight = |(place, ranges): (Place<'_>, Vec<Range<usize>>)| Highlight {
            field: FieldPath { id: place.id, key: place.key.map(str::to_owned) },
            element: place.element,
            ranges: joined(ranges),
        };
        marked.map(highlight).collect()
    }

    /// Where the texts of the query occur in any string, as if it were a searched field.
    pub fn text(&self, text: &str) -> Vec<Range<usize>> {
        let traced = [Traced::folded(text)];
        let mut ranges = [Vec::new()];
        self.texts.iter().for_each(|wanted| wanted.find(&traced, &[true], &mut ranges));
        joined(ranges.into_iter().flatten().collect())
    }
}

impl Wanted {
    fn searches(&self, field: FieldId) -> bool {
        if self.search_in.is_empty() { field.field().searched } else { self.search_in.contains(&field) }
    }

    /// Adds the places of all parts. Only if some part is nowhere as written, typos count where they are a fall-back.
    fn find(&self, texts: &[Traced<'_>], searched: &[bool], ranges: &mut [Vec<Range<usize>>]) {
        let places = |part: &WantedPart, typos: bool| -> Vec<Vec<Range<usize>>> {
            let find = |(text, searched): (&Traced<'_>, &bool)| {
                if *searched { part.ranges(text, self.anchor, typos) } else { Vec::new() }
            };
            texts.iter().zip(searched).map(find).collect()
        };
        let missing = |part: &WantedPart| places(part, false).iter().all(Vec::is_empty);
        let typos = match self.typos {
            Typos::Off => false,
            Typos::Always => true,
            Typos::Fallback => self.parts.iter().any(missing),
        };
        for part in &self.parts {
            for (ranges, found) in ranges.iter_mut().zip(places(part, typos)) {
                ranges.extend(found);
            }
        }
    }
}

impl WantedPart {
    fn ranges(&self, text: &Traced<'_>, anchor: Anchor, typos: bool) -> Vec<Range<usize>> {
        if self.part.tolerant_words(typos).is_empty() {
            let end = text.folded.len();
            let stands = |r: &Range<usize>| (!anchor.at_start() || r.start == 0) && (!anchor.at_end() || r.end == end);
            let found = text.occurrences(&self.part.text).into_iter().filter(stands);
            return found.map(|range| text.original(&range)).collect();
        }
        let mut found = Vec::new();
        for (word, near) in &self.words {
            found.extend(text.occurrences(word).iter().map(|range| text.original(range)));
            let Some(near) = near else { continue };
            let close = |(_, word): &(Range<usize>, &str)| near.accepts(word.as_bytes());
            found.extend(text.words().into_iter().filter(close).map(|(range, _)| text.original(&range)));
        }
        found
    }
}

/// What a condition asks of this string, if it is the one and has it.
fn fulfilled(condition: &Condition, place: &Place<'_>) -> Vec<Range<usize>> {
    let (field, text) = (condition.field(), place.text);
    let case = if let Kind::Map(case) = field.id.field().kind { case } else { KeyCase::Sensitive };
    let keys = match (&field.key, place.key) {
        (Some(asked), Some(key)) => asked == key || (case != KeyCase::Sensitive && fold_case(asked) == fold_case(key)),
        (asked, key) => asked.is_none() && key.is_none(),
    };
    if field.id != place.id || !keys {
        return Vec::new();
    }
    let fair = |text| if case == KeyCase::Insensitive { Traced::caseless(text) } else { Traced::verbatim(text) };
    let value = fair(text);
    match condition.test() {
        Test::Text(Comparison::Eq, operand) => {
            (value.folded == fair(operand).folded).then_some(0..text.len()).into_iter().collect()
        }
        Test::Prefix(operand) => {
            let prefix = fair(operand).folded;
            let begins = value.folded.starts_with(&*prefix);
            begins.then(|| value.original(&(0..prefix.len()))).into_iter().collect()
        }
        Test::Phrase(operand) => phrases(text, operand),
        _ => Vec::new(),
    }
}

/// The places where the tokens of a phrase stand next to each other.
fn phrases(text: &str, phrase: &str) -> Vec<Range<usize>> {
    let phrase = Traced::folded(phrase);
    let wanted: Vec<&str> = phrase.tokens().into_iter().map(|(_, token)| token).collect();
    let traced = Traced::folded(text);
    if wanted.is_empty() {
        return Vec::new();
    }
    let tokens = traced.tokens();
    let fits = |window: &&[(Range<usize>, &str)]| window.iter().map(|(_, token)| token).eq(&wanted);
    let span = |window: &[(Range<usize>, &str)]| Some(window.first()?.0.start..window.last()?.0.end);
    tokens.windows(wanted.len()).filter(fits).filter_map(span).map(|range| traced.original(&range)).collect()
}

/// In order, empty ones left out, joined where they touch.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Every string of a file that a query can ask for.
fn places(file: &File) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    for (id, value) in file.members().iter() {
        match value {
            Value::Rows(rows) => {
                for (element, row) in rows.iter().enumerate() {
                    row.iter().for_each(|(id, value)| add_places(id, value, Some(element), &mut found));
                }
            }
            Value::Object(members) => members.iter().for_each(|(id, value)| add_places(id, value, None, &mut found)),
            _ => add_places(id, value, None, &mut found),
        }
    }
    found
}

fn add_places<'a>(id: FieldId, value: &'a Value, element: Option<usize>, found: &mut Vec<Place<'a>>) {
    match value {
        Value::Text(text) => found.push(Place { id, key: None, element, text }),
        Value::Map(pairs) => {
            found.extend(pairs.iter().map(|(key, text)| Place { id, key: Some(key), element, text }));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
