//! What is counted of a figure cluster: pictures, films, faces, ages, and the figure that shows it best.

use super::figures::{clustered, figures_of};
use crate::model::{Members, Value, field};
use crate::store::rows::{FigureRow, Placement};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of one cluster.
#[derive(Debug, Default)]
pub(super) struct Tally {
    images: u64,
    videos: u64,
    faces: u64,
    ages: Vec<i64>,
    male: u64,
    female: u64,
    /// The best figure: its quality in ten-thousandths, its file and its name.
    cover: Option<(i64, String, String)>,
}

impl Tally {
    /// Adds a figure; `first`: the first of its file in this cluster.
    fn add(&mut self, uri: &str, media: &str, figure: &Members, first: bool) {
        self.faces += 1;
        let film = media == "video" || (media.is_empty() && is_film(uri));
        self.images += u64::from(first && !film);
        self.videos += u64::from(first && film);
        self.ages.extend(figure.get(field::FIGURE_AGE).and_then(Value::as_int).filter(|age| (0..=200).contains(age)));
        match figure.text(field::FIGURE_GENDER) {
            Some("male") => self.male += 1,
            Some("female") => self.female += 1,
            _ => {}
        }
        let Some(name) = figure.text(field::FIGURE_ID) else { return };
        let score = |id| figure.get(id).and_then(Value::as_float);
        let quality = score(field::FIGURE_FACE_QUALITY).or_else(|| score(field::FIGURE_CONFIDENCE)).unwrap_or(0.0);
        let quality = (quality.clamp(0.0, 1.0) * 1e4).round() as i64;
        let better = self.cover.as_ref().is_none_or(|(best, at, id)| {
            quality > *best || (quality == *best && (uri, name) < (at.as_str(), id.as_str()))
        });
        if better {
            self.cover = Some((quality, uri.to_owned(), name.to_owned()));
        }
    }

    /// Brings a row up to date; answers whether that changed it. What callers said stays.
    pub(super) fn update(self, row: &mut FigureRow, time: i64) -> bool {
        let before = row.clone();
        (row.images, row.videos, row.faces) = (self.images, self.videos, self.faces);
        row.ages = match (self.ages.iter().min(), self.ages.iter().max()) {
            (Some(least), Some(most)) => Some((*least, *most, self.ages.iter().sum(), self.ages.len() as u64)),
            _ => None,
        };
        row.gender = match self.male.cmp(&self.female) {
            std::cmp::Ordering::Greater => "male".to_owned(),
            std::cmp::Ordering::Less => "female".to_owned(),
            std::cmp::Ordering::Equal => String::new(),
        };
        row.cover = self.cover.map(|(_, uri, figure)| (uri, figure));
        let changed = *row != before;
        if changed {
            row.update_time = time;
        }
        changed
    }
}

/// Whether an address ends as films do: templates without MIME do not tell.
fn is_film(uri: &str) -> bool {
    const FILMS: [&str; 18] = [
        "3gp", "asf", "avi", "flv", "m2ts", "m3u8", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts",
        "vob", "webm", "wmv",
    ];
    let extension = uri.rsplit_once('.').map_or("", |(_, extension)| extension);
    FILMS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Counts the clustered figures of a document; `home` names the cluster that theirs becomes.
pub(super) fn tally(
    tallies: &mut BTreeMap<String, Tally>,
    uri: &str,
    members: &Members,
    home: impl Fn(&str) -> String,
) {
    let media = members.text(field::MEDIA_TYPE).unwrap_or("");
    let mut met = BTreeSet::new();
    for figure in figures_of(members) {
        let Some(id) = clustered(figure).map(&home) else { continue };
        let first = met.insert(id.clone());
        tallies.entry(id).or_default().add(uri, media, figure, first);
    }
}

/// Counts the figures of a document that were just given clusters; `before`: clusters that it showed then.
pub(super) fn add_placed(
    tallies: &mut BTreeMap<String, Tally>,
    placement: &Placement,
    members: &Members,
    mut before: BTreeSet<String>,
) {
    let media = members.text(field::MEDIA_TYPE).unwrap_or("");
    for figure in figures_of(members) {
        let (Some(id), Some(name)) = (clustered(figure), figure.text(field::FIGURE_ID)) else { continue };
        if placement.figures.iter().any(|(known, _, to, _)| known == name && to == id) {
            let first = before.insert(id.to_owned());
            tallies.entry(id.to_owned()).or_default().add(&placement.uri, media, figure, first);
        }
    }
}
