//! Messages of stores about their objects: which keys may have changed.
//!
//! Two shapes are read: that of S3 ("Event message structure", Amazon S3 User Guide), which MinIO, Ceph and others send as well,
//! and that of OSS ("OSS event notification", Simple Message Queue). Either may come in the envelope of a topic: a text in
//! `Message`, as such or in Base64.
//!
//! IMPORTANT: what a message says is a hint and no fact. It may be late, repeated, out of order or forged, so nothing of it is used
//! but the names.

use super::name::LONGEST_KEY;
use crate::error::{Error, Result};
use data_encoding::BASE64;
use serde::Deserialize;

/// Longest message, in bytes: S3 sends one record in each, others some hundred.
pub const MOST_MESSAGE: usize = 1 << 20;
/// Envelopes within each other.
const MOST_ENVELOPES: usize = 3;

/// An object to look at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The bucket, as its store calls it.
    pub bucket: String,
    /// The object's key in that bucket.
    pub key: String,
    /// What may have happened to it.
    pub touch: Touch,
}

/// What may have happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// It may be gone.
    Removed,
    /// It may be new or have other bytes.
    Written,
    /// It may be told otherwise while its state is the same: tags, class of storage, restored from an archive.
    Told,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Records", alias = "events", default)]
    records: Option<Vec<Record>>,
    #[serde(rename = "Message", default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName", default)]
    name: String,
    #[serde(default)]
    s3: Option<About>,
    #[serde(default)]
    oss: Option<About>,
}

#[derive(Deserialize)]
struct About {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// The objects that a message names. A message about something else, such as a test or the confirmation of a subscription, names
/// none. Fails if it is no JSON object, or one in which the members above have other types.
pub fn hints(message: &[u8]) -> Result<Vec<Hint>> {
    if message.len() > MOST_MESSAGE {
        let got = message.len();
        return Err(Error::invalid(format!("event message: expected at most {MOST_MESSAGE} bytes, got {got}")));
    }
    let mut found = Vec::new();
    let mut inner = Some(message.to_vec());
    for _ in 0..MOST_ENVELOPES {
        let Some(bytes) = inner.take() else { break };
        let wrong = |why: &dyn std::fmt::Display| {
            let expected = "expected a JSON object with Records (S3) or events (OSS)";
            Error::invalid(format!("event message: {expected}, got something else: {why}"))
        };
        // An array would be taken for the members of an object in their order.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(wrong(&"it does not begin with a brace"));
        }
        let message: Message = serde_json::from_slice(&bytes).map_err(|e| wrong(&e))?;
        found.extend(message.records.unwrap_or_default().iter().flat_map(Record::hints));
        inner = message.message.and_then(|text| enveloped(&text));
    }
    Ok(found)
}

/// What a topic passes on: a message as such, or in Base64. Another text is somebody else's.
fn enveloped(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if text.starts_with('{') {
        return Some(text.as_bytes().to_vec());
    }
    BASE64.decode(text.as_bytes()).ok().filter(|bytes| bytes.trim_ascii_start().starts_with(b"{"))
}

impl Record {
    fn hints(&self) -> Vec<Hint> {
        let Some(touch) = touch(&self.name) else { return Vec::new() };
        let hint = |about: &About, key: String| Hint { bucket: about.bucket.name.clone(), key, touch };
        let mut found = Vec::new();
        if let Some(about) = &self.s3 {
            // "The s3 key provides information about the bucket and object. The object key name value is URL encoded."
            found.push(hint(about, decoded(&about.object.key)));
        }
        if let Some(about) = &self.oss {
            // Nothing is said of how OSS writes keys: both readings are looked at.
            let (plain, decoded) = (about.object.key.clone(), decoded(&about.object.key));
            if plain != decoded {
                found.push(hint(about, decoded));
            }
            found.push(hint(about, plain));
        }
        found.retain(|hint| (1..=LONGEST_KEY).contains(&hint.key.len()) && !hint.bucket.is_empty());
        found
    }
}

/// What the name of an event says; `None` of those that change nothing.
fn touch(name: &str) -> Option<Touch> {
    let name = name.strip_prefix("s3:").unwrap_or(name);
    let kind = name.split(':').next().unwrap_or("");
    match kind {
        "ObjectAccessed" | "ObjectDownloaded" => None,
        _ if name.contains("Tagging") => Some(Touch::Told),
        "ObjectRemoved" | "LifecycleExpiration" => Some(Touch::Removed),
        "ObjectReplication" if name.ends_with("ObjectRemoved") => Some(Touch::Removed),
        "ObjectRestore" | "ObjectTransition" | "LifecycleTransition" | "IntelligentTiering" | "ObjectAcl" => {
            Some(Touch::Told)
        }
        // Of what is not known it costs least to look.
        _ => Some(Touch::Written),
    }
}

