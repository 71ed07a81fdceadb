//! Which faces are one person's: average linkage (Sokal and Michener, 1958) over cosines, down to a least one.
//!
//! At first each face is alone; then again and again the two groups are joined whose faces are most alike on average, as long as that is at
//! least the threshold. Groups that were there before are never joined with each other. Two shortcuts do not change the result: an average that
//! reaches the threshold needs one pair that does, so that groups never reach beyond what hangs together by such pairs; and within that they are
//! found by chains of nearest neighbours (Benzecri, 1982; Murtagh, "A Survey of Recent Advances in Hierarchical Clustering Algorithms", 1983), for which
//! it is enough that joining two groups makes neither of them nearer to a third.

use super::alike::{Halt, join, root};
use crate::analyze::embedding::{least_product, product};
use std::collections::BTreeMap;

/// Points that are compared while they are near the processor.
const BLOCK: usize = 64;
/// Room for the rounding of averages where pairs are looked for.
const SLACK: f32 = 1e-3;
/// Comparisons between two looks at whether to go on.
const LOOK: u64 = 1 << 22;

/// Points of one space, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// Numbers of a point; 0 as long as there is none.
    size: usize,
    numbers: Vec<i16>,
}

impl Points {
    /// Adds a point; one of another size than those before is not of their space, and answers `false`.
    pub(super) fn push(&mut self, numbers: &[i16]) -> bool {
        let fits = self.size == 0 || self.size == numbers.len();
        if fits {
            self.size = numbers.len();
            self.numbers.extend_from_slice(numbers);
        }
        fits
    }

    /// Numbers of all points.
    pub(super) fn numbers(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len().checked_div(self.size).unwrap_or(0)
    }

    fn at(&self, at: usize) -> &[i16] {
        self.numbers.get(at * self.size..(at + 1) * self.size).unwrap_or(&[])
    }
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The group of before that it goes on with.
    pub(super) before: Option<u32>,
    /// Its points that belonged to none before, ascending.
    pub(super) fresh: Vec<usize>,
    /// How near each of those is to the group's middle, in ten-thousandths.
    pub(super) confidence: Vec<u16>,
}

/// How much may be compared, and when to give up.
pub(super) struct Effort<'e> {
    /// Comparisons of two points or groups that are allowed.
    pub(super) most: u64,
    pub(super) stopped: &'e dyn Fn() -> bool,
    /// Is told how many of how many points have been compared.
    pub(super) progress: &'e dyn Fn(usize, usize),
}

/// The groups that gain points, in the order of their first ones: those of before, and new ones of at least two. `before` has for each point the
/// group that it belongs to.
pub(super) fn groups(
    points: &Points,
    before: &[Option<u32>],
    threshold: f32,
    effort: &Effort<'_>,
) -> Result<Vec<Group>, Halt> {
    let mut spent = Spent { compared: 0, look: LOOK, effort };
    let mut forest = together(points, before, threshold, &mut spent)?;
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..points.len() {
        parts.entry(root(&mut forest, at)).or_default().push(at);
    }
    let mut found = Vec::new();
    for part in parts.into_values() {
        let fresh = part.iter().any(|at| is_fresh(before, *at));
        if fresh && part.len() > 1 {
            found.extend(agglomerate(points, before, &part, threshold, &mut spent)?);
        }
    }
    found.sort_by_key(|group: &Group| group.fresh.first().copied());
    Ok(found)
}

fn is_fresh(before: &[Option<u32>], at: usize) -> bool {
    before.get(at).is_none_or(Option::is_none)
}

/// What has been compared.
struct Spent<'e> {
    compared: u64,
    look: u64,
    effort: &'e Effort<'e>,
}

impl Spent<'_> {
    fn more(&mut self, count: usize) -> Result<(), Halt> {
        self.compared += count as u64;
        if self.compared < self.look {
            return Ok(());
        }
        self.look = self.compared + LOOK;
        if self.compared > self.effort.most {
            return Err(Halt::TooMany);
        }
        if (self.effort.stopped)() { Err(Halt::Stopped) } else { Ok(()) }
    }
}

/// What hangs together by pairs that are near enough, and by groups of before.
fn together(
    points: &Points,
    before: &[Option<u32>],
    threshold: f32,
    spent: &mut Spent<'_>,
) -> Result<Vec<usize>, Halt> {
    let mut forest: Vec<usize> = (0..points.len()).collect();
    let mut homes: BTreeMap<u32, usize> = BTreeMap::new();
    for (at, group) in before.iter().enumerate() {
        if let Some(group) = group {
            let first = *homes.entry(*group).or_insert(at);
            join(&mut forest, first, at);
        }
    }
    let least = least_product(threshold - SLACK);
    let fresh: Vec<usize> = (0..points.len()).filter(|at| is_fresh(before, *at)).collect();
    for (block, chosen) in fresh.chunks(BLOCK).enumerate() {
        for other in 0..points.len() {
            let there = points.at(other);
            let kept = !is_fresh(before, other);
            // Of two fresh ones the later sees the earlier.
            let asking = chosen.iter().filter(|at| kept || other < **at);
            for at in asking {
                if product(points.at(*at), there) >= least {
                    join(&mut forest, *at, other);
                }
            }
            spent.more(chosen.len())?;
        }
        (spent.effort.progress)((block * BLOCK + chosen.len()).min(fresh.len()), fresh.len());
    }
    Ok(forest)
}

