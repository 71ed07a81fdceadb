//! Files of one place and a few days in a row (CreateLocationDateClusteringTask).
//!
//! For each level that is asked for, files are grouped by the names of their place from the country down to that level; the local days of a
//! group's files that follow each other with at most `GapDays` days in between are one cluster, if they last from `MinDays` to
//! `MaxDays`. Days of clusters that are there count as well: removing files changes no cluster (operations.md 7).

use super::days::{LocalDay, runs, span};
use super::page;
use super::page::Rank;
use super::{Work, check_labels, check_texts, each, labelled, new_id, page_size, within};
use crate::engine::dataset::Dataset;
use crate::engine::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::index::text::fold;
use crate::model::cluster::{
    ClusterSort, Level, LocationDateChange, LocationDateCluster, LocationDateOptions, LocationDateQuery, PlaceNames,
};
use crate::model::{FieldId, Listing, Members, Tag, Value, field, now};
use crate::query::Seal;
use crate::store::rows::{ClusterKind, LocationDateRow};
use crate::store::{Batch, Durability, Record, keys};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most pairs of a place and a day that one task looks at.
pub const MAX_PLACE_DAYS: usize = 2_000_000;
/// Clusters of a page where none are asked for (API).
const PAGE: usize = 20;
/// How ids begin.
const PREFIX: &str = "location-date-cluster";

