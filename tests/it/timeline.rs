//! Films that are indexed: their labels and shots come after the document, and queries find single shots.

use medialith::engine::{
    Buckets, Dataset, Engine, IndexerOptions, IngestOptions, Options, Progress, VideoOptions, language,
};
use medialith::model::{BindingSpec, DatasetSpec, File, Filter, Page, ProjectSpec, Query, Value, field};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
const RED: [u8; 3] = [220, 20, 30];
const BLUE: [u8; 3] = [20, 40, 200];
const GREEN: [u8; 3] = [20, 150, 40];

/// A chunk of RIFF.
fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes.extend(std::iter::repeat_n(0, body.len() % 2));
    bytes
}

fn list(kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind.as_slice(), &parts.concat()].concat())
}

/// A film of Motion JPEG in AVI, ten pictures a second: each shot is so many pictures of a left and a right colour.
fn film(shots: &[(usize, [u8; 3], [u8; 3])]) -> Vec<u8> {
    let (width, height) = (128_u32, 96_u32);
    let mut pictures = Vec::new();
    for (shot, (count, left, right)) in shots.iter().enumerate() {
        for at in 0..*count {
            pictures.push(image::RgbImage::from_fn(width, height, |x, y| {
                let light = (((x as usize + at / 2) / 16 * 7 + y as usize / 16 * 13 + shot * 29) * 37 % 31) as i32 - 15;
                let colour = if x < width / 2 { left } else { right };
                image::Rgb(colour.map(|value| (i32::from(value) + light).clamp(0, 255) as u8))
            }));
        }
    }
    film_of(&pictures)
}

/// The same of any pictures of one size.
pub(crate) fn film_of(pictures: &[image::RgbImage]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let (width, height) = pictures[0].dimensions();
    let count = u32::try_from(pictures.len()).unwrap();
    let avih = words(&[100_000, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0]);
    let strh = [b"vidsMJPG".to_vec(), words(&[0, 0, 0, 1, 10, 0, count, 0, 0, 0, 0, 0])].concat();
    let strf =
        [words(&[40, width, height]), vec![1, 0, 24, 0], b"MJPG".to_vec(), words(&[width * height * 3, 0, 0, 0, 0])];
    let stream = list(b"strl", &[chunk(b"strh", &strh), chunk(b"strf", &strf.concat())]);
    let mut frames = Vec::new();
    for picture in pictures {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
        picture.write_with_encoder(encoder).unwrap();
        frames.push(chunk(b"00dc", &bytes.into_inner()));
    }
    let body = [list(b"hdrl", &[chunk(b"avih", &avih), stream]), list(b"movi", &frames)].concat();
    chunk(b"RIFF", &[b"AVI ".as_slice(), &body].concat())
}

