//! Deaths by kill -9 while clusters are found and indexed films are labelled: each task ends once, and what is left is what a process that
//! nobody kills leaves.

use crate::LIFE;
use crate::child::{order, start};
use crate::world::{Dice, options, times};
use medialith::analyze::{Faces, Vector};
use medialith::engine::{Buckets, Dataset, Engine, IngestOptions, Progress, TaskOptions};
use medialith::model::{DatasetSpec, File, ProjectSpec, Task, TaskKind, TaskOrder, TaskQuery, TaskState, field};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const DIR: &str = "MEDIALITH_CLUSTERS_DIR";
/// Whether the child looks at films too.
const FILMS: &str = "MEDIALITH_CLUSTERS_FILMS";
/// Children that die while they look at films: one more and the film that they die at would be given up.
const AT_FILMS: u32 = 4;
/// Documents with faces, hashes, places and days: what is to be written into them is more than one row.
const DOCUMENTS: usize = 600;

/// Tasks of the run that kills their workers, a third of each kind.
fn tasks() -> usize {
    usize::try_from(times("MEDIALITH_CLUSTER_TASKS", 21)).unwrap()
}

fn videos() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample/videos")
}

fn document(n: usize, dice: &mut Dice) -> File {
    let corner = n % 40;
    let numbers: Vec<f32> =
        (0..40).map(|at| if at == corner { 1.0 } else { dice.below(100) as f32 / 1500.0 }).collect();
    let hash = (corner as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 1 << dice.below(64);
    let mut file = File::from_json(
        &json!({
            "URI": format!("oss://photos/{n:05}.jpg"), "MediaType": "image", "ImageHash": format!("{hash:016x}"),
            "ProduceTime": format!("2022-05-{:02}T10:00:00Z", 1 + n % 7),
            "Addresses": [{ "Language": "en", "Country": "X", "City": format!("City {}", n % 9) }],
            "Figures": [{ "FigureId": format!("f{n}"), "FigureType": "face", "FigureClusterId": "figure-cluster-id-unavailable" }],
        })
        .to_string(),
    )
    .unwrap();
    let points = vec![(format!("f{n}"), Vector::of(&numbers).unwrap())];
    file.set(field::FACE_EMBEDDINGS, Faces { space: "face-points@1".into(), points }.write());
    file
}

/// A database with documents, films that wait, and tasks.
fn prepare(dir: &Path) -> Engine {
    drop(Engine::open(dir, options()).unwrap());
    let (from, to) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/packs/face-points"), dir.join("packs/face-points"));
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let engine = Engine::open(dir, options()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let visual = DatasetSpec { template_id: Some("medialith:Visual".into()), ..DatasetSpec::default() };
    engine.create_dataset("p", "d", &visual).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    let mut dice = Dice(5);
    dataset.put((0..DOCUMENTS).map(|n| document(n, &mut dice)).collect()).unwrap();
    dataset.index_folder("videos", videos(), &IngestOptions::default(), &Progress::new()).unwrap();
    let places = json!({
        "DatasetName": "d", "LocationOptions": { "LocationDateClusterLevels": ["city"] },
        "DateOptions": { "GapDays": 1, "MinDays": 1, "MaxDays": 30 },
    });
    let plain = json!({ "DatasetName": "d" });
    for n in 0..tasks() {
        let (kind, definition) =
            [(TaskKind::FIGURES, &plain), (TaskKind::SIMILAR_IMAGES, &plain), (TaskKind::LOCATION_DATES, &places)]
                [n % 3];
        engine.create_task("p", &TaskOrder::new(kind, definition.to_string())).unwrap();
    }
    engine
}

/// Does tasks and looks at films until nothing is left.
fn work(engine: &Engine, with_films: bool) {
    let mut buckets = Buckets::new();
    buckets.add("videos", videos()).unwrap();
    let runner = engine.start_tasks(buckets.clone(), TaskOptions { threads: 2, ..TaskOptions::default() }).unwrap();
    let films = with_films.then(|| engine.start_film_labels(buckets, medialith::video::Options::default()).unwrap());
    let idle = || films.as_ref().is_none_or(|films| films.wait_idle(Duration::from_millis(1)));
    while engine.waiting_tasks() > 0 || !idle() {
        std::thread::sleep(Duration::from_millis(1));
    }
    films.iter().for_each(medialith::engine::FilmLabels::stop);
    runner.stop();
}

/// The child.
#[test]
#[ignore = "started by the supervisor"]
fn worker() {
    let Some(dir) = order(DIR) else { return };
    work(&Engine::open(&dir, options()).unwrap(), times(FILMS, 1) == 1);
}

fn tasks_of(engine: &Engine) -> Vec<Task> {
    let query = TaskQuery { max_results: 100, ..TaskQuery::default() };
    let page = engine.tasks("p", &query).unwrap();
    assert!(page.next_token.is_empty());
    page.items
}

/// Documents without what tells when and how often; clusters without their times.
fn left(dataset: &Dataset) -> Vec<Value> {
    let mut all: Vec<Value> = dataset
        .scan("", 10_000)
        .unwrap()
        .iter()
        .map(|file| {
            let mut json: Value = serde_json::from_str(&file.to_json()).unwrap();
            let members = json.as_object_mut().unwrap();
            members.retain(|name, _| !["CreateTime", "UpdateTime"].contains(&name.as_str()));
            if let Some(ops) = members.get_mut("ops").and_then(Value::as_object_mut) {
                ops.retain(|name, _| !name.ends_with(".attempts"));
            }
            json
        })
        .collect();
    let figures = dataset.figure_clusters(&medialith::model::cluster::FigureClusterQuery::default()).unwrap();
    all.extend(
        figures.items.iter().map(|c| json!([c.id, c.face_count, c.image_count, c.cover.as_ref().map(File::uri)])),
    );
    let mut page = medialith::model::cluster::ClusterPage { max_results: 100, ..Default::default() };
    page.sort = medialith::model::cluster::ClusterSort::Create;
    let alike = dataset.similar_image_clusters(&page).unwrap();
    let mut alike: Vec<Value> =
        alike.items.iter().map(|c| json!([c.id, c.files.iter().map(|f| &f.uri).collect::<Vec<_>>()])).collect();
    alike.sort_by_key(Value::to_string);
    all.extend(alike);
    let mut query = medialith::model::cluster::LocationDateQuery::default();
    query.page.max_results = 100;
    let places = dataset.location_date_clusters(&query).unwrap();
    let mut places: Vec<Value> = places.items.iter().map(|c| json!([c.id, c.start, c.end])).collect();
    places.sort_by_key(Value::to_string);
    all.extend(places);
    all
}

#[test]
fn killed_clusters_and_films_end_once() {
    let (dir, twin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let untouched = prepare(twin.path());
    work(&untouched, true);
    let expected = left(&untouched.dataset("p", "d").unwrap());
    drop(untouched);
    drop(prepare(dir.path()));
    let (mut dice, all) = (Dice(u64::from(std::process::id())), tasks());
    let (mut ended, mut kills): (BTreeMap<String, Task>, u32) = (BTreeMap::new(), 0);
    loop {
        let last = ended.len() == all;
        let with_films = last || kills < AT_FILMS;
        let given = [(DIR, dir.path().to_str().unwrap().to_owned()), (FILMS, u32::from(with_films).to_string())];
        let mut victim = start("clusters::worker", &given);
        if !last {
            std::thread::sleep(Duration::from_millis(60 + dice.below(LIFE)));
            drop(victim.child.kill());
            kills += 1;
        }
        victim.ended();
        assert!(kills < 400, "{} of {all} tasks have ended", ended.len());
        let engine = Engine::open(dir.path(), options()).unwrap();
        let tasks = tasks_of(&engine);
        assert_eq!(tasks.len(), all);
        for task in tasks.into_iter().filter(|task| task.state.is_final()) {
            match task.state {
                // One that took five processes with it is given up.
                TaskState::Failed => assert_eq!(task.code, "InternalError", "{task:?}"),
                _ => assert_eq!((task.state, task.code.as_str()), (TaskState::Succeeded, ""), "{task:?}"),
            }
            let before = ended.entry(task.id.clone()).or_insert_with(|| task.clone());
            assert_eq!(*before, task, "an end changed");
        }
        if last && engine.dataset("p", "d").unwrap().waiting_films().unwrap() == 0 {
            break;
        }
    }
    let engine = Engine::open(dir.path(), options()).unwrap();
    let found = left(&engine.dataset("p", "d").unwrap());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    println!("tasks {all}, kills {kills}, each ended once and left what nobody's death would have left");
}
