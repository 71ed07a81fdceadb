//! Clustering tasks against naive grouping: what they find, what goes on from one task to the next, what is refused.

use medialith::engine::cluster::SIMILAR_DISTANCE;
use medialith::engine::{Buckets, Dataset, Engine, Options, TaskOptions};
use medialith::error::ErrorKind;
use medialith::model::cluster::{
    ClusterPage, ClusterSort, Level, LocationDateChange, LocationDateCluster, LocationDateQuery, SimilarImageCluster,
};
use medialith::model::{
    DatasetSpec, File, Order, ProjectSpec, Task, TaskKind, TaskOrder, TaskState, TimeRange, Timestamp,
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const DAY: i64 = 86_400_000_000_000;

fn open(dir: &Path) -> (Engine, Dataset) {
    let engine = Engine::open(dir.join("db"), Options { memory_bytes: 64 << 20, ..Options::default() }).unwrap();
    if engine.project("p").is_err() {
        engine.create_project("p", &ProjectSpec::default()).unwrap();
        engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    }
    let dataset = engine.dataset("p", "d").unwrap();
    (engine, dataset)
}

fn done(engine: &Engine, kind: TaskKind, definition: &Json) -> Task {
    let task = engine.create_task("p", &TaskOrder::new(kind, definition.to_string())).unwrap();
    engine.run_task("p", &task.id, Buckets::new(), TaskOptions::default()).unwrap()
}

fn places(levels: &[&str], gap: i64, least: i64, most: i64) -> Json {
    json!({
        "DatasetName": "d",
        "LocationOptions": { "LocationDateClusterLevels": levels },
        "DateOptions": { "GapDays": gap, "MinDays": least, "MaxDays": most },
    })
}

/// A generator of numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

const CITIES: [(&str, &str); 4] =
    [("China", "Hangzhou"), ("China", "Jiaxing"), ("Canada", "London"), ("England", "London")];

/// A file of a city on a day, and what a naive grouping needs of it.
type Shot = (String, usize, i64);

fn shot(dice: &mut Dice, number: u64) -> Shot {
    (format!("oss://b/{number:04}.jpg"), dice.below(4) as usize, 19_000 + dice.below(60) as i64)
}

fn document((uri, city, day): &Shot) -> File {
    // Late in the evening there, the day before in UTC; early in the morning, the day before there.
    let (offset, hours) = if city % 2 == 0 { ("+08:00", 1) } else { ("-05:00", 23) };
    let local = Timestamp(day * DAY + hours * 3_600_000_000_000).to_string();
    let time = format!("{}{offset}", local.trim_end_matches('Z'));
    let (country, city) = CITIES[*city];
    let address = json!([{ "Language": "en", "Country": country, "City": city }]);
    File::from_json(&json!({ "URI": uri, "ProduceTime": time, "Addresses": address }).to_string()).unwrap()
}

/// Level, place, first and last day.
type Span = (Level, Vec<String>, i64, i64);

/// Naive: every day of a place asks all others whether they are near, again and again.
fn expected(shots: &[Shot], levels: &[Level], gap: i64, least: i64, most: i64) -> BTreeSet<Span> {
    let mut spans = BTreeSet::new();
    for level in levels {
        let place = |city: usize| match level {
            Level::Country => vec![CITIES[city].0.to_owned()],
            _ => vec![CITIES[city].0.to_owned(), String::new(), CITIES[city].1.to_owned()],
        };
        let all: BTreeSet<Vec<String>> = (0..4).map(place).collect();
        for name in all {
            let days: Vec<i64> = shots.iter().filter(|s| place(s.1) == name).map(|s| s.2).collect();
            for day in &days {
                let (mut from, mut to) = (*day, *day);
                loop {
                    let near = |other: &&i64| **other >= from - gap - 1 && **other <= to + gap + 1;
                    let (low, high) = days.iter().filter(near).fold((from, to), |(a, b), d| (a.min(*d), b.max(*d)));
                    if (low, high) == (from, to) {
                        break;
                    }
                    (from, to) = (low, high);
                }
                if (least..=most).contains(&(to - from + 1)) {
                    spans.insert((*level, name.clone(), from, to));
                }
            }
        }
    }
    spans
}

fn listed(dataset: &Dataset, query: &LocationDateQuery) -> Vec<LocationDateCluster> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    query.page.max_results = 3;
    loop {
        let page = dataset.location_date_clusters(&query).unwrap();
        assert!(page.items.len() <= 3);
        found.extend(page.items);
        query.page.token = page.next_token;
        if query.page.token.is_empty() {
            return found;
        }
    }
}

