//! `medialith bind`, `unbind` and `bindings`: which folders and stores a dataset follows.

use super::args::Place;
use super::exit::Exit;
use super::index::{bucket_of, is_store, real};
use super::output::{Output, counted, note, printable};
use super::table::{self, Cell};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Binding, BindingSpec, Name};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "\
The folder or store becomes a bucket as with `medialith index`. Binding alone reads nothing: `medialith follow` and `medialith serve` do.
Patterns: NAME anywhere, a/b from the folder's root, * and ? within a name, ** across names, a final / for folders alone.
A folder that is excluded costs nothing; the database itself is never followed.")]
pub(crate) struct Args {
    /// Folder to follow, or s3://BUCKET[/PREFIX][?OPTIONS], or the same with oss:// (docs/sources.md)
    #[arg(value_name = "PLACE")]
    path: PathBuf,
    /// Name of the bucket [default: the name of the folder, or of the store's bucket]
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// Only what begins so, for example photos/
    #[arg(long, default_value = "", value_name = "TEXT")]
    prefix: String,
    /// Not what matches this (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Files per second that a scan looks at, at most; 0 for no limit
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    rate: u32,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn bind(args: &Args, place: &Place) -> Result<Exit> {
    let path = real(&args.path)?;
    if !path.is_dir() && !is_store(&path) {
        return Err(Error::invalid(format!("{}: expected a folder, got a file", path.display())));
    }
    let source = path
        .to_str()
        .ok_or_else(|| Error::invalid(format!("{}: expected a path that is UTF-8, got another", path.display())))?;
    let bucket = args.bucket.clone().unwrap_or_else(|| bucket_of(&path));
    let spec = BindingSpec {
        source: source.to_owned(),
        prefix: args.prefix.clone(),
        exclude: args.exclude.clone(),
        rate: args.rate,
    };
    place.create()?.engine().create_binding(&place.project, &place.dataset, &format!("oss://{bucket}"), &spec)?;
    if !args.quiet {
        note(format_args!("{} bound as oss://{bucket}; `medialith follow` follows it", path.display()));
    }
    Ok(Exit::Done)
}

/// What to unbind.
#[derive(clap::Args)]
pub(crate) struct Unbind {
    /// The bucket, with or without oss://
    #[arg(value_name = "BUCKET")]
    bucket: String,
    /// Forget the files too that it found and nobody indexed otherwise
    #[arg(long)]
    cleanup: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn unbind(args: &Unbind, place: &Place) -> Result<Exit> {
    let uri = uri_of(&args.bucket);
    let removed = place.write()?.delete_binding(&place.project, &place.dataset, &uri, args.cleanup)?;
    if args.cleanup && !args.quiet {
        note(format_args!("{} forgotten", counted(removed, "file")));
    }
    Ok(Exit::Done)
}

/// How to show bindings, and what to change of one.
#[derive(clap::Args)]
pub(crate) struct Show {
    /// Pause this one; what changes meanwhile is found when it is resumed
    #[arg(long, value_name = "BUCKET", conflicts_with = "resume")]
    stop: Option<String>,
    /// Go on with this one; the folder as it is now counts as the one that is meant
    #[arg(long, value_name = "BUCKET")]
    resume: Option<String>,
    /// Print JSON: one object per line
    #[arg(long)]
    json: bool,
}

pub(crate) fn show(args: &Show, place: &Place) -> Result<Exit> {
    let (project, dataset) = (&place.project, &place.dataset);
    if let Some(bucket) = &args.stop {
        place.write()?.stop_binding(project, dataset, &uri_of(bucket), "stopped by medialith bindings --stop")?;
        return Ok(Exit::Done);
    }
    if let Some(bucket) = &args.resume {
        place.write()?.resume_binding(project, dataset, &uri_of(bucket))?;
        return Ok(Exit::Done);
    }
    let bindings = all(place)?;
    let mut out = Output::new();
    if args.json {
        bindings.iter().try_for_each(|binding| out.line(json(binding)))?;
    } else {
        let rows: Vec<Vec<Cell>> = bindings.iter().map(row).collect();
        table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
        for binding in bindings.iter().filter(|binding| !binding.reason.is_empty()) {
            out.line(format_args!("{}: {}", binding.uri(), printable(&binding.reason)))?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// All bindings of the dataset.
pub(super) fn all(place: &Place) -> Result<Vec<Binding>> {
    all_of(&place.read()?, place)
}

/// All bindings of the dataset of an open database.
pub(super) fn all_of(engine: &crate::engine::Engine, place: &Place) -> Result<Vec<Binding>> {
    Name::parse("--dataset", &place.dataset)?;
    let (mut bindings, mut token) = (Vec::new(), String::new());
    loop {
        let page = engine.bindings(&place.project, &place.dataset, "", &token, 0)?;
        bindings.extend(page.items);
        if page.next_token.is_empty() {
            return Ok(bindings);
        }
        token = page.next_token;
    }
}

/// `oss://bucket` of either spelling.
fn uri_of(bucket: &str) -> String {
    if bucket.starts_with("oss://") { bucket.to_owned() } else { format!("oss://{bucket}") }
}

fn row(binding: &Binding) -> Vec<Cell> {
    let verified = binding.coverage.verified.map_or_else(|| "never verified".to_owned(), |at| format!("verified {at}"));
    vec![
        Cell::from(binding.uri()),
        Cell::from(binding.state.name().to_owned()),
        Cell::from(binding.phase.name().to_owned()),
        Cell::from(verified),
        Cell::from(printable(&binding.spec.source)),
    ]
}

fn json(binding: &Binding) -> serde_json::Value {
    let coverage = &binding.coverage;
    serde_json::json!({
        "URI": binding.uri(),
        "State": binding.state.name(),
        "Phase": binding.phase.name(),
        "Reason": binding.reason,
        "Source": binding.spec.source,
        "Prefix": binding.spec.prefix,
        "Exclude": binding.spec.exclude,
        "EventsLost": coverage.lost,
        "EventsReconciled": coverage.reconciled,
        "Verified": coverage.verified.map(|at| at.to_string()),
    })
}

/// The one binding of a bucket, for those that name it.
pub(super) fn chosen(bindings: Vec<Binding>, bucket: Option<&str>) -> Result<Vec<Binding>> {
    let Some(bucket) = bucket else { return Ok(bindings) };
    let uri = uri_of(bucket);
    let found: Vec<Binding> = bindings.into_iter().filter(|binding| binding.uri() == uri).collect();
    if found.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no binding to {uri}")));
    }
    Ok(found)
}