fn open(dir: &Path) -> (Engine, Dataset) {
    let engine = Engine::open(dir.join("db"), Options::default()).unwrap();
    if engine.project("p").is_err() {
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        let spec = DatasetSpec { template_id: Some("medialith:Visual".into()), ..DatasetSpec::default() };
        engine.create_dataset("p", "d", &spec).unwrap();
    }
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

/// A folder with two films: red and blue together in one, one after the other in the other; and what is no film.
fn media(dir: &Path) -> std::path::PathBuf {
    let media = dir.join("media");
    std::fs::create_dir(&media).unwrap();
    std::fs::write(media.join("apart.avi"), film(&[(10, RED, RED), (10, BLUE, BLUE)])).unwrap();
    std::fs::write(media.join("together.avi"), film(&[(10, GREEN, GREEN), (12, RED, BLUE), (8, GREEN, GREEN)]))
        .unwrap();
    let mut broken = film(&[(3, RED, RED)]);
    let at = broken.windows(4).position(|four| four == b"00dc").unwrap();
    broken[at + 8..].fill(0x55);
    std::fs::write(media.join("broken.avi"), broken).unwrap();
    std::fs::write(media.join("note.txt"), "no film").unwrap();
    media
}

fn index(dataset: &Dataset, media: &Path) {
    let options = IngestOptions { again: true, ..IngestOptions::default() };
    dataset.index_folder("b", media, &options, &Progress::new()).unwrap();
}

fn buckets(media: &Path) -> Buckets {
    let mut buckets = Buckets::new();
    buckets.add("b", media).unwrap();
    buckets
}

fn state(dataset: &Dataset, name: &str, key: &str) -> String {
    let file = dataset.get(&format!("oss://b/{name}"), &[]).unwrap().unwrap();
    let Some(Value::Map(pairs)) = file.get(field::OPS) else { return String::new() };
    let name = format!("LabelClassification.{key}");
    pairs.iter().find(|(k, _)| **k == *name).map_or(String::new(), |(_, v)| v.to_string())
}

fn asked(dataset: &Dataset, text: &str) -> Vec<File> {
    let search = language::parse(text).unwrap();
    dataset.search(&Query { text: search.text, filter: search.filter, ..Query::default() }).unwrap().files
}

/// Names of the files that were found, and the time ranges of the scenes that they show.
fn ranges(files: &[File]) -> Vec<(String, Vec<Json>)> {
    let scenes = |file: &File| -> Vec<Json> {
        let json: Json = serde_json::from_str(&file.to_json()).unwrap();
        json["SceneElements"].as_array().into_iter().flatten().map(|scene| scene["TimeRange"].clone()).collect()
    };
    files.iter().map(|file| (file.uri()[8..].to_owned(), scenes(file))).collect()
}

/// What queries find once all films were looked at.
fn cases(dataset: &Dataset) {
    let found = |text: &str| ranges(&asked(dataset, text));
    let one = |name: &str, at: &[Json]| (name.to_owned(), at.to_vec());
    assert_eq!(found("label:Red label:Blue").len(), 2, "both are in either film");
    assert_eq!(found("scene(label:Red label:Blue)"), [one("together.avi", &[json!([1000, 2200])])]);
    assert_eq!(
        found("scene(label:Red)"),
        [one("apart.avi", &[json!([0, 1000])]), one("together.avi", &[json!([1000, 2200])])]
    );
    assert_eq!(found("scene(label:Green start>=1000)"), [one("together.avi", &[json!([2200, 3000])])]);
    assert_eq!(found("scene(label:Green end<=1000) -scene(label:Blue label:Red)"), []);
    assert_eq!(found("SceneElements.Labels.LabelName:Gre*")[0].1.len(), 2);
    assert_eq!(found("name:together"), [one("together.avi", &[])], "not asked about scenes");
    let tree = r#"{"Operation":"nested","Field":"SceneElements","SubQueries":[
        {"Operation":"eq","Field":"SceneElements.Labels.LabelName","Value":"Red"},
        {"Operation":"eq","Field":"SceneElements.Labels.LabelName","Value":"Blue"}]}"#;
    let query = Query { filter: Some(Filter::parse(tree).unwrap()), ..Query::default() };
    assert_eq!(ranges(&dataset.search(&query).unwrap().files), [one("together.avi", &[json!([1000, 2200])])]);
    let films = ["video".to_owned()];
    let semantic = |text: &str| ranges(&dataset.semantic(text, &films, Page::default(), &[]).unwrap().files);
    assert!(semantic("red and blue").contains(&one("together.avi", &[json!([1000, 2200])])));
    assert!(semantic("red and blue").contains(&one("apart.avi", &[json!([0, 1000]), json!([1000, 2000])])));
}