fn spans(clusters: &[LocationDateCluster]) -> BTreeSet<Span> {
    let span = |cluster: &LocationDateCluster| {
        let names = &cluster.addresses[0].names;
        let place = names[..=cluster.level as usize].to_vec();
        let day = |time: &str| Timestamp::parse(&format!("{}T00:00:00Z", &time[..10])).unwrap().0 / DAY;
        assert!(cluster.start[10..].starts_with("T00:00:00") && cluster.end[10..].starts_with("T23:59:59.999999999"));
        (cluster.level, place, day(&cluster.start), day(&cluster.end))
    };
    let found: BTreeSet<Span> = clusters.iter().map(span).collect();
    assert_eq!(found.len(), clusters.len(), "none twice");
    found
}

#[test]
fn places_and_days_agree_with_naive_grouping() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let mut dice = Dice(3);
    let mut shots: Vec<Shot> = Vec::new();
    let mut before: BTreeMap<Span, String> = BTreeMap::new();
    for (round, (gap, least, most)) in [(0, 1, 99), (1, 2, 9), (1, 1, 30), (3, 1, 60)].into_iter().enumerate() {
        shots.extend((0..12).map(|n| shot(&mut dice, round as u64 * 100 + n)));
        dataset.put(shots.iter().map(document).collect()).unwrap();
        dataset
            .put(vec![
                File::new("oss://b/nothing"),
                File::from_json(r#"{"URI":"oss://b/when","ProduceTime":"2022-01-01T00:00:00Z"}"#).unwrap(),
            ])
            .unwrap();
        let task = done(&engine, TaskKind::LOCATION_DATES, &places(&["city", "country"], gap, least, most));
        assert_eq!((task.state, task.code.as_str()), (TaskState::Succeeded, ""));
        let found = listed(&dataset, &LocationDateQuery::default());
        assert!(found.is_sorted_by_key(|c| Timestamp::parse(&c.start).unwrap().0));
        let now = spans(&found);
        assert_eq!(now, expected(&shots, &[Level::City, Level::Country], gap, least, most), "round {round}");
        assert!(!now.is_empty());
        // What did not change keeps its id.
        let ids: BTreeMap<Span, String> = now
            .iter()
            .cloned()
            .map(|span| {
                let id = found.iter().find(|c| spans(std::slice::from_ref(c)).contains(&span)).unwrap().id.clone();
                (span, id)
            })
            .collect();
        for (span, id) in &before {
            assert!(ids.get(span).is_none_or(|now| now == id), "{span:?}");
        }
        before = ids;
        // Again: the same, and nothing is touched.
        done(&engine, TaskKind::LOCATION_DATES, &places(&["city", "country"], gap, least, most));
        assert_eq!(listed(&dataset, &LocationDateQuery::default()), found);
    }
    // Files that go change no cluster; a process that comes later has them all.
    let found = listed(&dataset, &LocationDateQuery::default());
    dataset.delete(shots.iter().map(|shot| shot.0.clone()).collect()).unwrap();
    done(&engine, TaskKind::LOCATION_DATES, &places(&["city", "country"], 3, 1, 60));
    assert_eq!(listed(&dataset, &LocationDateQuery::default()), found);
    drop((dataset, engine));
    let (engine, dataset) = open(dir.path());
    assert_eq!(listed(&dataset, &LocationDateQuery::default()), found);
    // Levels that are no longer asked for go, and with the dataset everything.
    done(&engine, TaskKind::LOCATION_DATES, &places(&["country"], 3, 1, 60));
    assert!(listed(&dataset, &LocationDateQuery::default()).iter().all(|c| c.level == Level::Country));
    dataset.delete(vec!["oss://b/nothing".into(), "oss://b/when".into()]).unwrap();
    engine.delete_dataset("p", "d").unwrap();
    engine.create_dataset("p", "d", &DatasetSpec::default()).unwrap();
    assert!(listed(&engine.dataset("p", "d").unwrap(), &LocationDateQuery::default()).is_empty());
}

