//! The objects that PDF is made of (ISO 32000-1, 7.3).

/// An object.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Object {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    /// Without its slash, `#xx` resolved.
    Name(String),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    /// The object of that number.
    Ref(u32),
    /// An operator of a content stream, or a keyword such as `obj`.
    Word(String),
}

/// A dictionary, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dict(pub(super) Vec<(String, Object)>);

impl Dict {
    /// The value of a key; `Null` where there is none (7.3.7).
    pub(super) fn get(&self, key: &str) -> &Object {
        self.0.iter().find(|(name, _)| name == key).map_or(&Object::Null, |(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        *self.get(key) != Object::Null
    }
}

impl Object {
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Object::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_u64(&self) -> Option<u64> {
        self.as_int().and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn as_u32(&self) -> Option<u32> {
        self.as_int().and_then(|number| u32::try_from(number).ok())
    }

    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "coordinates: nothing counts with them")]
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Object::Int(number) => Some(*number as f64),
            Object::Real(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn as_name(&self) -> Option<&str> {
        match self {
            Object::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&[u8]> {
        match self {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_dict(&self) -> Option<&Dict> {
        match self {
            Object::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    pub(super) fn as_ref(&self) -> Option<u32> {
        match self {
            Object::Ref(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of an array; one object alone counts as an array of one.
    pub(super) fn items(&self) -> &[Object] {
        match self {
            Object::Array(items) => items,
            Object::Null => &[],
            one => std::slice::from_ref(one),
        }
    }
}
