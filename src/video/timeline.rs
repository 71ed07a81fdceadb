//! Labels of single pictures joined over time: shots, and of each label the clips in which it is seen.

use std::collections::BTreeMap;

/// A stretch of film without a cut, in milliseconds from the film's first picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shot {
    /// Its first picture.
    pub start: i64,
    /// The first picture behind it, or the film's end.
    pub end: i64,
}

/// What one picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameLabel {
    /// `LabelName`.
    pub name: String,
    /// `ParentLabelName`, empty at level 1.
    pub parent: String,
    /// `LabelLevel`, 1 to 3.
    pub level: u8,
    /// `LabelAlias`, may be empty.
    pub alias: String,
    /// `Language` of the name.
    pub language: String,
    /// `LabelConfidence`, 0 to 1.
    pub confidence: f64,
    /// `CentricScore`, 0 to 1.
    pub centric: Option<f64>,
}

/// What a film shows, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedLabel {
    /// The label; its scores are the means over the time that it is seen.
    pub label: FrameLabel,
    /// When it is seen, in milliseconds from the film's first picture; apart and in their order.
    pub clips: Vec<(i64, i64)>,
}

impl TimedLabel {
    /// Milliseconds that it is seen.
    pub fn total(&self) -> i64 {
        self.clips.iter().map(|(from, to)| to - from).sum()
    }
}

/// What one shot shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The shot.
    pub shot: Shot,
    /// The pictures that were looked at, in milliseconds from the film's first picture.
    pub frames: Vec<i64>,
    /// Labels, the surest first; their scores are the means over the time that each is seen in the shot.
    pub labels: Vec<FrameLabel>,
}

/// The labels of one picture at its time.
pub(super) type Sample = (i64, Vec<FrameLabel>);

/// Shots between cuts; the film lasts from 0 to `end`. Cuts outside and cuts that come twice are left out.
pub(super) fn shots(mut cuts: Vec<i64>, end: i64) -> Vec<Shot> {
    cuts.retain(|cut| (1..end).contains(cut));
    cuts.sort_unstable();
    cuts.dedup();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(end));
    starts.zip(ends).map(|(start, end)| Shot { start, end }).collect()
}

/// What is known of one label while samples are joined.
struct Seen {
    label: FrameLabel,
    clips: Vec<(i64, i64)>,
    time: f64,
    confidence: f64,
    centric: Option<f64>,
}

/// The samples of a shot among all, which are in the order of their times, each with the stretch of the shot around it: as far
/// as the shot reaches, or half way to the next sample.
fn around<'s>(shot: &Shot, samples: &'s [Sample]) -> impl Iterator<Item = (&'s Sample, (i64, i64))> {
    let shot = *shot;
    let from = samples.partition_point(|(time, _)| *time < shot.start);
    let to = samples.partition_point(|(time, _)| *time < shot.end);
    let inside = samples.get(from..to).unwrap_or(&[]);
    inside.iter().enumerate().map(move |(at, sample)| {
        let half = |other: Option<&Sample>| other.map(|(other, _)| (other + sample.0) / 2);
        let start = at.checked_sub(1).and_then(|before| half(inside.get(before))).unwrap_or(shot.start);
        (sample, (start, half(inside.get(at + 1)).unwrap_or(shot.end)))
    })
}

/// What each shot shows, by the samples in it.
pub(super) fn scenes(shots: &[Shot], samples: &[Sample]) -> Vec<Scene> {
    let scene = |shot: &Shot| {
        let mut seen: BTreeMap<(String, String), Seen> = BTreeMap::new();
        let mut frames = Vec::new();
        for ((time, labels), stretch) in around(shot, samples) {
            if frames.last() != Some(time) {
                frames.push(*time);
            }
            labels.iter().for_each(|label| see(&mut seen, label, stretch));
        }
        let mut labels: Vec<FrameLabel> = seen.into_values().map(|seen| finished(seen).label).collect();
        // Of equal confidence by level and name: the map is in the order of names.
        labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.level.cmp(&b.level)));
        Scene { shot: *shot, frames, labels }
    };
    shots.iter().map(scene).collect()
}

