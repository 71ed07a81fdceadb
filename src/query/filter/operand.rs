//! Operands to slots: what a comparison selects among the values of a column.

use super::scan::Slots;
use crate::error::Result;
use crate::index::text::{fold, is_cjk, words};
use crate::index::{Arena, ColumnId, NumberColumn, Segment, order_bits};
use crate::model::query::{Comparison, Number, Test};
use crate::model::{Anchor, Kind, Value};
use crate::query::guard::Context;
use std::borrow::Cow;

/// Text without case (Unicode Standard, section 3.13, toCasefold).
pub(crate) fn fold_case(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    Cow::Owned(caseless::default_case_fold_str(text))
}

/// The tokens of folded text: words, and each CJK character by itself.
pub(crate) fn tokens(folded: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for word in words(folded) {
        if !word.chars().next().is_some_and(is_cjk) {
            found.push(word);
            continue;
        }
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            let (head, tail) = rest.split_at_checked(c.len_utf8()).unwrap_or((rest, ""));
            found.push(head);
            rest = tail;
        }
    }
    found
}

/// Whether the tokens occur in `text` next to each other and in this order. No tokens occur nowhere.
pub(crate) fn has_phrase(text: &str, phrase: &[&str]) -> bool {
    let folded = fold(text);
    !phrase.is_empty() && tokens(&folded).windows(phrase.len()).any(|window| window == phrase)
}

/// Whether a string fulfils a test; `case` is false where case does not count.
pub(crate) fn holds(test: &Test, value: &[u8], case: bool) -> bool {
    let text = String::from_utf8_lossy(value);
    let fair = |text: &str| if case { text.to_owned() } else { fold_case(text).into_owned() };
    match test {
        Test::Exists => true,
        Test::Text(comparison, operand) if case => comparison.holds(value.cmp(operand.as_bytes())),
        Test::Text(comparison, operand) => comparison.holds(fair(&text).cmp(&fair(operand))),
        Test::Prefix(operand) if case => value.starts_with(operand.as_bytes()),
        Test::Prefix(operand) => fair(&text).starts_with(&fair(operand)),
        Test::Phrase(operand) => has_phrase(&text, &tokens(&fold(operand))),
        Test::Number(..) | Test::Time(..) | Test::Within(_) => false,
    }
}

/// Whether one of the strings of a set fulfils a test.
pub(crate) fn set_holds(test: &Test, set: &str) -> bool {
    Value::strings(set).any(|string| holds(test, string.as_bytes(), true))
}

/// The slots of the sets in a dictionary of which one string fulfils a test.
fn in_sets(
    segment: &Segment,
    column: ColumnId,
    values: Arena<'_>,
    test: &Test,
    context: &Context<'_>,
) -> Result<Slots> {
    let fits = |value: &[u8]| set_holds(test, &String::from_utf8_lossy(value));
    // The sets that contain the string as a part, of which few have it as a part only.
    if let Test::Text(Comparison::Eq, operand) = test
        && !operand.is_empty()
    {
        let found = segment.values(column, values)?;
        let found = found.containing(operand, Anchor::None, 0..values.len(), None, &mut || context.tick())?;
        let mut visit = values.visit();
        let kept = found.into_iter().filter(|ordinal| fits(visit.unit(*ordinal as usize)));
        return Ok(Slots::List(kept.map(|ordinal| u64::from(ordinal) + 1).collect()));
    }
    let mut list = Vec::new();
    for (ordinal, value) in values.units(0..values.len()).enumerate() {
        if ordinal.is_multiple_of(1024) {
            context.tick()?;
        }
        if fits(value) {
            list.push(ordinal as u64 + 1);
        }
    }
    Ok(Slots::List(list))
}

/// The slots (ordinal + 1) of the values in a sorted dictionary that fulfil a test.
pub(crate) fn in_dictionary(
    segment: &Segment,
    column: ColumnId,
    values: Arena<'_>,
    folded: Arena<'_>,
    test: &Test,
    case: bool,
    context: &Context<'_>,
) -> Result<Slots> {
    if column.field.field().kind == Kind::Set {
        return in_sets(segment, column, values, test, context);
    }
    let all = values.len() as u64;
    match test {
        Test::Exists => Ok(Slots::Range(1, all)),
        Test::Text(comparison, operand) if case => Ok(compared(values, *comparison, operand.as_bytes())),
        Test::Prefix(operand) if case => Ok(beginning(values, operand.as_bytes())),
        Test::Phrase(operand) => {
            let operand = fold(operand);
            let phrase = tokens(&operand);
            let Some(longest) = phrase.iter().max_by_key(|token| token.len()) else { return Ok(Slots::NONE) };
            let found = segment.values(column, folded)?;
            let found = found.containing(longest, Anchor::None, 0..folded.len(), None, &mut || context.tick())?;
            let mut visit = folded.visit();
            let fits = |ordinal: &u32| has_phrase(&String::from_utf8_lossy(visit.unit(*ordinal as usize)), &phrase);
            Ok(Slots::List(found.into_iter().filter(fits).map(|ordinal| u64::from(ordinal) + 1).collect()))
        }
        // Folding keeps apart what case folding keeps apart, where it ends in ASCII: it narrows to a few values.
        Test::Text(Comparison::Eq, operand) if operand.is_ascii() && !operand.is_empty() => {
            let found = segment.values(column, folded)?;
            let found =
                found.containing(&fold(operand), Anchor::Whole, 0..folded.len(), None, &mut || context.tick())?;
            let mut visit = values.visit();
            let fits = |ordinal: &u32| holds(test, visit.unit(*ordinal as usize), case);
            Ok(Slots::List(found.into_iter().filter(fits).map(|ordinal| u64::from(ordinal) + 1).collect()))
        }
        _ => {
            let mut list = Vec::new();
            for (ordinal, value) in values.units(0..values.len()).enumerate() {
                if ordinal.is_multiple_of(1024) {
                    context.tick()?;
                }
                if holds(test, value, case) {
                    list.push(ordinal as u64 + 1);
                }
            }
            Ok(Slots::List(list))
        }
    }
}

