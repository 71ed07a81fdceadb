//! Pictures by what they show: the points of a dataset's pictures, and those that are nearest to a sentence.
//!
//! The search is exact: every point is compared. Points are kept in memory and follow the commits where they fit a part of its
//! budget; else they are read from the records for each question.

mod kept;

use super::dataset::Dataset;
use super::view::{Sight, scan_files};
use crate::analyze::Embedding;
use crate::analyze::embedding::product;
use crate::error::{Error, ErrorKind, Result};
use crate::model::field;
use crate::store::{Reader, Record};
use kept::{Kept, Weight};
use std::collections::BinaryHeap;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

/// Part of the memory budget that the points of one dataset may take: one of so many.
const SHARE: u64 = 4;
/// Records between two looks at the time.
const LOOK: u64 = 1024;

/// A picture near a sentence: the greatest product first, then by URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) product: i32,
    pub(super) uri: Box<str>,
}

impl Ord for Near {
    /// The first in the order of answers is the least.
    fn cmp(&self, other: &Near) -> std::cmp::Ordering {
        other.product.cmp(&self.product).then_with(|| self.uri.cmp(&other.uri))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Near) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Which pictures are asked for.
#[derive(Debug)]
pub(super) struct Question<'q> {
    pub(super) point: &'q Embedding,
    /// Least product.
    pub(super) least: i32,
    /// The one before the first, or none.
    pub(super) after: Option<&'q Near>,
    /// How many at most.
    pub(super) most: usize,
}

/// The points of a dataset, as far as they are in memory.
#[derive(Debug, Default)]
pub(super) enum Points {
    /// Nobody has asked yet.
    #[default]
    Unread,
    /// As of one commit.
    Kept(Box<Kept>),
    /// More than fit.
    Beyond,
}

/// Where a dataset keeps them.
pub(super) type Shelf = RwLock<Points>;

/// The first ones of a question.
struct Best<'q> {
    question: &'q Question<'q>,
    found: BinaryHeap<Near>,
}

impl Best<'_> {
    fn offer(&mut self, uri: &str, numbers: &[i16]) {
        let product = product(self.question.point.vector.numbers(), numbers);
        if product < self.question.least {
            return;
        }
        // Most are no better than what is there: these cost no copy.
        let full = self.found.len() >= self.question.most;
        if full
            && self
                .found
                .peek()
                .is_none_or(|worst| (-i64::from(product), uri) >= (-i64::from(worst.product), &worst.uri))
        {
            return;
        }
        let near = Near { product, uri: uri.into() };
        if self.question.after.is_none_or(|after| near > *after) {
            self.found.push(near);
            if self.found.len() > self.question.most {
                self.found.pop();
            }
        }
    }
}

/// When a question must have ended.
struct Deadline(Option<Instant>);

impl Deadline {
    fn check(&self) -> Result<()> {
        if self.0.is_some_and(|deadline| Instant::now() >= deadline) {
            let message = "the points of the dataset could not be read in time";
            return Err(Error::new(ErrorKind::DeadlineExceeded, message));
        }
        Ok(())
    }
}

