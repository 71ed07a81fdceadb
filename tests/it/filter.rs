//! Filters and aggregations over segments against the naive evaluator: every operator, alone and combined, over parts
//! with deleted documents and over their merge.

use crate::model::filters::{aggregate, same_number};
use crate::model::naive::naive;
use medialith::index::{Part, Segment, Snapshot, merge_in_memory};
use medialith::model::query::{Comparison, Number, Test};
use medialith::model::{
    Aggregation, Anchor, Area, Condition, FieldId, FieldPath, File, Filter, LatLong, Members, Order, Page, Query,
    SortKey, TextMatch, Timestamp, Value, field,
};
use medialith::query::{Context, search};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY: [u8; 32] = [9; 32];
/// Values that meet each other: by case, by folding, as prefixes, by script, as tokens.
const TEXTS: [&str; 16] = [
    "a",
    "A",
    "ab",
    "Ab",
    "abc",
    "north sea",
    "North-Sea wind",
    "the sea north",
    "\u{6771}\u{4eac}",
    "\u{6771}",
    "\u{4eac}\u{30bf}\u{30ef}\u{30fc}",
    "\u{c9}t\u{e9}",
    "ete",
    "STRASSE",
    "stra\u{df}e",
    "=\u{338}",
];
const INTS: [i64; 10] = [0, 1, -1, 2, 7, 1000, i64::MIN + 1, i64::MAX, 9_007_199_254_740_993, 9_007_199_254_740_992];
const FLOATS: [f64; 9] = [0.0, -0.0, 0.5, -0.5, 1.0, 2.25, 1e300, 0.1, 9_007_199_254_740_992.0];

fn text() -> impl Strategy<Value = String> {
    proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned)
}

fn int() -> impl Strategy<Value = i64> {
    proptest::sample::select(&INTS[..])
}

fn float() -> impl Strategy<Value = f64> {
    proptest::sample::select(&FLOATS[..])
}

fn time() -> impl Strategy<Value = String> {
    (0u8..4, 1u8..3, 0u8..4)
        .prop_map(|(month, day, zone)| format!("2024-{:02}-0{day}T0{zone}:00:00+0{zone}:00", month + 1))
}

/// Places off the grid on which the corners of areas lie, the poles and the antimeridian.
fn place() -> impl Strategy<Value = LatLong> {
    let inner = (-9i32..9, -18i32..18)
        .prop_map(|(lat, lon)| (f64::from(lat) * 10.0 + 3.371_592, f64::from(lon) * 10.0 + 2.518_28));
    let edge = prop_oneof![Just((90.0, 0.0)), Just((-90.0, 50.0)), Just((0.141, 180.0)), Just((0.141, -180.0))];
    prop_oneof![6 => inner, 1 => edge].prop_map(|(lat, lon)| LatLong::new(lat, lon).unwrap())
}

fn corner() -> impl Strategy<Value = LatLong> {
    (-9i32..=9, -18i32..=18).prop_map(|(lat, lon)| LatLong::new(f64::from(lat) * 10.0, f64::from(lon) * 10.0).unwrap())
}

/// The wall of a polygon around a pole is another rule, with tests of its own.
fn goes_around(points: &[LatLong]) -> bool {
    let turn = |a: f64, b: f64| (b - a + 540.0).rem_euclid(360.0) - 180.0;
    let sum: f64 = (0..points.len()).map(|i| turn(points[i].lon, points[(i + 1) % points.len()].lon)).sum();
    // Half turns have two shorter ways.
    let half = (0..points.len()).any(|i| (points[i].lon - points[(i + 1) % points.len()].lon).abs() == 180.0);
    sum.abs() > 1.0 || half
}

fn area() -> impl Strategy<Value = Area> {
    let circle = (corner(), prop_oneof![Just(0.0), 1e3..3e6, Just(3e7)])
        .prop_map(|(centre, metres)| Area::Circle { centre, metres });
    let rectangle = (corner(), corner()).prop_map(|(a, b)| {
        let (north, south) = (a.lat.max(b.lat), a.lat.min(b.lat));
        Area::Box { north_west: LatLong { lat: north, ..a }, south_east: LatLong { lat: south, ..b } }
    });
    // Off the places that the two names of a meridian and the poles share: of borders the naive rule says nothing.
    let inner = corner().prop_filter("off pole and antimeridian", |c| c.lat.abs() < 90.0 && c.lon.abs() < 180.0);
    let polygon = proptest::collection::vec(inner, 3..7)
        .prop_filter("not around a pole", |points| !goes_around(points))
        .prop_map(Area::Polygon);
    prop_oneof![circle, rectangle, polygon]
}

