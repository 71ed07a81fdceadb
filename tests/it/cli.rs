//! The real command, verb by verb, with the bad input that people give it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A database in a folder of its own.
struct Desk {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medialith"));
        command.args(args).env_clear().env("MEDIALITH_DB", self.path("db"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        finished(self.command(args).output().unwrap())
    }

    /// Runs with `input` on standard input.
    fn feed(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A command may end before it has read everything.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let run = finished(child.wait_with_output().unwrap());
        writer.join().unwrap();
        run
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn finished(output: Output) -> Run {
    let run = Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!run.err.contains("panicked"), "{run:?}");
    run
}

impl Run {
    /// The command did what was asked.
    fn ok(self) -> Run {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// The command ended with this code and said why, in words.
    fn fails(self, code: i32, named: &str) -> Run {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.contains(named), "expected {named:?} in {self:?}");
        self
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample")
}

const TWO: &str = "{\"URI\":\"oss://b/a.jpg\",\"Title\":\"Old harbour\",\"Size\":10}\n{\"URI\":\"oss://b/z.jpg\",\"Title\":\"New harbour\",\"Size\":20}\n";

#[test]
fn import_reports_bad_lines_and_stores_the_rest() {
    let desk = Desk::new();
    let input =
        format!("{TWO}\nnot json\n{{\"URI\":\"http://x/y\"}}\n{{\"URI\":\"oss://b/k\",\"Size\":\"x\"}}\n\u{fffd}\n");
    let path = desk.write("in.jsonl", input.as_bytes());
    let run = desk.run(&["import", &path]).fails(3, "4 lines not stored");
    for line in ["in.jsonl:4: not a File document", "in.jsonl:5: URI: expected oss://", "in.jsonl:6:", "in.jsonl:7:"] {
        assert!(run.err.contains(line), "{line}: {run:?}");
    }
    assert!(run.err.contains("2 documents stored"), "{run:?}");
    assert_eq!(desk.run(&["export"]).ok().out.lines().count(), 2);
}

#[test]
fn import_from_standard_input_and_compressed() {
    let desk = Desk::new();
    let quiet = desk.feed(&["import", "--quiet", "-"], TWO.as_bytes()).ok();
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let frame = ruzstd::encoding::compress_to_vec(
        TWO.replace("oss://b", "oss://c").as_bytes(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    desk.run(&["import", &desk.write("in.zst", &frame)]).ok();
    assert_eq!(desk.run(&["export"]).ok().out.lines().count(), 4);
    let broken = desk.write("cut.zst", &frame[..frame.len() - 5]);
    desk.run(&["import", broken.as_str()]).fails(1, "cut.zst");
    let twice = [desk.write("good.jsonl", TWO.as_bytes()), broken];
    desk.run(&["import", &twice[0], &twice[1]]).fails(1, "2 documents stored before this failed");
    desk.run(&["import", "/no/such/file"]).fails(1, "/no/such/file");
    desk.run(&["import", "/"]).fails(2, "folder");
}

#[test]
fn export_is_what_import_reads() {
    let (one, two) = (Desk::new(), Desk::new());
    one.run(&["index", "--bucket", "sample", sample().to_str().unwrap()]).ok();
    let exported = one.run(&["export"]).ok().out;
    assert!(exported.lines().count() >= 25, "{exported}");
    two.feed(&["import", "-"], exported.as_bytes()).ok();
    let again = two.run(&["export"]).ok().out;
    let without_times = |text: &str| -> Vec<serde_json::Value> {
        let document = |line: &str| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            for member in ["CreateTime", "UpdateTime"] {
                value.as_object_mut().unwrap().remove(member);
            }
            value
        };
        text.lines().map(document).collect()
    };
    assert_eq!(without_times(&exported), without_times(&again));
}

#[test]
fn index_finds_the_sample_in_every_script() {
    let desk = Desk::new();
    let folder = sample();
    let folder = folder.to_str().unwrap();
    let run = desk.run(&["index", "--bucket", "sample", folder]).ok();
    assert!(run.out.contains("image") && run.out.contains("audio") && run.out.contains("video"), "{run:?}");
    let uris = |text: &str| -> Vec<String> {
        let answer = desk.run(&["search", "--json", "--limit", "200", "--fields", "URI", text]).ok().json();
        let files = answer["Files"].as_array().unwrap().clone();
        assert_eq!(answer["TotalHits"], files.len());
        files.iter().map(|f| f["URI"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(uris("ferry"), ["oss://sample/documents/shots.csv", "oss://sample/videos/ferry.mp4"]);
    assert!(uris("\u{65e5}\u{843d}").iter().any(|u| u.ends_with("\u{897f}\u{6e56}\u{65e5}\u{843d}.jpg")));
    assert_eq!(uris("\u{6e56}").len(), 1, "one character is enough");
    assert_eq!(uris("ELECTRICO"), ["oss://sample/photos/2024/Lisboa/El\u{e9}ctrico 28.jpg"]);
    assert_eq!(uris("ferryx qqq"), Vec::<String>::new());
    let table = desk.run(&["search", "midnight"]).ok().out;
    assert!(table.contains("[Midnight]") && table.contains("oss://sample/"), "{table}");
    let again = desk.run(&["index", "--bucket", "sample", folder]).ok();
    assert!(again.out.contains("unchanged"), "{again:?}");
}

#[test]
fn index_names_what_it_cannot_read() {
    let desk = Desk::new();
    desk.run(&["index", "/no/such/folder"]).fails(4, "/no/such/folder");
    desk.run(&["index", "--bucket", "no good", sample().to_str().unwrap()]).fails(2, "no good");
    std::fs::create_dir(desk.path("in")).unwrap();
    desk.write("in/broken.jpg", b"\xff\xd8\xff\xe1\xff\xffExif\0\0MM");
    desk.write("in/empty.mp4", b"");
    desk.run(&["index", desk.path("in").to_str().unwrap()]).ok();
    assert_eq!(desk.run(&["export"]).ok().out.lines().count(), 2, "every file has its record");
}

#[test]
fn inspect_shows_documents_facts_and_what_was_read() {
    let desk = Desk::new();
    let page = desk.write("page.html", b"<title>Harbour</title><p>lights at night");
    let run = desk.run(&["inspect", "--json", "--facts", "--hash", "md5", "--crc64", &page]).ok();
    let found: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(found["File"]["Title"], "Harbour");
    assert_eq!(found["File"]["DocumentContent"], "lights at night");
    assert_eq!(found["File"]["FileHash"].as_str().map(str::len), Some(32));
    assert_eq!(found["Ranges"][0], serde_json::json!([0, 40]));
    let facts = found["Facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["Group"] == "Document" && fact["Tag"] == "Title" && fact["Format"] == "html"));
    let short = desk.run(&["inspect", "--text", "0", &page]).ok();
    assert!(short.out.contains("Harbour") && !short.out.contains("lights") && short.out.contains("read 40 B of 40 B"));
    let damaged = desk.write("cut.pdf", b"%PDF-1.4\nnothing else");
    let run = desk.run(&["inspect", &damaged, "/nonexistent"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.out.contains("warning: pdf at byte") && run.err.contains("/nonexistent"), "{run:?}");
    assert_eq!(desk.run(&["inspect", "/nonexistent"]).code, 4);
    assert!(!desk.path("db").exists(), "inspect needs no database");
}

#[test]
fn index_finds_files_by_the_words_in_them() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("notes")).unwrap();
    desk.write("notes/note.txt", b"The ferry leaves the harbour at noon.");
    let folder = desk.path("notes").to_str().unwrap().to_owned();
    desk.run(&["index", &folder, "--bucket", "b", "--hash", "partial"]).ok();
    assert!(desk.run(&["search", "ferry leaves"]).ok().out.contains("note.txt"));
    let document = desk.run(&["get", "oss://b/note.txt"]).ok().out;
    assert!(document.contains("\"FileHash\":\"partial:"), "{document}");
}

#[test]
fn get_and_rm() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let got = desk.run(&["get", "oss://b/a.jpg", "--fields", "Title,Size"]).ok();
    assert_eq!(got.json(), serde_json::json!({"Title": "Old harbour", "Size": 10}));
    let partly = desk.run(&["get", "oss://b/nope", "oss://b/z.jpg"]).fails(4, "oss://b/nope");
    assert!(partly.out.contains("New harbour"));
    desk.run(&["get", "oss://b/a.jpg", "--fields", "Nope"]).fails(2, "unknown field \"Nope\"");
    desk.run(&["get", "not a uri"]).fails(2, "expected oss://bucket/key");
    let removed = desk.run(&["rm", "oss://b/a.jpg", "oss://b/never-there"]).ok();
    assert!(removed.err.contains("1 file forgotten"), "{removed:?}");
    assert_eq!(desk.feed(&["rm", "-"], b"oss://b/z.jpg\n").ok().err, "1 file forgotten\n");
    assert_eq!(desk.run(&["export"]).ok().out, "");
}

#[test]
fn search_pages_sorts_and_refuses() {
    let desk = Desk::new();
    let many: String = (0..450).map(|n| format!("{{\"URI\":\"oss://b/{n:03}.jpg\",\"Size\":{}}}\n", n % 7)).collect();
    desk.feed(&["import", "-"], many.as_bytes()).ok();
    let all = desk.run(&["search", "--json", "--limit", "1000", "--sort", "Size", "--order", "asc", "jpg"]).ok().json();
    let sizes: Vec<i64> = all["Files"].as_array().unwrap().iter().map(|f| f["Size"].as_i64().unwrap()).collect();
    assert!(sizes.len() == 450 && sizes.is_sorted() && all["TotalHits"] == 450 && all["NextToken"] == "");
    let first = desk.run(&["search", "--json", "-n", "3", "jpg"]).ok().json();
    let token = first["NextToken"].as_str().unwrap();
    let second = desk.run(&["search", "--json", "-n", "1", "--next", token, "jpg"]).ok().json();
    assert_eq!(second["Files"][0]["URI"], "oss://b/003.jpg");
    desk.run(&["search", "--next", token, "other"]).fails(2, "token");
    desk.run(&["search", "--next", "garbage", "jpg"]).fails(2, "token");
    desk.run(&["search", ""]).fails(2, "");
    desk.run(&["search"]).fails(2, "TEXT");
    desk.run(&["search", "--sort", "Nope", "x"]).fails(2, "Nope");
    desk.run(&["search", "--sort", "Size", "--order", "up", "x"]).fails(2, "up");
    let table = desk.run(&["search", "-n", "2", "jpg"]).ok().out;
    assert!(table.contains("450 files, 2 shown") && table.contains("next page: --next "), "{table}");
}

#[test]
fn query_answers_line_by_line() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let long = format!("{{\"Action\":\"GetFileMeta\",\"URI\":\"oss://b/{}\"}}", "x".repeat(1 << 20));
    let requests = [
        r#"{"Action":"FuzzyQuery","Query":"harbour","Sort":"Size","WithFields":["URI"]}"#,
        r#"{"Action":"FuzzyQuery","Query":"old","WithFields":"[\"Title\"]","WithoutTotalHits":true}"#,
        r#"{"Action":"GetFileMeta","URI":"oss://b/a.jpg","WithFields":["Title"]}"#,
        r#"{"Action":"BatchGetFileMeta","URIs":["oss://b/z.jpg","oss://b/none","oss://b/a.jpg"],"WithFields":["URI"]}"#,
        r#"{"Action":"GetFileMeta","URI":"oss://b/none"}"#,
        r#"{"Action":"FuzzyQuery","Query":""}"#,
        r#"{"Action":"FuzzyQuery","Query":"x","MaxResults":201}"#,
        r#"{"Action":"FuzzyQuery","Query":"x","DatasetName":"none"}"#,
        r#"{"Action":"Nope"}"#,
        "[]",
        &long,
    ];
    let run = desk.feed(&["query", "--stdin"], requests.join("\n").as_bytes());
    assert_eq!(run.code, 3, "{run:?}");
    let answers: Vec<serde_json::Value> = run.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), requests.len());
    assert!(answers.iter().all(|a| a["ElapsedMicros"].is_u64()));
    assert_eq!(answers[0]["Files"], serde_json::json!([{"URI": "oss://b/z.jpg"}, {"URI": "oss://b/a.jpg"}]));
    assert_eq!((&answers[0]["TotalHits"], answers[0].get("NextToken")), (&serde_json::json!(2), None));
    assert_eq!(
        (answers[1]["Files"].to_string(), answers[1].get("TotalHits")),
        (r#"[{"Title":"Old harbour"}]"#.into(), None)
    );
    assert_eq!(answers[2]["Files"], serde_json::json!([{"Title": "Old harbour"}]));
    assert_eq!(answers[3]["Files"], serde_json::json!([{"URI": "oss://b/z.jpg"}, {"URI": "oss://b/a.jpg"}]));
    let codes: Vec<&str> = answers[4..].iter().map(|a| a["Code"].as_str().unwrap()).collect();
    let (missing, invalid) = ("ResourceNotFound", "InvalidArgument");
    assert_eq!(codes, [missing, invalid, invalid, missing, invalid, invalid, invalid]);
}

/// Six files with what conditions ask for.
const SIX: &str = r#"{"URI":"oss://b/a.jpg","Title":"Old harbour","Size":1000,"MediaType":"image","ProduceTime":"2024-05-03T08:00:00Z","Labels":[{"LabelName":"beach","LabelConfidence":0.9}],"LatLong":"30.250000,120.100000"}
{"URI":"oss://b/b.jpg","Title":"New harbour","Size":20000000,"MediaType":"image","ProduceTime":"2024-06-30T23:59:59Z","Labels":[{"LabelName":"beach","LabelConfidence":0.2},{"LabelName":"sky","LabelConfidence":0.9}],"CustomLabels":{"album":"trash"}}
{"URI":"oss://b/c.mp4","Title":"North Sea ferry","Size":5000,"MediaType":"video","ProduceTime":"2024-07-01T00:00:00Z","VideoWidth":3840,"Duration":5400.5}
{"URI":"oss://b/d.mp3","Title":"sea of the north","Size":7000,"MediaType":"audio"}
{"URI":"oss://b/e.jpg","Size":3000,"MediaType":"image","ImageWidth":4000}
{"URI":"oss://b/f.txt","Title":"harbor notes","MediaType":"document"}
"#;

#[test]
fn search_reads_the_query_language() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], SIX.as_bytes()).ok();
    let names = |args: &[&str]| -> String {
        let answer = desk.run(&[&["search", "--json"][..], args].concat()).ok().json();
        let uris = answer["Files"].as_array().unwrap().iter().map(|f| f["URI"].as_str().unwrap()[8..9].to_owned());
        uris.collect()
    };
    for (args, expected) in [
        (&["harbour", "type:image"][..], "ab"),
        (&["mediatype:image size>10MB label:beach"], "b"),
        (&["--", "date:2024-05..2024-06", "-custom.album:trash"], "a"),
        (&["label(name:beach confidence>0.5)"], "a"),
        (&["near:30.25,120.1,5km or width>=4000"], "ae"),
        (&["width>=3840"], "ce"),
        (&["duration>1h30m"], "c"),
        (&["not has:title"], "e"),
        (&["title:\"north sea\""], "c"),
        (&["\"north sea\""], "c"),
        (&["north sea"], "cd"),
        (&["ext:JPG not type:video size<=3KB"], "ae"),
        (&["--where", "type:image or type:video", "sea"], "c"),
        (&["--where", r#"{"Operation":"gt","Field":"Size","Value":"6999"}"#, "--where=-type:audio"], "b"),
        (&["--where", "harbour"], "ab"),
        // Typos are a fall-back of the text alone.
        (&["harbr type:document"], "f"),
        (&["--typos", "off", "harbr type:document"], ""),
        (&["--sort", "Size", "--order", "desc", "has:size type:image"], "bea"),
    ] {
        assert_eq!(names(args), expected, "{args:?}");
    }
    for (args, code, why) in [
        (&["size>ten"][..], 2, "at character 6: Size: expected a number"),
        (&["size>ten"], 2, "\n  size>ten\n       ^"),
        (&["x", "--where", "colour:red"], 2, "unknown field \"colour\""),
        (&["--where", "{}"], 2, "expected an Operation"),
        (&["--group", "nope"], 2, "unknown field \"nope\""),
        (&["--group", "width"], 2, "ImageWidth, VideoWidth"),
        (&["--aggregate", "size"], 2, "FIELD:OP"),
        (&["--aggregate", "title:sum"], 2, "does not fit"),
        (&["--histogram", "date:week"], 2, "year, month, day or hour"),
        (&["--ranges", "size:a"], 2, "expected a number"),
        (&["x", "--highlight"], 2, "--json"),
    ] {
        desk.run(&[&["search"][..], args].concat()).fails(code, why);
    }
}

#[test]
fn search_computes_draws_marks_and_explains() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], SIX.as_bytes()).ok();
    let asked =
        ["search", "--group", "type", "--aggregate", "size:sum", "--histogram", "date:month", "--ranges", "size:5KB"];
    let drawn = desk.run(&asked).ok().out;
    for line in
        ["group MediaType", "sum Size: 20,016,000 (19.1 MiB)", "histogram-month ProduceTime", "ranges Size", "6 files"]
    {
        assert!(drawn.lines().any(|l| l == line), "{line}\n{drawn}");
    }
    let full = "\u{2588}".repeat(40);
    for (label, count) in [("image", 3), ("2024-05", 1), ("5000..", 3)] {
        let shown = drawn.lines().any(|l| l.split_whitespace().eq([label, &count.to_string(), &full]));
        assert!(shown, "{label}\n{drawn}");
    }
    let json = desk.run(&[&asked[..], &["--json", "harbour or sea"]].concat()).ok().json();
    assert_eq!(json["TotalHits"], 4);
    let groups = serde_json::json!([{"Value": "image", "Count": 2}, {"Value": "audio", "Count": 1}, {"Value": "video", "Count": 1}]);
    assert_eq!(
        json["Aggregations"][0],
        serde_json::json!({"Field": "MediaType", "Operation": "group", "Groups": groups})
    );
    assert_eq!(
        json["Aggregations"][1],
        serde_json::json!({"Field": "Size", "Operation": "sum", "Value": 20_013_000.0})
    );
    let marked = desk.run(&["search", "--json", "--highlight", "label:beach old"]).ok().json();
    let expected = serde_json::json!([[
        {"Field": "Labels.LabelName", "Element": 0, "Ranges": [[0, 5]]},
        {"Field": "Title", "Element": null, "Ranges": [[0, 3]]},
    ]]);
    assert_eq!(marked["Highlights"], expected);
    let table = desk.run(&["search", "label:beach old"]).ok().out;
    assert!(table.contains("Labels.LabelName: [beach]") && table.contains("1 file"), "{table}");
    let told = desk.run(&["search", "--explain", "harbour type:image"]).ok().out;
    assert!(
        told.contains("MediaType eq \"image\"") && told.contains("actual") && told.ends_with("2 files\n"),
        "{told}"
    );
    let told = desk.run(&["search", "--explain", "--json", "harbour type:image"]).ok().json();
    assert!(told["Explanation"]["Steps"].as_array().unwrap().len() >= 3 && told["TotalHits"] == 2, "{told}");
}

