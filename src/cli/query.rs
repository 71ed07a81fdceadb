//! `medialith query`: JSON requests with the member names of the API, one per line in, one answer per line out.
//!
//! For programs that talk to a database through a pipe, and for measuring: each answer says how long it took.

use super::args::Place;
use super::exit::Exit;
use super::fields;
use super::lines::{Line, Lines};
use super::output::Output;
use crate::engine::{Dataset, Engine};
use crate::error::{Error, ErrorKind, Result};
use crate::model::query::MAX_PAGE;
use crate::model::{FieldId, File, Order, Page, Query, SortKey};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// Most URIs of one `BatchGetFileMeta` (API limit).
const MAX_URIS: usize = 100;

#[derive(clap::Args)]
#[command(after_help = "\
Actions: FuzzyQuery (Query, Sort, Order, MaxResults, NextToken, WithFields, WithoutTotalHits), GetFileMeta (URI, WithFields),
BatchGetFileMeta (URIs, WithFields). ProjectName and DatasetName default to --project and --dataset.

Example: echo '{\"Action\":\"FuzzyQuery\",\"Query\":\"harbour\",\"WithFields\":[\"URI\"]}' | medialith query --stdin")]
pub(crate) struct Args {
    /// Read requests from standard input
    #[arg(long, required = true)]
    stdin: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Request {
    action: String,
    project_name: Option<String>,
    dataset_name: Option<String>,
    query: Option<serde_json::Value>,
    sort: String,
    order: String,
    max_results: usize,
    next_token: String,
    with_fields: List,
    without_total_hits: bool,
    #[serde(rename = "URI")]
    uri: Option<String>,
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

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<File>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_hits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    elapsed_micros: u64,
}

/// The open database, and the datasets that requests have named so far.
struct Desk<'a> {
    engine: Engine,
    place: &'a Place,
    datasets: HashMap<(String, String), Dataset>,
}

pub(crate) fn run(_args: &Args, place: &Place) -> Result<Exit> {
    let mut desk = Desk { engine: place.read()?, place, datasets: HashMap::new() };
    let mut lines = Lines::open(Path::new("-"))?;
    let mut out = Output::new();
    let mut exit = Exit::Done;
    while let Some((_, line)) = lines.next()? {
        let started = Instant::now();
        let answer = match line {
            Line::Text(text) => desk.answer(text),
            Line::Bad(why) => Err(Error::invalid(why)),
        };
        let mut answer = answer.unwrap_or_else(|e| {
            exit = Exit::Partial;
            refusal(&e)
        });
        answer.elapsed_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        out.line(
            serde_json::to_string(&answer).map_err(|e| Error::corrupted(format!("a stored value is not JSON: {e}")))?,
        )?;
        out.flush()?;
    }
    Ok(exit)
}

fn refusal(error: &Error) -> Answer {
    Answer { code: Some(error.kind().api_code()), message: Some(error.message().to_owned()), ..Answer::default() }
}

impl Desk<'_> {
    fn answer(&mut self, text: &str) -> Result<Answer> {
        let request = Request::parse(text)?;
        match request.action.as_str() {
            "FuzzyQuery" => self.fuzzy(&request),
            "GetFileMeta" => self.get(&request),
            "BatchGetFileMeta" => self.get_many(&request),
            "" => Err(Error::invalid("The parameter Action is required but not provided.")),
            other => {
                let expected = "expected Query, GetFileMeta or BatchGetFileMeta";
                Err(Error::invalid(format!("Action: {expected}, got {other:?}")))
            }
        }
    }

    fn fuzzy(&mut self, request: &Request) -> Result<Answer> {
        let page = Page { max_results: request.max_results, token: request.next_token.clone() };
        page.size(MAX_PAGE)?;
        let text = match &request.query {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => return Err(Error::invalid(format!("Query: expected a string, got {other}"))),
            None => return Err(Error::invalid("The parameter Query is required but not provided.")),
        };
        let query = Query {
            text,
            sort: SortKey::parse_list(&request.sort, &request.order, Order::Asc)?,
            page,
            with_fields: request.fields()?,
            without_total: request.without_total_hits,
            ..Query::default()
        };
        let found = self.dataset(request)?.search(&query)?;
        let next_token = (!found.next_token.is_empty()).then_some(found.next_token);
        Ok(Answer { files: Some(found.files), next_token, total_hits: found.total, ..Answer::default() })
    }

    fn get(&mut self, request: &Request) -> Result<Answer> {
        let missing = || Error::invalid("The parameter URI is required but not provided.");
        let uri = request.uri.as_deref().ok_or_else(missing)?;
        let file = self.dataset(request)?.get(uri, &request.fields()?)?;
        let none = || Error::new(ErrorKind::NotFound, "The specified resource file is not found.");
        Ok(Answer { files: Some(vec![file.ok_or_else(none)?]), ..Answer::default() })
    }

    fn get_many(&mut self, request: &Request) -> Result<Answer> {
        let uris = &request.uris.0;
        if uris.is_empty() || uris.len() > MAX_URIS {
            return Err(Error::invalid(format!("URIs: expected 1 to {MAX_URIS}, got {}", uris.len())));
        }
        let files = self.dataset(request)?.get_many(uris, &request.fields()?)?;
        Ok(Answer { files: Some(files), ..Answer::default() })
    }

    fn dataset(&mut self, request: &Request) -> Result<Dataset> {
        let project = request.project_name.as_ref().unwrap_or(&self.place.project);
        let dataset = request.dataset_name.as_ref().unwrap_or(&self.place.dataset);
        let key = (project.clone(), dataset.clone());
        if let Some(known) = self.datasets.get(&key) {
            return Ok(known.clone());
        }
        let opened = self.engine.dataset(project, dataset)?;
        self.datasets.insert(key, opened.clone());
        Ok(opened)
    }
}

impl Request {
    fn parse(text: &str) -> Result<Request> {
        // serde would take an array for the members in order, which no caller means.
        if !text.starts_with('{') {
            return Err(Error::invalid("not a request: expected a JSON object"));
        }
        serde_json::from_str(text).map_err(|e| Error::invalid(format!("not a request: {e}")))
    }

    fn fields(&self) -> Result<Vec<FieldId>> {
        fields::parse(&self.with_fields.0)
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
    fn answers_carry_only_what_they_have() {
        let refused = serde_json::to_string(&refusal(&Error::invalid("no"))).unwrap();
        assert_eq!(refused, r#"{"Code":"InvalidArgument","Message":"no","ElapsedMicros":0}"#);
        let found = Answer { files: Some(vec![File::new("oss://b/k")]), total_hits: Some(1), ..Answer::default() };
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(text, r#"{"Files":[{"URI":"oss://b/k"}],"TotalHits":1,"ElapsedMicros":0}"#);
    }
}
