//! Deaths by kill -9 between the commit of index calls and the delivery of what they announced. A child accepts, indexes and
//! delivers to a receiver of the supervisor's, which kills it at random; every call that was acknowledged must have been
//! told at least once, in its order, and none that did not commit.

use super::Dice;
use crate::child::{order, say, start};
use crate::receiver::{Manner, Receiver};
use medialith::engine::queues::{Allowed, WebhookSpec};
use medialith::engine::{Buckets, DeliveryOptions, Engine, IndexOrder, IndexerOptions, Options};
use medialith::model::{DatasetSpec, File, ProjectSpec};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

const DIR: &str = "MEDIALITH_TOLD_DIR";
const FROM: &str = "MEDIALITH_TOLD_FROM";
/// Longest life of a child in milliseconds; opening is part of it.
const LIFE: u64 = 400;
/// Datasets that are written in turn.
const DATASETS: u64 = 2;

fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap()
}

fn options() -> DeliveryOptions {
    DeliveryOptions { allowed: Allowed::new(["127.0.0.1".to_owned()]), ..DeliveryOptions::default() }
}

/// The child: accepts calls, indexes and delivers, until it dies.
#[test]
#[ignore = "started by the supervisor"]
fn teller() {
    let Some(dir) = order(DIR) else { return };
    let engine = open(Path::new(&dir));
    let mut buckets = Buckets::new();
    buckets.add("b", Path::new(&dir).join("files")).unwrap();
    let _delivery = engine.start_delivery(options()).unwrap();
    let indexer = engine.start_indexer(buckets, IndexerOptions::default()).unwrap();
    let from: u64 = order(FROM).unwrap().parse().unwrap();
    if from == u64::MAX {
        assert!(indexer.wait_idle(Duration::from_secs(60)));
        let webhook = |e: &Engine| e.queues().receivers().unwrap().into_iter().find(|r| r.name == "webhook:w").unwrap();
        let begun = Instant::now();
        while webhook(&engine).behind > 0 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        say(&format!("behind {}", webhook(&engine).behind));
        return;
    }
    for number in from.. {
        let dataset = engine.dataset("p", &format!("d{}", number % DATASETS)).unwrap();
        let order = IndexOrder { user_data: number.to_string(), ..IndexOrder::default() };
        let event = dataset.index_files(vec![File::new(format!("oss://b/{number}"))], &order).unwrap();
        say(&format!("{number} {event}"));
    }
}

#[test]
fn every_committed_call_is_told_in_order_and_no_other() {
    let crashes: u32 = std::env::var("MEDIALITH_CRASHES").map_or(15, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("files")).unwrap();
    let receiver = Receiver::start(Manner::Status(204));
    {
        let engine = open(dir.path());
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        (0..DATASETS)
            .for_each(|n| drop(engine.create_dataset("p", &format!("d{n}"), &DatasetSpec::default()).unwrap()));
        let spec = WebhookSpec { url: receiver.url(), ..WebhookSpec::default() };
        engine.queues().add_webhook("w", &spec).unwrap();
    }
    let (mut dice, mut next) = (Dice(u64::from(std::process::id())), 0);
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    let orders = |next: u64| [(DIR, dir.path().to_str().unwrap().to_owned()), (FROM, next.to_string())];
    for _ in 0..crashes {
        let mut teller = start("told::teller", &orders(next));
        std::thread::sleep(Duration::from_millis(dice.below(LIFE)));
        // One that has already ended cannot be killed.
        drop(teller.child.kill());
        for line in teller.ended().1 {
            let (number, event) = line.split_once(' ').unwrap();
            next = number.parse::<u64>().unwrap() + 1;
            acknowledged.insert(next - 1, event.to_owned());
        }
        // The call under way may be there too: the next child does not use its number again.
        next += 1;
    }
    let (status, said) = start("told::teller", &orders(u64::MAX)).ended();
    assert!(status.success() && said == ["behind 0"], "{status} {said:?}");
    assert!(acknowledged.len() as u32 > crashes, "the children lived long enough: {} calls", acknowledged.len());
    let told = verify(&receiver, &acknowledged, &dir.path().join("db"));
    println!("crashes {crashes}, calls acknowledged {}, told {told}, lost 0", acknowledged.len());
}

/// Holds what came against what was acknowledged and what is stored; answers how many messages came.
fn verify(receiver: &Receiver, acknowledged: &BTreeMap<u64, String>, db: &Path) -> usize {
    let engine = open(db.parent().unwrap());
    let (mut told, mut last): (BTreeMap<u64, String>, BTreeMap<u64, u64>) = Default::default();
    let got = receiver.got();
    for got in &got {
        let event: Value = serde_json::from_str(&got.body).unwrap();
        let number: u64 = event["data"]["UserData"].as_str().unwrap().parse().unwrap();
        let id = got.field("webhook-id").to_owned();
        assert_eq!(event["id"], id.as_str());
        if let Some(before) = told.get(&number) {
            assert_eq!(*before, id, "a message that comes twice has one name");
            continue;
        }
        let stored = engine.dataset("p", &format!("d{}", number % DATASETS));
        let document = stored.and_then(|dataset| dataset.get(&format!("oss://b/{number}"), &[]));
        assert!(document.expect("the dataset is there").is_some(), "call {number} was told and did not commit");
        let before = last.insert(number % DATASETS, number);
        assert!(before.is_none_or(|before| before < number), "{number} came after {before:?}");
        told.insert(number, id);
    }
    let lost: BTreeSet<&u64> = acknowledged.iter().filter(|(n, id)| told.get(n) != Some(id)).map(|(n, _)| n).collect();
    assert!(lost.is_empty(), "never told: {lost:?}");
    got.len()
}
