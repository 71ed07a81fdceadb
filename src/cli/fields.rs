//! Naming fields on the command line, and showing their values.

use crate::error::Result;
use crate::model::{FieldId, FieldPath, Value};
use std::collections::BTreeSet;

/// `Title,Size`: the top-level fields that these paths name or lie in, in the order given.
pub(crate) fn parse(paths: &[String]) -> Result<Vec<FieldId>> {
    let mut seen = BTreeSet::new();
    let mut fields = Vec::new();
    for path in paths.iter().flat_map(|p| p.split(',')).map(str::trim).filter(|p| !p.is_empty()) {
        let id = FieldPath::parse(path)?.id;
        let top = id.field().parent.unwrap_or(id);
        if seen.insert(top) {
            fields.push(top);
        }
    }
    Ok(fields)
}

/// A value in one line.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => super::output::printable(text),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Map(_) | Value::Rows(_) | Value::Object(_) => serde_json::to_string(value).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{File, field};

    #[test]
    fn lists_of_fields() {
        let list = |paths: &[&str]| parse(&paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["Title,Size", "Labels.LabelName"]).unwrap(), [field::TITLE, field::SIZE, field::LABELS]);
        assert_eq!(list(&["Title", "Title"]).unwrap(), [field::TITLE]);
        assert!(list(&["Nope"]).is_err());
    }

    #[test]
    fn values_in_one_line() {
        let file = File::from_json(r#"{"URI":"oss://b/k","Size":1,"CustomLabels":{"a":"x"}}"#).unwrap();
        assert_eq!(shown(file.get(field::CUSTOM_LABELS).unwrap()), r#"{"a":"x"}"#);
        assert_eq!(shown(file.get(field::SIZE).unwrap()), "1");
    }
}
