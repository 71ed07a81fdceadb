//! Tables in text: columns and rows (RFC 4180), whatever the separator.

use super::charset;
use super::{plain, say};
use crate::extract::{Facts, Input, Parsed, length};

/// Bytes in which rows are counted; of longer files only the columns are told.
const MOST: u64 = 1 << 20;

/// Comma-separated values, and what else goes by that name.
pub fn csv(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    parse(input, facts, None)
}

/// Tab-separated values.
pub fn tsv(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    parse(input, facts, Some('\t'))
}

fn parse(input: &mut Input<'_>, facts: &mut Facts, separator: Option<char>) -> Parsed<()> {
    let bytes = input.take_up_to(MOST)?;
    let whole = length(bytes.len()) == input.file_len();
    let decoded = charset::decode(&bytes, whole);
    say(input, facts, 0, "Encoding", decoded.encoding);
    let separator = separator.unwrap_or_else(|| guess(&decoded.text));
    let (columns, rows) = count(&decoded.text, separator);
    say(input, facts, 0, "Delimiter", separator.to_string());
    say(input, facts, 0, "Columns", columns);
    if whole {
        say(input, facts, 0, "Rows", rows);
    }
    plain::keep(input, facts, &decoded.text);
    Ok(())
}

/// The separator that the first line has most of.
fn guess(text: &str) -> char {
    let first = text.lines().next().unwrap_or("");
    let found = [',', ';', '\t', '|'].into_iter().rev().max_by_key(|mark| first.matches(*mark).count());
    found.unwrap_or(',')
}

/// Columns of the first row, and rows. Separators and line ends inside double quotes do not count.
fn count(text: &str, separator: char) -> (i64, i64) {
    let (mut columns, mut rows, mut quoted, mut open) = (1_i64, 0_i64, false, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                rows = rows.saturating_add(i64::from(open));
                open = false;
                continue;
            }
            '\r' => continue,
            c if c == separator && !quoted && rows == 0 => columns = columns.saturating_add(1),
            _ => {}
        }
        open = true;
    }
    (columns, rows.saturating_add(i64::from(open)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_separators() {
        assert_eq!(count("a,b,c\n1,\"2,\n3\",4\r\n\n5,6,7", ','), (3, 3));
        assert_eq!(count("", ','), (1, 0));
        assert_eq!((guess("a;b;c,d"), guess("a\tb"), guess("ab")), (';', '\t', ','));
    }
}
