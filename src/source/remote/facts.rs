//! What a store says of an object in the fields of its answers, as members of the API (fields.md 2).
//!
//! Sources: "HeadObject" of the S3 API and of the OSS API. The names of user metadata are those of OSS with either.

use super::address::Dialect;
use crate::model::{FieldId, Members, Value, field};
use crate::source::Stamp;
use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Fields that mean the same with both.
const PLAIN: [(&str, FieldId); 6] = [
    ("cache-control", field::CACHE_CONTROL),
    ("content-disposition", field::CONTENT_DISPOSITION),
    ("content-encoding", field::CONTENT_ENCODING),
    ("content-language", field::CONTENT_LANGUAGE),
    ("access-control-allow-origin", field::ACCESS_CONTROL_ALLOW_ORIGIN),
    ("content-md5", field::CONTENT_MD5),
];
/// Fields of one dialect, behind its prefix.
const OWN: [(&str, FieldId); 5] = [
    ("version-id", field::OSS_VERSION_ID),
    ("storage-class", field::OSS_STORAGE_CLASS),
    ("server-side-encryption", field::SERVER_SIDE_ENCRYPTION),
    ("server-side-encryption-customer-algorithm", field::SSE_CUSTOMER_ALGORITHM),
    ("hash-crc64ecma", field::OSS_CRC64),
];
/// Types that say nothing: what the bytes say goes before them.
const NOTHING: [&str; 3] = ["application/octet-stream", "binary/octet-stream", "application/x-www-form-urlencoded"];

/// How the dialect's own fields begin.
fn own(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::S3 => "x-amz-",
        Dialect::Oss => "x-oss-",
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(name)?;
    std::str::from_utf8(value.as_bytes()).ok().filter(|text| !text.is_empty())
}

/// The state of the object that an answer is about; `None` where it does not say enough to tell states apart.
pub(super) fn stamp(headers: &HeaderMap) -> Option<Stamp> {
    let total = text(headers, "content-range").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    let size = total.or_else(|| text(headers, "content-length")?.parse().ok())?;
    let etag = text(headers, "etag")?;
    let modified = date(text(headers, "last-modified")?)?;
    Some(stamp_of(size, etag, modified))
}

/// A time of HTTP (RFC 9110, 5.6.7); nobody minds the day of the week.
fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

/// The state of an object of that size, tag and time. Listings tell milliseconds, answers to reads whole seconds: these count.
pub(super) fn stamp_of(size: u64, etag: &str, modified: Timestamp) -> Stamp {
    Stamp {
        size,
        modified_ns: modified.as_second().saturating_mul(1_000_000_000),
        inode: number(etag.trim_matches('"')),
        device: 0,
    }
}