fn rows(row: impl Strategy<Value = Members>, id: FieldId) -> impl Strategy<Value = (FieldId, Value)> {
    proptest::collection::vec(row, 0..3).prop_map(move |rows| (id, Value::Rows(rows)))
}

pub(crate) fn file() -> impl Strategy<Value = File> {
    let label = (text(), proptest::option::of(float())).prop_map(|(name, confidence)| {
        let mut row = Members::from_iter([(field::LABEL_NAME, Value::from(name))]);
        confidence.into_iter().for_each(|c| row.set(field::LABEL_CONFIDENCE, c));
        row
    });
    let figure = (proptest::option::of(text()), 0i64..3).prop_map(|(id, age)| {
        let mut row = Members::from_iter([(field::FIGURE_AGE, Value::from(age))]);
        id.into_iter().for_each(|id| row.set(field::FIGURE_ID, id));
        row
    });
    // Keys that differ by case alone would be one entry.
    let map = || {
        proptest::collection::btree_map("[k\u{e9}]", (text(), any::<bool>()), 0..3).prop_map(|entries| {
            let cased = |key: String, upper: bool| if upper { key.to_uppercase() } else { key };
            Value::map(entries.into_iter().map(|(key, (value, upper))| (cased(key, upper), value)))
        })
    };
    let scalars = (
        proptest::option::of(int()),
        proptest::option::of(float()),
        proptest::option::of(text()),
        proptest::option::of(text()),
        proptest::option::of(time()),
        proptest::option::of(place()),
        proptest::option::of(float()),
    );
    let name = (proptest::sample::select(&["a", "b/c", "north sea", "\u{c9}t\u{e9}"][..]), 0u8..9, 0u8..3);
    (name, scalars, rows(label, field::LABELS), rows(figure, field::FIGURES), map(), map(), map()).prop_map(
        |((folder, number, named), scalars, labels, figures, custom, tagging, user)| {
            let uri = format!("oss://bucket/{folder}/x{number}.jpg");
            let mut file = File::new(uri.as_str());
            match named {
                0 => {}
                1 => file.set(field::FILENAME, uri.trim_start_matches("oss://bucket/")),
                _ => file.set(field::FILENAME, "North Sea"),
            }
            let (size, duration, title, etag, time, place, score) = scalars;
            size.into_iter().for_each(|v| file.set(field::SIZE, v));
            duration.into_iter().for_each(|v| file.set(field::DURATION, v));
            title.into_iter().for_each(|v| file.set(field::TITLE, v));
            etag.into_iter().for_each(|v| file.set(field::ETAG, v));
            time.into_iter().for_each(|v| file.set(field::PRODUCE_TIME, v));
            place.into_iter().for_each(|v| file.set(field::LAT_LONG, format!("{},{}", v.lat, v.lon)));
            let score = score.map(|s| Members::from_iter([(field::OVERALL_QUALITY_SCORE, Value::from(s))]));
            score.into_iter().for_each(|s| file.set(field::IMAGE_SCORE, Value::Object(s)));
            for (id, value) in [
                labels,
                figures,
                (field::CUSTOM_LABELS, custom),
                (field::OSS_TAGGING, tagging),
                (field::OSS_USER_META, user),
            ] {
                file.set(id, value);
            }
            file
        },
    )
}

fn comparison() -> impl Strategy<Value = Comparison> {
    proptest::sample::select(&[Comparison::Eq, Comparison::Gt, Comparison::Gte, Comparison::Lt, Comparison::Lte][..])
}

fn path(paths: &'static [&'static str]) -> impl Strategy<Value = FieldPath> {
    proptest::sample::select(paths).prop_map(|path| FieldPath::parse(path).unwrap())
}

