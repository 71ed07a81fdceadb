//! `medialith index`: folders, files and object stores become documents of a bucket.

use super::args::Place;
use super::exit::Exit;
use super::hashing;
use super::output::{self, Output, complain, count, counted, printable};
use super::table::{self, Cell};
use super::{films, interrupt, progress};
use crate::engine::extraction::PoolOptions;
use crate::engine::{Buckets, Counts, Dataset, IngestOptions, IngestReport, Progress, is_remote};
use crate::error::{Error, ErrorKind, Result};
use crate::model::uri::is_bucket;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How often the bar moves and a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);
/// Longest bucket name (IMM takes those of OSS).
const MAX_BUCKET_BYTES: usize = 63;

#[derive(clap::Args)]
#[command(after_help = "\
A folder becomes a bucket: PLACE/2022/a.jpg is oss://NAME/2022/a.jpg. So does an object store, s3://BUCKET[/PREFIX][?OPTIONS] or
oss://BUCKET[/PREFIX][?OPTIONS]: docs/sources.md lists the options, and where its keys come from. Files whose size, modification time and inode are as they
were are passed over, so that running again continues or refreshes. Exit code 3 says that some files could not be read.

A template picks the operators that run: Official:MediaMeta, Official:ImageManagement, medialith:Visual (all that needs no
model), those of templates.toml in the folder of the database, and others (docs/operators.md). Files that were indexed before
keep what they have: --again or `medialith reprocess` reads them anew.")]
pub(crate) struct Args {
    /// Folders, files and stores
    #[arg(required = true, value_name = "PLACE")]
    paths: Vec<PathBuf>,
    /// Name of the bucket, for one PLACE [default: the name of the folder, or of the store's bucket]
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// Read unchanged files too
    #[arg(long)]
    again: bool,
    /// Files to read at the same time [default: one per processor]
    #[arg(short = 'j', long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Most KiB of a document's text that can be searched, 0 to 1024
    #[arg(long, value_name = "KIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(0..=1024))]
    text: u32,
    /// Workflow template of the dataset: what is told of its files, now and from now on [default: what files say of themselves]
    #[arg(long, value_name = "ID")]
    template: Option<String>,
    #[command(flatten)]
    hashing: hashing::Hashing,
    /// Read files in quarantine too: those that cost a worker process before
    #[arg(long)]
    release: bool,
    /// Leave films whose labels are to be found to the next run or to `medialith serve`: metadata alone is quick
    #[arg(long)]
    films_later: bool,
    /// Print only what could not be read
    #[arg(short, long)]
    quiet: bool,
}

/// One PLACE and the bucket that it becomes.
struct Job {
    path: PathBuf,
    bucket: String,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let jobs = plan(args)?;
    let dataset = place.create()?;
    if args.release {
        dataset.release_quarantined()?;
    }
    args.template.iter().try_for_each(|id| dataset.set_template(id))?;
    let asked = interrupt::watch();
    let mut exit = Exit::Done;
    for job in &jobs {
        let (started, progress) = (Instant::now(), Progress::new());
        let report = watched(&dataset, job, args, &progress, asked)?;
        summary(job, args, &report, progress.counts(), started.elapsed())?;
        if report.cancelled {
            return Ok(Exit::Interrupted);
        }
        if !report.failed.is_empty() || report.skipped.iter().any(|(_, why)| unreadable(why)) {
            exit = Exit::Partial;
        }
    }
    if !args.films_later {
        let mut buckets = Buckets::new();
        jobs.iter().try_for_each(|job| buckets.add(&job.bucket, &job.path))?;
        if !films::look(&dataset, buckets, args.quiet, asked)? {
            return Ok(Exit::Interrupted);
        }
    }
    // What is in segment files need not be indexed again by the next command.
    dataset.settle()?;
    Ok(exit)
}

