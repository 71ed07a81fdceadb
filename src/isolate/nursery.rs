//! The thread that starts workers.
//!
//! The system sends a worker its parent's death signal when the THREAD that started it ends (prctl(2)), and threads of a pool
//! come and go. So one thread starts all of them and lives as long as the extractor.

use super::channel;
use super::options::Sandbox;
use super::worker::ARGUMENT;
use crate::error::{Error, ErrorKind, Result};
use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use rustix::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A new worker: the process and the daemon's end of the socket.
type Born = Result<(Child, OwnedFd)>;

/// Starts workers on request.
#[derive(Debug)]
pub(super) struct Nursery {
    program: PathBuf,
    memory_bytes: u64,
    /// Set by the first request.
    thread: OnceLock<Sender<Sender<Born>>>,
}

impl Nursery {
    pub(super) fn new(sandbox: &Sandbox) -> Nursery {
        // The link names the program that runs even if its path names a newer one by now: both ends are one version.
        let itself = || PathBuf::from("/proc/self/exe");
        let program = sandbox.helper.clone().unwrap_or_else(itself);
        Nursery { program, memory_bytes: sandbox.memory_bytes, thread: OnceLock::new() }
    }

    /// A new worker.
    pub(super) fn bear(&self) -> Born {
        let ended = || Error::new(ErrorKind::Internal, "the thread that starts workers has ended");
        let (sender, receiver) = bounded(1);
        self.requests()?.send(sender).map_err(|_| ended())?;
        receiver.recv().map_err(|_| ended())?
    }

    fn requests(&self) -> Result<&Sender<Sender<Born>>> {
        if let Some(sender) = self.thread.get() {
            return Ok(sender);
        }
        let (sender, receiver) = unbounded();
        let (program, memory_bytes) = (self.program.clone(), self.memory_bytes);
        let serve = move || serve(&receiver, &program, memory_bytes);
        let started = std::thread::Builder::new().name("medialith-nursery".into()).spawn(serve);
        started.map_err(|e| Error::io("start the thread that starts workers", e))?;
        // Of two threads that came here together the second one's ends with its sender.
        Ok(self.thread.get_or_init(|| sender))
    }
}

fn serve(requests: &Receiver<Sender<Born>>, program: &std::path::Path, memory_bytes: u64) {
    while let Ok(answer) = requests.recv() {
        let _asker_left = answer.send(start(program, memory_bytes));
    }
}

fn start(program: &std::path::Path, memory_bytes: u64) -> Born {
    let (ours, theirs) = channel::pair().map_err(|e| Error::io("make a socket for a worker", e.into()))?;
    let child = Command::new(program)
        .args([ARGUMENT, &memory_bytes.to_string()])
        // Nothing of ours is for a worker: secrets are passed in variables.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|e| Error::io(format_args!("start the worker {}", program.display()), e))?;
    Ok((child, ours))
}
