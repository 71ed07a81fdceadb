//! What names mean: short ones from one table, all others as the registry spells them, in any case.

use crate::model::field::{self, FIELDS, member};
use crate::model::{FieldId, FieldPath, Kind};
use hashbrown::HashMap;
use std::sync::LazyLock;

/// Short names and the fields they stand for; of several, any may fulfil a condition.
pub(super) const SHORT: &[(&str, &[FieldId])] = &[
    ("name", &[field::FILENAME]),
    ("path", &[field::URI]),
    ("mime", &[field::CONTENT_TYPE]),
    ("id", &[field::CUSTOM_ID]),
    ("status", &[field::OBJECT_STATUS]),
    ("outcome", &[field::EXTRACT_OUTCOME]),
    ("date", &[field::PRODUCE_TIME]),
    ("taken", &[field::PRODUCE_TIME]),
    ("modified", &[field::FILE_MODIFIED_TIME]),
    ("created", &[field::FILE_CREATE_TIME]),
    ("indexed", &[field::CREATE_TIME]),
    ("updated", &[field::UPDATE_TIME]),
    ("width", &[field::IMAGE_WIDTH, field::VIDEO_WIDTH]),
    ("height", &[field::IMAGE_HEIGHT, field::VIDEO_HEIGHT]),
    ("score", &[field::OVERALL_QUALITY_SCORE]),
    ("place", &[field::LAT_LONG]),
    ("country", &[field::ADDRESS_COUNTRY]),
    ("province", &[field::ADDRESS_PROVINCE]),
    ("city", &[field::ADDRESS_CITY]),
    ("district", &[field::ADDRESS_DISTRICT]),
    ("address", &[field::ADDRESS_LINE]),
    ("label", &[field::LABEL_NAME]),
    ("confidence", &[field::LABEL_CONFIDENCE]),
    ("person", &[field::FIGURE_CLUSTER_ID]),
    ("faces", &[field::FIGURE_COUNT]),
    ("age", &[field::FIGURE_AGE]),
    ("gender", &[field::FIGURE_GENDER]),
    ("emotion", &[field::FIGURE_EMOTION]),
    ("format", &[field::FORMAT_NAME]),
    ("codec", &[field::VIDEO_CODEC_NAME, field::AUDIO_CODEC_NAME]),
    ("channels", &[field::AUDIO_CHANNELS]),
    ("subtitle", &[field::SUBTITLE_CONTENT]),
    ("text", &[field::OCR_TEXTS, field::OCR_CONTENT]),
    ("pages", &[field::PAGE_COUNT]),
    ("custom", &[field::CUSTOM_LABELS]),
    ("tag", &[field::OSS_TAGGING]),
    ("meta", &[field::OSS_USER_META]),
];

/// The name of one element of an array, for groups and before a point.
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) array: FieldId,
    /// Short names of members.
    pub(super) members: &'static [(&'static str, FieldId)],
}

pub(super) const ELEMENTS: &[Element] = &[
    Element {
        name: "label",
        array: field::LABELS,
        members: &[
            ("name", field::LABEL_NAME),
            ("parent", field::PARENT_LABEL_NAME),
            ("confidence", field::LABEL_CONFIDENCE),
            ("level", field::LABEL_LEVEL),
            ("alias", field::LABEL_ALIAS),
        ],
    },
    Element {
        name: "face",
        array: field::FIGURES,
        members: &[
            ("person", field::FIGURE_CLUSTER_ID),
            ("confidence", field::FIGURE_CONFIDENCE),
            ("quality", field::FIGURE_FACE_QUALITY),
        ],
    },
    Element { name: "address", array: field::ADDRESSES, members: &[("line", field::ADDRESS_LINE)] },
    Element { name: "video", array: field::VIDEO_STREAMS, members: &[("codec", field::VIDEO_CODEC_NAME)] },
    Element { name: "audio", array: field::AUDIO_STREAMS, members: &[("codec", field::AUDIO_CODEC_NAME)] },
    Element {
        name: "subtitle",
        array: field::SUBTITLES,
        members: &[("codec", field::SUBTITLE_CODEC_NAME), ("text", field::SUBTITLE_CONTENT)],
    },
    Element {
        name: "scene",
        array: field::SCENE_ELEMENTS,
        members: &[("label", field::SCENE_LABEL_NAME), ("stream", field::SCENE_STREAM_INDEX)],
    },
    Element { name: "ocr", array: field::OCR_CONTENTS, members: &[("text", field::OCR_CONTENT)] },
];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Name {
    /// Any of these fields.
    Fields(Vec<FieldPath>),
    /// `type`: the media type, or the content type where the value has a slash.
    Type,
    /// `ext`: how the URI ends.
    Extension,
    /// `near`: a circle.
    Near,
    /// `within`: a box or polygon.
    Within,
    /// `has`: the value is the name of a field.
    Has,
}

