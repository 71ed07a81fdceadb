//! Bindings of datasets to buckets (operations.md 3).

use super::dataset::DATASET;
use super::project::{PROJECT, TOKEN};
use super::table::{Action, Call, Kind, Param, Reply};
use crate::model::binding::bucket_of;
use crate::model::{Binding, BindingSpec, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Serialize;

const URI: Param = Param::required("URI", Kind::Text { chars: 70 }, "The bucket, as oss://bucket.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateBinding",
        role: Role::Admin,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            URI,
            Param::optional("Prefix", Kind::Bytes { most: 4096 }, "How keys begin that are followed; not of the API."),
            Param::optional("Exclude", Kind::List { most: 100 }, "Patterns of keys that are not; not of the API."),
        ],
        answer: &["Binding"],
        about: "Indexes what is in a bucket, then follows its changes.",
        run: create,
    },
    Action {
        name: "GetBinding",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, URI],
        answer: &["Binding"],
        about: "A binding with its state.",
        run: get,
    },
    Action {
        name: "ListBindings",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            Param::optional("DatasetName", Kind::Name, "One dataset alone."),
            Param::optional("URI", Kind::Text { chars: 70 }, "One bucket alone."),
            Param::ignored("Name", Kind::Text { chars: 128 }, "Bindings have no names."),
            Param::optional("MaxResults", Kind::Int { least: 0, most: 200 }, "Entries of a page; 0 means 100."),
            TOKEN,
        ],
        answer: &["Bindings", "NextToken"],
        about: "Bindings of a project by dataset and bucket.",
        run: list,
    },
    Action {
        name: "DeleteBinding",
        role: Role::Admin,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            URI,
            Param::optional(
                "Cleanup",
                Kind::Bool,
                "Whether documents go that the binding made and nobody indexed by hand.",
            ),
        ],
        answer: &[],
        about: "Ends a binding.",
        run: delete,
    },
    Action {
        name: "StopBinding",
        role: Role::Admin,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            URI,
            Param::optional("Reason", Kind::Bytes { most: 1000 }, "Why; GetBinding shows it."),
        ],
        answer: &[],
        about: "Pauses a binding; what changes meanwhile is found when it is resumed.",
        run: stop,
    },
    Action {
        name: "ResumeBinding",
        role: Role::Admin,
        global: false,
        params: &[PROJECT, DATASET, URI],
        answer: &[],
        about: "Goes on with a binding that was stopped or has failed.",
        run: resume,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BindingOut<'a> {
    project_name: &'a str,
    dataset_name: &'a str,
    #[serde(rename = "URI")]
    uri: String,
    state: &'a str,
    phase: &'a str,
    reason: &'a str,
    /// What old SDKs call the reason.
    detail: &'a str,
    create_time: String,
    update_time: String,
}

impl<'a> BindingOut<'a> {
    fn of(binding: &'a Binding) -> BindingOut<'a> {
        BindingOut {
            project_name: &binding.project,
            dataset_name: &binding.dataset,
            uri: binding.uri(),
            state: binding.state.name(),
            phase: binding.phase.name(),
            reason: &binding.reason,
            detail: &binding.reason,
            create_time: Timestamp(binding.create_time).to_string(),
            update_time: Timestamp(binding.update_time).to_string(),
        }
    }
}

/// The names that say which binding is meant.
fn place<'a>(call: &'a Call<'_>) -> (&'a str, &'a str, &'a str) {
    (call.project(), call.params.text("DatasetName"), call.params.text("URI"))
}

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    let bucket = bucket_of(uri)?;
    if !call.state.indexer.has_bucket(bucket) {
        return Err(Fault::missing("The specified bucket does not exist."));
    }
    let prefix = call.params.text("Prefix").to_owned();
    let spec = BindingSpec { prefix, exclude: call.params.list("Exclude")?, ..BindingSpec::default() };
    let made = call.state.engine.create_binding(project, dataset, uri, &spec)?;
    Reply::new().with("Binding", &BindingOut::of(&made))
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    let found = call.state.engine.binding(project, dataset, uri)?;
    Reply::new().with("Binding", &BindingOut::of(&found))
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    let bucket = if uri.is_empty() { "" } else { bucket_of(uri)? };
    let (token, most) = (call.params.text("NextToken"), call.params.count("MaxResults"));
    let page = call.state.engine.bindings(project, dataset, bucket, token, most)?;
    let shown: Vec<BindingOut<'_>> = page.items.iter().map(BindingOut::of).collect();
    Reply::new().with("Bindings", &shown)?.with_text("NextToken", &page.next_token)
}

fn delete(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    let cleanup = call.params.flag("Cleanup");
    call.state.engine.delete_binding(project, dataset, uri, cleanup)?;
    Ok(Reply::new())
}

fn stop(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    call.state.engine.stop_binding(project, dataset, uri, call.params.text("Reason"))?;
    Ok(Reply::new())
}

fn resume(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, dataset, uri) = place(call);
    call.state.engine.resume_binding(project, dataset, uri)?;
    Ok(Reply::new())
}
