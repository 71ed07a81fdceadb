//! What can be computed over the files that a query finds.

use crate::error::{Error, Result};
use crate::model::field::{FieldPath, Kind};
use std::fmt;

/// Most aggregations in one query.
pub const MAX_AGGREGATIONS: usize = 100;
/// Most groups of one aggregation.
pub const MAX_GROUPS: usize = 2000;

/// Lengths of time that follow the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// January to December.
    Year,
    /// A month.
    Month,
    /// A day.
    Day,
    /// An hour.
    Hour,
}

/// An operation on the values of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// The smallest number.
    Min,
    /// The largest number.
    Max,
    /// The mean of all numbers.
    Average,
    /// The sum of all numbers; 0 if there are none.
    Sum,
    /// The number of files that have a value.
    Count,
    /// The number of different values, exactly.
    Distinct,
    /// The number of files by value, most frequent first, then by value.
    Group,
    /// The number of files by calendar interval, oldest first; intervals without files are left out.
    Histogram(Calendar),
    /// The number of files by numeric range: from each bound up to, but not including, the next; below the first and
    /// from the last on are ranges too. Bounds ascend.
    Ranges(Vec<f64>),
}

impl fmt::Display for Operation {
    /// The name that [`Aggregation::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Min => "min",
            Operation::Max => "max",
            Operation::Average => "average",
            Operation::Sum => "sum",
            Operation::Count => "count",
            Operation::Distinct => "distinct",
            Operation::Group => "group",
            Operation::Histogram(Calendar::Year) => "histogram-year",
            Operation::Histogram(Calendar::Month) => "histogram-month",
            Operation::Histogram(Calendar::Day) => "histogram-day",
            Operation::Histogram(Calendar::Hour) => "histogram-hour",
            Operation::Ranges(bounds) => {
                let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
                return write!(f, "ranges:{}", bounds.join(","));
            }
        })
    }
}

/// One aggregation.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    field: FieldPath,
    operation: Operation,
}

impl Aggregation {
    /// From the API's names: `min max average sum count distinct group`, and beyond it `histogram-year`,
    /// `histogram-month`, `histogram-day`, `histogram-hour` and `ranges:10,20.5`.
    pub fn parse(field: &str, operation: &str) -> Result<Aggregation> {
        let named = match operation {
            "min" => Operation::Min,
            "max" => Operation::Max,
            "average" => Operation::Average,
            "sum" => Operation::Sum,
            "count" => Operation::Count,
            "distinct" => Operation::Distinct,
            "group" => Operation::Group,
            "histogram-year" => Operation::Histogram(Calendar::Year),
            "histogram-month" => Operation::Histogram(Calendar::Month),
            "histogram-day" => Operation::Histogram(Calendar::Day),
            "histogram-hour" => Operation::Histogram(Calendar::Hour),
            other => Operation::Ranges(bounds(field, other)?),
        };
        Aggregation::new(FieldPath::parse(field)?, named)
    }

    /// An aggregation; an error if the operation does not fit the field.
    pub fn new(field: FieldPath, operation: Operation) -> Result<Aggregation> {
        let kind = field.id.field().kind;
        let scalar = matches!(kind, Kind::Keyword | Kind::Text | Kind::Int | Kind::Float | Kind::Time);
        let fits = match &operation {
            Operation::Min | Operation::Max | Operation::Average | Operation::Sum => {
                matches!(kind, Kind::Int | Kind::Float)
            }
            Operation::Ranges(bounds) => {
                let ascending = bounds.iter().all(|b| b.is_finite()) && bounds.is_sorted_by(|a, b| a < b);
                matches!(kind, Kind::Int | Kind::Float) && ascending && (1..MAX_GROUPS).contains(&bounds.len())
            }
            Operation::Count => !matches!(kind, Kind::Stored | Kind::Json),
            Operation::Distinct | Operation::Group => scalar || field.key.is_some(),
            Operation::Histogram(_) => kind == Kind::Time,
        };
        if fits {
            return Ok(Aggregation { field, operation });
        }
        Err(Error::invalid(format!("Aggregations: {operation:?} does not fit {field}, which is {kind:?}")))
    }

    /// The field.
    pub fn field(&self) -> &FieldPath {
        &self.field
    }

    /// The operation.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }
}

fn bounds(field: &str, operation: &str) -> Result<Vec<f64>> {
    let unknown = || {
        let expected = "min, max, average, sum, count, distinct, group, histogram-year, histogram-month, histogram-day, \
                        histogram-hour or ranges:A,B,...";
        Error::invalid(format!("Aggregations: {field}: expected {expected}, got {operation:?}"))
    };
    let list = operation.strip_prefix("ranges:").ok_or_else(unknown)?;
    list.split(',').map(|bound| bound.trim().parse().map_err(|_| unknown())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_fit_their_fields() {
        for (field, operation) in [
            ("Size", "sum"),
            ("Labels.LabelConfidence", "average"),
            ("CustomLabels.k", "group"),
            ("CustomLabels", "count"),
            ("LatLong", "count"),
            ("ProduceTime", "histogram-month"),
            ("Size", "ranges:0,1024,1e6"),
        ] {
            let parsed = Aggregation::parse(field, operation).unwrap();
            let again = Aggregation::parse(field, &parsed.operation().to_string()).unwrap();
            assert_eq!(again, parsed);
        }
        for (field, operation) in [
            ("MediaType", "sum"),
            ("ProduceTime", "min"),
            ("EXIF", "count"),
            ("CustomLabels", "group"),
            ("LatLong", "group"),
            ("Size", "median"),
            ("Size", "histogram-day"),
            ("Size", "ranges:"),
            ("Size", "ranges:2,1"),
            ("Nope", "sum"),
        ] {
            assert!(Aggregation::parse(field, operation).is_err(), "{field} {operation}");
        }
    }
}
