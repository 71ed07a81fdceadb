//! Spatiotemporal and similar-image clustering (operations.md 7): tasks that group files, and the groups.

use super::dataset::DATASET;
use super::project::PROJECT;
use super::table::{Action, Call, Kind, Param, Reply};
use super::task::{order, range};
use crate::model::cluster::{
    ClusterPage, ClusterSort, Level, LocationDateChange, LocationDateCluster, LocationDateQuery, PlaceNames,
    SimilarImageCluster,
};
use crate::model::{Order, TaskKind, TaskQuery, Timestamp};
use crate::server::access::Role;
use crate::server::fault::Fault;
use serde_json::{Map, Value, json};

const USER_DATA: Param = Param::optional("UserData", Kind::Bytes { most: 2048 }, "Told again with the task.");
const TAGS: Param = Param::optional("Tags", Kind::Object, "Tags by which tasks can be listed.");
const NOTIFICATION: Param = Param::optional("Notification", Kind::Object, "The topic that hears of the end.");
const TOKEN: Param = Param::optional("NextToken", Kind::Bytes { most: 4096 }, "Where the page begins.");
const ID: Param = Param::required("ObjectId", Kind::Text { chars: 128 }, "The cluster.");
const LABELS: Param = Param::optional(
    "CustomLabels",
    Kind::Text { chars: 4096 },
    "Labels that clusters have, as key=value joined with commas.",
);
const ORDER: &[&str] = &["asc", "desc"];

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "CreateLocationDateClusteringTask",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required("LocationOptions", Kind::Object, "LocationDateClusterLevels: the levels to group by."),
            Param::required("DateOptions", Kind::Object, "GapDays, MinDays and MaxDays of a cluster."),
            USER_DATA,
            TAGS,
            NOTIFICATION,
        ],
        answer: &["EventId", "TaskId"],
        about: "Groups the files of a dataset by place and days in a row, in the background.",
        run: create_places,
    },
    Action {
        name: "QueryLocationDateClusters",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::optional("ObjectId", Kind::Text { chars: 128 }, "One cluster alone."),
            Param::optional("Title", Kind::Text { chars: 1024 }, "A part of the title, whatever its case."),
            Param::optional("Address", Kind::Object, "Country, Province, City, District, Township of the place."),
            Param::optional("LocationDateClusterLevels", Kind::List { most: 5 }, "Levels of the clusters."),
            Param::optional("LocationDateClusterStartTimeRange", Kind::Object, "When they begin: Start and End."),
            Param::optional("LocationDateClusterEndTimeRange", Kind::Object, "When they end: Start and End."),
            Param::optional("CreateTimeRange", Kind::Object, "When they were made: Start and End."),
            Param::optional("UpdateTimeRange", Kind::Object, "When they were changed: Start and End."),
            LABELS,
            Param::optional("MaxResults", Kind::Int { least: 0, most: 100 }, "Entries of a page; 0 means 20."),
            TOKEN,
            Param::optional(
                "Sort",
                Kind::Choice(&[
                    "LocationDateClusterStartTime",
                    "LocationDateClusterEndTime",
                    "CreateTime",
                    "UpdateTime",
                ]),
                "What to sort by; when they begin where not given.",
            ),
            Param::optional("Order", Kind::Choice(ORDER), "The direction; asc where not given."),
        ],
        answer: &["LocationDateClusters", "NextToken"],
        about: "Location-date clusters of a dataset, page by page.",
        run: query_places,
    },
    Action {
        name: "UpdateLocationDateCluster",
        role: Role::Index,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            ID,
            Param::optional("Title", Kind::Bytes { most: 1024 }, "A title."),
            Param::optional("CustomId", Kind::Bytes { most: 1024 }, "The caller's id."),
            Param::optional("CustomLabels", Kind::Object, "All labels of the cluster."),
        ],
        answer: &[],
        about: "Changes what callers say of a location-date cluster.",
        run: update_place,
    },
    Action {
        name: "DeleteLocationDateCluster",
        role: Role::Index,
        global: false,
        params: &[PROJECT, DATASET, ID],
        answer: &[],
        about: "Removes a location-date cluster, which need not exist; its files stay.",
        run: delete_place,
    },
    Action {
        name: "CreateSimilarImageClusteringTask",
        role: Role::Index,
        global: false,
        params: &[PROJECT, DATASET, USER_DATA, TAGS, NOTIFICATION],
        answer: &["EventId", "TaskId"],
        about: "Groups the pictures of a dataset that look alike, in the background.",
        run: create_similar,
    },
    Action {
        name: "QuerySimilarImageClusters",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::ignored("CustomLabels", Kind::Text { chars: 4096 }, "These clusters have no labels."),
            Param::optional("MaxResults", Kind::Int { least: 0, most: 100 }, "Entries of a page; 0 means 100."),
            TOKEN,
            Param::optional(
                "Sort",
                Kind::Choice(&["UpdateTime", "CreateTime"]),
                "What to sort by; UpdateTime where not given.",
            ),
            Param::optional("Order", Kind::Choice(ORDER), "The direction; desc where not given."),
        ],
        answer: &["SimilarImageClusters", "NextToken"],
        about: "Clusters of pictures that look alike, page by page.",
        run: query_similar,
    },
];

/// The parameters that make up `TaskRequestDefinition`, and whether they are JSON.
const REQUEST: [(&str, bool); 7] = [
    ("ProjectName", false),
    ("DatasetName", false),
    ("LocationOptions", true),
    ("DateOptions", true),
    ("UserData", false),
    ("Tags", true),
    ("Notification", true),
];