#[test]
fn two_labels_in_the_same_shot_find_the_shot() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let media = media(dir.path());
    index(&dataset, &media);
    assert_eq!(dataset.waiting_films().unwrap(), 3);
    assert_eq!(
        (state(&dataset, "apart.avi", "state"), state(&dataset, "note.txt", "state")),
        ("waiting".into(), "".into())
    );
    let waiting = dataset.get("oss://b/apart.avi", &[]).unwrap().unwrap();
    assert_eq!(waiting.int(field::VIDEO_WIDTH), Some(128), "metadata is there at once");

    let films = engine.start_film_labels(buckets(&media), VideoOptions::default()).unwrap();
    assert!(engine.start_film_labels(Buckets::new(), VideoOptions::default()).is_err(), "one at a time");
    assert!(films.wait_idle(PATIENCE));
    assert_eq!((films.counts().done, films.counts().failed, dataset.waiting_films().unwrap()), (2, 1, 0));
    assert_eq!(
        (state(&dataset, "apart.avi", "state"), state(&dataset, "apart.avi", "version")),
        ("done".into(), "1".into())
    );

    // A film that cannot be read costs its labels, and says why.
    assert_eq!(state(&dataset, "broken.avi", "state"), "failed");
    assert!(
        state(&dataset, "broken.avi", "reason").starts_with("[InvalidVideo] "),
        "{}",
        state(&dataset, "broken.avi", "reason")
    );
    let broken = dataset.get("oss://b/broken.avi", &[]).unwrap().unwrap();
    assert!(broken.text(field::REASON).unwrap().starts_with("[InvalidVideo] LabelClassification: "));
    assert_eq!((broken.int(field::VIDEO_WIDTH), broken.get(field::LABELS)), (Some(128), None));

    cases(&dataset);
    dataset.settle().unwrap();
    cases(&dataset);
    assert!(engine.check(true).unwrap().is_clean());

    // Labels carry their clips, as those of a task do.
    let together = dataset.get("oss://b/together.avi", &[]).unwrap().unwrap();
    let json: Json = serde_json::from_str(&together.to_json()).unwrap();
    let green = json["Labels"].as_array().unwrap().iter().find(|label| label["LabelName"] == "Green").unwrap();
    assert_eq!(green["Clips"], json!([{ "TimeRange": [0, 1000] }, { "TimeRange": [2200, 3000] }]));
    let scene = &json["SceneElements"][1];
    assert_eq!((&scene["VideoStreamIndex"], &scene["FrameTimes"][0]), (&json!(0), &json!(1000)));
    films.stop();

    // What callers say later leaves them as they are; reading the film again finds them again.
    dataset.update(vec![File::new("oss://b/together.avi").with(field::CUSTOM_ID, "mine")]).unwrap();
    assert_eq!(ranges(&asked(&dataset, "scene(label:Red label:Blue)")).len(), 1);
    let indexer = engine.start_indexer(buckets(&media), IndexerOptions::default()).unwrap();
    let filter = language::parse("ops.LabelClassification.state:done type:video").unwrap().into_filter();
    assert_eq!(indexer.reprocess(&dataset, &Query { filter, ..Query::default() }).unwrap().files, 2);
    assert!(indexer.wait_idle(PATIENCE));
    assert_eq!(dataset.waiting_films().unwrap(), 2);
    assert_eq!(ranges(&asked(&dataset, "scene(label:Red)")), [], "not yet");
    let films = engine.start_film_labels(buckets(&media), VideoOptions::default()).unwrap();
    assert!(films.wait_idle(PATIENCE));
    cases(&dataset);
    let again = dataset.get("oss://b/together.avi", &[]).unwrap().unwrap();
    assert_eq!(
        (again.get(field::LABELS), again.get(field::SCENE_ELEMENTS), again.text(field::CUSTOM_ID)),
        (together.get(field::LABELS), together.get(field::SCENE_ELEMENTS), Some("mine"))
    );
}

#[test]
fn films_wait_for_a_process_that_reaches_them() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let media = media(dir.path());
    std::fs::remove_file(media.join("broken.avi")).unwrap();
    index(&dataset, &media);
    // In no bucket of this one: they wait.
    let films = engine.start_film_labels(Buckets::new(), VideoOptions::default()).unwrap();
    assert!(films.wait_idle(PATIENCE));
    assert_eq!((films.counts().done, dataset.waiting_films().unwrap()), (0, 2));
    drop(films);
    drop((dataset, engine));

    // The next process has the folder by a binding of the dataset.
    let (engine, dataset) = open(dir.path());
    let spec = BindingSpec { source: media.to_str().unwrap().to_owned(), ..BindingSpec::default() };
    engine.create_binding("p", "d", "oss://b", &spec).unwrap();
    let follower = engine.start_follower(Buckets::new(), medialith::engine::FollowOptions::default()).unwrap();
    assert!(follower.wait_idle(PATIENCE).unwrap());
    let films = engine.start_film_labels(Buckets::new(), VideoOptions::default()).unwrap();
    assert!(films.wait_idle(PATIENCE));
    assert_eq!((films.counts().done, dataset.waiting_films().unwrap()), (2, 0));
    // What the binding picks up later is looked at without being asked.
    std::fs::write(media.join("later.avi"), film(&[(5, BLUE, BLUE)])).unwrap();
    let begun = std::time::Instant::now();
    while asked(&dataset, "name:later scene(label:Blue)").is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    follower.stop();
}

#[test]
fn a_film_that_takes_processes_with_it_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let media = media(dir.path());
    index(&dataset, &media);
    // As five processes that ended with the film would have left it.
    let mut left = dataset.get("oss://b/apart.avi", &[]).unwrap().unwrap();
    let entries = [("state", "running"), ("version", "1"), ("attempts", "5")];
    left.set(field::OPS, Value::map(entries.map(|(k, v)| (format!("LabelClassification.{k}"), v.to_owned()))));
    dataset.put(vec![left]).unwrap();
    let films = engine.start_film_labels(buckets(&media), VideoOptions::default()).unwrap();
    assert!(films.wait_idle(PATIENCE));
    assert_eq!(state(&dataset, "apart.avi", "state"), "failed");
    assert!(state(&dataset, "apart.avi", "reason").contains("ended 5 times"));
    assert_eq!(state(&dataset, "together.avi", "state"), "done");
}

/// A generator of numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const NAMES: [&str; 6] = ["Red", "Red Kite", "red", "Kite", "\u{6d77}", "Da\u{308}mmerung"];

