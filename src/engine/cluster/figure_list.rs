//! Figure clusters as callers see and change them (QueryFigureClusters, GetFigureCluster, UpdateFigureCluster).

use super::figures::{clustered, figures_of};
use super::page::{self, Rank};
use super::{check_labels, check_texts, each, labelled, page_size, within};
use crate::engine::dataset::Dataset;
use crate::engine::sync::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::cluster::{
    FigureCluster, FigureClusterChange, FigureClusterQuery, FigureClusters, FigureSort, MAX_CLUSTER_PAGE,
};
use crate::model::{Condition, FieldId, File, Filter, Query, Tag, Value, field, now};
use crate::query::Seal;
use crate::store::rows::{ClusterKind, FigureRow};
use crate::store::{Durability, Reader, keys};

/// What a cover shows of its file.
const COVER: [FieldId; 7] = [
    field::URI,
    field::OBJECT_ID,
    field::MEDIA_TYPE,
    field::CONTENT_TYPE,
    field::IMAGE_WIDTH,
    field::IMAGE_HEIGHT,
    field::FIGURES,
];

impl Dataset {
    /// A page of figure clusters; by default 100, in the order of their ids.
    pub fn figure_clusters(&self, query: &FigureClusterQuery) -> Result<FigureClusters> {
        let listed = || -> Result<FigureClusters> {
            let size = page_size(query.max_results, MAX_CLUSTER_PAGE)?;
            let of_all =
                FigureClusterQuery { max_results: 0, token: String::new(), with_total: false, ..query.clone() };
            let of_all = page::identity(&format!("figures {of_all:?}"));
            let seal = Seal { key: &self.inner().token_key, dataset: self.space.id.0, query: of_all };
            let (reader, mut found) = (self.inner().store.reader(), Vec::new());
            each(&reader, self.space.id, ClusterKind::Figures, |id, row| {
                if wanted(query, &row) {
                    found.push((rank(query.sort, &row), id.to_owned()));
                }
                Ok(())
            })?;
            let total = query.with_total.then_some(found.len() as u64);
            let page = page::cut(found, &seal, query.order, (&query.token, size), |id| self.read_figures(&reader, id))?;
            Ok(FigureClusters { items: page.items, next_token: page.next_token, total })
        };
        listed().map_err(|e| e.during("QueryFigureClusters"))
    }

    /// The figure clusters of these ids, in their order; those that do not exist are left out.
    pub fn figure_clusters_of(&self, ids: &[String]) -> Result<Vec<FigureCluster>> {
        let reader = self.inner().store.reader();
        let found = ids.iter().filter_map(|id| self.read_figures(&reader, id).transpose());
        found.collect::<Result<_>>().map_err(|e| e.during("BatchGetFigureCluster"))
    }

    /// A figure cluster by its id.
    pub fn figure_cluster(&self, id: &str) -> Result<FigureCluster> {
        let found = || self.read_figures(&self.inner().store.reader(), id)?.ok_or_else(|| missing(id));
        found().map_err(|e| e.during("GetFigureCluster"))
    }

    /// Changes what callers say of a figure cluster, where the version is the one that they have seen.
    pub fn update_figure_cluster(&self, id: &str, change: &FigureClusterChange) -> Result<()> {
        let updated = || -> Result<()> {
            check_texts(&[("Name", &change.name), ("CustomId", &change.custom_id)])?;
            check_labels(change.custom_labels.as_ref())?;
            let inner = self.inner();
            inner.store.writable()?;
            // Looked up before the lock: a query may take its time.
            let cover = change.cover.as_ref().map(|figure| self.cover_of(id, figure)).transpose()?;
            let _catalog = lock(&inner.catalog);
            let key = keys::cluster(self.space.id, ClusterKind::Figures, id);
            let row: Option<FigureRow> = inner.store.reader().row(&key)?;
            let mut row = row.ok_or_else(|| missing(id))?;
            if change.lock_version != row.lock_version {
                let (expected, got) = (row.lock_version, change.lock_version);
                return Err(Error::invalid(format!(
                    "MetaLockVersion: expected {expected}, got {got}: it was changed meanwhile"
                )));
            }
            change.name.iter().for_each(|name| row.name.clone_from(name));
            change.custom_id.iter().for_each(|id| row.custom_id.clone_from(id));
            if let Some(labels) = &change.custom_labels {
                let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
                row.custom_labels = labels.iter().map(tag).collect();
            }
            row.chosen = cover.or(row.chosen);
            row.lock_version += 1;
            row.update_time = now().0;
            let mut batch = inner.store.batch();
            batch.put(&key, &row)?;
            inner.store.commit(batch, Durability::Sync)
        };
        updated().map_err(|e| e.during("UpdateFigureCluster"))
    }

