//! One condition of a filter: a field, an operator, and an operand of the field's type.

use crate::error::{Error, Result};
use crate::model::field::{FieldPath, Kind};
use crate::model::geo::Area;
use crate::model::query::MAX_QUERY_BYTES;
use crate::model::time::Timestamp;

/// How a value is compared with the operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

impl Comparison {
    /// Whether a value that compares so with the operand fulfils the condition.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Eq => order.is_eq(),
            Comparison::Gt => order.is_gt(),
            Comparison::Gte => order.is_ge(),
            Comparison::Lt => order.is_lt(),
            Comparison::Lte => order.is_le(),
        }
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Comparison::Eq => "eq",
            Comparison::Gt => "gt",
            Comparison::Gte => "gte",
            Comparison::Lt => "lt",
            Comparison::Lte => "lte",
        })
    }
}

/// A numeric operand: whole numbers stay exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other finite number.
    Float(f64),
}

impl Number {
    /// Reads decimal text.
    pub fn parse(text: &str) -> Option<Number> {
        if let Ok(int) = text.parse() {
            return Some(Number::Int(int));
        }
        // Rust also reads "inf", "nan" and the like.
        let decimal = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        text.parse().ok().filter(|float: &f64| decimal && float.is_finite()).map(Number::Float)
    }
}

/// What a condition asks of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Strings, byte by byte; entries of `CustomLabels` without case.
    Text(Comparison, String),
    /// Strings that begin so.
    Prefix(String),
    /// Texts in which the words occur next to each other and in this order, without case.
    Phrase(String),
    /// Numbers.
    Number(Comparison, Number),
    /// Instants.
    Time(Comparison, Timestamp),
    /// Places.
    Within(Area),
    /// Any value.
    Exists,
}

/// A condition on one field. It can only be made with an operator and an operand that fit the field.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    field: FieldPath,
    test: Test,
}

impl Condition {
    /// A condition from the API's operator name and operand text, for example `("Size", "gt", "1024")`. Operators:
    /// `eq gt gte lt lte prefix match-phrase exist geo-distance geo-bounding-box geo-polygon`, in any case.
    pub fn parse(field: &str, operator: &str, value: &str) -> Result<Condition> {
        let path = FieldPath::parse(field)?;
        let operator = operator.to_ascii_lowercase();
        let refuse = |why: String| Error::invalid(format!("{field} {operator}: {why}"));
        if value.len() > MAX_QUERY_BYTES {
            return Err(refuse(format!("expected at most {MAX_QUERY_BYTES} bytes, got {}", value.len())));
        }
        let comparison = match operator.as_str() {
            "eq" => Some(Comparison::Eq),
            "gt" => Some(Comparison::Gt),
            "gte" => Some(Comparison::Gte),
            "lt" => Some(Comparison::Lt),
            "lte" => Some(Comparison::Lte),
            _ => None,
        };
        let test = match (comparison, operator.as_str()) {
            (Some(comparison), _) => compared(&path, comparison, value),
            (_, "prefix") => Ok(Test::Prefix(value.to_owned())),
            (_, "match-phrase") => Ok(Test::Phrase(value.to_owned())),
            (_, "exist") => Ok(Test::Exists),
            (_, "geo-distance") => Area::parse_circle(value).map(Test::Within),
            (_, "geo-bounding-box") => Area::parse_box(value).map(Test::Within),
            (_, "geo-polygon") => Area::parse_polygon(value).map(Test::Within),
            _ => return Err(Error::invalid(format!("{field}: unknown operator {operator:?}"))),
        };
        let test = test.map_err(|e| refuse(e.message().to_owned()))?;
        Condition::new(path, test).map_err(|_| {
            let shown: String = value.chars().take(40).collect();
            refuse(format!("the operator does not fit the field, a {}, value {shown:?}", kind_name(field)))
        })
    }

    /// A condition; an error if the test does not fit the field.
    pub fn new(field: FieldPath, test: Test) -> Result<Condition> {
        let kind = field.id.field().kind;
        let fits = match (&test, kind) {
            (Test::Exists, Kind::Stored | Kind::Json) => false,
            (Test::Exists, _) => true,
            (Test::Text(..) | Test::Prefix(_), Kind::Keyword | Kind::Set | Kind::Text) => true,
            (Test::Text(..) | Test::Prefix(_), Kind::Map(_)) => field.key.is_some(),
            (Test::Phrase(_), Kind::Text)
            | (Test::Number(..), Kind::Int | Kind::Float)
            | (Test::Time(..), Kind::Time)
            | (Test::Within(_), Kind::Geo) => true,
            _ => false,
        };
        let finite = !matches!(test, Test::Number(_, Number::Float(float)) if !float.is_finite());
        match (fits, finite) {
            (true, true) => Ok(Condition { field, test }),
            (false, _) => Err(Error::invalid(format!("{field}: {test:?} does not fit {kind:?}"))),
            (_, false) => Err(Error::invalid(format!("{field}: expected a finite number, got {test:?}"))),
        }
    }

