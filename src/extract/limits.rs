//! Every cap that a parser obeys, with its default and the reason for it.

use std::time::Duration;

/// Caps on the work that one file may cause. None of them fails a file: what was found before a cap stays found.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes read from the source. Default 4 MiB: headers of sane files fit into a fraction of it.
    pub bytes: u64,
    /// Nesting of boxes, chunks or directories. Default 64: real files stay below 20.
    pub depth: u32,
    /// Bytes of one allocation. Default 16 MiB: the largest header block worth keeping (cover art) is below 10 MiB.
    pub allocation: usize,
    /// Entries (directory entries, boxes, segments, chunks) looked at in one file. Default 65,536.
    pub entries: u32,
    /// Bytes kept of one string. Default 64 KiB: longer ones are binary data in disguise.
    pub text: usize,
    /// Bytes kept of the text that a document holds, at most 1 MiB. Default 32 KiB: some fifteen pages, found by their
    /// words; 0 keeps none.
    pub content: usize,
    /// Facts kept of one file. Default 4,096.
    pub facts: usize,
    /// Warnings kept of one file. Default 64: the first ones tell the story.
    pub warnings: usize,
    /// Wall time for one file. Default 1 s: a stuck disk or a loop that the other caps miss.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 4 << 20,
            depth: 64,
            allocation: 16 << 20,
            entries: 1 << 16,
            text: 64 << 10,
            content: 32 << 10,
            facts: 4096,
            warnings: 64,
            time: Duration::from_secs(1),
        }
    }
}
