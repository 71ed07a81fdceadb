//! The server answers what the library answers.

use super::client::{Running, quiet};
use medialith::model::{File, Order, Page, Query, SortKey, field};
use proptest::prelude::*;
use serde_json::{Value, json};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d ]{1,6}", "\"[a-d ]{1,4}\"", "[a-d]{2,5}~", "\\PC{1,6}", "oss [0-9]"]
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
