//! Datasets (operations.md 2).

use super::project::{
    BINDS, BYTES, DESCRIPTION, ENTITIES, FILES, LimitsOut, PAGE_SIZE, PREFIX, PROJECT, RELATIONS, STATISTICS, TEMPLATE,
    TOKEN, limits,
};
use super::table::{Action, Call, Kind, Param, Reply};
use crate::model::{Dataset, DatasetSpec, Limits, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use crate::server::params::Params;
use serde::Serialize;

/// `DatasetName`, as most operations need it.
pub(super) const DATASET: Param = Param::required("DatasetName", Kind::Name, "The dataset.");
const WORKFLOW: Param =
    Param::ignored("WorkflowParameters", Kind::List { most: 100 }, "Inert in the API as well: no operator reads it.");

const SPEC: &[Param] = &[PROJECT, DATASET, DESCRIPTION, TEMPLATE, BINDS, FILES, ENTITIES, RELATIONS, BYTES, WORKFLOW];

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateDataset",
        role: Role::Admin,
        global: false,
        params: SPEC,
        answer: &["Dataset"],
        about: "Creates a dataset; quotas that are not given are the project's.",
        run: create,
    },
    Action {
        name: "GetDataset",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, STATISTICS],
        answer: &["Dataset"],
        about: "A dataset with its limits and counts.",
        run: get,
    },
    Action {
        name: "ListDatasets",
        role: Role::Read,
        global: false,
        params: &[PROJECT, PAGE_SIZE, TOKEN, PREFIX],
        answer: &["Datasets", "NextToken"],
        about: "Datasets of a project by name.",
        run: list,
    },
    Action {
        name: "UpdateDataset",
        role: Role::Admin,
        global: false,
        params: SPEC,
        answer: &["Dataset"],
        about: "Changes what is given of a dataset.",
        run: update,
    },
    Action {
        name: "DeleteDataset",
        role: Role::Admin,
        global: false,
        params: &[PROJECT, DATASET],
        answer: &[],
        about: "Deletes a dataset that holds no files.",
        run: delete,
    },
];

/// The dataset as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DatasetOut<'a> {
    project_name: &'a str,
    dataset_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    template_id: &'a str,
    create_time: String,
    update_time: String,
    #[serde(flatten)]
    limits: LimitsOut,
    bind_count: i64,
    file_count: i64,
    total_file_size: i64,
}

impl<'a> From<&'a Dataset> for DatasetOut<'a> {
    fn from(dataset: &'a Dataset) -> DatasetOut<'a> {
        DatasetOut {
            project_name: &dataset.project,
            dataset_name: &dataset.name,
            description: &dataset.description,
            template_id: &dataset.template_id,
            create_time: Timestamp(dataset.create_time).to_string(),
            update_time: Timestamp(dataset.update_time).to_string(),
            limits: LimitsOut::from(&dataset.limits),
            bind_count: dataset.bind_count,
            file_count: dataset.file_count,
            total_file_size: dataset.total_file_size,
        }
    }
}

fn spec(params: &Params, present: Limits) -> DatasetSpec {
    DatasetSpec {
        description: params.given("Description"),
        template_id: params.given("TemplateId"),
        limits: Some(limits(params, present)),
    }
}

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    let project = call.state.engine.project(call.project())?;
    let spec = spec(call.params, project.dataset_limits);
    let dataset = call.state.engine.create_dataset(call.project(), call.params.text("DatasetName"), &spec)?;
    Reply::new().with("Dataset", &DatasetOut::from(&dataset))
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let dataset = call.state.engine.dataset_info(call.project(), call.params.text("DatasetName"))?;
    Reply::new().with("Dataset", &DatasetOut::from(&dataset))
}

fn list(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    let (prefix, token) = (params.text("Prefix"), params.text("NextToken"));
    let page = call.state.engine.datasets(call.project(), prefix, token, params.count("MaxResults"))?;
    let datasets: Vec<DatasetOut<'_>> = page.items.iter().map(DatasetOut::from).collect();
    Reply::new().with("Datasets", &datasets)?.with_text("NextToken", &page.next_token)
}

fn update(call: &Call<'_>) -> Result<Reply, Fault> {
    let (project, name) = (call.project(), call.params.text("DatasetName"));
    let present = call.state.engine.dataset_info(project, name)?;
    let dataset = call.state.engine.update_dataset(project, name, &spec(call.params, present.limits))?;
    Reply::new().with("Dataset", &DatasetOut::from(&dataset))
}

fn delete(call: &Call<'_>) -> Result<Reply, Fault> {
    call.state.engine.delete_dataset(call.project(), call.params.text("DatasetName"))?;
    Ok(Reply::new())
}
