//! Counts for a monitor, in the text format of Prometheus (version 0.0.4). Names: `docs/server.md`.

use crate::engine::extraction::Snapshot;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 12] =
    [250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 2_500_000, 10_000_000];

/// Latencies of one operation.
#[derive(Debug, Clone, Default)]
struct Latency {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    micros: u64,
}

#[derive(Debug, Default)]
struct Requests {
    by_code: BTreeMap<(&'static str, String), u64>,
    latency: BTreeMap<&'static str, Latency>,
}

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<Requests>,
    pub(super) connections: AtomicI64,
    pub(super) accepted: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) sent_bytes: AtomicU64,
}

impl Metrics {
    /// Counts an answered request.
    pub(super) fn answered(&self, action: &'static str, code: &str, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        match requests.by_code.get_mut(&(action, code.to_owned())) {
            Some(count) => *count += 1,
            None => drop(requests.by_code.insert((action, code.to_owned()), 1)),
        }
        let latency = requests.latency.entry(action).or_default();
        latency.count += 1;
        latency.micros = latency.micros.saturating_add(micros);
        for (bound, count) in BUCKETS.iter().zip(&mut latency.buckets) {
            *count += u64::from(micros <= *bound);
        }
    }

    /// All counts as text; `gauges` come from elsewhere.
    pub(super) fn render(&self, gauges: &[(&str, &str, u64)]) -> String {
        let mut out = String::new();
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        head(&mut out, "medialith_requests_total", "counter", "Requests answered, by operation and error code.");
        for ((action, code), count) in &requests.by_code {
            let _ok = writeln!(out, "medialith_requests_total{{action=\"{action}\",code=\"{code}\"}} {count}");
        }
        head(&mut out, "medialith_request_seconds", "histogram", "Time from the last byte in to the first byte out.");
        requests.latency.iter().for_each(|(action, latency)| histogram(&mut out, action, latency));
        drop(requests);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = [
            ("medialith_connections_accepted_total", "Connections accepted.", load(&self.accepted)),
            (
                "medialith_connections_turned_away_total",
                "Connections closed for want of a place.",
                load(&self.turned_away),
            ),
            ("medialith_received_bytes_total", "Bytes of request targets and bodies.", load(&self.received_bytes)),
            ("medialith_sent_bytes_total", "Bytes of response bodies.", load(&self.sent_bytes)),
        ];
        for (name, help, value) in counters {
            head(&mut out, name, "counter", help);
            let _ok = writeln!(out, "{name} {value}");
        }
        let connections = u64::try_from(self.connections.load(Ordering::Relaxed)).unwrap_or(0);
        let own = [("medialith_connections", "Connections open.", connections)];
        for (name, help, value) in own.iter().chain(gauges) {
            head(&mut out, name, "gauge", help);
            let _ok = writeln!(out, "{name} {value}");
        }
        out
    }
}

/// Counts of extraction as text.
pub(super) fn extraction(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    head(&mut out, "medialith_extracted_total", "counter", "Files read, by what became of them.");
    for (outcome, count) in &snapshot.outcomes {
        let _ok = writeln!(out, "medialith_extracted_total{{outcome=\"{outcome}\"}} {count}");
    }
    let counters = [
        ("medialith_workers_started_total", "Worker processes started.", snapshot.started),
        ("medialith_workers_died_total", "Worker processes that a file cost.", snapshot.died),
        ("medialith_retried_total", "Files tried a second time, alone.", snapshot.retried),
        (
            "medialith_sandbox_violations_total",
            "Workers ended because they made a system call that their jail forbids.",
            snapshot.violations,
        ),
    ];
    for (name, help, value) in counters {
        head(&mut out, name, "counter", help);
        let _ok = writeln!(out, "{name} {value}");
    }
    let level = snapshot.posture.map_or(0, |posture| posture.level() as u8);
    let help = "Jail of the workers: 0 none or threads, 1 limits, 2 and seccomp, 3 and Landlock.";
    head(&mut out, "medialith_sandbox_level", "gauge", help);
    let _ok = writeln!(out, "medialith_sandbox_level {level}");
    out
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String cannot fail.
    let _ok = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn histogram(out: &mut String, action: &str, latency: &Latency) {
    let name = "medialith_request_seconds";
    for (bound, count) in BUCKETS.iter().zip(&latency.buckets) {
        let bound = *bound as f64 / 1e6;
        let _ok = writeln!(out, "{name}_bucket{{action=\"{action}\",le=\"{bound}\"}} {count}");
    }
    let (count, sum) = (latency.count, latency.micros as f64 / 1e6);
    let _ok = writeln!(out, "{name}_bucket{{action=\"{action}\",le=\"+Inf\"}} {count}");
    let _ok = writeln!(out, "{name}_sum{{action=\"{action}\"}} {sum}\n{name}_count{{action=\"{action}\"}} {count}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extraction_in_text() {
        let outcomes = vec![(crate::engine::extraction::Outcome::Crashed, 2)];
        let text = extraction(&Snapshot { outcomes, started: 5, ..Snapshot::default() });
        for line in [
            "medialith_extracted_total{outcome=\"crashed\"} 2",
            "medialith_workers_started_total 5",
            "medialith_sandbox_level 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn text_format() {
        let metrics = Metrics::default();
        metrics.answered("FuzzyQuery", "OK", Duration::from_micros(400));
        metrics.answered("FuzzyQuery", "OK", Duration::from_secs(60));
        let text = metrics.render(&[("medialith_work_pending", "Files to index.", 7)]);
        for line in [
            "medialith_requests_total{action=\"FuzzyQuery\",code=\"OK\"} 2",
            "medialith_request_seconds_bucket{action=\"FuzzyQuery\",le=\"0.00025\"} 0",
            "medialith_request_seconds_bucket{action=\"FuzzyQuery\",le=\"0.0005\"} 1",
            "medialith_request_seconds_bucket{action=\"FuzzyQuery\",le=\"+Inf\"} 2",
            "medialith_request_seconds_count{action=\"FuzzyQuery\"} 2",
            "medialith_work_pending 7",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
