//! `medialith export`: all documents, one per line, in URI order. `medialith import` reads them back.

use super::args::Place;
use super::exit::Exit;
use super::output::Output;
use crate::error::{Error, Result};

/// Documents fetched at once.
const PAGE: usize = 1000;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, place: &Place) -> Result<Exit> {
    let dataset = place.dataset()?;
    let mut out = Output::new();
    let mut after = String::new();
    loop {
        let files = dataset.scan(&after, PAGE)?;
        let Some(last) = files.last() else { break };
        after = last.uri().to_owned();
        for file in &files {
            let line = serde_json::to_string(file);
            out.line(line.map_err(|e| Error::corrupted(format!("{}: a stored value is not JSON: {e}", file.uri())))?)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}
