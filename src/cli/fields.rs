//! Naming fields on the command line, and showing their values.

use crate::error::Result;
use crate::model::{FieldId, FieldPath, File, Value};
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

/// The searched texts of a file, each with the path of its field: top-level fields first, as the registry orders them.
pub(crate) fn searched(file: &File) -> Vec<(String, &str)> {
    let mut texts = Vec::new();
    for (id, value) in file.members().iter() {
        collect(id, value, &mut texts);
    }
    texts
}

fn collect<'a>(id: FieldId, value: &'a Value, texts: &mut Vec<(String, &'a str)>) {
    let field = id.field();
    match value {
        Value::Text(text) if field.searched => texts.push((field.path.to_owned(), text)),
        Value::Map(pairs) if field.searched => {
            texts.extend(pairs.iter().map(|(key, text)| (format!("{}.{key}", field.path), &**text)));
        }
        Value::Rows(rows) => {
            rows.iter().flat_map(|row| row.iter()).for_each(|(id, value)| collect(id, value, texts));
        }
        Value::Object(members) => members.iter().for_each(|(id, value)| collect(id, value, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field;

    #[test]
    fn lists_of_fields() {
        let list = |paths: &[&str]| parse(&paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["Title,Size", "Labels.LabelName"]).unwrap(), [field::TITLE, field::SIZE, field::LABELS]);
        assert_eq!(list(&["Title", "Title"]).unwrap(), [field::TITLE]);
        assert!(list(&["Nope"]).is_err());
    }

    #[test]
    fn texts_of_a_file() {
        let json =
            r#"{"URI":"oss://b/k","Title":"t","Size":1,"CustomLabels":{"a":"x"},"Labels":[{"LabelName":"sea"}]}"#;
        let file = File::from_json(json).unwrap();
        let mut texts = searched(&file);
        texts.sort();
        let expected = [("CustomLabels.a", "x"), ("Labels.LabelName", "sea"), ("Title", "t"), ("URI", "oss://b/k")];
        assert_eq!(texts, expected.map(|(path, text)| (path.to_owned(), text)));
        assert_eq!(shown(file.get(field::CUSTOM_LABELS).unwrap()), r#"{"a":"x"}"#);
    }
}
