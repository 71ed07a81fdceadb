//! Pushing to receivers that answer and to receivers that do not, beside each other.

use super::client::{Running, open, quiet};
use crate::receiver::{Manner, Receiver};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use medialith::engine::queues::{Allowed, Made, QueueSpec, Strategy, SubscriptionSpec, TopicSpec, WebhookSpec};
use medialith::engine::{DeliveryOptions, Engine, IndexOrder};
use medialith::error::ErrorKind;
use medialith::model::{DatasetSpec, File, ProjectSpec};
use medialith::server::Options;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn pushing() -> Options {
    Options { push_allowed: Allowed::new(["127.0.0.1".to_owned()]), ..quiet() }
}

fn add(engine: &Engine, name: &str, receiver: &Receiver) -> String {
    let spec = WebhookSpec { url: receiver.url(), strategy: Some(Strategy::Decay), ..WebhookSpec::default() };
    engine.queues().add_webhook(name, &spec).unwrap().secret
}

fn index(engine: &Engine, number: usize) {
    let order = IndexOrder { user_data: number.to_string(), ..IndexOrder::default() };
    engine.dataset("p", "d").unwrap().index_files(vec![File::new(format!("oss://b/{number}"))], &order).unwrap();
}

#[test]
fn hostile_receivers_disturb_nobody() {
    const EVENTS: usize = 300;
    let running = Running::start(pushing()).with_dataset();
    let elsewhere = Receiver::start(Manner::Status(204));
    let manners = [
        Manner::Hang,
        Manner::Status(500),
        Manner::Reset,
        Manner::Redirect(elsewhere.url()),
        Manner::Huge,
        Manner::Drip,
    ];
    let hostile: Vec<Receiver> = manners.into_iter().map(Receiver::start).collect();
    for (number, receiver) in hostile.iter().enumerate() {
        add(&running.engine, &format!("hostile{number}"), receiver);
    }
    let healthy = Receiver::start(Manner::Status(204));
    let secret = add(&running.engine, "healthy", &healthy);
    let called: Vec<Instant> = (0..EVENTS)
        .map(|number| {
            index(&running.engine, number);
            Instant::now()
        })
        .collect();
    running.indexed();
    assert!(healthy.wait_for(EVENTS, PATIENCE), "{} of {EVENTS} came", healthy.count());
    let got = healthy.got();
    let mut delays: Vec<Duration> =
        got.iter().zip(&called).map(|(g, c)| g.when.saturating_duration_since(*c)).collect();
    delays.sort_unstable();
    println!("from call to message: median {:?}, p99 {:?}", delays[EVENTS / 2], delays[EVENTS * 99 / 100]);
    for (number, got) in got.iter().enumerate() {
        let event: Value = serde_json::from_str(&got.body).unwrap();
        assert_eq!(event["data"]["UserData"], json!(number.to_string()), "in their order");
        assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("imm:FileMeta:Index")));
        assert_eq!(event["data"]["Files"][0]["Error"], "[InvalidArgument] File does not exist.");
        let signed = format!("{}.{}.{}", got.field("webhook-id"), got.field("webhook-timestamp"), got.body);
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(&secret.as_bytes()[6..]).unwrap()).unwrap();
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        assert_eq!(got.field("webhook-signature"), expected);
    }
    assert_eq!(elsewhere.count(), 0, "redirects are not followed");
    for state in running.engine.queues().receivers().unwrap() {
        if state.name.starts_with("webhook:hostile") {
            assert_eq!((state.delivered, state.behind > 0), (0, true), "{state:?}");
        }
    }
    drop(hostile);
    running.stop();
}