/// Joins samples, which are in the order of their times. A label is seen around its sample: as far as its shot reaches, or
/// half way to the next sample of the same shot. The longest seen comes first, then by level and name.
pub(super) fn join(shots: &[Shot], samples: &[Sample]) -> Vec<TimedLabel> {
    let mut seen: BTreeMap<(String, String), Seen> = BTreeMap::new();
    for shot in shots {
        for ((_, labels), stretch) in around(shot, samples) {
            labels.iter().for_each(|label| see(&mut seen, label, stretch));
        }
    }
    let mut joined: Vec<TimedLabel> = seen.into_values().map(finished).collect();
    joined.sort_by(|a, b| {
        let by_time = b.total().cmp(&a.total()).then(a.label.level.cmp(&b.label.level));
        by_time.then_with(|| (&a.label.name, &a.label.parent).cmp(&(&b.label.name, &b.label.parent)))
    });
    joined
}

fn see(seen: &mut BTreeMap<(String, String), Seen>, label: &FrameLabel, (start, end): (i64, i64)) {
    let key = (label.name.clone(), label.parent.clone());
    let fresh = || Seen {
        label: label.clone(),
        clips: Vec::new(),
        time: 0.0,
        confidence: 0.0,
        centric: label.centric.map(|_| 0.0),
    };
    let seen = seen.entry(key).or_insert_with(fresh);
    // A picture at the very end of a film still counts.
    let weight = (end - start).max(1) as f64;
    seen.time += weight;
    seen.confidence += weight * label.confidence;
    seen.centric = seen.centric.zip(label.centric).map(|(sum, own)| sum + weight * own);
    match seen.clips.last_mut() {
        Some(last) if last.1 >= start => last.1 = last.1.max(end),
        _ => seen.clips.push((start, end)),
    }
}

fn finished(seen: Seen) -> TimedLabel {
    let mean = |sum: f64| ((sum / seen.time).clamp(0.0, 1.0) * 1e4).round() / 1e4;
    let (confidence, centric) = (mean(seen.confidence), seen.centric.map(mean));
    TimedLabel { label: FrameLabel { confidence, centric, ..seen.label }, clips: seen.clips }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, confidence: f64) -> FrameLabel {
        let text = |text: &str| text.to_owned();
        FrameLabel {
            name: text(name),
            parent: text("P"),
            level: 2,
            alias: text(""),
            language: text("en"),
            confidence,
            centric: None,
        }
    }

    #[test]
    fn shots_lie_between_cuts() {
        let shot = |start, end| Shot { start, end };
        assert_eq!(shots(vec![30, 10, 10, 0, 50, 99], 50), [shot(0, 10), shot(10, 30), shot(30, 50)]);
        assert_eq!(shots(vec![], 40), [shot(0, 40)]);
    }

    #[test]
    fn labels_reach_as_far_as_their_shots_and_samples() {
        let shots = shots(vec![100, 200], 400);
        let samples = vec![
            (0, vec![label("a", 1.0)]),
            (100, vec![label("a", 0.5), label("b", 1.0)]),
            (200, vec![label("b", 1.0)]),
            (300, vec![label("a", 0.5)]),
        ];
        let joined = join(&shots, &samples);
        let shown: Vec<(&str, &[(i64, i64)])> =
            joined.iter().map(|l| (l.label.name.as_str(), l.clips.as_slice())).collect();
        assert_eq!(shown, [("a", &[(0, 200), (250, 400)][..]), ("b", &[(100, 250)][..])]);
        let scenes = scenes(&shots, &samples);
        let names = |scene: &Scene| scene.labels.iter().map(|l| (l.name.clone(), l.confidence)).collect::<Vec<_>>();
        let frames: Vec<(i64, &[i64])> = scenes.iter().map(|s| (s.shot.end, s.frames.as_slice())).collect();
        assert_eq!(frames, [(100, &[0][..]), (200, &[100]), (400, &[200, 300])]);
        let both = [("b".to_owned(), 1.0), ("a".to_owned(), 0.5)];
        assert_eq!(names(&scenes[0]), [("a".to_owned(), 1.0)]);
        assert_eq!((names(&scenes[1]), names(&scenes[2])), (both.to_vec(), both.to_vec()));
        // 100 ms at 1, 250 ms at 0.5.
        assert_eq!(joined[0].label.confidence, 0.6429);
        assert_eq!(joined[0].total(), 350);
    }
}
