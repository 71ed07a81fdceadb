//! Face clustering (operations.md 7): tasks that find whose faces files show, and the clusters.

use super::dataset::DATASET;
use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use super::task::{order, range};
use crate::model::cluster::{FigureCluster, FigureClusterChange, FigureClusterQuery, FigureSort};
use crate::model::{Order, TaskKind, TaskQuery, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const USER_DATA: Param = Param::optional("UserData", Kind::Bytes { most: 2048 }, "Told again with the task.");
const TAGS: Param = Param::optional("Tags", Kind::Object, "Tags by which tasks can be listed.");
const NOTIFICATION: Param = Param::optional("Notification", Kind::Object, "The topic that hears of the end.");

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateFigureClusteringTask",
        role: Role::Index,
        global: false,
        params: &[PROJECT, DATASET, USER_DATA, TAGS, NOTIFICATION],
        answer: &["EventId", "TaskId"],
        about: "Groups the faces of a dataset that belong to no cluster yet by whose they are, in the background.",
        run: create,
    },
    Action {
        name: "CreateFigureClustersMergingTask",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::optional("From", Kind::Text { chars: 128 }, "The cluster to merge; or Froms."),
            Param::optional("Froms", Kind::List { most: 100 }, "The clusters to merge; or From."),
            Param::required("To", Kind::Text { chars: 128 }, "The cluster that they become."),
            USER_DATA,
            TAGS,
            NOTIFICATION,
        ],
        answer: &["EventId", "TaskId"],
        about: "Merges figure clusters into another one, in the background.",
        run: merge,
    },
    Action {
        name: "QueryFigureClusters",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::optional("MaxResults", Kind::Int { least: 0, most: 100 }, "Entries of a page; 0 means 100."),
            Param::optional("NextToken", Kind::Bytes { most: 4096 }, "Where the page begins."),
            Param::optional(
                "Sort",
                Kind::Choice(&[
                    "ImageCount",
                    "VideoCount",
                    "ProjectName",
                    "DatasetName",
                    "CreateTime",
                    "UpdateTime",
                    "Gender",
                    "FaceCount",
                    "GroupName",
                ]),
                "What to sort by; the id where not given.",
            ),
            Param::optional("Order", Kind::Choice(&["asc", "desc"]), "The direction; asc where not given."),
            Param::optional(
                "CustomLabels",
                Kind::Text { chars: 4096 },
                "Labels that clusters have, as key=value joined with commas.",
            ),
            Param::optional("CreateTimeRange", Kind::Object, "When they were made: Start and End."),
            Param::optional("UpdateTimeRange", Kind::Object, "When they were changed: Start and End."),
            Param::optional("WithTotalCount", Kind::Bool, "Whether to count all."),
        ],
        answer: &["FigureClusters", "NextToken", "TotalCount"],
        about: "Figure clusters of a dataset, page by page.",
        run: query,
    },
    Action {
        name: "GetFigureCluster",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, Param::required("ObjectId", Kind::Text { chars: 128 }, "The cluster.")],
        answer: &["FigureCluster"],
        about: "A figure cluster.",
        run: get,
    },
    Action {
        name: "BatchGetFigureCluster",
        role: Role::Read,
        global: false,
        params: &[PROJECT, DATASET, Param::required("ObjectIds", Kind::List { most: 100 }, "The clusters.")],
        answer: &["FigureClusters"],
        about: "Figure clusters by their ids; those that do not exist are left out.",
        run: get_many,
    },
    Action {
        name: "UpdateFigureCluster",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required(
                "FigureCluster",
                Kind::Object,
                "ObjectId, MetaLockVersion as it was seen, and the new Name, CustomId, CustomLabels and Cover.",
            ),
        ],
        answer: &[],
        about: "Changes what callers say of a figure cluster, where nobody else has changed it meanwhile.",
        run: update,
    },
];

/// The parameters that make up `TaskRequestDefinition`, and whether they are JSON.
const REQUEST: [(&str, bool); 8] = [
    ("ProjectName", false),
    ("DatasetName", false),
    ("From", false),
    ("Froms", true),
    ("To", false),
    ("UserData", false),
    ("Tags", true),
    ("Notification", true),
];

fn create(call: &Call<'_>) -> Result<Reply, Fault> {
    order(call, TaskKind::FIGURES, &REQUEST)
}

fn merge(call: &Call<'_>) -> Result<Reply, Fault> {
    order(call, TaskKind::FIGURES_MERGING, &REQUEST)
}