#[test]
fn callers_name_find_and_remove_clusters() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let shots: Vec<Shot> = (0..4).map(|city| (format!("oss://b/{city}"), city, 19_000 + 10 * city as i64)).collect();
    dataset.put(shots.iter().map(document).collect()).unwrap();
    done(&engine, TaskKind::LOCATION_DATES, &places(&["city"], 0, 1, 1));
    let all = listed(&dataset, &LocationDateQuery::default());
    assert_eq!(all.len(), 4);
    let change = LocationDateChange {
        title: Some("\u{c9}t\u{e9} in Hangzhou".into()),
        custom_id: Some("mine".into()),
        custom_labels: Some(BTreeMap::from([("Kind".into(), "Trip".into())])),
    };
    dataset.update_location_date_cluster(&all[0].id, &change).unwrap();
    let ids = |query: LocationDateQuery| listed(&dataset, &query).into_iter().map(|c| c.id).collect::<Vec<_>>();
    let first = vec![all[0].id.clone()];
    let ask = LocationDateQuery::default;
    assert_eq!(ids(LocationDateQuery { title: "ete IN".into(), ..ask() }), first);
    assert_eq!(ids(LocationDateQuery { labels: BTreeMap::from([("kind".into(), "trip".into())]), ..ask() }), first);
    assert_eq!(ids(LocationDateQuery { id: all[0].id.clone(), ..ask() }), first);
    assert_eq!(ids(LocationDateQuery { address: BTreeMap::from([(Level::City, "london".into())]), ..ask() }).len(), 2);
    let canada = BTreeMap::from([(Level::City, "London".into()), (Level::Country, "Canada".into())]);
    assert_eq!(ids(LocationDateQuery { address: canada, ..ask() }), [all[2].id.clone()]);
    assert_eq!(ids(LocationDateQuery { levels: [Level::Country].into(), ..ask() }), Vec::<String>::new());
    let from = TimeRange { start: Some(Timestamp::parse(&all[2].start).unwrap().0), end: None };
    assert_eq!(ids(LocationDateQuery { start: from, ..ask() }).len(), 2);
    let page = ClusterPage { order: Order::Desc, sort: ClusterSort::Update, ..ClusterPage::default() };
    assert_eq!(ids(LocationDateQuery { page, ..ask() })[0], all[0].id, "changed last");
    // What callers said stays when the cluster goes on.
    dataset.put(vec![document(&("oss://b/more".into(), 0, 19_001))]).unwrap();
    done(&engine, TaskKind::LOCATION_DATES, &places(&["city"], 0, 1, 2));
    let grown = &listed(&dataset, &LocationDateQuery { id: all[0].id.clone(), ..ask() })[0];
    assert_eq!((grown.title.as_str(), grown.custom_id.as_str()), ("\u{c9}t\u{e9} in Hangzhou", "mine"));
    assert!(grown.end > all[0].end && grown.create_time == all[0].create_time);
    dataset.delete_location_date_cluster(&all[1].id).unwrap();
    dataset.delete_location_date_cluster("nobody").unwrap();
    assert_eq!(ids(ask()).len(), 3);

    let long = LocationDateChange { title: Some("x".repeat(1025)), ..LocationDateChange::default() };
    let kind = |result: medialith::Result<()>| result.unwrap_err().kind();
    assert_eq!(kind(dataset.update_location_date_cluster(&all[0].id, &long)), ErrorKind::InvalidArgument);
    assert_eq!(kind(dataset.update_location_date_cluster("nobody", &change)), ErrorKind::NotFound);
    let mut query = LocationDateQuery::default();
    query.page.max_results = 1;
    query.page.token = dataset.location_date_clusters(&query).unwrap().next_token;
    assert!(!query.page.token.is_empty());
    query.title = "another".into();
    assert!(dataset.location_date_clusters(&query).unwrap_err().message().contains("NextToken"));
    for (definition, why) in [
        (json!({}), "DatasetName"),
        (json!({ "DatasetName": "d" }), "LocationOptions"),
        (places(&["planet"], 0, 1, 1), "LocationDateClusterLevels: expected country"),
        (places(&[], 0, 1, 1), "one level at least"),
        (places(&["city"], -1, 1, 1), "GapDays"),
        (places(&["city"], 0, 2, 1), "MinDays"),
    ] {
        let order = TaskOrder::new(TaskKind::LOCATION_DATES, definition.to_string());
        let error = engine.create_task("p", &order).unwrap_err();
        assert!(error.message().contains(why), "{error}");
    }
    let mut elsewhere = places(&["city"], 0, 1, 1);
    elsewhere["DatasetName"] = json!("nowhere");
    let order = TaskOrder::new(TaskKind::LOCATION_DATES, elsewhere.to_string());
    assert_eq!(engine.create_task("p", &order).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Naive: sets of pictures become one as long as two have a pair that is near.
fn groups(pictures: &[(String, u64, f64)]) -> BTreeSet<BTreeSet<String>> {
    let mut groups: Vec<BTreeSet<usize>> = (0..pictures.len()).map(|at| [at].into()).collect();
    let near = |a: &usize, b: &usize| (pictures[*a].1 ^ pictures[*b].1).count_ones() <= SIMILAR_DISTANCE;
    while let Some((a, b)) = (0..groups.len())
        .flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)))
        .find(|(a, b)| groups[*a].iter().any(|x| groups[*b].iter().any(|y| near(x, y))))
    {
        let more = groups.remove(b);
        groups[a].extend(more);
    }
    let named = |group: BTreeSet<usize>| group.into_iter().map(|at| pictures[at].0.clone()).collect();
    groups.into_iter().filter(|group| group.len() > 1).map(named).collect()
}