    /// The file that shows a figure of a cluster; of copies the first.
    fn cover_of(&self, id: &str, figure: &str) -> Result<(String, String)> {
        let is = |path: &str, value: &str| Condition::parse(path, "eq", value).map(Filter::Is);
        let both = vec![is("Figures.FigureId", figure)?, is("Figures.FigureClusterId", id)?];
        let mut query =
            Query { filter: Some(Filter::Nested(field::FIGURES, both)), without_total: true, ..Query::default() };
        query.page.max_results = 1;
        let uri = self.search_uris(&query, None)?.uris.into_iter().next();
        let uri = uri.ok_or_else(|| {
            let shown: String = figure.chars().take(140).collect();
            Error::invalid(format!("Cover: expected a figure of the cluster, got {shown:?}"))
        })?;
        Ok((uri, figure.to_owned()))
    }

    fn read_figures(&self, reader: &Reader<'_>, id: &str) -> Result<Option<FigureCluster>> {
        let row: Option<FigureRow> = reader.row(&keys::cluster(self.space.id, ClusterKind::Figures, id))?;
        let Some(row) = row else { return Ok(None) };
        let mut cover = None;
        for (uri, figure) in row.chosen.iter().chain(&row.cover) {
            cover = self.cover(reader, id, uri, figure)?;
            if cover.is_some() {
                break;
            }
        }
        let average = row.ages.map(|(_, _, sum, count)| sum as f64 / count.max(1) as f64);
        Ok(Some(FigureCluster {
            id: id.to_owned(),
            name: row.name,
            custom_id: row.custom_id,
            custom_labels: row.custom_labels.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            cover,
            image_count: row.images,
            video_count: row.videos,
            face_count: row.faces,
            average_age: average.map(|age| (age * 100.0).round() / 100.0),
            age_range: row.ages.map(|(least, most, ..)| (least, most)),
            gender: row.gender,
            lock_version: row.lock_version,
            create_time: row.create_time,
            update_time: row.update_time,
        }))
    }

    /// A file with the figure of it that shows a cluster, if it still does.
    fn cover(&self, reader: &Reader<'_>, id: &str, uri: &str, figure: &str) -> Result<Option<File>> {
        let bytes = reader.bytes(&keys::file(self.space.id, uri))?;
        let Some(mut file) = bytes.map(|bytes| self.place.document(uri, &bytes, &COVER)).transpose()? else {
            return Ok(None);
        };
        let shows = figures_of(file.members())
            .iter()
            .find(|f| f.text(field::FIGURE_ID) == Some(figure) && clustered(f) == Some(id))
            .cloned();
        Ok(shows.map(|shows| {
            file.set(field::FIGURES, Value::Rows(vec![shows]));
            file
        }))
    }
}

fn missing(id: &str) -> Error {
    let shown: String = id.chars().take(140).collect();
    Error::new(ErrorKind::NotFound, format!("the figure cluster {shown:?} does not exist"))
}

fn wanted(query: &FigureClusterQuery, row: &FigureRow) -> bool {
    within(&query.create, row.create_time)
        && within(&query.update, row.update_time)
        && labelled(&query.labels, &row.custom_labels)
}

fn rank(sort: FigureSort, row: &FigureRow) -> Rank {
    let count = |n: u64| Rank::Number(i64::try_from(n).unwrap_or(i64::MAX));
    match sort {
        FigureSort::Id => Rank::Number(0),
        FigureSort::Images => count(row.images),
        FigureSort::Videos => count(row.videos),
        FigureSort::Faces => count(row.faces),
        FigureSort::Create => Rank::Number(row.create_time),
        FigureSort::Update => Rank::Number(row.update_time),
        FigureSort::Gender => Rank::Text(row.gender.clone()),
        FigureSort::Name => Rank::Text(row.name.clone()),
    }
}