    /// The field.
    pub fn field(&self) -> &FieldPath {
        &self.field
    }

    /// What is asked of it.
    pub fn test(&self) -> &Test {
        &self.test
    }
}

/// The comparison of a field with an operand of its type.
fn compared(path: &FieldPath, comparison: Comparison, value: &str) -> Result<Test> {
    match path.id.field().kind {
        Kind::Int | Kind::Float => match Number::parse(value) {
            Some(number) => Ok(Test::Number(comparison, number)),
            None => Err(Error::invalid(format!("expected a number, got {value:?}"))),
        },
        Kind::Time => Ok(Test::Time(comparison, Timestamp::parse(value)?)),
        _ => Ok(Test::Text(comparison, value.to_owned())),
    }
}

/// What a field is, for a person.
fn kind_name(field: &str) -> &'static str {
    let kind = FieldPath::parse(field).map(|path| path.id.field().kind);
    match kind {
        Ok(Kind::Keyword) => "keyword",
        Ok(Kind::Set) => "set of keywords",
        Ok(Kind::Text) => "text",
        Ok(Kind::Int | Kind::Float) => "number",
        Ok(Kind::Time) => "time",
        Ok(Kind::Geo) => "place",
        Ok(Kind::Map(_)) => "map whose entries are compared (Field.key)",
        Ok(Kind::Rows) => "list whose members are compared (Field.Member)",
        Ok(Kind::Object) => "object whose members are compared (Field.Member)",
        _ => "member that is only stored",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_fit_their_fields() {
        for (field, operator, value) in [
            ("ContentType", "eq", "image/jpeg"),
            ("Size", "gt", "1048576"),
            ("Size", "lte", "1.5e3"),
            ("Labels.LabelConfidence", "GTE", "-0.5"),
            ("ProduceTime", "lt", "2024-05-01T08:00:00+08:00"),
            ("Title", "match-phrase", "north sea"),
            ("CustomLabels.a.b", "prefix", "x"),
            ("CustomLabels.test", "exist", ""),
            ("Labels", "exist", ""),
            ("LatLong", "geo-distance", "30.25,120.1;5000"),
            ("LatLong", "geo-bounding-box", "31,120;30,121"),
            ("LatLong", "geo-polygon", "0,0;0,1;1,1"),
        ] {
            Condition::parse(field, operator, value).unwrap();
        }
    }

    #[test]
    fn refusals_name_field_operator_and_value() {
        for (field, operator, value, expected) in [
            ("Nope", "eq", "x", "unknown field \"Nope\""),
            ("Size", "like", "x", "Size: unknown operator \"like\""),
            ("Size", "eq", "ten", "Size eq: expected a number, got \"ten\""),
            ("Size", "eq", "NaN", "Size eq: expected a number, got \"NaN\""),
            ("Size", "prefix", "1", "Size prefix: the operator does not fit the field, a number, value \"1\""),
            (
                "EXIF",
                "exist",
                "",
                "EXIF exist: the operator does not fit the field, a member that is only stored, value \"\"",
            ),
            (
                "Labels",
                "eq",
                "x",
                "Labels eq: the operator does not fit the field, a list whose members are compared (Field.Member), value \"x\"",
            ),
            (
                "CustomLabels",
                "eq",
                "x",
                "CustomLabels eq: the operator does not fit the field, a map whose entries are compared (Field.key), value \"x\"",
            ),
            ("LatLong", "eq", "1,2", "LatLong eq: the operator does not fit the field, a place, value \"1,2\""),
        ] {
            let error = Condition::parse(field, operator, value).unwrap_err();
            assert_eq!(error.message(), expected);
        }
        let time = Condition::parse("ProduceTime", "gt", "yesterday").unwrap_err();
        assert!(time.message().starts_with("ProduceTime gt: expected an RFC 3339 time"), "{time}");
        let place = Condition::parse("LatLong", "geo-polygon", "1,1;2,2").unwrap_err();
        assert!(place.message().starts_with("LatLong geo-polygon: expected at least 3 points"), "{place}");
    }
}
