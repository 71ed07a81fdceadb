//! The durable list of tasks. Knows nothing of what a task does.
//!
//! Owns the rows of the `tasks` table (`docs/format.md`, "Tasks") and their life: a task is created, claimed by a worker,
//! reports its progress, and ends exactly once. Work is derived from the rows: a task waits as long as its row is in the list
//! of those that wait, and it leaves that list in the batch that ends it, so that a process that dies in between leaves it
//! to the next one. [`Runner`] has the threads.

mod find;
mod list;
mod policy;
mod row;
mod runner;

pub use list::{Held, MAX_WAITING_TASKS, TaskList};
pub use policy::{MAX_ATTEMPTS, RETENTION};
pub use runner::{Outcome, Runner, Work};
pub(crate) use runner::{finish, yield_to_queries};
