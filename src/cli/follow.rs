//! `medialith follow`: follows the bound folders and stores until it is told to stop.

use super::args::Place;
use super::bind::all_of;
use super::exit::Exit;
use super::interrupt;
use super::output::{Output, printable};
use crate::engine::{Buckets, FollowOptions, VideoOptions};
use crate::error::Result;
use crate::model::{Binding, BindingState};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);
/// How often states are printed that changed.
const TELL: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
#[command(after_help = "\
Reads what is there first (it goes on where an earlier run was stopped), then every change: within a fraction of a second where
the system tells of it, from time to time on network mounts and beyond the budget of watches. Object stores are listed from time to time. A folder or store that cannot be reached is
tried again and loses nothing. `medialith serve` follows as well. Ctrl-C or SIGTERM ends it.")]
pub(crate) struct Args {
    #[command(flatten)]
    how: How,
    /// Folder or store of a bucket that was bound through the server (may be repeated)
    #[arg(long = "bucket", value_name = "NAME=PLACE", value_parser = super::serve::bucket)]
    buckets: Vec<(String, PathBuf)>,
    /// End once everything that is there now has been indexed
    #[arg(long)]
    once: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// How folders are followed.
#[derive(clap::Args, Clone)]
pub(crate) struct How {
    /// Folders to watch at most; the others are looked at from time to time [default: half of what the system allows]
    #[arg(long, value_name = "COUNT")]
    watches: Option<u64>,
    /// Watch nothing: look at all folders from time to time
    #[arg(long)]
    poll: bool,
    /// List object stores so often [default: every 30 s, while nothing changes less often, down to every 10 min]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    list_every: Option<u64>,
    /// Ask for the tags of so many objects of each store after each listing, a request for each: the next ones each time
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    store_tags: usize,
}

impl How {
    pub(crate) fn options(&self) -> FollowOptions {
        let mut options =
            FollowOptions { watches: self.watches, poll: self.poll, tags: self.store_tags, ..FollowOptions::default() };
        if let Some(seconds) = self.list_every {
            (options.list_least, options.list_most) = (Duration::from_secs(seconds), Duration::from_secs(seconds));
        }
        options
    }
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let asked = interrupt::watch();
    let mut buckets = Buckets::new();
    args.buckets.iter().try_for_each(|(name, path)| buckets.add(name, path))?;
    let engine = place.write()?;
    let films = engine.start_film_labels(buckets.clone(), VideoOptions::default())?;
    let follower = engine.start_follower(buckets, args.how.options())?;
    let (mut told, mut at): (BTreeMap<String, String>, Option<Instant>) = (BTreeMap::new(), None);
    let mut tell = |bindings: &[Binding]| -> Result<()> {
        let mut out = Output::new();
        for binding in bindings.iter().filter(|_| !args.quiet) {
            let line = line(binding);
            if told.insert(binding.uri(), line.clone()).as_ref() != Some(&line) {
                out.line(line)?;
            }
        }
        out.flush()
    };
    let mut done = false;
    while !asked.load(Ordering::Relaxed) && !done {
        if at.is_none_or(|at| at.elapsed() >= TELL) {
            tell(&all_of(&engine, place)?)?;
            at = Some(Instant::now());
        }
        done = args.once && follower.wait_idle(LOOK_UP)? && films.wait_idle(LOOK_UP);
        if !args.once {
            std::thread::sleep(LOOK_UP);
        }
    }
    let bindings = all_of(&engine, place)?;
    tell(&bindings)?;
    follower.stop();
    films.stop();
    if args.once {
        engine.dataset(&place.project, &place.dataset)?.settle()?;
    }
    let unreached = bindings.iter().any(|b| matches!(b.state, BindingState::Retrying | BindingState::Failed));
    Ok(match (args.once && done, unreached) {
        (true, true) => Exit::Partial,
        (false, _) if args.once => Exit::Interrupted,
        _ => Exit::Done,
    })
}

fn line(binding: &Binding) -> String {
    let coverage = &binding.coverage;
    let line = format!("{}  {} {}", binding.uri(), binding.state.name(), binding.phase.name());
    let mut line = line.trim_end().to_owned();
    if binding.state == BindingState::Running {
        line.push_str(&format!("  {} folders live, {} polled", coverage.live, coverage.polled));
    }
    if coverage.unreachable > 0 {
        line.push_str(&format!(", {} unreachable", coverage.unreachable));
    }
    if !binding.reason.is_empty() {
        line.push_str(&format!("  ({})", printable(&binding.reason)));
    }
    line
}
