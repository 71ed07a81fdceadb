//! Figure clusters: from pictures of drawn faces to clusters, what goes on from one task to the next, merging, changes of callers, what is refused.

use crate::packs::{fresh, index, install, reference, rgb, two_faces};
use medialith::analyze::{Faces, Vector};
use medialith::engine::{Buckets, Dataset, Engine, Options, TaskOptions, VideoOptions};
use medialith::error::ErrorKind;
use medialith::model::cluster::{
    FIGURE_INDEPENDENT, FIGURE_UNCLUSTERED, FigureCluster, FigureClusterChange, FigureClusterQuery, FigureSort,
};
use medialith::model::{File, Members, Order, Task, TaskKind, TaskOrder, TaskState, Value, field};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PACKS: [&str; 2] = ["faces", "face-points"];

fn done(engine: &Engine, kind: TaskKind, definition: &Json) -> Task {
    let task = engine.create_task("p", &TaskOrder::new(kind, definition.to_string())).unwrap();
    engine.run_task("p", &task.id, Buckets::new(), TaskOptions::default()).unwrap()
}

fn clustered(engine: &Engine) -> Vec<FigureCluster> {
    let task = done(engine, TaskKind::FIGURES, &json!({ "DatasetName": "d" }));
    assert_eq!((task.state, task.code.as_str(), task.message.as_str()), (TaskState::Succeeded, "", ""));
    let found = listed(&engine.dataset("p", "d").unwrap(), FigureClusterQuery::default());
    let result: Json = serde_json::from_str(&engine.task_result("p", &task.id).unwrap().unwrap()).unwrap();
    assert_eq!(result["Clusters"], found.len());
    found
}

/// All clusters, page by page.
fn listed(dataset: &Dataset, query: FigureClusterQuery) -> Vec<FigureCluster> {
    let (mut query, mut found) = (FigureClusterQuery { max_results: 2, with_total: true, ..query }, Vec::new());
    loop {
        let page = dataset.figure_clusters(&query).unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items);
        query.token = page.next_token;
        if query.token.is_empty() {
            assert_eq!(page.total, Some(found.len() as u64));
            return found;
        }
    }
}

/// `FigureId` and `FigureClusterId` of each figure by file.
fn homes(dataset: &Dataset) -> BTreeMap<String, Vec<(String, String)>> {
    let figure = |f: &Members| {
        let text = |id| f.text(id).unwrap_or("").to_owned();
        (text(field::FIGURE_ID), text(field::FIGURE_CLUSTER_ID))
    };
    let files = dataset.scan("", 1000).unwrap();
    let of = |file: &File| match file.get(field::FIGURES) {
        Some(Value::Rows(figures)) => figures.iter().map(figure).collect(),
        _ => Vec::new(),
    };
    files.iter().map(|file| (file.uri().to_owned(), of(file))).collect()
}

/// A document whose figures have these points; each figure is named after the file and its place.
fn document(uri: &str, points: &[Vector]) -> File {
    let name = |at: usize| format!("{}-{at}", uri.rsplit('/').next().unwrap());
    let figures: Vec<Json> = (0..points.len())
        .map(|at| json!({ "FigureId": name(at), "FigureType": "face", "FigureClusterId": FIGURE_UNCLUSTERED, "FigureConfidence": 0.9 }))
        .collect();
    let mut file =
        File::from_json(&json!({ "URI": uri, "MediaType": "image", "Figures": figures }).to_string()).unwrap();
    let points = points.iter().enumerate().map(|(at, point)| (name(at), point.clone())).collect();
    file.set(field::FACE_EMBEDDINGS, Faces { space: "face-points@1".into(), points }.write());
    file
}

/// A point near one of some corners.
fn near(corner: usize, wobble: f32) -> Vector {
    let mut numbers = [0.0_f32; 8];
    numbers[corner] = 1.0;
    numbers[(corner + 1) % 8] = wobble;
    Vector::of(&numbers).unwrap()
}

