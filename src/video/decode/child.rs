//! FFmpeg as a child process: encoded pictures go in by one pipe, small RGB ones come out by another.
//!
//! The child is given no file and no network (`-protocol_whitelist pipe`), an empty environment, limits on address space,
//! processor time, files and output (setrlimit(2)), one thread, and a deadline. It inherits the low priority of its worker.

use super::raw::Reader;
use super::wrap::{self, BASE};
use super::{Fence, LONGEST, Supply, Take, small};
use crate::video::failure::{Failure, Step};
use crate::video::packets::Track;
use rustix::process::{Pid, Resource, Rlimit};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Address space of the child: what decoding 8K takes, with the libraries.
const ADDRESS_SPACE: u64 = 2 << 30;
/// Files that the child may have open.
const FILES: u64 = 64;
/// Bytes of the child's complaints that are kept.
const COMPLAINTS: u64 = 4096;
/// How often the deadline is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Size of small pictures whose encoded size the container does not say.
const UNSAID: (u32, u32) = (LONGEST, LONGEST * 9 / 16);

/// FFmpeg on the search path.
pub(in crate::video) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|folder| folder.join("ffmpeg"));
    places.into_iter().find(|place| place.is_absolute() && place.is_file())
}

/// What one run shares between its threads.
struct Run {
    child: Mutex<Child>,
    done: AtomicBool,
    /// Time of the first picture.
    from: AtomicI64,
}

impl Run {
    fn kill(&self) {
        // It may have ended by itself.
        drop(self.child.lock().unwrap_or_else(PoisonError::into_inner).kill());
    }
}

/// Decodes.
pub(super) fn run(
    ffmpeg: &Path,
    track: &Track,
    supply: &mut Supply<'_>,
    take: &mut Take<'_>,
    fence: &Fence<'_>,
) -> Step<()> {
    let size = if track.width > 0 && track.height > 0 { small(track.width, track.height)? } else { UNSAID };
    let mut child = start(ffmpeg, size)?;
    limit(&child, fence.allowed);
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let run = Run { child: Mutex::new(child), done: AtomicBool::new(false), from: AtomicI64::new(i64::MIN) };
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(Failure::system("start ffmpeg", "its pipes are missing"));
    };
    let (read, fed, complaints) = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(stdin, track, supply, &run));
        let listener = scope.spawn(|| listen(stderr));
        scope.spawn(|| watch(&run, fence));
        let read = pictures(Reader::new(stdout, u64::from(LONGEST) * u64::from(LONGEST)), take, &run);
        if read.is_err() {
            run.kill();
        }
        let fed = feeder.join().unwrap_or_else(|_| Err(Failure::system("feed ffmpeg", "a thread panicked")));
        let complaints = listener.join().unwrap_or_default();
        run.done.store(true, Ordering::Relaxed);
        (read, fed, complaints)
    });
    let status = run.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    fence.check()?;
    fed?;
    let count = read?;
    let status = status.map_err(|e| Failure::system("wait for ffmpeg", e))?;
    if count > 0 || status.success() {
        return Ok(());
    }
    if let Some(signal) = status.signal() {
        return Err(Failure::damaged(format!("The decoder met its limits or failed (signal {signal}).")));
    }
    Err(Failure::codec(&track.codec.name, &format!("ffmpeg says {complaints:?}")))
}

fn start(ffmpeg: &Path, (width, height): (u32, u32)) -> Step<Child> {
    let mut command = Command::new(ffmpeg);
    command.env_clear().current_dir("/");
    command.args(["-hide_banner", "-nostats", "-v", "error", "-protocol_whitelist", "pipe", "-f", "matroska"]);
    // Pictures of random access that are no IDR pictures come without those they refer to.
    // Times come out as they went in (copyts).
    command.args(["-threads", "1", "-flags", "+output_corrupt", "-flags2", "+showall", "-copyts", "-i", "pipe:0"]);
    command.args(["-map", "0:v:0", "-an", "-sn", "-dn", "-filter_threads", "1", "-vsync", "passthrough"]);
    command.arg("-vf").arg(format!("scale={width}:{height}:flags=area,format=rgb24"));
    // IMPORTANT: the clock of the encoder is that of the packets. Without it FFmpeg counts in pictures of a rate that it guesses
    // from the first packets, and moves every time to the next of them: by 133 ms where only key frames come, whose times then
    // name none of those that went in.
    command.args(["-c:v", "rawvideo", "-enc_time_base", "1:1000", "-threads", "1", "-allow_raw_vfw", "1"]);
    command.args(["-f", "matroska", "pipe:1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|e| Failure::system("start ffmpeg", e))
}

/// Sets the limits of a child that has read nothing yet. Where the system refuses one, the others and the deadline hold.
fn limit(child: &Child, allowed: Duration) {
    let pid = Pid::from_child(child);
    let set = |resource: Resource, most: u64| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        let _refused = rustix::process::prlimit(Some(pid), resource, limit);
    };
    set(Resource::As, ADDRESS_SPACE);
    set(Resource::Cpu, allowed.as_secs().saturating_add(1));
    set(Resource::Fsize, 0);
    set(Resource::Nofile, FILES);
    set(Resource::Core, 0);
}

/// Writes the pictures. A child that reads no more has an own reason, which is asked for elsewhere.
fn feed(mut to: ChildStdin, track: &Track, supply: &mut Supply<'_>, run: &Run) -> Step<()> {
    let mut begun = to.write_all(&wrap::header(track)).is_ok();
    while begun && !run.done.load(Ordering::Relaxed) {
        let Some(encoded) = supply()? else { break };
        let unset = run.from.compare_exchange(i64::MIN, encoded.time, Ordering::Relaxed, Ordering::Relaxed);
        let from = unset.map_or_else(|set| set, |_| encoded.time);
        begun = to.write_all(&wrap::cluster(&encoded, from)).is_ok();
    }
    Ok(())
}

fn listen(mut from: impl Read) -> String {
    let mut kept = Vec::new();
    // The rest is read too, or the child would wait for somebody to read it.
    drop(from.by_ref().take(COMPLAINTS).read_to_end(&mut kept));
    drop(std::io::copy(&mut from, &mut std::io::sink()));
    let text = String::from_utf8_lossy(&kept);
    text.lines().next().unwrap_or("").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Ends the child when its time is over or the work was given up.
fn watch(run: &Run, fence: &Fence<'_>) {
    while !run.done.load(Ordering::Relaxed) {
        if fence.check().is_err() {
            run.kill();
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn pictures(mut reader: Reader<impl Read>, take: &mut Take<'_>, run: &Run) -> Step<u64> {
    let mut count = 0;
    loop {
        match reader.next() {
            Ok(Some(mut frame)) => {
                frame.time = frame.time - BASE + run.from.load(Ordering::Relaxed);
                count += 1;
                take(frame)?;
            }
            Ok(None) => return Ok(count),
            // An end within a picture: what came before it counts.
            Err(failure) if count > 0 && !failure.passing => return Ok(count),
            Err(failure) => return Err(failure),
        }
    }
}
