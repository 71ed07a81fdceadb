//! Clusters (operations.md 7): groups of files that a task finds in a dataset.

use super::file::File;
use super::query::Order;
use super::task::TimeRange;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most days of the settings of location-date clustering (API limit).
pub const MAX_CLUSTER_DAYS: u32 = 99_999;
/// Most bytes of a cluster's title and of its `CustomId` (API limit).
pub const MAX_CLUSTER_TEXT: usize = 1024;
/// Most clusters of a page (API limit).
pub const MAX_CLUSTER_PAGE: usize = 100;

/// `FigureClusterId` of a figure that no clustering has seen (fields.md 5).
pub const FIGURE_UNCLUSTERED: &str = "figure-cluster-id-unavailable";
/// `FigureClusterId` of a figure that a caller took out of its cluster: no clustering touches it.
pub const FIGURE_INDEPENDENT: &str = "figure-cluster-id-independent";

/// An administrative level, the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `country`
    Country,
    /// `province`
    Province,
    /// `city`
    City,
    /// `district`
    District,
    /// `township`
    Township,
}

impl Level {
    /// Every level; its place is its number on disk.
    pub const ALL: [Level; 5] = [Level::Country, Level::Province, Level::City, Level::District, Level::Township];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Level::Country => "country",
            Level::Province => "province",
            Level::City => "city",
            Level::District => "district",
            Level::Township => "township",
        }
    }

    /// The level of a name.
    pub fn parse(name: &str) -> Result<Level> {
        let found = Level::ALL.into_iter().find(|level| level.name() == name);
        found.ok_or_else(|| {
            let shown: String = name.chars().take(60).collect();
            let names = Level::ALL.map(Level::name).join(", ");
            Error::invalid(format!("LocationDateClusterLevels: expected {names}, got {shown:?}"))
        })
    }
}

/// What location-date clustering is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationDateOptions {
    /// Levels to group by, each for itself.
    pub levels: BTreeSet<Level>,
    /// Days without files that a cluster may hold in a row, 0 to [`MAX_CLUSTER_DAYS`].
    pub gap_days: u32,
    /// Least days of a cluster, 1 to [`MAX_CLUSTER_DAYS`].
    pub min_days: u32,
    /// Most days of a cluster: what lasts longer is none, a home for instance.
    pub max_days: u32,
}

impl LocationDateOptions {
    /// Checks the ranges.
    pub fn validate(&self) -> Result<()> {
        if self.levels.is_empty() {
            return Err(Error::invalid("LocationDateClusterLevels: expected one level at least, got none"));
        }
        for (name, days, least) in
            [("GapDays", self.gap_days, 0), ("MinDays", self.min_days, 1), ("MaxDays", self.max_days, 1)]
        {
            if !(least..=MAX_CLUSTER_DAYS).contains(&days) {
                return Err(Error::invalid(format!("{name}: expected {least} to {MAX_CLUSTER_DAYS}, got {days}")));
            }
        }
        if self.min_days > self.max_days {
            let (least, most) = (self.min_days, self.max_days);
            return Err(Error::invalid(format!("MinDays: expected at most MaxDays, {most}, got {least}")));
        }
        Ok(())
    }
}

/// A place by its names, in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlaceNames {
    /// `Language`.
    pub language: String,
    /// Names by [`Level`]; empty where there is none, and below the cluster's level.
    pub names: [String; 5],
}

/// Files of one place and a few days in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationDateCluster {
    /// `ObjectId`.
    pub id: String,
    /// `Title` that a caller gave, or empty.
    pub title: String,
    /// `CustomId`, or empty.
    pub custom_id: String,
    /// `CustomLabels`.
    pub custom_labels: BTreeMap<String, String>,
    /// `LocationDateClusterLevel`.
    pub level: Level,
    /// `Addresses`: the place in the languages that its files have.
    pub addresses: Vec<PlaceNames>,
    /// `LocationDateClusterStartTime`: when its first day begins there, in RFC 3339.
    pub start: String,
    /// `LocationDateClusterEndTime`: when its last day ends there, in RFC 3339.
    pub end: String,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
}

/// What callers change of a location-date cluster; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocationDateChange {
    /// `Title`.
    pub title: Option<String>,
    /// `CustomId`.
    pub custom_id: Option<String>,
    /// `CustomLabels`, all of them.
    pub custom_labels: Option<BTreeMap<String, String>>,
}

/// A picture of a cluster of similar ones.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarImage {
    /// `URI`.
    pub uri: String,
    /// `ImageScore`, where the picture has one.
    pub score: Option<f64>,
}

/// Pictures that look alike.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarImageCluster {
    /// `ObjectId`.
    pub id: String,
    /// `Files`: the best score first, then by URI.
    pub files: Vec<SimilarImage>,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
}

