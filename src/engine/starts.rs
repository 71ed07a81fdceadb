//! Starts that did not end well: a server that dies again and again of its own work must come up without it.
//!
//! A start is written down before the work begins and crossed out by an orderly end. The third within five minutes is told to
//! begin in safe mode: reads and administration, no indexing. Times are of the wall clock; one that jumps makes a start count
//! or not count, never more.

use super::home::STARTS;
use super::open::Engine;
use crate::codec::{Take, file, frame};
use crate::error::{Error, Result};
use crate::model::{Timestamp, now};

const MAGIC: [u8; 8] = *b"mlithST\n";
const VERSION: u32 = 1;
/// Starts that are remembered.
const KEPT: usize = 16;
/// Unfinished starts before this one that make it a safe one.
const MOST: usize = 2;
/// How long they count, in nanoseconds.
const WITHIN: i64 = 300 * 1_000_000_000;

impl Engine {
    /// Writes down a start; answers whether it should be a safe one. So is one of a database that refuses writes.
    pub fn begin_start(&self) -> Result<bool> {
        if self.handle.inner.writable().is_err() {
            // Where nothing can be written nothing can be indexed.
            return Ok(true);
        }
        let path = self.handle.inner.home.file(STARTS);
        let mut starts = match std::fs::read(&path) {
            // A damaged list is as good as none: it is about caution, not about data.
            Ok(bytes) => decode(&bytes).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let Timestamp(at) = now();
        let recent = starts.iter().filter(|start| start.abs_diff(at) <= WITHIN.unsigned_abs()).count();
        starts.push(at);
        let from = starts.len().saturating_sub(KEPT);
        write(&path, starts.get(from..).unwrap_or_default())?;
        Ok(recent >= MOST)
    }

    /// Crosses out all starts: this one came to an orderly end.
    pub fn end_start(&self) -> Result<()> {
        write(&self.handle.inner.home.file(STARTS), &[])
    }
}

fn write(path: &std::path::Path, starts: &[i64]) -> Result<()> {
    let body: Vec<u8> = starts.iter().flat_map(|start| start.to_le_bytes()).collect();
    file::replace(path, &frame::seal(MAGIC, VERSION, &body))
}

fn decode(bytes: &[u8]) -> Result<Vec<i64>> {
    let (_, body) = frame::open(MAGIC, VERSION, bytes, STARTS)?;
    let mut take = Take::new(body);
    let mut starts = Vec::new();
    while !take.is_empty() {
        starts.push(take.u64("start")?.cast_signed());
        if starts.len() > KEPT {
            return Err(Error::corrupted(format!("expected at most {KEPT} starts, got more")));
        }
    }
    Ok(starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Options;

    #[test]
    fn the_third_start_in_a_row_is_safe() {
        let dir = tempfile::tempdir().unwrap();
        let start = || Engine::open(dir.path(), Options::default()).unwrap();
        let safe: Vec<bool> = (0..4).map(|_| start().begin_start().unwrap()).collect();
        assert_eq!(safe, [false, false, true, true]);
        start().end_start().unwrap();
        assert!(!start().begin_start().unwrap());
        // Long ago, or never written whole: neither counts.
        let path = dir.path().join(STARTS);
        write(&path, &[now().0 - WITHIN * 2; 5]).unwrap();
        assert!(!start().begin_start().unwrap());
        write(&path, &[now().0; 5]).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[25] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(!start().begin_start().unwrap());
    }
}