/// A number for a text, the same for ever: FNV-1a with 64 bits (Fowler, Noll, Vo). Databases keep it.
pub(super) fn number(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// How many tags an answer says that the object has.
pub(super) fn tag_count(headers: &HeaderMap, dialect: Dialect) -> u32 {
    text(headers, &format!("{}tagging-count", own(dialect))).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The members that tags give; none without tags.
pub(super) fn tags(tags: Vec<(String, String)>) -> Members {
    let mut found = Members::new();
    if !tags.is_empty() {
        found.set(field::OSS_TAGGING_COUNT, i64::try_from(tags.len()).unwrap_or(i64::MAX));
        found.set(field::OSS_TAGGING, Value::map(tags));
    }
    found
}

/// The members that an answer gives.
pub(super) fn members(headers: &HeaderMap, dialect: Dialect) -> Members {
    let (mut found, own) = (Members::new(), own(dialect));
    for (name, id) in PLAIN {
        text(headers, name).into_iter().for_each(|value| found.set(id, value));
    }
    for (name, id) in OWN {
        text(headers, &format!("{own}{name}")).into_iter().for_each(|value| found.set(id, value));
    }
    let kms = ["server-side-encryption-aws-kms-key-id", "server-side-encryption-key-id"];
    let kms = kms.iter().find_map(|name| text(headers, &format!("{own}{name}")));
    kms.into_iter().for_each(|value| found.set(field::SSE_KEY_ID, value));
    let kind = text(headers, "content-type").filter(|kind| !NOTHING.contains(kind));
    kind.into_iter().for_each(|value| found.set(field::CONTENT_TYPE, value));
    let expires = text(headers, "expires").and_then(date);
    expires.into_iter().for_each(|at| found.set(field::OSS_EXPIRATION, format!("{:.3}", at)));
    let etag = text(headers, "etag").map(|etag| format!("\"{}\"", etag.trim_matches('"')));
    if let Some(etag) = &etag {
        found.set(field::ETAG, etag.as_str());
        found.set(field::FILE_HASH, etag.as_str());
    }
    // S3 leaves the class out where it is the usual one ("HeadObject", x-amz-storage-class), and has no types of objects.
    if dialect == Dialect::S3 {
        if found.get(field::OSS_STORAGE_CLASS).is_none() {
            found.set(field::OSS_STORAGE_CLASS, "STANDARD");
        }
        // The tag of what was put in parts ends with their number ("Checking object integrity", ETag).
        let in_parts = etag.is_some_and(|etag| etag.contains('-'));
        found.set(field::OSS_OBJECT_TYPE, if in_parts { "Multipart" } else { "Normal" });
    } else {
        text(headers, "x-oss-object-type").into_iter().for_each(|value| found.set(field::OSS_OBJECT_TYPE, value));
    }
    let said = user_meta(headers, own);
    if !said.is_empty() {
        found.set(field::OSS_USER_META, Value::map(said));
    }
    found
}

/// User metadata, by name.
fn user_meta(headers: &HeaderMap, own: &str) -> Vec<(String, String)> {
    let prefix = format!("{own}meta-");
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let name = name.as_str().strip_prefix(&prefix)?;
        Some((format!("x-oss-meta-{name}"), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    };
    let mut found: Vec<(String, String)> = headers.iter().filter_map(pair).collect();
    found.sort_unstable();
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(n, v)| (n.parse().unwrap(), http::HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn both_dialects_give_the_same_members() {
        let oss = headers(&[
            ("etag", "\"5B3C1A2E053D763E1B002CC607C5A0FE\""),
            ("content-type", "image/jpeg"),
            ("x-oss-object-type", "Appendable"),
            ("x-oss-storage-class", "IA"),
            ("x-oss-hash-crc64ecma", "13771153500012345678"),
            ("x-oss-version-id", "CAEQ"),
            ("x-oss-meta-location", "Lisboa"),
            ("x-oss-tagging-count", "2"),
        ]);
        let found = members(&oss, Dialect::Oss);
        for (id, value) in [
            (field::ETAG, "\"5B3C1A2E053D763E1B002CC607C5A0FE\""),
            (field::CONTENT_TYPE, "image/jpeg"),
            (field::OSS_OBJECT_TYPE, "Appendable"),
            (field::OSS_STORAGE_CLASS, "IA"),
            (field::OSS_CRC64, "13771153500012345678"),
            (field::OSS_VERSION_ID, "CAEQ"),
        ] {
            assert_eq!(found.text(id), Some(value));
        }
        let meta = Value::map([("x-oss-meta-location".to_owned(), "Lisboa".to_owned())]);
        assert_eq!((found.get(field::OSS_USER_META), tag_count(&oss, Dialect::Oss)), (Some(&meta), 2));
        let s3 = headers(&[
            ("etag", "\"abc-3\""),
            ("content-type", "binary/octet-stream"),
            ("expires", "Wed, 01 Jan 2120 12:00:00 GMT"),
            ("x-amz-meta-location", "Lisboa"),
        ]);
        let found = members(&s3, Dialect::S3);
        assert_eq!(
            (found.text(field::OSS_STORAGE_CLASS), found.text(field::OSS_OBJECT_TYPE)),
            (Some("STANDARD"), Some("Multipart"))
        );
        assert_eq!((found.text(field::CONTENT_TYPE), found.get(field::OSS_USER_META)), (None, Some(&meta)));
        assert_eq!(found.text(field::OSS_EXPIRATION), Some("2120-01-01T12:00:00.000Z"));
    }

    #[test]
    fn states_are_told_apart_by_size_tag_and_second() {
        let answer = |etag, length| {
            let time = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
            stamp(&headers(&[("etag", etag), time, ("content-length", length)]))
        };
        let listed = stamp_of(7, "abc", "1994-11-06T08:49:37.123Z".parse().unwrap());
        assert_eq!(answer("\"abc\"", "7"), Some(listed));
        assert_ne!(answer("\"abd\"", "7"), Some(listed));
        assert_ne!(answer("\"abc\"", "8"), Some(listed));
        let part = headers(&[
            ("etag", "abc"),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("content-length", "2"),
            ("content-range", "bytes 0-1/7"),
        ]);
        assert_eq!(stamp(&part), Some(listed));
        assert_eq!(stamp(&headers(&[("etag", "abc")])), None);
        // DO NOT CHANGE: databases keep these.
        assert_eq!(number("a"), 0xAF63_DC4C_8601_EC8C);
    }
}