fn condition() -> impl Strategy<Value = Condition> {
    let words = path(&[
        "Title",
        "ETag",
        "Labels.LabelName",
        "Figures.FigureId",
        "CustomLabels.k",
        "CustomLabels.\u{c9}",
        "OSSTagging.k",
        "OSSUserMeta.K",
        "URI",
        "Filename",
        "Artist",
    ]);
    let operand = || prop_oneof![3 => text(), 1 => Just("oss://bucket/b".to_owned()), 1 => Just("x3".to_owned()), 1 => Just(String::new())];
    let word_test =
        prop_oneof![(comparison(), operand()).prop_map(|(c, v)| Test::Text(c, v)), operand().prop_map(Test::Prefix)];
    let number = prop_oneof![
        int().prop_map(Number::Int),
        float().prop_map(Number::Float),
        Just(Number::Float(1.5)),
        Just(Number::Float(-1e30)),
        Just(Number::Float(1e30))
    ];
    prop_oneof![
        4 => (words, word_test).prop_map(|(p, t)| Condition::new(p, t).unwrap()),
        1 => (path(&["Title", "Filename"]), operand()).prop_map(|(p, v)| Condition::new(p, Test::Phrase(v)).unwrap()),
        3 => (path(&["Size", "Duration", "Labels.LabelConfidence", "Figures.Age", "ImageScore.OverallQualityScore", "Bitrate"]), comparison(), number)
            .prop_map(|(p, c, n)| Condition::new(p, Test::Number(c, n)).unwrap()),
        2 => (comparison(), time()).prop_map(|(c, t)| Condition::new(field::PRODUCE_TIME.into(), Test::Time(c, Timestamp::parse(&t).unwrap())).unwrap()),
        2 => area().prop_map(|a| Condition::new(field::LAT_LONG.into(), Test::Within(a)).unwrap()),
        2 => path(&["Size", "Title", "ETag", "Labels", "Labels.LabelName", "Labels.LabelConfidence", "Figures.FigureId", "CustomLabels", "CustomLabels.K", "OSSTagging.k", "OSSUserMeta.k", "LatLong", "ImageScore", "ImageScore.OverallQualityScore", "URI", "Filename", "Addresses", "Artist"])
            .prop_map(|p| Condition::new(p, Test::Exists).unwrap()),
    ]
}

/// Conditions on members of one array.
fn element() -> impl Strategy<Value = Filter> {
    let name =
        (comparison(), text()).prop_map(|(c, v)| Condition::new(field::LABEL_NAME.into(), Test::Text(c, v)).unwrap());
    let confidence = (comparison(), float())
        .prop_map(|(c, v)| Condition::new(field::LABEL_CONFIDENCE.into(), Test::Number(c, Number::Float(v))).unwrap());
    let has = Just(Condition::new(field::LABEL_CONFIDENCE.into(), Test::Exists).unwrap());
    let leaf = prop_oneof![name, confidence, has].prop_map(Filter::Is);
    let labels = grouped(leaf.boxed(), 2).prop_map(|of| Filter::Nested(field::LABELS, vec![of]));
    let id =
        (comparison(), text()).prop_map(|(c, v)| Condition::new(field::FIGURE_ID.into(), Test::Text(c, v)).unwrap());
    let age = (comparison(), 0i64..3)
        .prop_map(|(c, v)| Condition::new(field::FIGURE_AGE.into(), Test::Number(c, Number::Int(v))).unwrap());
    let figures = grouped(prop_oneof![id, age].prop_map(Filter::Is).boxed(), 1)
        .prop_map(|of| Filter::Nested(field::FIGURES, vec![of]));
    prop_oneof![2 => labels, 1 => figures]
}

fn grouped(leaf: BoxedStrategy<Filter>, depth: u32) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(depth, 8, 3, |below| {
        let some = || proptest::collection::vec(below.clone(), 1..4);
        prop_oneof![some().prop_map(Filter::And), some().prop_map(Filter::Or), some().prop_map(Filter::Not)]
    })
    .boxed()
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let anchor = proptest::sample::select(&[Anchor::None, Anchor::Start, Anchor::End, Anchor::Whole][..]);
    let fields = prop_oneof![Just(vec![]), Just(vec![field::TITLE, field::LABEL_NAME])];
    let text = (proptest::sample::select(&["a", "sea", "\u{4eac}", "x3 jpg", "north~"][..]), fields, anchor)
        .prop_map(|(text, search_in, anchor)| Filter::Text(TextMatch { text: text.into(), search_in, anchor }));
    let leaf = prop_oneof![6 => condition().prop_map(Filter::Is), 1 => text];
    let shallow = grouped(leaf.boxed(), 2);
    let with_elements = (element(), shallow.clone(), 0u8..4).prop_map(|(element, other, how)| match how {
        0 => element,
        1 => Filter::And(vec![element, other]),
        2 => Filter::Or(vec![other, element]),
        _ => Filter::Not(vec![element]),
    });
    prop_oneof![3 => shallow, 1 => with_elements].prop_filter("within the limits", |f| f.check().is_ok())
}

