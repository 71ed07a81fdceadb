//! `medialith search`: files by any text that is known of them and by conditions, as a table for people or as JSON; or
//! what is computed over them.

use super::args::Place;
use super::ask::Question;
use super::exit::Exit;
use super::fields;
use super::mark::Style;
use super::output::{self, Output, counted, printable};
use super::table::{self, Cell};
use super::{bars, reply};
use crate::engine::{Aggregate, Dataset, Highlighter};
use crate::error::Result;
use crate::model::query::MAX_PAGE;
use crate::model::{FieldId, File, Order, Page, Query, SortKey, Typos, field};

#[derive(clap::Args)]
#[command(after_help = "\
Every word of TEXT must occur in some text of the file, in any script and at any length, whatever its case or accents.
\"Double quotes\" keep a phrase together; word~ and word~2 allow typos. Conditions may stand among the words:

  medialith search 'harbour type:image size>10MB date:2024-05..2024-08 (label:beach or near:30.25,120.1,5km)'
  medialith search 'type:video not duration<1m' --group codec --histogram date:month

name:word and title:\"some words\" look into one field, = compares exactly, > >= < <= and a..b compare numbers and times,
has:FIELD asks for any value, label(name:beach confidence>0.8) asks one label for both. A minus or `not` negates; `or`
and brackets group. Names are short ones or the paths of fields (VideoStreams.Width>=3840, CustomLabels.project:x).
All of it: docs/queries.md, \"The query language\". Words that begin with a minus follow `--`.")]
pub(crate) struct Args {
    #[command(flatten)]
    ask: Question,
    /// Fields to sort by, most important first: Size,ProduceTime [default: by URI]
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    sort: String,
    /// asc or desc for each sort field [default: desc; asc for those after the last one given]
    #[arg(long, value_name = "ORDERS", default_value = "", hide_default_value = true)]
    order: String,
    /// Continue after the page that ended with this token
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    next: String,
    /// Only these fields
    #[arg(long, value_name = "FIELDS")]
    fields: Vec<String>,
    /// Print one JSON object: Files, TotalHits, NextToken, or Aggregations, TotalHits
    #[arg(long)]
    json: bool,
    /// With --json, add Highlights: for each file where it matches, as ranges of bytes
    #[arg(long, requires = "json")]
    highlight: bool,
    /// Read TEXT as a sentence: labels, places and times of the dataset that it names must all hold
    #[arg(long, conflicts_with_all = ["highlight", "typos"])]
    semantic: bool,
    /// Print how the query was answered instead of what it found
    #[arg(long)]
    explain: bool,
}

/// Said where typos had to be allowed.
const CLOSE: &str = "nothing matches as written; these are close";

