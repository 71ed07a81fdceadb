//! `POST /store-events`: who may send messages of stores, and what comes of them.

use super::client::{Answer, Running, quiet, raw};
use super::process::{PLACE, started_with};
use crate::follow::wait;
use crate::remote_events::message;
use crate::s3::{BUCKET, Moto, Object, Store, exchanged, send};
use medialith::engine::FollowOptions;
use medialith::model::BindingSpec;
use medialith::server::{EventToken, Options};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const TOKEN: &str = "correct-horse-battery-staple";

fn post(address: SocketAddr, claim: &str, body: &str) -> Answer {
    let claim = if claim.is_empty() { String::new() } else { format!("Authorization: {claim}\r\n") };
    let head = format!("POST /store-events HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    raw(address, format!("{head}{claim}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

/// Lists once and then waits for messages.
fn options() -> Options {
    let hour = Duration::from_secs(3600);
    Options {
        event_token: Some(EventToken::new(TOKEN).unwrap()),
        follow: FollowOptions { list_least: hour, list_most: hour, ..FollowOptions::default() },
        ..quiet()
    }
}

fn bind(running: &Running, url: String) {
    let spec = BindingSpec { source: url, ..BindingSpec::default() };
    running.engine.create_binding("p", "d", "oss://shop", &spec).unwrap();
    let binding = || running.engine.binding("p", "d", "oss://shop").unwrap();
    wait(|| binding().coverage.verified.is_some(), || format!("{:?}", binding()));
}

fn files(running: &Running) -> Vec<String> {
    let files = running.engine.dataset("p", "d").unwrap().scan("", usize::MAX).unwrap();
    files.iter().map(|file| file.uri().to_owned()).collect()
}

#[test]
fn whoever_has_the_token_may_say_what_to_look_at() {
    let running = Running::start(options()).with_dataset();
    let store = Store::start();
    bind(&running, store.url(running.dir.path(), "?"));
    store.put("red flower.txt", Object::new("red"));
    let told = message("ObjectCreated:Put", BUCKET, "red flower.txt");
    let bearer = format!("Bearer {TOKEN}");
    for claim in ["", "Bearer wrong-wrong-wrong", "Basic !!", &format!("{bearer}x")] {
        let answer = post(running.address, claim, &told);
        assert_eq!((answer.status, answer.field("www-authenticate")), (401, Some("Bearer")), "{claim}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(TOKEN));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(files(&running), Vec::<String>::new());
    let answer = post(running.address, &bearer, &told);
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, &said["Named"], &said["Followed"]), (200, &1.into(), &1.into()));
    wait(|| files(&running) == ["oss://shop/red flower.txt"], || format!("{:?}", files(&running)));
    // What is no message is refused, and what is one of something else is not.
    assert_eq!(post(running.address, &bearer, "no").status, 400);
    assert_eq!(post(running.address, &bearer, &" ".repeat((1 << 20) + 1)).status, 413);
    assert_eq!(post(running.address, &bearer, r#"{"Event":"s3:TestEvent","Bucket":"media"}"#).status, 200);
    let get = format!("GET /store-events HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
    assert_eq!(raw(running.address, get.as_bytes()).status, 405);
    running.stop();

    let running = Running::start(quiet());
    assert_eq!(post(running.address, &bearer, &told).status, 404);
    running.stop();
}

#[test]
fn a_server_takes_messages_with_the_token_of_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store) = (tempfile::tempdir().unwrap(), Store::start());
    let token = dir.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let bucket = format!("shop={}", store.url(dir.path(), "?"));
    let more = ["--store-events", token.to_str().unwrap(), "--list-every", "3600", "--bucket", &bucket];
    let (process, client) = started_with(dir.path(), &more);
    let shop = [PLACE[0], PLACE[1], ("URI", "oss://shop")];
    client.ok("CreateBinding", &shop);
    wait(|| client.ok("GetBinding", &shop)["Binding"]["Phase"] == "IncrementalScanning", || "not scanned".to_owned());
    store.put("a/new.txt", Object::new("new"));
    let told = message("ObjectCreated:Put", BUCKET, "a/new.txt");
    assert_eq!(post(client.address, &format!("Bearer {TOKEN}"), &told).status, 200);
    let file = [PLACE[0], PLACE[1], ("URIs", r#"["oss://shop/a/new.txt"]"#)];
    let found = || client.ok("BatchGetFileMeta", &file)["Files"].as_array().unwrap().len();
    wait(|| found() == 1, || "not found".to_owned());
    process.end();
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("StoreEvents") && !log.contains(TOKEN), "{log}");
}

/// Sends a form to a service of moto, which tells services apart by the scope of the signature.
fn ask(moto: SocketAddr, service: &str, form: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = form.iter().map(|(k, v)| format!("{k}={}", crate::s3::encoded(v, true))).collect();
    let body = pairs.join("&");
    let scope = format!("authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request");
    let kind = "content-type: application/x-www-form-urlencoded";
    let head = format!("POST / HTTP/1.1\r\nhost: {moto}\r\nconnection: close\r\n{scope}\r\n{kind}\r\n");
    exchanged(moto, format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn bound_to_moto(dir: &Path, moto: SocketAddr) -> String {
    format!("s3://{BUCKET}?endpoint=http://{moto}&credentials={}", crate::s3::keys(dir))
}

/// moto tells topics of SNS what happens in its buckets, and these post it to whoever subscribed.
#[test]
fn moto_tells_of_its_objects_through_a_topic() {
    let Some(moto) = Moto::start() else { return };
    let running = Running::start(options()).with_dataset();
    bind(&running, bound_to_moto(running.dir.path(), moto.address));
    let made = ask(moto.address, "sns", &[("Action", "CreateTopic"), ("Version", "2010-03-31"), ("Name", "changes")]);
    let arn = made.split("<TopicArn>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let endpoint = format!("http://any:{TOKEN}@{}/store-events", running.address);
    let subscribe = [
        ("Action", "Subscribe"),
        ("Version", "2010-03-31"),
        ("TopicArn", arn.as_str()),
        ("Protocol", "http"),
        ("Endpoint", &endpoint),
    ];
    assert!(ask(moto.address, "sns", &subscribe).contains("SubscriptionArn"));
    let rules = format!(
        "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TopicConfiguration><Id>c</Id>\
         <Topic>{arn}</Topic><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event></TopicConfiguration>\
         </NotificationConfiguration>"
    );
    assert_eq!(send(moto.address, "PUT", &format!("/{BUCKET}?notification"), &[], rules.as_bytes()), 200);
    let target = format!("/{BUCKET}/d/red%20flower%2B1.txt");
    assert_eq!(send(moto.address, "PUT", &target, &[("content-type", "text/plain")], b"red"), 200);
    wait(|| files(&running) == ["oss://shop/d/red flower+1.txt"], || format!("{:?}", files(&running)));
    assert_eq!(send(moto.address, "DELETE", &target, &[], b""), 204);
    wait(|| files(&running).is_empty(), || format!("{:?}", files(&running)));
    running.stop();
}
