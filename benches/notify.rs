//! What does a dead receiver cost? Messages are published to a topic with a queue, an HTTP subscription that answers, and one
//! that never does; how fast the others are served, and how much memory is held meanwhile.
//!
//! `cargo bench --bench notify` publishes 100,000 messages; `-- --test` runs once over 500.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking and says what it measured"
)]

#[path = "../tests/receiver/mod.rs"]
#[expect(dead_code, reason = "no binary needs all of it")]
mod receiver;

use medialith::engine::queues::{Allowed, Format, QueueSpec, SubscriptionSpec, TopicSpec};
use medialith::engine::{DeliveryOptions, Durability, Engine, Options};
use receiver::{Manner, Receiver};
use std::time::{Duration, Instant};

/// Bytes of a message: an index call of a few files.
const BODY: usize = 600;

/// Messages that the receiver that answers must have before it ends.
const PUSHED: usize = 10_000;

/// Resident memory in MiB (proc_pid_statm(5): the second number, in pages).
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096.0 / f64::from(1 << 20)
}

fn main() {
    let count: usize = if std::env::args().any(|a| a == "--test") { 500 } else { 100_000 };
    let dir = tempfile::tempdir().unwrap();
    let options = Options { memory_bytes: 64 << 20, durability: Durability::Buffered, ..Options::default() };
    let engine = Engine::open(dir.path(), options).unwrap();
    let queues = engine.queues();
    queues.create_topic("t", TopicSpec::default()).unwrap();
    queues.create_queue("q", &QueueSpec::default()).unwrap();
    let (dead, healthy) = (Receiver::start(Manner::Hang), Receiver::start(Manner::Count));
    for (name, endpoint) in
        [("dead", dead.url()), ("healthy", healthy.url()), ("queue", "acs:mns:local:0:queues/q".to_owned())]
    {
        let (endpoint, format) = (Some(endpoint), Some(Format::Simplified));
        queues.subscribe("t", name, &SubscriptionSpec { endpoint, format, ..SubscriptionSpec::default() }).unwrap();
    }
    let allowed = Allowed::new(["127.0.0.1".to_owned()]);
    let delivery = engine.start_delivery(DeliveryOptions { allowed, ..DeliveryOptions::default() }).unwrap();
    // The signing key is made for the first message.
    queues.publish("t", "first", "").unwrap();
    assert!(healthy.wait_for(1, Duration::from_secs(60)));
    let (before, begun) = (resident(), Instant::now());
    let mut most = before;
    let body = "x".repeat(BODY);
    for number in 0..count {
        queues.publish("t", &body, "").unwrap();
        if number % 1000 == 0 {
            most = most.max(resident());
        }
    }
    let published = begun.elapsed();
    let mut received = 0;
    while received <= count {
        let messages = queues.receive("q", 16, Some(Duration::from_secs(30))).unwrap();
        let handles: Vec<String> = messages.iter().map(|m| m.receipt.clone()).collect();
        queues.delete("q", &handles).unwrap();
        received += messages.len();
        most = most.max(resident());
    }
    let queued = begun.elapsed();
    // Its receiver takes one request a connection, and ports are few: enough of them for a rate.
    let enough = count.min(PUSHED);
    while healthy.count() <= enough {
        std::thread::sleep(Duration::from_millis(20));
        most = most.max(resident());
    }
    let pushed = begun.elapsed();
    let state = queues.receivers().unwrap().into_iter().find(|r| r.name.ends_with("/dead")).unwrap();
    // Those that were tried for as long as the strategy asks are given up meanwhile.
    assert!(state.delivered == 0 && state.behind + state.dead > count as u64, "{state:?}");
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    let pushed = enough as f64 / pushed.as_secs_f64();
    println!("messages {count}, undelivered to the dead receiver {}, given up {}", state.behind, state.dead);
    println!("published {:.0}/s, out of the queue {:.0}/s, pushed {pushed:.0}/s", rate(published), rate(queued));
    println!("resident MiB: {before:.1} before, {most:.1} at most");
    drop(dead);
    drop(delivery);
}
