//! `medialith outbox`: what waits to be told, how far each receiver is, and what each never took.

use super::args::Place;
use super::exit::Exit;
use super::output::{Output, counted};
use super::table::{self, Cell};
use crate::engine::queues::{DeadLetter, ReceiverState};
use crate::error::Result;
use clap::Subcommand;

#[derive(clap::Args)]
#[command(after_help = "\
A receiver is `webhook:NAME`, `subscription:TOPIC/NAME` (an HTTP subscription) or `queues` (all queues). Messages are sent while a
server runs; the database must not be in use by it meanwhile. A running server tells the same in its metrics.
See docs/notifications.md.")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Show what is kept and how far each receiver is (also without a verb)
    State,
    /// Tell a receiver again everything from an event on that is still kept
    Replay {
        /// The receiver
        receiver: String,
        /// Number of the first event
        #[arg(long, value_name = "NUMBER")]
        from: u64,
    },
    /// Send nothing to a receiver until it is resumed
    Suspend {
        /// The receiver
        receiver: String,
    },
    /// Send to a receiver again, at once
    Resume {
        /// The receiver
        receiver: String,
    },
    /// List what a receiver never took
    Dead {
        /// The receiver
        receiver: String,
        /// Most lines
        #[arg(short = 'n', long, default_value_t = 100, value_name = "COUNT")]
        limit: usize,
    },
    /// Tell a receiver again what it never took, after all that waits for it
    ReplayDead {
        /// The receiver
        receiver: String,
    },
    /// Drop what a receiver never took
    DropDead {
        /// The receiver
        receiver: String,
    },
}

pub(crate) fn run(args: &Args, place: &Place) -> Result<Exit> {
    match &args.verb {
        None | Some(Verb::State) => state(place)?,
        Some(Verb::Replay { receiver, from }) => place.write()?.queues().replay(receiver, *from)?,
        Some(Verb::Suspend { receiver }) => place.write()?.queues().suspend(receiver, true)?,
        Some(Verb::Resume { receiver }) => place.write()?.queues().suspend(receiver, false)?,
        Some(Verb::Dead { receiver, limit }) => dead(&place.read()?.queues().dead_letters(receiver, 0, *limit)?)?,
        Some(Verb::ReplayDead { receiver }) => {
            let count = place.write()?.queues().replay_dead(receiver)?;
            let mut out = Output::new();
            out.line(format_args!("{} to be told again", counted(count, "message")))?;
            out.flush()?;
        }
        Some(Verb::DropDead { receiver }) => place.write()?.queues().drop_dead(receiver)?,
    }
    Ok(Exit::Done)
}

fn state(place: &Place) -> Result<()> {
    let engine = place.read()?;
    let (state, receivers) = (engine.outbox(), engine.queues().receivers()?);
    let mut out = Output::new();
    let range = if state.events() > 0 { format!(", {} to {}", state.first, state.last) } else { String::new() };
    out.line(format_args!("{} kept{range}; {} lost", counted(state.events(), "event"), state.lost))?;
    let row = |receiver: &ReceiverState| -> Vec<Cell> {
        let standing = match (receiver.suspended, receiver.tries, &receiver.due) {
            (true, _, _) => "suspended".to_owned(),
            (false, 0, _) => String::new(),
            (false, tries, None) => format!("failed {}", counted(tries.into(), "time")),
            (false, tries, Some(due)) => format!("failed {}, next {due}", counted(tries.into(), "time")),
        };
        vec![
            Cell::from(receiver.name.clone()),
            Cell::right(format!("done {}", receiver.done)),
            Cell::right(format!("behind {}", receiver.behind)),
            Cell::right(format!("delivered {}", receiver.delivered)),
            Cell::right(format!("dead {}", receiver.dead)),
            Cell::from(standing),
            Cell::from(receiver.failure.clone()),
        ]
    };
    let rows: Vec<Vec<Cell>> = receivers.iter().map(row).collect();
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    out.flush()
}

fn dead(letters: &[DeadLetter]) -> Result<()> {
    let row = |letter: &DeadLetter| -> Vec<Cell> {
        vec![
            Cell::right(letter.number.to_string()),
            Cell::from(letter.id.clone()),
            Cell::from(if letter.kind.is_empty() { "message".to_owned() } else { letter.kind.clone() }),
            Cell::from(letter.time.to_string()),
            Cell::right(letter.tries.to_string()),
            Cell::from(letter.failure.clone()),
        ]
    };
    let rows: Vec<Vec<Cell>> = letters.iter().map(row).collect();
    let mut out = Output::new();
    table::lines(&rows).iter().try_for_each(|line| out.line(line))?;
    out.flush()
}