fn query(call: &Call<'_>) -> Result<Reply, Fault> {
    let query = FigureClusterQuery {
        create: range(call, "CreateTimeRange")?,
        update: range(call, "UpdateTimeRange")?,
        labels: TaskQuery::parse_tags(call.params.text("CustomLabels"))?,
        sort: match call.params.text("Sort") {
            "ImageCount" => FigureSort::Images,
            "VideoCount" => FigureSort::Videos,
            "FaceCount" => FigureSort::Faces,
            "CreateTime" => FigureSort::Create,
            "UpdateTime" => FigureSort::Update,
            "Gender" => FigureSort::Gender,
            "GroupName" => FigureSort::Name,
            // All are of one project and dataset.
            _ => FigureSort::Id,
        },
        order: if call.params.text("Order") == "desc" { Order::Desc } else { Order::Asc },
        max_results: call.params.count("MaxResults"),
        token: call.params.text("NextToken").to_owned(),
        with_total: call.params.flag("WithTotalCount"),
    };
    let found = call.dataset()?.figure_clusters(&query)?;
    let clusters: Vec<Value> = found.items.iter().map(|cluster| cluster_json(call, cluster)).collect();
    let reply = Reply::new().with("FigureClusters", &clusters)?.with_text("NextToken", &found.next_token)?;
    match found.total {
        Some(total) => reply.with("TotalCount", &total),
        None => Ok(reply),
    }
}

fn get(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = call.dataset()?.figure_cluster(call.params.text("ObjectId"))?;
    Reply::new().with("FigureCluster", &cluster_json(call, &found))
}

fn get_many(call: &Call<'_>) -> Result<Reply, Fault> {
    let ids: Vec<String> = call.params.list("ObjectIds")?;
    if ids.is_empty() {
        return Err(Fault::invalid("ObjectIds: expected at least one id, got none"));
    }
    let found = call.dataset()?.figure_clusters_of(&ids)?;
    let clusters: Vec<Value> = found.iter().map(|cluster| cluster_json(call, cluster)).collect();
    Reply::new().with("FigureClusters", &clusters)
}

/// What an update may change; members that are left out stay.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    object_id: String,
    meta_lock_version: Option<u64>,
    name: Option<String>,
    custom_id: Option<String>,
    custom_labels: Option<BTreeMap<String, String>>,
    cover: Option<Cover>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cover {
    #[serde(default)]
    figures: Vec<Figure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Figure {
    figure_id: String,
}

fn update(call: &Call<'_>) -> Result<Reply, Fault> {
    let value: Value = call.params.json("FigureCluster")?.unwrap_or_default();
    let change: Change = serde_json::from_value(value)
        .map_err(|e| Fault::invalid(format!("FigureCluster: expected members as in the API, got {e}")))?;
    let figures = change.cover.map(|cover| cover.figures).unwrap_or_default();
    if figures.len() > 1 {
        return Err(Fault::invalid("FigureCluster: expected one figure of the Cover at most, got several"));
    }
    let id = change.object_id;
    let change = FigureClusterChange {
        lock_version: change.meta_lock_version.unwrap_or(0),
        name: change.name,
        custom_id: change.custom_id,
        custom_labels: change.custom_labels,
        cover: figures.into_iter().next().map(|figure| figure.figure_id),
    };
    call.dataset()?.update_figure_cluster(&id, &change)?;
    Ok(Reply::new())
}

/// A figure cluster as the API writes it.
fn cluster_json(call: &Call<'_>, cluster: &FigureCluster) -> Value {
    let mut members: Map<String, Value> = Map::new();
    let mut add = |name: &str, value: Value| {
        let absent = matches!(&value, Value::Null) || value.as_str().is_some_and(str::is_empty);
        if !absent {
            members.insert(name.to_owned(), value);
        }
    };
    add("ObjectId", json!(cluster.id));
    add("ObjectType", json!("figure-cluster"));
    add("OwnerId", json!(call.state.engine.options().owner_id));
    add("ProjectName", json!(call.params.text("ProjectName")));
    add("DatasetName", json!(call.params.text("DatasetName")));
    add("Name", json!(cluster.name));
    add("CustomId", json!(cluster.custom_id));
    if !cluster.custom_labels.is_empty() {
        add("CustomLabels", json!(cluster.custom_labels));
    }
    add("Cover", cluster.cover.as_ref().map_or(Value::Null, |cover| json!(cover)));
    add("ImageCount", json!(cluster.image_count));
    add("VideoCount", json!(cluster.video_count));
    add("FaceCount", json!(cluster.face_count));
    add("AverageAge", json!(cluster.average_age));
    add("MinAge", json!(cluster.age_range.map(|(least, _)| least)));
    add("MaxAge", json!(cluster.age_range.map(|(_, most)| most)));
    add("Gender", json!(cluster.gender));
    add("MetaLockVersion", json!(cluster.lock_version));
    add("CreateTime", json!(Timestamp(cluster.create_time).to_string()));
    add("UpdateTime", json!(Timestamp(cluster.update_time).to_string()));
    Value::Object(members)
}
