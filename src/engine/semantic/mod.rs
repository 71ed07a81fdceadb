//! SemanticQuery: what a sentence says of labels, time and place, all of which must hold (operations.md 5).
//!
//! Nothing is guessed: labels and places are those that the dataset has, found in the sentence wherever they stand as words (in
//! scripts without spaces anywhere), the longest first; times are years, months and days. The rest of the sentence is passed
//! over, and a sentence that names nothing the dataset knows finds nothing. Where model packs give points of pictures and sentences in one
//! space, pictures that show what the rest says are found as well.

mod pictured;

use super::dataset::Dataset;
use super::scenes;
use super::search::Answer;
use crate::error::{Error, Result};
use crate::index::text::fold;
use crate::model::query::{MAX_GROUPS, Operation};
use crate::model::{
    Aggregation, Condition, FieldId, FieldPath, Filter, Order, Page, Query, SortKey, TextMatch, Timestamp, field,
};
use crate::query::language;
use pictured::Pictured;

/// Longest sentence, in characters.
pub const MAX_SENTENCE: usize = 1000;
/// Names of one kind that a sentence may hold.
const MOST_NAMES: usize = 8;

/// Where places have their names.
const PLACES: [FieldId; 5] = [
    field::ADDRESS_COUNTRY,
    field::ADDRESS_PROVINCE,
    field::ADDRESS_CITY,
    field::ADDRESS_DISTRICT,
    field::ADDRESS_TOWNSHIP,
];

/// What a sentence was understood to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Values of `Labels.LabelName`.
    pub labels: Vec<String>,
    /// Names that `Addresses.AddressLine` contains.
    pub places: Vec<String>,
    /// A year, month or day of `ProduceTime`: `2023`, `2023-05`, `2023-05-01`.
    pub time: Option<String>,
}

impl Meaning {
    /// Whether nothing was understood.
    pub fn is_empty(&self) -> bool {
        *self == Meaning::default()
    }

    /// All of it as one filter.
    fn filter(&self, media: &[String]) -> Result<Filter> {
        let mut all = Vec::new();
        for label in &self.labels {
            all.push(Filter::Is(Condition::parse("Labels.LabelName", "eq", label)?));
        }
        for place in &self.places {
            let text = format!("\"{}\"", place.replace('"', " "));
            all.push(Filter::Text(TextMatch { text, search_in: vec![field::ADDRESS_LINE], ..TextMatch::default() }));
        }
        if let Some(time) = &self.time {
            all.extend(language::parse(&format!("taken:{time}"))?.into_filter());
        }
        let media = media.iter().map(|kind| Condition::parse("MediaType", "eq", kind).map(Filter::Is));
        let media = media.collect::<Result<Vec<Filter>>>()?;
        if !media.is_empty() {
            all.push(Filter::Or(media));
        }
        Ok(Filter::And(all))
    }
}

impl Dataset {
    /// What a sentence says that this dataset knows.
    pub fn meaning(&self, sentence: &str) -> Result<Meaning> {
        self.understood(sentence).map(|(meaning, _)| meaning)
    }

    /// What a sentence says of labels, time and place, and the sentence without time and place.
    fn understood(&self, sentence: &str) -> Result<(Meaning, String)> {
        let understood = || -> Result<(Meaning, String)> {
            let length = sentence.chars().count();
            if length > MAX_SENTENCE {
                return Err(Error::invalid(format!("Query: expected at most {MAX_SENTENCE} characters, got {length}")));
            }
            let mut rest = fold(sentence).into_owned();
            let time = take_time(&mut rest);
            let places = take_names(&mut rest, self.names(&PLACES)?);
            let shown = rest.replace('|', " ");
            let labels = take_names(&mut rest, self.names(&[field::LABEL_NAME])?);
            Ok((Meaning { labels, places, time }, shown.trim().to_owned()))
        };
        understood().map_err(|e| e.during("SemanticQuery"))
    }

