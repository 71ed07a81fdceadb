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
    let dataset = place.write()?.dataset(&place.project, &place.dataset)?;
    let mut removed = 0;
    for batch in uris.chunks(BATCH) {
        removed += dataset.delete(batch.to_vec())?.into_iter().filter(|there| *there).count() as u64;
    }
    if !args.quiet {
        note(format_args!("{} forgotten", counted(removed, "file")));
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