pub(crate) fn aggregations() -> Vec<Aggregation> {
    let all = [
        ("Size", "min"),
        ("Size", "max"),
        ("Size", "count"),
        ("Size", "distinct"),
        ("Size", "group"),
        ("Duration", "sum"),
        ("Duration", "average"),
        ("Duration", "group"),
        ("Duration", "ranges:-0.5,0,0.5,1e3"),
        ("Labels.LabelConfidence", "max"),
        ("Labels.LabelName", "group"),
        ("Labels.LabelName", "count"),
        ("Labels.LabelConfidence", "ranges:0.5"),
        ("Figures.FigureId", "distinct"),
        ("Figures.Age", "sum"),
        ("Title", "group"),
        ("Title", "distinct"),
        ("ETag", "group"),
        ("CustomLabels.k", "group"),
        ("CustomLabels", "count"),
        ("OSSTagging.k", "distinct"),
        ("OSSUserMeta.k", "group"),
        ("LatLong", "count"),
        ("ProduceTime", "group"),
        ("ProduceTime", "histogram-month"),
        ("ProduceTime", "histogram-hour"),
        ("URI", "distinct"),
        ("Filename", "group"),
        ("Artist", "group"),
        ("Artist", "sum_is_no_operation"),
    ];
    all.iter().filter_map(|(field, operation)| Aggregation::parse(field, operation).ok()).collect()
}

/// Splits files over parts; a URI written again is deleted where it was.
fn snapshot(batches: &[Vec<File>]) -> (Snapshot, BTreeMap<String, File>) {
    let mut live: BTreeMap<String, (usize, File)> = BTreeMap::new();
    let mut parts = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let batch: BTreeMap<String, File> = batch.iter().map(|f| (f.uri().to_owned(), f.clone())).collect();
        parts.push(batch.values().cloned().collect::<Vec<_>>());
        live.extend(batch.into_iter().map(|(uri, file)| (uri, (number, file))));
    }
    let part = |(number, files): (usize, Vec<File>)| {
        let segment = Segment::build(&files).unwrap();
        let dead = files.iter().zip(0u32..).filter(|(f, _)| live[f.uri()].0 != number).map(|(_, doc)| doc);
        Part { deleted: Arc::new(dead.collect()), segment: Arc::new(segment) }
    };
    let parts = parts.into_iter().enumerate().map(part).collect();
    (Snapshot::new(parts), live.into_iter().map(|(uri, (_, file))| (uri, file)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..ProptestConfig::with_cases(256) })]
    #[test]
    fn equals_the_naive_evaluator(
        batches in proptest::collection::vec(proptest::collection::vec(file(), 0..20), 1..4),
        filters in proptest::collection::vec(filter(), 1..12),
        most in 1usize..4,
    ) {
        let (snapshot, files) = snapshot(&batches);
        let merged = Snapshot::new(vec![Part::whole(merge_in_memory(&snapshot.parts).unwrap())]);
        let context = Context { threads: 2, ..Context::new(&KEY, 1) };
        for filter in &filters {
            let mut query = Query { filter: Some(filter.clone()), page: Page { max_results: 200, ..Page::default() }, ..Query::default() };
            let expected = naive(&files, &query);
            for (name, snapshot) in [("parts", &snapshot), ("merged", &merged)] {
                query.aggregations.clear();
                query.page.max_results = 200;
                let hits = search(snapshot, &query, &context).unwrap();
                prop_assert_eq!(&hits.uris, &expected, "{} {:?}", name, filter);
                prop_assert_eq!(hits.total, Some(expected.len() as u64));
                let early = search(snapshot, &Query { without_total: true, ..query.clone() }, &context).unwrap();
                prop_assert_eq!(&early.uris, &expected, "{} early {:?}", name, filter);
                query.aggregations = aggregations();
                query.page.max_results = most * 10;
                let found: Vec<&File> = expected.iter().map(|uri| &files[uri]).collect();
                let computed = search(snapshot, &query, &context).unwrap();
                prop_assert_eq!(computed.total, Some(expected.len() as u64));
                for (aggregation, result) in query.aggregations.iter().zip(&computed.aggregates) {
                    let (value, groups) = aggregate(&found, aggregation, most * 10);
                    let counted: Vec<(String, u64)> = result.groups.iter().map(|g| (g.value.clone(), g.count)).collect();
                    prop_assert!(same_number(result.value, value), "{} {:?}: expected {:?}, got {:?}", name, aggregation, value, result.value);
                    prop_assert_eq!(counted, groups, "{} {:?}", name, aggregation);
                }
            }
        }
    }
}