fn create_places(call: &Call<'_>) -> Result<Reply, Fault> {
    order(call, TaskKind::LOCATION_DATES, &REQUEST)
}

fn create_similar(call: &Call<'_>) -> Result<Reply, Fault> {
    order(call, TaskKind::SIMILAR_IMAGES, &REQUEST)
}

fn page(call: &Call<'_>, default: (ClusterSort, Order)) -> ClusterPage {
    ClusterPage {
        sort: match call.params.text("Sort") {
            "LocationDateClusterStartTime" => ClusterSort::Start,
            "LocationDateClusterEndTime" => ClusterSort::End,
            "CreateTime" => ClusterSort::Create,
            "UpdateTime" => ClusterSort::Update,
            _ => default.0,
        },
        order: match call.params.text("Order") {
            "asc" => Order::Asc,
            "desc" => Order::Desc,
            _ => default.1,
        },
        max_results: call.params.count("MaxResults"),
        token: call.params.text("NextToken").to_owned(),
    }
}

/// The members of an address that name it.
const ADDRESS: [(&str, Level); 5] = [
    ("Country", Level::Country),
    ("Province", Level::Province),
    ("City", Level::City),
    ("District", Level::District),
    ("Township", Level::Township),
];

fn query_places(call: &Call<'_>) -> Result<Reply, Fault> {
    let levels: Vec<String> = call.params.list("LocationDateClusterLevels")?;
    let address: Map<String, Value> = call.params.json("Address")?.unwrap_or_default();
    let named = |(name, level): (&str, Level)| {
        let text = address.get(name)?.as_str().filter(|text| !text.is_empty())?;
        Some((level, text.to_owned()))
    };
    let query = LocationDateQuery {
        id: call.params.text("ObjectId").to_owned(),
        title: call.params.text("Title").to_owned(),
        address: ADDRESS.into_iter().filter_map(named).collect(),
        levels: levels.iter().map(|name| Level::parse(name)).collect::<Result<_, _>>()?,
        start: range(call, "LocationDateClusterStartTimeRange")?,
        end: range(call, "LocationDateClusterEndTimeRange")?,
        create: range(call, "CreateTimeRange")?,
        update: range(call, "UpdateTimeRange")?,
        labels: TaskQuery::parse_tags(call.params.text("CustomLabels"))?,
        page: page(call, (ClusterSort::Start, Order::Asc)),
    };
    let found = call.dataset()?.location_date_clusters(&query)?;
    let clusters: Vec<Value> = found.items.iter().map(place_json).collect();
    Reply::new().with("LocationDateClusters", &clusters)?.with_text("NextToken", &found.next_token)
}

/// A location-date cluster as the API writes it.
fn place_json(cluster: &LocationDateCluster) -> Value {
    let address = |names: &PlaceNames| {
        let parts = ADDRESS.into_iter().zip(&names.names).map(|((name, _), text)| (name, text));
        let parts = std::iter::once(("Language", &names.language)).chain(parts);
        let given = parts.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), json!(text)));
        Value::Object(given.collect())
    };
    let mut members = json!({
        "ObjectId": cluster.id,
        "LocationDateClusterLevel": cluster.level.name(),
        "LocationDateClusterStartTime": cluster.start,
        "LocationDateClusterEndTime": cluster.end,
        "Addresses": cluster.addresses.iter().map(address).collect::<Vec<_>>(),
        "CreateTime": Timestamp(cluster.create_time).to_string(),
        "UpdateTime": Timestamp(cluster.update_time).to_string(),
    });
    let labels = (!cluster.custom_labels.is_empty()).then(|| json!(cluster.custom_labels));
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let given = [("Title", text(&cluster.title)), ("CustomId", text(&cluster.custom_id)), ("CustomLabels", labels)];
    if let Some(members) = members.as_object_mut() {
        members.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    members
}

fn update_place(call: &Call<'_>) -> Result<Reply, Fault> {
    let change = LocationDateChange {
        title: call.params.given("Title"),
        custom_id: call.params.given("CustomId"),
        custom_labels: call.params.json("CustomLabels")?,
    };
    call.dataset()?.update_location_date_cluster(call.params.text("ObjectId"), &change)?;
    Ok(Reply::new())
}

fn delete_place(call: &Call<'_>) -> Result<Reply, Fault> {
    call.dataset()?.delete_location_date_cluster(call.params.text("ObjectId"))?;
    Ok(Reply::new())
}

fn query_similar(call: &Call<'_>) -> Result<Reply, Fault> {
    let found = call.dataset()?.similar_image_clusters(&page(call, (ClusterSort::Update, Order::Desc)))?;
    let file = |image: &crate::model::cluster::SimilarImage| match image.score {
        Some(score) => json!({ "URI": image.uri, "ImageScore": score }),
        None => json!({ "URI": image.uri }),
    };
    let cluster = |cluster: &SimilarImageCluster| {
        json!({
            "ObjectId": cluster.id,
            "Files": cluster.files.iter().map(file).collect::<Vec<_>>(),
            "CreateTime": Timestamp(cluster.create_time).to_string(),
            "UpdateTime": Timestamp(cluster.update_time).to_string(),
        })
    };
    let clusters: Vec<Value> = found.items.iter().map(cluster).collect();
    Reply::new().with("SimilarImageClusters", &clusters)?.with_text("NextToken", &found.next_token)
}
