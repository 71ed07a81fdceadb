//! The clock that requests are held against.

use crate::model::{Timestamp, now};
use std::time::Duration;

/// Where the present comes from; tests set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The wall clock.
    #[default]
    Wall,
    /// Always this instant, in nanoseconds since 1970.
    Fixed(i64),
}

impl Clock {
    /// The present.
    pub fn now(self) -> Timestamp {
        match self {
            Clock::Wall => now(),
            Clock::Fixed(nanos) => Timestamp(nanos),
        }
    }
}

/// Whether a request of that date may be answered at `present`.
pub(in crate::server) fn in_window(date: Timestamp, present: Timestamp, window: Duration) -> bool {
    u128::from(date.0.abs_diff(present.0)) <= window.as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        let present = Clock::Fixed(1_000_000_000_000).now();
        let window = Duration::from_secs(900);
        for (seconds, fits) in [(1000, true), (1900, true), (1901, false), (100, true), (99, false)] {
            assert_eq!(in_window(Timestamp(seconds * 1_000_000_000), present, window), fits, "{seconds}");
        }
        assert!(!in_window(Timestamp(i64::MIN), Timestamp(i64::MAX), window));
    }
}
