//! `medialith cluster`: groups the files of a dataset and prints the groups.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, complain, printable};
use crate::engine::{Buckets, Dataset, Engine, TaskOptions};
use crate::error::Result;
use crate::model::cluster::{ClusterPage, ClusterSort, LocationDateCluster, LocationDateQuery, MAX_CLUSTER_PAGE};
use crate::model::{TaskKind, TaskOrder, TaskState};
use serde_json::{Value, json};

#[derive(clap::Args)]
#[command(after_help = "\
Makes a clustering task, does it, and prints the clusters that are there then; clusters that go on keep their ids. Places come from
Addresses (the operator ReGEO), likeness from ImageHash (the operator of that name): index with a template that has them, such as
medialith:Visual. See docs/clusters.md.

  medialith cluster places --levels city,country --gap-days 1 --max-days 15
  medialith cluster similar --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Files of one place and a few days in a row
    Places(Places),
    /// Pictures that look alike
    Similar(Similar),
}

#[derive(clap::Args)]
struct Places {
    /// Levels to group by, each for itself: country, province, city, district, township
    #[arg(long, default_value = "city", value_delimiter = ',', value_name = "LEVELS")]
    levels: Vec<String>,
    /// Days without files that a cluster may hold in a row
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    gap_days: u32,
    /// Least days of a cluster
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    min_days: u32,
    /// Most days of a cluster: where files go on for longer somebody lives
    #[arg(long, default_value_t = 15, value_name = "COUNT")]
    max_days: u32,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Similar {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let engine = place.write()?;
    let dataset = engine.dataset(&place.project, &place.dataset)?;
    match &args.verb {
        Verb::Places(places) => {
            let definition = json!({
                "DatasetName": place.dataset,
                "LocationOptions": { "LocationDateClusterLevels": places.levels },
                "DateOptions": {
                    "GapDays": places.gap_days, "MinDays": places.min_days, "MaxDays": places.max_days,
                },
            });
            if !done(&engine, place, TaskKind::LOCATION_DATES, &definition)? {
                return Ok(Exit::Partial);
            }
            print_places(&dataset, places.json)?;
        }
        Verb::Similar(similar) => {
            if !done(&engine, place, TaskKind::SIMILAR_IMAGES, &json!({ "DatasetName": place.dataset }))? {
                return Ok(Exit::Partial);
            }
            print_similar(&dataset, similar.json)?;
        }
    }
    Ok(Exit::Done)
}

/// Makes a task and does it; answers whether it succeeded.
fn done(engine: &Engine, place: &Place, kind: TaskKind, definition: &Value) -> Result<bool> {
    let task = engine.create_task(&place.project, &TaskOrder::new(kind, definition.to_string()))?;
    let task = engine.run_task(&place.project, &task.id, Buckets::new(), TaskOptions::default())?;
    if task.state != TaskState::Succeeded {
        complain(format_args!("{}: {}", task.code, printable(&task.message)));
    }
    Ok(task.state == TaskState::Succeeded)
}

fn print_places(dataset: &Dataset, json: bool) -> Result<()> {
    let mut out = Output::new();
    let mut query = LocationDateQuery::default();
    query.page.max_results = MAX_CLUSTER_PAGE;
    loop {
        let page = dataset.location_date_clusters(&query)?;
        for cluster in &page.items {
            let days = |time: &str| time.get(..10).unwrap_or(time).to_owned();
            if json {
                out.line(json!({
                    "ObjectId": cluster.id,
                    "LocationDateClusterLevel": cluster.level.name(),
                    "LocationDateClusterStartTime": cluster.start,
                    "LocationDateClusterEndTime": cluster.end,
                    "Place": name(cluster),
                    "Title": cluster.title,
                }))?;
            } else {
                let (from, to) = (days(&cluster.start), days(&cluster.end));
                out.line(format_args!("{from} to {to}  {}  {}", cluster.level.name(), printable(&name(cluster))))?;
            }
        }
        if page.next_token.is_empty() {
            return out.flush();
        }
        query.page.token = page.next_token;
    }
}

/// The names of a place, the narrowest first.
fn name(cluster: &LocationDateCluster) -> String {
    let names = cluster.addresses.first().map_or(&[][..], |names| &names.names[..]);
    let given: Vec<&str> = names.iter().rev().map(String::as_str).filter(|name| !name.is_empty()).collect();
    given.join(", ")
}

fn print_similar(dataset: &Dataset, json: bool) -> Result<()> {
    let mut out = Output::new();
    let mut page = ClusterPage { sort: ClusterSort::Create, max_results: MAX_CLUSTER_PAGE, ..ClusterPage::default() };
    loop {
        let found = dataset.similar_image_clusters(&page)?;
        for cluster in &found.items {
            let uris: Vec<&str> = cluster.files.iter().map(|file| file.uri.as_str()).collect();
            if json {
                out.line(json!({ "ObjectId": cluster.id, "Files": uris }))?;
            } else {
                let uris: Vec<_> = uris.iter().map(|uri| printable(uri).to_string()).collect();
                out.line(uris.join("  "))?;
            }
        }
        if found.next_token.is_empty() {
            return out.flush();
        }
        page.token = found.next_token;
    }
}
