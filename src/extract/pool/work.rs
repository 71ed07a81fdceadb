//! What a pool does: the trait that names job and result, and the answer that comes back.

use super::hand::Hand;
use super::shared::Task;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The work of a pool. One value serves all its threads.
pub trait Work: Send + Sync + 'static {
    /// What is asked. It comes back with its answer, so it may carry whatever the asker needs to know it by.
    type Job: Send + Sync + 'static;
    /// What one job gives.
    type Done: Send + 'static;
    /// State that each worker thread keeps from job to job, such as buffers.
    type Scratch: 'static;

    /// Builds the state of one worker: before its first job, and anew after a panic. If this panics, the job at
    /// hand fails and the next one tries again.
    fn scratch(&self) -> Self::Scratch;

    /// Does one job. May panic, and may fail to return in time: the job fails, others go on.
    fn run(&self, scratch: &mut Self::Scratch, job: &Self::Job) -> Self::Done;

    /// Jobs that a thread takes at once at most, where as many wait; at least 1.
    fn at_once(&self) -> usize {
        1
    }

    /// Whether a job is never done together with others: one that waits, where others would wait for it.
    fn is_alone(&self, _job: &Self::Job) -> bool {
        false
    }

    /// Does several jobs together. Says where it is by [`Hand::begin`] and answers by [`Hand::done`]; what it leaves out is
    /// done by [`Work::run`]. May panic and may fail to return like that: the job that was begun last fails, the others are
    /// done again.
    fn run_all(&self, scratch: &mut Self::Scratch, hand: &Hand<'_, Self>)
    where
        Self: Sized,
    {
        for (place, job) in hand.jobs().enumerate() {
            hand.begin(place);
            hand.done(place, self.run(scratch, job));
        }
    }
}

/// Why a job has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It panicked, with this message.
    Panicked(String),
    /// It did not return within this time; its thread was given up.
    TimedOut(Duration),
    /// It was never begun: this many threads are stuck and no more may be started.
    NoWorker(usize),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Panicked(message) => write!(f, "the extractor panicked: {message}"),
            Failure::TimedOut(limit) => write!(f, "the extractor did not return within {limit:?} and was given up"),
            Failure::NoWorker(stuck) => write!(f, "no worker is left to take the file: {stuck} are stuck"),
        }
    }
}

impl std::error::Error for Failure {}

/// One job and what became of it.
pub struct Answer<W: Work> {
    pub(super) task: Arc<Task<W>>,
    /// The result, or why there is none.
    pub outcome: Result<W::Done, Failure>,
}

impl<W: Work> Answer<W> {
    /// The job as it was submitted. Shared, because a stuck worker may still be looking at it.
    pub fn job(&self) -> &W::Job {
        &self.task.job
    }

    /// The job and what became of it, each on its own.
    pub fn split(self) -> (Asked<W>, Result<W::Done, Failure>) {
        (Asked { task: self.task }, self.outcome)
    }
}

/// A job that was answered.
pub struct Asked<W: Work> {
    task: Arc<Task<W>>,
}

impl<W: Work> Asked<W> {
    /// The job as it was submitted.
    pub fn job(&self) -> &W::Job {
        &self.task.job
    }
}

/// A job that was not accepted, given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused<J> {
    /// As many jobs as allowed are under way.
    Full(J),
    /// [`Pool::finish`](super::Pool::finish) was called.
    Finished(J),
}

impl<J> Refused<J> {
    /// The job.
    pub fn into_job(self) -> J {
        match self {
            Refused::Full(job) | Refused::Finished(job) => job,
        }
    }
}