    /// Files of these media (any where none is named) of which all holds that a sentence says: the newest first. A sentence that says nothing the
    /// dataset knows finds none. Where model packs read sentences, pictures come first that show what the rest of the sentence says, the nearest first, and
    /// nothing is counted. Of films `SceneElements` are the scenes that show its labels, together if there are such.
    pub fn semantic(&self, sentence: &str, media: &[String], page: Page, fields: &[FieldId]) -> Result<Answer> {
        let (meaning, rest) = self.understood(sentence)?;
        let analyzer = self.engine().analyzer();
        let point = if rest.is_empty() { None } else { analyzer.text_point(&rest, &analyzer.budget())? };
        if let Some(point) = point {
            let pictured = Pictured { dataset: self, meaning, media, point };
            return pictured.page(sentence, &page, fields).map_err(|e| e.during("SemanticQuery"));
        }
        let filter = if meaning.is_empty() { nothing()? } else { meaning.filter(media)? };
        let sort = vec![SortKey { field: FieldPath::from(field::PRODUCE_TIME), order: Order::Desc }];
        let query = Query { filter: Some(filter), sort, page, with_fields: fields.to_vec(), ..Query::default() };
        let mut answer = self.search_whole(&query)?;
        scenes::keep_labels(&meaning.labels, &mut answer.files);
        Ok(answer)
    }

    /// Whether a model pack reads sentences, so that pictures are found by what they show.
    pub fn reads_sentences(&self) -> Result<bool> {
        let analyzer = self.engine().analyzer();
        analyzer.text_point("", &analyzer.budget()).map(|point| point.is_some())
    }

    /// What a sentence says of labels, time and place, as a filter; one that no file fulfils where it says nothing the dataset knows.
    pub fn semantic_filter(&self, sentence: &str, media: &[String]) -> Result<Filter> {
        let meaning = self.meaning(sentence)?;
        if meaning.is_empty() { nothing() } else { meaning.filter(media) }
    }

    /// The values that the dataset has of these fields: of each the 2,000 that most files have.
    fn names(&self, fields: &[FieldId]) -> Result<Vec<String>> {
        let group = |id: &FieldId| Aggregation::new(FieldPath::from(*id), Operation::Group);
        let aggregations = fields.iter().map(group).collect::<Result<_>>()?;
        let page = Page { max_results: MAX_GROUPS, token: String::new() };
        let answer = self.search(&Query { aggregations, page, without_total: true, ..Query::default() })?;
        Ok(answer.aggregates.into_iter().flat_map(|a| a.groups).map(|g| g.value).filter(|v| !v.is_empty()).collect())
    }
}

/// A filter that no file fulfils: a size that is smaller and larger than nothing.
fn nothing() -> Result<Filter> {
    let size = |operator: &str| Condition::parse("Size", operator, "0").map(Filter::Is);
    Ok(Filter::And(vec![size("lt")?, size("gt")?]))
}

/// Takes the names out of a folded text that stand in it as words, the longest first.
fn take_names(text: &mut String, mut names: Vec<String>) -> Vec<String> {
    names.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    names.dedup();
    let mut taken = Vec::new();
    for name in names {
        if taken.len() == MOST_NAMES {
            break;
        }
        let folded = fold(&name).into_owned();
        if let Some(at) = find_words(text, &folded) {
            text.replace_range(at..at + folded.len(), " | ");
            taken.push(name);
        }
    }
    taken
}

/// Where a text has a name between borders of words; a border is where either side is no letter or digit, or is written without
/// spaces.
fn find_words(text: &str, name: &str) -> Option<usize> {
    let joins = |a: Option<char>, b: Option<char>| match (a, b) {
        (Some(a), Some(b)) => a.is_alphanumeric() && b.is_alphanumeric() && !unspaced(a) && !unspaced(b),
        _ => false,
    };
    let (first, last) = (name.chars().next(), name.chars().next_back());
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let (before, rest) = text.split_at(*at);
        let after = rest.get(name.len()..).and_then(|rest| rest.chars().next());
        !joins(before.chars().next_back(), first) && !joins(last, after)
    })
}

