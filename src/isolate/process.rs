//! The daemon's side of one worker: its process, its socket, and how it ended.

use super::channel::{self, Channel, DESCRIPTORS, Lost};
use super::extractor::Handle;
use super::options::Sandbox;
use super::outcome::{Fault, Outcome};
use super::posture::Posture;
use super::wire::{Access, Ask, Hello, Job, Kind, Pixels, Reply};
use super::{Request, nursery::Born};
use crate::error::{Error, ErrorKind, Result};
use crate::extract::Options;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// Longest that a worker may take to get into its jail.
const BIRTH: Duration = Duration::from_secs(20);
/// Ranges that a worker may ask for in one job, and their bytes: parsers get along with a few.
const ASKS: u32 = 65_536;
const ASKED_BYTES: u64 = 64 << 20;
/// Time and memory beyond a budget that decoding keeps by itself.
const SLACK: Duration = Duration::from_secs(1);
const SLACK_BYTES: u64 = 64 << 20;
/// Jobs that are handed over together at most: each may come with two descriptors.
pub(super) const TOGETHER: usize = DESCRIPTORS / 2;

/// A worker that is ready. Dropping it ends its process.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    channel: Channel,
    /// Holds nothing; the worker sets its offset to the number of the job that it begins, whoever looks learns it by asking
    /// for the offset. It costs one system call, wakes nobody, and outlives the worker.
    mark: OwnedFd,
    pub(super) posture: Posture,
    jobs: u64,
    message: Vec<u8>,
    /// Jobs that were given and not sent.
    given: Vec<u8>,
}

/// A fault among jobs that were handed over together, and the place of the one that is to blame.
pub(super) struct Blamed {
    pub(super) place: usize,
    pub(super) fault: Fault,
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
    /// Takes a worker that was started and hears what its jail reached.
    pub(super) fn greet(born: Born, sandbox: &Sandbox) -> Result<Worker> {
        let (channel, posture, message) = (Channel::new(born.socket), Posture::default(), Vec::new());
        let mut worker =
            Worker { child: born.child, channel, mark: born.mark, posture, jobs: 0, message, given: Vec::new() };
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
        let job = job(self.jobs + 1, sources, request, sandbox);
        self.run_job(sources, &job, wall(request, sandbox), sandbox)
    }

    /// Decodes the picture in a source. After an error the worker is to be dropped.
    pub(super) fn see(&mut self, source: Handle<'_>, pixels: Pixels, sandbox: &Sandbox) -> Result<Reply, Fault> {
        let request = Request { name: "", options: Options::default(), evidence: false };
        let mut job = job(self.jobs + 1, &[source], &request, sandbox);
        // Decoding keeps its budget by itself; these end what does not.
        job.memory_bytes = pixels.memory_bytes.saturating_add(SLACK_BYTES);
        job.cpu = pixels.time.saturating_add(SLACK);
        job.pixels = Some(pixels);
        self.run_job(&[source], &job, pixels.time.saturating_add(SLACK).max(sandbox.wall), sandbox)
    }

