//! `medialith reprocess`: files that a query finds are read again, by the template that governs now.

use super::args::Place;
use super::ask::read_filter;
use super::exit::Exit;
use super::output::{Output, complain, counted, printable};
use super::{films, interrupt, serve};
use crate::engine::language;
use crate::engine::{Buckets, IndexerOptions};
use crate::error::{Error, Result};
use crate::model::{Filter, Query};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
Each operator of a template leaves its state with a file: ops.NAME.state is done, failed or unavailable, ops.NAME.version tells
which version gave the result.

  medialith reprocess --bucket photos=/srv/photos --where 'ops.ImageScoring.state:failed'
  medialith reprocess --bucket photos=/srv/photos --where 'type:image not has:ops.ImageHash.state'

The work is remembered: what is left when the command is stopped is done by its next run, or by `medialith serve`.")]
pub(crate) struct Args {
    /// Which files: the query language, or a tree of the API as JSON; several must all hold
    #[arg(long = "where", required = true, value_name = "FILTER", allow_hyphen_values = true)]
    filter: Vec<String>,
    /// Folder or store that holds the files of oss://NAME (may be repeated)
    #[arg(long = "bucket", required = true, value_name = "NAME=PLACE", value_parser = serve::bucket)]
    buckets: Vec<(String, PathBuf)>,
    /// Name another workflow template of the dataset first
    #[arg(long, value_name = "ID")]
    template: Option<String>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let mut filter = None;
    for form in &args.filter {
        filter = language::both(filter, read_filter(form)?);
    }
    let filter: Filter = filter.ok_or_else(|| Error::invalid("--where: expected a condition, got none"))?;
    let mut buckets = Buckets::new();
    args.buckets.iter().try_for_each(|(name, path)| buckets.add(name, path))?;
    let asked = interrupt::watch();
    let engine = place.write()?;
    let dataset = engine.dataset(&place.project, &place.dataset)?;
    args.template.iter().try_for_each(|id| dataset.set_template(id))?;
    let indexer = engine.start_indexer(buckets.clone(), IndexerOptions::default())?;
    let handed_in = indexer.reprocess(&dataset, &Query { filter: Some(filter), ..Query::default() })?;
    while !indexer.wait_idle(LOOK_UP) {
        if asked.load(Ordering::Relaxed) {
            indexer.stop();
            complain(format_args!("stopped with {} left; run again to continue", counted(indexer.pending(), "file")));
            return Ok(Exit::Interrupted);
        }
    }
    indexer.stop();
    if !films::look(&dataset, buckets, args.quiet, asked)? {
        return Ok(Exit::Interrupted);
    }
    dataset.settle()?;
    if args.quiet {
        return Ok(Exit::Done);
    }
    let mut out = Output::new();
    let template = dataset.template()?;
    let by = if template.is_empty() { "without a template".to_owned() } else { format!("by {}", printable(&template)) };
    out.line(format_args!("{} read again {by}", counted(handed_in.files, "file")))?;
    if handed_in.elsewhere > 0 {
        out.line(format_args!(
            "{} left as they are: in no bucket that was given",
            counted(handed_in.elsewhere, "file")
        ))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
