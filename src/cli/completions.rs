//! `medialith completions`: scripts that complete the command line.

use super::args::Cli;
use super::exit::Exit;
use super::output::Output;
use crate::error::{Error, Result};
use clap::CommandFactory;
use clap_complete::Shell;

#[derive(clap::Args)]
#[command(
    after_help = "Example (bash): medialith completions bash > ~/.local/share/bash-completion/completions/medialith"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "medialith", &mut script);
    let script = String::from_utf8(script).map_err(|_| Error::invalid("the completion script is not text"))?;
    let mut out = Output::new();
    out.line(script.trim_end())?;
    out.flush()?;
    Ok(Exit::Done)
}