/// Characters of scripts that are written without spaces: Han, kana, Thai, Lao, Khmer, Burmese.
fn unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// Takes the first year out of a text, with its month and day where they stand beside it: `2023`, `2023-05-01`, `2023/5`,
/// `May 2023`, and the Chinese and Japanese form with characters for year, month and day.
fn take_time(text: &mut String) -> Option<String> {
    let digits = runs(text);
    let (at, year) = digits.iter().enumerate().find_map(|(at, run)| {
        let year: u32 = run.1.parse().ok().filter(|y| run.1.len() == 4 && (1900..2100).contains(y))?;
        Some((at, year))
    })?;
    let (start, _) = *digits.get(at)?;
    let mut end = start + 4;
    let mut time = year.to_string();
    for (position, largest) in [(1usize, 12u32), (2, 31)] {
        let Some((from, run)) = digits.get(at + position) else { break };
        let between = text.get(end..*from).unwrap_or("");
        let joined = matches!(between, "-" | "/" | "." | "\u{5e74}" | "\u{6708}");
        let Some(number) = run.parse::<u32>().ok().filter(|n| joined && run.len() <= 2 && (1..=largest).contains(n))
        else {
            break;
        };
        time.push_str(&format!("-{number:02}"));
        end = from + run.len();
    }
    if time.len() == 4
        && let Some((from, month)) = month_before(text, start)
    {
        time.push_str(&format!("-{month:02}"));
        text.replace_range(from..end, " | ");
        return valid(time);
    }
    text.replace_range(start..end, " | ");
    valid(time)
}

/// The time, without the day where that month has no such day.
fn valid(mut time: String) -> Option<String> {
    if time.len() == 10 && Timestamp::parse(&format!("{time}T00:00:00Z")).is_err() {
        time.truncate(7);
    }
    Some(time)
}

/// Runs of ASCII digits with their places.
fn runs(text: &str) -> Vec<(usize, String)> {
    let mut runs: Vec<(usize, String)> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        match runs.last_mut().filter(|(start, run)| start + run.len() == at) {
            Some((_, run)) => run.push(c),
            None => runs.push((at, c.to_string())),
        }
    }
    runs
}

/// An English month's name directly before a place.
fn month_before(text: &str, end: usize) -> Option<(usize, u32)> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let before = text.get(..end)?.trim_end_matches([' ', ',']);
    let start = before
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + before.get(at..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8));
    let word = before.get(start..)?;
    let number = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(word))?;
    Some((start, u32::try_from(number).ok()? + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> (Option<String>, String) {
        let mut rest = fold(text).into_owned();
        let found = take_time(&mut rest);
        (found, rest.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn times_are_taken_out() {
        for (text, expected, rest) in [
            ("2023 Hangzhou scenery", Some("2023"), "| hangzhou scenery"),
            ("beach in May 2023", Some("2023-05"), "beach in |"),
            ("2023-05-01 dog", Some("2023-05-01"), "| dog"),
            ("2023-02-31", Some("2023-02"), "|"),
            ("2023/7 sea", Some("2023-07"), "| sea"),
            ("2023\u{5e74}5\u{6708}1\u{65e5}", Some("2023-05-01"), "| \u{65e5}"),
            ("2023\u{676d}\u{5dde}", Some("2023"), "| \u{676d}\u{5dde}"),
            ("img 20230501", None, "img 20230501"),
            ("no time", None, "no time"),
        ] {
            assert_eq!(time(text), (expected.map(str::to_owned), rest.to_owned()), "{text}");
        }
    }

    #[test]
    fn names_stand_as_words() {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        let mut text = fold("a red car in New York at night").into_owned();
        assert_eq!(take_names(&mut text, names(&["York", "New York", "Car", "Ca", "Red"])), ["New York", "Car", "Red"]);
        let mut text = "2023\u{676d}\u{5dde}\u{98ce}\u{666f}".to_owned();
        assert_eq!(take_names(&mut text, names(&["\u{98ce}\u{666f}", "\u{676d}\u{5dde}"])).len(), 2);
        assert_eq!(find_words("scarf", "car"), None);
    }
}
