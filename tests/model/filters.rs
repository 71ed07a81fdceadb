//! The naive evaluator of filters and aggregations: straight from the documents, one at a time.
//!
//! It shares folding and word splitting with the engine, which have tests of their own; comparisons, geometry and sums
//! are made another way.

use medialith::index::text::{fold, is_cjk, words};
use medialith::model::query::{Calendar, Comparison, Number, Operation, Test};
use medialith::model::{
    Aggregation, Area, Condition, FieldId, FieldPath, File, Filter, KeyCase, Kind, LatLong, Members, Query, TextMatch,
    Timestamp, Typos, Value,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::naive::text_matches;

/// One value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum One {
    Text(String),
    Int(i64),
    Float(f64),
    Time(i64),
    Place(LatLong),
    /// There, but nothing to compare.
    Something,
}

/// Through capitals, so that sharp s and the like lose their case too.
fn caseless(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

fn one(id: FieldId, value: &Value) -> One {
    match (value, id.field().kind) {
        (Value::Text(text), Kind::Time) => One::Time(Timestamp::parse(text).unwrap().0),
        (Value::Text(text), Kind::Geo) => One::Place(LatLong::parse(text).unwrap()),
        (Value::Text(text), _) => One::Text(text.to_string()),
        (Value::Int(int), _) => One::Int(*int),
        (Value::Float(float), _) => One::Float(*float),
        _ => One::Something,
    }
}

/// All values of a field in a document: several for members of arrays.
pub(crate) fn values(file: &File, path: &FieldPath) -> Vec<One> {
    let field = path.id.field();
    if let (Kind::Map(case), Some(key)) = (field.kind, &path.key) {
        let Some(Value::Map(pairs)) = file.get(path.id) else { return vec![] };
        let same = |known: &str| match case {
            KeyCase::Sensitive => known == key,
            _ => caseless(known) == caseless(key),
        };
        let values = pairs.iter().filter(|(k, _)| same(k)).map(|(_, value)| match case {
            KeyCase::Insensitive => One::Text(caseless(value)),
            _ => One::Text(value.to_string()),
        });
        return values.collect();
    }
    let member = |members: &Members| members.get(path.id).filter(|v| !v.is_empty()).map(|v| one(path.id, v));
    match field.parent.and_then(|parent| file.get(parent)) {
        Some(Value::Rows(rows)) => rows.iter().filter_map(member).collect(),
        Some(Value::Object(object)) => member(object).into_iter().collect(),
        _ => member(file.members()).into_iter().collect(),
    }
}

fn pass(comparison: Comparison, order: Option<Ordering>) -> bool {
    matches!(
        (comparison, order),
        (Comparison::Eq | Comparison::Gte | Comparison::Lte, Some(Ordering::Equal))
            | (Comparison::Gt | Comparison::Gte, Some(Ordering::Greater))
            | (Comparison::Lt | Comparison::Lte, Some(Ordering::Less))
    )
}

/// Integers and floats of these tests are small: comparing them as floats is exact, except the largest integers.
fn number_order(value: &One, operand: Number) -> Option<Ordering> {
    match (value, operand) {
        (One::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
        (One::Int(a), Number::Float(b)) => {
            let whole = if b >= 1e19 {
                i128::MAX
            } else if b <= -1e19 {
                i128::MIN
            } else {
                b.floor() as i128
            };
            let order = i128::from(*a).cmp(&whole);
            Some(if order.is_eq() && b.fract() != 0.0 { Ordering::Less } else { order })
        }
        (One::Float(a), Number::Int(b)) => {
            let order = (*a).partial_cmp(&(b as f64))?;
            // The float nearest to the integer may be on either side of it.
            Some(if order.is_eq() { (b as f64 as i128).cmp(&i128::from(b)) } else { order })
        }
        (One::Float(a), Number::Float(b)) => a.partial_cmp(&b),
        _ => None,
    }
}

fn phrase_tokens(text: &str) -> Vec<String> {
    let folded = fold(text).into_owned();
    let mut tokens = Vec::new();
    for word in words(&folded) {
        if word.chars().all(is_cjk) {
            tokens.extend(word.chars().map(String::from));
        } else {
            tokens.push(word.to_owned());
        }
    }
    tokens
}

/// Angle between two places by the cross and dot products of their directions.
fn angle(a: LatLong, b: LatLong) -> f64 {
    let direction = |p: LatLong| {
        let (lat, lon) = (p.lat.to_radians(), p.lon.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let ([ax, ay, az], [bx, by, bz]) = (direction(a), direction(b));
    let cross = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
    let length = cross.iter().map(|x| x * x).sum::<f64>().sqrt();
    length.atan2(ax * bx + ay * by + az * bz)
}

/// Even-odd rule along the parallel, over the polygon unrolled to continuous longitudes. Not for polygons around a pole.
fn in_polygon(points: &[LatLong], place: LatLong) -> bool {
    let mut unrolled: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let mut lon = point.lon;
        if let Some((last, _)) = unrolled.last() {
            while lon - last > 180.0 {
                lon -= 360.0;
            }
            while lon - last < -180.0 {
                lon += 360.0;
            }
        }
        unrolled.push((lon, point.lat));
    }
    [-720.0, -360.0, 0.0, 360.0, 720.0].iter().any(|shift| {
        let (x, y) = (place.lon + shift, place.lat);
        let mut inside = false;
        for (i, &(x1, y1)) in unrolled.iter().enumerate() {
            let (x2, y2) = unrolled[(i + 1) % unrolled.len()];
            if (y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 {
                inside = !inside;
            }
        }
        inside
    })
}

fn within(area: &Area, place: LatLong) -> bool {
    match area {
        Area::Circle { centre, metres } => angle(*centre, place) * 6_371_008.8 <= *metres,
        Area::Box { north_west: nw, south_east: se } => {
            let east = |lon: f64| (lon - nw.lon).rem_euclid(360.0);
            let wide = if nw.lon <= se.lon { se.lon - nw.lon } else { east(se.lon) };
            place.lat <= nw.lat && place.lat >= se.lat && east(place.lon) <= wide
        }
        Area::Polygon(points) => in_polygon(points, place),
    }
}

fn passes(value: &One, condition: &Condition) -> bool {
    let insensitive = matches!(condition.field().id.field().kind, Kind::Map(KeyCase::Insensitive));
    let fair = |text: &String| if insensitive { caseless(text) } else { text.clone() };
    match (condition.test(), value) {
        (Test::Exists, _) => true,
        (Test::Text(comparison, operand), One::Text(text)) => pass(*comparison, Some(fair(text).cmp(&fair(operand)))),
        (Test::Prefix(operand), One::Text(text)) => fair(text).starts_with(&fair(operand)),
        (Test::Phrase(operand), One::Text(text)) => {
            let (text, phrase) = (phrase_tokens(text), phrase_tokens(operand));
            !phrase.is_empty() && (0..text.len()).any(|at| text[at..].starts_with(&phrase))
        }
        (Test::Number(comparison, operand), value) => pass(*comparison, number_order(value, *operand)),
        (Test::Time(comparison, operand), One::Time(time)) => pass(*comparison, Some(time.cmp(&operand.0))),
        (Test::Within(area), One::Place(place)) => within(area, *place),
        _ => false,
    }
}

/// Whether a document fulfils a filter.
pub(crate) fn fulfils(file: &File, filter: &Filter) -> bool {
    match filter {
        Filter::And(of) => of.iter().all(|f| fulfils(file, f)),
        Filter::Or(of) => of.iter().any(|f| fulfils(file, f)),
        Filter::Not(of) => !of.iter().any(|f| fulfils(file, f)),
        Filter::Nested(array, of) => match file.get(*array) {
            // A document with this one element alone fulfils all of them.
            Some(Value::Rows(rows)) => rows.iter().any(|row| {
                let alone = File::new("oss://b/k").with(*array, Value::Rows(vec![row.clone()]));
                of.iter().all(|f| fulfils(&alone, f))
            }),
            _ => false,
        },
        Filter::Is(condition) => values(file, condition.field()).iter().any(|value| passes(value, condition)),
        Filter::Text(TextMatch { text, search_in, anchor }) => {
            let (text, search_in, anchor) = (text.clone(), search_in.clone(), *anchor);
            text_matches(file, &Query { text, search_in, anchor, typos: Typos::Off, ..Query::default() }, false)
        }
    }
}

fn shown(value: &One) -> String {
    match value {
        One::Text(text) => text.clone(),
        One::Int(int) => int.to_string(),
        One::Float(float) => float.to_string(),
        One::Time(time) => Timestamp(*time).to_string(),
        One::Place(_) | One::Something => panic!("no groups of these"),
    }
}

fn start_of(time: i64, calendar: Calendar) -> String {
    let text = Timestamp(time.div_euclid(1_000_000_000) * 1_000_000_000).to_string();
    match calendar {
        Calendar::Year => format!("{}-01-01T00:00:00Z", &text[..4]),
        Calendar::Month => format!("{}-01T00:00:00Z", &text[..7]),
        Calendar::Day => format!("{}T00:00:00Z", &text[..10]),
        Calendar::Hour => format!("{}:00:00Z", &text[..13]),
    }
}

/// Value and groups of an aggregation over documents.
pub(crate) fn aggregate(files: &[&File], aggregation: &Aggregation, most: usize) -> (Option<f64>, Vec<(String, u64)>) {
    let each = || files.iter().map(|file| values(file, aggregation.field()));
    let numbers: Vec<f64> = each()
        .flatten()
        .filter_map(|v| match v {
            One::Int(int) => Some(int as f64),
            One::Float(float) => Some(float),
            _ => None,
        })
        .collect();
    let tally = |name: &dyn Fn(&One) -> String| {
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for values in each() {
            for group in values.iter().map(name).collect::<BTreeSet<_>>() {
                *groups.entry(group).or_insert(0) += 1;
            }
        }
        groups
    };
    match aggregation.operation() {
        Operation::Min => (numbers.iter().copied().reduce(f64::min), vec![]),
        Operation::Max => (numbers.iter().copied().reduce(f64::max), vec![]),
        Operation::Sum => (Some(numbers.iter().sum()), vec![]),
        Operation::Average => {
            ((!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64), vec![])
        }
        Operation::Count => (Some(each().filter(|values| !values.is_empty()).count() as f64), vec![]),
        Operation::Distinct => (Some(tally(&shown).len() as f64), vec![]),
        Operation::Group => {
            let mut groups: Vec<(String, u64)> = tally(&shown).into_iter().collect();
            groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            groups.truncate(most);
            (None, groups)
        }
        Operation::Histogram(calendar) => {
            let start = |value: &One| match value {
                One::Time(time) => start_of(*time, *calendar),
                _ => panic!("a time"),
            };
            (None, tally(&start).into_iter().collect())
        }
        Operation::Ranges(bounds) => {
            let at = |value: &One| match value {
                One::Int(int) => bounds.iter().filter(|b| **b <= *int as f64).count(),
                One::Float(float) => bounds.iter().filter(|b| **b <= *float).count(),
                _ => panic!("a number"),
            };
            let name = |at: usize| {
                let bound =
                    |at: Option<usize>| at.and_then(|at| bounds.get(at)).map(f64::to_string).unwrap_or_default();
                format!("{}..{}", bound(at.checked_sub(1)), bound(Some(at)))
            };
            let counted = tally(&|value| at(value).to_string());
            let count = |at: usize| counted.get(&at.to_string()).copied().unwrap_or(0);
            (None, (0..=bounds.len()).map(|at| (name(at), count(at))).collect())
        }
    }
}

/// Whether two results of an aggregation are the same; sums of floats may round differently.
pub(crate) fn same_number(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        (a, b) => a == b,
    }
}
