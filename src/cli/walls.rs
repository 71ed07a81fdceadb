//! How files are kept from doing harm while they are read.

use crate::engine::extraction::{Isolation, Level, Sandbox};
use clap::ValueEnum;

/// Where parsers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Where {
    /// Jailed worker processes
    Process,
    /// Threads of this process: only for files that you trust
    Thread,
}

/// The walls around parsers.
#[derive(clap::Args, Clone)]
pub(crate) struct Walls {
    /// Where files are read: in jailed worker processes, or in threads of this process (only for files that you trust)
    #[arg(
        long,
        global = true,
        env = "MEDIALITH_ISOLATION",
        hide_env_values = true,
        default_value = "process",
        value_name = "HOW"
    )]
    isolation: Where,
    /// Least that the jail must reach on this kernel, or nothing is read: process, limits, seccomp, full
    #[arg(
        long,
        global = true,
        env = "MEDIALITH_SANDBOX_MIN",
        hide_env_values = true,
        default_value = "full",
        value_name = "LEVEL"
    )]
    sandbox_min: Level,
}

impl Walls {
    pub(crate) fn isolation(&self) -> Isolation {
        match self.isolation {
            Where::Thread => Isolation::InThread,
            Where::Process => Isolation::Process(Sandbox { minimum: self.sandbox_min, ..Sandbox::default() }),
        }
    }
}
