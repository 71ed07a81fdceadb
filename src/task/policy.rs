//! When a task is tried again, and when it is forgotten.

use std::time::Duration;

/// How long a task that has ended can be asked for (the API says seven days).
pub const RETENTION: Duration = Duration::from_hours(7 * 24);
/// Times that a task is begun before it counts as failed. An attempt that ended with the process counts too: a file
/// that kills its worker must not do so for ever.
pub const MAX_ATTEMPTS: u32 = 5;
/// Wait before the second attempt.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Wait after attempt number `attempts` (from 1): four times as long each time.
pub(super) fn back_off(attempts: u32) -> Duration {
    let factor = 4_u32.saturating_pow(attempts.saturating_sub(1).min(15));
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

/// `time` (nanoseconds since 1970) and `wait` later.
pub(super) fn after(time: i64, wait: Duration) -> u64 {
    let from = u64::try_from(time).unwrap_or(0);
    from.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!([1, 2, 3].map(|n| back_off(n).as_secs()), [2, 8, 32]);
        assert_eq!(back_off(u32::MAX), LONGEST_WAIT);
        assert_eq!(after(5, Duration::from_nanos(7)), 12);
        assert_eq!(after(-5, Duration::MAX), u64::MAX);
    }
}