/// Which path becomes which bucket; refuses what would mix two folders.
fn plan(args: &Args) -> Result<Vec<Job>> {
    if args.bucket.is_some() && args.paths.len() > 1 {
        return Err(Error::invalid(format!("--bucket: expected one PLACE to go with it, got {}", args.paths.len())));
    }
    let mut jobs: Vec<Job> = Vec::new();
    for given in &args.paths {
        let path = real(given)?;
        let bucket = args.bucket.clone().unwrap_or_else(|| bucket_of(&path));
        if !is_bucket(&bucket) {
            let rule = "1 to 63 of A-Z, a-z, 0-9, -, _ and ., not beginning with a dot";
            return Err(Error::invalid(format!("--bucket: expected {rule}, got {bucket:?}")));
        }
        if let Some(other) = jobs.iter().find(|job| job.bucket == bucket) {
            let (one, two) = (other.path.display(), path.display());
            let advice = "index them one by one with --bucket NAME";
            return Err(Error::invalid(format!("{one} and {two} would both be oss://{bucket}; {advice}")));
        }
        jobs.push(Job { path, bucket });
    }
    Ok(jobs)
}

/// The path without links; the address of a store as it is.
pub(super) fn real(given: &Path) -> Result<PathBuf> {
    if is_store(given) { Ok(given.to_owned()) } else { given.canonicalize().map_err(|e| absent(given, e)) }
}

/// Whether a place is an object store.
pub(super) fn is_store(place: &Path) -> bool {
    place.to_str().is_some_and(is_remote)
}

fn absent(path: &Path, e: std::io::Error) -> Error {
    if e.kind() == std::io::ErrorKind::NotFound {
        return Error::new(ErrorKind::NotFound, format!("there is no {}", path.display()));
    }
    Error::io(format_args!("find {}", path.display()), e)
}

/// The name of the folder (of a file: that it lies in), with `-` for what a bucket's name cannot hold; of a store its bucket.
pub(crate) fn bucket_of(path: &Path) -> String {
    if let Some((_, rest)) = path.to_str().filter(|text| is_remote(text)).and_then(|text| text.split_once("://")) {
        return rest.split(['/', '?']).next().unwrap_or(rest).to_owned();
    }
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let name = folder.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(allowed).take(MAX_BUCKET_BYTES).collect();
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { "files".to_owned() }
}

/// Indexes on a thread of its own while this one moves the bar and listens to signals.
fn watched(dataset: &Dataset, job: &Job, args: &Args, progress: &Progress, asked: &AtomicBool) -> Result<IngestReport> {
    let mut options = IngestOptions { again: args.again, ..IngestOptions::default() };
    options.extract.limits.content = hashing::bytes(args.text);
    options.extract.digests = args.hashing.digests();
    if options.extract.digests.read_all() {
        // Reading every byte of a large file takes longer than reading its headers ever does.
        options.pool.timeout = PoolOptions::MAX_TIMEOUT;
    }
    options.pool.threads = args.threads.unwrap_or(options.pool.threads);
    let bar = progress::files(args.quiet, (!is_store(&job.path)).then_some(job.path.as_path()));
    let started = Instant::now();
    let report = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let index = move || {
            let _ = sender.send(dataset.index_folder(&job.bucket, &job.path, &options, progress));
        };
        std::thread::Builder::new()
            .name("index".into())
            .spawn_scoped(scope, index)
            .map_err(|e| Error::io("start a thread", e))?;
        loop {
            match receiver.recv_timeout(LOOK_UP) {
                Ok(report) => return report,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(ErrorKind::Internal, "the indexing thread ended without a report"));
                }
            }
            if asked.load(Ordering::Relaxed) {
                progress.cancel();
            }
            bar.show(progress.counts(), started.elapsed());
        }
    });
    bar.close();
    report
}

