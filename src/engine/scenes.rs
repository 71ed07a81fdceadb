//! The timeline of a film: its shots as `SceneElements`, what the index sees of them, and which of them a query is about.
//!
//! A document has of each scene `TimeRange`, `FrameTimes`, `VideoStreamIndex` and `Labels` (fields.md 8). The index has what
//! follows from them: the names of the labels as one set, so that conditions on two labels can be asked of one scene, and
//! where the scene begins and ends.

use crate::model::{FieldId, File, Filter, Members, Query, Value, field};
use crate::query::fits;
use crate::video::{FrameLabel, Scene, Summary, TimedLabel};
use serde_json::{Value as Json, json};

/// Most scenes of a document: of a film with more shots, neighbouring ones are taken together.
pub const MAX_SCENES: usize = 2_000;
/// Most labels of one scene: the surest.
pub const MAX_SCENE_LABELS: usize = 16;
/// Most labels of a film: the longest seen.
pub const MAX_FILM_LABELS: usize = 500;
/// Most clips of one label: beyond, neighbouring ones are taken together with what lies between them.
pub const MAX_CLIPS: usize = 1_000;

/// Members that only the index has.
const FOLLOWED: [FieldId; 3] = [field::SCENE_LABEL_NAME, field::SCENE_START, field::SCENE_END];

/// What a document says of a film: `Labels` with their clips, and `SceneElements`.
pub(super) fn members(summary: &Summary) -> Members {
    let mut members = Members::new();
    let labels = summary.labels.iter().take(MAX_FILM_LABELS);
    members.set(field::LABELS, Value::Rows(labels.map(timed_label).collect()));
    members.set(field::SCENE_ELEMENTS, Value::Rows(fewer(&summary.scenes).iter().map(scene).collect()));
    members
}

fn timed_label(timed: &TimedLabel) -> Members {
    let label = &timed.label;
    let mut members = Members::new();
    members.set(field::LABEL_NAME, label.name.as_str());
    members.set(field::PARENT_LABEL_NAME, label.parent.as_str());
    members.set(field::LABEL_LEVEL, i64::from(label.level));
    members.set(field::LABEL_CONFIDENCE, label.confidence);
    if let Some(centric) = label.centric {
        members.set(field::LABEL_CENTRIC_SCORE, centric);
    }
    members.set(field::LABEL_ALIAS, label.alias.as_str());
    members.set(field::LABEL_LANGUAGE, label.language.as_str());
    let mut clips = timed.clips.clone();
    while clips.len() > MAX_CLIPS {
        let joined = |pair: &[(i64, i64)]| Some((pair.first()?.0, pair.last()?.1));
        clips = clips.chunks(2).filter_map(joined).collect();
    }
    let clips: Vec<Json> = clips.iter().map(|(from, to)| json!({ "TimeRange": [from, to] })).collect();
    members.set(field::LABEL_CLIPS, Value::Json(Json::from(clips).to_string().into()));
    members
}

/// At most [`MAX_SCENES`]: neighbours become one until they are few enough, with the labels of both.
fn fewer(scenes: &[Scene]) -> Vec<Scene> {
    let mut scenes = scenes.to_vec();
    while scenes.len() > MAX_SCENES {
        scenes = scenes.chunks(2).filter_map(joined).collect();
    }
    scenes
}

fn joined(pair: &[Scene]) -> Option<Scene> {
    let (first, rest) = pair.split_first()?;
    let mut whole = first.clone();
    for next in rest {
        whole.shot.end = next.shot.end;
        whole.frames.extend(&next.frames);
        for label in &next.labels {
            let same = |own: &&mut FrameLabel| (&own.name, &own.parent) == (&label.name, &label.parent);
            match whole.labels.iter_mut().find(same) {
                Some(own) => own.confidence = own.confidence.max(label.confidence),
                None => whole.labels.push(label.clone()),
            }
        }
    }
    whole.labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Some(whole)
}

fn scene(scene: &Scene) -> Members {
    let json = |value: Json| Value::Json(value.to_string().into());
    let mut members = Members::new();
    members.set(field::SCENE_TIME_RANGE, json(json!([scene.shot.start, scene.shot.end])));
    members.set(field::SCENE_FRAME_TIMES, json(json!(scene.frames)));
    // The first video stream of a file is the one that is looked at.
    members.set(field::SCENE_STREAM_INDEX, 0);
    let label = |label: &FrameLabel| json!({ "LabelName": label.name, "LabelConfidence": label.confidence });
    let labels: Vec<Json> = scene.labels.iter().take(MAX_SCENE_LABELS).map(label).collect();
    if !labels.is_empty() {
        members.set(field::SCENE_LABELS, json(Json::from(labels)));
    }
    members
}

/// Adds to each scene what only the index has of it. What cannot be read in a scene, as callers may have put it, adds nothing.
pub(super) fn add_followed(members: &mut Members) {
    let Some(Value::Rows(mut scenes)) = members.remove(field::SCENE_ELEMENTS) else { return };
    scenes.iter_mut().for_each(follow);
    members.set(field::SCENE_ELEMENTS, Value::Rows(scenes));
}

