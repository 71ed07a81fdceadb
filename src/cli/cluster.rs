//! `medialith cluster`: groups the files of a dataset and prints the groups.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, complain, counted, printable};
use crate::engine::{Buckets, Dataset, Engine, TaskOptions};
use crate::error::Result;
use crate::model::cluster::{
    ClusterPage, ClusterSort, FigureClusterChange, FigureClusterQuery, FigureSort, LocationDateCluster,
    LocationDateQuery, MAX_CLUSTER_PAGE,
};
use crate::model::{Order, TaskKind, TaskOrder, TaskState};
use serde_json::{Value, json};

#[derive(clap::Args)]
#[command(after_help = "\
Makes a clustering task, does it, and prints the clusters that are there then; clusters that go on keep their ids. Places come from
Addresses (the operator ReGEO), likeness from ImageHash (the operator of that name), people from FaceEmbeddings (FaceDetection, with model packs
for faces and their points): index with a template that has them, such as medialith:Everything. See docs/clusters.md.

  medialith cluster places --levels city,country --gap-days 1 --max-days 15
  medialith cluster similar --json
  medialith cluster figures
  medialith cluster name Cluster-0f4c... Grandmother
  medialith search 'person:Cluster-0f4c...'")]
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
    /// People whose faces files show
    Figures(Figures),
    /// Makes one of several figure clusters
    Merge(Merge),
    /// Names a figure cluster
    Name(Name),
}

#[derive(clap::Args)]
struct Figures {
    /// List those that are there without looking for more
    #[arg(long)]
    list: bool,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Merge {
    /// The cluster that the others become
    #[arg(long, value_name = "ID")]
    to: String,
    /// Clusters to merge
    #[arg(value_name = "ID", required = true)]
    from: Vec<String>,
}

#[derive(clap::Args)]
struct Name {
    /// The cluster
    #[arg(value_name = "ID")]
    id: String,
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
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
        Verb::Figures(figures) => {
            let kind = TaskKind::FIGURES;
            if !figures.list && !done(&engine, place, kind, &json!({ "DatasetName": place.dataset }))? {
                return Ok(Exit::Partial);
            }
            print_figures(&dataset, figures.json)?;
        }
        Verb::Merge(merge) => {
            let definition = json!({ "DatasetName": place.dataset, "Froms": merge.from, "To": merge.to });
            if !done(&engine, place, TaskKind::FIGURES_MERGING, &definition)? {
                return Ok(Exit::Partial);
            }
        }
        Verb::Name(named) => {
            let lock_version = dataset.figure_cluster(&named.id)?.lock_version;
            let change =
                FigureClusterChange { lock_version, name: Some(named.name.clone()), ..FigureClusterChange::default() };
            dataset.update_figure_cluster(&named.id, &change)?;
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

/// The largest first.
fn print_figures(dataset: &Dataset, json: bool) -> Result<()> {
    let mut out = Output::new();
    let mut query = FigureClusterQuery { sort: FigureSort::Faces, order: Order::Desc, ..FigureClusterQuery::default() };
    loop {
        let page = dataset.figure_clusters(&query)?;
        for cluster in &page.items {
            let cover = cluster.cover.as_ref().map_or("", |file| file.uri());
            if json {
                out.line(json!({
                    "ObjectId": cluster.id,
                    "Name": cluster.name,
                    "ImageCount": cluster.image_count,
                    "VideoCount": cluster.video_count,
                    "FaceCount": cluster.face_count,
                    "Cover": cover,
                    "MetaLockVersion": cluster.lock_version,
                }))?;
            } else {
                let (name, faces) = (printable(&cluster.name).to_string(), counted(cluster.face_count, "face"));
                let gap = if name.is_empty() { "" } else { "  " };
                out.line(format_args!("{}  {name}{gap}{faces}  {}", printable(&cluster.id), printable(cover)))?;
            }
        }
        if page.next_token.is_empty() {
            return out.flush();
        }
        query.token = page.next_token;
    }
}
