//! Workflow templates: what operators leave in documents, what fails alone, and what is read again.

use medialith::engine::{
    Buckets, Dataset, Engine, FollowOptions, IndexerOptions, IngestOptions, Options, Progress, language,
};
use medialith::error::ErrorKind;
use medialith::model::{BindingSpec, DatasetSpec, FieldId, File, ProjectSpec, Query, Value, field};
use std::path::Path;
use std::time::Duration;

fn open(dir: &Path) -> Engine {
    Engine::open(dir.join("db"), Options::default()).unwrap()
}

fn fresh(dir: &Path, template: &str) -> (Engine, Dataset) {
    let engine = open(dir);
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let spec = DatasetSpec { template_id: Some(template.to_owned()), ..DatasetSpec::default() };
    engine.create_dataset("p", "d", &spec).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn index(dataset: &Dataset, folder: &Path) {
    let options = IngestOptions { again: true, ..IngestOptions::default() };
    dataset.index_folder("b", folder, &options, &Progress::new()).unwrap();
}

/// A picture of soft shapes as binary netpbm (the format is a header and bytes: nothing to encode wrongly).
fn picture(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
            // Means between points of a lattice: something of every low frequency, as photographs have.
            let (i, j) = ((u * 9.0) as u32, (v * 7.0) as u32);
            let point = |i: u32, j: u32| {
                let mixed = (i * 31 + j * 17 + seed * 101).wrapping_mul(0x9E37_79B1);
                f64::from((mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA77) >> 24)
            };
            let (a, b) = (u * 9.0 - f64::from(i), v * 7.0 - f64::from(j));
            let across = |j: u32| point(i, j) * (1.0 - a) + point(i + 1, j) * a;
            let value = across(j) * (1.0 - b) + across(j + 1) * b;
            bytes.extend([value, value * 0.8, 200.0 - value * 0.5].map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    bytes
}

/// The same picture at half its size: each pixel is the mean of four.
fn halved(bytes: &[u8], width: usize, height: usize) -> Vec<u8> {
    let pixels = &bytes[bytes.len() - width * height * 3..];
    let mut small = format!("P6\n{} {}\n255\n", width / 2, height / 2).into_bytes();
    for (y, x) in (0..height / 2).flat_map(|y| (0..width / 2).map(move |x| (2 * y, 2 * x))) {
        for channel in 0..3 {
            let at = |y: usize, x: usize| u32::from(pixels[(y * width + x) * 3 + channel]);
            small.push(((at(y, x) + at(y, x + 1) + at(y + 1, x) + at(y + 1, x + 1)) / 4) as u8);
        }
    }
    small
}

fn state(file: &File, key: &str) -> String {
    let Some(Value::Map(pairs)) = file.get(field::OPS) else { return String::new() };
    pairs.iter().find(|(k, _)| &**k == key).map_or(String::new(), |(_, v)| v.to_string())
}

fn found(dataset: &Dataset, text: &str) -> Vec<String> {
    let search = language::parse(text).unwrap();
    let query = Query { text: search.text, filter: search.filter, ..Query::default() };
    let answer = dataset.search(&query).unwrap();
    answer.files.iter().map(|file| file.uri().to_owned()).collect()
}

#[test]
fn operators_leave_members_and_states_that_queries_find() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path(), "medialith:Visual");
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    for (name, bytes) in [
        ("one.ppm", picture(160, 120, 1)),
        ("one-small.ppm", halved(&picture(160, 120, 1), 160, 120)),
        ("two.ppm", picture(160, 120, 2)),
        ("bomb.ppm", b"P6\n30000 30000\n255\nshort".to_vec()),
        ("cut.ppm", picture(160, 120, 1)[..900].to_vec()),
        ("note.txt", b"plain text".to_vec()),
    ] {
        std::fs::write(media.join(name), bytes).unwrap();
    }
    index(&dataset, &media);

    let one = dataset.get("oss://b/one.ppm", &[]).unwrap().unwrap();
    for id in [field::LABELS, field::IMAGE_SCORE, field::IMAGE_HASH, field::IMAGE_PLACEHOLDER, field::IMAGE_WIDTH] {
        assert!(one.get(id).is_some(), "{id}");
    }
    assert!(one.get(field::IMAGE_HASH_PARTS).is_none(), "the index alone holds parts");
    assert_eq!((state(&one, "ImageScoring.state"), state(&one, "ImageScoring.version")), ("done".into(), "1".into()));
    assert_eq!(
        found(&dataset, "ops.ImageHash.state:done"),
        ["oss://b/one-small.ppm", "oss://b/one.ppm", "oss://b/two.ppm"]
    );
    assert_eq!(found(&dataset, "ops.ImageScoring.state=failed"), ["oss://b/bomb.ppm", "oss://b/cut.ppm"]);
    assert_eq!(found(&dataset, "ImageScore.OverallQualityScore>=0 name:two"), ["oss://b/two.ppm"]);
    assert_eq!(found(&dataset, "label:Appearance").len(), 3);

    // What cannot be decoded costs what is seen in it, nothing else, and says why.
    let bomb = dataset.get("oss://b/bomb.ppm", &[]).unwrap().unwrap();
    assert_eq!((bomb.int(field::IMAGE_WIDTH), bomb.text(field::OBJECT_STATUS)), (Some(30_000), Some("Indexed")));
    assert!(bomb.text(field::REASON).unwrap().contains("LabelClassification: "), "{bomb:?}");
    let note = dataset.get("oss://b/note.txt", &[]).unwrap().unwrap();
    assert_eq!(
        (state(&note, "ExtractDocumentText.state"), state(&note, "ImageHash.state")),
        ("done".into(), String::new())
    );

    let hash = dataset.image_hash("oss://b/one.ppm").unwrap();
    let alike: Vec<String> = dataset.similar(hash, 6).unwrap().into_iter().map(|found| found.uri).collect();
    assert!(
        alike.contains(&"oss://b/one-small.ppm".to_owned()) && !alike.contains(&"oss://b/two.ppm".to_owned()),
        "{alike:?} of {hash:?}, {:?}",
        dataset.image_hash("oss://b/one-small.ppm").unwrap()
    );
    assert_eq!(dataset.similar(hash, 8).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(dataset.image_hash("oss://b/note.txt").unwrap_err().kind(), ErrorKind::NotFound);
    dataset.settle().unwrap();
    assert_eq!(dataset.similar(hash, 6).unwrap().len(), alike.len(), "segment files hold the parts too");
    assert!(engine.check(true).unwrap().is_clean());
}

#[test]
fn what_a_binding_picks_up_gets_its_operators() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path(), "medialith:Visual");
    let source = dir.path().join("src");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("one.ppm"), picture(64, 48, 1)).unwrap();
    let spec = BindingSpec { source: source.to_str().unwrap().to_owned(), ..BindingSpec::default() };
    engine.create_binding("p", "d", "oss://b", &spec).unwrap();
    let follower = engine.start_follower(Buckets::new(), FollowOptions::default()).unwrap();
    assert!(follower.wait_idle(Duration::from_secs(60)).unwrap());
    let get = |uri: &str| dataset.get(uri, &[]).unwrap();
    let first = get("oss://b/one.ppm").unwrap();
    assert!(first.get(field::IMAGE_HASH).is_some() && first.get(field::LABELS).is_some(), "{}", first.to_json());
    // The template of the moment, also for what comes later.
    dataset.set_template("Official:DefaultEmptyId").unwrap();
    std::fs::write(source.join("two.ppm"), picture(64, 48, 2)).unwrap();
    let begun = std::time::Instant::now();
    while get("oss://b/two.ppm").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(get("oss://b/two.ppm").unwrap().get(field::IMAGE_HASH).is_none());
    follower.stop();
}

