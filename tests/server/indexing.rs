//! Indexing through the API: documents appear, states are told, restarts lose nothing, quotas hold.

use super::client::{Client, Running, open, quiet};
use serde_json::{Value, json};

const PLACE: [(&str, &str); 2] = [("ProjectName", "p"), ("DatasetName", "d")];

fn get(running: &Running, uri: &str) -> Value {
    let answer = running.client().ok("GetFileMeta", &[PLACE[0], PLACE[1], ("URI", uri)]);
    assert_eq!(answer["Files"].as_array().unwrap().len(), 1);
    answer["Files"][0].clone()
}

/// The smallest PNG that has a header: 3 by 2 pixels (PNG, section 11.2.2).
fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0".to_vec();
    let sum = crc32(&bytes[12..29]);
    bytes.extend_from_slice(&sum);
    bytes.extend_from_slice(b"\0\0\0\0IEND\xaeB`\x82");
    bytes
}

/// CRC-32 of a PNG chunk, bit by bit (PNG, annex D).
fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let crc = !crc;
    [24, 16, 8, 0].map(|shift| (crc >> shift) as u8)
}

#[test]
fn a_file_is_read_and_its_caller_heard() {
    let running = Running::start(quiet()).with_dataset();
    let files = running.dir.path().join("files");
    std::fs::create_dir(files.join("sub")).unwrap();
    std::fs::write(files.join("sub/a b.png"), png()).unwrap();
    let client = running.client();
    // As the Python SDK sends it: unset lists are empty arrays.
    let file = r#"{"Addresses":[],"CustomId":"c","CustomLabels":{"k":"v"},"Figures":[],"Labels":[],"Title":"mine","URI":"oss://b/sub/a b.png"}"#;
    let answer = client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", file), ("UserData", "u")]);
    assert!(answer["EventId"].as_str().unwrap().len() > 20);
    running.indexed();
    let document = get(&running, "oss://b/sub/a b.png");
    for (name, value) in [
        ("ImageWidth", json!(3)),
        ("ImageHeight", json!(2)),
        ("ContentType", json!("image/png")),
        ("MediaType", json!("image")),
        ("Title", json!("mine")),
        ("CustomLabels", json!({"k": "v"})),
        ("Filename", json!("sub/a b.png")),
        ("ObjectStatus", json!("Indexed")),
        ("Size", json!(png().len())),
        ("DatasetName", json!("d")),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let found = client.ok("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", "mine sub"), ("WithFields", r#"["URI"]"#)]);
    assert_eq!((&found["TotalHits"], &found["Files"]), (&json!(1), &json!([{"URI": "oss://b/sub/a b.png"}])));
    // Again, with nothing said: what the caller gave stays.
    client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", r#"{"URI":"oss://b/sub/a b.png"}"#)]);
    running.indexed();
    let again = get(&running, "oss://b/sub/a b.png");
    assert_eq!((&again["CustomId"], again.get("Title")), (&json!("c"), None));
    assert_eq!((&again["ObjectId"], &again["CreateTime"]), (&document["ObjectId"], &document["CreateTime"]));
    let detected = client.ok("DetectMediaMeta", &[PLACE[0], ("SourceURI", "oss://b/sub/a b.png")]);
    assert_eq!(detected["Size"], json!(png().len()));
    assert_eq!(client.fails("DetectMediaMeta", &[PLACE[0], ("SourceURI", "oss://b/nope")]).1, "InvalidArgument");
    running.stop();
}

#[test]
fn what_cannot_be_read_says_so() {
    let running = Running::start(quiet()).with_dataset();
    std::os::unix::fs::symlink("/etc/passwd", running.dir.path().join("files/link")).unwrap();
    let client = running.client();
    let files =
        r#"[{"URI":"oss://b/absent"},{"URI":"oss://b/../db.key"},{"URI":"oss://b/link"},{"URI":"oss://other/x"}]"#;
    client.ok("BatchIndexFileMeta", &[PLACE[0], PLACE[1], ("Files", files)]);
    running.indexed();
    for uri in ["oss://b/absent", "oss://b/../db.key", "oss://b/link", "oss://other/x"] {
        let document = get(&running, uri);
        assert_eq!(document["ObjectStatus"], "Failed", "{uri}");
        assert_eq!(document["Reason"], "[InvalidArgument] File does not exist.", "{uri}");
        assert_eq!(document.get("Size"), None);
    }
    running.stop();
}

#[test]
fn what_is_refused_at_once() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let many: Vec<Value> = (0..101).map(|n| json!({"URI": format!("oss://b/{n}")})).collect();
    let (many, long) = (json!(many).to_string(), "x".repeat(2049));
    let labels: serde_json::Map<String, Value> = (0..101).map(|n| (n.to_string(), json!("v"))).collect();
    let labelled = json!({"URI": "oss://b/x", "CustomLabels": labels}).to_string();
    for (name, value) in
        [("Files", many.as_str()), ("Files", "[]"), ("Files", r#"[{"URI":"http://h/x"}]"#), ("Files", "{}")]
    {
        assert_eq!(
            client.fails("BatchIndexFileMeta", &[PLACE[0], PLACE[1], (name, value)]).1,
            "InvalidArgument",
            "{value:.60}"
        );
    }
    // What newer SDKs may send is left out, also within members.
    let newer = r#"{"URI":"oss://b/newer","New":{},"Labels":[{"LabelName":"sea","New":1,"Clips":[{"TimeRange":[1,2]}]}],"Figures":[],"CustomLabels":{"k":"v"}}"#;
    client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", newer)]);
    running.indexed();
    let labels = json!([{"LabelName": "sea", "Clips": [{"TimeRange": [1, 2]}]}]);
    assert_eq!(get(&running, "oss://b/newer")["Labels"], labels);
    client.ok("DeleteFileMeta", &[PLACE[0], PLACE[1], ("URI", "oss://b/newer")]);
    for file in [
        labelled.as_str(),
        r#"{"URI":"oss://b/x","MediaType":"picture"}"#,
        r#"{"URI":"oss://b/x","LatLong":"x"}"#,
        "{}",
    ] {
        assert_eq!(
            client.fails("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", file)]).1,
            "InvalidArgument",
            "{file:.60}"
        );
    }
    let file = ("File", r#"{"URI":"oss://b/x","Unknown":1}"#);
    assert_eq!(client.fails("IndexFileMeta", &[PLACE[0], PLACE[1], file, ("UserData", &long)]).1, "InvalidArgument");
    assert_eq!(client.fails("IndexFileMeta", &[PLACE[0], ("DatasetName", "e"), file]).0, 404);
    client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], file]);
    client.ok("UpdateDataset", &[PLACE[0], PLACE[1], ("DatasetMaxFileCount", "1")]);
    running.indexed();
    let more = ("File", r#"{"URI":"oss://b/y"}"#);
    assert_eq!(client.fails("IndexFileMeta", &[PLACE[0], PLACE[1], more]).1, "LimitExceededError");
    client.ok("IndexFileMeta", &[PLACE[0], PLACE[1], file]);
    running.stop();
}