fn follow(scene: &mut Members) {
    FOLLOWED.into_iter().for_each(|id| drop(scene.remove(id)));
    let parsed = |id| match scene.get(id) {
        Some(Value::Json(text)) => serde_json::from_str::<Json>(text).ok(),
        _ => None,
    };
    let range = parsed(field::SCENE_TIME_RANGE);
    let bound = |at: usize| range.as_ref()?.get(at)?.as_i64();
    let bounds = [(field::SCENE_START, bound(0)), (field::SCENE_END, bound(1))];
    let names = labels_of(scene);
    for (id, bound) in bounds {
        bound.into_iter().for_each(|bound| scene.set(id, bound));
    }
    scene.set(field::SCENE_LABEL_NAME, Value::set(names));
}

/// The names of a scene's labels.
fn labels_of(scene: &Members) -> Vec<String> {
    let Some(Value::Json(text)) = scene.get(field::SCENE_LABELS) else { return Vec::new() };
    let Ok(Json::Array(labels)) = serde_json::from_str::<Json>(text) else { return Vec::new() };
    labels.iter().filter_map(|label| Some(label.get("LabelName")?.as_str()?.to_owned())).collect()
}

/// Leaves in the documents that a query found the scenes that it is about: those that fulfil one of its conditions on scenes.
/// A query without any is about none; the members that it asks for by name are whole then.
pub(super) fn narrow(query: &Query, files: &mut [File]) {
    let mut asked = Vec::new();
    query.filter.iter().for_each(|filter| collect(filter, &mut asked));
    if asked.is_empty() && query.with_fields.contains(&field::SCENE_ELEMENTS) {
        return;
    }
    keep(files, |scene| asked.iter().any(|of| fits(of, scene)));
}

/// The conditions on single scenes in a filter, but for those that must not hold.
fn collect<'f>(filter: &'f Filter, found: &mut Vec<&'f [Filter]>) {
    match filter {
        Filter::And(of) | Filter::Or(of) => of.iter().for_each(|filter| collect(filter, found)),
        Filter::Nested(field::SCENE_ELEMENTS, of) => found.push(of),
        Filter::Is(condition) if condition.field().id.field().parent == Some(field::SCENE_ELEMENTS) => {
            found.push(std::slice::from_ref(filter));
        }
        Filter::Is(_) | Filter::Text(_) | Filter::Not(_) | Filter::Nested(..) => {}
    }
}

/// Leaves in documents the scenes that show all of these labels together; where none does, those that show one of them.
pub(super) fn keep_labels(labels: &[String], files: &mut [File]) {
    for file in files {
        let Some(Value::Rows(scenes)) = file.get(field::SCENE_ELEMENTS) else { continue };
        let shown: Vec<Vec<String>> = scenes.iter().map(labels_of).collect();
        let all = |shown: &Vec<String>| labels.iter().all(|label| shown.contains(label));
        let any = |shown: &Vec<String>| labels.iter().any(|label| shown.contains(label));
        let together = shown.iter().any(all);
        let fits = |shown: &Vec<String>| if together { all(shown) } else { any(shown) };
        let kept: Vec<Members> =
            scenes.iter().zip(&shown).filter(|(_, shown)| fits(shown)).map(|(scene, _)| scene.clone()).collect();
        file.set(field::SCENE_ELEMENTS, Value::Rows(kept));
    }
}

