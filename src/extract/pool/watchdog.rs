//! The watchdog: one thread that gives up stuck jobs, replaces their workers and sees the pool to its end.

use super::hand::Held;
use super::shared::Shared;
use super::work::{Failure, Work};
use super::worker;
use crossbeam::sync::Parker;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a job may still run after the pool was dropped.
const GRACE: Duration = Duration::from_secs(1);

pub(super) fn spawn<W: Work>(shared: &Arc<Shared<W>>) -> Option<JoinHandle<()>> {
    let parker = shared.watchdog_bed.pop()?;
    let watched = std::iter::repeat_with(|| None).take(shared.desks.len()).collect();
    let dog = Watchdog { shared: Arc::clone(shared), watched, parker };
    std::thread::Builder::new().name("medialith-watchdog".into()).spawn(move || dog.watch()).ok()
}

struct Watchdog<W: Work> {
    shared: Arc<Shared<W>>,
    /// Per desk, the hand last seen to be taken up there.
    watched: Vec<Option<Arc<Held<W>>>>,
    parker: Parker,
}

impl<W: Work> Watchdog<W> {
    fn watch(mut self) {
        // A quarter of the time allowed: a stuck job is given up after at most 1.25 times its limit.
        let tick = self
            .shared
            .options
            .timeout
            .checked_div(4)
            .unwrap_or_default()
            .clamp(Duration::from_millis(1), Duration::from_millis(250));
        while !(self.shared.is_quitting() && self.shared.on_duty() == 0) {
            self.shared.doze(&self.parker, tick);
            self.give_up_stuck();
            if !self.shared.is_quitting() {
                while worker::spawn(&self.shared) {}
                self.answer_for_nobody();
            }
        }
    }

    fn give_up_stuck(&mut self) {
        let quitting = self.shared.is_quitting();
        let timeout = self.shared.options.timeout;
        let limit = if quitting { timeout.min(GRACE) } else { timeout };
        for (desk, watched) in self.shared.desks.iter().zip(&mut self.watched) {
            if let Some(held) = desk.begun.pop() {
                *watched = Some(held);
            }
            if watched.take_if(|held| held.over.is_taken()).is_none()
                && let Some(held) = watched.take_if(|held| self.shared.age(held) >= limit)
            {
                self.shared.give_up(&held, limit);
            }
        }
    }

    /// With every worker stuck and no more allowed, tasks that wait are answered here rather than never.
    fn answer_for_nobody(&self) {
        while self.shared.on_duty() == 0 {
            let Some(task) = self.shared.unbegun() else { return };
            self.shared.answer(&task, Err(Failure::NoWorker(self.shared.stuck())));
        }
    }
}
