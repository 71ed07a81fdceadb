//! `medialith backup`: a copy that is a database of its own.

use super::args::Place;
use super::exit::Exit;
use super::output::note;
use crate::error::Result;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to make; it must not exist yet
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    place.write()?.checkpoint(&args.to)?;
    note(format_args!("backup in {0}; use it with --db {0}", args.to.display()));
    Ok(Exit::Done)
}
