//! Projects (operations.md 1).

use super::table::{Action, Call, Kind, Param, Reply};
use crate::model::{Limits, Project, ProjectSpec, Tag, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use crate::server::params::Params;
use serde::{Deserialize, Serialize};

/// `ProjectName`, as most operations need it.
pub(super) const PROJECT: Param = Param::required("ProjectName", Kind::Name, "The project.");
pub(super) const DESCRIPTION: Param = Param::optional("Description", Kind::Text { chars: 256 }, "Free text.");
pub(super) const TEMPLATE: Param = Param::optional(
    "TemplateId",
    Kind::Text { chars: 128 },
    "Workflow template: what is told of files (docs/operators.md); empty for none.",
);
pub(super) const BINDS: Param =
    Param::optional("DatasetMaxBindCount", Kind::Quota { least: 1, most: 10 }, "Bindings of a dataset.");
pub(super) const FILES: Param = Param::optional(
    "DatasetMaxFileCount",
    Kind::Quota { least: 1, most: 100_000_000 },
    "Files of a dataset; enforced.",
);
pub(super) const ENTITIES: Param =
    Param::optional("DatasetMaxEntityCount", Kind::Quota { least: 1, most: i64::MAX }, "Kept, not enforced.");
pub(super) const RELATIONS: Param =
    Param::optional("DatasetMaxRelationCount", Kind::Quota { least: 1, most: i64::MAX }, "Kept, not enforced.");
pub(super) const BYTES: Param = Param::optional(
    "DatasetMaxTotalFileSize",
    Kind::Quota { least: 1, most: i64::MAX },
    "Bytes of the files of a dataset; enforced.",
);
pub(super) const STATISTICS: Param =
    Param::optional("WithStatistics", Kind::Bool, "Counts are exact with and without it.");
pub(super) const PAGE_SIZE: Param =
    Param::optional("MaxResults", Kind::Int { least: 0, most: 200 }, "Entries of a page; 0 means 100.");
pub(super) const TOKEN: Param = Param::optional("NextToken", Kind::Bytes { most: 4096 }, "Where the page begins.");
pub(super) const PREFIX: Param = Param::optional("Prefix", Kind::Text { chars: 128 }, "How names begin.");
const ROLE: Param = Param::optional("ServiceRole", Kind::Text { chars: 128 }, "Kept, not interpreted.");
const DATASETS: Param = Param::optional(
    "ProjectMaxDatasetCount",
    Kind::Quota { least: 1, most: 1_000_000_000 },
    "Datasets of the project; enforced.",
);
const TAGS: Param = Param::optional("Tag", Kind::List { most: 20 }, "Tags, each with Key and Value.");

const SPEC: &[Param] =
    &[PROJECT, DESCRIPTION, ROLE, TEMPLATE, TAGS, DATASETS, BINDS, FILES, ENTITIES, RELATIONS, BYTES];

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateProject",
        role: Role::Admin,
        global: false,
        params: SPEC,
        answer: &["Project"],
        about: "Creates a project.",
        run: create,
    },
    Action {
        name: "GetProject",
        role: Role::Read,
        global: false,
        params: &[PROJECT, STATISTICS],
        answer: &["Project"],
        about: "A project with its limits and counts.",
        run: get,
    },
    Action {
        name: "ListProjects",
        role: Role::Read,
        global: false,
        params: &[PAGE_SIZE, TOKEN, PREFIX, TAGS],
        answer: &["Projects", "NextToken"],
        about: "Projects by name.",
        run: list,
    },
    Action {
        name: "UpdateProject",
        role: Role::Admin,
        global: false,
        params: SPEC,
        answer: &["Project"],
        about: "Changes what is given of a project.",
        run: update,
    },
    Action {
        name: "DeleteProject",
        role: Role::Admin,
        global: false,
        params: &[PROJECT],
        answer: &[],
        about: "Deletes a project that has no datasets.",
        run: delete,
    },
];

/// A tag as requests spell it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagIn {
    key: String,
    #[serde(default)]
    value: String,
}

/// A tag as answers spell it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagOut<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

/// The project as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectOut<'a> {
    project_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    service_role: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    template_id: &'a str,
    create_time: String,
    update_time: String,
    project_max_dataset_count: i64,
    #[serde(flatten)]
    limits: LimitsOut,
    dataset_count: i64,
    file_count: i64,
    total_file_size: i64,
    project_queries_per_second: i64,
    engine_concurrency: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagOut<'a>>,
}

