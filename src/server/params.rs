//! Parameters of a request: decoded from query and form body, then checked against the action's table.

use super::action::{Action, Kind, Need, Param};
use super::fault::Fault;
use crate::model::Name;
use serde::de::DeserializeOwned;

/// Most parameters of one request; the largest operation has 20.
const MAX_PARAMS: usize = 1000;

/// The decoded parameters of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(String, String)>,
    /// How many of them came in the query.
    in_query: usize,
}

impl Params {
    /// Decodes the query and the form body, `""` where there is none. The error says what is wrong.
    pub fn decode(query: &str, form: &str) -> Result<Params, String> {
        let mut pairs = Vec::new();
        decode_into(query, &mut pairs)?;
        let in_query = pairs.len();
        decode_into(form, &mut pairs)?;
        Ok(Params { pairs, in_query })
    }

    /// The parameters of the query.
    pub fn query(&self) -> &[(String, String)] {
        self.pairs.get(..self.in_query).unwrap_or(&[])
    }

    /// All parameters.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether an operation takes these parameters: what is checked before it runs. The error is what the caller is told.
    pub fn check(&self, action: &Action) -> Result<(), String> {
        check(action, self).map_err(|fault| fault.message)
    }

    /// The value of a parameter; the query comes before the form.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The value of a parameter, `""` where it is absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// The value of a parameter, where it was given and is not empty.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        self.get(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// An integer that [`check`] has seen.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }

    /// A count that [`check`] has seen; 0 where it is absent.
    pub(super) fn count(&self, name: &str) -> usize {
        self.int(name).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }

    /// A boolean that [`check`] has seen; false where it is absent. SDKs send `True` and `true` (wire.md 3).
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).trim().eq_ignore_ascii_case("true")
    }

    /// An object or array, sent as JSON text; `None` where it is absent or empty.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let text = self.text(name);
        if text.trim().is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|e| Fault::invalid(format!("{name}: {e}")))
    }

    /// A list sent as a JSON array; empty where it is absent.
    pub(super) fn list<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, Fault> {
        Ok(self.json(name)?.unwrap_or_default())
    }
}

fn decode_into(raw: &str, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
    for part in raw.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MAX_PARAMS {
            return Err(format!("expected at most {MAX_PARAMS} parameters, got more"));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = decode(name)?;
        let value = decode(value).map_err(|why| format!("{}: {why}", shown(&name)))?;
        match pairs.iter().find(|(n, _)| *n == name) {
            Some((_, before)) if *before != value => return Err(format!("{} is given twice", shown(&name))),
            _ => pairs.push((name, value)),
        }
    }
    Ok(())
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Form decoding: `+` is a space, `%XX` a byte (WHATWG URL, "application/x-www-form-urlencoded parsing").
fn decode(text: &str) -> Result<String, String> {
    if !text.bytes().any(|b| b == b'+' || b == b'%') {
        return Ok(text.to_owned());
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
                match (digit(bytes.next()), digit(bytes.next())) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err("expected two hexadecimal digits behind %".to_owned()),
                }
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| "expected UTF-8, got other bytes".to_owned())
}

/// Checks what the table of the action says of every parameter. Parameters that it does not list are ignored.
pub(super) fn check(action: &Action, params: &Params) -> Result<(), Fault> {
    for param in action.params {
        let value = params.text(param.name);
        match (&param.need, value.is_empty()) {
            (Need::Ignored, _) | (Need::Optional, true) => {}
            (Need::Required, true) => {
                let name = param.name;
                return Err(Fault::invalid(format!("The parameter {name} is required but not provided.")));
            }
            (_, false) => check_value(param, value)?,
        }
    }
    Ok(())
}

