//! The server answers what the library answers.

use super::client::{Client, Running, quiet};
use medialith::model::query::{Comparison, Number, Test};
use medialith::model::{Aggregation, Area, File, Filter, LatLong, Order, Page, Query, SortKey, field};
use proptest::prelude::*;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d ]{1,6}", "\"[a-d ]{1,4}\"", "[a-d]{2,5}~", "\\PC{1,6}", "oss [0-9]"]
}

/// A leaf or a group of leaves over the fields that the documents have; some are refused.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = (
        prop_oneof![Just("eq"), Just("gt"), Just("lte"), Just("prefix"), Just("exist"), Just("match-phrase")],
        prop_oneof![Just("Title"), Just("Size"), Just("URI"), Just("CustomLabels.k"), Just("Nope")],
        prop_oneof!["[0-9]{1,2}", "[a-d]{1,2}", Just(String::new())],
    );
    let leaf = leaf.prop_map(
        |(operation, field, value)| json!({"Operation": operation, "Field": field, "Value": value, "SubQueries": []}),
    );
    leaf.prop_recursive(3, 12, 3, |inner| {
        let group = (prop_oneof![Just("and"), Just("or"), Just("not")], proptest::collection::vec(inner, 0..3));
        group.prop_map(|(operation, of)| json!({"Operation": operation, "SubQueries": of}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_simple_query(
        titles in proptest::collection::vec("[a-d ]{0,6}", 1..40),
        queries in proptest::collection::vec((tree(), 0usize..8, any::<bool>(), any::<bool>()), 20),
    ) {
        let running = Running::start(quiet()).with_dataset();
        let dataset = running.engine.dataset("p", "d").unwrap();
        let file = |(n, title): (usize, &String)| {
            let file = File::new(format!("oss://b/{n}")).with(field::TITLE, title.as_str()).with(field::SIZE, n as i64);
            file.with(field::CUSTOM_LABELS, medialith::model::Value::map([("K".to_owned(), title.clone())]))
        };
        dataset.put(titles.iter().enumerate().map(file).collect()).unwrap();
        let client = running.client();
        for (tree, size, sorted, computes) in queries {
            let (sort, text) = (if sorted { "Size" } else { "" }, tree.to_string());
            let aggregations = if computes { r#"[{"Field":"Size","Operation":"sum"}]"# } else { "" };
            let query = medialith::model::Filter::from_json(&tree).map(|filter| Query {
                filter: Some(filter),
                aggregations: computes.then(|| Aggregation::parse("Size", "sum").unwrap()).into_iter().collect(),
                sort: SortKey::parse_list(sort, "", Order::Desc).unwrap(),
                page: Page { max_results: size, token: String::new() },
                ..Query::default()
            });
            let size = size.to_string();
            let params = [("ProjectName", "p"), ("DatasetName", "d"), ("Query", text.as_str()), ("Sort", sort),
                ("MaxResults", &size), ("Aggregations", aggregations)];
            let answer = client.call("SimpleQuery", &params);
            match query.and_then(|query| dataset.search(&query)) {
                Ok(found) => {
                    let got: Value = answer.json();
                    prop_assert_eq!(&got["TotalHits"], &json!(found.total.unwrap()), "{}", text);
                    if computes {
                        prop_assert_eq!(&got["Aggregations"][0]["Value"], &json!(found.aggregates[0].value));
                    } else {
                        let files: Vec<Value> =
                            found.files.iter().map(|f| serde_json::from_str(&f.to_json()).unwrap()).collect();
                        prop_assert_eq!(&got["Files"], &json!(files), "{}", text);
                    }
                    prop_assert_eq!(got.get("NextToken").is_some(), !computes && !found.next_token.is_empty());
                }
                Err(e) => {
                    prop_assert_eq!(answer.status, 400, "{}", text);
                    prop_assert_eq!(&answer.json()["Message"], e.message());
                }
            }
        }
        drop(dataset);
        running.stop();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_fuzzy_query(
        titles in proptest::collection::vec("[a-d\u{4e00}-\u{4e04} ]{0,8}", 1..40),
        queries in proptest::collection::vec((text(), 0usize..8, any::<bool>(), any::<bool>()), 20),
    ) {
        let running = Running::start(quiet()).with_dataset();
        let dataset = running.engine.dataset("p", "d").unwrap();
        let file = |(n, title): (usize, &String)| File::new(format!("oss://b/{n}")).with(field::TITLE, title.as_str());
        dataset.put(titles.iter().enumerate().map(file).collect()).unwrap();
        let client = running.client();
        for (text, size, sorted, desc) in queries {
            let (sort, order) = (if sorted { "Title" } else { "" }, if sorted && !desc { "asc" } else { "" });
            let query = Query {
                text: text.clone(),
                sort: SortKey::parse_list(sort, order, Order::Asc).unwrap(),
                page: Page { max_results: size, token: String::new() },
                ..Query::default()
            };
            let size = size.to_string();
            let params = [("ProjectName", "p"), ("DatasetName", "d"), ("Query", text.as_str()), ("Sort", sort),
                ("Order", order), ("MaxResults", &size)];
            let answer = client.call("FuzzyQuery", &params);
            match dataset.search(&query) {
                Ok(found) => {
                    let got: Value = answer.json();
                    let files: Vec<Value> = found.files.iter().map(|f| serde_json::from_str(&f.to_json()).unwrap()).collect();
                    prop_assert_eq!(&got["Files"], &json!(files), "{}", text);
                    prop_assert_eq!(&got["TotalHits"], &json!(found.total.unwrap()));
                    prop_assert_eq!(got.get("NextToken").is_some(), !found.next_token.is_empty());
                }
                Err(e) => {
                    prop_assert_eq!(answer.status, 400, "{}", text);
                    prop_assert_eq!(&answer.json()["Message"], e.message());
                }
            }
        }
        drop(dataset);
        running.stop();
    }
}

/// A filter as the API writes it (query-semantics.md 3); `None` for texts, which SimpleQuery has not.
fn tree_of(filter: &Filter) -> Option<Value> {
    let all = |of: &[Filter]| of.iter().map(tree_of).collect::<Option<Vec<Value>>>();
    let group = |operation: &str, of: &[Filter]| Some(json!({"Operation": operation, "SubQueries": all(of)?}));
    match filter {
        Filter::And(of) => group("and", of),
        Filter::Or(of) => group("or", of),
        Filter::Not(of) => group("not", of),
        // The official example names no field; the reference asks for it. One number of children takes either way.
        Filter::Nested(id, of) if of.len() % 2 == 0 => {
            Some(json!({"Operation": "nested", "Field": id.field().path, "SubQueries": all(of)?}))
        }
        Filter::Nested(_, of) => group("nested", of),
        Filter::Is(condition) => {
            let (operation, value) = leaf_of(condition.test());
            let field = condition.field().to_string();
            Some(json!({"Operation": operation, "Field": field, "Value": value, "SubQueries": []}))
        }
        Filter::Text(_) => None,
    }
}

fn leaf_of(test: &Test) -> (String, String) {
    let comparing = |c: &Comparison| format!("{c:?}").to_lowercase();
    let places =
        |points: &[LatLong]| points.iter().map(|p| format!("{},{}", p.lat, p.lon)).collect::<Vec<_>>().join(";");
    match test {
        Test::Text(c, value) => (comparing(c), value.clone()),
        Test::Prefix(value) => ("prefix".into(), value.clone()),
        Test::Phrase(value) => ("match-phrase".into(), value.clone()),
        Test::Number(c, Number::Int(value)) => (comparing(c), value.to_string()),
        Test::Number(c, Number::Float(value)) => (comparing(c), format!("{value:?}")),
        Test::Time(c, value) => (comparing(c), value.to_string()),
        Test::Within(Area::Circle { centre, metres }) => {
            ("geo-distance".into(), format!("{},{};{metres}", centre.lat, centre.lon))
        }
        Test::Within(Area::Box { north_west, south_east }) => {
            ("geo-bounding-box".into(), places(&[*north_west, *south_east]))
        }
        Test::Within(Area::Polygon(points)) => ("geo-polygon".into(), places(points)),
        Test::Exists => ("exist".into(), String::new()),
    }
}

/// The largest numbers are more bytes than a dataset may have.
fn within_the_quota(mut file: File) -> File {
    if file.get(field::SIZE).and_then(|size| size.as_int()).is_some_and(|size| size > 1 << 53) {
        file.set(field::SIZE, 1i64 << 53);
    }
    file
}

/// Every page of a query through the server: addresses in their order, and the totals that were told.
fn pages(client: &Client, params: &[(&str, &str)]) -> (Vec<String>, Vec<Value>) {
    let (mut uris, mut totals, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = client.ok("SimpleQuery", &[params, &[("NextToken", token.as_str())]].concat());
        let files = answer["Files"].as_array().unwrap();
        uris.extend(files.iter().map(|f| f["URI"].as_str().unwrap().to_owned()));
        totals.push(answer["TotalHits"].clone());
        match answer.get("NextToken") {
            Some(next) => token = next.as_str().unwrap().to_owned(),
            None => return (uris, totals),
        }
    }
}

/// The library's own answer, all of it.
fn whole(dataset: &medialith::engine::Dataset, query: &Query) -> (Vec<String>, u64) {
    let query = Query { page: Page { max_results: 200, token: String::new() }, ..query.clone() };
    let found = dataset.search(&query).unwrap();
    assert!(found.next_token.is_empty());
    (found.files.iter().map(|f| f.uri().to_owned()).collect(), found.total.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_filter_with_its_pages_and_aggregations(
        files in proptest::collection::vec(crate::filter::file(), 1..30),
        asked in proptest::collection::vec((crate::filter::filter(), 1usize..9, 0usize..4, any::<prop::sample::Index>()), 25),
    ) {
        let running = Running::start(quiet()).with_dataset();
        let dataset = running.engine.dataset("p", "d").unwrap();
        dataset.put(files.into_iter().map(within_the_quota).collect()).unwrap();
        let client = running.client();
        let aggregations = crate::filter::aggregations();
        for (filter, size, sort, computed) in asked {
            let Some(tree) = tree_of(&filter) else { continue };
            let (size, text) = (size.to_string(), tree.to_string());
            let (sort, order) = [("", ""), ("Size", "asc"), ("Title,Duration", "desc,asc"), ("ProduceTime", "")][sort];
            let place = [("ProjectName", "p"), ("DatasetName", "d"), ("Query", text.as_str())];
            let listed = [&place[..], &[("Sort", sort), ("Order", order), ("MaxResults", &size)]].concat();
            let query = Query {
                filter: Some(filter),
                sort: SortKey::parse_list(sort, order, Order::Desc).unwrap(),
                ..Query::default()
            };
            if let Err(refused) = Filter::from_json(&tree) {
                prop_assert_eq!(client.fails("SimpleQuery", &listed).2, refused.message(), "{}", text);
                continue;
            }
            let (wanted, total) = whole(&dataset, &query);
            let (uris, totals) = pages(&client, &listed);
            prop_assert_eq!(&uris, &wanted, "{}", text);
            prop_assert!(totals.iter().all(|t| *t == json!(total)), "{} {:?}", text, totals);

            let aggregation = computed.get(&aggregations);
            let asked = json!([{"Field": aggregation.field().to_string(), "Operation": aggregation.operation().to_string()}]).to_string();
            let query = Query { aggregations: vec![aggregation.clone()], ..query };
            // Through text, as the client's: serde_json reads the last bit of some numbers another way than they were written.
            let wanted = serde_json::to_string(&dataset.search(&query).unwrap().aggregates).unwrap();
            let wanted: Value = serde_json::from_str(&wanted).unwrap();
            let got = client.ok("SimpleQuery", &[&place[..], &[("Aggregations", asked.as_str())]].concat());
            prop_assert_eq!(&got["Aggregations"], &wanted, "{} {}", text, asked);
        }
        drop(dataset);
        running.stop();
    }
}
