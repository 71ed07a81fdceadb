//! The JSON form of a document: member names and shapes of the IMM data type `File`.
//!
//! Reading is strict: an unknown member or a value of the wrong shape is an error that names the member, so that
//! nothing is dropped in silence. `null` and empty values count as absent.

use super::field::{self, Field, FieldId, Kind};
use super::file::File;
use super::value::{Members, Text, Value};
use crate::error::{Error, Result};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::fmt;

impl File {
    /// Reads one document from JSON text. Errors say what was wrong and at which column.
    pub fn from_json(text: &str) -> Result<File> {
        serde_json::from_str(text).map_err(|e| Error::invalid(format!("not a File document: {e}")))
    }

    /// The document as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<File, D::Error> {
        Ok(File::from_members(MembersOf(None).deserialize(deserializer)?))
    }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members().serialize(serializer)
    }
}

/// Reads an object whose members belong to `0` (`None`: the document itself).
struct MembersOf(Option<FieldId>);

impl<'de> DeserializeSeed<'de> for MembersOf {
    type Value = Members;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersOf {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(parent) => write!(f, "an object with the members of {parent}"),
            None => f.write_str("a File object"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        // What most documents, and most of their labels and streams, have: growing step by step costs more than the room.
        let mut members = Members::with_capacity(if self.0.is_none() { 16 } else { 2 });
        while let Some(field) = map.next_key_seed(NameIn(self.0))? {
            if let Some(value) = map.next_value_seed(ValueOf(field))? {
                members.set(field.id, value);
            }
        }
        Ok(members)
    }
}

/// Reads a member name and finds its field.
struct NameIn(Option<FieldId>);

impl<'de> DeserializeSeed<'de> for NameIn {
    type Value = &'static Field;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static Field, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameIn {
    type Value = &'static Field;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<&'static Field, E> {
        field::member(self.0, name).ok_or_else(|| match self.0 {
            Some(parent) => E::custom(format_args!("{parent} has no member {name:?}")),
            None => E::custom(format_args!("unknown member {name:?}")),
        })
    }
}

/// Reads the value of one field; `None` for `null`.
struct ValueOf(&'static Field);

impl<'de> DeserializeSeed<'de> for ValueOf {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Option<Value>, D::Error> {
        match self.0.kind {
            // Raw JSON keeps numbers and member order as written.
            Kind::Json => {
                let raw: serde_json::Value = Deserialize::deserialize(d)?;
                let empty = raw.is_null() || raw.as_array().is_some_and(Vec::is_empty);
                Ok((!empty).then(|| Value::Json(raw.to_string().into())))
            }
            _ => d.deserialize_any(self),
        }
    }
}

impl ValueOf {
    fn mismatch<E: serde::de::Error>(&self, got: fmt::Arguments<'_>) -> E {
        let expected = match self.0.kind {
            Kind::Int => "an integer",
            Kind::Float => "a number",
            Kind::Map(_) => "an object of strings",
            Kind::Rows => "an array of objects",
            Kind::Object => "an object",
            _ => "a string",
        };
        E::custom(format_args!("{}: expected {expected}, got {got}", self.0.path))
    }
}

impl<'de> Visitor<'de> for ValueOf {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value of {}", self.0.path)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.0.kind {
            Kind::Keyword | Kind::Set | Kind::Text | Kind::Stored => Ok(Some(Value::Text(text.into()))),
            Kind::Time | Kind::Geo if text.is_empty() => Ok(None),
            Kind::Time | Kind::Geo => {
                let value = Value::Text(text.into());
                value.check(self.0.id).map_err(|e| E::custom(e.message()))?;
                Ok(Some(value))
            }
            _ => Err(self.mismatch(format_args!("{text:?}"))),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        match self.0.kind {
            Kind::Int => Ok(Some(Value::Int(number))),
            Kind::Float => Ok(Some(Value::Float(number as f64))),
            _ => Err(self.mismatch(format_args!("{number}"))),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) if self.0.kind == Kind::Float => Ok(Some(Value::Float(number as f64))),
            Err(_) => Err(self.mismatch(format_args!("{number}, which is beyond {}", i64::MAX))),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        // 2^53: beyond it a float no longer names one integer.
        let whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        match self.0.kind {
            Kind::Float => Ok(Some(Value::Float(number))),
            Kind::Int if whole => Ok(Some(Value::Int(number as i64))),
            _ => Err(self.mismatch(format_args!("{number}"))),
        }
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Err(self.mismatch(format_args!("{value}")))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        if self.0.kind != Kind::Rows {
            return Err(self.mismatch(format_args!("an array")));
        }
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(MembersOf(Some(self.0.id)))? {
            rows.push(row);
        }
        Ok(Some(Value::Rows(rows)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match self.0.kind {
            Kind::Object => Ok(Some(Value::Object(MembersOf(Some(self.0.id)).visit_map(map)?))),
            Kind::Map(_) => {
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key_seed(TextIn { map: self.0, key: None })? {
                    let text = map.next_value_seed(TextIn { map: self.0, key: Some(&key) })?;
                    pairs.push((key, text));
                }
                Ok(Some(Value::map_of(pairs)))
            }
            _ => Err(self.mismatch(format_args!("an object"))),
        }
    }
}

/// Reads a key of a map field, or the string of one.
struct TextIn<'a> {
    map: &'static Field,
    key: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for TextIn<'_> {
    type Value = Text;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for TextIn<'_> {
    type Value = Text;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "a string for {}.{key}", self.map.path),
            None => write!(f, "a key of {}", self.map.path),
        }
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (id, value) in self.iter() {
            map.serialize_entry(id.field().name(), value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Map(pairs) => serializer.collect_map(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()))),
            Value::Rows(rows) => serializer.collect_seq(rows),
            Value::Object(members) => members.serialize(serializer),
            Value::Json(text) => {
                let value: serde_json::Value = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
                value.serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &str = r#"{"URI":"oss://b/k.jpg","CustomLabels":{"a":"1"},"Size":3,"ProduceTime":"2020-08-19T17:11:11+08:00","ImageScore":{"OverallQualityScore":0.5},"Labels":[{"LabelName":"sea","LabelConfidence":0.9,"Clips":[{"TimeRange":[1,2]}]}]}"#;

    #[test]
    fn round_trip() {
        let file = File::from_json(DOC).unwrap();
        file.validate().unwrap();
        assert_eq!(file.to_json(), DOC);
        assert_eq!(file.int(field::SIZE), Some(3));
    }

    #[test]
    fn absent_and_wrong() {
        let file = File::from_json(r#"{"URI":"oss://b/k","Title":null,"Artist":"","Labels":[],"Size":2.0}"#).unwrap();
        assert_eq!(file.members().len(), 2);
        for (bad, named) in [
            (r#"{"Nope":1}"#, "Nope"),
            (r#"{"Size":"x"}"#, "Size: expected an integer"),
            (r#"{"Labels":[{"X":1}]}"#, "Labels has no member"),
            (r#"{"LatLong":"91,0"}"#, "LatLong"),
            (r#"{"CustomLabels":{"a":1}}"#, "CustomLabels.a"),
            (r#"{"Title":true}"#, "Title"),
            ("[]", "File object"),
            ("", "EOF"),
        ] {
            let error = File::from_json(bad).unwrap_err();
            assert!(error.message().contains(named), "{bad}: {error}");
        }
    }
}
