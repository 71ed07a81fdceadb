//! `medialith keys`: access keys of the server, managed while it runs or not.

use super::args::Place;
use super::exit::Exit;
use super::output::Output;
use super::table::{self, Cell};
use crate::error::Result;
use crate::model::Timestamp;
use crate::server::{AccessKeys, Grant, Issued, NewKey, Role};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the key lies that secrets are sealed with.
#[derive(clap::Args)]
pub(crate) struct Seal {
    /// File of the key that secrets are sealed with; made where it is absent [default: the database's folder with .key]
    #[arg(long, env = "MEDIALITH_SEAL_KEY", hide_env_values = true, value_name = "FILE")]
    seal_key: Option<PathBuf>,
}

impl Seal {
    /// The file: beside the database, not in it, so that a copied database does not reveal secrets.
    pub(crate) fn path(&self, database: &Path) -> PathBuf {
        let beside = || {
            let mut name = database.as_os_str().to_owned();
            name.push(".key");
            PathBuf::from(name)
        };
        self.seal_key.clone().unwrap_or_else(beside)
    }
}

#[derive(clap::Args)]
#[command(after_help = "\
Roles: read asks; index also indexes, changes and deletes files; admin also manages projects, datasets and buckets.
A secret is shown once, when it is made. A running server notices changes within a second.")]
pub(crate) struct Args {
    #[command(flatten)]
    seal: Seal,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a key and print its secret
    Create {
        /// What it allows: read, index or admin
        #[arg(long, default_value = "read", value_name = "ROLE")]
        role: Role,
        /// Projects that it is bound to (may be repeated) [default: all]
        #[arg(long = "only", value_name = "PROJECT")]
        projects: Vec<String>,
        /// Minutes that it lasts; such a key comes with a security token
        #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=525_600))]
        minutes: Option<u64>,
        /// Anything to know it by
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// List keys, without secrets
    List,
    /// Put a key out of force
    Disable {
        /// The key
        id: String,
    },
    /// Put a key in force again
    Enable {
        /// The key
        id: String,
    },
    /// Give a key a new secret; the old one ends at once
    Rotate {
        /// The key
        id: String,
    },
    /// Forget a key
    Delete {
        /// The key
        id: String,
    },
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    let folder = place.folder()?;
    place.exists()?;
    let keys = AccessKeys::open(&folder, &args.seal.path(&folder))?;
    match &args.verb {
        Verb::Create { role, projects, minutes, note } => {
            let lasts = minutes.map(|minutes| Duration::from_secs(minutes * 60));
            let new = NewKey { role: *role, projects: projects.clone(), lasts, note: note.clone() };
            show(&keys.create(&new)?)?;
        }
        Verb::List => list(&keys.list()?)?,
        Verb::Disable { id } => keys.set_enabled(id, false)?,
        Verb::Enable { id } => keys.set_enabled(id, true)?,
        Verb::Rotate { id } => show(&keys.rotate(id)?)?,
        Verb::Delete { id } => keys.delete(id)?,
    }
    Ok(Exit::Done)
}

/// Prints a new key, the only time that its secret is seen.
pub(crate) fn show(issued: &Issued) -> Result<()> {
    let mut out = Output::new();
    out.line(format_args!("access key id      {}", issued.id))?;
    out.line(format_args!("access key secret  {}", issued.secret))?;
    if let Some(token) = &issued.token {
        out.line(format_args!("security token     {token}"))?;
    }
    out.flush()
}

fn list(grants: &[Grant]) -> Result<()> {
    let mut out = Output::new();
    let row = |grant: &Grant| {
        let projects = if grant.projects.is_empty() { "all projects".to_owned() } else { grant.projects.join(" ") };
        let ends = grant.expires.map_or(String::new(), |at| format!("until {}", Timestamp(at)));
        let cells = [
            grant.id.clone(),
            grant.role.name().to_owned(),
            if grant.enabled { "enabled" } else { "disabled" }.to_owned(),
            Timestamp(grant.created).to_string(),
            ends,
            projects,
            grant.note.clone(),
        ];
        cells.into_iter().map(Cell::from).collect()
    };
    let rows: Vec<Vec<Cell>> = grants.iter().map(row).collect();
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    out.flush()
}
