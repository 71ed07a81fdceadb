//! Documents by address, and FuzzyQuery with its pages.

use super::client::{Running, quiet};
use medialith::model::{File, field};
use serde_json::{Value, json};

const PLACE: [(&str, &str); 2] = [("ProjectName", "p"), ("DatasetName", "d")];

/// Documents `oss://b/00` to `oss://b/NN`, put by the library.
fn filled(count: usize) -> Running {
    let running = Running::start(quiet()).with_dataset();
    let file =
        |n: usize| File::new(format!("oss://b/{n:02}")).with(field::TITLE, "harbour").with(field::SIZE, n as i64);
    running.engine.dataset("p", "d").unwrap().put((0..count).map(file).collect()).unwrap();
    running
}

#[test]
fn read_changed_deleted() {
    let running = filled(3);
    let client = running.client();
    let get = |uri: &str, fields: &str| {
        client.call("GetFileMeta", &[PLACE[0], PLACE[1], ("URI", uri), ("WithFields", fields)])
    };
    assert_eq!(get("oss://b/01", r#"["Size","Labels.LabelName"]"#).json()["Files"], json!([{"Size": 1}]));
    assert_eq!(get("oss://b/01", "[]").json()["Files"][0]["Title"], "harbour");
    assert_eq!(get("oss://b/09", "").status, 404);
    assert_eq!(get("http://b/09", "").json()["Code"], "InvalidArgument");
    assert_eq!(get("oss://b/01", r#"["Nope"]"#).json()["Code"], "InvalidArgument");
    let uris = r#"["oss://b/02","oss://b/77","oss://b/00"]"#;
    let many = client.ok("BatchGetFileMeta", &[PLACE[0], PLACE[1], ("URIs", uris), ("WithFields", r#"["URI"]"#)]);
    assert_eq!(many["Files"], json!([{"URI": "oss://b/02"}, {"URI": "oss://b/00"}]));
    assert_eq!(client.fails("BatchGetFileMeta", &[PLACE[0], PLACE[1], ("URIs", "[]")]).1, "InvalidArgument");

    let change = r#"{"URI":"oss://b/01","CustomId":"x","CustomLabels":{"a":"1"},"Title":"ignored","Figures":[]}"#;
    client.ok("UpdateFileMeta", &[PLACE[0], PLACE[1], ("File", change)]);
    let changed = get("oss://b/01", "").json()["Files"][0].clone();
    assert_eq!(
        (&changed["CustomId"], &changed["CustomLabels"]["a"], &changed["Title"]),
        (&json!("x"), &json!("1"), &json!("harbour"))
    );
    let absent = r#"{"URI":"oss://b/99","CustomId":"x"}"#;
    assert_eq!(client.fails("UpdateFileMeta", &[PLACE[0], PLACE[1], ("File", absent)]).0, 404);

    let labels: serde_json::Map<String, Value> = (0..101).map(|n| (n.to_string(), json!("v"))).collect();
    let changes = json!([{"URI": "oss://b/00", "CustomId": "y"}, {"URI": "oss://b/99", "CustomId": "y"},
        {"URI": "oss://b/02", "CustomLabels": labels}]);
    let outcomes = client.ok("BatchUpdateFileMeta", &[PLACE[0], PLACE[1], ("Files", &changes.to_string())]);
    let outcome = |n: usize| &outcomes["Files"][n];
    assert_eq!((&outcome(0)["Success"], outcome(0).get("Message")), (&json!(true), None));
    assert_eq!((&outcome(1)["Success"], &outcome(1)["URI"]), (&json!(false), &json!("oss://b/99")));
    let why = outcome(2)["Message"].as_str().unwrap();
    assert!(
        why.starts_with("*error.OpError : InvalidArgument | Index KV count exceeded, should be no more than 100"),
        "{why}"
    );

    client.ok("DeleteFileMeta", &[PLACE[0], PLACE[1], ("URI", "oss://b/00")]);
    client.ok("DeleteFileMeta", &[PLACE[0], PLACE[1], ("URI", "oss://b/00")]);
    client.ok("BatchDeleteFileMeta", &[PLACE[0], PLACE[1], ("URIs", r#"["oss://b/01","oss://b/55"]"#)]);
    assert_eq!(client.ok("GetDataset", &PLACE)["Dataset"]["FileCount"], 1);
    assert_eq!(client.fails("DeleteDataset", &PLACE).1, "InvalidArgument");
    assert_eq!(client.fails("DeleteFileMeta", &[PLACE[0], PLACE[1], ("URI", "file:///x")]).1, "InvalidArgument");
    running.stop();
}

#[test]
fn pages_of_a_query() {
    let running = filled(23);
    let client = running.client();
    let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let fixed = [("Query", "harb"), ("Sort", "Size"), ("Order", "desc"), ("MaxResults", "10")];
        let mut params = vec![PLACE[0], PLACE[1]];
        params.extend(fixed);
        params.push(("NextToken", &token));
        let answer = client.ok("FuzzyQuery", &params);
        assert_eq!(answer["TotalHits"], 23);
        seen.extend(answer["Files"].as_array().unwrap().iter().map(|f| f["Size"].as_i64().unwrap()));
        pages += 1;
        match answer.get("NextToken") {
            Some(next) => token = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, seen), (3, (0..23).rev().collect::<Vec<_>>()));
    for (name, value) in [
        ("MaxResults", "201"),
        ("MaxResults", "x"),
        ("Sort", "Nope"),
        ("Order", "asc"),
        ("NextToken", "stolen"),
        ("WithFields", "URI"),
    ] {
        let (status, _, _) = client.fails("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", "x"), (name, value)]);
        assert_eq!(status, 400, "{name}={value}");
    }
    assert_eq!(client.fails("FuzzyQuery", &PLACE).1, "InvalidArgument");
    running.stop();
}

#[test]
fn a_query_of_a_megabyte() {
    let running = filled(1);
    let client = running.client();
    let text = "\u{963f}".repeat((1 << 20) / 3);
    let answer = client.ok("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", &text)]);
    assert_eq!(answer["TotalHits"], 0);
    let longer = "x".repeat((1 << 20) + 1);
    assert_eq!(client.fails("FuzzyQuery", &[PLACE[0], PLACE[1], ("Query", &longer)]).1, "InvalidArgument");
    running.stop();
}

#[test]
fn conditions_and_what_is_computed() {
    let running = filled(10);
    let client = running.client();
    let leaf = |operation: &str, field: &str, value: &str| json!({"Operation": operation, "Field": field, "Value": value, "SubQueries": []});
    let tree = json!({"Operation": "and", "SubQueries": [leaf("gte", "Size", "4"), leaf("eq", "Title", "harbour")]})
        .to_string();
    let ask =
        |more: &[(&str, &str)]| client.call("SimpleQuery", &[&PLACE[..], &[("Query", tree.as_str())], more].concat());
    let page = ask(&[("Sort", "Size"), ("Order", "desc"), ("MaxResults", "4"), ("WithFields", r#"["Size"]"#)]).json();
    assert_eq!(
        (&page["TotalHits"], &page["Files"]),
        (&json!(6), &json!([{"Size": 9}, {"Size": 8}, {"Size": 7}, {"Size": 6}]))
    );
    let token = page["NextToken"].as_str().unwrap();
    let rest = ask(&[("Sort", "Size"), ("Order", "desc"), ("NextToken", token), ("WithFields", r#"["Size"]"#)]).json();
    assert_eq!((&rest["Files"], rest.get("NextToken")), (&json!([{"Size": 5}, {"Size": 4}]), None));
    assert_eq!(ask(&[("WithoutTotalHits", "True")]).json().get("TotalHits"), None);
    let wanted = r#"[{"Field":"Size","Operation":"sum"},{"Field":"Title","Operation":"group"},{"Field":"Duration","Operation":"max"}]"#;
    let computed = ask(&[("Aggregations", wanted)]).json();
    assert_eq!(
        computed["Aggregations"],
        json!([
            {"Field": "Size", "Operation": "sum", "Value": 39.0},
            {"Field": "Title", "Operation": "group", "Groups": [{"Value": "harbour", "Count": 6}]},
            {"Field": "Duration", "Operation": "max"}
        ])
    );
    assert_eq!((&computed["TotalHits"], computed.get("Files")), (&json!(6), None));
    for everything in ["", "{}", r#"{"SubQueries":[]}"#] {
        let all = client.ok("SimpleQuery", &[PLACE[0], PLACE[1], ("Query", everything), ("Aggregations", "[]")]);
        assert_eq!(all["TotalHits"], 10);
    }
    for (name, value) in [
        ("MaxResults", "101"),
        ("Query", "[]"),
        ("Query", r#"{"Operation":"like","Field":"Size","Value":"1"}"#),
        ("Query", r#"{"Operation":"and","SubQueries":[]}"#),
        ("Query", r#"{"Operation":"eq","Field":"Nope","Value":"1"}"#),
        ("Aggregations", r#"[{"Field":"Title","Operation":"sum"}]"#),
        ("Aggregations", "[1]"),
        ("WithoutTotalHits", "maybe"),
    ] {
        assert_eq!(
            client.fails("SimpleQuery", &[PLACE[0], PLACE[1], (name, value)]).1,
            "InvalidArgument",
            "{name}={value}"
        );
    }
    assert_eq!(
        client.fails("SimpleQuery", &[PLACE[0], PLACE[1], ("Query", "{")]).1,
        "InvalidJSON Array parsing error,Query"
    );
    running.stop();
}