/// All clusters of pictures, page by page.
fn pictures_listed(dataset: &Dataset) -> Vec<SimilarImageCluster> {
    let mut page = ClusterPage { sort: ClusterSort::Create, max_results: 2, ..ClusterPage::default() };
    let mut found = Vec::new();
    loop {
        let answer = dataset.similar_image_clusters(&page).unwrap();
        found.extend(answer.items);
        page.token = answer.next_token;
        if page.token.is_empty() {
            return found;
        }
    }
}

#[test]
fn pictures_alike_agree_with_naive_grouping() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, dataset) = open(dir.path());
    let mut dice = Dice(5);
    let mut pictures: Vec<(String, u64, f64)> = Vec::new();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..3 {
        for number in 0..25 {
            let base = if pictures.is_empty() || dice.below(3) == 0 {
                dice.below(1 << 31) << 33 | dice.below(1 << 31) << 2
            } else {
                pictures[dice.below(pictures.len() as u64) as usize].1
            };
            let hash = (0..dice.below(7)).fold(base, |hash, _| hash ^ (1 << dice.below(64)));
            pictures.push((format!("oss://b/{round}-{number:02}.jpg"), hash, dice.below(100) as f64 / 100.0));
        }
        let document = |(uri, hash, score): &(String, u64, f64)| {
            let hash = format!("{hash:016x}");
            let json = json!({ "URI": uri, "ImageHash": hash, "ImageScore": { "OverallQualityScore": score } });
            File::from_json(&json.to_string()).unwrap()
        };
        dataset.put(pictures.iter().map(document).collect()).unwrap();
        let task = done(&engine, TaskKind::SIMILAR_IMAGES, &json!({ "DatasetName": "d" }));
        assert_eq!(task.state, TaskState::Succeeded, "{task:?}");
        let found = pictures_listed(&dataset);
        let sets: BTreeSet<BTreeSet<String>> =
            found.iter().map(|c| c.files.iter().map(|f| f.uri.clone()).collect()).collect();
        assert_eq!(sets, groups(&pictures), "round {round}");
        for cluster in &found {
            assert!(cluster.files.is_sorted_by(|a, b| a.score > b.score || (a.score == b.score && a.uri < b.uri)));
        }
        // Files stay in the cluster that they were in, unless clusters became one.
        let now: BTreeMap<String, String> =
            found.iter().flat_map(|c| c.files.iter().map(|f| (f.uri.clone(), c.id.clone()))).collect();
        let present: BTreeSet<&String> = now.values().collect();
        let kept =
            |(uri, id): (&String, &String)| now.get(uri) == Some(id) || !present.contains(id) || merged(&found, id);
        assert!(ids.iter().all(kept), "round {round}");
        ids = now;
        done(&engine, TaskKind::SIMILAR_IMAGES, &json!({ "DatasetName": "d" }));
        assert_eq!(pictures_listed(&dataset), found);
    }
    // A pair that loses one is none; a cluster loses what is gone.
    let found = pictures_listed(&dataset);
    let gone: Vec<String> = found.iter().map(|c| c.files[0].uri.clone()).collect();
    dataset.delete(gone).unwrap();
    let left = pictures_listed(&dataset);
    assert_eq!(left.len(), found.iter().filter(|c| c.files.len() > 2).count());
    assert!(left.iter().all(|c| c.files.len() >= 2));
    done(&engine, TaskKind::SIMILAR_IMAGES, &json!({ "DatasetName": "d" }));
    assert!(pictures_listed(&dataset).iter().all(|c| found.iter().any(|before| before.id == c.id)));
    let page = ClusterPage::default();
    assert!(dataset.similar_image_clusters(&page).unwrap_err().message().contains("Sort"));
}

/// Whether a cluster may have taken in others.
fn merged(found: &[SimilarImageCluster], id: &str) -> bool {
    found.iter().any(|cluster| cluster.id == id && cluster.files.len() > 2)
}
