//! The `medialith` command: one file per verb, over the public interface of `engine`.
//!
//! Owns arguments, progress, tables and exit codes. Must not know how anything is stored or matched.

mod args;
mod ask;
mod bars;
mod exit;
mod fields;
mod films;
mod hashing;
mod interrupt;
mod lines;
mod mark;
mod memory;
mod output;
mod place;
mod progress;
mod reply;
mod request;
mod survey;
mod table;
mod walls;

mod audit;
mod backup;
mod bind;
mod check;
mod cluster;
mod completions;
mod export;
mod follow;
mod get;
mod import;
mod index;
mod inspect;
mod keys;
mod model;
mod outbox;
mod query;
mod reprocess;
mod rm;
mod search;
mod serve;
mod similar;
mod stats;
mod task;
mod webhook;

use crate::error::Result;
use args::{Cli, Verb};
use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version come this way too, with code 0. Nobody can be told when printing fails.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() });
        }
    };
    memory::restart_if_scarce(&cli.place);
    let exit = match dispatch(&cli) {
        Ok(exit) => exit,
        Err(e) if output::reader_left(&e) => Exit::Done,
        Err(e) => {
            output::complain(&e);
            Exit::of(&e)
        }
    };
    ExitCode::from(exit.code())
}

fn dispatch(cli: &Cli) -> Result<Exit> {
    let place = &cli.place;
    match &cli.verb {
        Verb::Index(args) => index::run(args, place),
        Verb::Inspect(args) => inspect::run(args, place),
        Verb::Search(args) => search::run(args, place),
        Verb::Get(args) => get::run(args, place),
        Verb::Similar(args) => similar::run(args, place),
        Verb::Cluster(args) => cluster::run(args, place),
        Verb::Model(args) => model::run(args),
        Verb::Reprocess(args) => reprocess::run(args, place),
        Verb::Rm(args) => rm::run(args, place),
        Verb::Import(args) => import::run(args, place),
        Verb::Export(args) => export::run(args, place),
        Verb::Query(args) => query::run(args, place),
        Verb::Stats(args) => stats::run(args, place),
        Verb::Check(args) => check::run(args, place),
        Verb::Backup(args) => backup::run(args, place),
        Verb::Bind(args) => bind::bind(args, place),
        Verb::Unbind(args) => bind::unbind(args, place),
        Verb::Bindings(args) => bind::show(args, place),
        Verb::Follow(args) => follow::run(args, place),
        Verb::Audit(args) => audit::run(args, place),
        Verb::Serve(args) => serve::run(args, place),
        Verb::Task(args) => task::run(args, place),
        Verb::Keys(args) => keys::run(args, place),
        Verb::Webhook(args) => webhook::run(args, place),
        Verb::Outbox(args) => outbox::run(args, place),
        Verb::Completions(args) => completions::run(args),
    }
}