/// A group under way.
struct Unit {
    count: f32,
    /// Of its points as vectors of length 1.
    sum: Vec<f32>,
    before: Option<u32>,
    fresh: Vec<usize>,
}

impl Unit {
    fn add(&mut self, point: &[i16]) {
        self.count += 1.0;
        self.sum.resize(point.len(), 0.0);
        self.sum.iter_mut().zip(point).for_each(|(sum, n)| *sum += f32::from(*n) / 32_767.0);
    }

    /// The mean cosine of a point of one and a point of the other; `None` where they must not be joined.
    fn average(&self, other: &Unit) -> Option<f32> {
        let apart = self.before.is_some() && other.before.is_some();
        (!apart).then(|| dot(&self.sum, &other.sum) / (self.count * other.count))
    }
}

/// A sum of products in a fixed order of eight lanes, the same on every machine.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The groups of points that hang together.
fn agglomerate(
    points: &Points,
    before: &[Option<u32>],
    part: &[usize],
    threshold: f32,
    spent: &mut Spent<'_>,
) -> Result<Vec<Group>, Halt> {
    let mut known: BTreeMap<u32, Unit> = BTreeMap::new();
    let mut units: Vec<Unit> = Vec::new();
    for at in part {
        let point = points.at(*at);
        let mut unit = Unit { count: 0.0, sum: Vec::new(), before: None, fresh: Vec::new() };
        match before.get(*at).copied().flatten() {
            Some(group) => known.entry(group).or_insert(Unit { before: Some(group), ..unit }).add(point),
            None => {
                unit.add(point);
                unit.fresh.push(*at);
                units.push(unit);
            }
        }
    }
    units.extend(known.into_values());
    let done = chains(units, threshold, spent)?;
    let worth = |unit: &Unit| !unit.fresh.is_empty() && (unit.before.is_some() || unit.fresh.len() > 1);
    Ok(done.into_iter().filter(worth).map(|unit| group(points, unit)).collect())
}

fn group(points: &Points, mut unit: Unit) -> Group {
    unit.fresh.sort_unstable();
    let length = dot(&unit.sum, &unit.sum).sqrt().max(f32::MIN_POSITIVE);
    let near = |at: &usize| {
        let mut point = Unit { count: 0.0, sum: Vec::new(), before: None, fresh: Vec::new() };
        point.add(points.at(*at));
        ((dot(&point.sum, &unit.sum) / length).clamp(0.0, 1.0) * 1e4).round() as u16
    };
    let confidence = unit.fresh.iter().map(near).collect();
    Group { before: unit.before, fresh: unit.fresh, confidence }
}

/// Joins units by chains of nearest neighbours until none are near enough.
fn chains(units: Vec<Unit>, threshold: f32, spent: &mut Spent<'_>) -> Result<Vec<Unit>, Halt> {
    let mut active: BTreeMap<usize, Unit> = units.into_iter().enumerate().collect();
    let (mut done, mut chain): (Vec<Unit>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let Some(last) = chain.last().or(active.keys().next()).copied() else { return Ok(done) };
        if chain.is_empty() {
            chain.push(last);
        }
        let Some(unit) = active.get(&last) else { return Ok(done) };
        let previous = chain.len().checked_sub(2).and_then(|at| chain.get(at)).copied();
        let others = active.iter().filter(|(at, _)| **at != last);
        let near = others.filter_map(|(at, other)| Some((unit.average(other)?, *at))).filter(|n| n.0 >= threshold);
        // Of equal ones the one before in the chain, so that it ends; then the first.
        let rank = |at: usize| (previous == Some(at), std::cmp::Reverse(at));
        let nearest = near.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| rank(a.1).cmp(&rank(b.1))));
        spent.more(active.len())?;
        match nearest.map(|(_, at)| at) {
            None => {
                // What was not near enough is not nearer to what others become.
                done.extend(active.remove(&last));
                chain.clear();
            }
            // Rounding alone can lead back into the chain beyond the one before: these are as near.
            Some(at) if chain.contains(&at) => {
                if let (Some(a), Some(b)) = (active.remove(&last), active.remove(&at)) {
                    active.insert(last.min(at), joined(a, b));
                }
                chain.truncate(if previous == Some(at) { chain.len() - 2 } else { 0 });
            }
            Some(at) => chain.push(at),
        }
    }
}

