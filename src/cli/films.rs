//! Films whose labels are found after their documents are stored: done here, or left for later.

use super::output::{Output, complain, counted};
use crate::engine::{Buckets, Dataset, FilmLabels, VideoOptions};
use crate::error::Result;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Looks at the films of a dataset that wait, as far as they lie in `buckets`; answers whether it was not stopped before.
pub(super) fn look(dataset: &Dataset, buckets: Buckets, quiet: bool, asked: &AtomicBool) -> Result<bool> {
    if dataset.waiting_films()? == 0 {
        return Ok(true);
    }
    let films = dataset.engine().start_film_labels(buckets, VideoOptions::default())?;
    while !films.wait_idle(LOOK_UP) {
        if asked.load(Ordering::Relaxed) {
            films.stop();
            complain(format_args!("stopped; {} left for the next run", waiting(dataset)?));
            return Ok(false);
        }
    }
    tell(dataset, &films, quiet)?;
    Ok(true)
}

/// Tells what came of films.
fn tell(dataset: &Dataset, films: &FilmLabels, quiet: bool) -> Result<()> {
    films.stop();
    let (counts, left) = (films.counts(), dataset.waiting_films()?);
    if quiet {
        return Ok(());
    }
    let mut line = format!("{} labelled", counted(counts.done, "film"));
    if counts.failed > 0 {
        line.push_str(&format!(", {} could not be (see ops.LabelClassification.reason)", counts.failed));
    }
    if left > 0 {
        line.push_str(&format!(", {left} left waiting: not found in the folders that were given"));
    }
    let mut out = Output::new();
    out.line(line)?;
    out.flush()
}

fn waiting(dataset: &Dataset) -> Result<String> {
    Ok(counted(dataset.waiting_films()?, "film"))
}
