//! SemanticQuery by points of pictures and sentences, against a dot product of every pair.

use crate::packs::{fresh, index, install, netpbm, packs, reference, rgb};
use medialith::analyze::pack::Pack;
use medialith::analyze::{Budget, Embedding, Vector};
use medialith::engine::{Dataset, Engine, Options};
use medialith::model::{File, Page, Value, field};
use serde_json::json;
use std::path::Path;
use std::process::Command;

const THRESHOLD: f64 = 0.5;

fn opened(dir: &Path) -> (Engine, Dataset) {
    drop(fresh(dir, "Official:CognitionImageManagement"));
    install(&dir.join("db"), &["scene-pictures", "scene-words"]);
    let engine = Engine::open(dir.join("db"), Options::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

/// All pages of a sentence's answer.
fn asked(dataset: &Dataset, sentence: &str, media: &[&str], size: usize) -> Vec<String> {
    let media: Vec<String> = media.iter().map(|m| (*m).to_owned()).collect();
    let (mut page, mut found) = (Page { max_results: size, token: String::new() }, Vec::new());
    loop {
        let answer = dataset.semantic(sentence, &media, page.clone(), &[]).unwrap();
        assert!(answer.files.len() <= size);
        found.extend(answer.files.iter().map(|file| file.uri().to_owned()));
        page.token = answer.next_token;
        if page.token.is_empty() {
            return found;
        }
    }
}

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Cosines by floats of what is kept, independent of how the product computes them.
fn cosine(a: &Vector, b: &Vector) -> f64 {
    let floats = |v: &Vector| v.numbers().iter().map(|n| f64::from(*n)).collect::<Vec<f64>>();
    let (a, b) = (floats(a), floats(b));
    a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / (32_767.0 * 32_767.0)
}

#[test]
fn the_order_is_that_of_all_dot_products() {
    let dir = tempfile::tempdir().unwrap();
    let (_engine, dataset) = opened(dir.path());
    let words = Pack::load(&packs().join("scene-words")).unwrap();
    let point = |text: &str| words.text_point(text, &Budget::default()).unwrap().vector;
    let (sea, snow) = (point("the blue sea"), point("snow"));
    let mut dice = Dice(11);
    let mut all: Vec<(String, Vector, bool, bool)> = Vec::new();
    let mut files = Vec::new();
    for n in 0..400 {
        // Around the two sentences and everywhere.
        let part = [(&sea, 1.0), (&snow, 1.0), (&sea, 0.0)][n % 3];
        let numbers: Vec<f32> =
            part.0.numbers().iter().map(|x| part.1 * f32::from(*x) / 32_767.0 + 0.25 * dice.next()).collect();
        let vector = Vector::of(&numbers).unwrap();
        let (uri, is_image, is_2023) = (format!("oss://b/{n:03}"), n % 5 != 0, n % 2 == 0);
        let year = if is_2023 { 2023 } else { 2024 };
        let json = json!({ "URI": uri, "MediaType": if is_image { "image" } else { "video" }, "ProduceTime": format!("{year}-05-01T10:00:00Z") });
        let mut file = File::from_json(&json.to_string()).unwrap();
        file.set(field::IMAGE_EMBEDDING, Embedding { space: "scenes-1".into(), vector: vector.clone() }.write());
        files.push(file);
        all.push((uri, vector, is_image, is_2023));
    }
    // Copies share their points: ties end in the address. What is no point, or of another space, is not found.
    for copy in ["oss://a/copy", "oss://c/copy"] {
        let mut file = files[0].clone();
        file.set(field::URI, copy);
        files.push(file);
        all.push((copy.to_owned(), all[0].1.clone(), all[0].2, all[0].3));
    }
    let other = Embedding { space: "scenes-2".into(), vector: sea.clone() }.write();
    let short = Embedding { space: "scenes-1".into(), vector: Vector::of(&[1.0, 0.0]).unwrap() }.write();
    for (n, text) in ["nonsense", "scenes-1:####", &other, &short].into_iter().enumerate() {
        files.push(
            File::new(format!("oss://b/odd {n}")).with(field::MEDIA_TYPE, "image").with(field::IMAGE_EMBEDDING, text),
        );
    }
    dataset.put(files).unwrap();
    let expected = |to: &Vector, wanted: &dyn Fn(bool, bool) -> bool| {
        let mut near: Vec<(f64, String)> = all
            .iter()
            .filter(|(_, _, image, year)| wanted(*image, *year))
            .map(|(uri, vector, ..)| (cosine(vector, to), uri.clone()))
            .filter(|(cosine, _)| *cosine >= THRESHOLD)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.into_iter().map(|(_, uri)| uri).collect::<Vec<_>>()
    };
    for size in [7, 100, 1] {
        assert_eq!(asked(&dataset, "the blue sea", &["image"], size), expected(&sea, &|image, _| image), "{size}");
    }
    assert_eq!(asked(&dataset, "snow", &[], 50), expected(&snow, &|_, _| true));
    // The year is not asked of the picture: the rest of the sentence is.
    let in_2023 = expected(&snow, &|image, year| image && year);
    assert!(in_2023.len() > 20, "{}", in_2023.len());
    assert_eq!(asked(&dataset, "snow 2023", &["image"], 9), in_2023);
    // What changes is seen at once.
    let changed = File::new("oss://b/new").with(field::MEDIA_TYPE, "image");
    dataset
        .put(vec![
            changed.with(field::IMAGE_EMBEDDING, Embedding { space: "scenes-1".into(), vector: sea.clone() }.write()),
        ])
        .unwrap();
    assert_eq!(asked(&dataset, "the blue sea", &["image"], 5)[0], "oss://b/new");
    dataset.delete(vec!["oss://b/new".to_owned()]).unwrap();
    assert_eq!(asked(&dataset, "the blue sea", &["image"], 100), expected(&sea, &|image, _| image));
}

#[test]
fn labels_follow_what_is_near() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = opened(dir.path());
    let words = Pack::load(&packs().join("scene-words")).unwrap();
    let sea = words.text_point("sea", &Budget::default()).unwrap();
    let file = |uri: &str, time: &str, label: bool, near: bool| {
        let labels = if label { json!([{ "LabelName": "Sea" }]) } else { json!([]) };
        let json = json!({ "URI": uri, "MediaType": "image", "ProduceTime": time, "Labels": labels });
        let mut file = File::from_json(&json.to_string()).unwrap();
        if near {
            file.set(field::IMAGE_EMBEDDING, sea.write());
        }
        file
    };
    dataset
        .put(vec![
            file("oss://b/near", "2020-01-01T00:00:00Z", false, true),
            file("oss://b/both", "2021-01-01T00:00:00Z", true, true),
            file("oss://b/old", "2018-01-01T00:00:00Z", true, false),
            file("oss://b/young", "2024-01-01T00:00:00Z", true, false),
            file("oss://b/neither", "2024-01-01T00:00:00Z", false, false),
        ])
        .unwrap();
    for size in [1, 2, 3, 10] {
        assert_eq!(
            asked(&dataset, "sea", &["image"], size),
            ["oss://b/both", "oss://b/near", "oss://b/young", "oss://b/old"],
            "{size}"
        );
    }
    assert_eq!(asked(&dataset, "sea 2024", &["image"], 10), ["oss://b/young"]);
    assert_eq!(
        asked(&dataset, "2024", &["image"], 10),
        ["oss://b/neither", "oss://b/young"],
        "nothing to look at: time alone"
    );
    let page = |token: &str| Page { max_results: 1, token: token.to_owned() };
    let first = dataset.semantic("sea", &[], page(""), &[]).unwrap();
    assert_eq!(first.files[0].get(field::SEMANTIC_TYPES), Some(&Value::Json("[\"content\"]".into())));
    assert_eq!(first.files[0].get(field::IMAGE_EMBEDDING), None);
    let error = dataset.semantic("snow", &[], page(&first.next_token), &[]).unwrap_err();
    assert!(error.message().starts_with("NextToken"), "{error}");
    assert!(dataset.semantic("sea", &[], Page { max_results: 100_000, token: String::new() }, &[]).is_err());
    drop((dataset, engine));
    // A pack that is broken is said to be.
    std::fs::write(dir.path().join("db/packs/scene-words/vocab.txt"), "no words").unwrap();
    let engine = Engine::open(dir.path().join("db"), Options::default()).unwrap();
    let error = engine.dataset("p", "d").unwrap().semantic("sea", &[], page(""), &[]).unwrap_err();
    assert!(error.message().contains("vocab.txt"), "{error}");
}

#[test]
fn sentences_find_the_pictures_that_they_describe() {
    let dir = tempfile::tempdir().unwrap();
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let scenes = reference("scene-pictures");
    for (n, row) in scenes.iter().enumerate() {
        std::fs::write(media.join(format!("{}-{n}.ppm", row["kind"])), netpbm(32, 32, &rgb(row))).unwrap();
    }
    let (engine, dataset) = opened(dir.path());
    index(&dataset, &media);
    for (kind, sentence) in
        ["evening sun", "stars at night", "waves on the water", "grass in summer", "snow in winter", "many trees"]
            .iter()
            .enumerate()
    {
        let found = asked(&dataset, sentence, &["image"], 100);
        assert_eq!(found.len(), 3, "{sentence}: {found:?}");
        assert!(found.iter().all(|uri| uri.starts_with(&format!("oss://b/{kind}-"))), "{sentence}: {found:?}");
    }
    drop((dataset, engine));
    let told = Command::new(env!("CARGO_BIN_EXE_medialith"))
        .args(["--db", dir.path().join("db").to_str().unwrap(), "--project", "p", "--dataset", "d"])
        .args(["search", "--semantic", "-n", "2", "waves on the water"])
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8(told.stdout).unwrap(), String::from_utf8(told.stderr).unwrap());
    assert!(
        out.starts_with("oss://b/2-") && out.contains("2 files shown") && out.contains("next page: --next "),
        "{out} {error}"
    );
}