/// Documents enough for every index of a segment: orders from 65,536 values, places from 4,096.
fn many_files() -> Vec<File> {
    let mut state = 11u64;
    let mut next = move |below: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % below
    };
    let many = (0..70_000).map(|number| {
        let mut file = File::new(format!("oss://bucket/{}/{number:05}", next(9)));
        if next(20) > 0 {
            file.set(field::SIZE, next(40_000));
        }
        if next(3) > 0 {
            let (lat, lon) = (next(1800) as f64 / 10.0 - 90.0, next(3601) as f64 / 10.0 - 180.0);
            file.set(field::LAT_LONG, format!("{lat},{lon}"));
        }
        file.set(field::MEDIA_TYPE, ["image", "video"][next(2) as usize]);
        let label = |number: i64, tenths: i64| {
            let name = ["sky", "sea", "tree", "rare"][if tenths == 7 && number < 3 { 3 } else { number as usize % 3 }];
            let mut row = Members::from_iter([(field::LABEL_NAME, Value::from(name))]);
            if tenths > 0 {
                row.set(field::LABEL_CONFIDENCE, tenths as f64 / 1000.0);
            }
            row
        };
        let labels: Vec<Members> = (0..next(4)).map(|_| label(next(9), next(1000))).collect();
        file.set(field::LABELS, Value::Rows(labels));
        file
    });
    many.collect()
}

/// Filters that each index of a large segment answers.
fn large_filters() -> Vec<Option<Filter>> {
    let is = |field: &str, operator: &str, value: &str| Filter::Is(Condition::parse(field, operator, value).unwrap());
    let label = |name: &str, more: &[(&str, &str)]| {
        let confidence = more.iter().map(|(operator, value)| is("Labels.LabelConfidence", operator, value));
        let of = std::iter::once(is("Labels.LabelName", "eq", name)).chain(confidence).collect();
        Filter::Nested(field::LABELS, vec![Filter::And(of)])
    };
    let beside = |filter: Filter| {
        Filter::Nested(
            field::LABELS,
            vec![filter, is("Labels.LabelName", "prefix", "s"), is("Labels.LabelConfidence", "gt", "0.3")],
        )
    };
    vec![
        None,
        Some(label("sky", &[("gte", "0.5")])),
        Some(label("sky", &[("gt", "0.9371"), ("lte", "0.94")])),
        Some(label("sea", &[("lt", "0.0123")])),
        Some(label("sea", &[("eq", "0.777")])),
        Some(label("sea", &[("gt", "0.5"), ("lt", "0.2")])),
        Some(label("rare", &[("gte", "0.005")])),
        Some(label("none", &[("gte", "0.005")])),
        Some(label("tree", &[("gte", "0")])),
        Some(label("tree", &[("gt", "1")])),
        Some(beside(is("Labels.LabelName", "lt", "sk"))),
        Some(beside(Filter::Not(vec![is("Labels.LabelConfidence", "gt", "0.6")]))),
        Some(Filter::Not(vec![label("sky", &[("gte", "0.1")]), label("tree", &[("gte", "0.2")])])),
        Some(Filter::And(vec![is("Size", "lt", "900"), label("sky", &[("gte", "0.5")])])),
        Some(is("Labels.LabelName", "eq", "sky")),
        Some(is("Size", "gte", "39990")),
        Some(is("Size", "lt", "20")),
        Some(is("Size", "eq", "777")),
        Some(is("Size", "gt", "1000")),
        Some(is("MediaType", "eq", "image")),
        Some(Filter::And(vec![is("Size", "gt", "30000"), is("Size", "lte", "30100"), is("MediaType", "eq", "video")])),
        Some(is("LatLong", "geo-bounding-box", "10.5,20;-3,35.1")),
        Some(is("LatLong", "geo-bounding-box", "80,170;-80,-170.5")),
        Some(is("LatLong", "geo-bounding-box", "90,-180;-90,180")),
        Some(is("LatLong", "geo-distance", "48.21,16.37;900000")),
        Some(is("LatLong", "geo-distance", "-88.01,16.37;700000")),
        Some(is("LatLong", "geo-distance", "0.03,179.94;300000")),
        Some(is("LatLong", "geo-polygon", "0.01,0.02;40.03,10.04;20.05,60.06;-10.07,30.08")),
        Some(is("LatLong", "geo-polygon", "0.01,170.02;40.03,-170.04;-10.07,-160.08")),
        Some(Filter::Not(vec![is("LatLong", "exist", ""), is("Size", "lt", "20000")])),
    ]
}