#[test]
fn query_answers_trees_and_aggregations() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], SIX.as_bytes()).ok();
    let tree = r#"{"Operation":"and","SubQueries":[{"Operation":"eq","Field":"MediaType","Value":"image"},{"Operation":"lt","Field":"Size","Value":"5000"}]}"#;
    let text = serde_json::to_string(tree).unwrap();
    let requests = [
        format!(r#"{{"Action":"SimpleQuery","Query":{tree},"Sort":"Size","WithFields":["URI"]}}"#),
        format!(r#"{{"Action":"SimpleQuery","Query":{text},"Sort":"MediaType,Size","Order":"asc","MaxResults":1,"WithFields":["URI"]}}"#),
        r#"{"Action":"SimpleQuery","Aggregations":[{"Field":"MediaType","Operation":"group"},{"Field":"Size","Operation":"max"}],"MaxResults":1}"#.into(),
        r#"{"Action":"SimpleQuery","WithoutTotalHits":true,"MaxResults":2,"WithFields":["URI"]}"#.into(),
        format!(r#"{{"Action":"FuzzyQuery","Query":"harbour","Filter":{tree},"Highlight":true,"WithFields":["Title"]}}"#),
        r#"{"Action":"FuzzyQuery","Query":"harbour","Filter":"size>1MB","WithFields":["URI"],"Explain":true}"#.into(),
        r#"{"Action":"SimpleQuery","MaxResults":101}"#.into(),
        r#"{"Action":"SimpleQuery","Query":"not a tree"}"#.into(),
    ];
    let run = desk.feed(&["query", "--stdin"], requests.join("\n").as_bytes());
    let answers: Vec<serde_json::Value> = run.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), requests.len());
    let uris = |at: usize| -> Vec<&str> {
        answers[at]["Files"].as_array().unwrap().iter().map(|f| f["URI"].as_str().unwrap()).collect()
    };
    assert_eq!((uris(0), &answers[0]["TotalHits"]), (vec!["oss://b/e.jpg", "oss://b/a.jpg"], &serde_json::json!(2)));
    assert_eq!(uris(1), ["oss://b/e.jpg"]);
    let token = answers[1]["NextToken"].as_str().unwrap();
    let next = requests[1].replace(r#""MaxResults":1"#, &format!(r#""MaxResults":1,"NextToken":"{token}""#));
    let next = desk.feed(&["query", "--stdin"], next.as_bytes()).ok().json();
    assert_eq!((&next["Files"][0]["URI"], next.get("NextToken")), (&serde_json::json!("oss://b/a.jpg"), None));
    let aggregations = serde_json::json!([
        {"Field": "MediaType", "Operation": "group", "Groups": [{"Value": "image", "Count": 3}]},
        {"Field": "Size", "Operation": "max", "Value": 20_000_000.0},
    ]);
    assert_eq!((&answers[2]["Aggregations"], answers[2].get("Files")), (&aggregations, None));
    assert_eq!((uris(3).len(), answers[3].get("TotalHits")), (2, None));
    assert_eq!(answers[4]["Files"], serde_json::json!([{"Title": "Old harbour"}]));
    assert_eq!(
        answers[4]["Highlights"],
        serde_json::json!([[{"Field": "Title", "Element": null, "Ranges": [[4, 11]]}]])
    );
    assert_eq!(uris(5), ["oss://b/b.jpg"]);
    assert!(answers[5]["Explanation"]["Steps"].is_array(), "{}", answers[5]);
    assert!(answers[6..].iter().all(|a| a["Code"] == "InvalidArgument"), "{answers:?}");
}

#[test]
fn no_database_and_no_such_names() {
    let desk = Desk::new();
    for args in
        [&["search", "x"][..], &["get", "oss://b/k"], &["export"], &["stats"], &["check"], &["query", "--stdin"]]
    {
        desk.run(args).fails(4, "there is no database in");
    }
    assert!(!desk.path("db").exists(), "reading creates nothing");
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    desk.run(&["--dataset", "other", "search", "x"]).fails(4, "other");
    desk.run(&["--project", "other", "search", "x"]).fails(4, "other");
    desk.feed(&["--project", "1bad", "import", "-"], TWO.as_bytes()).fails(2, "1bad");
    desk.run(&["--memory", "lots", "stats"]).fails(2, "lots");
    desk.run(&["frobnicate"]).fails(2, "frobnicate");
    let help = desk.run(&["--help"]).ok().out;
    assert!(help.contains("Exit codes:") && help.contains("MEDIALITH_DB"), "{help}");
}

#[test]
fn a_folder_that_is_no_database() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("db")).unwrap();
    desk.write("db/holiday.txt", b"mine");
    let run = desk.run(&["search", "x"]);
    assert!([1, 2, 4, 6].contains(&run.code) && run.err.contains("db"), "{run:?}");
    let run = desk.feed(&["import", "-"], TWO.as_bytes());
    assert!(run.code != 0 && run.err.contains("db"), "{run:?}");
    let left: Vec<_> = std::fs::read_dir(desk.path("db")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["holiday.txt"], "nothing of ours appears in a foreign folder");
}

