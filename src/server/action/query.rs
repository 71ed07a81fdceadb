//! Queries (operations.md 5, query-semantics.md).

use super::dataset::DATASET;
use super::file::{WITH_FIELDS, with_fields};
use super::project::{PAGE_SIZE, PROJECT, TOKEN};
use super::table::{Action, Call, Kind, Param, Reply};
use crate::engine::Answer;
use crate::engine::semantic::MAX_SENTENCE;
use crate::model::query::{MAX_AGGREGATIONS, MAX_GROUPS, MAX_PAGE, MAX_QUERY_BYTES};
use crate::model::{Aggregation, Filter, Order, Page, Query, SortKey};
use crate::server::access::Role;
use crate::server::fault::Fault;
use crate::server::params::Params;
use serde::Deserialize;

const SORT: Param = Param::optional("Sort", Kind::Text { chars: 4096 }, "Up to 5 fields, separated by commas.");
const ORDER: Param = Param::optional("Order", Kind::Text { chars: 64 }, "asc or desc for each field of Sort.");
/// Most results of one page of SimpleQuery (limits.md 2).
const MAX_SIMPLE_PAGE: usize = 100;

pub(super) static ACTIONS: &[Action] = &[
    Action {
        name: "FuzzyQuery",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::required("Query", Kind::Bytes { most: MAX_QUERY_BYTES }, "The text to find."),
            SORT,
            ORDER,
            PAGE_SIZE,
            TOKEN,
            WITH_FIELDS,
        ],
        answer: &["Files", "NextToken", "TotalHits"],
        about: "Files in which every part of a text occurs.",
        run: fuzzy,
    },
    Action {
        name: "SimpleQuery",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::optional("Query", Kind::Object, "Conditions on fields, tied by and, or, not and nested."),
            Param::optional(
                "Aggregations",
                Kind::List { most: MAX_AGGREGATIONS },
                "What to compute instead of listing files, each with Field and Operation.",
            ),
            SORT,
            ORDER,
            Param::optional(
                "MaxResults",
                Kind::Int { least: 0, most: MAX_GROUPS as i64 },
                "Files of a page, up to 100; groups of an aggregation, up to 2000; 0 means 100.",
            ),
            TOKEN,
            WITH_FIELDS,
            Param::optional("WithoutTotalHits", Kind::Bool, "Whether to leave TotalHits out."),
        ],
        answer: &["Files", "NextToken", "TotalHits", "Aggregations"],
        about: "Files that fulfil conditions, or what is computed over all of them.",
        run: simple,
    },
    Action {
        name: "SemanticQuery",
        role: Role::Read,
        global: false,
        params: &[
            PROJECT,
            DATASET,
            Param::optional(
                "Query",
                Kind::Text { chars: MAX_SENTENCE },
                "A sentence with labels, places and times of the dataset.",
            ),
            Param::ignored(
                "SourceURI",
                Kind::Bytes { most: crate::model::uri::MAX_URI_BYTES },
                "Pictures are not searched by a picture here.",
            ),
            Param::optional(
                "MediaTypes",
                Kind::List { most: 6 },
                "Media of the files that are found; image where none is named.",
            ),
            Param::optional(
                "MaxResults",
                Kind::Int { least: 0, most: MAX_SIMPLE_PAGE as i64 },
                "Files, up to 100; 0 means 100.",
            ),
            TOKEN,
            WITH_FIELDS,
        ],
        answer: &["Files", "NextToken"],
        about: "Files of which all holds that a sentence says of labels, time and place; with model packs first the pictures that show what it says.",
        run: semantic,
    },
];

/// What both queries take.
fn common(params: &Params, rest: Order) -> Result<Query, Fault> {
    Ok(Query {
        sort: SortKey::parse_list(params.text("Sort"), params.text("Order"), rest)?,
        page: Page { max_results: params.count("MaxResults"), token: params.text("NextToken").to_owned() },
        with_fields: with_fields(params)?,
        ..Query::default()
    })
}

fn files(found: &Answer) -> Result<Reply, Fault> {
    let reply = Reply::new().with("Files", &found.files)?.with_text("NextToken", &found.next_token)?;
    match found.total {
        Some(total) => reply.with("TotalHits", &total),
        None => Ok(reply),
    }
}

fn fuzzy(call: &Call<'_>) -> Result<Reply, Fault> {
    let query = Query { text: call.params.text("Query").to_owned(), ..common(call.params, Order::Asc)? };
    query.page.size(MAX_PAGE)?;
    files(&call.dataset()?.search(&query)?)
}

/// An aggregation as requests spell it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AggregationIn {
    #[serde(default)]
    field: String,
    #[serde(default)]
    operation: String,
}

fn simple(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    let asked: Vec<AggregationIn> = params.list("Aggregations")?;
    let tree: Option<serde_json::Value> = params.json("Query")?;
    let query = Query {
        filter: tree.filter(|tree| !is_empty(tree)).as_ref().map(Filter::from_json).transpose()?,
        aggregations: asked.iter().map(|a| Aggregation::parse(&a.field, &a.operation)).collect::<Result<_, _>>()?,
        without_total: params.flag("WithoutTotalHits"),
        ..common(params, Order::Desc)?
    };
    if asked.is_empty() {
        query.page.size(MAX_SIMPLE_PAGE)?;
        return files(&call.dataset()?.search(&query)?);
    }
    let found = call.dataset()?.search(&query)?;
    let reply = Reply::new().with("Aggregations", &found.aggregates)?;
    match found.total {
        Some(total) => reply.with("TotalHits", &total),
        None => Ok(reply),
    }
}

fn semantic(call: &Call<'_>) -> Result<Reply, Fault> {
    let params = call.params;
    if params.text("Query").trim().is_empty() {
        return Err(Fault::invalid("Query: expected a sentence, got none"));
    }
    let mut media: Vec<String> = params.list("MediaTypes")?;
    if media.is_empty() {
        media.push("image".to_owned());
    }
    let page = Page { max_results: params.count("MaxResults"), token: params.text("NextToken").to_owned() };
    let found = call.dataset()?.semantic(params.text("Query"), &media, page, &with_fields(params)?)?;
    Reply::new().with("Files", &found.files)?.with_text("NextToken", &found.next_token)
}

/// `{}` and what the SDK makes of an empty condition, where only an empty list is left, ask for everything.
fn is_empty(tree: &serde_json::Value) -> bool {
    let vacant = |value: &serde_json::Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    tree.as_object().is_some_and(|members| members.values().all(vacant))
}
