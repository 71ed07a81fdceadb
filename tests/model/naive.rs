//! The naive evaluator: folded containment and brute-force edit distance over every searched value of every document,
//! sorted by comparison of the documents themselves. It shares only folding, word splitting and the query grammar with
//! the engine; each of those has tests of its own.

use medialith::index::text::{fold, words};
use medialith::model::{Anchor, FieldId, FieldPath, File, Members, Order, Query, SortKey, Typos, Value, field};
use medialith::query::text::{Tolerance, parse};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Every searched string of a file, with its field.
fn values(file: &File) -> Vec<(FieldId, String)> {
    let mut found = Vec::new();
    collect(file.members(), &mut found);
    found
}

fn collect(members: &Members, found: &mut Vec<(FieldId, String)>) {
    for (id, value) in members.iter() {
        match value {
            Value::Text(text) if id.field().searched => found.push((id, fold(text).into_owned())),
            Value::Map(pairs) if id.field().searched => {
                found.extend(pairs.iter().map(|(_, v)| (id, fold(v).into_owned())));
            }
            Value::Rows(rows) => rows.iter().for_each(|row| collect(row, found)),
            Value::Object(object) => collect(object, found),
            _ => {}
        }
    }
}

fn levenshtein(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

/// Whether every part of a query's text occurs in a document.
pub(crate) fn text_matches(file: &File, query: &Query, typos: bool) -> bool {
    if query.text.is_empty() {
        return true;
    }
    let searched = |id: FieldId| query.search_in.is_empty() || query.search_in.contains(&id);
    let texts: Vec<String> = values(file).into_iter().filter(|(id, _)| searched(*id)).map(|(_, text)| text).collect();
    parse(&query.text).unwrap().iter().all(|part| {
        let distance = |word: &str| {
            let chars = word.chars().count();
            match part.tolerance {
                Tolerance::None => 0,
                Tolerance::Distance(d) => usize::from(d),
                Tolerance::ByLength if typos && chars >= 8 => 2,
                Tolerance::ByLength if typos && chars >= 4 => 1,
                Tolerance::ByLength => 0,
            }
        };
        let tolerant = words(&part.text).any(|word| distance(word) > 0);
        if !tolerant {
            return texts.iter().any(|text| match query.anchor {
                Anchor::None => text.contains(&part.text),
                Anchor::Start => text.starts_with(&part.text),
                Anchor::End => text.ends_with(&part.text),
                Anchor::Whole => *text == part.text,
            });
        }
        words(&part.text).all(|word| {
            let near = |text: &String| words(text).any(|w| levenshtein(w, word) <= distance(word));
            texts.iter().any(|text| text.contains(word) || (distance(word) > 0 && near(text)))
        })
    })
}

#[derive(Debug, PartialEq, PartialOrd, Clone)]
enum Sortable {
    Number(f64),
    Text(String),
}

fn sort_value(file: &File, path: &FieldPath) -> Option<Sortable> {
    let value = file.get(path.id)?;
    match (value, &path.key) {
        (Value::Map(pairs), Some(key)) => {
            let found = pairs.iter().find(|(k, _)| k.eq_ignore_ascii_case(key))?;
            Some(Sortable::Text(found.1.as_str().to_ascii_lowercase()))
        }
        (Value::Text(text), _) if path.id == field::PRODUCE_TIME => {
            Some(Sortable::Number(medialith::model::Timestamp::parse(text).unwrap().0 as f64))
        }
        (Value::Text(text), _) => Some(Sortable::Text(text.to_string())),
        (value, _) => value.as_float().map(Sortable::Number),
    }
}

pub(crate) fn compare(sort: &[SortKey], a: &File, b: &File) -> Ordering {
    for key in sort {
        let order = match (sort_value(a, &key.field), sort_value(b, &key.field)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(x), Some(y)) if key.order == Order::Asc => x.partial_cmp(&y).unwrap(),
            (Some(x), Some(y)) => y.partial_cmp(&x).unwrap(),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.uri().cmp(b.uri())
}

fn matches(file: &File, query: &Query, typos: bool) -> bool {
    text_matches(file, query, typos) && query.filter.as_ref().is_none_or(|filter| super::filters::fulfils(file, filter))
}

/// All matching URIs in order; with typos only where the query wants them, or nothing matches as written.
pub(crate) fn naive(files: &BTreeMap<String, File>, query: &Query) -> Vec<String> {
    let run = |typos: bool| {
        let mut found: Vec<&File> = files.values().filter(|f| matches(f, query, typos)).collect();
        found.sort_by(|a, b| compare(&query.sort, a, b));
        found.iter().map(|f| f.uri().to_owned()).collect::<Vec<_>>()
    };
    let found = run(query.typos == Typos::Always);
    if found.is_empty() && query.typos == Typos::Fallback && !query.text.is_empty() { run(true) } else { found }
}
