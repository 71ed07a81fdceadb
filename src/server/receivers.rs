//! Metrics of the outbox and of its receivers.

use crate::engine::Engine;
use std::fmt::Write;

/// Appends them in the text format of Prometheus.
pub(super) fn render(engine: &Engine, out: &mut String) {
    let state = engine.outbox();
    // Writing to a String cannot fail.
    let mut single = |name: &str, kind: &str, help: &str, value: u64| {
        let _ok = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    };
    single("medialith_outbox_events", "gauge", "Events kept in the outbox.", state.events());
    single("medialith_outbox_lost_total", "counter", "Events that went before every receiver was told.", state.lost);
    // A store in trouble says so elsewhere.
    let Ok(receivers) = engine.queues().receivers() else { return };
    let mut all = |name: &str, kind: &str, help: &str, value: &dyn Fn(usize) -> u64| {
        let _ok = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (at, receiver) in receivers.iter().enumerate() {
            // Names hold neither quotes nor backslashes.
            let _ok = writeln!(out, "{name}{{receiver=\"{}\"}} {}", receiver.name, value(at));
        }
    };
    let of = |at: usize, read: fn(&crate::engine::queues::ReceiverState) -> u64| receivers.get(at).map_or(0, read);
    all("medialith_receiver_behind", "gauge", "Events that it is not done with.", &|at| of(at, |r| r.behind));
    all("medialith_receiver_delivered_total", "counter", "Messages that it took.", &|at| of(at, |r| r.delivered));
    all("medialith_receiver_dead_total", "counter", "Messages that were given up.", &|at| of(at, |r| r.dead));
    all("medialith_receiver_failing", "gauge", "Tries of the next message so far.", &|at| of(at, |r| r.tries.into()));
    all("medialith_receiver_suspended", "gauge", "Whether it is suspended.", &|at| of(at, |r| r.suspended.into()));
}
