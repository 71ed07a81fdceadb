//! Every file of the corpus cut at every 64th byte and with every 97th byte flipped: no panic, 250 ms of processor time at
//! most, no more than 64 MiB allocated.
//!
//! Without being asked only a sample of places is tried, so that the test stays short; `MEDIALITH_DAMAGE=full` tries all,
//! `MEDIALITH_DAMAGE=3/16` all of every sixteenth file, beginning with the third: for runs that are done in parts.

use crate::memory;
use medialith::codec::ReadAt;
use medialith::extract::{Hint, Options, extract};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Places tried in one file when sampling, of each kind.
const SAMPLE: usize = 3;
/// Longest that one file may take, in processor time. Unoptimised builds are given twice as much.
const SLOWEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 250 });
/// Most memory that one file may need.
const MEMORY: usize = 64 << 20;

/// A file with a wound.
struct Damaged<'a> {
    bytes: &'a [u8],
    /// Places whose bits are turned over: this one, and every so many behind it.
    flips: Option<(usize, usize)>,
}

impl ReadAt for Damaged<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let count = buf.len().min(self.bytes.len() - start);
        buf[..count].copy_from_slice(&self.bytes[start..start + count]);
        if let Some((first, step)) = self.flips {
            let skipped = start.saturating_sub(first).div_ceil(step) * step;
            for at in (first + skipped..start + count).step_by(step) {
                buf[at - start] ^= 0xFF;
            }
        }
        Ok(count)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// What was worst.
#[derive(Default)]
struct Worst {
    runs: usize,
    time: (Duration, String),
    memory: (usize, String),
}

impl Worst {
    fn run(&mut self, name: &str, source: &Damaged<'_>, what: &str) {
        let told = || format!("{name} {what} {:?}", source.flips);
        let before = memory::start();
        let start = cpu_time::ThreadTime::now();
        let found = extract(source, &Hint { name }, &Options::default());
        let (time, used) = (start.elapsed(), memory::peak_since(before));
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", told()));
        let panicked = found.warnings.iter().find(|warning| warning.message.contains("a defect in medialith"));
        assert!(panicked.is_none(), "{}: {panicked:?}", told());
        assert!(time <= SLOWEST, "{}: {time:?} of processor time", told());
        assert!(used <= MEMORY, "{}: {used} bytes of memory", told());
        self.runs += 1;
        if time > self.time.0 {
            self.time = (time, told());
        }
        if used > self.memory.0 {
            self.memory = (used, told());
        }
    }
}

/// How much is tried.
struct Extent {
    full: bool,
    /// Which of how many parts of the files, from 0.
    part: (usize, usize),
}

fn extent() -> Extent {
    let value = std::env::var("MEDIALITH_DAMAGE").unwrap_or_default();
    let part = value.split_once('/').map(|(part, of)| (part.parse().unwrap(), of.parse().unwrap()));
    part.iter().for_each(|(part, of)| {
        assert!((1..=*of).contains(part), "MEDIALITH_DAMAGE: expected PART/PARTS, got {value:?}")
    });
    let (part, of) = part.unwrap_or((1, 1));
    Extent { full: value == "full" || of > 1, part: (part - 1, of) }
}

/// Tries all files of this part.
pub(crate) fn run(root: &Path, paths: &[&str]) {
    let Extent { full, part: (part, of) } = extent();
    let mut worst = Worst::default();
    // A defect is told with the file's name instead of a backtrace for each.
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for path in paths.iter().skip(part).step_by(of) {
            let bytes = std::fs::read(root.join("dev").join(path)).unwrap();
            hurt(path, &bytes, full, &mut worst);
        }
    }));
    drop(std::panic::take_hook());
    if let Err(cause) = result {
        let text = cause.downcast_ref::<String>().map_or("an assertion failed", String::as_str);
        panic!("{text}");
    }
    let Worst { runs, time, memory } = worst;
    println!("damage: {runs} runs; slowest {:?} ({}); most memory {} bytes ({})", time.0, time.1, memory.0, memory.1);
}

fn hurt(path: &str, bytes: &[u8], full: bool, worst: &mut Worst) {
    let places = |step: usize| {
        let all = bytes.len().div_ceil(step);
        let stride = if full { 1 } else { all.div_ceil(SAMPLE).max(1) };
        (0..all).step_by(stride).map(move |n| n * step)
    };
    worst.run(path, &Damaged { bytes, flips: None }, "whole");
    for end in places(64) {
        worst.run(path, &Damaged { bytes: &bytes[..end], flips: None }, &format!("cut at {end}"));
    }
    for at in places(97) {
        // Too far for a second one.
        worst.run(path, &Damaged { bytes, flips: Some((at, bytes.len())) }, "flipped");
    }
    for first in 0..if full { 97 } else { 2 } {
        worst.run(path, &Damaged { bytes, flips: Some((first, 97)) }, "every 97th flipped");
    }
}
