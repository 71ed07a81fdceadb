//! What is asked on the command line: a text of the query language, filters, and what to compute.

use crate::engine::{Dataset, language};
use crate::error::{Error, Result};
use crate::model::query::{Calendar, MAX_GROUPS, Operation};
use crate::model::{Aggregation, Filter, Query, Typos};

/// Files or groups that are shown unless a number is given.
const DEFAULT_LIMIT: usize = 50;

/// What `medialith search` looks for or computes.
#[derive(clap::Args)]
pub(crate) struct Question {
    /// What to look for
    #[arg(required_unless_present_any = ["filter", "group", "aggregate", "histogram", "ranges"], value_name = "TEXT")]
    text: Vec<String>,
    /// What must hold too, as written: the query language, or a tree of the API as JSON
    #[arg(long = "where", value_name = "FILTER", allow_hyphen_values = true)]
    filter: Vec<String>,
    /// Count files by value
    #[arg(long, value_name = "FIELD")]
    group: Vec<String>,
    /// Compute: FIELD:min, max, average, sum, count or distinct
    #[arg(long, value_name = "FIELD:OP")]
    aggregate: Vec<String>,
    /// Count files by time: FIELD:year, month, day or hour (in UTC)
    #[arg(long, value_name = "FIELD:SPAN")]
    histogram: Vec<String>,
    /// Count files by number: FIELD:BOUND,BOUND,...
    #[arg(long, value_name = "FIELD:BOUNDS")]
    ranges: Vec<String>,
    /// Most files, or groups of one field, to show [default: 50; all intervals of histograms]
    #[arg(short = 'n', long, value_name = "COUNT")]
    limit: Option<usize>,
    /// When to allow typos in TEXT
    #[arg(long, value_enum, default_value_t = TypoChoice::Fallback)]
    typos: TypoChoice,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum TypoChoice {
    /// Only for parts that end in ~
    Off,
    /// When nothing matches as written
    Fallback,
    /// Always
    Always,
}

impl Question {
    /// The question; order, page and fields are still to be filled in.
    pub(crate) fn query(&self) -> Result<Query> {
        let search = language::parse(&self.text.join(" "))?;
        let mut filter = search.filter;
        for form in &self.filter {
            filter = language::both(filter, read_filter(form)?);
        }
        let aggregations = self.aggregations()?;
        if search.text.is_empty() && filter.is_none() && aggregations.is_empty() {
            return Err(Error::invalid("expected something to look for, got none; has:uri finds every file"));
        }
        filter.as_ref().map_or(Ok(()), Filter::check)?;
        let typos = match self.typos {
            TypoChoice::Off => Typos::Off,
            TypoChoice::Fallback => Typos::Fallback,
            TypoChoice::Always => Typos::Always,
        };
        Ok(Query { text: search.text, typos, filter, aggregations, ..Query::default() })
    }

    /// Whether there is nothing but a text.
    pub(crate) fn is_sentence(&self) -> bool {
        self.filter.is_empty() && self.group.is_empty() && self.aggregate.is_empty() && self.histogram.is_empty()
    }

    /// The text.
    pub(crate) fn sentence(&self) -> String {
        self.text.join(" ")
    }

    /// The question with its text read as a sentence.
    pub(crate) fn semantic(&self, dataset: &Dataset) -> Result<Query> {
        let mut filter = Some(dataset.semantic_filter(&self.text.join(" "), &[])?);
        for form in &self.filter {
            filter = language::both(filter, read_filter(form)?);
        }
        filter.as_ref().map_or(Ok(()), Filter::check)?;
        Ok(Query { filter, aggregations: self.aggregations()?, ..Query::default() })
    }

    /// Most files, or groups of one field, to show.
    pub(crate) fn limit(&self) -> usize {
        // Of a histogram some intervals alone would say nothing.
        self.limit.unwrap_or(if self.histogram.is_empty() { DEFAULT_LIMIT } else { MAX_GROUPS })
    }

    fn aggregations(&self) -> Result<Vec<Aggregation>> {
        let mut found = Vec::new();
        for name in &self.group {
            found.push(Aggregation::new(language::field(name)?, Operation::Group)?);
        }
        for given in &self.aggregate {
            let (name, operation) = halves(given, "--aggregate FIELD:OP, for example size:sum")?;
            found.push(Aggregation::parse(&language::field(name)?.to_string(), operation)?);
        }
        for given in &self.histogram {
            let expected = "--histogram FIELD:SPAN with a SPAN of year, month, day or hour";
            let (name, span) = halves(given, expected)?;
            let calendar = match span {
                "year" => Calendar::Year,
                "month" => Calendar::Month,
                "day" => Calendar::Day,
                "hour" => Calendar::Hour,
                _ => return Err(Error::invalid(format!("expected {expected}, got {given:?}"))),
            };
            found.push(Aggregation::new(language::field(name)?, Operation::Histogram(calendar))?);
        }
        for given in &self.ranges {
            let (name, bounds) = halves(given, "--ranges FIELD:BOUNDS, for example size:1MB,100MB")?;
            let field = language::field(name)?;
            let bounds = bounds.split(',').map(|b| language::number(&field, b.trim())).collect::<Result<Vec<f64>>>()?;
            found.push(Aggregation::new(field, Operation::Ranges(bounds))?);
        }
        Ok(found)
    }
}

/// The two sides of the last colon: keys of map entries may hold others.
fn halves<'a>(given: &'a str, expected: &str) -> Result<(&'a str, &'a str)> {
    given.rsplit_once(':').ok_or_else(|| Error::invalid(format!("expected {expected}, got {given:?}")))
}

/// A filter in either form: a tree begins with a brace.
pub(crate) fn read_filter(form: &str) -> Result<Option<Filter>> {
    if form.trim_start().starts_with('{') {
        return Filter::parse(form).map(Some);
    }
    Ok(language::parse(form)?.into_filter())
}