/// What the pages of one command came to.
struct Found {
    files: Vec<File>,
    total: Option<u64>,
    next: String,
    fell_back: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let fields = fields::parse(&args.fields)?;
    let dataset = place.dataset()?;
    if args.semantic && args.ask.is_sentence() && !args.explain && args.sort.is_empty() && dataset.reads_sentences()? {
        let mut out = Output::new();
        pictured(args, &dataset, &fields, &mut out)?;
        out.flush()?;
        return Ok(Exit::Done);
    }
    let asked = if args.semantic { args.ask.semantic(&dataset)? } else { args.ask.query()? };
    let query = Query {
        sort: SortKey::parse_list(&args.sort, &args.order, Order::Asc)?,
        page: Page { max_results: 0, token: args.next.clone() },
        with_fields: with_uri(&fields),
        ..asked
    };
    let mut out = Output::new();
    if args.explain {
        explain(args, &dataset, query, &mut out)?;
    } else if !query.aggregations.is_empty() {
        compute(args, &dataset, query, &mut out)?;
    } else {
        find(args, &dataset, query, &fields, &mut out)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn find(args: &Args, dataset: &Dataset, mut query: Query, fields: &[FieldId], out: &mut Output) -> Result<()> {
    let found = collect(dataset, query.clone(), args.ask.limit())?;
    query.typos = match query.typos {
        Typos::Fallback if found.fell_back => Typos::Always,
        Typos::Fallback => Typos::Off,
        chosen => chosen,
    };
    let marks = Highlighter::new(&query);
    if args.json {
        return out.line(answer(&found, args.highlight.then_some(&marks)));
    }
    let rows = rows(&found.files, fields, &marks);
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    footer(out, &found)
}

/// A sentence alone, where a model pack reads sentences.
fn pictured(args: &Args, dataset: &Dataset, fields: &[FieldId], out: &mut Output) -> Result<()> {
    let (sentence, limit) = (args.ask.sentence(), args.ask.limit());
    let mut found = Found { files: Vec::new(), total: None, next: args.next.clone(), fell_back: false };
    while found.files.len() < limit {
        let page = Page { max_results: (limit - found.files.len()).min(MAX_PAGE), token: found.next };
        let answer = dataset.semantic(&sentence, &[], page, &with_uri(fields))?;
        found.files.extend(answer.files);
        found.next = answer.next_token;
        if found.next.is_empty() {
            break;
        }
    }
    if args.json {
        return out.line(answer(&found, None));
    }
    let rows = rows(&found.files, fields, &Highlighter::new(&Query::default()));
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    footer(out, &found)
}

/// Aggregations, one after the other, and the number of files that they are about.
fn compute(args: &Args, dataset: &Dataset, mut query: Query, out: &mut Output) -> Result<()> {
    query.page.max_results = args.ask.limit();
    let answer = dataset.search(&query)?;
    if args.json {
        return out.line(computed(&answer.aggregates, answer.total));
    }
    bars::lines(&answer.aggregates, output::width()).iter().try_for_each(|line| out.line(line))?;
    if answer.fell_back {
        out.line(CLOSE)?;
    }
    out.line(counted(answer.total.unwrap_or(0), "file"))
}

fn computed(aggregates: &[Aggregate], total: Option<u64>) -> serde_json::Value {
    serde_json::json!({ "Aggregations": aggregates, "TotalHits": total })
}

fn explain(args: &Args, dataset: &Dataset, mut query: Query, out: &mut Output) -> Result<()> {
    let most = if query.aggregations.is_empty() { MAX_PAGE } else { usize::MAX };
    query.page.max_results = args.ask.limit().min(most);
    let (hits, explanation) = dataset.explain(&query)?;
    if args.json {
        let explained = reply::explanation(&explanation);
        return out.line(serde_json::json!({ "Explanation": explained, "TotalHits": hits.total }));
    }
    out.line(explanation.to_string().trim_end())?;
    out.line(counted(hits.total.unwrap_or(0), "file"))
}

/// The table shows the URI with whatever fields were asked for.
fn with_uri(fields: &[FieldId]) -> Vec<FieldId> {
    let mut all = fields.to_vec();
    if !all.is_empty() && !all.contains(&field::URI) {
        all.push(field::URI);
    }
    all
}

/// As many pages as `limit` files take.
fn collect(dataset: &Dataset, mut query: Query, limit: usize) -> Result<Found> {
    let mut found = Found { files: Vec::new(), total: None, next: String::new(), fell_back: false };
    while found.files.len() < limit {
        query.page.max_results = (limit - found.files.len()).min(MAX_PAGE);
        let answer = dataset.search(&query)?;
        // Only the first page counts; the others belong to the same question.
        found.total = found.total.or(answer.total);
        found.fell_back = answer.fell_back;
        query.without_total = true;
        found.files.extend(answer.files);
        found.next = answer.next_token.clone();
        if answer.next_token.is_empty() {
            break;
        }
        query.page.token = answer.next_token;
    }
    Ok(found)
}

fn answer(found: &Found, marks: Option<&Highlighter>) -> serde_json::Value {
    let mut answer = serde_json::json!({ "Files": found.files, "TotalHits": found.total, "NextToken": found.next });
    if let (Some(members), Some(marks)) = (answer.as_object_mut(), marks) {
        let highlights = found.files.iter().map(|file| reply::highlights(&marks.file(file)));
        members.insert("Highlights".to_owned(), highlights.collect());
    }
    answer
}

fn rows(files: &[File], fields: &[FieldId], marks: &Highlighter) -> Vec<Vec<Cell>> {
    let style = Style { colour: output::colour() };
    let width = output::width();
    // Half of the line is for the address, the rest for what else is known.
    let room = width.map_or(usize::MAX, |w| w / 2);
    let row = |file: &File| {
        let mut row = vec![uri_cell(file.uri(), room, marks, style)];
        if fields.is_empty() {
            row.extend(facts(file));
            row.push(match_cell(file, marks, style));
        } else {
            let value = |id: &FieldId| file.get(*id).map(fields::shown).unwrap_or_default();
            row.extend(fields.iter().filter(|id| **id != field::URI).map(|id| Cell::from(value(id))));
        }
        row
    };
    files.iter().map(row).collect()
}

fn uri_cell(uri: &str, room: usize, marks: &Highlighter, style: Style) -> Cell {
    let text = table::shorten(&printable(uri), room);
    // Brackets would spoil an address that is to be copied: without colour the last column shows the match.
    let painted = style.colour.then(|| style.paint(&text, &marks.text(&text)));
    Cell { text, painted, right: false }
}

/// Size, day, and what kind of media it is.
fn facts(file: &File) -> [Cell; 3] {
    let size = file.int(field::SIZE).and_then(|s| u64::try_from(s).ok());
    let time = file.text(field::PRODUCE_TIME).or_else(|| file.text(field::FILE_MODIFIED_TIME));
    let day = time.and_then(|t| t.get(..10)).unwrap_or("");
    [
        Cell::right(size.map(output::bytes).unwrap_or_default()),
        Cell::from(printable(day)),
        Cell::from(printable(file.text(field::MEDIA_TYPE).unwrap_or(""))),
    ]
}

/// The first text that matches, with its surroundings: one that the other columns do not show, if there is any.
fn match_cell(file: &File, marks: &Highlighter, style: Style) -> Cell {
    let places = marks.file(file);
    let in_address = |id: FieldId| id == field::URI || id == field::FILENAME;
    let other = places.iter().find(|place| !in_address(place.field.id) && place.field.id != field::MEDIA_TYPE);
    let address = || places.iter().find(|place| in_address(place.field.id));
    let found = if style.colour { other } else { other.or_else(address) };
    let Some(place) = found else { return Cell::default() };
    let excerpt = style.excerpt(place.value(file).unwrap_or(""), &place.ranges);
    Cell::from(format!("{}: {excerpt}", place.field))
}

fn footer(out: &mut Output, found: &Found) -> Result<()> {
    let shown = found.files.len() as u64;
    if found.fell_back {
        out.line(CLOSE)?;
    }
    match found.total {
        Some(total) if total > shown => out.line(format_args!("{}, {shown} shown", counted(total, "file")))?,
        Some(total) => out.line(counted(total, "file"))?,
        None => out.line(format_args!("{} shown", counted(shown, "file")))?,
    }
    if !found.next.is_empty() {
        out.line(format_args!("next page: --next {}", found.next))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Highlighter {
        Highlighter::new(&Query { text: text.to_owned(), ..Query::default() })
    }

    #[test]
    fn a_row_shows_the_address_and_the_match() {
        let file = File::from_json(r#"{"URI":"oss://b/2022/IMG_2041.jpg","Title":"Old harbour at midnight","Size":2048,"MediaType":"image","ProduceTime":"2022-06-21T23:58:03Z"}"#).unwrap();
        let rows = rows(std::slice::from_ref(&file), &[], &marks("HARBOUR"));
        let line = table::lines(&rows).join("\n");
        assert_eq!(line, "oss://b/2022/IMG_2041.jpg  2.0 KiB  2022-06-21  image  Title: Old [harbour] at midnight");
        let plain = match_cell(&file, &marks("2041"), Style { colour: false });
        assert_eq!(plain.text, "URI: oss://b/2022/IMG_[2041].jpg");
        assert!(match_cell(&file, &marks("2041"), Style { colour: true }).text.is_empty());
    }
}
