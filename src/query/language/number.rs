//! Numbers with the units of their fields: `10MB`, `1h30m`, `44.1kHz`.

use crate::model::field::{self, FieldId};
use crate::model::query::Number;

/// Units with what one of them is, longest names first so that none is read as the beginning of another.
type Units = &'static [(&'static str, f64)];

const BYTES: Units = &[
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
    ("k", 1e3),
    ("m", 1e6),
    ("g", 1e9),
    ("t", 1e12),
    ("b", 1.0),
];
const SECONDS: Units = &[("min", 60.0), ("ms", 1e-3), ("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
const BITS_PER_SECOND: Units =
    &[("kbps", 1e3), ("mbps", 1e6), ("gbps", 1e9), ("bps", 1.0), ("k", 1e3), ("m", 1e6), ("g", 1e9)];
const HERTZ: Units = &[("khz", 1e3), ("hz", 1.0), ("k", 1e3)];
const PLAIN: Units = &[];

/// The units of a field.
fn units(field: FieldId) -> Units {
    match field {
        field::SIZE => BYTES,
        field::AUDIO_SAMPLE_RATE => HERTZ,
        _ => match field.field().name() {
            "Duration" | "StartTime" => SECONDS,
            "Bitrate" => BITS_PER_SECOND,
            _ => PLAIN,
        },
    }
}

/// Reads a number in the units of a field; the error says what was expected.
pub(super) fn parse(field: FieldId, text: &str) -> Result<Number, String> {
    let units = units(field);
    let number = if text.ends_with(|c: char| c.is_ascii_digit() || c == '.') { Number::parse(text) } else { None };
    number.or_else(|| with_units(units, text)).ok_or_else(|| {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        if names.is_empty() { "a number".to_owned() } else { format!("a number, alone or in {}", names.join(", ")) }
    })
}

/// A number with its unit; times may have several: `1h30m`.
fn with_units(units: Units, text: &str) -> Option<Number> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_prefix('-').unwrap_or(&lower);
    let sign = if rest.len() < lower.len() { -1.0 } else { 1.0 };
    let mut sum = 0.0;
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let (unit, factor) = units.iter().find(|(unit, _)| after.starts_with(unit))?;
        rest = after.get(unit.len()..)?;
        // Only times are put together, and from large to small.
        if *factor >= last || (last.is_finite() && units != SECONDS) {
            return None;
        }
        last = *factor;
        sum += number.parse::<f64>().ok()? * factor;
    }
    (last.is_finite() && sum.is_finite()).then(|| exact(sign * sum))
}

/// What is whole but for the rounding of its decimal fraction is a whole number.
fn exact(number: f64) -> Number {
    let whole = number.round();
    let near = (number - whole).abs() <= number.abs() * f64::EPSILON * 4.0;
    // Up to 2^53 every whole number is a float.
    if near && whole.abs() <= 9_007_199_254_740_992.0 { Number::Int(whole as i64) } else { Number::Float(number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Number::{Float, Int};

    #[test]
    fn units_of_fields() {
        for (field, text, expected) in [
            (field::SIZE, "10", Int(10)),
            (field::SIZE, "-5", Int(-5)),
            (field::SIZE, "1e3", Float(1000.0)),
            (field::SIZE, "10MB", Int(10_000_000)),
            (field::SIZE, "10mib", Int(10_485_760)),
            (field::SIZE, "1.1GB", Int(1_100_000_000)),
            (field::SIZE, "0.3KiB", Float(307.2)),
            (field::SIZE, "2T", Int(2_000_000_000_000)),
            (field::SIZE, "7b", Int(7)),
            (field::DURATION, "1h30m", Int(5400)),
            (field::DURATION, "1d2h3min4s500ms", Float(93_784.5)),
            (field::DURATION, "1.5h", Int(5400)),
            (field::VIDEO_DURATION, "90", Int(90)),
            (field::BITRATE, "320kbps", Int(320_000)),
            (field::AUDIO_SAMPLE_RATE, "44.1kHz", Int(44_100)),
            (field::LABEL_CONFIDENCE, "0.8", Float(0.8)),
        ] {
            assert_eq!(parse(field, text), Ok(expected), "{text}");
        }
        for (field, text) in [
            (field::SIZE, ""),
            (field::SIZE, "MB"),
            (field::SIZE, "1MB2KB"),
            (field::SIZE, "1 MB"),
            (field::SIZE, "1..2MB"),
            (field::SIZE, "ten"),
            (field::SIZE, "nan"),
            (field::DURATION, "30m1h"),
            (field::DURATION, "1h1h"),
            (field::DURATION, "1h-3m"),
            (field::IMAGE_WIDTH, "4k"),
        ] {
            let error = parse(field, text).unwrap_err();
            assert!(error.starts_with("a number"), "{text}: {error}");
        }
    }
}
