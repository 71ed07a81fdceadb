//! What a worker's jail reached on this kernel, as it reports it itself.

use std::fmt;
use std::str::FromStr;

/// How strong a jail is; each level holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// A process of its own and nothing more.
    Process,
    /// Resource limits and no new privileges.
    Limits,
    /// And a list of the few system calls that are allowed.
    Seccomp,
    /// And no file and no port that could be opened, by Landlock.
    Full,
}

impl Level {
    /// Every level, weakest first.
    pub const ALL: [Level; 4] = [Level::Process, Level::Limits, Level::Seccomp, Level::Full];

    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Level::Process => "process",
            Level::Limits => "limits",
            Level::Seccomp => "seccomp",
            Level::Full => "full",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        let found = Level::ALL.into_iter().find(|level| level.name() == text);
        found.ok_or_else(|| format!("expected process, limits, seccomp or full, got {text:?}"))
    }
}

/// The state of a worker's jail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Posture {
    /// Resource limits are set and privileges cannot grow.
    pub limits: bool,
    /// System calls are filtered.
    pub seccomp: bool,
    /// Version of Landlock's interface that is enforced, 0 for none.
    pub landlock: u8,
    /// It runs as another user than root.
    pub unprivileged: bool,
    /// Its allocator counts and refuses.
    pub counted: bool,
}

impl Posture {
    /// What it amounts to.
    pub fn level(&self) -> Level {
        match (self.limits, self.seccomp, self.landlock > 0) {
            (true, true, true) => Level::Full,
            (true, true, false) => Level::Seccomp,
            (true, false, _) => Level::Limits,
            (false, _, _) => Level::Process,
        }
    }
}

impl fmt::Display for Posture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |on: bool| if on { "yes" } else { "no" };
        write!(
            f,
            "{} (limits {}, seccomp {}, landlock {}, unprivileged {}, counted memory {})",
            self.level(),
            yes(self.limits),
            yes(self.seccomp),
            self.landlock,
            yes(self.unprivileged),
            yes(self.counted)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::ALL.is_sorted());
        assert!(Level::ALL.iter().all(|level| level.name().parse() == Ok(*level)));
        assert!("strong".parse::<Level>().unwrap_err().contains("strong"));
        let full = Posture { limits: true, seccomp: true, landlock: 7, ..Posture::default() };
        assert_eq!(full.level(), Level::Full);
        assert_eq!(Posture { landlock: 0, ..full }.level(), Level::Seccomp);
        assert_eq!(Posture { seccomp: false, ..full }.level(), Level::Limits);
        assert_eq!(Posture::default().level(), Level::Process);
    }
}
