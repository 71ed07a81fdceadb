//! What is compared of two pictures: brightness on a grid, histograms of its quarters, edges.
//!
//! Histograms of blocks are the measure that comparisons of methods favour (Boreczky and Rowe, "Comparison of video shot
//! boundary detection techniques", 1996; Lienhart, "Comparison of automatic shot boundary detection algorithms", 1999); the
//! edge change ratio (Zabih, Miller and Mai, "A feature-based algorithm for detecting and classifying scene breaks", 1995)
//! tells a change of light from one of content.

use super::decode::Frame;

/// Columns and rows of the grid.
const GRID: (usize, usize) = (64, 36);
/// Bins of a histogram: brightness, then both differences of colour.
const LUMA: usize = 16;
const CHROMA: usize = 8;
const BINS: usize = LUMA + 2 * CHROMA;
/// Steepness of brightness from which a cell is on an edge.
const EDGE: i32 = 48;
/// Edges that a picture must have before their change says anything.
const FEW: usize = 40;

/// The features of a picture.
#[derive(Debug, Clone)]
pub(super) struct Feature {
    luma: Vec<u8>,
    /// Of each quarter, the shares of the bins.
    bins: [[f32; BINS]; 4],
    edges: Vec<bool>,
    edge_count: usize,
}

impl Feature {
    /// Of a picture of any size.
    pub(super) fn of(frame: &Frame) -> Feature {
        let cells = sampled(frame);
        let mut luma = Vec::with_capacity(cells.len());
        let (mut bins, mut counts) = ([[0.0; BINS]; 4], [0.0_f32; 4]);
        for (at, [r, g, b]) in cells.into_iter().enumerate() {
            let [r, g, b] = [r, g, b].map(f32::from);
            let y = 0.299 * r + 0.587 * g + 0.114 * b;
            let (cb, cr) = (0.564 * (b - y) + 128.0, 0.713 * (r - y) + 128.0);
            luma.push(y as u8);
            let quarter = usize::from(at % GRID.0 >= GRID.0 / 2) + 2 * usize::from(at / GRID.0 >= GRID.1 / 2);
            let bin = |value: f32, of: usize| ((value * of as f32 / 256.0) as usize).min(of - 1);
            if let (Some(bins), Some(count)) = (bins.get_mut(quarter), counts.get_mut(quarter)) {
                *count += 1.0;
                for place in [bin(y, LUMA), LUMA + bin(cb, CHROMA), LUMA + CHROMA + bin(cr, CHROMA)] {
                    bins.get_mut(place).into_iter().for_each(|bin| *bin += 1.0);
                }
            }
        }
        for (bins, count) in bins.iter_mut().zip(counts) {
            bins.iter_mut().for_each(|bin| *bin /= count.max(1.0));
        }
        let edges = edges(&luma);
        let edge_count = edges.iter().filter(|edge| **edge).count();
        Feature { luma, bins, edges, edge_count }
    }

    /// How unlike two pictures are, 0 to 1: half by histograms, half by brightness on the grid.
    pub(super) fn distance(&self, other: &Feature) -> f32 {
        let pairs = self.bins.iter().flatten().zip(other.bins.iter().flatten());
        // Three histograms of each of four quarters; each differs by 2 at most.
        let histogram = pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / (2.0 * 3.0 * 4.0);
        let pairs = self.luma.iter().zip(&other.luma);
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let grid = sum as f32 / (self.luma.len().max(1) as f32 * 255.0);
        // A third of the range apart on average is as different as pictures get.
        (histogram + (grid * 3.0).min(1.0)) / 2.0
    }

    /// The larger share of edges of one picture that the other has none near, 0 to 1; `None` where there are too few.
    pub(super) fn edge_change(&self, other: &Feature) -> Option<f32> {
        if self.edge_count < FEW || other.edge_count < FEW {
            return None;
        }
        let lost = |from: &Feature, to: &Feature| {
            let near = |at: usize| around(at).any(|at| to.edges.get(at) == Some(&true));
            let lost = from.edges.iter().enumerate().filter(|(at, edge)| **edge && !near(*at)).count();
            lost as f32 / from.edge_count as f32
        };
        Some(lost(self, other).max(lost(other, self)))
    }
}