    fn run_job(
        &mut self,
        sources: &[Handle<'_>],
        job: &Job,
        wall: Duration,
        sandbox: &Sandbox,
    ) -> Result<Reply, Fault> {
        self.jobs = job.number;
        let deadline = Instant::now() + wall;
        let mut asked = Asked::default();
        match self.talk(sources, job, deadline, &mut asked) {
            Ok(reply) => match asked.error {
                Some(e) if reply.outcome == Outcome::SourceError => Err(Fault::from(Error::io("read the file", e))),
                _ => Ok(reply),
            },
            Err(talk) => Err(self.fault(talk, &asked, sandbox, wall)),
        }
    }

    /// Hands over a job whose sources all have descriptors, without waiting for its reply: at most [`TOGETHER`] before
    /// [`Worker::take_all`]. Jobs go to the worker by [`Worker::push`].
    pub(super) fn give(&mut self, sources: &[Handle<'_>], request: &Request<'_>, sandbox: &Sandbox) {
        self.jobs += 1;
        let job = job(self.jobs, sources, request, sandbox);
        channel::append(&mut self.given, |out| {
            job.encode(out);
            true
        });
    }

    /// Sends what was given since the last time, with its descriptors.
    pub(super) fn push(&mut self, descriptors: &[BorrowedFd<'_>]) -> Result<(), Talk> {
        let sent = self.channel.send_all(&self.given, descriptors);
        self.given.clear();
        Ok(sent?)
    }

    /// Takes the replies to the jobs that were given, in their order, whose requests these are; `pushed` tells how sending
    /// them went. `take` gets each with its place. After an error, and after a reply that tells of a panic, the worker is to be
    /// dropped.
    pub(super) fn take_all(
        &mut self,
        requests: &[&Request<'_>],
        pushed: Result<(), Talk>,
        sandbox: &Sandbox,
        take: &mut dyn FnMut(usize, Reply),
    ) -> Result<(), Blamed> {
        let first = (self.jobs + 1).saturating_sub(requests.len() as u64);
        let (mut done, mut asked) = (0, Asked::default());
        let taken = self.replies(requests, first, sandbox, (&mut done, &mut asked), take);
        let Err(talk) = taken.and(pushed) else { return Ok(()) };
        let wall = requests.get(done).map_or(sandbox.wall, |request| wall(request, sandbox));
        let fault = self.fault(talk, &asked, sandbox, wall);
        // Replies that it kept back when it died belong to files that are not to blame. It may lie about which one it was at,
        // as it may about everything that it was given.
        let at = rustix::fs::tell(&self.mark).unwrap_or(0).checked_sub(first);
        let at = at.and_then(|at| usize::try_from(at).ok()).filter(|at| (done..requests.len()).contains(at));
        Err(Blamed { place: at.unwrap_or(done), fault })
    }

    fn replies(
        &mut self,
        requests: &[&Request<'_>],
        first: u64,
        sandbox: &Sandbox,
        (done, asked): (&mut usize, &mut Asked),
        take: &mut dyn FnMut(usize, Reply),
    ) -> Result<(), Talk> {
        while let Some(request) = requests.get(*done) {
            // The time of each begins when the one before was answered, and what the caller did with that is not counted.
            let deadline = Instant::now() + wall(request, sandbox);
            let reply = loop {
                let message = self.channel.receive(Some(deadline), None)?;
                match Kind::of(message)? {
                    (Kind::Reply, body) => break Reply::decode(body)?,
                    (Kind::Refused, _) => asked.refused_memory = true,
                    (other, _) => return Err(Error::corrupted(format!("expected a reply, got {other:?}")).into()),
                }
            };
            expect(first + *done as u64, &reply)?;
            asked.refused_memory = false;
            let (place, ended) = (*done, reply.is_last());
            *done += 1;
            take(place, reply);
            if ended {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the end of a talk says of the file at hand.
    fn fault(&mut self, talk: Talk, asked: &Asked, sandbox: &Sandbox, wall: Duration) -> Fault {
        match talk {
            Talk::Lost(Lost::Late) => {
                Fault::new(Outcome::Timeout, format!("the worker did not answer within {wall:?} and was ended"))
            }
            Talk::Lost(Lost::Closed) => self.post_mortem(asked, sandbox),
            Talk::Lost(Lost::TooLong(length)) => {
                Fault::new(Outcome::ProtocolError, format!("the worker claims an answer of {length} bytes"))
            }
            Talk::Lost(Lost::System(e)) => {
                Fault::new(Outcome::SourceError, format!("the socket of the worker failed: {e}"))
            }
            Talk::Nonsense(e) => Fault::new(Outcome::ProtocolError, e.message()),
        }
    }

    fn talk(
        &mut self,
        sources: &[Handle<'_>],
        job: &Job,
        mut deadline: Instant,
        asked: &mut Asked,
    ) -> Result<Reply, Talk> {
        // A picture is read whole, its length is bounded by its budget.
        let endless = job.options.digests.read_all() || job.pixels.is_some();
        self.message.clear();
        job.encode(&mut self.message);
        let descriptors: Vec<BorrowedFd<'_>> = sources.iter().filter_map(|handle| handle.descriptor).collect();
        self.channel.send(&self.message, &descriptors)?;
        loop {
            let message = self.channel.receive(Some(deadline), None)?;
            match Kind::of(message)? {
                (Kind::Reply, take) => {
                    let reply = Reply::decode(take)?;
                    expect(self.jobs, &reply)?;
                    return Ok(reply);
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

/// How long an answer may take. Reading every byte of a large file takes as long as it takes.
fn wall(request: &Request<'_>, sandbox: &Sandbox) -> Duration {
    if request.options.digests.read_all() { Sandbox::LONGEST } else { sandbox.wall }
}

/// The message for one file.
fn job(number: u64, sources: &[Handle<'_>], request: &Request<'_>, sandbox: &Sandbox) -> Job {
    let access = |handle: &Handle<'_>| match handle.descriptor {
        Some(_) => Access::Descriptor,
        None => Access::Ranges,
    };
    Job {
        number,
        sources: sources.iter().map(|handle| (access(handle), handle.bytes.len())).collect(),
        name: request.name.to_owned(),
        evidence: request.evidence,
        options: request.options,
        memory_bytes: sandbox.memory_bytes,
        cpu: if request.options.digests.read_all() { Duration::ZERO } else { sandbox.cpu },
        pixels: None,
    }
}

/// Fails unless the reply is to that job.
fn expect(number: u64, reply: &Reply) -> Result<()> {
    if reply.number == number {
        return Ok(());
    }
    Err(Error::corrupted(format!("expected the reply to job {number}, got {}", reply.number)))
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
pub(super) enum Talk {
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