fn joined(mut a: Unit, b: Unit) -> Unit {
    a.count += b.count;
    a.sum.iter_mut().zip(&b.sum).for_each(|(a, b)| *a += b);
    a.before = a.before.or(b.before);
    a.fresh.extend(b.fresh);
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Vector;
    use proptest::prelude::*;

    /// Naive: all pairs of groups, all pairs of their points, the nearest first, from the start for each step.
    fn naive(vectors: &[Vector], before: &[Option<u32>], threshold: f64) -> Vec<(Option<u32>, Vec<usize>)> {
        let cosine = |a: usize, b: usize| {
            let pairs = vectors[a].numbers().iter().zip(vectors[b].numbers());
            pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>() / (32_767.0 * 32_767.0)
        };
        let mut groups: Vec<(Option<u32>, Vec<usize>)> = Vec::new();
        for (at, group) in before.iter().enumerate() {
            match groups.iter_mut().find(|(known, _)| group.is_some() && known == group) {
                Some((_, points)) => points.push(at),
                None => groups.push((*group, vec![at])),
            }
        }
        loop {
            let mut best: Option<(f64, usize, usize)> = None;
            for a in 0..groups.len() {
                for b in a + 1..groups.len() {
                    if groups[a].0.is_some() && groups[b].0.is_some() {
                        continue;
                    }
                    let pairs = groups[a].1.iter().flat_map(|x| groups[b].1.iter().map(|y| cosine(*x, *y)));
                    let average = pairs.sum::<f64>() / (groups[a].1.len() * groups[b].1.len()) as f64;
                    if average >= threshold && best.is_none_or(|(most, ..)| average > most) {
                        best = Some((average, a, b));
                    }
                }
            }
            let Some((_, a, b)) = best else { break };
            let (before, points) = groups.remove(b);
            groups[a].0 = groups[a].0.or(before);
            groups[a].1.extend(points);
        }
        let fresh = |(group, mut points): (Option<u32>, Vec<usize>)| {
            points.retain(|at| before[*at].is_none());
            points.sort_unstable();
            (group, points)
        };
        let mut found: Vec<_> = groups.into_iter().map(fresh).collect();
        found.retain(|(group, points)| !points.is_empty() && (group.is_some() || points.len() > 1));
        found.sort_by_key(|(_, points)| points[0]);
        found
    }

    fn effort<'e>() -> Effort<'e> {
        Effort { most: u64::MAX, stopped: &|| false, progress: &|_, _| () }
    }

    /// Points around some middles, the same for the same seed.
    fn drawn(seed: u64, count: usize, size: usize, people: usize, spread: f32) -> Vec<Vector> {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        let middles: Vec<Vec<f32>> = (0..people).map(|_| (0..size).map(|_| random()).collect()).collect();
        (0..count)
            .map(|at| {
                let numbers: Vec<f32> = middles[at % people].iter().map(|n| n + spread * random()).collect();
                Vector::of(&numbers).unwrap()
            })
            .collect()
    }

    fn points(vectors: &[Vector]) -> Points {
        let mut points = Points::default();
        vectors.iter().for_each(|vector| assert!(points.push(vector.numbers())));
        points
    }

    proptest! {
        #[test]
        fn groups_are_those_of_all_pairs(
            seed in any::<u64>(), count in 0usize..28, size in 2usize..12, people in 1usize..6,
            spread in 0.1f32..1.5, threshold in 0.2f32..0.95, known in proptest::collection::vec(proptest::option::weighted(0.3, 0u32..4), 28),
        ) {
            let vectors = drawn(seed, count, size, people, spread);
            let before = &known[..count];
            let found = groups(&points(&vectors), before, threshold, &effort()).unwrap();
            let shown: Vec<_> = found.iter().map(|g| (g.before, g.fresh.clone())).collect();
            prop_assert_eq!(shown, naive(&vectors, before, f64::from(threshold)));
            prop_assert!(found.iter().all(|g| g.confidence.len() == g.fresh.len()));
        }
    }

    #[test]
    fn equal_points_are_one_group_and_chains_end() {
        let vectors = vec![Vector::of(&[1.0, 2.0, 3.0]).unwrap(); 40];
        let found = groups(&points(&vectors), &[None; 40], 0.5, &effort()).unwrap();
        assert_eq!((found.len(), found[0].fresh.len(), found[0].confidence[0]), (1, 40, 10_000));
        assert_eq!(groups(&Points::default(), &[], 0.5, &effort()), Ok(vec![]));
    }

    #[test]
    fn a_bridge_does_not_join_two_people() {
        // 0 and 2 are 70 degrees apart, 1 lies between: single linkage would join all.
        let at = |degrees: f32| Vector::of(&[degrees.to_radians().cos(), degrees.to_radians().sin()]).unwrap();
        let vectors = [at(0.0), at(2.0), at(35.0), at(70.0), at(72.0)];
        let found = groups(&points(&vectors), &[None; 5], 0.8, &effort()).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn work_is_bounded() {
        let vectors = drawn(1, 3000, 4, 3000, 1.0);
        let tired = Effort { most: 1000, ..effort() };
        assert_eq!(groups(&points(&vectors), &vec![None; 3000], 0.9, &tired), Err(Halt::TooMany));
        let stopped = Effort { stopped: &|| true, ..effort() };
        assert_eq!(groups(&points(&vectors), &vec![None; 3000], 0.9, &stopped), Err(Halt::Stopped));
        let mut mixed = points(&vectors[..1]);
        assert!(!mixed.push(&[1, 2]) && mixed.len() == 1, "of another space");
    }
}