#[test]
fn a_result_set_is_read_again_by_the_template_of_now() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path(), "Official:OSSBasicMeta");
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    for seed in 0..5 {
        std::fs::write(media.join(format!("{seed}.ppm")), picture(40, 30, seed)).unwrap();
    }
    index(&dataset, &media);
    let members = |uri: &str, id: FieldId| dataset.get(uri, &[]).unwrap().unwrap().get(id).cloned();
    assert!(members("oss://b/3.ppm", field::SIZE).is_some() && members("oss://b/3.ppm", field::CONTENT_TYPE).is_none());
    let labelled = File::new("oss://b/3.ppm").with(field::CUSTOM_LABELS, Value::map([("k".into(), "v".into())]));
    dataset.update(vec![labelled]).unwrap();

    dataset.set_template("medialith:Visual").unwrap();
    let mut buckets = Buckets::new();
    buckets.add("b", &media).unwrap();
    let indexer = engine.start_indexer(buckets, IndexerOptions::default()).unwrap();
    let filter = language::parse("not name:1").unwrap().into_filter();
    let query = Query { filter, ..Query::default() };
    dataset.put(vec![File::new("oss://other/9.ppm").with(field::TITLE, "stays")]).unwrap();
    let handed_in = indexer.reprocess(&dataset, &query).unwrap();
    assert_eq!((handed_in.files, handed_in.elsewhere), (4, 1));
    assert!(indexer.wait_idle(Duration::from_secs(60)));
    assert!(
        members("oss://b/3.ppm", field::IMAGE_HASH).is_some()
            && members("oss://b/3.ppm", field::CUSTOM_LABELS).is_some()
    );
    assert!(members("oss://other/9.ppm", field::TITLE).is_some(), "it lies elsewhere");
    assert!(members("oss://b/1.ppm", field::IMAGE_HASH).is_none(), "it was not asked for");
    assert_eq!(dataset.template().unwrap(), "medialith:Visual");
}

