//! The filter tree: conditions tied together by and, or, not and nested.

use super::TextMatch;
use super::condition::Condition;
use crate::error::{Error, Result};
use crate::model::field::{FieldId, Kind, by_id, member};
use serde_json::Value as Json;

/// Most conditions (leaves) of a filter.
pub const MAX_CONDITIONS: usize = 100;
/// Deepest filter: a lone condition has depth 1.
pub const MAX_DEPTH: usize = 5;

/// What a file must fulfil.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these.
    And(Vec<Filter>),
    /// At least one of these.
    Or(Vec<Filter>),
    /// None of these.
    Not(Vec<Filter>),
    /// All of these on one and the same element of an array.
    Nested(FieldId, Vec<Filter>),
    /// This condition. A file without a value does not fulfil it.
    Is(Condition),
    /// This text, as written: typos count only where a part asks for them.
    Text(TextMatch),
}

impl Filter {
    /// Reads the API's tree: objects of `Operation`, `Field`, `Value` and `SubQueries`. Errors name what was wrong.
    pub fn from_json(tree: &Json) -> Result<Filter> {
        let filter = node(tree, 1)?;
        filter.check()?;
        Ok(filter)
    }

    /// As [`Filter::from_json`], from text.
    pub fn parse(text: &str) -> Result<Filter> {
        let tree = serde_json::from_str(text).map_err(|e| Error::invalid(format!("Query: not JSON: {e}")))?;
        Filter::from_json(&tree)
    }

    /// Checks depth, number of conditions, and what may stand below `nested`.
    pub fn check(&self) -> Result<()> {
        let (depth, conditions) = self.measure(1);
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!("Query: expected at most {MAX_DEPTH} levels, got more")));
        }
        if conditions > MAX_CONDITIONS {
            return Err(Error::invalid(format!("Query: expected at most {MAX_CONDITIONS} conditions, got more")));
        }
        self.check_groups(None)
    }

    /// Depth, cut off at one more than is allowed, and number of leaves.
    fn measure(&self, level: usize) -> (usize, usize) {
        match self {
            Filter::Is(_) | Filter::Text(_) => (level, 1),
            _ if level > MAX_DEPTH => (level, 0),
            Filter::And(of) | Filter::Or(of) | Filter::Not(of) | Filter::Nested(_, of) => {
                let below = of.iter().map(|filter| filter.measure(level + 1));
                below.fold((level, 0), |(depth, sum), (d, n)| (depth.max(d), sum + n))
            }
        }
    }

    /// `array`: the array whose elements these conditions are about.
    fn check_groups(&self, array: Option<FieldId>) -> Result<()> {
        let empty = |name: &str| Error::invalid(format!("Query: {name} needs SubQueries, got none"));
        match (self, array) {
            (Filter::And(of), _) if of.is_empty() => Err(empty("and")),
            (Filter::Or(of), _) if of.is_empty() => Err(empty("or")),
            (Filter::Not(of), _) if of.is_empty() => Err(empty("not")),
            (Filter::Nested(_, of), _) if of.is_empty() => Err(empty("nested")),
            (Filter::And(of) | Filter::Or(of) | Filter::Not(of), _) => {
                of.iter().try_for_each(|filter| filter.check_groups(array))
            }
            (Filter::Nested(..), Some(array)) => {
                Err(Error::invalid(format!("Query: nested cannot stand inside nested {array}")))
            }
            (Filter::Nested(array, of), None) => {
                if array.field().kind != Kind::Rows {
                    return Err(Error::invalid(format!("Query: nested needs an array field, got {array}")));
                }
                of.iter().try_for_each(|filter| filter.check_groups(Some(*array)))
            }
            (Filter::Is(condition), Some(array)) if condition.field().id.field().parent != Some(array) => {
                let field = condition.field();
                Err(Error::invalid(format!("Query: {field} is not a member of {array}, the array of its nested")))
            }
            (Filter::Text(_), Some(array)) => {
                Err(Error::invalid(format!("Query: a text cannot stand inside nested {array}")))
            }
            (Filter::Is(_) | Filter::Text(_), _) => Ok(()),
        }
    }

    /// The array that the first condition belongs to.
    fn first_array(&self) -> Option<FieldId> {
        match self {
            Filter::Is(condition) => condition.field().id.field().parent,
            Filter::And(of) | Filter::Or(of) | Filter::Not(of) => of.iter().find_map(Filter::first_array),
            Filter::Nested(array, _) => Some(*array),
            Filter::Text(_) => None,
        }
    }
}