/// The labels of a scene, where it begins and where it ends.
type Shown = (Vec<&'static str>, i64, i64);
/// What a condition asks of a scene.
type Holds = Box<dyn Fn(&[&str], i64, i64) -> bool>;

/// A condition on one scene, as a tree and as what it asks of labels and bounds.
fn condition(dice: &mut Dice, depth: u64) -> (Json, Holds) {
    let leaf =
        |operation: &str, field: &str, value: String| json!({ "Operation": operation, "Field": field, "Value": value });
    let name = NAMES[dice.below(NAMES.len() as u64) as usize];
    match dice.below(if depth == 0 { 5 } else { 8 }) {
        0 | 1 => {
            let tree = leaf("eq", "SceneElements.Labels.LabelName", name.to_owned());
            (tree, Box::new(move |labels, _, _| labels.contains(&name)))
        }
        2 => {
            let start: String = name.chars().take(1).collect();
            let tree = leaf("prefix", "SceneElements.Labels.LabelName", start.clone());
            (tree, Box::new(move |labels, _, _| labels.iter().any(|label| label.starts_with(&start))))
        }
        3 => {
            let at = dice.below(3000) as i64;
            (leaf("gte", "SceneElements.Start", at.to_string()), Box::new(move |_, start, _| start >= at))
        }
        4 => {
            let tree = leaf("gt", "SceneElements.Labels.LabelName", name.to_owned());
            (tree, Box::new(move |labels, _, _| labels.iter().any(|label| label.as_bytes() > name.as_bytes())))
        }
        kind => {
            let ((a, holds_a), (b, holds_b)) = (condition(dice, depth - 1), condition(dice, depth - 1));
            let operation = ["and", "or", "not"][kind as usize - 5];
            let tree = json!({ "Operation": operation, "SubQueries": [a, b] });
            (
                tree,
                Box::new(move |labels, start, end| {
                    let (a, b) = (holds_a(labels, start, end), holds_b(labels, start, end));
                    match kind {
                        5 => a && b,
                        6 => a || b,
                        _ => !a && !b,
                    }
                }),
            )
        }
    }
}

#[test]
fn queries_on_scenes_agree_with_looking_at_each() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let mut dice = Dice(11);
    let mut films: Vec<(String, Vec<Shown>)> = Vec::new();
    for number in 0..300 {
        let mut scenes = Vec::new();
        for at in 0..dice.below(4) as i64 {
            let labels: Vec<&str> = NAMES.iter().copied().filter(|_| dice.below(3) == 0).collect();
            scenes.push((labels, at * 1000, at * 1000 + 1000));
        }
        films.push((format!("oss://b/{number:03}.mp4"), scenes));
    }
    let document = |(uri, scenes): &(String, Vec<Shown>)| {
        let scene = |(labels, from, to): &Shown| {
            let labels: Vec<Json> = labels.iter().map(|name| json!({ "LabelName": name })).collect();
            json!({ "TimeRange": [from, to], "Labels": labels })
        };
        let scenes: Vec<Json> = scenes.iter().map(scene).collect();
        File::from_json(&json!({ "URI": uri, "SceneElements": scenes }).to_string()).unwrap()
    };
    for part in films.chunks(70) {
        dataset.put(part.iter().map(document).collect()).unwrap();
    }
    for round in 0..2 {
        for _ in 0..200 {
            let (tree, holds) = condition(&mut dice, 2);
            let tree = json!({ "Operation": "nested", "Field": "SceneElements", "SubQueries": [tree] });
            let mut query = Query { filter: Some(Filter::from_json(&tree).unwrap()), ..Query::default() };
            query.page.max_results = 200;
            let mut found = Vec::new();
            loop {
                let page = dataset.search(&query).unwrap();
                found.extend(ranges(&page.files));
                query.page.token = page.next_token;
                if query.page.token.is_empty() {
                    break;
                }
            }
            let fits = |scenes: &[Shown]| -> Vec<Json> {
                let fits = |(labels, from, to): &&Shown| holds(labels, *from, *to);
                scenes.iter().filter(fits).map(|(_, from, to)| json!([from, to])).collect()
            };
            let expected: Vec<(String, Vec<Json>)> = films
                .iter()
                .map(|(uri, scenes)| (uri[8..].to_owned(), fits(scenes)))
                .filter(|(_, scenes)| !scenes.is_empty())
                .collect();
            assert_eq!(found, expected, "{tree}, round {round}");
        }
        dataset.settle().unwrap();
    }
    assert!(engine.check(true).unwrap().is_clean());
    let grouped = medialith::model::Aggregation::parse("SceneElements.Labels.LabelName", "group").unwrap_err();
    assert!(grouped.message().contains("does not fit"), "{grouped}");
}