#[test]
fn the_dataset_stands_before_the_project_and_unknown_templates_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = fresh(dir.path(), "");
    let named = |id: &str| ProjectSpec { template_id: Some(id.to_owned()), ..ProjectSpec::default() };
    engine.update_project("p", &named("Official:MediaMeta")).unwrap();
    assert_eq!(dataset.template().unwrap(), "Official:MediaMeta");
    dataset.set_template("Official:DefaultEmptyId").unwrap();
    assert_eq!(dataset.template().unwrap(), "Official:DefaultEmptyId");
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    std::fs::write(media.join("a.ppm"), picture(8, 8, 1)).unwrap();
    index(&dataset, &media);
    let file = dataset.get("oss://b/a.ppm", &[]).unwrap().unwrap();
    for id in [field::SIZE, field::FILENAME, field::CONTENT_TYPE, field::IMAGE_WIDTH, field::OPS] {
        assert!(file.get(id).is_none(), "{id}: the empty template collects nothing");
    }
    for result in [
        dataset.set_template("Official:Nope"),
        engine.update_project("p", &named("Nope")).map(drop),
        engine.create_project("q", &named("Nope")).map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArgument && error.message().contains("TemplateId"), "{error}");
    }
}

#[test]
fn users_bring_templates_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let file = dir.path().join("db/templates.toml");
    std::fs::write(&file, "[[template]]\nid = \"Mine\"\noperators = [\"MIME\", \"ImageHash\"]\n").unwrap();
    let (engine, dataset) = fresh(dir.path(), "Mine");
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    std::fs::write(media.join("a.ppm"), picture(8, 8, 1)).unwrap();
    index(&dataset, &media);
    let found = dataset.get("oss://b/a.ppm", &[]).unwrap().unwrap();
    assert!(
        found.get(field::IMAGE_HASH).is_some()
            && found.get(field::SIZE).is_none()
            && found.get(field::LABELS).is_none()
    );

    let copy = dir.path().join("copy");
    engine.checkpoint(&copy).unwrap();
    assert!(Engine::open(&copy, Options::default()).unwrap().templates().find("Mine").is_ok(), "copies have it too");
    drop((dataset, engine));
    std::fs::write(&file, "[[template]]\nid = 7\n").unwrap();
    let error = Engine::open(dir.path().join("db"), Options::default()).unwrap_err();
    assert!(error.message().contains("templates.toml: templates: "), "{error}");
    // A template that is gone fails what names it, in words.
    std::fs::remove_file(&file).unwrap();
    let engine = open(dir.path());
    let dataset = engine.dataset("p", "d").unwrap();
    let refused = dataset.index_folder("b", &media, &IngestOptions::default(), &Progress::new()).unwrap_err();
    assert!(refused.message().contains("\"Mine\""), "{refused}");
    let mut buckets = Buckets::new();
    buckets.add("b", &media).unwrap();
    let indexer = engine.start_indexer(buckets, IndexerOptions::default()).unwrap();
    dataset.index_files(vec![File::new("oss://b/a.ppm")], &medialith::engine::IndexOrder::default()).unwrap();
    assert!(indexer.wait_idle(Duration::from_secs(60)));
    let failed = dataset.get("oss://b/a.ppm", &[]).unwrap().unwrap();
    assert_eq!(failed.text(field::OBJECT_STATUS), Some("Failed"));
    assert!(failed.text(field::REASON).unwrap().contains("TemplateId"), "{failed:?}");
}

