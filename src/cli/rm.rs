//! `medialith rm`: forgets files. The files themselves stay where they are.

use super::args::Place;
use super::exit::Exit;
use super::lines::{Line, Lines};
use super::output::{counted, note};
use crate::error::{Error, Result};
use crate::model::Uri;
use std::path::Path;

/// Addresses of one durable batch.
const BATCH: usize = 10_000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Addresses: oss://bucket/key; `-` reads them from standard input, one per line
    #[arg(required = true, value_name = "URI")]
    uris: Vec<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let uris = if args.uris == ["-"] { from_stdin()? } else { args.uris.clone() };
    uris.iter().try_for_each(|uri| Uri::parse(uri).map(drop))?;
    let dataset = place.dataset()?;
    let before = dataset.describe()?.file_count;
    for batch in uris.chunks(BATCH) {
        dataset.delete(batch)?;
    }
    let removed = before - dataset.describe()?.file_count;
    if !args.quiet {
        note(format_args!("{} forgotten", counted(u64::try_from(removed).unwrap_or(0), "file")));
    }
    Ok(Exit::Done)
}

fn from_stdin() -> Result<Vec<String>> {
    let mut lines = Lines::open(Path::new("-"))?;
    let mut uris = Vec::new();
    while let Some((number, line)) = lines.next()? {
        match line {
            Line::Text(text) => uris.push(text.to_owned()),
            Line::Bad(why) => return Err(Error::invalid(format!("standard input, line {number}: {why}"))),
        }
    }
    Ok(uris)
}
