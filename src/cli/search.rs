//! `medialith search`: files by any text that is known of them, as a table for people or as JSON.

use super::args::Place;
use super::exit::Exit;
use super::fields;
use super::mark::{Parts, Style};
use super::output::{self, Output, counted, printable};
use super::table::{self, Cell};
use crate::engine::Dataset;
use crate::error::Result;
use crate::model::query::MAX_PAGE;
use crate::model::{FieldId, File, Order, Page, Query, SortKey, Typos, field};

/// Characters of a matching text that are shown before and after the match.
const CONTEXT_CHARS: usize = 24;

#[derive(clap::Args)]
#[command(after_help = "\
Every part of TEXT must occur in some text of the file, in any script and at any length, whatever its case or accents.
\"Double quotes\" keep a phrase together; part~ and part~2 allow typos.")]
pub(crate) struct Args {
    /// What to look for
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Fields to sort by, most important first: Size,ProduceTime [default: by URI]
    #[arg(long, value_name = "FIELDS", default_value = "", hide_default_value = true)]
    sort: String,
    /// asc or desc for each sort field [default: desc; asc for those after the last one given]
    #[arg(long, value_name = "ORDERS", default_value = "", hide_default_value = true)]
    order: String,
    /// Most files to show
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Continue after the page that ended with this token
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    next: String,
    /// Only these fields
    #[arg(long, value_name = "FIELDS")]
    fields: Vec<String>,
    /// When to allow typos
    #[arg(long, value_enum, default_value_t = TypoChoice::Fallback)]
    typos: TypoChoice,
    /// Print one JSON object: Files, TotalHits, NextToken
    #[arg(long)]
    json: bool,
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

/// What the pages of one command came to.
struct Found {
    files: Vec<File>,
    total: Option<u64>,
    next: String,
    fell_back: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let fields = fields::parse(&args.fields)?;
    let query = Query {
        text: args.text.join(" "),
        typos: match args.typos {
            TypoChoice::Off => Typos::Off,
            TypoChoice::Fallback => Typos::Fallback,
            TypoChoice::Always => Typos::Always,
        },
        sort: SortKey::parse_list(&args.sort, &args.order, Order::Asc)?,
        page: Page { max_results: 0, token: args.next.clone() },
        with_fields: with_uri(&fields),
        ..Query::default()
    };
    let found = collect(&place.dataset()?, query.clone(), args.limit)?;
    let mut out = Output::new();
    if args.json {
        out.line(answer(&found))?;
    } else {
        let rows = rows(&found.files, &fields, &Parts::of(&query.text));
        table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
        footer(&mut out, &found)?;
    }
    out.flush()?;
    Ok(Exit::Done)
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

fn answer(found: &Found) -> serde_json::Value {
    serde_json::json!({ "Files": found.files, "TotalHits": found.total, "NextToken": found.next })
}

fn rows(files: &[File], fields: &[FieldId], parts: &Parts) -> Vec<Vec<Cell>> {
    let style = Style { colour: output::colour() };
    let width = output::width();
    // Half of the line is for the address, the rest for what else is known.
    let room = width.map_or(usize::MAX, |w| w / 2);
    let row = |file: &File| {
        let mut row = vec![uri_cell(file.uri(), room, parts, style)];
        if fields.is_empty() {
            row.extend(facts(file));
            row.push(match_cell(file, parts, style));
        } else {
            let value = |id: &FieldId| file.get(*id).map(fields::shown).unwrap_or_default();
            row.extend(fields.iter().filter(|id| **id != field::URI).map(|id| Cell::from(value(id))));
        }
        row
    };
    files.iter().map(row).collect()
}

fn uri_cell(uri: &str, room: usize, parts: &Parts, style: Style) -> Cell {
    let text = table::shorten(&printable(uri), room);
    // Brackets would spoil an address that is to be copied: without colour the last column shows the match.
    let painted = style.colour.then(|| style.paint(&text, &parts.ranges(&text)));
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

/// The first text that matches, with its surroundings: one that the address does not show, if there is any.
fn match_cell(file: &File, parts: &Parts, style: Style) -> Cell {
    let texts = fields::searched(file);
    let in_address = |path: &str| path == field::URI.field().path || path == field::FILENAME.field().path;
    let matching = |(path, text): &&(String, &str)| !in_address(path) && !parts.ranges(text).is_empty();
    let other = texts.iter().find(matching);
    let address = || texts.iter().find(|(path, text)| in_address(path) && !parts.ranges(text).is_empty());
    let found = if style.colour { other } else { other.or_else(address) };
    let Some((path, text)) = found else { return Cell::default() };
    let shown = surroundings(&printable(text), parts);
    let painted = style.paint(&shown, &parts.ranges(&shown));
    Cell { text: format!("{path}: {shown}"), painted: Some(format!("{path}: {painted}")), right: false }
}

/// `text` around its first match.
fn surroundings(text: &str, parts: &Parts) -> String {
    let Some(first) = parts.ranges(text).into_iter().next() else { return String::new() };
    let (before, after) = (text.get(..first.start).unwrap_or(""), text.get(first.end..).unwrap_or(""));
    let skipped = before.chars().count().saturating_sub(CONTEXT_CHARS);
    let head: String = before.chars().skip(skipped).collect();
    let tail: String = after.chars().take(CONTEXT_CHARS).collect();
    let dots = |cut: bool| if cut { "..." } else { "" };
    let matched = text.get(first).unwrap_or("");
    format!("{}{head}{matched}{tail}{}", dots(skipped > 0), dots(tail.len() < after.len()))
}

fn footer(out: &mut Output, found: &Found) -> Result<()> {
    let shown = found.files.len() as u64;
    if found.fell_back {
        out.line("nothing matches as written; these are close")?;
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

    #[test]
    fn a_row_shows_the_address_and_the_match() {
        let file = File::from_json(r#"{"URI":"oss://b/2022/IMG_2041.jpg","Title":"Old harbour at midnight","Size":2048,"MediaType":"image","ProduceTime":"2022-06-21T23:58:03Z"}"#).unwrap();
        let parts = Parts::of("HARBOUR");
        let rows = rows(std::slice::from_ref(&file), &[], &parts);
        let line = table::lines(&rows).join("\n");
        assert_eq!(line, "oss://b/2022/IMG_2041.jpg  2.0 KiB  2022-06-21  image  Title: Old [harbour] at midnight");
        let plain = match_cell(&file, &Parts::of("2041"), Style { colour: false });
        assert_eq!(plain.painted.as_deref(), Some("URI: oss://b/2022/IMG_[2041].jpg"));
        assert!(match_cell(&file, &Parts::of("2041"), Style { colour: true }).text.is_empty());
    }

    #[test]
    fn long_texts_are_cut_around_the_match() {
        let text = format!("{}needle{}", "x".repeat(100), "y".repeat(100));
        let shown = surroundings(&text, &Parts::of("needle"));
        assert_eq!(shown, format!("...{}needle{}...", "x".repeat(24), "y".repeat(24)));
    }
}
