//! `medialith get`: everything that is known of files, as JSON.

use super::args::Place;
use super::exit::Exit;
use super::fields;
use super::output::{Output, complain, printable};
use crate::error::{Error, Result};
use crate::model::Uri;
use std::io::IsTerminal;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Addresses: oss://bucket/key
    #[arg(required = true, value_name = "URI")]
    uris: Vec<String>,
    /// Only these fields
    #[arg(long, value_name = "FIELDS")]
    fields: Vec<String>,
    /// One document per line even on a terminal
    #[arg(long)]
    compact: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let fields = fields::parse(&args.fields)?;
    args.uris.iter().try_for_each(|uri| Uri::parse(uri).map(drop))?;
    let dataset = place.dataset()?;
    let pretty = !args.compact && std::io::stdout().is_terminal();
    let mut out = Output::new();
    let mut exit = Exit::Done;
    for uri in &args.uris {
        let Some(file) = dataset.get(uri, &fields)? else {
            complain(format_args!("{} has no file {}", place.dataset, printable(uri)));
            exit = Exit::NotFound;
            continue;
        };
        let text = if pretty { serde_json::to_string_pretty(&file) } else { serde_json::to_string(&file) };
        out.line(text.map_err(|e| Error::corrupted(format!("{uri}: a stored value is not JSON: {e}")))?)?;
    }
    out.flush()?;
    Ok(exit)
}