fn keep(files: &mut [File], wanted: impl Fn(&Members) -> bool) {
    for file in files.iter_mut() {
        let Some(Value::Rows(mut scenes)) = file.members_mut().remove(field::SCENE_ELEMENTS) else { continue };
        scenes.retain(|scene| {
            let mut whole = scene.clone();
            follow(&mut whole);
            wanted(&whole)
        });
        file.set(field::SCENE_ELEMENTS, Value::Rows(scenes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::Shot;

    fn label(name: &str, confidence: f64) -> FrameLabel {
        let (name, parent, alias, language) = (name.to_owned(), String::new(), String::new(), "en".to_owned());
        FrameLabel { name, parent, level: 3, alias, language, confidence, centric: Some(0.5) }
    }

    fn film(shots: i64) -> Summary {
        let shown = |at: i64| if at % 2 == 0 { "Beach" } else { "Dog" };
        let scene = |at: i64| Scene {
            shot: Shot { start: at * 100, end: at * 100 + 100 },
            frames: vec![at * 100],
            labels: vec![label(shown(at), 0.9), label("Sky", 0.5)],
        };
        let clips = (0..shots).map(|at| (at * 100, at * 100 + 50)).collect();
        Summary {
            codec: "h264".into(),
            duration: shots * 100,
            pictures: 1,
            decoded: 1,
            scenes: (0..shots).map(scene).collect(),
            labels: vec![TimedLabel { label: label("Beach", 0.9), clips }],
        }
    }

    fn document(shots: i64) -> File {
        let mut file = File::from_members(members(&film(shots)));
        file.set(field::URI, "oss://b/k");
        file.validate().unwrap();
        file
    }

    fn scenes(file: &File) -> Vec<Json> {
        let json: Json = serde_json::from_str(&file.to_json()).unwrap();
        json.get("SceneElements").and_then(|s| s.as_array()).cloned().unwrap_or_default()
    }

    #[test]
    fn documents_hold_the_timeline_in_the_words_of_the_api() {
        let file = document(2);
        let expected = json!([
            {"TimeRange": [0, 100], "FrameTimes": [0], "VideoStreamIndex": 0,
             "Labels": [{"LabelName": "Beach", "LabelConfidence": 0.9}, {"LabelName": "Sky", "LabelConfidence": 0.5}]},
            {"TimeRange": [100, 200], "FrameTimes": [100], "VideoStreamIndex": 0,
             "Labels": [{"LabelName": "Dog", "LabelConfidence": 0.9}, {"LabelName": "Sky", "LabelConfidence": 0.5}]},
        ]);
        assert_eq!(Json::from(scenes(&file)), expected);
        assert!(
            file.to_json().contains(r#""Clips":[{"TimeRange":[0,50]},{"TimeRange":[100,150]}]"#),
            "{}",
            file.to_json()
        );
        // What is put as JSON again is the same document.
        assert_eq!(File::from_json(&file.to_json()).unwrap(), file);
    }

    #[test]
    fn long_films_are_bounded_and_cover_the_same_time() {
        let file = document(9_001);
        let found = scenes(&file);
        assert!(found.len() <= MAX_SCENES && found.len() > MAX_SCENES / 2, "{}", found.len());
        let ends: Vec<(i64, i64)> =
            found.iter().map(|s| (s["TimeRange"][0].as_i64().unwrap(), s["TimeRange"][1].as_i64().unwrap())).collect();
        assert!(ends.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert_eq!((ends[0].0, ends[ends.len() - 1].1), (0, 900_100));
        assert_eq!(found[0]["Labels"].as_array().unwrap().len(), 3, "labels of all that was joined");
        let Some(Value::Rows(labels)) = file.get(field::LABELS) else { panic!() };
        let Some(Value::Json(clips)) = labels[0].get(field::LABEL_CLIPS) else { panic!() };
        assert!(clips.matches("TimeRange").count() <= MAX_CLIPS);
    }

    #[test]
    fn hits_show_the_scenes_that_were_asked_for() {
        let ask = |tree: &str| {
            let query = Query { filter: Some(Filter::parse(tree).unwrap()), ..Query::default() };
            let mut files = [document(4)];
            narrow(&query, &mut files);
            scenes(&files[0]).iter().map(|s| s["TimeRange"][0].as_i64().unwrap()).collect::<Vec<_>>()
        };
        let label =
            |name: &str| format!(r#"{{"Operation":"eq","Field":"SceneElements.Labels.LabelName","Value":"{name}"}}"#);
        let nested =
            |inner: &str| format!(r#"{{"Operation":"nested","Field":"SceneElements","SubQueries":[{inner}]}}"#);
        assert_eq!(ask(&nested(&format!("{},{}", label("Dog"), label("Sky")))), [100, 300]);
        assert_eq!(ask(&label("Beach")), [0, 200]);
        let late = r#"{"Operation":"gte","Field":"SceneElements.Start","Value":"200"}"#;
        assert_eq!(ask(&nested(&format!("{},{late}", label("Dog")))), [300]);
        assert_eq!(ask(&format!(r#"{{"Operation":"not","SubQueries":[{}]}}"#, label("Cat"))), [0i64; 0]);
        let mut files = [document(4)];
        narrow(&Query { with_fields: vec![field::SCENE_ELEMENTS], ..Query::default() }, &mut files);
        assert_eq!(scenes(&files[0]).len(), 4, "asked for by name");
        keep_labels(&["Dog".into(), "Sky".into()], &mut files);
        assert_eq!(scenes(&files[0]).len(), 2);
        keep_labels(&["Dog".into(), "Beach".into()], &mut files);
        assert_eq!(scenes(&files[0]).len(), 2, "never together: where one of them is");
    }

    #[test]
    fn what_callers_put_may_be_anything() {
        for json in [
            r#"{"URI":"oss://b/k","SceneElements":[{"TimeRange":"x","Labels":{"LabelName":1}}]}"#,
            r#"{"URI":"oss://b/k","SceneElements":[{"TimeRange":[],"Labels":[1,{"LabelName":"A"}],"Start":7}]}"#,
        ] {
            let mut members = File::from_json(json).unwrap().into_members();
            add_followed(&mut members);
            let Some(Value::Rows(scenes)) = members.get(field::SCENE_ELEMENTS) else { panic!() };
            assert!(scenes[0].get(field::SCENE_START).is_none());
        }
    }
}
