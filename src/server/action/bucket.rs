//! Attachment of buckets to projects (operations.md 7).

use super::project::{PROJECT, TOKEN};
use super::table::{Action, Call, Kind, Param, Reply};
use crate::engine::Attachment;
use crate::model::Timestamp;
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Serialize;

const BUCKET: Param = Param::required("OSSBucket", Kind::Text { chars: 63 }, "The bucket.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "AttachOSSBucket",
        role: Role::Admin,
        global: false,
        params: &[PROJECT, BUCKET, Param::optional("Description", Kind::Text { chars: 128 }, "Free text.")],
        answer: &[],
        about: "Notes that a bucket belongs to a project; which files can be indexed does not depend on it.",
        run: attach,
    },
    Action {
        name: "DetachOSSBucket",
        role: Role::Admin,
        global: false,
        params: &[BUCKET],
        answer: &[],
        about: "Takes the note back.",
        run: detach,
    },
    Action {
        name: "GetOSSBucketAttachment",
        role: Role::Read,
        global: false,
        params: &[BUCKET],
        answer: &["ProjectName", "Description", "CreateTime", "UpdateTime"],
        about: "The project of a bucket.",
        run: get,
    },
    Action {
        name: "ListAttachedOSSBuckets",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::optional("MaxResults", Kind::Int { least: 1, most: 200 }, "Entries of a page; 100 where not given."),
            TOKEN,
        ],
        answer: &["AttachedOSSBuckets", "NextToken"],
        about: "Buckets of a project by name.",
        run: list,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttachmentOut<'a> {
    #[serde(rename = "OSSBucket")]
    bucket: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    owner_id: &'a str,
    project_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    create_time: String,
    update_time: String,
}

fn attach(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    call.state.engine.attach_bucket(call.project(), params.text("OSSBucket"), params.text("Description"))?;
    Ok(Reply::new())
}

fn detach(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.detach_bucket(call.params.text("OSSBucket"))?;
    Ok(Reply::new())
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = call.state.engine.attachment(call.params.text("OSSBucket"))?;
    Reply::new()
        .with("ProjectName", &found.project)?
        .with_text("Description", &found.description)?
        .with("CreateTime", &Timestamp(found.create_time).to_string())?
        .with("UpdateTime", &Timestamp(found.update_time).to_string())
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    let page = call.state.engine.attachments(call.project(), params.text("NextToken"), params.count("MaxResults"))?;
    let shown = |a: &'_ Attachment| -> serde_json::Value {
        let out = AttachmentOut {
            bucket: &a.bucket,
            owner_id: &call.state.engine.options().owner_id,
            project_name: &a.project,
            description: &a.description,
            create_time: Timestamp(a.create_time).to_string(),
            update_time: Timestamp(a.update_time).to_string(),
        };
        serde_json::to_value(out).unwrap_or_default()
    };
    let buckets: Vec<serde_json::Value> = page.items.iter().map(shown).collect();
    Reply::new().with("AttachedOSSBuckets", &buckets)?.with_text("NextToken", &page.next_token)
}