fn summary(job: &Job, args: &Args, report: &IngestReport, counts: Counts, took: Duration) -> Result<()> {
    for (uri, why) in &report.failed {
        complain(format_args!("{}: {}", printable(uri), printable(why)));
    }
    for (key, why) in report.skipped.iter().filter(|(_, why)| unreadable(why)) {
        if key.is_empty() {
            // All of it: there is no name to give.
            complain(printable(why));
        } else {
            complain(format_args!("skipped {}: {}", printable(key), printable(why)));
        }
    }
    if args.quiet {
        return Ok(());
    }
    let mut out = Output::new();
    out.line(format_args!("{} as oss://{}", job.path.display(), job.bucket))?;
    let row = |(media, files): (&String, &u64)| vec![Cell::from(format!("  {media}")), Cell::right(count(*files))];
    let rows: Vec<Vec<Cell>> = report.media_types.iter().map(row).collect();
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    passed_over(report).iter().try_for_each(|line| out.line(line))?;
    out.line(closing(report, counts, took))?;
    out.flush()
}

/// What was passed over for what it is: one line for each reason, with an example.
fn passed_over(report: &IngestReport) -> Vec<String> {
    let mut reasons: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for (key, why) in report.skipped.iter().filter(|(_, why)| !unreadable(why)) {
        reasons.entry(why).or_insert((0, key)).0 += 1;
    }
    let line = |(why, (number, key)): (&&str, &(u64, &str))| {
        format!("  skipped {}, each {} (such as {})", count(*number), printable(why), printable(key))
    };
    reasons.iter().map(line).collect()
}

/// What was done, in one line.
fn closing(report: &IngestReport, counts: Counts, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    let rate = |number: u64| (number as f64 / seconds) as u64;
    let mut line = format!("{} indexed", counted(counts.indexed, "file"));
    let others = [
        (counts.unchanged, "unchanged"),
        (counts.failed, "failed"),
        (report.with_warnings, "with warnings"),
        (counts.skipped, "skipped"),
    ];
    for (number, what) in others.iter().filter(|(number, _)| *number > 0) {
        line.push_str(&format!(", {} {what}", count(*number)));
    }
    let (files, bytes) = (count(rate(counts.indexed)), output::bytes(rate(counts.indexed_bytes)));
    line.push_str(&format!(" in {} ({files} files/s, {bytes}/s)", output::took(took)));
    if report.cancelled {
        line.push_str("; stopped, run again to continue");
    }
    line
}

/// Whether something was passed over because it could not be read, rather than for what it is.
fn unreadable(why: &str) -> bool {
    why.starts_with("could not ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_buckets() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            let bucket = bucket_of(&path);
            assert!(is_bucket(&bucket), "{bucket}");
            bucket
        };
        assert_eq!(named("Photos 2022"), "Photos-2022");
        assert_eq!(named(".hidden"), "hidden");
        assert_eq!(named("\u{5199}\u{771f}"), "files");
        assert_eq!(named(&"x".repeat(100)).len(), 63);
        assert_eq!(bucket_of(Path::new("s3://media/photos?endpoint=http://x/y")), "media");
        assert_eq!(bucket_of(Path::new("/")), "files");
        std::fs::write(folder.path().join("Photos 2022/a.jpg"), "").unwrap();
        assert_eq!(bucket_of(&folder.path().join("Photos 2022/a.jpg")), "Photos-2022");
    }

    #[test]
    fn the_closing_line_names_what_happened() {
        let counts = Counts { indexed: 1200, unchanged: 3, indexed_bytes: 4096, ..Counts::default() };
        let line = closing(&IngestReport::default(), counts, Duration::from_secs(2));
        assert_eq!(line, "1,200 files indexed, 3 unchanged in 2.0 s (600 files/s, 2.0 KiB/s)");
        let link = |key: &str| (key.to_owned(), "a symbolic link, which is not followed".to_owned());
        let skipped = vec![link("a"), ("d".to_owned(), "could not list d".to_owned()), link("b")];
        let lines = passed_over(&IngestReport { skipped, ..IngestReport::default() });
        assert_eq!(lines, ["  skipped 2, each a symbolic link, which is not followed (such as a)"]);
        let stopped = IngestReport { cancelled: true, ..IngestReport::default() };
        assert!(closing(&stopped, counts, Duration::ZERO).ends_with("run again to continue"));
    }
}
