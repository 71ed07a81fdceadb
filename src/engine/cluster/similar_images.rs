//! Pictures that look alike (CreateSimilarImageClusteringTask): those whose perceptual hashes hang together.

use super::alike::{Halt, components};
use super::page;
use super::{Work, each, new_id, page_size};
use crate::analyze::ImageHash;
use crate::engine::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::model::cluster::{ClusterPage, ClusterSort, MAX_CLUSTER_PAGE, SimilarImage, SimilarImageCluster};
use crate::model::{Listing, Value, field, now};
use crate::query::Seal;
use crate::store::rows::{ClusterKind, SimilarImagesRow};
use crate::store::{Batch, Reader, Record, Table, keys};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bits in which the hashes of two pictures may differ that are taken for copies of each other.
pub const SIMILAR_DISTANCE: u32 = 6;
/// Most pictures with a hash of a dataset that is clustered.
pub const MAX_HASHED_IMAGES: usize = 5_000_000;
/// Most files that a cluster lists: the best scores first.
pub const MAX_SIMILAR_FILES: usize = 1_000;
/// Most comparisons of two hashes: some minutes.
const MAX_COMPARISONS: u64 = 100_000_000_000;
/// How ids begin.
const PREFIX: &str = "similar-image-cluster";

/// A picture: how good it is in ten-thousandths, negated so that the best comes first, then its address.
type Ranked = (i64, String);

/// Does the task; answers how many clusters there are then, `None` where it was stopped.
pub(super) fn run(work: &Work<'_>) -> Result<Option<usize>> {
    // One snapshot for both passes: the first holds hashes alone, the second the addresses of what hangs together.
    let reader = work.inner().store.reader();
    let mut hashes: Vec<u64> = Vec::new();
    let whole = work.records(&reader, |uri, value| {
        let record = Record::decode_fields(uri, value, &[field::IMAGE_HASH])?;
        hashes.extend(hash_of(&record));
        if hashes.len() > MAX_HASHED_IMAGES {
            let message = format!("pictures with an ImageHash: expected at most {MAX_HASHED_IMAGES}, got more");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        Ok(())
    })?;
    if !whole {
        return Ok(None);
    }
    hashes.sort_unstable();
    let mut counts: Vec<(u64, u32)> = Vec::new();
    for hash in hashes {
        match counts.last_mut() {
            Some((last, count)) if *last == hash => *count += 1,
            _ => counts.push((hash, 1)),
        }
    }
    let distinct: Vec<u64> = counts.iter().map(|(hash, _)| *hash).collect();
    let roots = match components(&distinct, SIMILAR_DISTANCE, MAX_COMPARISONS, &|| work.held.is_stopped()) {
        Ok(roots) => roots,
        Err(Halt::Stopped) => return Ok(None),
        Err(Halt::TooMany) => {
            let message = format!("comparisons of pictures: expected at most {MAX_COMPARISONS}, got more");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
    };
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    for ((_, count), root) in counts.iter().zip(&roots) {
        *sizes.entry(*root).or_default() += u64::from(*count);
    }
    let group = |hash: u64| {
        let root = *roots.get(distinct.binary_search(&hash).ok()?)?;
        (*sizes.get(&root)? >= 2).then_some(root)
    };
    let Some(groups) = members(work, &reader, group)? else { return Ok(None) };
    drop(reader);
    work.land(ClusterKind::SimilarImages, |rows, batch| settle(work, groups, rows, batch)).map(Some)
}

fn hash_of(record: &Record) -> Option<u64> {
    Some(ImageHash::parse(record.members.text(field::IMAGE_HASH)?).ok()?.0)
}

/// The files of each group, the best [`MAX_SIMILAR_FILES`].
fn members(
    work: &Work<'_>,
    reader: &Reader<'_>,
    group: impl Fn(u64) -> Option<usize>,
) -> Result<Option<Vec<BTreeSet<Ranked>>>> {
    let mut groups: BTreeMap<usize, BTreeSet<Ranked>> = BTreeMap::new();
    let whole = work.records(reader, |uri, value| {
        let record = Record::decode_fields(uri, value, &[field::IMAGE_HASH, field::IMAGE_SCORE])?;
        if let Some(root) = hash_of(&record).and_then(&group) {
            let score = match record.members.get(field::IMAGE_SCORE) {
                Some(Value::Object(score)) => score.get(field::OVERALL_QUALITY_SCORE).and_then(Value::as_float),
                _ => None,
            };
            let rank = score.map_or(1, |score| -((score.clamp(0.0, 1.0) * 1e4).round() as i64));
            let files = groups.entry(root).or_default();
            files.insert((rank, uri.to_owned()));
            if files.len() > MAX_SIMILAR_FILES {
                files.pop_last();
            }
        }
        Ok(())
    })?;
    Ok(whole.then(|| groups.into_values().collect()))
}

/// Compares what was found with the clusters that are there: a group goes on as the cluster with which it shares most files.
fn settle(
    work: &Work<'_>,
    groups: Vec<BTreeSet<Ranked>>,
    mut rows: BTreeMap<String, SimilarImagesRow>,
    batch: &mut Batch<'_>,
) -> Result<usize> {
    let mut homes: HashMap<&str, &str> = HashMap::new();
    for (id, row) in &rows {
        homes.extend(row.files.iter().map(|(uri, _)| (uri.as_str(), id.as_str())));
    }
    // The groups with most in common choose first; of equal ones that with the first file.
    let mut claims: Vec<(usize, usize, String)> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
        for home in group.iter().filter_map(|(_, uri)| homes.get(uri.as_str())) {
            *shared.entry(home).or_default() += 1;
        }
        claims.extend(shared.into_iter().map(|(id, count)| (count, at, id.to_owned())));
    }
    claims.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut ids, mut taken): (BTreeMap<usize, String>, BTreeSet<String>) = Default::default();
    for (_, at, id) in claims {
        if !ids.contains_key(&at) && taken.insert(id.clone()) {
            ids.insert(at, id);
        }
    }
    let (count, time) = (groups.len(), now().0);
    for (at, group) in groups.into_iter().enumerate() {
        let first = group.iter().map(|(_, uri)| uri.as_str()).min().unwrap_or("");
        let id = ids.remove(&at).unwrap_or_else(|| {
            let id = new_id(PREFIX, work.id(), first, |id| rows.contains_key(id) || taken.contains(id));
            taken.insert(id.clone());
            id
        });
        let score = |rank: i64| (rank <= 0).then(|| u32::try_from(-rank).unwrap_or(0));
        let files: Vec<(String, Option<u32>)> = group.into_iter().map(|(rank, uri)| (uri, score(rank))).collect();
        let old = rows.remove(&id);
        if old.as_ref().is_none_or(|old| old.files != files) {
            let create_time = old.map_or(time, |old| old.create_time);
            let row = SimilarImagesRow { files, create_time, update_time: time };
            batch.put(&keys::cluster(work.id(), ClusterKind::SimilarImages, &id), &row)?;
        }
    }
    rows.keys().try_for_each(|id| batch.delete(&keys::cluster(work.id(), ClusterKind::SimilarImages, id)))?;
    Ok(count)
}

