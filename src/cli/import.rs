//! `medialith import`: File documents from JSON lines, in durable batches, parsed on a thread of their own.

use super::args::Place;
use super::exit::Exit;
use super::lines::{Line, Lines};
use super::output::{complain, count, counted, note, printable, took};
use super::{interrupt, memory, progress};
use crate::error::{Error, Result};
use crate::model::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Documents of one batch: acknowledged, and durable, together.
const BATCH_FILES: usize = 10_000;
/// The same where memory is scarce: a parsed document takes some kilobytes, and three batches are under way at a time.
const SMALL_BATCH_FILES: usize = 1_000;
/// A batch of large documents ends earlier, so that few of them are in memory at once.
const BATCH_BYTES: usize = 16 << 20;
/// How often a run that waits for input looks whether it should stop.
const LOOK_UP: Duration = Duration::from_millis(100);
/// Longest reason that is printed for one line.
const MAX_REASON_CHARS: usize = 400;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of JSON lines, plain or Zstandard; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// What one file's parser found since the last batch.
#[derive(Default)]
struct Batch {
    files: Vec<File>,
    bytes: usize,
    bad: Vec<(u64, String)>,
}

/// The sums of a run.
#[derive(Default)]
struct Sums {
    stored: u64,
    bad: u64,
    stopped: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let dataset = place.create()?;
    let asked = interrupt::watch();
    let bar = progress::counter(args.quiet, "documents");
    let started = Instant::now();
    let batch_files = if memory::is_scarce(place) { SMALL_BATCH_FILES } else { BATCH_FILES };
    let mut sums = Sums::default();
    for path in &args.files {
        let batches = start(Lines::open(path)?, batch_files)?;
        let stored = store(path, &batches, &mut sums, asked, |files| {
            let count = files.len() as u64;
            dataset.put(files).map(|()| bar.inc(count))
        });
        stored.inspect_err(|_| {
            bar.finish_and_clear();
            note(format_args!("{} stored before this failed", counted(sums.stored, "document")));
        })?;
    }
    if !sums.stopped {
        bar.set_message("finishing");
        // What is in segment files need not be indexed again by the next command.
        dataset.settle()?;
    }
    bar.finish_and_clear();
    Ok(summary(args, &sums, started.elapsed()))
}

/// Parses on a thread that nobody joins: it may be waiting for input when the run is stopped.
fn start(lines: Lines, batch_files: usize) -> Result<Receiver<Result<Batch>>> {
    let (sender, receiver) = sync_channel(1);
    let parser = std::thread::Builder::new().name("json".into()).spawn(move || parse(lines, batch_files, &sender));
    parser.map(|_| receiver).map_err(|e| Error::io("start a thread", e))
}

/// Cuts the lines into batches until the end, an unreadable place, or a receiver that has gone.
fn parse(mut lines: Lines, batch_files: usize, sender: &SyncSender<Result<Batch>>) {
    let mut batch = Batch::default();
    loop {
        match lines.next() {
            Ok(Some((number, line))) => batch.take(number, line),
            Ok(None) => {
                let _ = sender.send(Ok(batch));
                return;
            }
            Err(e) => {
                let _ = sender.send(Ok(batch)).and_then(|()| sender.send(Err(e)));
                return;
            }
        }
        if batch.files.len() >= batch_files || batch.bytes >= BATCH_BYTES {
            let full = std::mem::take(&mut batch);
            batch.files.reserve(full.files.len());
            if sender.send(Ok(full)).is_err() {
                return;
            }
        }
    }
}

impl Batch {
    fn take(&mut self, number: u64, line: Line<'_>) {
        let text = match line {
            Line::Text(text) => text,
            Line::Bad(why) => return self.bad.push((number, why)),
        };
        let file = File::from_json(text).and_then(|file| file.validate().map(|()| file));
        match file {
            Ok(file) => {
                self.bytes += text.len();
                self.files.push(file);
            }
            Err(e) => self.bad.push((number, e.message().chars().take(MAX_REASON_CHARS).collect())),
        }
    }
}

/// Hands every batch to `put` and reports the bad lines, until the input ends or a signal asks to stop.
fn store(
    path: &Path,
    batches: &Receiver<Result<Batch>>,
    sums: &mut Sums,
    asked: &AtomicBool,
    mut put: impl FnMut(Vec<File>) -> Result<()>,
) -> Result<()> {
    while !sums.stopped {
        match batches.recv_timeout(LOOK_UP) {
            Ok(batch) => {
                let batch = batch?;
                for (number, why) in &batch.bad {
                    complain(format_args!("{}:{number}: {}", path.display(), printable(why)));
                }
                sums.bad += batch.bad.len() as u64;
                let count = batch.files.len() as u64;
                put(batch.files)?;
                sums.stored += count;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        sums.stopped = asked.load(Ordering::Relaxed);
    }
    Ok(())
}

fn summary(args: &Args, sums: &Sums, time: Duration) -> Exit {
    if !args.quiet {
        let rate = (sums.stored as f64 / time.as_secs_f64().max(0.001)) as u64;
        note(format_args!("{} stored in {} ({}/s)", counted(sums.stored, "document"), took(time), count(rate)));
    }
    if sums.bad > 0 {
        complain(format_args!("{} not stored: invalid", counted(sums.bad, "line")));
    }
    match sums {
        Sums { stopped: true, .. } => Exit::Interrupted,
        Sums { bad: 1.., .. } => Exit::Partial,
        _ => Exit::Done,
    }
}