#[test]
fn faces_of_pictures_become_people() {
    let dir = tempfile::tempdir().unwrap();
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    // Each picture shows two people; the recorded faces are four of each of six.
    let faces = reference("face-points");
    let face = |who: usize, of: usize| rgb(&faces[who * 4 + of]);
    for (name, (a, b)) in [("ab.ppm", (0, 1)), ("cd.ppm", (2, 3)), ("ef.ppm", (4, 5))] {
        std::fs::write(media.join(name), two_faces(&face(a, 0), &face(b, 0))).unwrap();
        std::fs::write(media.join(format!("again {name}")), two_faces(&face(b, 1), &face(a, 1))).unwrap();
    }
    let (engine, dataset) = fresh(dir.path(), "Official:FaceManagement");
    drop((engine, dataset));
    install(&dir.path().join("db"), &PACKS);
    let engine = Engine::open(dir.path().join("db"), Options::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    index(&dataset, &media);
    assert!(homes(&dataset).values().flatten().all(|(_, id)| id == FIGURE_UNCLUSTERED));
    let found = clustered(&engine);
    // The network was trained on other faces; it may join or part some, but no figure is lost, and counts are those of documents.
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, id) in homes(&dataset).into_values().flatten().filter(|(_, id)| id != FIGURE_UNCLUSTERED) {
        *counts.entry(id).or_default() += 1;
    }
    assert!(!found.is_empty() && found.iter().all(|c| c.face_count >= 2 && c.id.starts_with("Cluster-")), "{found:?}");
    assert_eq!(found.iter().map(|c| (c.id.clone(), c.face_count)).collect::<BTreeMap<_, _>>(), counts);
    // Pictures that are read again keep the clusters of their faces.
    let before = homes(&dataset);
    index(&dataset, &media);
    assert_eq!(homes(&dataset), before);
    assert_eq!(clustered(&engine), found, "nothing new: nothing changes");
}

