//! Model packs that give points: against ONNX Runtime and the tokenizers of Hugging Face (recorded by `tests/data/packs/train-embeddings`), in
//! documents, and what is refused.

use data_encoding::BASE64;
use medialith::analyze::pack::Pack;
use medialith::analyze::{Budget, Embedding, Faces, Pixels};
use medialith::engine::{Dataset, Engine, IngestOptions, Options, Progress, language};
use medialith::model::{DatasetSpec, File, ProjectSpec, Query, Value, field};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/packs")
}

/// What the packs' script has recorded of one of them.
pub(crate) fn reference(name: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(packs().join(name).join("reference.json")).unwrap();
    serde_json::from_str::<Vec<Json>>(&text).unwrap()
}

/// The 32 x 32 pixels of a recorded picture.
pub(crate) fn rgb(row: &Json) -> Vec<u8> {
    BASE64.decode(row["rgb"].as_str().unwrap().as_bytes()).unwrap()
}

/// Puts packs into the folder of a database.
pub(crate) fn install(database: &Path, names: &[&str]) {
    for name in names {
        let to = database.join("packs").join(name);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(packs().join(name)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

pub(crate) fn fresh(dir: &Path, template: &str) -> (Engine, Dataset) {
    let engine = Engine::open(dir.join("db"), Options::default()).unwrap();
    engine.create_project("p", &ProjectSpec::default()).unwrap();
    let spec = DatasetSpec { template_id: Some(template.to_owned()), ..DatasetSpec::default() };
    engine.create_dataset("p", "d", &spec).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

pub(crate) fn index(dataset: &Dataset, folder: &Path) {
    let options = IngestOptions { again: true, ..IngestOptions::default() };
    dataset.index_folder("b", folder, &options, &Progress::new()).unwrap();
}

/// Pixels as binary netpbm.
pub(crate) fn netpbm(width: u32, height: u32, rgb: &[u8]) -> Vec<u8> {
    let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
    bytes.extend(rgb);
    bytes
}

/// A picture with a face in each box of the detector of `tests/data/packs/faces` (red enough that it is sure of both).
pub(crate) fn two_faces(first: &[u8], second: &[u8]) -> Vec<u8> {
    let (width, height) = (160, 80);
    let mut picture = [250u8, 10, 10].repeat(width * height);
    for (face, left, top) in [(first, 16, 16), (second, 84, 44)] {
        for y in 0..32 {
            let to = ((top + y) * width + left) * 3;
            picture[to..to + 96].copy_from_slice(&face[y * 96..y * 96 + 96]);
        }
    }
    netpbm(160, 80, &picture)
}

fn entry(file: &File, key: &str) -> String {
    let Some(Value::Map(pairs)) = file.get(field::OPS) else { return String::new() };
    pairs.iter().find(|(k, _)| &**k == key).map_or(String::new(), |(_, v)| v.to_string())
}

fn agrees(found: &Embedding, row: &Json, space: &str) {
    assert_eq!(found.space, space);
    let expected: Vec<f32> = row["vector"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap() as f32).collect();
    assert_eq!(found.vector.numbers().len(), expected.len());
    for (found, expected) in found.vector.numbers().iter().zip(&expected) {
        assert!((f32::from(*found) / 32_767.0 - expected).abs() < 2e-4, "{found} {expected}");
    }
}

#[test]
fn points_are_those_of_onnx_runtime() {
    let budget = Budget::default;
    for (name, space) in [("face-points", "face-points@1"), ("scene-pictures", "scenes-1")] {
        let pack = Pack::load(&packs().join(name)).unwrap();
        for row in reference(name) {
            let pixels = Pixels::new(32, 32, rgb(&row)).unwrap();
            agrees(&pack.picture_point(&pixels, &budget()).unwrap(), &row, space);
            agrees(&pack.face_point(&pixels, [0.0, 0.0, 1.0, 1.0], &budget()).unwrap(), &row, space);
        }
        assert!(pack.text_point("sea", &budget()).is_err(), "it reads no sentences");
    }
    let pack = Pack::load(&packs().join("scene-words")).unwrap();
    for row in reference("scene-words") {
        let text = row["text"].as_str().unwrap();
        let ids: Vec<i32> = row["ids"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap() as i32).collect();
        assert_eq!(pack.pieces(text), ids, "{text:?}");
        agrees(&pack.text_point(text, &budget()).unwrap(), &row, "scenes-1");
    }
    assert!(pack.picture_point(&Pixels::new(1, 1, vec![0; 3]).unwrap(), &budget()).is_err(), "it sees nothing");
    assert!(pack.text_point("sea", &Budget::new(std::time::Duration::ZERO, 1)).is_err(), "no time is left");
}

#[test]
fn packs_that_do_not_fit_are_refused_in_words() {
    let part = |pack: &str, name: &str| std::fs::read(packs().join(pack).join(name)).unwrap();
    let text = |pack: &str, name: &str| String::from_utf8(part(pack, name)).unwrap();
    let refused = |manifest: &str, words: &str, model: Vec<u8>| {
        Pack::from_parts(manifest, words, model).unwrap_err().message().to_owned()
    };
    let (words, vocabulary) = (text("scene-words", "pack.toml"), text("scene-words", "vocab.txt"));
    let faces = text("face-points", "pack.toml");
    assert!(refused(&words, "[PAD]\n", part("scene-words", "model.onnx")).contains("vocab.txt: expected a line [UNK]"));
    assert!(refused(&words, &vocabulary, part("face-points", "model.onnx")).contains("input_ids, attention_mask"));
    assert!(refused(&faces, "", part("scene-words", "model.onnx")).contains("expected one input, got 2"));
    assert!(refused(&faces, "", part("faces", "model.onnx")).contains("[1, 3, 32, 32]"));
    assert!(refused(&words, &vocabulary, b"no network".to_vec()).starts_with("model.onnx: "));
    let named = faces.replace("[output]", "[output]\npoint = \"nowhere\"");
    assert!(refused(&named, "", part("face-points", "model.onnx")).contains("an output \"nowhere\""));
    // More pieces than the network has numbers for: it cannot be run.
    let longer = format!("{}\n{vocabulary}", "filler\n".repeat(500));
    assert!(refused(&words, &longer, part("scene-words", "model.onnx")).contains("model.onnx: "));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pack.toml"), &words).unwrap();
    assert!(Pack::load(dir.path()).unwrap_err().to_string().contains("vocab.txt"));
}

#[test]
fn documents_hold_points_and_show_them_by_name_alone() {
    let dir = tempfile::tempdir().unwrap();
    let media = dir.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let faces = reference("face-points");
    std::fs::write(media.join("two.ppm"), two_faces(&rgb(&faces[0]), &rgb(&faces[4]))).unwrap();
    let scene = &reference("scene-pictures")[0];
    std::fs::write(media.join("scene.ppm"), netpbm(32, 32, &rgb(scene))).unwrap();
    let (engine, dataset) = fresh(dir.path(), "Official:CognitionImageManagement");
    index(&dataset, &media);
    let before = dataset.get("oss://b/scene.ppm", &[field::OPS, field::IMAGE_EMBEDDING]).unwrap().unwrap();
    assert_eq!(entry(&before, "ExtractImageEmbeddings.state"), "unavailable", "nothing is installed");
    drop((dataset, engine));

    install(&dir.path().join("db"), &["faces", "face-points", "scene-pictures"]);
    let engine = Engine::open(dir.path().join("db"), Options::default()).unwrap();
    let dataset = engine.dataset("p", "d").unwrap();
    index(&dataset, &media);
    let shown = dataset.get("oss://b/scene.ppm", &[]).unwrap().unwrap();
    assert_eq!(shown.get(field::IMAGE_EMBEDDING), None);
    assert_eq!(entry(&shown, "ExtractImageEmbeddings.pack"), "scene-pictures@1");
    let search = language::parse("ops.ExtractImageEmbeddings.pack:scene-pictures@1").unwrap();
    let query = Query { filter: search.filter, ..Query::default() };
    assert_eq!(dataset.search(&query).unwrap().total, Some(2));

    let named = dataset.get("oss://b/scene.ppm", &[field::IMAGE_EMBEDDING]).unwrap().unwrap();
    agrees(&Embedding::read(named.text(field::IMAGE_EMBEDDING).unwrap()).unwrap(), scene, "scenes-1");
    let two = dataset.get("oss://b/two.ppm", &[field::FACE_EMBEDDINGS, field::FIGURES, field::OPS]).unwrap().unwrap();
    let points = Faces::read(two.text(field::FACE_EMBEDDINGS).unwrap()).unwrap();
    let Some(Value::Rows(figures)) = two.get(field::FIGURES) else { panic!() };
    let ids: Vec<&str> = figures.iter().map(|f| f.text(field::FIGURE_ID).unwrap()).collect();
    assert_eq!(points.points.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ids);
    assert_eq!(
        (entry(&two, "FaceDetection.pack").as_str(), entry(&two, "FaceDetection.embedding").as_str()),
        ("shape-of-a-detector@1", "face-points@1")
    );
    // The detector's boxes are taller than wide: the faces are seen with some red around them, and known all the same.
    let pack = Pack::load(&packs().join("face-points")).unwrap();
    for (row, left) in [(&faces[0], 16), (&faces[4], 84)] {
        let alone = pack.picture_point(&Pixels::new(32, 32, rgb(row)).unwrap(), &Budget::default()).unwrap();
        let near = |(id, point): &(String, medialith::analyze::Vector)| {
            let figure = figures.iter().find(|f| f.text(field::FIGURE_ID) == Some(id)).unwrap();
            let Some(Value::Json(boundary)) = figure.get(field::FIGURE_BOUNDARY) else { panic!() };
            let boundary: Json = serde_json::from_str(boundary).unwrap();
            let near_left = boundary["Left"].as_i64().unwrap().abs_diff(left) < 8;
            near_left.then(|| point.cosine(&alone.vector))
        };
        let cosine = points.points.iter().find_map(near).unwrap();
        assert!(cosine > 0.3, "{cosine}");
    }
    // An export holds them, and what is put from it is the same.
    let exported = dataset.scan("", 10).unwrap();
    assert!(exported.iter().all(|file| file.get(field::IMAGE_EMBEDDING).is_some()));
    engine.create_dataset("p", "copy", &DatasetSpec::default()).unwrap();
    let copy = engine.dataset("p", "copy").unwrap();
    copy.put(exported).unwrap();
    let again = copy.get("oss://b/scene.ppm", &[field::IMAGE_EMBEDDING]).unwrap().unwrap();
    assert_eq!(again.text(field::IMAGE_EMBEDDING), named.text(field::IMAGE_EMBEDDING));
}

#[test]
fn the_command_tells_what_packs_for_points_say() {
    let dir = tempfile::tempdir().unwrap();
    let faces = reference("face-points");
    for (name, row) in [("a.ppm", 0), ("b.ppm", 1), ("c.ppm", 8)] {
        std::fs::write(dir.path().join(name), netpbm(32, 32, &rgb(&faces[row]))).unwrap();
    }
    let told = |pack: &str, subjects: &[&str]| {
        let command = Command::new(env!("CARGO_BIN_EXE_medialith"))
            .current_dir(dir.path())
            .args(["model", "check", packs().join(pack).to_str().unwrap()])
            .args(subjects)
            .output()
            .unwrap();
        (command.status.code(), String::from_utf8(command.stdout).unwrap(), String::from_utf8(command.stderr).unwrap())
    };
    let (code, out, _) = told("face-points", &["a.ppm", "b.ppm", "c.ppm"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains("face-points 1: face embedding, licence CC0-1.0")
            && out.contains("points of 24 numbers in the space face-points@1"),
        "{out}"
    );
    assert!(out.contains("  1.000  a.ppm\n"), "{out}");
    let (code, out, _) = told("scene-words", &["the blue sea", "snow"]);
    assert!(
        code == Some(0) && out.contains("in the space scenes-1") && out.contains("  1.000  the blue sea\n"),
        "{out}"
    );
    let (code, _, complaint) = told("face-points", &["none.ppm"]);
    assert!(code == Some(3) && complaint.contains("none.ppm"), "{code:?} {complaint}");
}
