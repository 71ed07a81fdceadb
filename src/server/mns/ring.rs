//! From the bell of the queues, which threads wait for, to a channel that tasks wait for.

use crate::engine::Engine;
use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Longest that the thread sleeps: its end is rung for, so this is for safety alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rings in a channel; dropped, it ends.
pub(in crate::server) struct Ringer {
    engine: Engine,
    rung: watch::Receiver<u64>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ringer {
    pub(in crate::server) fn start(engine: &Engine) -> Result<Ringer> {
        let (tell, rung) = watch::channel(0);
        let stopped = Arc::new(AtomicBool::new(false));
        let (ringing, until) = (engine.clone(), Arc::clone(&stopped));
        let run = move || {
            let mut seen = 0;
            while !until.load(Ordering::Acquire) {
                seen = ringing.queues().wait(seen, PATIENCE);
                tell.send_replace(seen);
            }
        };
        let thread = std::thread::Builder::new().name("serve-bell".into()).spawn(run);
        let thread = thread.map_err(|e| Error::io("start the thread that waits for messages", e))?;
        Ok(Ringer { engine: engine.clone(), rung, stopped, thread: Some(thread) })
    }

    /// What tells of messages.
    pub(in crate::server) fn rung(&self) -> watch::Receiver<u64> {
        self.rung.clone()
    }
}

impl Drop for Ringer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.engine.queues().wake();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked rings no more either.
            drop(thread.join());
        }
    }
}