impl Dataset {
    /// A page of the clusters of similar pictures; by default 100. Files that are gone since are left out, and with them
    /// clusters of fewer than two.
    pub fn similar_image_clusters(&self, page: &ClusterPage) -> Result<Listing<SimilarImageCluster>> {
        let listed = || -> Result<Listing<SimilarImageCluster>> {
            let size = page_size(page.max_results, MAX_CLUSTER_PAGE)?;
            if !matches!(page.sort, ClusterSort::Create | ClusterSort::Update) {
                return Err(Error::invalid("Sort: expected CreateTime or UpdateTime, got another"));
            }
            let query = page::identity(&format!("similar {:?} {:?}", page.sort, page.order));
            let seal = Seal { key: &self.inner().token_key, dataset: self.space.id.0, query };
            let reader = self.inner().store.reader();
            let mut found = Vec::new();
            each(&reader, self.space.id, ClusterKind::SimilarImages, |id, row: SimilarImagesRow| {
                let time = if page.sort == ClusterSort::Create { row.create_time } else { row.update_time };
                found.push((page::Rank::Number(time), id.to_owned()));
                Ok(())
            })?;
            page::cut(found, &seal, page.order, (&page.token, size), |id| {
                let row = reader.row(&keys::cluster(self.space.id, ClusterKind::SimilarImages, id))?;
                row.map_or(Ok(None), |row| self.alive(&reader, id, row))
            })
        };
        listed().map_err(|e| e.during("QuerySimilarImageClusters"))
    }

    /// A cluster with the files that still are there; `None` where fewer than two are.
    fn alive(&self, reader: &Reader<'_>, id: &str, row: SimilarImagesRow) -> Result<Option<SimilarImageCluster>> {
        let keys: Vec<Vec<u8>> = row.files.iter().map(|(uri, _)| keys::file(self.space.id, uri).bytes).collect();
        let mut there = vec![false; keys.len()];
        reader.many(Table::Files, &keys, |at, value| {
            there.get_mut(at).into_iter().for_each(|slot| *slot = value.is_some());
            Ok(())
        })?;
        let kept = row.files.into_iter().zip(there).filter(|(_, there)| *there);
        let image = |((uri, score), _): ((String, Option<u32>), bool)| SimilarImage {
            uri,
            score: score.map(|score| f64::from(score) / 1e4),
        };
        let files: Vec<SimilarImage> = kept.map(image).collect();
        let (create_time, update_time) = (row.create_time, row.update_time);
        Ok((files.len() >= 2).then(|| SimilarImageCluster { id: id.to_owned(), files, create_time, update_time }))
    }
}
