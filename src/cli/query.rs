//! `medialith query`: JSON requests with the member names of the API, one per line in, one answer per line out.
//!
//! For programs that talk to a database through a pipe, and for measuring: each answer says how long it took.

use super::args::Place;
use super::exit::Exit;
use super::lines::{Line, Lines};
use super::output::Output;
use super::reply;
use super::request::Request;
use crate::engine::{Aggregate, Dataset, Engine, Highlighter};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{File, Query, Typos};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// Most URIs of one `BatchGetFileMeta` (API limit).
const MAX_URIS: usize = 100;

#[derive(clap::Args)]
#[command(after_help = "\
Actions, with the members of the API:
  FuzzyQuery        Query (text), Sort, Order, MaxResults, NextToken, WithFields; also Filter (a tree, or the query
                    language), Aggregations, WithoutTotalHits
  SimpleQuery       Query (a tree), Sort, Order, MaxResults, NextToken, WithFields, WithoutTotalHits, Aggregations
  GetFileMeta       URI, WithFields
  BatchGetFileMeta  URIs, WithFields
Both queries take Highlight (true adds where each file matches) and Explain (true adds the plan and its costs).
ProjectName and DatasetName default to --project and --dataset. Trees and lists may also be text that holds JSON.

Example: echo '{\"Action\":\"FuzzyQuery\",\"Query\":\"harbour\",\"WithFields\":[\"URI\"]}' | medialith query --stdin")]
pub(crate) struct Args {
    /// Read requests from standard input
    #[arg(long, required = true)]
    stdin: bool,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<File>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    highlights: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregations: Option<Vec<Aggregate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_hits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Value>,
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
            "FuzzyQuery" => self.query(&request, request.fuzzy()?),
            "SimpleQuery" => self.query(&request, request.simple()?),
            "GetFileMeta" => self.get(&request),
            "BatchGetFileMeta" => self.get_many(&request),
            "" => Err(Error::invalid("The parameter Action is required but not provided.")),
            other => {
                let expected = "expected FuzzyQuery, SimpleQuery, GetFileMeta or BatchGetFileMeta";
                Err(Error::invalid(format!("Action: {expected}, got {other:?}")))
            }
        }
    }

    fn query(&mut self, request: &Request, mut query: Query) -> Result<Answer> {
        let dataset = self.dataset(request)?;
        let found = dataset.search(&query)?;
        let explanation = match request.explain {
            true => Some(reply::explanation(&dataset.explain(&query)?.1)),
            false => None,
        };
        let next_token = (!found.next_token.is_empty()).then_some(found.next_token);
        let answer = Answer { next_token, total_hits: found.total, explanation, ..Answer::default() };
        if !query.aggregations.is_empty() {
            return Ok(Answer { aggregations: Some(found.aggregates), ..answer });
        }
        query.typos = if found.fell_back { Typos::Always } else { Typos::Off };
        let marks = request.highlight.then(|| Highlighter::new(&query));
        let highlights = marks.map(|marks| found.files.iter().map(|f| reply::highlights(&marks.file(f))).collect());
        Ok(Answer { files: Some(found.files), highlights, ..answer })
    }

    fn get(&mut self, request: &Request) -> Result<Answer> {
        let missing = || Error::invalid("The parameter URI is required but not provided.");
        let uri = request.uri.as_deref().ok_or_else(missing)?;
        let file = self.dataset(request)?.get(uri, &request.fields()?)?;
        let none = || Error::new(ErrorKind::NotFound, "The specified resource file is not found.");
        Ok(Answer { files: Some(vec![file.ok_or_else(none)?]), ..Answer::default() })
    }

    fn get_many(&mut self, request: &Request) -> Result<Answer> {
        let uris = request.uris();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_carry_only_what_they_have() {
        let refused = serde_json::to_string(&refusal(&Error::invalid("no"))).unwrap();
        assert_eq!(refused, r#"{"Code":"InvalidArgument","Message":"no","ElapsedMicros":0}"#);
        let found = Answer { files: Some(vec![File::new("oss://b/k")]), total_hits: Some(1), ..Answer::default() };
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(text, r#"{"Files":[{"URI":"oss://b/k"}],"TotalHits":1,"ElapsedMicros":0}"#);
    }
}