fn check_value(param: &Param, value: &str) -> Result<(), Fault> {
    let name = param.name;
    let within = |count: usize, most: usize, what: &str| {
        if count <= most {
            return Ok(());
        }
        Err(Fault::invalid(format!("{name}: expected at most {most} {what}, got {count}")))
    };
    match param.kind {
        Kind::Name => Name::parse(name, value).map(drop).map_err(Fault::from),
        Kind::Text { chars } => within(value.chars().count(), chars, "characters"),
        Kind::Bytes { most } => within(value.len(), most, "bytes"),
        Kind::Int { least, most } => integer(name, value, least, most).map(drop),
        Kind::Quota { least, most } => match integer(name, value, least, i64::MAX)? {
            number if number > most => Err(Fault::quota(format!("{name}: expected at most {most}, got {number}"))),
            _ => Ok(()),
        },
        Kind::Bool => match value.trim().to_ascii_lowercase().as_str() {
            "true" | "false" => Ok(()),
            other => Err(Fault::invalid(format!("{name}: expected true or false, got {other:?}"))),
        },
        Kind::Choice(choices) if choices.contains(&value) => Ok(()),
        Kind::Choice(choices) => {
            Err(Fault::invalid(format!("{name}: expected one of {}, got {value:?}", choices.join(", "))))
        }
        Kind::Object => shape(name, value, "an object", |v| v.is_object()).map(drop),
        Kind::List { most } => {
            let list = shape(name, value, "an array", |v| v.is_array())?;
            within(list.as_array().map_or(0, Vec::len), most, "entries")
        }
    }
}

fn integer(name: &str, value: &str, least: i64, most: i64) -> Result<i64, Fault> {
    let number = value.trim().parse::<i64>();
    number.ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| {
        let range = if most == i64::MAX { format!("at least {least}") } else { format!("{least} to {most}") };
        Fault::invalid(format!("{name}: expected an integer, {range}, got {:?}", shown(value)))
    })
}

fn shape(
    name: &'static str,
    value: &str,
    expected: &str,
    fits: impl Fn(&serde_json::Value) -> bool,
) -> Result<serde_json::Value, Fault> {
    let parsed: serde_json::Value = serde_json::from_str(value).map_err(|e| Fault::not_json(name, &e))?;
    if fits(&parsed) {
        return Ok(parsed);
    }
    Err(Fault::invalid(format!("{name}: expected {expected} in JSON, got another value")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        let params = Params::decode("a=1+2%2B3&b&&c=%E9%98%BF&~*=x", "d=4").unwrap();
        assert_eq!(params.get("a"), Some("1 2+3"));
        assert_eq!((params.get("b"), params.get("c")), (Some(""), Some("\u{963f}")));
        assert_eq!((params.query().len(), params.all().count()), (4, 5));
        for bad in ["a=%", "a=%1", "a=%zz", "a=%ff", "a=1&a=2"] {
            assert!(Params::decode(bad, "").is_err(), "{bad}");
        }
        assert!(Params::decode("a=1", "a=2").is_err());
        assert!(Params::decode("a=1", "a=1").is_ok());
        let many: String = (0..=MAX_PARAMS).map(|n| format!("p{n}&")).collect();
        assert!(Params::decode(&many, "").unwrap_err().contains("at most 1000"));
    }

    #[test]
    fn values_by_kind() {
        let fails = |kind: Kind, value: &str| {
            let param = Param { name: "X", kind, need: Need::Optional, about: "" };
            check_value(&param, value).err().map(|f| f.code)
        };
        let invalid = Some("InvalidArgument".to_owned());
        assert_eq!(fails(Kind::Int { least: 0, most: 200 }, "200"), None);
        assert_eq!(fails(Kind::Int { least: 0, most: 200 }, "201"), invalid);
        assert_eq!(fails(Kind::Int { least: 0, most: 200 }, "1.5"), invalid);
        assert_eq!(fails(Kind::Quota { least: 1, most: 10 }, "11").as_deref(), Some("LimitExceededError"));
        assert_eq!(fails(Kind::Quota { least: 1, most: 10 }, "0"), invalid);
        assert_eq!(fails(Kind::Bool, "True"), None);
        assert_eq!(fails(Kind::Bool, "yes"), invalid);
        assert_eq!(fails(Kind::List { most: 1 }, "[1]"), None);
        assert_eq!(fails(Kind::List { most: 1 }, "[1,2]"), invalid);
        assert_eq!(fails(Kind::List { most: 1 }, "{}"), invalid);
        assert_eq!(fails(Kind::Object, "{").as_deref(), Some("InvalidJSON Array parsing error,X"));
        assert_eq!(fails(Kind::Text { chars: 1 }, "\u{963f}"), None);
        assert_eq!(fails(Kind::Name, "1a"), invalid);
    }
}
