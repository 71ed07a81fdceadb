//! Points in memory: as of one commit, and brought up to a later one by what commits between have touched.

use super::{Best, Deadline, is_comparable, point_of};
use crate::analyze::Embedding;
use crate::engine::view::Sight;
use crate::error::Result;
use crate::store::{Change, DatasetId, Table, keys};
use std::collections::{BTreeSet, HashMap};
use std::mem::size_of;
use std::sync::Arc;

/// Records that are read together.
const TOGETHER: usize = 1000;
/// Bytes of a point beside its numbers and its URI: the entry of the table, the place in the list, two heads of shared memory, four blocks' borders.
const HEAD: u64 = 2 * (size_of::<Arc<str>>() + size_of::<Point>()) as u64 + 96;

/// What points weigh in memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight(u64);

impl Weight {
    pub(super) fn add(&mut self, uri: &str, numbers: &[i16]) {
        self.0 += Weight::of(uri, numbers.len()).0;
    }

    fn of(uri: &str, numbers: usize) -> Weight {
        Weight((uri.len() + numbers * 2) as u64 + HEAD)
    }

    pub(super) fn fits(self, most: u64) -> bool {
        self.0 <= most
    }
}

/// A point and whose it is.
#[derive(Debug)]
struct Point {
    uri: Arc<str>,
    numbers: Box<[i16]>,
}

/// The points of a dataset in memory, at one commit.
#[derive(Debug)]
pub(in crate::engine) struct Kept {
    commit: u64,
    /// A point of the space that all are of.
    sample: Embedding,
    points: Vec<Point>,
    /// Where each is.
    places: HashMap<Arc<str>, usize>,
    weight: Weight,
}

impl Kept {
    /// None yet: of the space of a point, as of a commit.
    pub(super) fn new(commit: u64, sample: &Embedding) -> Kept {
        Kept { commit, sample: sample.clone(), points: Vec::new(), places: HashMap::new(), weight: Weight::default() }
    }

    pub(super) fn commit(&self) -> u64 {
        self.commit
    }

    pub(super) fn weight(&self) -> Weight {
        self.weight
    }

    pub(super) fn is_of(&self, point: &Embedding) -> bool {
        is_comparable(&self.sample, point)
    }

    pub(super) fn offer(&self, best: &mut Best<'_>) {
        self.points.iter().for_each(|point| best.offer(&point.uri, &point.numbers));
    }

    /// Says where a file's point is.
    pub(super) fn set(&mut self, uri: &str, numbers: &[i16]) {
        match self.places.get(uri).and_then(|at| self.points.get_mut(*at)) {
            Some(point) => point.numbers = numbers.into(),
            None => {
                let uri: Arc<str> = uri.into();
                self.weight.add(&uri, numbers);
                self.places.insert(Arc::clone(&uri), self.points.len());
                self.points.push(Point { uri, numbers: numbers.into() });
            }
        }
    }

    /// A file has no point, or none any more.
    fn remove(&mut self, uri: &str) {
        let Some(at) = self.places.remove(uri) else { return };
        let point = self.points.swap_remove(at);
        self.weight.0 -= Weight::of(&point.uri, point.numbers.len()).0;
        if let Some(moved) = self.points.get(at) {
            self.places.insert(Arc::clone(&moved.uri), at);
        }
    }

    /// Reads again what commits have touched since. Answers whether that is known: a seal drops the rows of the commits that it covers, and where
    /// they touched more than there is, everything may as well be read.
    pub(super) fn follow(&mut self, dataset: DatasetId, sight: &Sight<'_>, deadline: &Deadline) -> Result<bool> {
        let Some(touched) = self.touched(dataset, sight)? else { return Ok(false) };
        for uris in touched.chunks(TOGETHER) {
            let wanted: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(dataset, uri).bytes).collect();
            sight.reader.many(Table::Files, &wanted, |at, value| {
                let Some(uri) = uris.get(at) else { return Ok(()) };
                let found = value.map(|bytes| point_of(uri, bytes)).transpose()?.flatten();
                match found.filter(|found| self.is_of(found)) {
                    Some(found) => self.set(uri, found.vector.numbers()),
                    None => self.remove(uri),
                }
                Ok(())
            })?;
            deadline.check()?;
        }
        self.commit = sight.view.commit;
        Ok(true)
    }

    /// The files that commits have touched since, in order, where every one of the commits still has its row.
    pub(super) fn touched(&self, dataset: DatasetId, sight: &Sight<'_>) -> Result<Option<Vec<String>>> {
        let (mut touched, mut next) = (BTreeSet::new(), self.commit + 1);
        let from = keys::change(dataset, next);
        let mut rows = sight.reader.scan(&keys::changes(dataset), Some(&from))?;
        while let Some((key, value)) = rows.current()? {
            let number = keys::number_after_dataset(key).map(|(_, number)| number);
            if number != Some(next) || touched.len() > self.points.len() + TOGETHER {
                return Ok(None);
            }
            touched.extend(Change::decode(value)?.files.into_iter().map(|file| file.uri));
            next += 1;
            rows.advance();
        }
        Ok((next == sight.view.commit + 1).then(|| touched.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Vector;
    use crate::engine::points::{Near, Question};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BinaryHeap};

    fn vector(x: i8, y: i8) -> Vector {
        Vector::of(&[f32::from(x) + 0.5, f32::from(y)]).unwrap()
    }

    proptest! {
        /// Points that are set and removed in any order are those of a table, in the order of the answer.
        #[test]
        fn points_are_those_of_a_table(
            steps in proptest::collection::vec((0u8..12, proptest::option::of((any::<i8>(), any::<i8>()))), 0..80),
            most in 1usize..15,
        ) {
            let asked = Embedding { space: "s".into(), vector: vector(3, 1) };
            let mut kept = Kept::new(0, &asked);
            let mut model: BTreeMap<String, Vector> = BTreeMap::new();
            for (file, point) in steps {
                let uri = format!("oss://b/{file}");
                match point {
                    Some((x, y)) => {
                        kept.set(&uri, vector(x, y).numbers());
                        model.insert(uri, vector(x, y));
                    }
                    None => {
                        kept.remove(&uri);
                        model.remove(&uri);
                    }
                }
            }
            let mut weight = Weight::default();
            model.iter().for_each(|(uri, vector)| weight.add(uri, vector.numbers()));
            prop_assert_eq!(kept.weight(), weight);
            let question = Question { point: &asked, least: 0, after: None, most };
            let mut best = Best { question: &question, found: BinaryHeap::new() };
            kept.offer(&mut best);
            let sum = |v: &Vector| v.numbers().iter().zip(asked.vector.numbers()).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            let mut expected: Vec<Near> = model.iter().map(|(uri, v)| Near { product: sum(v), uri: uri.as_str().into() }).collect();
            expected.retain(|near| near.product >= 0);
            expected.sort_by(|a, b| b.product.cmp(&a.product).then_with(|| a.uri.cmp(&b.uri)));
            expected.truncate(most);
            prop_assert_eq!(best.found.into_sorted_vec(), expected);
        }
    }
}