impl Dataset {
    /// The pictures that are nearest, in order. `sight` is what is asked, or becomes what is there now, where points in memory are newer.
    pub(super) fn nearest<'d>(&'d self, sight: &mut Sight<'d>, question: &Question<'_>) -> Result<Vec<Near>> {
        let mut best = Best { question, found: BinaryHeap::new() };
        let points = self.space.points.read().unwrap_or_else(PoisonError::into_inner);
        let known = match &*points {
            Points::Kept(kept) if kept.commit() == sight.view.commit && kept.is_of(question.point) => {
                kept.offer(&mut best);
                true
            }
            _ => false,
        };
        let is_beyond = matches!(*points, Points::Beyond);
        drop(points);
        if is_beyond {
            // Others read as well: nobody waits.
            let weight = self.read_points(sight, question.point, |uri, numbers| best.offer(uri, numbers))?;
            if weight.fits(self.share()) {
                *self.space.points.write().unwrap_or_else(PoisonError::into_inner) = Points::Unread;
            }
        } else if !known {
            self.follow_points(sight, &mut best)?;
        }
        Ok(best.found.into_sorted_vec())
    }

    /// Bytes that points may take.
    fn share(&self) -> u64 {
        self.inner().options.memory_bytes as u64 / SHARE
    }

    /// Brings the points in memory up to what is asked, reads all where that cannot be, and offers them.
    fn follow_points<'d>(&'d self, sight: &mut Sight<'d>, best: &mut Best<'_>) -> Result<()> {
        let (point, most) = (best.question.point, self.share());
        let mut points = self.space.points.write().unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that nothing half-changed is left behind by what fails here.
        let taken = std::mem::take(&mut *points);
        if let Points::Kept(mut kept) = taken
            && kept.is_of(point)
        {
            if kept.commit() > sight.view.commit {
                *sight = Sight::take(self.inner(), &self.space)?;
            }
            if kept.follow(self.space.id, sight, &self.deadline())? && kept.weight().fits(most) {
                kept.offer(best);
                *points = Points::Kept(kept);
                return Ok(());
            }
        }
        let mut kept = Some(Box::new(Kept::new(sight.view.commit, point)));
        let weight = self.read_points(sight, point, |uri, numbers| {
            best.offer(uri, numbers);
            kept.iter_mut().for_each(|kept| kept.set(uri, numbers));
            kept.take_if(|kept| !kept.weight().fits(most));
        })?;
        *points = kept.filter(|_| weight.fits(most)).map_or(Points::Beyond, Points::Kept);
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        Deadline(self.inner().options.query_deadline.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// Reads all records for their points of a space; says what those weigh.
    fn read_points(&self, sight: &Sight<'_>, point: &Embedding, mut each: impl FnMut(&str, &[i16])) -> Result<Weight> {
        let (deadline, mut weight, mut seen) = (self.deadline(), Weight::default(), 0_u64);
        let mut rows = scan_files(&sight.reader, self.space.id, None)?;
        while let Some((key, value)) = rows.current()? {
            let uri = super::rebuild::uri_of(key)?;
            if let Some(found) = point_of(uri, value)?.filter(|found| is_comparable(found, point)) {
                weight.add(uri, found.vector.numbers());
                each(uri, found.vector.numbers());
            }
            seen += 1;
            if seen.is_multiple_of(LOOK) {
                deadline.check()?;
            }
            rows.advance();
        }
        Ok(weight)
    }

    /// The product of a file's point with another one; `None` where it has none in that space.
    pub(super) fn product_with(&self, reader: &Reader<'_>, uri: &str, point: &Embedding) -> Result<Option<i32>> {
        let bytes = reader.bytes(&crate::store::keys::file(self.space.id, uri))?;
        let found = bytes.map(|bytes| point_of(uri, &bytes)).transpose()?.flatten();
        let found = found.filter(|found| is_comparable(found, point));
        Ok(found.map(|found| product(found.vector.numbers(), point.vector.numbers())))
    }
}

fn point_of(uri: &str, record: &[u8]) -> Result<Option<Embedding>> {
    let record = Record::decode_fields(uri, record, &[field::IMAGE_EMBEDDING])?;
    Ok(record.members.text(field::IMAGE_EMBEDDING).and_then(Embedding::read))
}

fn is_comparable(a: &Embedding, b: &Embedding) -> bool {
    a.space == b.space && a.vector.numbers().len() == b.vector.numbers().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Vector;
    use crate::engine::{Engine, Options};
    use crate::model::{DatasetSpec, File, ProjectSpec};
    use std::collections::BTreeMap;
    use std::path::Path;

    struct Dice(u64);

    impl Dice {
        fn word(&mut self) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0 >> 33
        }

        fn below(&mut self, most: u64) -> u64 {
            self.word() % most
        }

        fn point(&mut self, numbers: usize) -> Embedding {
            let vector: Vec<f32> = (0..numbers).map(|_| self.word() as f32 / (1u64 << 30) as f32 - 1.0).collect();
            Embedding { space: "s".into(), vector: Vector::of(&vector).unwrap() }
        }
    }

    type Model = BTreeMap<String, Vector>;

    fn open(dir: &Path) -> (Engine, Dataset) {
        open_with(dir, 64 << 20)
    }

    fn open_with(dir: &Path, memory_bytes: usize) -> (Engine, Dataset) {
        let options = Options { memory_bytes, ..Options::default() };
        let engine = Engine::open(dir, options).unwrap();
        if engine.project("p").is_err() {
            engine.create_project("p", &ProjectSpec::default()).unwrap();
            engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
        }
        let dataset = engine.dataset("p", "d").unwrap();
        (engine, dataset)
    }

    fn file(uri: &str, point: &Embedding) -> File {
        File::new(uri).with(field::IMAGE_EMBEDDING, point.write())
    }

    fn asked(dataset: &Dataset, question: &Question<'_>) -> Vec<Near> {
        let mut sight = Sight::take(dataset.inner(), &dataset.space).unwrap();
        dataset.nearest(&mut sight, question).unwrap()
    }

    /// By a sum over every pair, without anything that is tested here.
    fn expected(model: &Model, question: &Question<'_>) -> Vec<Near> {
        let sum = |v: &Vector| {
            v.numbers()
                .iter()
                .zip(question.point.vector.numbers())
                .map(|(a, b)| i64::from(*a) * i64::from(*b))
                .sum::<i64>()
        };
        let mut near: Vec<(i64, &str)> = model.iter().map(|(uri, v)| (-sum(v), uri.as_str())).collect();
        near.retain(|(less, _)| -less >= i64::from(question.least));
        near.sort_unstable();
        let after = question.after.map(|after| (-i64::from(after.product), &*after.uri));
        let rest = near.into_iter().filter(|near| after.is_none_or(|after| *near > after)).take(question.most);
        rest.map(|(less, uri)| Near { product: i32::try_from(-less).unwrap(), uri: uri.into() }).collect()
    }

    /// Two pages of what is near some point.
    fn check(dataset: &Dataset, model: &Model, point: &Embedding) {
        let question = Question { point, least: -200_000_000, after: None, most: 40 };
        let first = asked(dataset, &question);
        assert_eq!(first, expected(model, &question));
        if let Some(last) = first.last() {
            let question = Question { after: Some(last), ..question };
            assert_eq!(asked(dataset, &question), expected(model, &question));
        }
    }

    fn commit_kept(dataset: &Dataset) -> Option<u64> {
        match &*dataset.space.points.read().unwrap() {
            Points::Kept(kept) => Some(kept.commit()),
            _ => None,
        }
    }

    #[test]
    fn points_in_memory_follow_what_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (mut engine, mut dataset) = open(dir.path());
        let (mut dice, mut model) = (Dice(9), Model::new());
        for round in 0..160 {
            let uri = |dice: &mut Dice| format!("oss://b/{:03}", dice.below(150));
            match dice.below(12) {
                0 => dataset.settle().unwrap(),
                1 => {
                    drop((dataset, engine));
                    (engine, dataset) = open(dir.path());
                }
                2 => dataset.rebuild().unwrap(),
                3..6 => {
                    let gone: Vec<String> = (0..dice.below(6)).map(|_| uri(&mut dice)).collect();
                    gone.iter().for_each(|uri| drop(model.remove(uri)));
                    dataset.delete(gone).unwrap();
                }
                6 => {
                    // What has no point any more, one of another space, one of another size.
                    for text in ["", "t:", "none"] {
                        let uri = uri(&mut dice);
                        let text =
                            if text == "t:" { format!("t:{}", dice.point(6).vector.write()) } else { text.to_owned() };
                        model.remove(&uri);
                        dataset.put(vec![File::new(uri).with(field::IMAGE_EMBEDDING, text)]).unwrap();
                    }
                }
                _ => {
                    let many = if round == 20 { 100 } else { dice.below(12) };
                    let mut files = Vec::new();
                    for _ in 0..many {
                        let (uri, point) = (uri(&mut dice), dice.point(6));
                        files.push(file(&uri, &point));
                        model.insert(uri, point.vector);
                    }
                    dataset.put(files).unwrap();
                }
            }
            if dice.below(3) > 0 {
                check(&dataset, &model, &dice.point(6));
                let commit = Sight::take(dataset.inner(), &dataset.space).unwrap().view.commit;
                assert_eq!(commit_kept(&dataset), Some(commit), "they are kept as of now");
            }
        }
        // A commit costs the records that it touched, as long as its row is there.
        check(&dataset, &model, &dice.point(6));
        let point = dice.point(6);
        dataset.put(vec![file("oss://b/new", &point), file("oss://b/000", &point)]).unwrap();
        dataset.delete(vec!["oss://b/new".to_owned()]).unwrap();
        let sight = Sight::take(dataset.inner(), &dataset.space).unwrap();
        let touched = |dataset: &Dataset| match &*dataset.space.points.read().unwrap() {
            Points::Kept(kept) => kept.touched(dataset.space.id, &sight).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(touched(&dataset), Some(vec!["oss://b/000".to_owned(), "oss://b/new".to_owned()]));
        // A question that began before others have moved the points on is answered as of now.
        check(&dataset, &Model::new(), &Embedding { space: "u".into(), vector: point.vector.clone() });
    }

    #[test]
    fn questions_beside_a_writer_agree_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let (_engine, dataset) = open(dir.path());
        let (mut dice, mut model) = (Dice(4), Model::new());
        let point = dice.point(4);
        std::thread::scope(|scope| {
            let askers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let question = Question { point: &point, least: i32::MIN, after: None, most: 5000 };
                        let mut last = 0;
                        while last < 300 {
                            let found = asked(&dataset, &question).len();
                            assert!(
                                found >= last && found.is_multiple_of(3),
                                "commits are seen whole, in their order: {last} {found}"
                            );
                            last = found;
                        }
                    })
                })
                .collect();
            for n in 0..100 {
                let files: Vec<(String, Embedding)> =
                    (0..3).map(|m| (format!("oss://b/{n}-{m}"), dice.point(4))).collect();
                dataset.put(files.iter().map(|(uri, point)| file(uri, point)).collect()).unwrap();
                model.extend(files.into_iter().map(|(uri, point)| (uri, point.vector)));
            }
            askers.into_iter().for_each(|asker| asker.join().unwrap());
        });
        check(&dataset, &model, &point);
    }

    #[test]
    fn points_that_do_not_fit_are_read_for_each_question() {
        const NUMBERS: usize = 4096;
        let dir = tempfile::tempdir().unwrap();
        let (_engine, dataset) = open(dir.path());
        let (mut dice, mut model) = (Dice(2), Model::new());
        // A quarter of 64 MiB: 2,000 of these fit, 2,100 do not.
        let put = |dice: &mut Dice, range: std::ops::Range<usize>, model: &mut Model| {
            let files: Vec<(String, Embedding)> =
                range.map(|n| (format!("oss://b/{n:04}"), dice.point(NUMBERS))).collect();
            dataset.put(files.iter().map(|(uri, point)| file(uri, point)).collect()).unwrap();
            model.extend(files.into_iter().map(|(uri, point)| (uri, point.vector)));
        };
        put(&mut dice, 0..1900, &mut model);
        check(&dataset, &model, &dice.point(NUMBERS));
        assert!(commit_kept(&dataset).is_some());
        put(&mut dice, 1900..2100, &mut model);
        for _ in 0..2 {
            check(&dataset, &model, &dice.point(NUMBERS));
            assert!(matches!(&*dataset.space.points.read().unwrap(), Points::Beyond));
        }
        let gone: Vec<String> = (0..300).map(|n| format!("oss://b/{:04}", n * 7)).collect();
        gone.iter().for_each(|uri| drop(model.remove(uri)));
        dataset.delete(gone).unwrap();
        // The first question finds out that they fit, the next one keeps them.
        check(&dataset, &model, &dice.point(NUMBERS));
        check(&dataset, &model, &dice.point(NUMBERS));
        assert!(commit_kept(&dataset).is_some());
    }

    #[test]
    fn more_than_a_hundred_thousand_points_are_compared() {
        const POINTS: usize = 104_000;
        let dir = tempfile::tempdir().unwrap();
        let (_engine, dataset) = open_with(dir.path(), 256 << 20);
        let (mut dice, mut model) = (Dice(7), Model::new());
        for from in (0..POINTS).step_by(8000) {
            let files: Vec<(String, Embedding)> =
                (from..from + 8000).map(|n| (format!("oss://b/{n:06}"), dice.point(3))).collect();
            dataset.put(files.iter().map(|(uri, point)| file(uri, point)).collect()).unwrap();
            model.extend(files.into_iter().map(|(uri, point)| (uri, point.vector)));
        }
        let point = dice.point(3);
        check(&dataset, &model, &point);
        assert!(commit_kept(&dataset).is_some());
        // Page by page each once, to the last.
        let (mut pages, mut after): (Vec<Near>, Option<Near>) = (Vec::new(), None);
        loop {
            let question = Question { point: &point, least: i32::MIN, after: after.as_ref(), most: 30_000 };
            let page = asked(&dataset, &question);
            after = page.last().cloned();
            pages.extend(page);
            if after.is_none() {
                break;
            }
        }
        let whole = Question { point: &point, least: i32::MIN, after: None, most: usize::MAX };
        assert!(pages == expected(&model, &whole));
    }
}
