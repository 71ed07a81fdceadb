//! later
use super::{args::Place, exit::Exit};
use crate::error::Result;
#[derive(clap::Args)]
pub(crate) struct Args {}
pub(crate) fn run(_args: &Args, _place: &Place) -> Result<Exit> {
    Ok(Exit::Done)
}