/// The quotas of a dataset as answers show them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LimitsOut {
    dataset_max_bind_count: i64,
    dataset_max_file_count: i64,
    dataset_max_entity_count: i64,
    dataset_max_relation_count: i64,
    dataset_max_total_file_size: i64,
}

impl From<&Limits> for LimitsOut {
    fn from(limits: &Limits) -> LimitsOut {
        LimitsOut {
            dataset_max_bind_count: limits.bind_count,
            dataset_max_file_count: limits.file_count,
            dataset_max_entity_count: limits.entity_count,
            dataset_max_relation_count: limits.relation_count,
            dataset_max_total_file_size: limits.total_file_size,
        }
    }
}

/// The quotas `present` with those that the request names.
pub(super) fn limits(params: &Params, mut present: Limits) -> Limits {
    let set = |name: &str, place: &mut i64| params.int(name).into_iter().for_each(|n| *place = n);
    set("DatasetMaxBindCount", &mut present.bind_count);
    set("DatasetMaxFileCount", &mut present.file_count);
    set("DatasetMaxEntityCount", &mut present.entity_count);
    set("DatasetMaxRelationCount", &mut present.relation_count);
    set("DatasetMaxTotalFileSize", &mut present.total_file_size);
    present
}

fn tags(params: &Params) -> Result<Vec<Tag>, Fault> {
    let given: Vec<TagIn> = params.list("Tag")?;
    Ok(given.into_iter().map(|t| Tag { key: t.key, value: t.value }).collect())
}

/// What the request says of a project whose quotas were `present`. An empty list of tags means "not given" (wire.md 3).
fn spec(params: &Params, present: Limits) -> Result<ProjectSpec, Fault> {
    Ok(ProjectSpec {
        description: params.given("Description"),
        service_role: params.given("ServiceRole"),
        template_id: params.given("TemplateId"),
        tags: Some(tags(params)?).filter(|tags| !tags.is_empty()),
        max_dataset_count: params.int("ProjectMaxDatasetCount"),
        dataset_limits: Some(limits(params, present)),
    })
}

fn shown<'a>(call: &Call<'_>, project: &'a Project) -> ProjectOut<'a> {
    let tag = |t: &'a Tag| TagOut { tag_key: &t.key, tag_value: &t.value };
    ProjectOut {
        project_name: &project.name,
        description: &project.description,
        service_role: &project.service_role,
        template_id: &project.template_id,
        create_time: Timestamp(project.create_time).to_string(),
        update_time: Timestamp(project.update_time).to_string(),
        project_max_dataset_count: project.max_dataset_count,
        limits: LimitsOut::from(&project.dataset_limits),
        dataset_count: project.dataset_count,
        file_count: project.file_count,
        total_file_size: project.total_file_size,
        project_queries_per_second: i64::from(call.state.options.project_rate),
        engine_concurrency: i64::from(call.state.options.project_concurrency),
        tags: project.tags.iter().map(tag).collect(),
    }
}

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    let spec = spec(call.params, Limits::default())?;
    let project = call.state.engine.create_project(call.project(), &spec)?;
    Reply::new().with("Project", &shown(call, &project))
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let project = call.state.engine.project(call.project())?;
    Reply::new().with("Project", &shown(call, &project))
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let (params, tags) = (call.params, tags(call.params)?);
    let (prefix, token) = (params.text("Prefix"), params.text("NextToken"));
    let page = call.state.engine.projects(prefix, &tags, token, params.count("MaxResults"))?;
    let projects: Vec<ProjectOut<'_>> = page.items.iter().map(|p| shown(call, p)).collect();
    Reply::new().with("Projects", &projects)?.with_text("NextToken", &page.next_token)
}

fn update(call: &Call<'_>) -> Result<Reply, Fault> {
    let present = call.state.engine.project(call.project())?;
    let spec = spec(call.params, present.dataset_limits)?;
    let project = call.state.engine.update_project(call.project(), &spec)?;
    Reply::new().with("Project", &shown(call, &project))
}

fn delete(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.delete_project(call.project())?;
    Ok(Reply::new())
}
