//! One request of `medialith query`: the members of the API's actions, and what they ask.

use super::ask::read_filter;
use super::fields;
use crate::error::{Error, Result};
use crate::model::query::MAX_PAGE;
use crate::model::{Aggregation, FieldId, Filter, Order, Page, Query, SortKey};
use serde::Deserialize;
use serde_json::Value;

/// Most results of one `SimpleQuery` without aggregations (API limit).
const MAX_SIMPLE_PAGE: usize = 100;

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) project_name: Option<String>,
    pub(crate) dataset_name: Option<String>,
    query: Option<Value>,
    filter: Option<Value>,
    aggregations: Option<Value>,
    sort: String,
    order: String,
    max_results: usize,
    next_token: String,
    with_fields: List,
    without_total_hits: bool,
    pub(crate) highlight: bool,
    pub(crate) explain: bool,
    #[serde(rename = "URI")]
    pub(crate) uri: Option<String>,
    #[serde(rename = "URIs")]
    uris: List,
}

/// A list of strings, or (as the API sends arrays) a string that holds one as JSON.
#[derive(Deserialize, Default)]
#[serde(from = "ListForm")]
struct List(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ListForm {
    Plain(Vec<String>),
    Text(String),
}

impl From<ListForm> for List {
    fn from(form: ListForm) -> List {
        match form {
            ListForm::Plain(items) => List(items),
            ListForm::Text(text) => List(serde_json::from_str(&text).unwrap_or_else(|_| vec![text])),
        }
    }
}

/// One of `Aggregations`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AggregationForm {
    field: String,
    operation: String,
}

impl Request {
    pub(crate) fn parse(text: &str) -> Result<Request> {
        // serde would take an array for the members in order, which no caller means.
        if !text.starts_with('{') {
            return Err(Error::invalid("not a request: expected a JSON object"));
        }
        serde_json::from_str(text).map_err(|e| Error::invalid(format!("not a request: {e}")))
    }

    pub(crate) fn fields(&self) -> Result<Vec<FieldId>> {
        fields::parse(&self.with_fields.0)
    }

    pub(crate) fn uris(&self) -> &[String] {
        &self.uris.0
    }

    /// `FuzzyQuery`: a text, and beyond the API a filter and aggregations.
    pub(crate) fn fuzzy(&self) -> Result<Query> {
        let text = match &self.query {
            Some(Value::String(text)) => text.clone(),
            Some(other) => return Err(Error::invalid(format!("Query: expected a string, got {other}"))),
            None => return Err(Error::invalid("The parameter Query is required but not provided.")),
        };
        if text.trim().is_empty() {
            return Err(Error::invalid("Query: expected some text to search for, got none"));
        }
        let filter = match &self.filter {
            None | Some(Value::Null) => None,
            // A string is a tree or the query language.
            Some(Value::String(form)) => {
                read_filter(form).map_err(|e| Error::invalid(format!("Filter: {}", e.message())))?
            }
            Some(tree) => Some(Filter::from_json(tree)?),
        };
        self.asked(Query { text, filter, ..Query::default() }, Order::Asc, MAX_PAGE)
    }

    /// `SimpleQuery`: a tree, as an object or as text; none finds every file.
    pub(crate) fn simple(&self) -> Result<Query> {
        if self.filter.is_some() {
            return Err(Error::invalid("Filter: expected none in SimpleQuery, whose Query is one"));
        }
        let filter = match &self.query {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(Filter::parse(text)?),
            Some(tree) => Some(Filter::from_json(tree)?),
        };
        self.asked(Query { filter, ..Query::default() }, Order::Desc, MAX_SIMPLE_PAGE)
    }

    /// The members that both queries share. `rest`: the order of fields for which none is given.
    fn asked(&self, query: Query, rest: Order, most: usize) -> Result<Query> {
        let aggregations = self.aggregations()?;
        let page = Page { max_results: self.max_results, token: self.next_token.clone() };
        if aggregations.is_empty() {
            page.size(most)?;
        }
        let sort = SortKey::parse_list(&self.sort, &self.order, rest)?;
        let (with_fields, without_total) = (self.fields()?, self.without_total_hits);
        Ok(Query { aggregations, page, sort, with_fields, without_total, ..query })
    }

    fn aggregations(&self) -> Result<Vec<Aggregation>> {
        let invalid = |e: serde_json::Error| Error::invalid(format!("Aggregations: {e}"));
        let forms: Vec<AggregationForm> = match &self.aggregations {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) if text.is_empty() => Vec::new(),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(invalid)?,
            Some(list) => serde_json::from_value(list.clone()).map_err(invalid)?,
        };
        forms.iter().map(|form| Aggregation::parse(&form.field, &form.operation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_strictly() {
        let read = Request::parse;
        let request = read(r#"{"Action":"BatchGetFileMeta","URIs":"[\"oss://b/k\"]","WithFields":["Title"]}"#).unwrap();
        assert_eq!((request.uris.0, request.with_fields.0), (vec!["oss://b/k".to_owned()], vec!["Title".to_owned()]));
        let lone = read(r#"{"WithFields":"Title"}"#).unwrap();
        assert_eq!(lone.with_fields.0, ["Title"]);
        for bad in ["", "[]", r#"{"Actoin":"FuzzyQuery"}"#, r#"{"MaxResults":-1}"#, r#"{"URIs":[1]}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn trees_and_lists_come_as_values_or_as_text() {
        let tree = r#"{"Operation":"gt","Field":"Size","Value":"5"}"#;
        let list = r#"[{"Field":"Size","Operation":"sum"}]"#;
        let quoted = |json: &str| serde_json::to_string(json).unwrap();
        let read = |query: &str, list: &str| {
            Request::parse(&format!(r#"{{"Query":{query},"Aggregations":{list},"Sort":"Size,Title","Order":"asc"}}"#))
                .unwrap()
                .simple()
                .unwrap()
        };
        assert_eq!(read(tree, list), read(&quoted(tree), &quoted(list)));
        assert_eq!(read(tree, list).sort.iter().map(|key| key.order).collect::<Vec<_>>(), [Order::Asc, Order::Desc]);
        let fuzzy = |filter: &str| Request::parse(&format!(r#"{{"Query":"x","Filter":{filter}}}"#)).unwrap().fuzzy();
        let expected = fuzzy(tree).unwrap();
        for filter in [quoted(tree), quoted("size>5")] {
            assert_eq!(fuzzy(&filter).unwrap(), expected);
        }
        assert!(fuzzy(&quoted("size>x")).unwrap_err().message().starts_with("Filter: at character 6"));
    }

    #[test]
    fn limits_are_those_of_the_api() {
        let simple = |members: &str| Request::parse(&format!("{{{members}}}")).unwrap().simple();
        assert!(simple(r#""MaxResults":100"#).is_ok() && simple("").unwrap() == Query::default());
        assert!(simple(r#""MaxResults":101"#).is_err());
        let grouped = r#""Aggregations":[{"Field":"Size","Operation":"group"}],"MaxResults":"#;
        assert!(simple(&format!("{grouped}2000")).is_ok());
        for bad in [r#""Filter":{}"#, r#""Query":[]"#, r#""Aggregations":{}"#, r#""Aggregations":[{"Field":"Size"}]"#] {
            assert!(simple(bad).is_err(), "{bad}");
        }
        for bad in [r#"{"Query":" "}"#, r#"{"Query":{}}"#, "{}", r#"{"Query":"x","MaxResults":201}"#] {
            assert!(Request::parse(bad).unwrap().fuzzy().is_err(), "{bad}");
        }
    }
}
