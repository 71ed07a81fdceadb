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
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A new worker.
#[derive(Debug)]
pub(super) struct Born {
    /// The process.
    pub(super) child: Child,
    /// The daemon's end of the socket.
    pub(super) socket: OwnedFd,
    /// What the worker marks the job at hand on.
    pub(super) mark: OwnedFd,
}

/// A worker that waits to be wanted; it ends with the nursery.
struct Spare(Option<Born>);

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(mut born) = self.0.take() {
            let _dead_already = born.child.kill();
            let _reaped_already = born.child.wait();
        }
    }
}

/// What is asked of the nursery.
struct Asked {
    answer: Sender<Result<Born>>,
    /// Whether a worker is to be kept ready from now on.
    spare: bool,
}

/// Starts workers on request.
#[derive(Debug)]
pub(super) struct Nursery {
    program: PathBuf,
    memory_bytes: u64,
    /// Set by the first request.
    thread: OnceLock<Sender<Asked>>,
}

impl Nursery {
    pub(super) fn new(sandbox: &Sandbox) -> Nursery {
        // The link names the program that runs even if its path names a newer one by now: both ends are one version.
        let itself = || PathBuf::from("/proc/self/exe");
        let program = sandbox.helper.clone().unwrap_or_else(itself);
        Nursery { program, memory_bytes: sandbox.memory_bytes, thread: OnceLock::new() }
    }

    /// A new worker. With `spare` the next one is started ahead, so that nobody waits for it: worth its memory once files have
    /// been seen to cost workers.
    pub(super) fn bear(&self, spare: bool) -> Result<Born> {
        let ended = || Error::new(ErrorKind::Internal, "the thread that starts workers has ended");
        let (answer, receiver) = bounded(1);
        self.requests()?.send(Asked { answer, spare }).map_err(|_| ended())?;
        receiver.recv().map_err(|_| ended())?
    }

    fn requests(&self) -> Result<&Sender<Asked>> {
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

fn serve(requests: &Receiver<Asked>, program: &std::path::Path, memory_bytes: u64) {
    let mut spare = Spare(None);
    while let Ok(asked) = requests.recv() {
        let born = spare.0.take().map_or_else(|| start(program, memory_bytes), Ok);
        let _asker_left = asked.answer.send(born);
        if asked.spare && spare.0.is_none() {
            // Should this fail, it fails again for whoever asks, and is told then.
            spare.0 = start(program, memory_bytes).ok();
        }
    }
}

fn start(program: &std::path::Path, memory_bytes: u64) -> Result<Born> {
    let (socket, theirs) = channel::pair().map_err(|e| Error::io("make a socket for a worker", e.into()))?;
    let mark = mark().map_err(|e| Error::io("make a mark for a worker", e.into()))?;
    let theirs_too = mark.try_clone().map_err(|e| Error::io("make a mark for a worker", e))?;
    let child = Command::new(program)
        .args([ARGUMENT, &memory_bytes.to_string()])
        // Nothing of ours is for a worker: secrets are passed in variables.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::from(theirs_too))
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|e| Error::io(format_args!("start the worker {}", program.display()), e))?;
    Ok(Born { child, socket, mark })
}

/// An open file without a name that stays empty, for the sake of its offset.
fn mark() -> Result<OwnedFd, Errno> {
    let mark = memfd_create("medialith-mark", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    fcntl_add_seals(&mark, SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK)?;
    Ok(mark)
}
