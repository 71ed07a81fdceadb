//! The command line: global options and one verb. The help texts are the manual.

use super::walls::Walls;
use super::{
    audit, backup, bind, check, cluster, completions, exit, export, follow, get, import, index, inspect, keys, model,
    outbox, query, reprocess, rm, search, serve, similar, stats, task, webhook,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// An embeddable media-metadata database: index folders, search what the files say of themselves.
#[derive(Parser)]
#[command(name = "medialith", version, max_term_width = 110, after_help = exit::TABLE)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which database, and what in it.
#[derive(clap::Args, Clone)]
pub(crate) struct Place {
    /// Folder of the database [default: $XDG_DATA_HOME/medialith or ~/.local/share/medialith]
    #[arg(long, global = true, env = "MEDIALITH_DB", hide_env_values = true, value_name = "DIR")]
    pub(crate) db: Option<PathBuf>,
    /// Project
    #[arg(
        long,
        global = true,
        env = "MEDIALITH_PROJECT",
        hide_env_values = true,
        default_value = "local",
        value_name = "NAME"
    )]
    pub(crate) project: String,
    /// Dataset of the project
    #[arg(
        long,
        global = true,
        env = "MEDIALITH_DATASET",
        hide_env_values = true,
        default_value = "media",
        value_name = "NAME"
    )]
    pub(crate) dataset: String,
    /// Memory to use at most, for example 128MiB or 2GiB (less is slower)
    #[arg(long, global = true, env = "MEDIALITH_MEMORY", hide_env_values = true, value_parser = bytes, value_name = "SIZE")]
    pub(crate) memory: Option<u64>,
    #[command(flatten)]
    pub(crate) walls: Walls,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Read files and folders and remember what the files say of themselves
    Index(index::Args),
    /// Print what files say of themselves, without a database
    Inspect(inspect::Args),
    /// Find files by any text that is known of them
    Search(search::Args),
    /// Find pictures that look like one
    Similar(similar::Args),
    /// Group files by place and days, or pictures that look alike
    Cluster(cluster::Args),
    /// Read files again that a query finds, by the template that governs now
    Reprocess(reprocess::Args),
    /// Print everything that is known of files
    Get(get::Args),
    /// Forget files (the files themselves stay)
    Rm(rm::Args),
    /// Store File documents: one JSON object per line, plain or Zstandard
    Import(import::Args),
    /// Print all File documents: one JSON object per line, in URI order
    Export(export::Args),
    /// Answer JSON requests: one per line on standard input, one answer per line
    Query(query::Args),
    /// Show sizes and counts
    Stats(stats::Args),
    /// Prove that index and records agree and nothing on disk is damaged
    Check(check::Args),
    /// Make a copy that is a database of its own (hard links: quick and small on the same disk)
    Backup(backup::Args),
    /// Bind a folder to the dataset, which will follow it
    Bind(bind::Args),
    /// End a binding (documents stay unless told otherwise)
    Unbind(bind::Unbind),
    /// Show which folders the dataset follows, stop and resume
    Bindings(bind::Show),
    /// Follow the bound folders until told to stop
    Follow(follow::Args),
    /// Prove that the index says what the bound folders hold, or name and repair the differences
    Audit(audit::Args),
    /// Serve the IMM API over HTTP
    Serve(serve::Args),
    /// Find shots of films and what they show: make, list, await and cancel tasks
    Task(task::Args),
    /// Manage the access keys of the server
    Keys(keys::Args),
    /// Manage webhooks: URLs that are told of what happens
    Webhook(webhook::Args),
    /// Show and steer what waits to be told
    Outbox(outbox::Args),
    /// Look at model packs
    Model(model::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// `128MiB`, `2GiB`, `64M`, `1048576`.
fn bytes(text: &str) -> Result<u64, String> {
    let expected = || format!("expected a size such as 128MiB or 2GiB, got {text:?}");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    number.checked_mul(1 << shift).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(
            ["1", "64M", "128MiB", "2 GiB", "3kb"].map(|t| bytes(t).unwrap()),
            [1, 64 << 20, 128 << 20, 2 << 30, 3072]
        );
        for bad in ["", "MiB", "-1", "1.5G", "99999999999G", "12 parsecs"] {
            assert!(bytes(bad).unwrap_err().contains(&format!("{bad:?}")), "{bad}");
        }
    }
}