fn compared(values: Arena<'_>, comparison: Comparison, operand: &[u8]) -> Slots {
    let (below, equal) = match values.search_sorted(operand) {
        Ok(at) => (at as u64, 1),
        Err(at) => (at as u64, 0),
    };
    from_counts(comparison, below, equal, values.len() as u64)
}

/// Slots by how many values are below the operand, how many equal it, and how many there are.
fn from_counts(comparison: Comparison, below: u64, equal: u64, all: u64) -> Slots {
    // The slots after the first `skipped`; slots go up to the largest u64.
    let after = |skipped: u64, last: u64| if skipped < last { Slots::Range(skipped + 1, last) } else { Slots::NONE };
    match comparison {
        Comparison::Eq => after(below, below + equal),
        Comparison::Gt => after(below + equal, all),
        Comparison::Gte => after(below, all),
        Comparison::Lt => after(0, below),
        Comparison::Lte => after(0, below + equal),
    }
}

fn beginning(values: Arena<'_>, prefix: &[u8]) -> Slots {
    let first = values.search_sorted(prefix).unwrap_or_else(|at| at) as u64;
    let end = match successor(prefix) {
        Some(next) => values.search_sorted(&next).unwrap_or_else(|at| at),
        None => values.len(),
    };
    Slots::Range(first + 1, end as u64)
}

/// The smallest string greater than all strings that begin with `prefix`; `None` if there is none.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if last < u8::MAX {
            next.push(last + 1);
            return Some(next);
        }
    }
    None
}

/// The slots of the values in a numeric column that fulfil a test. `whole`: values are integers or instants.
pub(crate) fn in_numbers(column: &NumberColumn<'_>, test: &Test, whole: bool) -> Slots {
    let all = column.max_slot();
    match test {
        Test::Exists => Slots::Range(1, all),
        Test::Time(comparison, time) => slots_at(column, *comparison, time.0),
        Test::Number(comparison, Number::Int(int)) if whole => slots_at(column, *comparison, *int),
        Test::Number(comparison, Number::Float(float)) if whole => whole_bound(column, *comparison, *float),
        Test::Number(comparison, Number::Float(float)) => float_bound(column, *comparison, *float),
        Test::Number(comparison, Number::Int(int)) => {
            let float = *int as f64;
            match (float as i128).cmp(&i128::from(*int)) {
                std::cmp::Ordering::Equal => float_bound(column, *comparison, float),
                // No float lies between the integer and its rounded form.
                rounded => between(column, *comparison, float, rounded.is_gt()),
            }
        }
        Test::Text(..) | Test::Prefix(_) | Test::Phrase(_) | Test::Within(_) => Slots::NONE,
    }
}

fn slots_at(column: &NumberColumn<'_>, comparison: Comparison, order: i64) -> Slots {
    let (at_most, equal) = column.slot_at_most(order);
    let equal = u64::from(equal);
    from_counts(comparison, at_most - equal, equal, column.max_slot())
}

/// Integers against a number that need not be one.
fn whole_bound(column: &NumberColumn<'_>, comparison: Comparison, float: f64) -> Slots {
    let floor = float.floor();
    // 2^63: the first float past all integers of 64 bits.
    if floor.abs() < 9_223_372_036_854_775_808.0 {
        if floor == float {
            return slots_at(column, comparison, floor as i64);
        }
        return gap(comparison, column.slot_at_most(floor as i64).0, column.max_slot());
    }
    gap(comparison, if float > 0.0 { column.max_slot() } else { 0 }, column.max_slot())
}

/// Floats against an integer that is no float: the operand lies next to `near`, below it or above it.
fn between(column: &NumberColumn<'_>, comparison: Comparison, near: f64, below: bool) -> Slots {
    let (at_most, equal) = column.slot_at_most(order_bits(near));
    gap(comparison, if below { at_most - u64::from(equal) } else { at_most }, column.max_slot())
}

/// Slots for an operand between two values: the first `below` are less.
fn gap(comparison: Comparison, below: u64, all: u64) -> Slots {
    from_counts(comparison, below, 0, all)
}

/// Floats against a float; the two zeros are equal.
fn float_bound(column: &NumberColumn<'_>, comparison: Comparison, float: f64) -> Slots {
    let (low, high) = if float == 0.0 { (-0.0, 0.0) } else { (float, float) };
    let (below, is_low) = column.slot_at_most(order_bits(low));
    let below = below - u64::from(is_low);
    let up_to = column.slot_at_most(order_bits(high)).0;
    from_counts(comparison, below, up_to - below, column.max_slot())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_tokens_next_to_each_other() {
        let phrase = |text: &str, phrase: &str| has_phrase(text, &tokens(&fold(phrase)));
        assert!(phrase("The North-Sea wind", "north sea"));
        assert!(!phrase("north and sea", "north sea"));
        assert!(!phrase("northern sea", "north sea"));
        assert!(phrase("\u{6771}\u{4eac}\u{30bf}\u{30ef}\u{30fc}", "\u{4eac}\u{30bf}"));
        assert!(phrase("\u{c9}T\u{c9} 2024", "ete"));
        assert!(!phrase("anything", "?!"));
    }

    #[test]
    fn successors_bound_prefixes() {
        assert_eq!(successor(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(successor(b"a\xFF"), Some(b"b".to_vec()));
        assert_eq!(successor(b"\xFF"), None);
        assert_eq!(successor(b""), None);
    }
}
