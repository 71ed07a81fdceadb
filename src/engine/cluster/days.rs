//! Days in a row, and the local days of times.

use crate::model::Timestamp;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use std::collections::BTreeSet;

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// A time as a day where it was written: days since 1970-01-01 there, and the offset from UTC in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LocalDay {
    pub(super) day: i64,
    pub(super) offset: i32,
}

impl LocalDay {
    /// The day of an RFC 3339 time in its own offset; `None` where it is none.
    pub(super) fn of(text: &str) -> Option<LocalDay> {
        let instant = Timestamp::parse(text).ok()?.0;
        let offset = Pieces::parse(text).ok()?.to_numeric_offset().map_or(0, Offset::seconds);
        let local = instant.checked_add(i64::from(offset).checked_mul(1_000_000_000)?)?;
        Some(LocalDay { day: local.div_euclid(DAY), offset })
    }

    /// The instant at which the day begins; at the ends of time the first and the last one.
    pub(super) fn start(self) -> Timestamp {
        let shift = i64::from(self.offset).saturating_mul(1_000_000_000);
        Timestamp(self.day.saturating_mul(DAY).saturating_sub(shift))
    }

    /// The last nanosecond of the day.
    pub(super) fn end(self) -> Timestamp {
        Timestamp(self.start().0.saturating_add(DAY - 1))
    }

    /// An instant in the day's offset, in RFC 3339.
    pub(super) fn written(self, instant: Timestamp) -> String {
        let shift = i64::from(self.offset).saturating_mul(1_000_000_000);
        let local = Timestamp(instant.0.saturating_add(shift)).to_string();
        if self.offset == 0 {
            return local;
        }
        let (sign, minutes) = (if self.offset < 0 { '-' } else { '+' }, self.offset.unsigned_abs() / 60);
        format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), minutes / 60, minutes % 60)
    }
}

/// Days in runs: neighbours of a run have at most `gap` days between them that are not there.
pub(super) fn runs(days: &BTreeSet<i64>, gap: u32) -> Vec<Vec<i64>> {
    let mut runs: Vec<Vec<i64>> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| day - last <= i64::from(gap) + 1) => run.push(*day),
            _ => runs.push(vec![*day]),
        }
    }
    runs
}

/// From the first day of a run to its last one, both included.
pub(super) fn span(run: &[i64]) -> i64 {
    run.first().zip(run.last()).map_or(0, |(first, last)| last - first + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_those_of_the_place() {
        let at = |text: &str| LocalDay::of(text).unwrap();
        let day = at("2022-05-01T00:30:00+08:00");
        assert_eq!(day.day, at("2022-05-01T12:00:00Z").day);
        assert_eq!(day.written(day.start()), "2022-05-01T00:00:00+08:00");
        assert_eq!(day.written(day.end()), "2022-05-01T23:59:59.999999999+08:00");
        let west = at("2022-04-30T23:30:00-03:30");
        assert_eq!((west.day, west.written(west.start())), (day.day - 1, "2022-04-30T00:00:00-03:30".to_owned()));
        assert_eq!(at("1969-12-31T23:59:59Z").day, -1);
        let utc = at("2022-05-01T10:00:00Z");
        assert_eq!(utc.written(utc.end()), "2022-05-01T23:59:59.999999999Z");
        assert!(LocalDay::of("2022-05").is_none());
    }

    proptest! {
        /// The runs are the connected components of "at most so many days between".
        #[test]
        fn runs_are_components(days in proptest::collection::btree_set(-40i64..40, 0..20), gap in 0u32..4) {
            let found = runs(&days, gap);
            let flat: Vec<i64> = found.iter().flatten().copied().collect();
            prop_assert_eq!(flat, days.iter().copied().collect::<Vec<_>>());
            let all: Vec<i64> = days.iter().copied().collect();
            let mut group: Vec<usize> = (0..all.len()).collect();
            for _ in 0..all.len() {
                for a in 0..all.len() {
                    for b in 0..all.len() {
                        if (all[a] - all[b]).abs() <= i64::from(gap) + 1 {
                            let least = group[a].min(group[b]);
                            group[a] = least;
                            group[b] = least;
                        }
                    }
                }
            }
            let run_of = |day: i64| found.iter().position(|run| run.contains(&day)).unwrap();
            for a in 0..all.len() {
                for b in 0..all.len() {
                    prop_assert_eq!(group[a] == group[b], run_of(all[a]) == run_of(all[b]));
                }
            }
        }
    }
}