/// One node. The level stops hostile depth before the stack does.
fn node(tree: &Json, level: usize) -> Result<Filter> {
    if level > MAX_DEPTH {
        return Err(Error::invalid(format!("Query: expected at most {MAX_DEPTH} levels, got more")));
    }
    let Json::Object(members) = tree else {
        return Err(Error::invalid(format!("Query: expected an object with Operation, got {}", shown(tree))));
    };
    if let Some(other) = members.keys().find(|k| !["Operation", "Field", "Value", "SubQueries"].contains(&k.as_str())) {
        let expected = "Operation, Field, Value and SubQueries";
        return Err(Error::invalid(format!("Query: expected the members {expected}, got {other:?}")));
    }
    let text = |name: &str| match members.get(name) {
        None | Some(Json::Null) => Ok(""),
        Some(Json::String(text)) => Ok(text.as_str()),
        Some(other) => Err(Error::invalid(format!("Query: {name}: expected a string, got {}", shown(other)))),
    };
    let operation = text("Operation")?;
    let below = || match members.get("SubQueries") {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => list.iter().map(|tree| node(tree, level + 1)).collect::<Result<Vec<_>>>(),
        Some(other) => Err(Error::invalid(format!("Query: SubQueries: expected an array, got {}", shown(other)))),
    };
    match operation.to_ascii_lowercase().as_str() {
        "" => Err(Error::invalid("Query: expected an Operation, got none")),
        "and" => below().map(Filter::And),
        "or" => below().map(Filter::Or),
        "not" => below().map(Filter::Not),
        "nested" => nested(text("Field")?, below()?),
        _ => match text("Field")? {
            "" => Err(Error::invalid(format!("Query: {operation} needs a Field, got none"))),
            field => {
                let condition = Condition::parse(field, operation, text("Value")?);
                condition.map(Filter::Is).map_err(|e| Error::invalid(format!("Query: {}", e.message())))
            }
        },
    }
}

/// `nested`: its array is the Field, or what its conditions are members of.
fn nested(field: &str, of: Vec<Filter>) -> Result<Filter> {
    let array = match field {
        "" => of.iter().find_map(Filter::first_array),
        name => match member(None, name) {
            Some(array) => Some(array.id),
            None => return Err(Error::invalid(format!("Query: nested: unknown field {name:?}"))),
        },
    };
    match (array, of.is_empty()) {
        (_, true) => Err(Error::invalid("Query: nested needs SubQueries, got none")),
        (Some(array), _) if by_id(array).is_some_and(|f| f.kind == Kind::Rows) => Ok(Filter::Nested(array, of)),
        (Some(array), _) => Err(Error::invalid(format!("Query: nested needs an array field, got {array}"))),
        (None, _) => Err(Error::invalid("Query: nested needs conditions on members of one array, got others")),
    }
}

/// JSON for an error, not too long.
fn shown(json: &Json) -> String {
    json.to_string().chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_reference() {
        for tree in [
            r#"{"Operation":"and","SubQueries":[{"Operation":"eq","Field":"ContentType","Value":"image/jpeg","SubQueries":[]},{"Operation":"gt","Field":"ImageWidth","Value":"1000"}]}"#,
            r#"{"Operation":"and","SubQueries":[{"Field":"URI","Value":"oss://examplebucket/path/","Operation":"prefix"},{"Field":"Size","Value":"1048576","Operation":"gt"},{"SubQueries":[{"Field":"Labels.LabelName","Value":"TV","Operation":"eq"},{"Field":"Labels.LabelName","Value":"Stereo","Operation":"eq"}],"Operation":"or"}]}"#,
            r#"{"Operation":"not","SubQueries":[{"Operation":"nested","SubQueries":[{"Operation":"and","SubQueries":[{"Operation":"gt","Field":"Figures.Age","Value":"36"},{"Operation":"eq","Field":"Figures.Gender","Value":"male"}]}]}]}"#,
            r#"{"Operation":"nested","Field":"Labels","SubQueries":[{"Operation":"exist","Field":"Labels.LabelName"}]}"#,
        ] {
            Filter::parse(tree).unwrap();
        }
    }

    #[test]
    fn refusals_say_what_was_wrong() {
        let leaf = r#"{"Operation":"eq","Field":"Size","Value":"1"}"#;
        let wrap = |times: usize| {
            (0..times).fold(leaf.to_owned(), |tree, _| format!(r#"{{"Operation":"and","SubQueries":[{tree}]}}"#))
        };
        assert!(Filter::parse(&wrap(4)).is_ok());
        let many = |n: usize| format!(r#"{{"Operation":"or","SubQueries":[{}]}}"#, vec![leaf; n].join(","));
        assert!(Filter::parse(&many(100)).is_ok());
        for (tree, expected) in [
            (wrap(5), "Query: expected at most 5 levels, got more"),
            (many(101), "Query: expected at most 100 conditions, got more"),
            ("[]".into(), "Query: expected an object with Operation, got []"),
            ("{}".into(), "Query: expected an Operation, got none"),
            (r#"{"Operation":"and"}"#.into(), "Query: and needs SubQueries, got none"),
            (r#"{"Operation":"eq","Value":"1"}"#.into(), "Query: eq needs a Field, got none"),
            (r#"{"Operation":"eq","Field":"Size","Value":1}"#.into(), "Query: Value: expected a string, got 1"),
            (r#"{"Operation":"eq","Field":"Nope","Value":"1"}"#.into(), "Query: unknown field \"Nope\""),
            (
                r#"{"Operation":"eq","Feild":"Nope"}"#.into(),
                "Query: expected the members Operation, Field, Value and SubQueries, got \"Feild\"",
            ),
            (
                format!(r#"{{"Operation":"nested","SubQueries":[{leaf}]}}"#),
                "Query: nested needs conditions on members of one array, got others",
            ),
            (
                format!(r#"{{"Operation":"nested","Field":"Labels","SubQueries":[{leaf}]}}"#),
                "Query: Size is not a member of Labels, the array of its nested",
            ),
            (
                format!(r#"{{"Operation":"nested","Field":"Size","SubQueries":[{leaf}]}}"#),
                "Query: nested needs an array field, got Size",
            ),
        ] {
            assert_eq!(Filter::parse(&tree).unwrap_err().message(), expected, "{tree}");
        }
    }
}