/// What is computed over all files that a filter finds.
fn check_large_aggregations(snapshot: &Snapshot, files: &BTreeMap<String, File>, filter: Option<&Filter>) {
    // Twice: what all live documents have is remembered.
    let found = naive(files, &Query { filter: filter.cloned(), ..Query::default() });
    let found: Vec<&File> = found.iter().map(|uri| &files[uri]).collect();
    for (field, operation) in
        [("Size", "distinct"), ("Size", "sum"), ("Labels.LabelName", "distinct"), ("Size", "min"), ("Size", "max")]
    {
        let aggregation = Aggregation::parse(field, operation).unwrap();
        let (expected, _) = aggregate(&found, &aggregation, 100);
        let query = Query { filter: filter.cloned(), aggregations: vec![aggregation], ..Query::default() };
        for _ in 0..2 {
            let computed = search(snapshot, &query, &Context::new(&KEY, 1)).unwrap();
            assert!(
                same_number(computed.aggregates[0].value, expected),
                "{query:?}: {computed:?}, expected {expected:?}"
            );
        }
    }
}

#[test]
fn large_segments_equal_the_naive_evaluator() {
    let files = many_files();
    let segment = Segment::build(&files).unwrap();
    let names: Vec<String> = segment.section_sizes().into_iter().map(|(name, _)| name).collect();
    for section in ["Order of Size", "Places of LatLong", "Pairs of Labels.LabelName"] {
        assert!(names.iter().any(|n| n == section), "{section} is missing from {names:?}");
    }
    let dead: Vec<u32> = (0..70_000).step_by(7).collect();
    let part = Part { deleted: Arc::new(dead.iter().copied().collect()), segment: Arc::new(segment) };
    let snapshot = Snapshot::new(vec![part]);
    let mut files: BTreeMap<String, File> = files.into_iter().map(|f| (f.uri().to_owned(), f)).collect();
    let uris: Vec<String> = files.keys().cloned().collect();
    dead.iter().for_each(|doc| drop(files.remove(&uris[*doc as usize])));
    let context = Context::new(&KEY, 1);
    let key = |field: &str, order| SortKey { field: FieldPath::parse(field).unwrap(), order };
    for filter in large_filters() {
        for sort in [
            vec![],
            vec![key("Size", Order::Desc)],
            vec![key("Size", Order::Asc)],
            vec![key("Size", Order::Desc), key("MediaType", Order::Asc)],
        ] {
            let mut query = Query { filter: filter.clone(), sort, ..Query::default() };
            let expected = naive(&files, &query);
            query.page.max_results = 150;
            // The first pages: those after the first begin at a cursor.
            let mut seen = 0;
            for _ in 0..4 {
                let hits = search(&snapshot, &query, &context).unwrap();
                assert_eq!(hits.total, Some(expected.len() as u64), "{query:?}");
                let page = &expected[seen..expected.len().min(seen + 150)];
                assert!(hits.uris == page, "{query:?}: {:?} for {page:?}", hits.uris);
                seen += page.len();
                query.page.token = hits.next_token;
                if query.page.token.is_empty() {
                    break;
                }
            }
        }
        check_large_aggregations(&snapshot, &files, filter.as_ref());
    }
}