/// The members of an address that name it, by level.
const NAMES: [FieldId; 5] = [
    field::ADDRESS_COUNTRY,
    field::ADDRESS_PROVINCE,
    field::ADDRESS_CITY,
    field::ADDRESS_DISTRICT,
    field::ADDRESS_TOWNSHIP,
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    location_options: Levels,
    date_options: Days,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Levels {
    location_date_cluster_levels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Days {
    gap_days: i64,
    min_days: i64,
    max_days: i64,
}

/// The settings in a request.
pub(super) fn options(definition: &str) -> Result<LocationDateOptions> {
    let request: Request = serde_json::from_str(definition)
        .map_err(|e| Error::invalid(format!("LocationOptions and DateOptions: expected as in the API, got {e}")))?;
    let levels = request.location_options.location_date_cluster_levels;
    let Days { gap_days, min_days, max_days } = request.date_options;
    // What is no such number is beyond the range.
    let days = |days: i64| u32::try_from(days).unwrap_or(u32::MAX);
    let options = LocationDateOptions {
        levels: levels.iter().map(|name| Level::parse(name)).collect::<Result<_>>()?,
        gap_days: days(gap_days),
        min_days: days(min_days),
        max_days: days(max_days),
    };
    options.validate()?;
    Ok(options)
}

/// A place: its level, and its names from the country down to it.
type Place = (Level, Vec<String>);

/// What is known of a place: its days with their offsets, and its names.
#[derive(Default)]
struct Seen {
    days: BTreeMap<i64, i32>,
    names: Vec<PlaceNames>,
}

/// Does the task; answers how many clusters there are then, `None` where it was stopped.
pub(super) fn run(work: &Work<'_>, options: &LocationDateOptions) -> Result<Option<usize>> {
    let mut places: BTreeMap<Place, Seen> = BTreeMap::new();
    let mut pairs = 0_usize;
    let whole = work.records(&work.inner().store.reader(), |uri, value| {
        let record = Record::decode_fields(uri, value, &[field::PRODUCE_TIME, field::ADDRESSES])?;
        let Some(day) = record.members.text(field::PRODUCE_TIME).and_then(LocalDay::of) else { return Ok(()) };
        let Some(Value::Rows(addresses)) = record.members.get(field::ADDRESSES) else { return Ok(()) };
        for level in &options.levels {
            let Some(path) = addresses.iter().find_map(|address| path(address, *level)) else { continue };
            let seen = places.entry((*level, path)).or_default();
            if seen.names.is_empty() {
                seen.names = addresses.iter().filter_map(|address| names(address, *level)).collect();
            }
            pairs += usize::from(!seen.days.contains_key(&day.day));
            seen.days.entry(day.day).or_insert(day.offset);
        }
        if pairs > MAX_PLACE_DAYS {
            let message = format!("places and days: expected at most {MAX_PLACE_DAYS} pairs of them, got more");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        Ok(())
    })?;
    if !whole {
        return Ok(None);
    }
    let landed = work.land(ClusterKind::LocationDate, |rows, batch| settle(work, places, rows, options, batch));
    landed.map(Some)
}

/// The names of an address from the country down to a level; `None` where it has none at that level.
fn path(address: &Members, level: Level) -> Option<Vec<String>> {
    address.text(*NAMES.get(level as usize)?)?;
    let names = NAMES.iter().take(level as usize + 1);
    Some(names.map(|id| address.text(*id).unwrap_or("").to_owned()).collect())
}

fn names(address: &Members, level: Level) -> Option<PlaceNames> {
    let path = path(address, level)?;
    let mut names = PlaceNames {
        language: address.text(field::ADDRESS_LANGUAGE).unwrap_or("").to_owned(),
        ..PlaceNames::default()
    };
    names.names.iter_mut().zip(path).for_each(|(slot, name)| *slot = name);
    Some(names)
}

/// Compares what was found with the clusters that are there.
fn settle(
    work: &Work<'_>,
    mut places: BTreeMap<Place, Seen>,
    mut rows: BTreeMap<String, LocationDateRow>,
    options: &LocationDateOptions,
    batch: &mut Batch<'_>,
) -> Result<usize> {
    let mut known: BTreeMap<Place, Vec<String>> = BTreeMap::new();
    for (id, row) in &rows {
        let level = level_of(row)?;
        let place = (level, row.place.clone());
        known.entry(place.clone()).or_default().push(id.clone());
        if options.levels.contains(&level) {
            let seen = places.entry(place).or_default();
            if seen.names.is_empty() {
                seen.names.clone_from(&row.names);
            }
            for (day, offset) in &row.days {
                seen.days.entry(*day).or_insert(*offset);
            }
        }
    }
    let (mut count, mut made, time) = (0, BTreeSet::new(), now().0);
    for ((level, place), seen) in places {
        let mut before = known.remove(&(level, place.clone())).unwrap_or_default();
        let days: BTreeSet<i64> = seen.days.keys().copied().collect();
        for run in runs(&days, options.gap_days) {
            if !(i64::from(options.min_days)..=i64::from(options.max_days)).contains(&span(&run)) {
                continue;
            }
            count += 1;
            let id = heir(&mut before, &rows, &run).unwrap_or_else(|| {
                let seed = format!("{}\u{0}{}\u{0}{}", level.name(), place.join("\u{1}"), run.first().unwrap_or(&0));
                new_id(PREFIX, work.id(), &seed, |id| rows.contains_key(id) || made.contains(id))
            });
            made.insert(id.clone());
            let days = run.iter().map(|day| (*day, seen.days.get(day).copied().unwrap_or(0))).collect();
            let old = rows.remove(&id);
            let fresh = LocationDateRow {
                level: level as u8,
                place: place.clone(),
                names: seen.names.clone(),
                days,
                update_time: time,
                ..old.clone().unwrap_or_else(|| LocationDateRow { create_time: time, ..LocationDateRow::default() })
            };
            let same = |old: &LocationDateRow| (&old.days, &old.names) == (&fresh.days, &fresh.names);
            if !old.as_ref().is_some_and(same) {
                batch.put(&keys::cluster(work.id(), ClusterKind::LocationDate, &id), &fresh)?;
            }
        }
    }
    rows.keys().try_for_each(|id| batch.delete(&keys::cluster(work.id(), ClusterKind::LocationDate, id)))?;
    Ok(count)
}

/// The cluster of the same place that shares most days with a run, of equal ones the first by id; it is taken.
fn heir(before: &mut Vec<String>, rows: &BTreeMap<String, LocationDateRow>, run: &[i64]) -> Option<String> {
    let days: BTreeSet<i64> = run.iter().copied().collect();
    let shared =
        |id: &String| rows.get(id).map_or(0, |row| row.days.iter().filter(|(day, _)| days.contains(day)).count());
    let best = before.iter().enumerate().map(|(at, id)| (shared(id), at)).filter(|(shared, _)| *shared > 0);
    let (_, at) = best.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some(before.remove(at))
}

fn level_of(row: &LocationDateRow) -> Result<Level> {
    let level = Level::ALL.get(usize::from(row.level)).copied();
    level.ok_or_else(|| Error::corrupted(format!("location-date row: expected a level below 5, got {}", row.level)))
}

/// When a cluster begins and ends.
fn bounds(row: &LocationDateRow) -> Result<(LocalDay, LocalDay)> {
    let day = |found: Option<&(i64, i32)>| found.map(|(day, offset)| LocalDay { day: *day, offset: *offset });
    day(row.days.first()).zip(day(row.days.last())).ok_or_else(|| Error::corrupted("location-date row: it has no day"))
}

fn cluster(id: &str, row: LocationDateRow) -> Result<LocationDateCluster> {
    let (first, last) = bounds(&row)?;
    Ok(LocationDateCluster {
        id: id.to_owned(),
        level: level_of(&row)?,
        start: first.written(first.start()),
        end: last.written(last.end()),
        title: row.title,
        custom_id: row.custom_id,
        custom_labels: row.custom_labels.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        addresses: row.names,
        create_time: row.create_time,
        update_time: row.update_time,
    })
}

/// Whether a cluster is asked for.
fn wanted(query: &LocationDateQuery, id: &str, row: &LocationDateRow) -> Result<bool> {
    let (level, (first, last)) = (level_of(row)?, bounds(row)?);
    let title = || fold(&row.title).contains(&*fold(&query.title));
    let named = |(level, name): (&Level, &String)| {
        let same = |names: &PlaceNames| names.names.get(*level as usize).is_some_and(|own| fold(own) == fold(name));
        row.names.iter().any(same)
    };
    Ok((query.id.is_empty() || query.id == id)
        && (query.levels.is_empty() || query.levels.contains(&level))
        && within(&query.start, first.start().0)
        && within(&query.end, last.end().0)
        && within(&query.create, row.create_time)
        && within(&query.update, row.update_time)
        && query.address.iter().all(named)
        && labelled(&query.labels, &row.custom_labels)
        && (query.title.is_empty() || title()))
}

impl Dataset {
    /// A page of the location-date clusters that fit a query. By default 20.
    pub fn location_date_clusters(&self, query: &LocationDateQuery) -> Result<Listing<LocationDateCluster>> {
        let listed = || -> Result<Listing<LocationDateCluster>> {
            let size = page_size(query.page.max_results, PAGE)?;
            let mut of_all = query.clone();
            (of_all.page.max_results, of_all.page.token) = (0, String::new());
            let of_all = page::identity(&format!("{of_all:?}"));
            let seal = Seal { key: &self.inner().token_key, dataset: self.space.id.0, query: of_all };
            let (reader, mut found) = (self.inner().store.reader(), Vec::new());
            each(&reader, self.space.id, ClusterKind::LocationDate, |id, row| {
                if wanted(query, id, &row)? {
                    let (first, last) = bounds(&row)?;
                    let time = match query.page.sort {
                        ClusterSort::Start => first.start().0,
                        ClusterSort::End => last.end().0,
                        ClusterSort::Create => row.create_time,
                        ClusterSort::Update => row.update_time,
                    };
                    found.push((Rank::Number(time), id.to_owned()));
                }
                Ok(())
            })?;
            page::cut(found, &seal, query.page.order, (&query.page.token, size), |id| {
                let row = reader.row(&keys::cluster(self.space.id, ClusterKind::LocationDate, id))?;
                row.map(|row| cluster(id, row)).transpose()
            })
        };
        listed().map_err(|e| e.during("QueryLocationDateClusters"))
    }

    /// Changes what callers say of a location-date cluster.
    pub fn update_location_date_cluster(&self, id: &str, change: &LocationDateChange) -> Result<()> {
        let updated = || -> Result<()> {
            check_texts(&[("Title", &change.title), ("CustomId", &change.custom_id)])?;
            check_labels(change.custom_labels.as_ref())?;
            let inner = self.inner();
            inner.store.writable()?;
            let _catalog = lock(&inner.catalog);
            let key = keys::cluster(self.space.id, ClusterKind::LocationDate, id);
            let row: Option<LocationDateRow> = inner.store.reader().row(&key)?;
            let mut row = row.ok_or_else(|| {
                let shown: String = id.chars().take(140).collect();
                Error::new(ErrorKind::NotFound, format!("the location-date cluster {shown:?} does not exist"))
            })?;
            change.title.iter().for_each(|title| row.title.clone_from(title));
            change.custom_id.iter().for_each(|id| row.custom_id.clone_from(id));
            if let Some(labels) = &change.custom_labels {
                let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
                row.custom_labels = labels.iter().map(tag).collect();
            }
            row.update_time = now().0;
            let mut batch = inner.store.batch();
            batch.put(&key, &row)?;
            inner.store.commit(batch, Durability::Sync)
        };
        updated().map_err(|e| e.during("UpdateLocationDateCluster"))
    }

    /// Removes a location-date cluster, which need not exist. A later task makes it again if its files are still there.
    pub fn delete_location_date_cluster(&self, id: &str) -> Result<()> {
        let deleted = || -> Result<()> {
            let inner = self.inner();
            inner.store.writable()?;
            let _catalog = lock(&inner.catalog);
            let mut batch = inner.store.batch();
            batch.delete(&keys::cluster(self.space.id, ClusterKind::LocationDate, id))?;
            inner.store.commit(batch, Durability::Sync)
        };
        deleted().map_err(|e| e.during("DeleteLocationDateCluster"))
    }
}