#[test]
fn accepted_work_survives_a_restart() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let files = running.dir.path().join("files");
    for n in 0..300 {
        std::fs::write(files.join(format!("{n:03}.txt")), "text").unwrap();
    }
    for call in 0..3 {
        let batch: Vec<Value> =
            (0..100).map(|n| json!({"URI": format!("oss://b/{:03}.txt", call * 100 + n)})).collect();
        client.ok("BatchIndexFileMeta", &[PLACE[0], PLACE[1], ("Files", &json!(batch).to_string())]);
    }
    // Wherever the indexer is now, the rest is done after the restart.
    let (dir, admin) = running.stop();
    let engine = open(dir.path());
    let running = Running::serve(dir, engine, admin, quiet());
    running.indexed();
    let dataset = running.client().ok("GetDataset", &PLACE);
    assert_eq!((&dataset["Dataset"]["FileCount"], &dataset["Dataset"]["TotalFileSize"]), (&json!(300), &json!(1200)));
    running.stop();
}

/// Asks for new files to be indexed until the server refuses; answers those that it accepted.
fn index_until_refused(client: &Client, writer: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    loop {
        let uri = format!("oss://b/{writer}/{}", accepted.len());
        let file = json!({"URI": uri}).to_string();
        let sent = client.try_call("IndexFileMeta", &[PLACE[0], PLACE[1], ("File", &file)]);
        match sent {
            Some(answer) if answer.status == 200 => accepted.push(uri),
            _ => return accepted,
        }
    }
}

#[test]
fn an_end_under_load_loses_nothing_that_was_acknowledged() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let client = client.clone();
            std::thread::spawn(move || index_until_refused(&client, writer))
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let (dir, admin) = running.stop();
    let accepted: Vec<String> = writers.into_iter().flat_map(|w| w.join().unwrap()).collect();
    assert!(accepted.len() > 20, "{}", accepted.len());
    let engine = open(dir.path());
    let running = Running::serve(dir, engine, admin, quiet());
    running.indexed();
    let found = running.engine.dataset("p", "d").unwrap().get_many(&accepted, &[]).unwrap();
    assert_eq!(found.len(), accepted.len());
    running.stop();
}
