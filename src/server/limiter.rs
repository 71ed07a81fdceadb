//! Rates and concurrency per project: a bucket of tokens and a count of calls under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Projects that are remembered; idle ones go first.
const MAX_REMEMBERED: usize = 1000;

/// Limits of every project.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: u32,
    concurrency: u32,
    projects: Mutex<HashMap<String, Usage>>,
}

#[derive(Debug)]
struct Usage {
    tokens: f64,
    filled: Instant,
    running: u32,
}

/// A call that is allowed to run; the place is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    limiter: Arc<Limiter>,
    project: String,
}

impl Limiter {
    pub(super) fn new(rate: u32, concurrency: u32) -> Arc<Limiter> {
        Arc::new(Limiter { rate, concurrency, projects: Mutex::default() })
    }

    /// A turn for the project, or how long to wait before asking again.
    pub(super) fn enter(self: &Arc<Limiter>, project: &str, now: Instant) -> Result<Turn, Duration> {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if projects.len() >= MAX_REMEMBERED && !projects.contains_key(project) {
            projects.retain(|_, usage| usage.running > 0 || now.duration_since(usage.filled) < Duration::from_secs(1));
        }
        let most = f64::from(self.rate);
        let usage = projects.entry(project.to_owned()).or_insert(Usage { tokens: most, filled: now, running: 0 });
        if self.concurrency > 0 && usage.running >= self.concurrency {
            return Err(Duration::from_millis(100));
        }
        if self.rate > 0 {
            let gained = now.saturating_duration_since(usage.filled).as_secs_f64() * most;
            usage.tokens = (usage.tokens + gained).min(most);
            usage.filled = now;
            if usage.tokens < 1.0 {
                return Err(Duration::from_secs_f64((1.0 - usage.tokens) / most));
            }
            usage.tokens -= 1.0;
        }
        usage.running += 1;
        Ok(Turn { limiter: Arc::clone(self), project: project.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut projects = self.limiter.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = projects.get_mut(&self.project) {
            usage.running = usage.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_concurrency() {
        let limiter = Limiter::new(2, 2);
        let start = Instant::now();
        let one = limiter.enter("p", start).unwrap();
        let _two = limiter.enter("p", start).unwrap();
        assert_eq!(limiter.enter("p", start).unwrap_err(), Duration::from_millis(100));
        drop(one);
        assert_eq!(limiter.enter("p", start).unwrap_err(), Duration::from_millis(500));
        assert!(limiter.enter("q", start).is_ok());
        assert!(limiter.enter("p", start + Duration::from_millis(500)).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let limiter = Limiter::new(0, 0);
        let turns: Vec<Turn> = (0..1000).map(|_| limiter.enter("p", Instant::now()).unwrap()).collect();
        assert_eq!(turns.len(), 1000);
    }
}
