//! `medialith inspect`: what files say of themselves, and where they say it.

use super::args::Place;
use super::exit::Exit;
use super::hashing;
use super::output::{self, Output, complain, counted, printable};
use super::table::{self, Cell};
use crate::engine::extraction::{Datum, Fact, Options};
use crate::engine::{Inspection, Inspector};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Characters of a value that a table shows.
const SHOWN: usize = 100;

#[derive(clap::Args)]
#[command(after_help = "\
Needs no database and stores nothing. With --facts each fact is shown as found: format, vocabulary and tag, place in the file,
value. With --json there is one object per line: Path, File, Warnings, BytesRead, Ranges, and Facts if asked for.")]
pub(crate) struct Args {
    /// Files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show every fact and where it was found
    #[arg(long)]
    facts: bool,
    /// One JSON object per file and line
    #[arg(long)]
    json: bool,
    /// Most KiB of a document's text, 0 to 1024
    #[arg(long, value_name = "KIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(0..=1024))]
    text: u32,
    #[command(flatten)]
    hashing: hashing::Hashing,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let inspector = Inspector::new(&place.walls.isolation())?;
    let mut options = Options { digests: args.hashing.digests(), ..Options::default() };
    options.limits.content = hashing::bytes(args.text);
    let mut out = Output::new();
    let mut exit = Exit::Done;
    for path in &args.files {
        let shown = match inspector.inspect(path, &options) {
            Ok(found) if args.json => out.line(as_json(path, &found, args.facts)),
            Ok(found) => as_text(path, &found, args, &mut out),
            Err(e) => {
                complain(format_args!("{}: {}", printable(&path.to_string_lossy()), printable(e.message())));
                exit = if args.files.len() > 1 { Exit::Partial } else { Exit::of(&e) };
                Ok(())
            }
        };
        shown?;
    }
    out.flush()?;
    Ok(exit)
}

fn as_json(path: &Path, found: &Inspection, facts: bool) -> Value {
    let extracted = &found.extracted;
    let warnings: Vec<Value> = extracted
        .warnings
        .iter()
        .map(|w| json!({"Format": w.format, "Offset": w.offset, "Message": w.message}))
        .collect();
    let ranges: Vec<[u64; 2]> = extracted.ranges.iter().map(|r| [r.start, r.end]).collect();
    let mut object = json!({
        "Path": path.to_string_lossy(),
        "File": found.file,
        "Warnings": warnings,
        "BytesRead": extracted.bytes_read,
        "Ranges": ranges,
    });
    if facts && let Some(object) = object.as_object_mut() {
        let all: Vec<Value> = extracted.facts.iter().map(fact_json).collect();
        object.insert("Facts".to_owned(), all.into());
    }
    object
}

fn fact_json(fact: &Fact) -> Value {
    let value = match &fact.value {
        Datum::Int(number) => json!(number),
        Datum::Float(number) => json!(number),
        other => json!(shown(other)),
    };
    let group = format!("{:?}", fact.group);
    json!({"Format": fact.format, "Group": group, "Tag": fact.tag, "Offset": fact.offset, "Value": value})
}

fn shown(value: &Datum) -> String {
    match value {
        Datum::Text(text) => text.to_string(),
        Datum::Int(number) => number.to_string(),
        Datum::Float(number) => number.to_string(),
        Datum::Time(moment) => match moment.offset {
            Some(0) => format!("{}Z", moment.clock),
            Some(seconds) => format!("{} {seconds:+} s from UTC", moment.clock),
            None => moment.clock.to_string(),
        },
        Datum::Place(place) => place.to_string(),
    }
}

fn as_text(path: &Path, found: &Inspection, args: &Args, out: &mut Output) -> Result<()> {
    out.line(printable(&path.to_string_lossy()))?;
    let document = serde_json::to_string_pretty(&found.file);
    out.line(document.map_err(|e| Error::corrupted(format!("a member is not JSON: {e}")))?)?;
    let extracted = &found.extracted;
    if args.facts {
        let rows: Vec<Vec<Cell>> = extracted.facts.iter().map(fact_row).collect();
        table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    }
    for warning in &extracted.warnings {
        out.line(format_args!("warning: {}", printable(&warning.to_string())))?;
    }
    let ranges: Vec<String> = extracted.ranges.iter().map(|r| format!("{}-{}", r.start, r.end)).collect();
    let (read, size) = (output::bytes(extracted.bytes_read), output::bytes(found.size));
    let count = counted(ranges.len() as u64, "range");
    out.line(format_args!("read {read} of {size} in {count}: {}", ranges.join(" ")))
}

fn fact_row(fact: &Fact) -> Vec<Cell> {
    let value: String = printable(&shown(&fact.value)).chars().take(SHOWN).collect();
    let name = format!("{:?} {}", fact.group, printable(&fact.tag));
    vec![
        Cell::from(format!("  {}", fact.format)),
        Cell::right(fact.offset.to_string()),
        Cell::from(name),
        Cell::from(value),
    ]
}
