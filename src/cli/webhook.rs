//! `medialith webhook`: URLs that are told of what happens.

use super::args::Place;
use super::exit::Exit;
use super::output::Output;
use super::table::{self, Cell};
use crate::engine::queues::{Strategy, Webhook, WebhookSpec};
use crate::error::Result;
use clap::Subcommand;

#[derive(clap::Args)]
#[command(after_help = "\
A webhook gets a POST with a CloudEvents document for each event from now on, signed as Standard Webhooks are, while a server
runs (`medialith serve`); what it was not told waits for it. A server that holds the database is asked itself: CreateWebhook,
ListWebhooks and DeleteWebhook (docs/imm.md). How far each one is: `medialith outbox`. See docs/notifications.md.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Add a webhook and print its secret
    Add {
        /// Its name
        name: String,
        /// Where to post
        url: String,
        /// Type of the events that it wants, such as imm:FileMeta:Index or imm:Task:* (may be repeated) [default: all]
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// Only events of this project
        #[arg(long, default_value = "", value_name = "NAME")]
        only_project: String,
        /// Only events of this dataset
        #[arg(long, default_value = "", value_name = "NAME")]
        only_dataset: String,
        /// Its secret: whsec_ and 24 to 64 bytes in Base64 [default: a new one]
        #[arg(long, value_name = "SECRET")]
        secret: Option<String>,
        /// How it is tried again: EXPONENTIAL_DECAY_RETRY (176 times in a day) or BACKOFF_RETRY (3 times)
        #[arg(long, default_value = "EXPONENTIAL_DECAY_RETRY", value_name = "STRATEGY", value_parser = strategy)]
        strategy: Strategy,
    },
    /// List webhooks, without secrets
    List,
    /// Remove a webhook with what it never took
    Rm {
        /// Its name
        name: String,
    },
}

fn strategy(text: &str) -> Result<Strategy, String> {
    text.parse().map_err(|e: crate::error::Error| e.message().to_owned())
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    match &args.verb {
        Verb::Add { name, url, types, only_project, only_dataset, secret, strategy } => {
            let spec = WebhookSpec {
                url: url.clone(),
                secret: secret.clone(),
                types: types.clone(),
                project: only_project.clone(),
                dataset: only_dataset.clone(),
                strategy: Some(*strategy),
            };
            let made = place.open_or_make()?.queues().add_webhook(name, &spec)?;
            let mut out = Output::new();
            out.line(format_args!("webhook  {}", made.name))?;
            out.line(format_args!("url      {}", made.url))?;
            out.line(format_args!("secret   {}", made.secret))?;
            out.flush()?;
        }
        Verb::List => list(&place.read()?.queues().webhooks()?)?,
        Verb::Rm { name } => place.write()?.queues().remove_webhook(name)?,
    }
    Ok(Exit::Done)
}

fn list(webhooks: &[Webhook]) -> Result<()> {
    let or = |text: &str, all: &str| if text.is_empty() { all.to_owned() } else { text.to_owned() };
    let row = |webhook: &Webhook| {
        let cells = [
            webhook.name.clone(),
            webhook.url.clone(),
            or(&webhook.types.join(" "), "all events"),
            or(&webhook.project, "all projects"),
            or(&webhook.dataset, "all datasets"),
            webhook.strategy.to_string(),
        ];
        cells.into_iter().map(Cell::from).collect()
    };
    let rows: Vec<Vec<Cell>> = webhooks.iter().map(row).collect();
    let mut out = Output::new();
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    out.flush()
}
