//! Aggregates for people: numbers in a line, groups as bars.

use super::output::{self, bytes, count};
use super::table::{self, Cell};
use crate::engine::{Aggregate, Group};
use crate::model::field;
use crate::model::query::{Calendar, Operation};

/// Columns of the longest bar where output is no terminal.
const BAR_COLUMNS: usize = 40;
/// Columns that a label may take.
const LABEL_COLUMNS: usize = 40;

/// The lines that show aggregates in `width` columns.
pub(crate) fn lines(aggregates: &[Aggregate], width: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    for aggregate in aggregates {
        if !lines.is_empty() && !aggregate.groups.is_empty() {
            lines.push(String::new());
        }
        let title = format!("{} by {}", aggregate.operation, aggregate.field);
        match (&aggregate.operation, aggregate.groups.is_empty()) {
            (Operation::Group | Operation::Histogram(_) | Operation::Ranges(_), true) => {
                lines.push(format!("{title}: nothing"));
            }
            (_, true) => lines.push(format!("{} {}: {}", aggregate.operation, aggregate.field, number(aggregate))),
            (operation, false) => {
                let name = operation.to_string();
                let name = name.split(':').next().unwrap_or("");
                lines.push(format!("{name} {}", aggregate.field));
                lines.extend(bars(aggregate, width));
            }
        }
    }
    lines
}

fn number(aggregate: &Aggregate) -> String {
    let Some(value) = aggregate.value else { return "no value".to_owned() };
    let whole = value.fract() == 0.0 && (0.0..=u64::MAX as f64).contains(&value);
    let plain = if whole { count(value as u64) } else { value.to_string() };
    let of_bytes =
        aggregate.field.id == field::SIZE && !matches!(aggregate.operation, Operation::Count | Operation::Distinct);
    if of_bytes && value >= 1024.0 { format!("{plain} ({})", bytes(value as u64)) } else { plain }
}

fn bars(aggregate: &Aggregate, width: Option<usize>) -> Vec<String> {
    let label =
        |group: &Group| table::shorten(&output::printable(label(&aggregate.operation, &group.value)), LABEL_COLUMNS);
    let row = |group: &Group| vec![Cell::from(format!("  {}", label(group))), Cell::right(count(group.count))];
    let rows: Vec<Vec<Cell>> = aggregate.groups.iter().map(row).collect();
    let taken = table::widths(&rows).iter().map(|columns| columns + 2).sum::<usize>();
    let room = width.map_or(BAR_COLUMNS, |width| width.saturating_sub(taken).max(8));
    let most = aggregate.groups.iter().map(|group| group.count).max().unwrap_or(0);
    let rows = rows.into_iter().zip(&aggregate.groups).map(|(mut row, group)| {
        row.push(Cell::from(bar(group.count, most, room)));
        row
    });
    table::lines(&rows.collect::<Vec<_>>())
}

/// The part of a group's value that says something: a month has no hours.
fn label<'a>(operation: &Operation, value: &'a str) -> &'a str {
    let length = match operation {
        Operation::Histogram(Calendar::Year) => 4,
        Operation::Histogram(Calendar::Month) => 7,
        Operation::Histogram(Calendar::Day) => 10,
        Operation::Histogram(Calendar::Hour) => 13,
        _ => value.len(),
    };
    value.get(..length).unwrap_or(value)
}

/// A bar in eighths of a column (Unicode Block Elements, U+2588 to U+258F); the smallest count still shows.
fn bar(part: u64, whole: u64, columns: usize) -> String {
    if part == 0 || whole == 0 {
        return String::new();
    }
    let eighths = ((part as f64 / whole as f64) * (columns * 8) as f64).round().max(1.0) as usize;
    let mut bar = "\u{2588}".repeat(eighths / 8);
    let partial = ["", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}"];
    bar.push_str(partial.get(eighths % 8).copied().unwrap_or(""));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldId;

    fn aggregate(field: FieldId, operation: Operation, value: Option<f64>, groups: &[(&str, u64)]) -> Aggregate {
        let group = |(value, count): &(&str, u64)| Group { value: (*value).to_owned(), count: *count };
        Aggregate { field: field.into(), operation, value, groups: groups.iter().map(group).collect() }
    }

    #[test]
    fn numbers_and_bars() {
        let all = [
            aggregate(field::SIZE, Operation::Sum, Some(1_536_000.0), &[]),
            aggregate(field::SIZE, Operation::Count, Some(2048.0), &[]),
            aggregate(field::DURATION, Operation::Average, Some(2.5), &[]),
            aggregate(field::DURATION, Operation::Min, None, &[]),
            aggregate(field::MEDIA_TYPE, Operation::Group, None, &[("image", 1000), ("video", 250), ("x", 1)]),
            aggregate(field::TITLE, Operation::Group, None, &[]),
            aggregate(field::PRODUCE_TIME, Operation::Histogram(Calendar::Month), None, &[("2024-05-01T00:00:00Z", 2)]),
            aggregate(field::SIZE, Operation::Ranges(vec![1.0]), None, &[("..1", 0), ("1..", 3)]),
        ];
        let full = "\u{2588}";
        let expected = [
            "sum Size: 1,536,000 (1.5 MiB)".to_owned(),
            "count Size: 2,048".to_owned(),
            "average Duration: 2.5".to_owned(),
            "min Duration: no value".to_owned(),
            String::new(),
            "group MediaType".to_owned(),
            format!("  image  1,000  {}", full.repeat(40)),
            format!("  video    250  {}", full.repeat(10)),
            "  x          1  \u{258f}".to_owned(),
            "group by Title: nothing".to_owned(),
            String::new(),
            "histogram-month ProduceTime".to_owned(),
            format!("  2024-05  2  {}", full.repeat(40)),
            String::new(),
            "ranges Size".to_owned(),
            "  ..1  0".to_owned(),
            format!("  1..  3  {}", full.repeat(40)),
        ];
        assert_eq!(lines(&all, None), expected);
        assert!(lines(&all, Some(30)).iter().all(|line| line.chars().count() <= 30), "{:?}", lines(&all, Some(30)));
    }
}