/// An `import` that waits for its input and surely holds the database: its number stands in the lock file.
fn holder(desk: &Desk) -> Child {
    let mut child = desk.command(&["import", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let pid = child.id().to_string();
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::fs::read_to_string(desk.path("db/LOCK")).is_ok_and(|text| text.trim() != pid) {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no lock was taken");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_second_process_is_told_who_has_the_database() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let mut child = holder(&desk);
    desk.feed(&["import", "-"], TWO.as_bytes()).fails(5, &child.id().to_string());
    desk.run(&["search", "harbour"]).fails(5, "in use");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    desk.run(&["check"]).ok();
}

#[test]
fn readers_share_the_database() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let mut child = desk.command(&["query", "--stdin"]).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{{\"Action\":\"FuzzyQuery\",\"Query\":\"harbour\"}}").unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    assert!(desk.run(&["search", "harbour"]).ok().out.contains("2 files"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let desk = Desk::new();
    let many: String =
        (0..20_000).map(|n| format!("{{\"URI\":\"oss://b/{n:05}-{}.jpg\"}}\n", "x".repeat(50))).collect();
    desk.feed(&["import", "-"], many.as_bytes()).ok();
    let mut child = desk.command(&["export"]).spawn().unwrap();
    drop(child.stdout.take());
    let run = finished(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
}

#[test]
fn import_stops_cleanly_when_asked() {
    let desk = Desk::new();
    let mut child = desk.command(&["import", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let many: String = (0..10_000).map(|n| format!("{{\"URI\":\"oss://b/{n:05}.jpg\"}}\n")).collect();
    child.stdin.as_mut().unwrap().write_all(many.as_bytes()).unwrap();
    // The batch is whole, so it is stored although the input stays open.
    std::thread::sleep(Duration::from_secs(2));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    let stdin = child.stdin.take();
    let run = finished(child.wait_with_output().unwrap());
    drop(stdin);
    run.fails(130, "10,000 documents stored");
    assert_eq!(desk.run(&["export"]).ok().out.lines().count(), 10_000);
}

#[test]
fn stats_check_backup_and_completions() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let stats = desk.run(&["stats", "--json"]).ok().json();
    assert_eq!(stats["FileCount"], 2, "{stats}");
    assert!(desk.run(&["stats"]).ok().out.contains("files"));
    desk.run(&["check"]).ok();
    let copy = desk.path("copy");
    let copy = copy.to_str().unwrap();
    desk.run(&["backup", copy]).ok();
    desk.run(&["rm", "oss://b/a.jpg"]).ok();
    assert_eq!(desk.run(&["--db", copy, "export"]).ok().out.lines().count(), 2);
    desk.run(&["--db", copy, "check"]).ok();
    let again = desk.run(&["backup", copy]);
    assert!(again.code != 0 && again.err.contains("copy"), "{again:?}");
    assert!(desk.run(&["completions", "bash"]).ok().out.contains("_medialith"));
}

#[test]
fn a_damaged_database_says_so() {
    let desk = Desk::new();
    desk.feed(&["import", "-"], TWO.as_bytes()).ok();
    let current = desk.path("db");
    let mut damaged = 0;
    for entry in walk(&current) {
        if entry.file_name().unwrap().to_str().unwrap().starts_with("MANIFEST") {
            std::fs::write(&entry, b"nonsense").unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0, "the database keeps a manifest");
    let run = desk.run(&["search", "harbour"]);
    assert!(run.code != 0 && !run.err.is_empty(), "{run:?}");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn films_are_labelled_after_their_documents() {
    let desk = Desk::new();
    let films = desk.path("films");
    std::fs::create_dir(&films).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos/ferry.mp4");
    std::fs::copy(sample, films.join("ferry.mp4")).unwrap();
    let folder = films.to_str().unwrap();
    let later = desk.run(&["index", "--template", "medialith:Visual", "--films-later", folder]).ok();
    assert!(!later.out.contains("labelled"), "{later:?}");
    let waiting = desk.run(&["search", "ops.LabelClassification.state:waiting"]).ok();
    assert!(waiting.out.contains("ferry.mp4"), "{waiting:?}");
    // Nothing has changed, and the film is looked at all the same.
    let run = desk.run(&["index", folder]).ok();
    assert!(run.out.contains("1 film labelled\n"), "{run:?}");
    let found = desk.run(&["search", "--json", "scene(label:Appearance end<=3000)"]).ok();
    assert!(found.out.contains("\"TimeRange\":[0,3000]"), "{found:?}");
    let bucket = format!("films={folder}");
    let again = desk.run(&["reprocess", "--bucket", &bucket, "--where", "ops.LabelClassification.state:done"]).ok();
    assert!(again.out.contains("1 film labelled\n") && again.out.contains("1 file read again"), "{again:?}");
}

#[test]
fn files_are_grouped_by_place_and_likeness() {
    let desk = Desk::new();
    let file = |name: &str, day: &str, hash: &str| {
        format!(
            r#"{{"URI":"oss://b/{name}","ProduceTime":"{day}T10:00:00+08:00","ImageHash":"{hash}","Addresses":[{{"Country":"China","City":"Hangzhou"}}]}}"#
        )
    };
    let lines = [
        file("1.jpg", "2022-03-03", "0123456789abcdef"),
        file("2.jpg", "2022-03-05", "0123456789abcdee"),
        file("3.jpg", "2022-04-01", "fedcba9876543210"),
    ];
    let path = desk.write("files.jsonl", lines.join("\n").as_bytes());
    desk.run(&["import", &path]).ok();
    let places = desk.run(&["cluster", "places", "--levels", "city,country", "--min-days", "2"]).ok();
    assert_eq!(
        places.out.lines().collect::<BTreeSet<_>>(),
        BTreeSet::from(["2022-03-03 to 2022-03-05  city  Hangzhou, China", "2022-03-03 to 2022-03-05  country  China"])
    );
    let json = desk.run(&["cluster", "places", "--json"]).ok();
    assert!(json.out.contains(r#""LocationDateClusterEndTime":"2022-03-05T23:59:59.999999999+08:00""#), "{json:?}");
    let similar = desk.run(&["cluster", "similar"]).ok();
    assert_eq!(similar.out, "oss://b/1.jpg  oss://b/2.jpg\n");
    desk.run(&["cluster", "places", "--levels", "planet"]).fails(2, "LocationDateClusterLevels: expected country");
    desk.run(&["cluster", "places", "--min-days", "20"]).fails(2, "MinDays: expected at most MaxDays, 15, got 20");
}