#[test]
fn a_sentence_is_labels_places_and_times() {
    use medialith::engine::semantic::Meaning;
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = fresh(dir.path(), "");
    let file = |name: &str, label: &str, city: &str, time: &str| {
        File::from_json(&format!(
            r#"{{"URI":"oss://b/{name}","MediaType":"image","ProduceTime":"{time}","Labels":[{{"LabelName":"{label}"}}],
            "Addresses":[{{"AddressLine":"{city}, China","City":"{city}"}}]}}"#
        ))
        .unwrap()
    };
    dataset
        .put(vec![
            file("1", "scenery", "Hangzhou", "2023-05-01T10:00:00Z"),
            file("2", "scenery", "Hangzhou", "2022-05-01T10:00:00Z"),
            file("3", "dog", "Hangzhou", "2023-05-02T10:00:00Z"),
            file("4", "scenery", "New York", "2023-06-01T10:00:00Z"),
        ])
        .unwrap();
    let found = |text: &str| {
        let page = medialith::model::Page::default();
        let answer = dataset.semantic(text, &["image".to_owned()], page, &[]).unwrap();
        answer.files.iter().map(|f| f.uri()[8..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("2023 Hangzhou scenery"), ["1"]);
    assert_eq!(found("all the scenery"), ["4", "1", "2"]);
    assert_eq!(found("May 2023"), ["3", "1"]);
    assert_eq!(found("a dog in new york"), Vec::<String>::new());
    assert_eq!(found("what nobody knows"), Vec::<String>::new());
    let meaning = dataset.meaning("2023 Hangzhou scenery").unwrap();
    let expected =
        Meaning { labels: vec!["scenery".into()], places: vec!["Hangzhou".into()], time: Some("2023".into()) };
    assert_eq!(meaning, expected);
    assert!(
        dataset
            .semantic("dog", &["video".to_owned()], medialith::model::Page::default(), &[])
            .unwrap()
            .files
            .is_empty()
    );
    assert!(dataset.meaning(&"x".repeat(1001)).is_err());
}

#[cfg(feature = "models")]
#[test]
fn packs_in_the_folder_of_the_database_are_used() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/packs/faces");
    let pack = dir.path().join("db/packs/faces");
    std::fs::create_dir_all(&pack).unwrap();
    for name in ["pack.toml", "labels.csv", "model.onnx"] {
        std::fs::copy(from.join(name), pack.join(name)).unwrap();
    }
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let red: Vec<u8> = b"P6\n200 100\n255\n".iter().copied().chain([250, 10, 10].repeat(20_000)).collect();
    std::fs::write(media.join("red.ppm"), red).unwrap();
    let (engine, dataset) = fresh(dir.path(), "Official:FaceManagement");
    index(&dataset, &media);
    let file = dataset.get("oss://b/red.ppm", &[]).unwrap().unwrap();
    assert_eq!((state(&file, "FaceDetection.state"), file.int(field::FIGURE_COUNT)), ("done".into(), Some(2)));
    // The template has no MIME; a query for pictures finds the picture all the same.
    assert_eq!((file.text(field::MEDIA_TYPE), file.text(field::CONTENT_TYPE)), (Some("image"), None));
    let mut dated = file.clone();
    dated.set(field::PRODUCE_TIME, "2023-05-01T10:00:00Z");
    dataset.put(vec![dated]).unwrap();
    let page = medialith::model::Page::default();
    let found = dataset.semantic("May 2023", &["image".to_owned()], page, &[]).unwrap();
    assert_eq!(found.files.iter().map(File::uri).collect::<Vec<_>>(), ["oss://b/red.ppm"]);
    let Some(Value::Rows(figures)) = file.get(field::FIGURES) else { panic!("{file:?}") };
    assert_eq!(figures[0].text(field::FIGURE_CLUSTER_ID), Some("figure-cluster-id-unavailable"));
    let boundary = Value::Json("{\"Height\":50,\"Left\":100,\"Top\":50,\"Width\":50}".into());
    assert!(figures.iter().any(|f| f.get(field::FIGURE_BOUNDARY) == Some(&boundary)), "{figures:?}");
    drop((dataset, engine));
    // A pack that is broken fails what it is for, in words, and nothing else.
    std::fs::write(pack.join("model.onnx"), "no network").unwrap();
    let engine = open(dir.path());
    let dataset = engine.dataset("p", "d").unwrap();
    index(&dataset, &media);
    let file = dataset.get("oss://b/red.ppm", &[]).unwrap().unwrap();
    assert_eq!((state(&file, "FaceDetection.state"), file.int(field::SIZE)), ("failed".into(), Some(60_015)));
    assert!(state(&file, "FaceDetection.reason").contains("packs/faces: model.onnx: "), "{file:?}");
}