/// A key without the encoding of forms: `+` is a space, `%XX` a byte. One that is not encoded so is taken as it is.
fn decoded(key: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(key.len()), key.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| str::from_utf8(code).ok());
        let byte = code.filter(|code| !code.starts_with('+')).and_then(|code| u8::from_str_radix(code, 16).ok());
        (rest, _) = match byte {
            Some(byte) => (after.get(2..).unwrap_or(&[]), bytes.push(byte)),
            None => (after, bytes.push(if *first == b'+' { b' ' } else { *first })),
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(message: &str) -> Vec<(String, Touch)> {
        let found = hints(message.as_bytes()).unwrap();
        assert!(found.iter().all(|hint| hint.bucket == "media"), "{found:?}");
        found.into_iter().map(|hint| (hint.key, hint.touch)).collect()
    }

    fn record(name: &str, key: &str) -> String {
        format!(
            r#"{{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z",
            "eventName":"{name}","userIdentity":{{"principalId":"A"}},"requestParameters":{{"sourceIPAddress":"127.0.0.1"}},
            "s3":{{"s3SchemaVersion":"1.0","configurationId":"c","bucket":{{"name":"media","arn":"arn:aws:s3:::media"}},
            "object":{{"key":"{key}","size":1024,"eTag":"d41d8cd9","sequencer":"0055AED6DCD90281E5"}}}}}}"#
        )
    }

    #[test]
    fn records_of_s3_name_keys() {
        let message = |records: &[String]| format!("{{\"Records\":[{}]}}", records.join(","));
        let names = [
            ("ObjectCreated:Put", Some(Touch::Written)),
            ("s3:ObjectCreated:CompleteMultipartUpload", Some(Touch::Written)),
            ("ObjectRemoved:DeleteMarkerCreated", Some(Touch::Removed)),
            ("LifecycleExpiration:Delete", Some(Touch::Removed)),
            ("ObjectTagging:Put", Some(Touch::Told)),
            ("s3:ObjectCreated:DeleteTagging", Some(Touch::Told)),
            ("LifecycleTransition", Some(Touch::Told)),
            ("s3:ObjectAccessed:Get", None),
            ("", Some(Touch::Written)),
        ];
        for (name, touch) in names {
            let found = keys(&message(&[record(name, "photos/red+flower%2B%E6%9D%B1.jpg")]));
            let want = touch.map(|touch| ("photos/red flower+\u{6771}.jpg".to_owned(), touch));
            assert_eq!(found, Vec::from_iter(want), "{name}");
        }
        let both = message(&[record("ObjectCreated:Put", "a%2Fb"), record("ObjectRemoved:Delete", "100%")]);
        assert_eq!(keys(&both), [("a/b".to_owned(), Touch::Written), ("100%".to_owned(), Touch::Removed)]);
        // As MinIO adds to it, and in the envelope of a topic.
        let minio = both.replacen('{', r#"{"EventName":"s3:ObjectCreated:Put","Key":"media/a/b","#, 1);
        assert_eq!(keys(&minio).len(), 2);
        let topic = serde_json::json!({"Type": "Notification", "Message": both}).to_string();
        assert_eq!(keys(&topic).len(), 2);
        let coded = serde_json::json!({"TopicName": "t", "Message": BASE64.encode(both.as_bytes())}).to_string();
        assert_eq!(keys(&coded).len(), 2);
    }

    #[test]
    fn records_of_oss_name_keys_in_either_reading() {
        let event = |name: &str, key: &str| {
            format!(
                r#"{{"events":[{{"eventName":"{name}","eventSource":"acs:oss","eventVersion":"1.0","oss":{{"bucket":
                {{"name":"media","virtualBucket":""}},"object":{{"deltaSize":122539,"eTag":"688A","key":"{key}","size":122539}},
                "ossSchemaVersion":"1.0","ruleId":"r"}},"region":"cn-shanghai"}}]}}"#
            )
        };
        let of = |name: &str, key: &str| keys(&event(name, key)).into_iter();
        assert!(of("ObjectCreated:PutObject", "a/b.jpg").eq([("a/b.jpg".to_owned(), Touch::Written)]));
        let either = ["a b".to_owned(), "a+b".to_owned()].map(|key| (key, Touch::Removed));
        assert!(of("ObjectRemoved:DeleteObject", "a+b").eq(either));
        assert_eq!(of("ObjectDownloaded:GetObject", "a").count(), 0);
        assert!(of("ObjectReplication:ObjectRemoved", "a").eq([("a".to_owned(), Touch::Removed)]));
    }

    #[test]
    fn other_messages_name_nothing_or_are_refused() {
        for nothing in [
            "{}",
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"media"}"#,
            r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe"}"#,
            r#"{"Records":null}"#,
            r#"{"Records":[{"eventName":"x"},{"s3":null}]}"#,
            &format!("{{\"Records\":[{}]}}", record("ObjectCreated:Put", "")),
            &format!("{{\"Records\":[{}]}}", record("ObjectCreated:Put", &"k".repeat(1025))),
        ] {
            assert_eq!(hints(nothing.as_bytes()).unwrap(), [], "{nothing}");
        }
        let deep = "[".repeat(100_000);
        for bad in
            ["", "no", "7", "{\"Records\":7}", "{\"Records\":[{\"s3\":{\"bucket\":7}}]}", "{\"Records\":[", &deep]
        {
            let said = hints(bad.as_bytes()).unwrap_err();
            assert!(said.message().starts_with("event message: expected a JSON object"), "{said}");
        }
        assert!(hints(&vec![b' '; MOST_MESSAGE + 1]).unwrap_err().message().contains("expected at most 1048576"));
    }

    proptest! {
        #[test]
        fn no_message_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), key in ".{0,40}", at in 0usize..400) {
            let _any = hints(&bytes);
            let escaped = serde_json::to_string(&key).unwrap();
            let whole = format!("{{\"Records\":[{}]}}", record("ObjectCreated:Put", escaped.trim_matches('"')));
            if let Ok(found) = hints(whole.as_bytes()) {
                prop_assert!(found.iter().all(|hint| hint.key.len() <= LONGEST_KEY));
            }
            let cut = whole.get(..at.min(whole.len())).unwrap_or("");
            prop_assert!(cut == whole || hints(cut.as_bytes()).is_err());
        }
    }
}