fn opened(dir: &Path) -> (Engine, Dataset) {
    let (engine, dataset) = fresh(dir, "");
    drop((engine, dataset));
    install(&dir.join("db"), &PACKS);
    let engine = Engine::open(dir.join("db"), Options::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

#[test]
fn clusters_go_on_and_callers_have_their_way() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = opened(dir.path());
    let uri = |n: usize| format!("oss://b/{n:02}");
    // Three people, three pictures each; one more is alone.
    let three = |n: usize| document(&uri(n), &[near(n % 3 * 2, 0.05 * n as f32 / 9.0)]);
    dataset.put((0..9).map(three).collect()).unwrap();
    dataset.put(vec![document(&uri(50), &[near(7, 0.0)]), File::new("oss://b/nobody")]).unwrap();
    let first = clustered(&engine);
    assert_eq!(first.iter().map(|c| (c.image_count, c.face_count)).collect::<Vec<_>>(), [(3, 3); 3]);
    let of = |n: usize| homes(&dataset)[&uri(n)][0].1.clone();
    assert!(of(0) == of(3) && of(3) == of(6) && of(0) != of(1) && of(50) == FIGURE_UNCLUSTERED);
    let (zero, one, two) = (of(0), of(1), of(2));

    // Names, labels and covers, with a version against others' changes.
    let change = FigureClusterChange {
        name: Some("Ann".into()),
        custom_labels: Some([("kind".to_owned(), "Friend".to_owned())].into()),
        cover: Some("03-0".into()),
        ..FigureClusterChange::default()
    };
    dataset.update_figure_cluster(&zero, &change).unwrap();
    let error = dataset.update_figure_cluster(&zero, &change).unwrap_err();
    assert!(error.message().contains("MetaLockVersion: expected 1, got 0"), "{error}");
    let ann = dataset.figure_cluster(&zero).unwrap();
    assert_eq!((ann.name.as_str(), ann.lock_version, ann.cover.as_ref().unwrap().uri()), ("Ann", 1, "oss://b/03"));
    let cover = FigureClusterChange { lock_version: 1, cover: Some("01-0".into()), ..FigureClusterChange::default() };
    assert!(
        dataset
            .update_figure_cluster(&zero, &cover)
            .unwrap_err()
            .message()
            .contains("Cover: expected a figure of the cluster")
    );
    let labelled = FigureClusterQuery {
        labels: [("KIND".to_owned(), "friend".to_owned())].into(),
        ..FigureClusterQuery::default()
    };
    assert_eq!(
        listed(&dataset, labelled).iter().map(|c| c.id.clone()).collect::<Vec<_>>(),
        std::slice::from_ref(&zero)
    );

    // New pictures join those whom they show; a figure that was moved or taken out stays where it was put.
    let moved = |n: usize, to: &str| {
        let figures = json!([{ "FigureId": format!("{n:02}-0"), "FigureClusterId": to }]);
        let file = File::from_json(&json!({ "URI": uri(n), "Figures": figures }).to_string()).unwrap();
        assert_eq!(dataset.update(vec![file]).unwrap(), [true]);
    };
    moved(7, &zero);
    moved(8, FIGURE_INDEPENDENT);
    dataset
        .put(vec![document(&uri(10), &[near(0, 0.02), near(4, 0.02)]), document(&uri(51), &[near(7, 0.1)])])
        .unwrap();
    let second = clustered(&engine);
    assert_eq!((of(10), homes(&dataset)[&uri(10)][1].1.clone()), (zero.clone(), two.clone()));
    assert_eq!((of(7), of(8), of(50) == of(51)), (zero.clone(), FIGURE_INDEPENDENT.to_owned(), true));
    let count = |clusters: &[FigureCluster], id: &str| clusters.iter().find(|c| c.id == id).map(|c| c.face_count);
    assert_eq!([&zero, &one, &two, &of(50)].map(|id| count(&second, id)), [Some(5), Some(2), Some(3), Some(2)]);
    let ann = dataset.figure_cluster(&zero).unwrap();
    assert_eq!((ann.name.as_str(), ann.lock_version, ann.cover.unwrap().uri()), ("Ann", 1, "oss://b/03"), "it goes on");
    let by_faces = FigureClusterQuery { sort: FigureSort::Faces, order: Order::Desc, ..FigureClusterQuery::default() };
    let sorted: Vec<u64> = listed(&dataset, by_faces).iter().map(|c| c.face_count).collect();
    assert_eq!(sorted, [5, 3, 2, 2]);
    let names = FigureClusterQuery { sort: FigureSort::Name, order: Order::Desc, ..FigureClusterQuery::default() };
    assert_eq!(listed(&dataset, names)[0].name, "Ann");

    // The cover's file goes: the best of the others shows the cluster. All of one go: the cluster does.
    dataset.delete(vec![uri(3), uri(1), uri(4)]).unwrap();
    assert_ne!(dataset.figure_cluster(&zero).unwrap().cover.unwrap().uri(), "oss://b/03");
    let third = clustered(&engine);
    assert_eq!([&zero, &one].map(|id| count(&third, id)), [Some(4), None]);
    assert_eq!(dataset.figure_cluster(&one).unwrap_err().kind(), ErrorKind::NotFound);
    let ids = [two.clone(), one.clone(), zero.clone()];
    let found: Vec<String> = dataset.figure_clusters_of(&ids).unwrap().into_iter().map(|c| c.id).collect();
    assert_eq!(found, [two.clone(), zero.clone()]);
    merging(&engine, &dataset, &zero, &[two, of(50)]);
}

/// Merging: figures, counts and names; and what is put elsewhere.
fn merging(engine: &Engine, dataset: &Dataset, zero: &str, froms: &[String]) {
    let task = done(engine, TaskKind::FIGURES_MERGING, &json!({ "DatasetName": "d", "Froms": froms, "To": zero }));
    assert_eq!((task.state, task.message.as_str()), (TaskState::Succeeded, ""));
    let all: BTreeSet<String> = homes(dataset).into_values().flatten().map(|(_, id)| id).collect();
    assert_eq!(all, [zero.to_owned(), FIGURE_INDEPENDENT.to_owned()].into());
    let merged = dataset.figure_cluster(zero).unwrap();
    assert_eq!((merged.face_count, merged.image_count, merged.name.as_str()), (9, 8, "Ann"));
    assert_eq!(clustered(engine), [merged]);
    // Documents that are put elsewhere bring their clusters along.
    engine.create_dataset("p", "copy", &medialith::model::DatasetSpec::default()).unwrap();
    engine.dataset("p", "copy").unwrap().put(dataset.scan("", 1000).unwrap()).unwrap();
    done(engine, TaskKind::FIGURES, &json!({ "DatasetName": "copy" }));
    assert_eq!(engine.dataset("p", "copy").unwrap().figure_cluster(zero).unwrap().face_count, 9);
}

#[test]
fn films_show_each_person_once() {
    let dir = tempfile::tempdir().unwrap();
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let faces = reference("face-points");
    let face = |who: usize, of: usize| rgb(&faces[who * 4 + of]);
    // Two people for three seconds, the same picture over and over, then two others.
    let picture = |a: usize, b: usize| {
        let whole = two_faces(&face(a, 0), &face(b, 0));
        image::RgbImage::from_raw(160, 80, whole[whole.len() - 160 * 80 * 3..].to_vec()).unwrap()
    };
    let shots: Vec<image::RgbImage> = (0..60).map(|n| if n < 30 { picture(0, 2) } else { picture(4, 5) }).collect();
    std::fs::write(media.join("people.avi"), crate::timeline::film_of(&shots)).unwrap();
    std::fs::write(media.join("same people.ppm"), two_faces(&face(0, 0), &face(2, 0))).unwrap();
    let (engine, dataset) = fresh(dir.path(), "Official:FaceManagement");
    index(&dataset, &media);
    let state = |dataset: &Dataset| {
        let file = dataset.get("oss://b/people.avi", &[field::OPS]).unwrap().unwrap();
        let Some(Value::Map(pairs)) = file.get(field::OPS) else { panic!() };
        pairs.iter().find(|(key, _)| &**key == "FaceDetection.state").map(|(_, state)| state.to_string()).unwrap()
    };
    assert_eq!((state(&dataset).as_str(), dataset.waiting_films().unwrap()), ("unavailable", 0), "no pack");
    drop((engine, dataset));
    install(&dir.path().join("db"), &PACKS);
    let engine = Engine::open(dir.path().join("db"), Options::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    index(&dataset, &media);
    assert_eq!((state(&dataset).as_str(), dataset.waiting_films().unwrap()), ("waiting", 1));
    let mut buckets = Buckets::new();
    buckets.add("b", &media).unwrap();
    let films = engine.start_film_labels(buckets, VideoOptions::default()).unwrap();
    assert!(films.wait_idle(std::time::Duration::from_secs(120)));
    films.stop();
    assert_eq!((state(&dataset).as_str(), films.counts().done), ("done", 1));
    let film = dataset
        .get("oss://b/people.avi", &[field::FIGURES, field::FIGURE_COUNT, field::FACE_EMBEDDINGS, field::LABELS])
        .unwrap()
        .unwrap();
    assert_eq!(
        (film.int(field::FIGURE_COUNT), film.get(field::LABELS)),
        (Some(4), None),
        "four people, no labels: {film:?}"
    );
    let points = Faces::read(film.text(field::FACE_EMBEDDINGS).unwrap()).unwrap();
    assert_eq!(points.points.len(), 4);
    // Whom the picture shows the film shows as well.
    let found = clustered(&engine);
    assert!(found.iter().filter(|c| (c.image_count, c.video_count) == (1, 1)).count() >= 2, "{found:?}");
}

#[test]
fn tasks_that_cannot_be_done_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path(), "");
    let task = done(&engine, TaskKind::FIGURES, &json!({ "DatasetName": "d" }));
    assert_eq!(task.state, TaskState::Failed);
    assert!(task.message.contains("no model pack for face embedding"), "{task:?}");
    let merge =
        |definition: Json| engine.create_task("p", &TaskOrder::new(TaskKind::FIGURES_MERGING, definition.to_string()));
    for (definition, why) in [
        (json!({ "DatasetName": "d", "To": "x" }), "got none"),
        (json!({ "DatasetName": "d", "From": "a", "Froms": ["b"], "To": "x" }), "got both"),
        (json!({ "DatasetName": "d", "From": "x", "To": "x" }), "To: expected a cluster that is none of"),
        (json!({ "DatasetName": "d", "Froms": vec!["a"; 101], "To": "x" }), "at most 100"),
        (json!({ "DatasetName": "d", "From": "a" }), "expected as in the API"),
        (json!({ "DatasetName": "nowhere", "From": "a", "To": "x" }), "nowhere"),
    ] {
        assert!(merge(definition).unwrap_err().message().contains(why), "{why}");
    }
    let task = done(&engine, TaskKind::FIGURES_MERGING, &json!({ "DatasetName": "d", "From": "a", "To": "x" }));
    assert!(task.state == TaskState::Failed && task.message.contains("\"x\" does not exist"), "{task:?}");
    assert!(
        dataset.figure_clusters(&FigureClusterQuery { max_results: 101, ..FigureClusterQuery::default() }).is_err()
    );
    let long = FigureClusterChange { name: Some("x".repeat(1025)), ..FigureClusterChange::default() };
    assert!(dataset.update_figure_cluster("x", &long).unwrap_err().message().contains("Name: expected at most 1024"));
}
