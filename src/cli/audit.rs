//! `medialith audit`: proves that the index says what the bound folders and stores hold, or names the differences.

use super::args::Place;
use super::bind::{all_of, chosen};
use super::exit::Exit;
use super::interrupt;
use super::output::{Output, complain, count, counted, printable};
use crate::engine::{AuditOptions, AuditReport, Buckets, Engine, Progress, TagBudget};
use crate::error::Result;
use crate::model::Binding;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a signal is noticed.
const LOOK_UP: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
missing: a file without a document; stale: a document of an earlier state of its file; orphan: a document whose file is gone.
Documents that were only told (import, or a call) and have no file are no orphans. Files are compared by size, modification time
and inode, objects of stores by size, ETag and modification time, as following does; with --tags by their tags too, which change none of these. Exit code 3: something could not be read; 6: there are differences that were not repaired.")]
pub(crate) struct Args {
    /// One bucket alone [default: all bindings of the dataset]
    #[arg(value_name = "BUCKET")]
    bucket: Option<String>,
    /// Put the differences right
    #[arg(long)]
    repair: bool,
    /// Folder or store of a bucket that was bound through the server (may be repeated)
    #[arg(long = "source", value_name = "NAME=PLACE", value_parser = super::serve::bucket)]
    sources: Vec<(String, PathBuf)>,
    /// Compare the tags of so many objects of each store too, a request for each; 0 for all
    #[arg(long, value_name = "COUNT")]
    tags: Option<u64>,
    /// Compare tags from behind this key on, where an earlier audit ended
    #[arg(long, requires = "tags", default_value = "", value_name = "KEY")]
    tags_after: String,
    /// Print the counts alone
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let mut buckets = Buckets::new();
    args.sources.iter().try_for_each(|(name, path)| buckets.add(name, path))?;
    let engine = if args.repair { place.write()? } else { place.read()? };
    let bindings = chosen(all_of(&engine, place)?, args.bucket.as_deref())?;
    let asked = interrupt::watch();
    let tags = args.tags.map(|most| TagBudget { most, after: args.tags_after.clone() });
    let options = AuditOptions { repair: args.repair, tags };
    let mut exit = Exit::Done;
    for binding in &bindings {
        let report = match watched(&engine, binding, &buckets, &options, asked) {
            Ok(report) => report,
            Err(e) => {
                complain(format_args!("{}: {e}", binding.uri()));
                exit = Exit::Partial;
                continue;
            }
        };
        print(&report, binding, args.quiet)?;
        if report.cancelled {
            return Ok(Exit::Interrupted);
        }
        if report.count() > report.repaired {
            exit = Exit::Damaged;
        } else if !report.unreachable.is_empty() && exit == Exit::Done {
            exit = Exit::Partial;
        }
    }
    Ok(exit)
}

/// Audits while another thread listens to signals.
fn watched(
    engine: &Engine,
    binding: &Binding,
    buckets: &Buckets,
    options: &AuditOptions,
    asked: &AtomicBool,
) -> Result<AuditReport> {
    let (progress, ended) = (Progress::new(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                if asked.load(Ordering::Relaxed) {
                    progress.cancel();
                }
                std::thread::park_timeout(LOOK_UP);
            }
        });
        let report = engine.audit_with(binding, buckets, options, &progress);
        ended.store(true, Ordering::Relaxed);
        report
    })
}

fn print(report: &AuditReport, binding: &Binding, quiet: bool) -> Result<()> {
    let mut out = Output::new();
    if !quiet {
        for (difference, uri) in &report.differences {
            out.line(format_args!("{:<7}  {}", difference.name(), printable(uri)))?;
        }
        for key in &report.unreachable {
            out.line(format_args!("unread   {}/{}", binding.uri(), printable(key)))?;
        }
    }
    let (files, lost) = (counted(report.files, "file"), binding.coverage.lost - binding.coverage.reconciled);
    let mut line = format!("{}: {files}, {}", binding.uri(), counted(report.count(), "difference"));
    for (number, what) in [
        (report.missing, "missing"),
        (report.stale, "stale"),
        (report.orphans, "orphans"),
        (report.repaired, "repaired"),
        (report.unreachable.len() as u64, "unreachable"),
        (lost, "losses of events not made good"),
    ] {
        if number > 0 {
            line.push_str(&format!(", {} {what}", count(number)));
        }
    }
    if report.tags > 0 {
        line.push_str(&format!(", tags of {} compared", counted(report.tags, "object")));
    }
    out.line(line)?;
    if let Some(upto) = &report.tags_upto {
        out.line(format_args!("more tags: --tags-after '{}'", printable(upto)))?;
    }
    out.flush()
}
