//! Hard cuts in a run of consecutive pictures.
//!
//! A cut is a difference of neighbours that is large, and larger by a factor than all others near it: the sliding window of
//! Yeo and Liu ("Rapid scene analysis on compressed video", 1995), which adapts to how much moves. A flash is no cut: what
//! follows it is as what came before. A change of light alone is none either: the edges stay.

use super::feature::Feature;

/// Least difference of the pictures on both sides of a cut.
pub(super) const HARD: f32 = 0.18;
/// Difference above which two pictures some way apart are looked at more closely.
pub(super) const SOFT: f32 = 0.08;
/// How many times larger than others near it the difference is.
const FACTOR: f32 = 2.5;
/// Differences on each side that are compared.
const WINDOW: usize = 5;
/// Pictures that a flash lasts at most.
const FLASH: usize = 2;
/// Share of edges that change at a cut at least, where pictures have edges.
const EDGES: f32 = 0.2;

/// The pictures that begin a shot, by their place in the run; the first picture is none.
pub(super) fn find(run: &[Feature]) -> Vec<usize> {
    let differences: Vec<f32> = run.windows(2).map(|pair| difference(pair.first(), pair.last())).collect();
    let mut cuts = Vec::new();
    for (at, difference) in differences.iter().enumerate() {
        if *difference < HARD || !stands_out(&differences, at) {
            continue;
        }
        let (before, after) = (run.get(at), run.get(at + 1));
        if !is_flash(run, at, *difference) && changes_content(before, after, *difference) {
            cuts.push(at + 1);
        }
    }
    cuts
}

fn difference(a: Option<&Feature>, b: Option<&Feature>) -> f32 {
    a.zip(b).map_or(0.0, |(a, b)| a.distance(b))
}

/// Whether a difference is larger by the factor than all within the window, other cuts apart: a second one as large may be
/// one, so that of several large ones each counts if it stands out from the small ones.
fn stands_out(differences: &[f32], at: usize) -> bool {
    let Some(own) = differences.get(at) else { return false };
    let from = at.saturating_sub(WINDOW);
    let near = differences.get(from..(at + WINDOW + 1).min(differences.len())).unwrap_or(&[]);
    let others = near.iter().enumerate().filter(|(place, _)| from + place != at).map(|(_, value)| *value);
    let mut others: Vec<f32> = others.collect();
    others.sort_by(f32::total_cmp);
    // Up to two cuts lie within a window by themselves, as short shots do.
    let rest = others.get(..others.len().saturating_sub(2)).unwrap_or(&[]);
    let rest = if others.len() <= 4 { others.get(..others.len().saturating_sub(1)).unwrap_or(&[]) } else { rest };
    rest.last().is_none_or(|largest| *own >= FACTOR * largest)
}

/// Whether the picture before comes back at once.
fn is_flash(run: &[Feature], at: usize, difference: f32) -> bool {
    let Some(before) = run.get(at) else { return false };
    let back = (at + 2..=at + 1 + FLASH)
        .filter_map(|later| run.get(later))
        .any(|later| before.distance(later) < difference / 3.0);
    // The end of a flash, likewise, begins nothing.
    let Some(after) = run.get(at + 1) else { return back };
    let from = at.saturating_sub(FLASH);
    back || (from..at).filter_map(|earlier| run.get(earlier)).any(|earlier| earlier.distance(after) < difference / 3.0)
}

/// Whether more than the light changes.
pub(super) fn changes_content(before: Option<&Feature>, after: Option<&Feature>, difference: f32) -> bool {
    let change = before.zip(after).and_then(|(before, after)| before.edge_change(after));
    // What differs so much is another picture whatever its edges.
    difference >= 2.0 * HARD || change.is_none_or(|change| change >= EDGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::feature::tests::blocks;

    fn run(pictures: &[(u32, i32)]) -> Vec<usize> {
        let features: Vec<Feature> = pictures.iter().map(|(seed, light)| Feature::of(&blocks(*seed, *light))).collect();
        find(&features)
    }

    #[test]
    fn cuts_are_found_where_pictures_change() {
        let mut film = vec![(1, 0); 8];
        film.extend([(2, 0); 8]);
        film.extend([(3, 0); 4]);
        film.extend([(1, 0); 8]);
        assert_eq!(run(&film), [8, 16, 20]);
        assert_eq!(run(&[(1, 0), (2, 0)]), [1]);
        assert_eq!(run(&[(1, 0)]), Vec::<usize>::new());
        assert_eq!(run(&[]), Vec::<usize>::new());
    }

    #[test]
    fn flashes_and_slow_changes_are_none() {
        let mut flash = vec![(1, 0); 8];
        flash.push((1, 200));
        flash.extend([(1, 0); 8]);
        assert_eq!(run(&flash), Vec::<usize>::new());
        let slow: Vec<(u32, i32)> = (0..40).map(|light| (1, light * 4)).collect();
        assert_eq!(run(&slow), Vec::<usize>::new());
    }
}
