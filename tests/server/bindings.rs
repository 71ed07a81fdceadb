//! Bindings through the API: states, listings, limits, and what deletion leaves.

use super::client::{Client, Running, quiet};
use medialith::server::Role;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PLACE: [(&str, &str); 3] = [("ProjectName", "p"), ("DatasetName", "d"), ("URI", "oss://b")];

fn binding(client: &Client) -> Value {
    client.ok("GetBinding", &PLACE)["Binding"].clone()
}

fn wait(client: &Client, met: impl Fn(&Value, i64) -> bool) {
    let begun = Instant::now();
    loop {
        let dataset = client.ok("GetDataset", &PLACE[..2]);
        let (binding, files) = (binding(client), dataset["Dataset"]["FileCount"].as_i64().unwrap());
        if met(&binding, files) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{binding} {files}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bucket_is_bound_followed_and_let_go() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let files = running.dir.path().join("files");
    std::fs::write(files.join("a.txt"), "one").unwrap();
    std::fs::write(files.join("x.tmp"), "left out").unwrap();
    let exclude = [PLACE[0], PLACE[1], PLACE[2], ("Exclude", r#"["*.tmp"]"#)];
    let made = client.ok("CreateBinding", &exclude)["Binding"].clone();
    assert_eq!((&made["State"], &made["Phase"], &made["Reason"]), (&json!("Ready"), &json!(""), &json!("")));
    assert_eq!((&made["URI"], &made["CreateTime"]), (&json!("oss://b"), &made["UpdateTime"]));
    wait(&client, |b, files| b["Phase"] == "IncrementalScanning" && b["State"] == "Running" && files == 1);
    std::fs::write(files.join("b.txt"), "two").unwrap();
    wait(&client, |_, files| files == 2);
    assert_eq!(client.ok("GetDataset", &PLACE[..2])["Dataset"]["BindCount"], 1);
    let listed = client.ok("ListBindings", &PLACE[..1]);
    assert_eq!((listed["Bindings"].as_array().unwrap().len(), listed.get("NextToken")), (1, None));
    assert_eq!(client.ok("ListBindings", &[PLACE[0], ("URI", "oss://c")])["Bindings"], json!([]));

    client.ok("StopBinding", &[PLACE[0], PLACE[1], PLACE[2], ("Reason", "night")]);
    assert_eq!((&binding(&client)["State"], &binding(&client)["Reason"]), (&json!("Stopped"), &json!("night")));
    std::thread::sleep(Duration::from_millis(400));
    std::fs::write(files.join("c.txt"), "three").unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(client.ok("GetDataset", &PLACE[..2])["Dataset"]["FileCount"], 2);
    client.ok("ResumeBinding", &PLACE);
    wait(&client, |b, files| b["State"] == "Running" && files == 3);

    let file = r#"{"URI":"oss://b/a.txt","CustomId":"by hand"}"#;
    client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", file)]);
    running.indexed();
    client.ok("DeleteBinding", &[PLACE[0], PLACE[1], PLACE[2], ("Cleanup", "true")]);
    assert_eq!(client.ok("GetDataset", &PLACE[..2])["Dataset"]["FileCount"], 1);
    assert_eq!(client.fails("GetBinding", &PLACE).1, "ResourceNotFound");
    running.stop();
}

#[test]
fn what_is_refused() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let fails = |action: &str, uri: &str| client.fails(action, &[PLACE[0], PLACE[1], ("URI", uri)]).1;
    assert_eq!(fails("CreateBinding", "oss://nowhere"), "ResourceNotFound");
    for uri in ["oss://b/key", "b", "http://b", "oss://"] {
        assert_eq!(fails("CreateBinding", uri), "InvalidArgument", "{uri}");
    }
    for action in ["GetBinding", "DeleteBinding", "StopBinding", "ResumeBinding"] {
        assert_eq!(fails(action, "oss://b"), "ResourceNotFound", "{action}");
    }
    client.ok("CreateBinding", &PLACE);
    assert_eq!(fails("CreateBinding", "oss://b"), "ResourceAlreadyExists");
    let bad = [PLACE[0], PLACE[1], ("URI", "oss://b2"), ("Exclude", r#"["/"]"#)];
    assert!(["InvalidArgument", "ResourceNotFound"].contains(&client.fails("CreateBinding", &bad).1.as_str()));
    let reader = running.client_as(Role::Index, &["p"]);
    assert_eq!(reader.fails("DeleteBinding", &PLACE).1, "NoPermission");
    running.stop();
}
