//! The daemon's side of one worker: its process, its socket, and how it ended.

use super::channel::{Channel, Lost};
use super::extractor::Handle;
use super::options::Sandbox;
use super::outcome::{Fault, Outcome};
use super::posture::Posture;
use super::wire::{Access, Ask, Hello, Job, Kind, Reply};
use super::{Request, nursery::Nursery};
use crate::error::{Error, ErrorKind, Result};
use rustix::fd::BorrowedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// Longest that a worker may take to get into its jail.
const BIRTH: Duration = Duration::from_secs(20);
/// Ranges that a worker may ask for in one job, and their bytes: parsers get along with a few.
const ASKS: u32 = 65_536;
const ASKED_BYTES: u64 = 64 << 20;

/// A worker that is ready. Dropping it ends its process.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    channel: Channel,
    pub(super) posture: Posture,
    jobs: u64,
    message: Vec<u8>,
}

/// What one job asked of its sources.
#[derive(Default)]
struct Asked {
    times: u32,
    bytes: u64,
    refused_memory: bool,
    /// What a source said when it could not be read.
    error: Option<std::io::Error>,
}

impl Worker {
    /// Starts a worker and hears what its jail reached.
    pub(super) fn start(nursery: &Nursery, sandbox: &Sandbox) -> Result<Worker> {
        let (child, socket) = nursery.bear()?;
        let (channel, posture, message) = (Channel::new(socket), Posture::default(), Vec::new());
        let mut worker = Worker { child, channel, posture, jobs: 0, message };
        worker.posture = worker.hello()?;
        let level = worker.posture.level();
        if level < sandbox.minimum {
            let least = sandbox.minimum;
            return Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "expected workers in a jail of level {least} at least, got {}; nothing was read",
                    worker.posture
                ),
            ));
        }
        Ok(worker)
    }

    fn hello(&mut self) -> Result<Posture> {
        let what = "the program that was started as a worker did not answer as one";
        let unlike = |why: String| Error::new(ErrorKind::Internal, format!("{what}: {why}"));
        let message = self.channel.receive(Some(Instant::now() + BIRTH), None).map_err(|e| unlike(format!("{e:?}")))?;
        match Kind::of(message)? {
            (Kind::Hello, take) => Ok(Hello::decode(take)?.posture),
            (other, _) => Err(unlike(format!("expected a greeting, got {other:?}"))),
        }
    }

    /// Jobs it has done.
    pub(super) fn jobs(&self) -> u64 {
        self.jobs
    }

    /// Does one job. After an error the worker is to be dropped.
    pub(super) fn run(
        &mut self,
        sources: &[Handle<'_>],
        request: &Request<'_>,
        sandbox: &Sandbox,
    ) -> Result<Reply, Fault> {
        self.jobs += 1;
        // Reading every byte of a large file takes as long as it takes.
        let wall = if request.options.digests.read_all() { Sandbox::LONGEST } else { sandbox.wall };
        let deadline = Instant::now() + wall;
        let mut asked = Asked::default();
        match self.talk(sources, request, sandbox, deadline, &mut asked) {
            Ok(reply) => match asked.error {
                Some(e) if reply.outcome == Outcome::SourceError => Err(Fault::from(Error::io("read the file", e))),
                _ => Ok(reply),
            },
            Err(Talk::Lost(Lost::Late)) => {
                Err(Fault::new(Outcome::Timeout, format!("the worker did not answer within {wall:?} and was ended")))
            }
            Err(Talk::Lost(Lost::Closed)) => Err(self.post_mortem(&asked, sandbox)),
            Err(Talk::Lost(Lost::TooLong(length))) => {
                Err(Fault::new(Outcome::ProtocolError, format!("the worker claims an answer of {length} bytes")))
            }
            Err(Talk::Lost(Lost::System(e))) => {
                Err(Fault::new(Outcome::SourceError, format!("the socket of the worker failed: {e}")))
            }
            Err(Talk::Nonsense(e)) => Err(Fault::new(Outcome::ProtocolError, e.message())),
        }
    }

    fn talk(
        &mut self,
        sources: &[Handle<'_>],
        request: &Request<'_>,
        sandbox: &Sandbox,
        mut deadline: Instant,
        asked: &mut Asked,
    ) -> Result<Reply, Talk> {
        let endless = request.options.digests.read_all();
        let access = |handle: &Handle<'_>| match handle.descriptor {
            Some(_) => Access::Descriptor,
            None => Access::Ranges,
        };
        let job = Job {
            number: self.jobs,
            sources: sources.iter().map(|handle| (access(handle), handle.bytes.len())).collect(),
            name: request.name.to_owned(),
            evidence: request.evidence,
            options: request.options,
            memory_bytes: sandbox.memory_bytes,
            cpu: if endless { Duration::ZERO } else { sandbox.cpu },
        };
        self.message.clear();
        job.encode(&mut self.message);
        let descriptors: Vec<BorrowedFd<'_>> = sources.iter().filter_map(|handle| handle.descriptor).collect();
        self.channel.send(&self.message, &descriptors)?;
        loop {
            let message = self.channel.receive(Some(deadline), None)?;
            match Kind::of(message)? {
                (Kind::Reply, take) => {
                    let reply = Reply::decode(take)?;
                    let expected = self.jobs;
                    let stale =
                        || Error::corrupted(format!("expected the reply to job {expected}, got {}", reply.number));
                    return if reply.number == expected { Ok(reply) } else { Err(stale().into()) };
                }
                (Kind::Refused, _) => asked.refused_memory = true,
                (Kind::Ask, take) => {
                    let ask = Ask::decode(take)?;
                    asked.times += 1;
                    asked.bytes += u64::from(ask.len);
                    if asked.times > ASKS || (asked.bytes > ASKED_BYTES && !endless) {
                        let (times, bytes) = (asked.times, asked.bytes);
                        return Err(
                            Error::corrupted(format!("the worker asked {times} times for {bytes} bytes")).into()
                        );
                    }
                    let begun = Instant::now();
                    answer(&mut self.message, sources, &ask, asked)?;
                    // How long its source takes is not the worker's fault.
                    deadline += begun.elapsed();
                    self.channel.send(&self.message, &[])?;
                }
                (other, _) => return Err(Error::corrupted(format!("expected a reply, got {other:?}")).into()),
            }
        }
    }

    /// What the worker died of.
    fn post_mortem(&mut self, asked: &Asked, sandbox: &Sandbox) -> Fault {
        // It may have closed its socket and live on: then this ends it; what it died of before stays known.
        let _dead_already = self.child.kill();
        match self.child.wait() {
            Ok(status) => diagnose(status, asked.refused_memory, sandbox),
            Err(e) => Fault::new(Outcome::Crashed, format!("the worker ended, and how is not known: {e}")),
        }
    }
}