#[test]
fn webhooks_are_managed_while_the_server_runs() {
    let running = Running::start(pushing()).with_dataset();
    let (client, receiver) = (running.client(), Receiver::start(Manner::Status(204)));
    let url = receiver.url();
    let spec = [
        ("WebhookName", "w"),
        ("URL", url.as_str()),
        ("EventTypes", r#"["imm:FileMeta:*"]"#),
        ("OnlyProject", "p"),
        ("NotifyStrategy", "BACKOFF_RETRY"),
    ];
    let made = client.ok("CreateWebhook", &spec)["Webhook"].clone();
    assert!(made["Secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    assert_eq!(client.fails("CreateWebhook", &spec).1, "ResourceAlreadyExists");
    let listed = client.ok("ListWebhooks", &[])["Webhooks"][0].clone();
    assert_eq!((&listed["WebhookName"], &listed["OnlyProject"]), (&json!("w"), &json!("p")));
    assert_eq!(
        (&listed["EventTypes"], &listed["NotifyStrategy"]),
        (&json!(["imm:FileMeta:*"]), &json!("BACKOFF_RETRY"))
    );
    assert!(listed.get("Secret").is_none(), "a secret is shown once: {listed}");
    index(&running.engine, 1);
    assert!(receiver.wait_for(1, PATIENCE), "it is told from then on");
    // The queues of subscriptions are one receiver and come first.
    let delivered = || client.ok("ListReceivers", &[])["Receivers"][1].clone();
    while delivered()["Delivered"] != 1 {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!((&delivered()["Receiver"], &delivered()["Behind"]), (&json!("webhook:w"), &json!(0)));
    client.ok("DeleteWebhook", &[("WebhookName", "w")]);
    assert_eq!(client.fails("DeleteWebhook", &[("WebhookName", "w")]).1, "ResourceNotFound");
    assert_eq!(client.ok("ListReceivers", &[])["Receivers"].as_array().unwrap().len(), 1);
    for (name, value) in
        [("URL", "ftp://x"), ("Secret", "short"), ("EventTypes", r#"["x"]"#), ("NotifyStrategy", "never")]
    {
        let bad = spec.map(|(n, v)| if n == name { (n, value) } else { (n, v) });
        let with = bad.into_iter().chain((name == "Secret").then_some((name, value))).collect::<Vec<_>>();
        assert_eq!(client.fails("CreateWebhook", &with).1, "InvalidArgument", "{name}");
    }
    running.stop();
}

#[test]
fn bindings_tell_their_states() {
    let running = Running::start(pushing()).with_dataset();
    let receiver = Receiver::start(Manner::Status(204));
    add(&running.engine, "w", &receiver);
    let client = running.client();
    let place = [("ProjectName", "p"), ("DatasetName", "d"), ("URI", "oss://b")];
    client.ok("CreateBinding", &place);
    assert!(receiver.wait_for(3, PATIENCE), "{} came", receiver.count());
    client.ok("StopBinding", &[place[0], place[1], place[2], ("Reason", "night")]);
    assert!(receiver.wait_for(4, PATIENCE), "{} came", receiver.count());
    client.ok("DeleteBinding", &place);
    assert!(receiver.wait_for(5, PATIENCE), "{} came", receiver.count());
    let told: Vec<Value> = receiver.got().iter().map(|got| serde_json::from_str(&got.body).unwrap()).collect();
    let state =
        |event: &Value| [&event["data"]["State"], &event["data"]["Phase"]].map(|v| v.as_str().unwrap().to_owned());
    let states: Vec<[String; 2]> = told.iter().map(state).collect();
    let want = [
        ["Ready", ""],
        ["Running", "FullScanning"],
        ["Running", "IncrementalScanning"],
        ["Stopped", "IncrementalScanning"],
        ["Deleted", "IncrementalScanning"],
    ];
    assert_eq!(states, want.map(|pair| pair.map(str::to_owned)));
    assert!(told.iter().all(|event| event["type"] == "imm:Binding:Task" && event["data"]["URI"] == "oss://b"));
    assert_eq!(told[3]["data"]["Reason"], "night");
    running.stop();
}

#[test]
fn what_was_refused_waits_and_is_told_again() {
    let running = Running::start(pushing()).with_dataset();
    let queues = running.engine.queues();
    let refusing = Receiver::start(Manner::Status(500));
    add(&running.engine, "w", &refusing);
    index(&running.engine, 1);
    assert!(refusing.wait_for(3, PATIENCE), "it is tried again after 1 and 2 seconds");
    let ids: Vec<String> = refusing.got().iter().map(|got| got.field("webhook-id").to_owned()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "under the same id: {ids:?}");
    queues.suspend("webhook:w", true).unwrap();
    let state = || queues.receivers().unwrap().into_iter().find(|r| r.name == "webhook:w").unwrap();
    assert!(state().suspended && state().failure == "status 500", "{:?}", state());
    assert_eq!(queues.replay("webhook:w", 99).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(queues.suspend("webhook:nobody", true).unwrap_err().kind(), ErrorKind::NotFound);
    running.stop();
}

#[test]
fn gone_receivers_are_suspended_and_dead_letters_are_told_again() {
    let running = Running::start(pushing()).with_dataset();
    let queues = running.engine.queues();
    let gone = Receiver::start(Manner::Status(410));
    add(&running.engine, "gone", &gone);
    index(&running.engine, 1);
    let state = || queues.receivers().unwrap().into_iter().find(|r| r.name == "webhook:gone").unwrap();
    let begun = Instant::now();
    while !state().suspended {
        assert!(begun.elapsed() < PATIENCE, "{:?}", state());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(gone.count(), 1);
    queues.suspend("webhook:gone", false).unwrap();
    assert!(gone.wait_for(2, PATIENCE), "resumed, it is told again");
    running.stop();
}

#[test]
fn refused_addresses_are_never_connected_to() {
    let running = Running::start(quiet()).with_dataset();
    let receiver = Receiver::start(Manner::Status(204));
    add(&running.engine, "w", &receiver);
    index(&running.engine, 1);
    let state = || running.engine.queues().receivers().unwrap().into_iter().find(|r| r.name == "webhook:w").unwrap();
    let begun = Instant::now();
    while state().failure.is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(state().failure.contains("not pushed to"), "{:?}", state());
    assert_eq!(receiver.count(), 0);
    running.stop();
}

#[test]
fn the_library_delivers_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    let queues = engine.queues();
    assert_eq!(queues.create_topic("t", TopicSpec::default()).unwrap(), Made::New);
    queues.create_queue("q", &QueueSpec::default()).unwrap();
    let endpoint = Some("acs:mns:local:0:queues/q".to_owned());
    queues.subscribe("t", "s", &SubscriptionSpec { endpoint, ..SubscriptionSpec::default() }).unwrap();
    let id = queues.publish("t", "hello", "").unwrap();
    assert_eq!(queues.try_receive("q", 1).unwrap().messages, [], "nothing is delivered yet");
    let delivery = engine.start_delivery(DeliveryOptions::default()).unwrap();
    assert_eq!(engine.start_delivery(DeliveryOptions::default()).err().unwrap().kind(), ErrorKind::Locked);
    let got = queues.receive("q", 1, Some(PATIENCE)).unwrap();
    assert!(got[0].body.contains(&format!("<MessageId>{id}</MessageId><Message>hello</Message>")), "{}", got[0].body);
    drop(delivery);
    drop(engine.start_delivery(DeliveryOptions::default()).unwrap());
}
