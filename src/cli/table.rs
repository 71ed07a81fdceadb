//! Columns for people: as wide as their cells, cut to the terminal, right for scripts of any width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One cell: what it says, and how that is painted (same visible text with colour or brackets).
#[derive(Default, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) painted: Option<String>,
    pub(crate) right: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, ..Cell::default() }
    }
}

impl Cell {
    pub(crate) fn right(text: String) -> Cell {
        Cell { text, right: true, ..Cell::default() }
    }

    fn shown(&self) -> &str {
        self.painted.as_deref().unwrap_or(&self.text)
    }

    /// Columns on the screen: paint that is not visible does not count, brackets do.
    fn width(&self) -> usize {
        let mut width = 0;
        let mut escape = false;
        for c in self.shown().chars() {
            match c {
                '\u{1b}' => escape = true,
                'm' if escape => escape = false,
                _ if escape => {}
                _ => width += c.width().unwrap_or(0),
            }
        }
        width
    }
}

/// The lines of a table. The last column is not padded.
pub(crate) fn lines(rows: &[Vec<Cell>]) -> Vec<String> {
    let widths = widths(rows);
    rows.iter().map(|row| line(row, &widths)).collect()
}

/// Columns on the screen that each column of cells takes.
pub(crate) fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |at: usize| rows.iter().filter_map(|r| r.get(at)).map(Cell::width).max().unwrap_or(0);
    (0..columns).map(widest).collect()
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut out = String::new();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        if at > 0 {
            out.push_str("  ");
        }
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        let (before, after) = if cell.right { (padding.as_str(), "") } else { ("", padding.as_str()) };
        out.push_str(before);
        out.push_str(cell.shown());
        out.push_str(after);
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// `text` in at most `width` columns; what is cut from its middle leaves `...`.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(3);
    let tail: String = take(text.chars().rev(), room.div_ceil(2)).into_iter().rev().collect();
    let head: String = take(text.chars(), room / 2).into_iter().collect();
    format!("{head}...{tail}")
}

fn take(chars: impl Iterator<Item = char>, mut room: usize) -> Vec<char> {
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_every_script() {
        let painted = Cell { text: "ab".into(), painted: Some("\u{1b}[1;33mab\u{1b}[0m".into()), right: false };
        let rows = vec![
            vec![Cell::from("\u{6771}\u{4eac}".to_owned()), Cell::right("7".into()), Cell::from("x".to_owned())],
            vec![painted, Cell::right("12".into())],
        ];
        assert_eq!(lines(&rows), ["\u{6771}\u{4eac}   7  x", "\u{1b}[1;33mab\u{1b}[0m    12"]);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abc...hijk");
        let wide = "\u{6771}\u{4eac}\u{30bf}\u{30ef}\u{30fc}";
        assert!(shorten(wide, 7).width() <= 7, "{}", shorten(wide, 7));
        assert_eq!(shorten("abcdef", 0), "...");
    }
}
