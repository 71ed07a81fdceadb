//! Projects, datasets, documents, queries, tasks, regions, buckets: what succeeds, and what fails with which code.

use super::client::{Client, Running, quiet};
use serde_json::{Value, json};

fn code(client: &Client, action: &str, params: &[(&str, &str)]) -> (u16, String) {
    let (status, code, _) = client.fails(action, params);
    (status, code)
}

fn invalid() -> (u16, String) {
    (400, "InvalidArgument".to_owned())
}

#[test]
fn projects() {
    let running = Running::start(quiet());
    let client = running.client();
    let made = client.ok(
        "CreateProject",
        &[
            ("ProjectName", "first"),
            ("Description", "d e f"),
            ("Tag", r#"[{"Key":"k","Value":"v"}]"#),
            ("DatasetMaxFileCount", "5"),
        ],
    );
    let project = &made["Project"];
    assert_eq!((project["ProjectName"].as_str(), project["Description"].as_str()), (Some("first"), Some("d e f")));
    assert_eq!((&project["DatasetMaxFileCount"], &project["DatasetMaxBindCount"]), (&json!(5), &json!(10)));
    assert_eq!(project["Tags"], json!([{"TagKey": "k", "TagValue": "v"}]));
    assert_eq!(project["ServiceRole"], "AliyunIMMDefaultRole");
    assert_eq!(project["CreateTime"], project["UpdateTime"]);
    assert_eq!(code(&client, "CreateProject", &[("ProjectName", "first")]), (400, "ResourceAlreadyExists".into()));
    assert_eq!(code(&client, "CreateProject", &[("ProjectName", "1st")]), invalid());
    assert_eq!(code(&client, "CreateProject", &[]), invalid());
    let over = [("ProjectName", "q"), ("DatasetMaxBindCount", "11")];
    assert_eq!(code(&client, "CreateProject", &over), (400, "LimitExceededError".into()));

    let updated = client.ok("UpdateProject", &[("ProjectName", "first"), ("DatasetMaxBindCount", "3"), ("Tag", "[]")]);
    assert_eq!(updated["Project"]["DatasetMaxFileCount"], 5);
    assert_eq!(updated["Project"]["Tags"], json!([{"TagKey": "k", "TagValue": "v"}]));
    assert_eq!(
        client.ok("GetProject", &[("ProjectName", "first"), ("WithStatistics", "True")])["Project"],
        updated["Project"]
    );
    assert_eq!(code(&client, "GetProject", &[("ProjectName", "nope")]), (404, "ResourceNotFound".into()));
    assert_eq!(code(&client, "GetProject", &[("ProjectName", "first"), ("WithStatistics", "2")]), invalid());

    for name in ["b2", "b1", "b3"] {
        client.ok("CreateProject", &[("ProjectName", name)]);
    }
    let names = |answer: &Value| -> Vec<String> {
        let projects = answer["Projects"].as_array().unwrap();
        projects.iter().map(|p| p["ProjectName"].as_str().unwrap().to_owned()).collect()
    };
    let page = client.ok("ListProjects", &[("MaxResults", "2"), ("Prefix", "b")]);
    assert_eq!(names(&page), ["b1", "b2"]);
    let next = client.ok("ListProjects", &[("Prefix", "b"), ("NextToken", page["NextToken"].as_str().unwrap())]);
    assert_eq!((names(&next), next.get("NextToken")), (vec!["b3".to_owned()], None));
    assert_eq!(names(&client.ok("ListProjects", &[("Tag", r#"[{"Key":"k"}]"#), ("MaxResults", "0")])), ["first"]);
    assert_eq!(code(&client, "ListProjects", &[("MaxResults", "201")]), invalid());
    let (_, bad, _) = client.fails("ListProjects", &[("Tag", "[{")]);
    assert_eq!(bad, "InvalidJSON Array parsing error,Tag");

    client.ok("DeleteProject", &[("ProjectName", "b1")]);
    assert_eq!(code(&client, "DeleteProject", &[("ProjectName", "b1")]), (404, "ResourceNotFound".into()));
    running.stop();
}

#[test]
fn datasets() {
    let running = Running::start(quiet());
    let client = running.client();
    client.ok("CreateProject", &[("ProjectName", "p"), ("DatasetMaxFileCount", "7"), ("ProjectMaxDatasetCount", "2")]);
    let one = [("ProjectName", "p"), ("DatasetName", "one")];
    let made = client.ok("CreateDataset", &one);
    assert_eq!((&made["Dataset"]["DatasetMaxFileCount"], &made["Dataset"]["FileCount"]), (&json!(7), &json!(0)));
    assert_eq!(made["Dataset"].get("Description"), None);
    assert_eq!(code(&client, "CreateDataset", &one), (400, "ResourceAlreadyExists".into()));
    client.ok("CreateDataset", &[("ProjectName", "p"), ("DatasetName", "two"), ("WorkflowParameters", "[]")]);
    let third = [("ProjectName", "p"), ("DatasetName", "three")];
    assert_eq!(code(&client, "CreateDataset", &third), (400, "LimitExceededError".into()));
    assert_eq!(code(&client, "CreateDataset", &[("DatasetName", "x")]), invalid());
    let changed = [one[0], one[1], ("Description", "new"), ("DatasetMaxTotalFileSize", "1000")];
    assert_eq!(client.ok("UpdateDataset", &changed)["Dataset"]["DatasetMaxFileCount"], 7);
    let got = client.ok("GetDataset", &one);
    assert_eq!(
        (&got["Dataset"]["Description"], &got["Dataset"]["DatasetMaxTotalFileSize"]),
        (&json!("new"), &json!(1000))
    );
    let listed = client.ok("ListDatasets", &[("ProjectName", "p"), ("MaxResults", "1")]);
    assert_eq!(listed["Datasets"].as_array().unwrap().len(), 1);
    let token = listed["NextToken"].as_str().unwrap();
    let rest = client.ok("ListDatasets", &[("ProjectName", "p"), ("NextToken", token)]);
    assert_eq!(rest["Datasets"][0]["DatasetName"], "two");
    assert_eq!(code(&client, "ListDatasets", &[("ProjectName", "q")]), (404, "ResourceNotFound".into()));
    assert_eq!(code(&client, "DeleteProject", &[("ProjectName", "p")]), invalid());
    client.ok("DeleteDataset", &one);
    assert_eq!(code(&client, "GetDataset", &one), (404, "ResourceNotFound".into()));
    running.stop();
}

/// Calls until the task has ended.
fn ended(client: &super::client::Client, id: &str) -> Value {
    let task =
        [("ProjectName", "p"), ("TaskType", "VideoLabelClassification"), ("TaskId", id), ("RequestDefinition", "true")];
    for _ in 0..6000 {
        let got = client.ok("GetTask", &task);
        if got["Status"] != "Running" {
            return got;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the task {id} does not end");
}

#[test]
fn labels_of_a_film() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos/ferry.mp4");
    std::fs::copy(sample, running.dir.path().join("files/ferry.mp4")).unwrap();
    let wanted =
        [("ProjectName", "p"), ("SourceURI", "oss://b/ferry.mp4"), ("UserData", "u"), ("Tags", r#"{"test":"val1"}"#)];
    let made = client.ok("CreateVideoLabelClassificationTask", &wanted);
    let id = made["TaskId"].as_str().unwrap();
    let got = ended(&client, id);
    assert_eq!(
        (&got["Status"], &got["UserData"], &got["EventId"]),
        (&json!("Succeeded"), &json!("u"), &made["EventId"])
    );
    let definition: Value = serde_json::from_str(got["TaskRequestDefinition"].as_str().unwrap()).unwrap();
    assert_eq!(
        definition,
        json!({"ProjectName":"p","SourceURI":"oss://b/ferry.mp4","Tags":{"test":"val1"},"UserData":"u"})
    );
    let task = [("ProjectName", "p"), ("TaskType", "VideoLabelClassification"), ("TaskId", id)];
    let result = client.ok("GetVideoLabelClassificationResult", &task);
    assert_eq!((&result["Status"], &result["Code"]), (&json!("Succeeded"), &Value::Null));
    assert!(
        result["Labels"].as_array().unwrap().iter().all(|label| label["Clips"][0]["TimeRange"] == json!([0, 3000]))
    );
    let listed = client.ok("ListTasks", &[("ProjectName", "p"), ("TagSelector", "test=val1"), ("Status", "Succeeded")]);
    assert_eq!((&listed["Tasks"][0]["TaskId"], &listed["MaxResults"]), (&json!(id), &json!("1")));
    assert!(listed["Tasks"][0].get("TaskRequestDefinition").is_none());
    let none = client.ok("ListTasks", &[("ProjectName", "p"), ("TagSelector", "test=val2")]);
    assert_eq!(none["Tasks"], json!([]));
    let refused = |more: &[(&str, &str)]| code(&client, "CreateVideoLabelClassificationTask", more);
    assert_eq!(refused(&[("ProjectName", "p")]), invalid());
    assert_eq!(refused(&[("ProjectName", "p"), ("SourceURI", "http://b/x.mp4")]), invalid());
    assert_eq!(refused(&[("ProjectName", "q"), ("SourceURI", "oss://b/x.mp4")]), (404, "ResourceNotFound".into()));
    let tags = ("Tags", r#"{"a":1}"#);
    assert_eq!(refused(&[("ProjectName", "p"), ("SourceURI", "oss://b/x.mp4"), tags]), invalid());
    assert_eq!(code(&client, "ListTasks", &[("ProjectName", "p"), ("TagSelector", "x")]), invalid());
    assert_eq!(code(&client, "ListTasks", &[("ProjectName", "p"), ("NextToken", "x")]), invalid());
    running.stop();
}

#[test]
fn regions_tasks_and_buckets() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    assert_eq!(client.ok("ListRegions", &[("AcceptLanguage", "en-US")])["Regions"][0]["RegionId"], "local");
    assert_eq!(code(&client, "ListRegions", &[("AcceptLanguage", "xx")]), invalid());
    assert_eq!(code(&client, "ListRegions", &[]), invalid());

    let listed = client.ok("ListTasks", &[("ProjectName", "p"), ("TaskTypes", r#"["FaceClustering"]"#)]);
    assert_eq!(
        (&listed["Tasks"], &listed["MaxResults"], &listed["ProjectName"]),
        (&json!([]), &json!("0"), &json!("p"))
    );
    assert_eq!(code(&client, "ListTasks", &[("ProjectName", "p"), ("TaskTypes", r#"["X"]"#)]), invalid());
    assert_eq!(
        code(&client, "ListTasks", &[("ProjectName", "p"), ("StartTimeRange", r#"{"Start":"now"}"#)]),
        invalid()
    );
    let task = [("ProjectName", "p"), ("TaskType", "ImageToPDF"), ("TaskId", "x")];
    assert_eq!(code(&client, "GetTask", &task), (404, "ResourceNotFound".into()));

    let attach = [("ProjectName", "p"), ("OSSBucket", "my.bucket"), ("Description", "d")];
    client.ok("AttachOSSBucket", &attach);
    assert_eq!(code(&client, "AttachOSSBucket", &attach), (400, "ResourceAlreadyExists".into()));
    client.ok("AttachOSSBucket", &[("ProjectName", "p"), ("OSSBucket", "other")]);
    let got = client.ok("GetOSSBucketAttachment", &[("OSSBucket", "my.bucket")]);
    assert_eq!((&got["ProjectName"], &got["Description"]), (&json!("p"), &json!("d")));
    let page = client.ok("ListAttachedOSSBuckets", &[("ProjectName", "p"), ("MaxResults", "1")]);
    assert_eq!(page["AttachedOSSBuckets"][0]["OSSBucket"], "my.bucket");
    let token = page["NextToken"].as_str().unwrap();
    let rest = client.ok("ListAttachedOSSBuckets", &[("ProjectName", "p"), ("NextToken", token)]);
    assert_eq!(rest["AttachedOSSBuckets"][0]["OSSBucket"], "other");
    client.ok("DetachOSSBucket", &[("OSSBucket", "my.bucket")]);
    assert_eq!(code(&client, "DetachOSSBucket", &[("OSSBucket", "my.bucket")]), (404, "ResourceNotFound".into()));
    assert_eq!(code(&client, "AttachOSSBucket", &[("ProjectName", "p"), ("OSSBucket", ".x")]), invalid());
    client.ok("DeleteDataset", &[("ProjectName", "p"), ("DatasetName", "d")]);
    client.ok("DeleteProject", &[("ProjectName", "p")]);
    assert_eq!(code(&client, "GetOSSBucketAttachment", &[("OSSBucket", "other")]), (404, "ResourceNotFound".into()));
    running.stop();
}

#[test]
fn operations_that_are_not_served() {
    let running = Running::start(quiet());
    let client = running.client();
    let (status, code, message) = client.fails("CreateStory", &[]);
    assert_eq!((status, code.as_str()), (400, "NotImplemented"));
    assert!(message.contains("FuzzyQuery") && message.contains("ListRegions"), "{message}");
    assert_eq!(client.fails("Nope", &[]).1, "InvalidAction.NotFound");
    assert_eq!(client.fails("", &[]).1, "MissingAction");
    running.stop();
}
