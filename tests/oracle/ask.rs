//! Questions, the answers that oracles give, and when ours is the same.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A question about a file: the field, and which stream or tag of it.
pub(crate) type Key = (&'static str, String);

/// What an oracle says, and how near ours must be.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// The same text.
    Same(String),
    /// One of these texts; the first is the oracle's own.
    OneOf(Vec<String>),
    /// A number, at most so far away, absolutely or as a share of it.
    Near(f64, f64, f64),
    /// Text, but for white space and the marks that join several values.
    Text(String),
    /// A clock `2020-08-19T17:11:11`, and the zone where the oracle states one.
    Clock(String, Option<String>),
    /// Degrees of latitude and longitude.
    Place(f64, f64),
    /// Text whose words ours must contain, nine of ten.
    Words(String),
    /// Numbers one by one, fractions too; else text.
    Values(String),
}

impl std::fmt::Display for Want {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(200).collect::<String>();
        match self {
            Want::Same(text) | Want::Text(text) | Want::Words(text) | Want::Values(text) => write!(f, "{}", cut(text)),
            Want::OneOf(texts) => write!(f, "{}", texts.first().map_or("", String::as_str)),
            Want::Near(number, ..) => write!(f, "{number}"),
            Want::Clock(clock, zone) => write!(f, "{clock}{}", zone.as_deref().unwrap_or("")),
            Want::Place(lat, lon) => write!(f, "{lat},{lon}"),
        }
    }
}

/// All that the oracles say of one file.
#[derive(Default)]
pub(crate) struct Wants {
    /// Who is speaking.
    pub(crate) oracle: &'static str,
    pub(crate) by_key: BTreeMap<Key, Vec<(&'static str, Want)>>,
    /// Fields that somebody could have answered: ours without an answer is extra.
    pub(crate) covered: BTreeSet<&'static str>,
}

impl Wants {
    pub(crate) fn add(&mut self, field: &'static str, part: impl ToString, want: Want) {
        self.covered.insert(field);
        self.by_key.entry((field, part.to_string())).or_default().push((self.oracle, want));
    }

    /// Adds text unless there is none.
    pub(crate) fn text(&mut self, field: &'static str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !plain(text).is_empty()) {
            self.add(field, "", Want::Text(text));
        }
    }
}

/// Text without white space, case, and what programs put between several values.
pub(crate) fn plain(text: &str) -> String {
    let dropped =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{fffd}' | '/' | ';' | ',' | '\0' | '|');
    text.chars().filter(|c| !dropped(*c)).flat_map(char::to_lowercase).collect()
}

/// `0.04`, `1/25` or `25:1`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let (above, below) = text.split_once(['/', ':']).unwrap_or((text, "1"));
    let (above, below): (f64, f64) = (above.trim().parse().ok()?, below.trim().parse().ok()?);
    (below != 0.0).then_some(above / below)
}

fn near(got: f64, want: f64, absolute: f64, share: f64) -> bool {
    (got - want).abs() <= absolute.max(want.abs() * share)
}

fn values(got: &str, want: &str) -> bool {
    let parts = |text: &str| text.split([' ', ',']).map(number).collect::<Option<Vec<f64>>>();
    match (parts(got), parts(want)) {
        // What exiftool makes of a fraction of nothing; we keep it as written.
        _ if want.split(' ').any(|part| part == "undef") => {
            let same = |(got, want): (&str, &str)| (want == "undef" && got == "0/0") || number(got) == number(want);
            got.split(' ').count() == want.split(' ').count() && got.split(' ').zip(want.split(' ')).all(same)
        }
        (Some(got), Some(want)) => {
            got.len() == want.len() && got.iter().zip(&want).all(|(got, want)| near(*got, *want, 1e-6, 1e-4))
        }
        _ => plain(got) == plain(want),
    }
}

/// Nine of ten words, in any order: programs disagree on the order of columns.
fn words(got: &str, want: &str) -> bool {
    let split = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
        words.map(str::to_lowercase).collect()
    };
    let (got, want) = (split(got), split(want));
    let found = want.iter().filter(|word| got.contains(*word)).count();
    found * 10 >= want.len() * 9
}

fn clock(got: &str, clock: &str, zone: Option<&str>) -> bool {
    let same_clock = got.starts_with(clock);
    let Some(zone) = zone else { return same_clock };
    let instant = |text: &str| text.parse::<Timestamp>().ok().map(|at| at.as_second());
    let want = instant(&format!("{clock}{zone}"));
    want.is_some() && instant(got) == want
}

/// Whether our answer is what the oracle says.
pub(crate) fn agrees(got: &str, want: &Want) -> bool {
    match want {
        Want::Same(want) => got == want,
        Want::OneOf(wants) => wants.iter().any(|want| want == got),
        Want::Near(want, absolute, share) => number(got).is_some_and(|got| near(got, *want, *absolute, *share)),
        Want::Text(want) => plain(got) == plain(want),
        Want::Clock(want, zone) => clock(got, want, zone.as_deref()),
        Want::Place(lat, lon) => got.split_once(',').is_some_and(|(a, b)| {
            let near = |text: &str, want: f64| text.parse::<f64>().is_ok_and(|got| (got - want).abs() < 5e-6);
            near(a, *lat) && near(b, *lon)
        }),
        Want::Words(want) => words(got, want),
        Want::Values(want) => values(got, want),
    }
}

/// A time as exiftool and others write it: `2020:08:19 17:11:11.25+08:00`. Nothing for times that mean "unknown".
pub(crate) fn time(text: &str) -> Option<Want> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(11..)?);
    let at = rest.find(['+', '-', 'Z']).unwrap_or(rest.len());
    let clock = rest.get(..at)?.trim();
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.get(..8)?.to_owned() };
    let stamp = format!("{}T{clock}", date.replace([':', '/'], "-"));
    let known = stamp.parse::<jiff::civil::DateTime>().is_ok_and(|at| at.year() > 1904);
    known.then(|| Want::Clock(stamp, Some(rest[at..].to_owned()).filter(|zone| !zone.is_empty())))
}
