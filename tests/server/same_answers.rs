//! The server answers what the library answers.

use super::client::{Running, quiet};
use medialith::model::{Aggregation, File, Order, Page, Query, SortKey, field};
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