/// Bytes that a worker asked for, or that there are none.
fn answer(message: &mut Vec<u8>, sources: &[Handle<'_>], ask: &Ask, asked: &mut Asked) -> Result<(), Talk> {
    let source = sources.get(usize::from(ask.source)).filter(|handle| handle.descriptor.is_none());
    let source = source.ok_or_else(|| Error::corrupted(format!("expected a source to ask, got {}", ask.source)))?;
    let head = [Kind::Data.tag(), 1];
    message.clear();
    message.extend_from_slice(&head);
    message.resize(head.len() + ask.len as usize, 0);
    match source.bytes.read_at(ask.offset, message.get_mut(head.len()..).unwrap_or_default()) {
        Ok(count) => message.truncate(head.len() + count),
        Err(e) => {
            message.clear();
            message.extend_from_slice(&[Kind::Data.tag(), 0]);
            asked.error = Some(e);
        }
    }
    Ok(())
}

fn diagnose(status: ExitStatus, refused_memory: bool, sandbox: &Sandbox) -> Fault {
    match status.signal() {
        Some(libc::SIGSYS) => {
            Fault::new(Outcome::SandboxViolation, "the worker made a system call that its jail forbids")
        }
        Some(libc::SIGXCPU) => {
            let limit = sandbox.cpu;
            Fault::new(Outcome::LimitCpu, format!("the worker computed for more than {limit:?} and was ended"))
        }
        Some(_) if refused_memory => {
            let limit = sandbox.memory_bytes >> 20;
            Fault::new(Outcome::LimitMemory, format!("a parser asked for more than {limit} MiB and gave up"))
        }
        Some(signal) => Fault::new(Outcome::Crashed, format!("the worker died of signal {signal}")),
        None => {
            let code = status.code().unwrap_or(-1);
            Fault::new(Outcome::Crashed, format!("the worker left without an answer, with code {code}"))
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _dead_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Why a talk ended without a reply.
enum Talk {
    Lost(Lost),
    Nonsense(Error),
}

impl From<Lost> for Talk {
    fn from(lost: Lost) -> Talk {
        Talk::Lost(lost)
    }
}

impl From<Error> for Talk {
    fn from(error: Error) -> Talk {
        Talk::Nonsense(error)
    }
}
