//! `medialith similar`: pictures whose perceptual hashes differ in a few bits.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, counted};
use super::table::{self, Cell};
use crate::engine::similar::MAX_DISTANCE;
use crate::error::Result;
use clap::builder::RangedU64ValueParser;

#[derive(clap::Args)]
#[command(after_help = "\
Copies of one picture (scaled, recompressed, slightly corrected) differ in a few of the 64 bits, other pictures in some thirty.
Pictures have a hash when they were indexed with a template that gives ImageHash, for example medialith:Visual.")]
pub(crate) struct Args {
    /// Address of a stored picture: oss://bucket/key
    #[arg(value_name = "URI")]
    uri: String,
    /// Bits that may differ
    #[arg(long, value_name = "BITS", default_value_t = 6, value_parser = RangedU64ValueParser::<u32>::new().range(0..=u64::from(MAX_DISTANCE)))]
    distance: u32,
    /// Print one JSON object: Files with URI and Distance
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let dataset = place.dataset()?;
    let mut alike = dataset.similar(dataset.image_hash(&args.uri)?, args.distance)?;
    alike.retain(|found| found.uri != args.uri);
    let mut out = Output::new();
    if args.json {
        let file = |found: &crate::engine::Alike| serde_json::json!({ "URI": found.uri, "Distance": found.distance });
        let files: Vec<serde_json::Value> = alike.iter().map(file).collect();
        out.line(serde_json::json!({ "Files": files, "TotalHits": alike.len() }))?;
    } else {
        let row =
            |found: &crate::engine::Alike| vec![Cell::right(found.distance.to_string()), Cell::from(found.uri.clone())];
        let rows: Vec<Vec<Cell>> = alike.iter().map(row).collect();
        table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
        out.line(counted(alike.len() as u64, "file"))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
