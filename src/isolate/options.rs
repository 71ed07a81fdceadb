//! How files are read: beside the database in threads, or in jailed processes; and how hard the walls are.

use super::posture::Level;
use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

/// Where parsers run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Isolation {
    /// In the threads of this process, behind a panic barrier and the caps of extraction. A file that overflows the stack,
    /// exhausts memory or never returns costs the process, or a thread of it: for trusted files.
    #[default]
    InThread,
    /// In worker processes that hold nothing but one file.
    Process(Sandbox),
}

/// The walls around a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// The program that is started as a worker: one whose `main` begins with [`serve_if_asked`](super::serve_if_asked), as
    /// that of the `medialith` command does. `None` is this program.
    pub helper: Option<PathBuf>,
    /// What the jail must reach; below it nothing is read. Default [`Level::Full`].
    pub minimum: Level,
    /// Memory that one file may cost, 16 MiB to 64 GiB. Default 256 MiB.
    pub memory_bytes: u64,
    /// Processor time that one file may cost, 1 s to 1 h, to half a second. Default 2 s. Where digests read every byte,
    /// only `wall` applies.
    pub cpu: Duration,
    /// Time until an answer, 10 ms to 1 h. Default 10 s.
    pub wall: Duration,
    /// Files that one worker reads before another takes its place, at least 1. Default 10,000: of photographs, which take some
    /// 40 us each, a start for every thousand would cost a twentieth.
    pub files_per_worker: u32,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox {
            helper: None,
            minimum: Level::Full,
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(2),
            wall: Duration::from_secs(10),
            files_per_worker: 10_000,
        }
    }
}

impl Sandbox {
    /// Least and most memory of one file.
    pub const MEMORY: (u64, u64) = (16 << 20, 64 << 30);
    /// Longest processor time and longest wait.
    pub const LONGEST: Duration = Duration::from_secs(3600);

    /// Checks every setting against its range.
    pub fn validate(&self) -> Result<()> {
        let (least, most) = Sandbox::MEMORY;
        if !(least..=most).contains(&self.memory_bytes) {
            let got = self.memory_bytes;
            return Err(Error::invalid(format!("sandbox memory_bytes: expected {least} to {most}, got {got}")));
        }
        let within = |what: &str, got: Duration, least: Duration| {
            let most = Sandbox::LONGEST;
            let fits = (least..=most).contains(&got);
            let wrong = || Error::invalid(format!("sandbox {what}: expected {least:?} to {most:?}, got {got:?}"));
            if fits { Ok(()) } else { Err(wrong()) }
        };
        within("cpu", self.cpu, Duration::from_secs(1))?;
        within("wall", self.wall, Duration::from_millis(10))?;
        if self.files_per_worker == 0 {
            return Err(Error::invalid("sandbox files_per_worker: expected at least 1, got 0"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        Sandbox::default().validate().unwrap();
        for bad in [
            Sandbox { memory_bytes: 1, ..Sandbox::default() },
            Sandbox { cpu: Duration::ZERO, ..Sandbox::default() },
            Sandbox { wall: Duration::from_secs(4000), ..Sandbox::default() },
            Sandbox { files_per_worker: 0, ..Sandbox::default() },
        ] {
            assert!(bad.validate().unwrap_err().message().contains("expected"));
        }
    }
}
