//! `medialith check`: proves that index, records and counts agree and nothing on disk is damaged.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, counted};
use crate::error::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Skip the content of records and of index sections: only what is named must be there and agree
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let report = place.read()?.check(!args.quick)?;
    let mut out = Output::new();
    for problem in &report.problems {
        out.line(format_args!("{}: {}", problem.place, problem.what))?;
    }
    let unlisted = report.problem_count.saturating_sub(report.problems.len() as u64);
    if unlisted > 0 {
        out.line(format_args!("... and {} more", counted(unlisted, "problem")))?;
    }
    let (datasets, records) = (counted(report.datasets, "dataset"), counted(report.records, "record"));
    let parts = counted(report.parts, "index part");
    out.line(format_args!("checked {datasets}, {records}, {parts}: {}", counted(report.problem_count, "problem")))?;
    out.flush()?;
    Ok(if report.is_clean() { Exit::Done } else { Exit::Damaged })
}