/// The cells of the grid: the mean of the pixels that each covers.
fn sampled(frame: &Frame) -> Vec<[u8; 3]> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let span = |at: usize, cells: usize, of: usize| {
        let from = at * of / cells;
        from..((at + 1) * of / cells).max(from + 1).min(of.max(1))
    };
    let mut cells = Vec::with_capacity(GRID.0 * GRID.1);
    for row in 0..GRID.1 {
        for column in 0..GRID.0 {
            let (mut sum, mut count) = ([0_u32; 3], 0_u32);
            let columns = span(column, GRID.0, width);
            for y in span(row, GRID.1, height) {
                let from = (y * width + columns.start) * 3;
                let pixels = frame.rgb.get(from..from + columns.len() * 3).unwrap_or(&[]);
                for pixel in pixels.as_chunks::<3>().0 {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
                    count += 1;
                }
            }
            cells.push(sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)));
        }
    }
    cells
}

/// The cells where brightness is steep (Sobel).
fn edges(luma: &[u8]) -> Vec<bool> {
    let at = |x: usize, y: usize| luma.get(y * GRID.0 + x).map_or(0, |value| i32::from(*value));
    let steep = |x: usize, y: usize| {
        if x == 0 || y == 0 || x + 1 == GRID.0 || y + 1 == GRID.1 {
            return false;
        }
        let column = |x: usize| at(x, y - 1) + 2 * at(x, y) + at(x, y + 1);
        let row = |y: usize| at(x - 1, y) + 2 * at(x, y) + at(x + 1, y);
        (column(x + 1) - column(x - 1)).abs() + (row(y + 1) - row(y - 1)).abs() > EDGE * 2
    };
    (0..luma.len()).map(|place| steep(place % GRID.0, place / GRID.0)).collect()
}

/// A cell and its neighbours.
fn around(at: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (at % GRID.0, at / GRID.0);
    let rows = y.saturating_sub(1)..=(y + 1).min(GRID.1 - 1);
    rows.flat_map(move |y| (x.saturating_sub(1)..=(x + 1).min(GRID.0 - 1)).map(move |x| y * GRID.0 + x))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A picture of blocks, different for each seed.
    pub(in crate::video) fn blocks(seed: u32, light: i32) -> Frame {
        let (width, height) = (128_u32, 72_u32);
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3_u32 {
                    let block = (x / 16) * 31 + (y / 12) * 17 + channel * 101 + seed * 7919;
                    let value = (block.wrapping_mul(2_654_435_761) >> 24) as i32 + light;
                    rgb.push(value.clamp(0, 255) as u8);
                }
            }
        }
        Frame { time: 0, width, height, rgb }
    }

    #[test]
    fn likeness_is_told_from_change() {
        let (one, again, other) = (Feature::of(&blocks(1, 0)), Feature::of(&blocks(1, 4)), Feature::of(&blocks(2, 0)));
        assert!(one.distance(&one) == 0.0 && one.distance(&again) < 0.15, "{}", one.distance(&again));
        assert!(one.distance(&other) > 0.3, "{}", one.distance(&other));
        assert!(one.distance(&other) == other.distance(&one) && one.distance(&other) <= 1.0);
        let (light, content) = (one.edge_change(&again).unwrap(), one.edge_change(&other).unwrap());
        assert!(light < 0.1 && content >= light, "{light} {content}");
    }

    #[test]
    fn any_size_is_fine() {
        for (width, height) in [(1, 1), (3, 200), (64, 36)] {
            let frame = Frame { time: 0, width, height, rgb: vec![200; (width * height * 3) as usize] };
            let feature = Feature::of(&frame);
            assert_eq!((feature.luma.len(), feature.edge_count), (GRID.0 * GRID.1, 0));
            assert!(feature.edge_change(&feature).is_none());
        }
        Feature::of(&Frame { time: 0, width: 0, height: 0, rgb: Vec::new() });
    }
}
