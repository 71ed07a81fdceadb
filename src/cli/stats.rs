//! `medialith stats`: sizes and counts.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, bytes, count};
use super::table::{self, Cell};
use crate::engine::DatasetStats;
use crate::error::{Error, Result};
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let dataset = place.dataset()?;
    let (stats, quarantined) = (dataset.stats()?, dataset.quarantined()?.len() as u64);
    let folder = place.folder()?;
    let disk = disk_bytes(&folder)?;
    let mut out = Output::new();
    if args.json {
        out.line(json(place, &stats, disk, quarantined))?;
    } else {
        out.line(format_args!("{}, project {}, dataset {}", folder.display(), place.project, place.dataset))?;
        table::lines(&rows(&stats, disk, quarantined)).iter().try_for_each(|line| out.line(line))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn rows(stats: &DatasetStats, disk: u64, quarantined: u64) -> Vec<Vec<Cell>> {
    let row = |name: &str, value: String| vec![Cell::from(format!("  {name}")), Cell::right(value)];
    let mut rows = vec![
        row("files", count(stats.files)),
        row("their size", bytes(stats.total_file_size)),
        row("index segments", count(stats.segments)),
        row("  on disk", bytes(stats.segment_bytes)),
        row("  replaced or removed", count(stats.tombstones)),
        row("not yet in a segment", count(stats.tail_docs)),
        row("database on disk", bytes(disk)),
    ];
    if let Some(each) = disk.checked_div(stats.files) {
        rows.push(row("  for each file", bytes(each)));
    }
    if quarantined > 0 {
        rows.push(row("in quarantine", count(quarantined)));
    }
    if !stats.last_failure.is_empty() {
        rows.push(vec![Cell::from("  last failure".to_owned()), Cell::from(stats.last_failure.clone())]);
    }
    rows
}

fn json(place: &Place, stats: &DatasetStats, disk: u64, quarantined: u64) -> serde_json::Value {
    serde_json::json!({
        "ProjectName": place.project,
        "DatasetName": place.dataset,
        "FileCount": stats.files,
        "TotalFileSize": stats.total_file_size,
        "Segments": stats.segments,
        "SegmentBytes": stats.segment_bytes,
        "Tombstones": stats.tombstones,
        "TailDocs": stats.tail_docs,
        "TailBytes": stats.tail_bytes,
        "DiskBytes": disk,
        "Quarantined": quarantined,
        "LastFailure": stats.last_failure,
    })
}

/// Bytes of all files below `folder`, all datasets and the write-ahead log included.
fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut folders = vec![folder.to_owned()];
    let mut sum = 0;
    while let Some(folder) = folders.pop() {
        let failed = |e| Error::io(format_args!("list {}", folder.display()), e);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A file may vanish between listing and looking.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() != "RESERVE" {
                // Room that is kept for bad times, not data.
                sum += metadata.len();
            }
        }
    }
    Ok(sum)
}
