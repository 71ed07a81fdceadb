//! Standard output and standard error: buffered, colour only on terminals, quiet when the reader has gone.

use crate::error::{Error, Result};
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::time::Duration;

/// Standard output of one command.
pub(crate) struct Output {
    stdout: BufWriter<StdoutLock<'static>>,
}

impl Output {
    pub(crate) fn new() -> Output {
        Output { stdout: BufWriter::with_capacity(1 << 16, io::stdout().lock()) }
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<()> {
        writeln!(self.stdout, "{text}").map_err(gone)
    }

    /// Everything so far reaches the reader.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.stdout.flush().map_err(gone)
    }
}

fn gone(e: io::Error) -> Error {
    Error::io("write to standard output", e)
}

/// Whether the reader of our output closed it early (`medialith export | head`): no error of ours.
pub(crate) fn reader_left(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
    source.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// One sentence on standard error. Nobody can be told when that fails.
pub(crate) fn complain(sentence: impl Display) {
    let _ = writeln!(io::stderr().lock(), "medialith: {sentence}");
}

/// One line of a report on standard error.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether standard output shows colour: a terminal, and neither NO_COLOR nor TERM=dumb ask for none.
pub(crate) fn colour() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    io::stdout().is_terminal() && wanted && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// Columns of the terminal; `None` where output is not one and lines may be as long as they are.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    Some(terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)).max(40))
}

/// `1536` as `1.5 KiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("B");
    if unit == 0 { format!("{count} {name}") } else { format!("{value:.1} {name}") }
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `2 files`, `1,000 files`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `2.5 s`, and `12 ms` below a second.
pub(crate) fn took(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// A text without control characters, which would move the cursor or speak to the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        let sizes = [0, 1023, 1024, 1536, 1_048_575, 1 << 30, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.0 GiB", "16384.0 PiB"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([took(Duration::from_millis(12)), took(Duration::from_millis(2540))], ["12 ms", "2.5 s"]);
        assert_eq!([counted(1, "file"), counted(1000, "file")], ["1 file", "1,000 files"]);
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{FFFD}[2Jb\u{FFFD}");
    }
}
