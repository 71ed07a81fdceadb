//! Faces of a film: found in the pictures that are looked at for labels, and each person once.

use crate::analyze::{Analyzer, Faces, FacesSeen, Picture, Pixels, Vector};
use crate::engine::cluster;
use crate::engine::sync::lock;
use crate::engine::video_labels::{MEMORY, PICTURE};
use crate::error::Result;
use crate::model::{Members, Value, field};
use std::collections::HashMap;
use std::sync::Mutex;

/// Most figures of a film: the surest.
pub const MAX_FILM_FIGURES: usize = 100;
/// Most faces that are remembered while a film is looked at.
const MOST_SEEN: usize = 4_000;

/// What was seen in a film so far.
pub(in crate::engine) struct FilmFaces<'a> {
    analyzer: &'a Analyzer,
    /// Columns and rows of the film, in which boundaries are told.
    size: (u32, u32),
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    figures: Vec<(Members, Option<Vector>)>,
    space: String,
}

impl<'a> FilmFaces<'a> {
    /// Of a film of that size; zeros where it is not known.
    pub(super) fn new(analyzer: &'a Analyzer, size: (u32, u32)) -> FilmFaces<'a> {
        FilmFaces { analyzer, size, seen: Mutex::default() }
    }

    /// Looks at a picture.
    pub(in crate::engine) fn look(&self, pixels: &Pixels) -> Result<()> {
        let (width, height) =
            if self.size.0 > 0 && self.size.1 > 0 { self.size } else { (pixels.width(), pixels.height()) };
        let picture = Picture { width, height, pixels: pixels.clone() };
        let budget = crate::analyze::Budget::new(PICTURE, MEMORY);
        let FacesSeen { figures, points } = self.analyzer.faces(&picture, &budget)?;
        let mut seen = lock(&self.seen);
        let (space, points) = points.map_or((String::new(), Vec::new()), |faces| (faces.space, faces.points));
        if !space.is_empty() {
            seen.space = space;
        }
        let mut points: HashMap<String, Vector> = points.into_iter().collect();
        for figure in figures {
            let point = figure.text(field::FIGURE_ID).and_then(|id| points.remove(id));
            if seen.figures.len() < MOST_SEEN {
                seen.figures.push((figure, point));
            }
        }
        Ok(())
    }

    /// `Figures`, `FigureCount` and `FaceEmbeddings`: of each person the surest face, where points tell who is who; else of all faces the surest.
    pub(super) fn members(self) -> Result<Members> {
        let Seen { figures, space } = self.seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut kept: Vec<(Members, Option<Vector>)> = Vec::new();
        let (mut with, without): (Vec<_>, Vec<_>) = figures.into_iter().partition(|(_, point)| point.is_some());
        if let Some((_, threshold)) = self.analyzer.face_space()? {
            let points: Vec<&Vector> = with.iter().filter_map(|(_, point)| point.as_ref()).collect();
            let people = cluster::people(&points, threshold);
            let mut places: Vec<Option<(Members, Option<Vector>)>> = with.drain(..).map(Some).collect();
            for person in people {
                let surest = person
                    .iter()
                    .copied()
                    .max_by(|a, b| sure(&places, *a).total_cmp(&sure(&places, *b)).then(b.cmp(a)));
                kept.extend(surest.and_then(|at| places.get_mut(at)?.take()));
            }
        }
        kept.extend(with.into_iter().chain(without));
        kept.sort_by(|a, b| confidence(&b.0).total_cmp(&confidence(&a.0)));
        kept.truncate(MAX_FILM_FIGURES);
        let mut members = Members::new();
        let named = |(figure, point): &(Members, Option<Vector>)| {
            Some((figure.text(field::FIGURE_ID)?.to_owned(), point.clone()?))
        };
        let points: Vec<(String, Vector)> = kept.iter().filter_map(named).collect();
        if !points.is_empty() {
            members.set(field::FACE_EMBEDDINGS, Faces { space, points }.write());
        }
        members.set(field::FIGURE_COUNT, kept.len() as i64);
        members.set(field::FIGURES, Value::Rows(kept.into_iter().map(|(figure, _)| figure).collect()));
        Ok(members)
    }
}

fn confidence(figure: &Members) -> f64 {
    figure.get(field::FIGURE_CONFIDENCE).and_then(Value::as_float).unwrap_or(0.0)
}

fn sure(places: &[Option<(Members, Option<Vector>)>], at: usize) -> f64 {
    places.get(at).and_then(Option::as_ref).map_or(0.0, |(figure, _)| confidence(figure))
}