/// The meaning of a name, split at its first point.
pub(super) fn resolve(head: &str, key: Option<&str>) -> Option<Name> {
    let lower = head.to_ascii_lowercase();
    let Some(key) = key else { return lone(&lower) };
    if let Some(array) = array(&lower) {
        return inside(array, key).map(|id| Name::Fields(vec![id.into()]));
    }
    let id = single(&lower)?;
    match id.field().kind {
        Kind::Map(_) => Some(Name::Fields(vec![FieldPath { id, key: Some(key.to_owned()) }])),
        Kind::Object => inside(id, key).map(|id| Name::Fields(vec![id.into()])),
        _ => None,
    }
}

fn lone(lower: &str) -> Option<Name> {
    match lower {
        "type" => return Some(Name::Type),
        "ext" => return Some(Name::Extension),
        "near" => return Some(Name::Near),
        "within" => return Some(Name::Within),
        "has" => return Some(Name::Has),
        _ => {}
    }
    let fields = |ids: &[FieldId]| Name::Fields(ids.iter().map(|id| (*id).into()).collect());
    match SHORT.iter().find(|(name, _)| *name == lower) {
        Some((_, ids)) => Some(fields(ids)),
        None => top(lower).map(|id| fields(&[id])),
    }
}

/// The one top-level field of a name.
fn single(lower: &str) -> Option<FieldId> {
    match SHORT.iter().find(|(name, _)| *name == lower) {
        Some((_, [id])) => Some(*id),
        _ => top(lower),
    }
}

/// Whether entries of the name have keys.
pub(super) fn is_map(head: &str) -> bool {
    single(&head.to_ascii_lowercase()).is_some_and(|id| matches!(id.field().kind, Kind::Map(_)))
}

/// The array that a name stands for before a bracket or a point.
pub(super) fn array(head: &str) -> Option<FieldId> {
    let lower = head.to_ascii_lowercase();
    let short = ELEMENTS.iter().find(|element| element.name == lower).map(|element| element.array);
    short.or_else(|| top(&lower).filter(|id| id.field().kind == Kind::Rows))
}

/// A member of an array or object, by its name or short name.
pub(super) fn inside(parent: FieldId, name: &str) -> Option<FieldId> {
    let lower = name.to_ascii_lowercase();
    let mut shorts = ELEMENTS.iter().filter(|element| element.array == parent).flat_map(|element| element.members);
    let short = shorts.find(|(short, _)| *short == lower).map(|(_, id)| *id);
    short.or_else(|| member(Some(parent), name).map(|field| field.id)).or_else(|| {
        let named = |f: &&field::Field| f.parent == Some(parent) && f.name().eq_ignore_ascii_case(name);
        FIELDS.iter().find(named).map(|f| f.id)
    })
}

/// A top-level field by its name in lower case.
fn top(lower: &str) -> Option<FieldId> {
    static NAMES: LazyLock<HashMap<String, FieldId>> = LazyLock::new(|| {
        let tops = FIELDS.iter().filter(|field| field.parent.is_none());
        tops.map(|field| (field.path.to_ascii_lowercase(), field.id)).collect()
    });
    NAMES.get(lower).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_a_name_in_any_case() {
        for field in FIELDS {
            for path in [field.path.to_owned(), field.path.to_ascii_lowercase(), field.path.to_ascii_uppercase()] {
                let (head, key) = path.split_once('.').map_or((path.as_str(), None), |(h, k)| (h, Some(k)));
                assert_eq!(resolve(head, key), Some(Name::Fields(vec![field.id.into()])), "{path}");
            }
        }
    }

    #[test]
    fn short_names_hide_no_field() {
        for (name, _) in SHORT {
            assert!(top(name).is_none(), "{name}");
            assert!(!["type", "ext", "near", "within", "has"].contains(name), "{name}");
        }
        for Element { name, array, members } in ELEMENTS {
            assert!(top(name).is_none() && array.field().kind == Kind::Rows, "{name}");
            for (short, id) in *members {
                assert_eq!(id.field().parent, Some(*array), "{short}");
                let named = |f: &&field::Field| f.parent == Some(*array) && f.name().eq_ignore_ascii_case(short);
                assert!(FIELDS.iter().find(named).is_none(), "{short}");
            }
        }
    }
}