/// Somebody whose faces files show.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureCluster {
    /// `ObjectId`.
    pub id: String,
    /// `Name` that a caller gave, or empty.
    pub name: String,
    /// `CustomId`, or empty.
    pub custom_id: String,
    /// `CustomLabels`.
    pub custom_labels: BTreeMap<String, String>,
    /// `Cover`: a file with the one figure that shows the cluster; none where no figure is left.
    pub cover: Option<File>,
    /// `ImageCount`: pictures that show it.
    pub image_count: u64,
    /// `VideoCount`: films that show it.
    pub video_count: u64,
    /// `FaceCount`: figures.
    pub face_count: u64,
    /// `AverageAge` of figures with an age.
    pub average_age: Option<f64>,
    /// `MinAge` and `MaxAge`.
    pub age_range: Option<(i64, i64)>,
    /// `Gender` of most figures; empty where there is none.
    pub gender: String,
    /// `MetaLockVersion`: grows by one with every change of a caller.
    pub lock_version: u64,
    /// `CreateTime`, nanoseconds since 1970.
    pub create_time: i64,
    /// `UpdateTime`, nanoseconds since 1970.
    pub update_time: i64,
}

/// What callers change of a figure cluster; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FigureClusterChange {
    /// `MetaLockVersion` that the caller has seen.
    pub lock_version: u64,
    /// `Name`.
    pub name: Option<String>,
    /// `CustomId`.
    pub custom_id: Option<String>,
    /// `CustomLabels`, all of them.
    pub custom_labels: Option<BTreeMap<String, String>>,
    /// `FigureId` of a figure of the cluster that is to show it.
    pub cover: Option<String>,
}

/// What figure clusters are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FigureSort {
    /// `ObjectId`.
    #[default]
    Id,
    /// `ImageCount`.
    Images,
    /// `VideoCount`.
    Videos,
    /// `FaceCount`.
    Faces,
    /// `CreateTime`.
    Create,
    /// `UpdateTime`.
    Update,
    /// `Gender`.
    Gender,
    /// `Name`.
    Name,
}

/// Which figure clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureClusterQuery {
    /// When they were made.
    pub create: TimeRange,
    /// When they were changed.
    pub update: TimeRange,
    /// `CustomLabels` that they have.
    pub labels: BTreeMap<String, String>,
    /// What they are listed by.
    pub sort: FigureSort,
    /// The direction.
    pub order: Order,
    /// Clusters of the page, up to [`MAX_CLUSTER_PAGE`]; 0 for that many.
    pub max_results: usize,
    /// Where the page begins: the token of the page before, or empty.
    pub token: String,
    /// Whether to count all.
    pub with_total: bool,
}

impl Default for FigureClusterQuery {
    fn default() -> FigureClusterQuery {
        FigureClusterQuery {
            create: TimeRange::default(),
            update: TimeRange::default(),
            labels: BTreeMap::new(),
            sort: FigureSort::Id,
            order: Order::Asc,
            max_results: 0,
            token: String::new(),
            with_total: false,
        }
    }
}

/// A page of figure clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureClusters {
    /// Clusters of the page.
    pub items: Vec<FigureCluster>,
    /// Asks for the next page; empty when this is the last.
    pub next_token: String,
    /// All that the query finds, where it asked for it.
    pub total: Option<u64>,
}

/// What clusters are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClusterSort {
    /// `LocationDateClusterStartTime`.
    #[default]
    Start,
    /// `LocationDateClusterEndTime`.
    End,
    /// `CreateTime`.
    Create,
    /// `UpdateTime`.
    Update,
}

/// Which page of clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterPage {
    /// What they are listed by; pictures know only the times of creation and update.
    pub sort: ClusterSort,
    /// The direction.
    pub order: Order,
    /// Clusters of the page, up to [`MAX_CLUSTER_PAGE`]; 0 for the default of the list.
    pub max_results: usize,
    /// Where the page begins: the token of the page before, or empty.
    pub token: String,
}

impl Default for ClusterPage {
    fn default() -> ClusterPage {
        ClusterPage { sort: ClusterSort::Start, order: Order::Asc, max_results: 0, token: String::new() }
    }
}

/// Which location-date clusters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocationDateQuery {
    /// `ObjectId`, or empty.
    pub id: String,
    /// A part of the title, whatever its case, or empty.
    pub title: String,
    /// Names that the place has at these levels, whatever their case.
    pub address: BTreeMap<Level, String>,
    /// Levels; any where there are none.
    pub levels: BTreeSet<Level>,
    /// When they begin.
    pub start: TimeRange,
    /// When they end.
    pub end: TimeRange,
    /// When they were made.
    pub create: TimeRange,
    /// When they were changed.
    pub update: TimeRange,
    /// `CustomLabels` that they have.
    pub labels: BTreeMap<String, String>,
    /// The page.
    pub page: ClusterPage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_ranges() {
        let options = |gap_days, min_days, max_days| LocationDateOptions {
            levels: [Level::City].into(),
            gap_days,
            min_days,
            max_days,
        };
        options(0, 1, 1).validate().unwrap();
        options(99_999, 99_999, 99_999).validate().unwrap();
        for (bad, why) in [
            (options(100_000, 1, 1), "GapDays: expected 0 to 99999, got 100000"),
            (options(0, 0, 1), "MinDays: expected 1 to 99999, got 0"),
            (options(0, 1, 0), "MaxDays: expected 1 to 99999, got 0"),
            (options(0, 3, 2), "MinDays: expected at most MaxDays, 2, got 3"),
            (LocationDateOptions { levels: BTreeSet::new(), ..options(0, 1, 1) }, "one level at least"),
        ] {
            let error = bad.validate().unwrap_err();
            assert!(error.message().contains(why), "{error}");
        }
        assert_eq!(Level::parse("city").unwrap(), Level::City);
        assert!(Level::parse("City").unwrap_err().message().contains("township"));
    }
}
