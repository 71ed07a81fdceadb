//! Counts of agreements and differences per format and field, as tables.

use crate::ask::{Key, Wants, agrees};
use crate::reviewed::Reviewed;
use std::collections::BTreeMap;

/// Least agreement on whole files, in percent, by field.
const FLOORS: &[(&str, f64)] = &[
    ("size", 97.0),
    ("orientation", 97.0),
    ("place", 99.0),
    ("altitude", 99.0),
    ("exif", 96.5),
    ("xmp", 94.0),
    ("icc", 94.0),
    ("bits", 98.0),
    ("frames", 99.0),
];

/// Fields that the goals name, in the order of the issue.
const GOALS: [&str; 13] = [
    "size",
    "video-width",
    "video-height",
    "duration",
    "video-codec",
    "audio-codec",
    "audio-channels",
    "audio-rate",
    "video-rate",
    "video-rotate",
    "time",
    "place",
    "orientation",
];

#[derive(Default, Clone)]
struct Score {
    agree: usize,
    reviewed: usize,
    differ: usize,
    missing: usize,
    extra: usize,
}

impl Score {
    fn add(&mut self, other: &Score) {
        self.agree += other.agree;
        self.reviewed += other.reviewed;
        self.differ += other.differ;
        self.missing += other.missing;
        self.extra += other.extra;
    }

    fn asked(&self) -> usize {
        self.agree + self.reviewed + self.differ + self.missing
    }

    fn share(&self) -> f64 {
        if self.asked() == 0 { 100.0 } else { (self.agree + self.reviewed) as f64 * 100.0 / self.asked() as f64 }
    }

    fn print(&self, format: &str, field: &str) {
        println!(
            "{format:<22} {field:<18} {:>6} {:>6} {:>8} {:>8} {:>6} {:>7.2}",
            self.agree,
            self.differ,
            self.missing,
            self.reviewed,
            self.extra,
            self.share()
        );
    }
}

/// One question that was not simply agreed on.
struct Line {
    format: String,
    field: &'static str,
    agreed: bool,
    text: String,
}

pub(crate) struct Tables {
    reviewed: Reviewed,
    scores: BTreeMap<(String, &'static str), Score>,
    lines: Vec<Line>,
}

fn short(text: &str) -> String {
    text.chars().take(200).collect::<String>().replace(['\n', '\r'], " ")
}

impl Tables {
    pub(crate) fn new() -> Tables {
        Tables { reviewed: Reviewed::read(), scores: BTreeMap::new(), lines: Vec::new() }
    }

    /// Compares the answers for one file.
    pub(crate) fn note(&mut self, path: &str, format: &str, wants: &Wants, ours: &BTreeMap<Key, String>) {
        for (key @ (field, part), all) in &wants.by_key {
            let got = ours.get(key);
            let agreed = got.is_some_and(|got| all.iter().any(|(_, want)| agrees(got, want)));
            let why = if agreed { None } else { self.reviewed.why(path, field) };
            let score = self.scores.entry((format.to_owned(), field)).or_default();
            let count = match (agreed, &why, got) {
                (true, ..) => &mut score.agree,
                (_, Some(_), _) => &mut score.reviewed,
                (_, _, Some(_)) => &mut score.differ,
                (_, _, None) => &mut score.missing,
            };
            *count += 1;
            let said: Vec<String> = all.iter().map(|(oracle, want)| format!("{oracle} {want}")).collect();
            let ours = got.map_or("nothing".to_owned(), |got| short(got));
            let why = why.map(|why| format!(" [reviewed: {why}]")).unwrap_or_default();
            let text = format!("{path} {field} {part}: ours {ours}; {}{why}", short(&said.join(", ")));
            self.lines.push(Line { format: format.to_owned(), field, agreed, text });
        }
        for (key @ (field, part), got) in ours {
            if wants.covered.contains(field) && !wants.by_key.contains_key(key) {
                self.scores.entry((format.to_owned(), field)).or_default().extra += 1;
                let text = format!("{path} {field} {part}: extra {}", short(got));
                self.lines.push(Line { format: format.to_owned(), field, agreed: false, text });
            }
        }
    }

    /// Prints each difference of a format and field, `*` for all; agreements too if asked.
    pub(crate) fn details(&self, format: &str, field: &str, agreements: bool) {
        let chosen = self.lines.iter().filter(|line| {
            (format == "*" || line.format == format)
                && (field == "*" || line.field == field)
                && (agreements || !line.agreed)
        });
        chosen.for_each(|line| println!("{} {}", if line.agreed { "  " } else { "! " }, line.text));
    }

    fn whole(&self) -> BTreeMap<&'static str, Score> {
        let mut fields: BTreeMap<&'static str, Score> = BTreeMap::new();
        for ((format, field), score) in &self.scores {
            if !format.starts_with("damaged/") {
                fields.entry(field).or_default().add(score);
            }
        }
        fields
    }

    pub(crate) fn print(&self) {
        let head = || println!("{:<22} {:<18}  agree differ  missing reviewed  extra       %", "format", "field");
        head();
        self.scores.iter().for_each(|((format, field), score)| score.print(format, field));
        println!();
        head();
        let fields = self.whole();
        fields.iter().for_each(|(field, score)| score.print("whole files", field));
        let (mut whole, mut goals, mut damaged) = (Score::default(), Score::default(), Score::default());
        for ((format, field), score) in &self.scores {
            let sum = if format.starts_with("damaged/") { &mut damaged } else { &mut whole };
            sum.add(score);
            if !format.starts_with("damaged/") && GOALS.contains(field) {
                goals.add(score);
            }
        }
        goals.print("whole files", "named by the goal");
        whole.print("whole files", "all");
        damaged.print("damaged files", "all");
        self.reviewed.stale().for_each(|line| println!("reviewed, but no difference any more: {line}"));
    }

    /// Whole files agree at least as much as the floors say.
    pub(crate) fn check(&self) {
        let fields = self.whole();
        let low: Vec<String> = FLOORS
            .iter()
            .filter_map(|(field, floor)| {
                let share = fields.get(field).map_or(0.0, Score::share);
                (share < *floor).then(|| format!("{field}: {share:.2} %, at least {floor} % expected"))
            })
            .collect();
        assert!(low.is_empty(), "agreement with the oracles fell: {low:?}");
    }
}
