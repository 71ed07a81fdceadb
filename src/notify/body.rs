//! What is written of an event or a message: the universal message of the API, the documents of a push, CloudEvents.
//! Shapes: `docs/notifications.md`.

use super::topic::{Format, Subscription};
use crate::model::Timestamp;
use crate::store::notice::OutboxRow;
use data_encoding::BASE64;
use md5::{Digest, Md5};
use serde_json::{Value, json};

/// Namespace of MNS documents.
pub const NAMESPACE: &str = "http://mns.aliyuncs.com/doc/v1/";

/// How bodies are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// `<region>` of subjects.
    pub region: String,
    /// `<account>` of subjects, and `TopicOwner`.
    pub account: String,
    /// Whether a topic gets the payload alone, without the envelope around it.
    pub bare: bool,
    /// Whether what an event publishes to queues is in Base64, as the MNS SDK decodes it unless told otherwise.
    pub base64: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { region: "local".to_owned(), account: "0".to_owned(), bare: false, base64: false }
    }
}

/// Lower digits are enough for people, upper ones are what MNS writes.
pub fn md5_hex(text: &str) -> String {
    data_encoding::HEXUPPER.encode(&Md5::digest(text.as_bytes()))
}

impl Style {
    fn subject(&self, row: &OutboxRow) -> String {
        format!("acs:imm:{}:{}:{}/{}", self.region, self.account, row.project, row.kind)
    }

    /// The body of the message that a topic gets of a row (notifications.md 2).
    pub fn message(&self, row: &OutboxRow) -> String {
        if row.kind.is_empty() || self.bare {
            return row.content.clone();
        }
        let envelope = json!({
            "id": row.id,
            "source": "acs.imm",
            "type": row.kind,
            "subject": self.subject(row),
            "time": (row.time / 1_000_000).to_string(),
            "content": row.content,
        });
        envelope.to_string()
    }

    /// What a subscription is sent of a row.
    pub fn document(&self, row: &OutboxRow, subscription: &Subscription) -> String {
        let message = self.message(row);
        let md5 = md5_hex(&message);
        let published = (row.time / 1_000_000).to_string();
        let members = [
            ("TopicOwner", self.account.as_str()),
            ("TopicName", subscription.topic.as_str()),
            ("Subscriber", self.account.as_str()),
            ("SubscriptionName", subscription.name.as_str()),
            ("MessageId", row.id.as_str()),
            ("Message", message.as_str()),
            ("MessageMD5", md5.as_str()),
            ("MessageTag", row.tag.as_str()),
            ("PublishTime", published.as_str()),
        ];
        let given = members.iter().filter(|(name, text)| *name != "MessageTag" || !text.is_empty());
        match subscription.format {
            Format::Simplified => message,
            Format::Json => {
                let object: serde_json::Map<String, Value> =
                    given.map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
                Value::Object(object).to_string()
            }
            Format::Xml => {
                let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Notification xmlns=\"{NAMESPACE}\">");
                given.for_each(|(name, text)| {
                    out.push_str(&format!("<{name}>"));
                    escape(text, &mut out);
                    out.push_str(&format!("</{name}>"));
                });
                out.push_str("</Notification>");
                out
            }
        }
    }

    /// What a queue is sent of a row: as [`Style::document`], in Base64 where that is asked for.
    pub fn queued(&self, row: &OutboxRow, subscription: &Subscription) -> String {
        let document = self.document(row, subscription);
        // A published message is what its publisher encoded.
        if self.base64 && !row.kind.is_empty() { BASE64.encode(document.as_bytes()) } else { document }
    }

    /// CloudEvents 1.0 in structured JSON (section 3.1 of its JSON format); the payload is an object.
    pub fn cloud_event(&self, row: &OutboxRow) -> String {
        let data: Value = serde_json::from_str(&row.content).unwrap_or_else(|_| Value::from(row.content.as_str()));
        let event = json!({
            "specversion": "1.0",
            "id": row.id,
            "source": "acs.imm",
            "type": row.kind,
            "subject": self.subject(row),
            "time": Timestamp(row.time).to_string(),
            "datacontenttype": "application/json",
            "aliyunaccountid": self.account,
            "aliyunregionid": self.region,
            "data": data,
        });
        event.to_string()
    }
}

/// Writes text as the content of an element. Characters that XML cannot hold become U+FFFD (XML 1.0, section 2.2).
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Strategy;

    fn row() -> OutboxRow {
        OutboxRow {
            id: "25E-1x".into(),
            kind: "imm:FileMeta:Index".into(),
            project: "p".into(),
            dataset: "d".into(),
            topic: "t".into(),
            tag: String::new(),
            receiver: String::new(),
            time: 1_724_133_063_161_000_000,
            content: r#"{"ProjectName":"p","Files":[{"URI":"oss://b/a<&>.jpg"}]}"#.into(),
        }
    }

    fn subscription(format: Format) -> Subscription {
        Subscription {
            topic: "t".into(),
            name: "s".into(),
            endpoint: String::new(),
            filter_tag: String::new(),
            strategy: Strategy::Backoff,
            format,
            create_time: 0,
            modify_time: 0,
        }
    }

    #[test]
    fn the_envelope_of_the_api() {
        let message: Value = serde_json::from_str(&Style::default().message(&row())).unwrap();
        assert_eq!(message["time"], "1724133063161");
        assert_eq!(message["subject"], "acs:imm:local:0:p/imm:FileMeta:Index");
        assert_eq!(message["content"], row().content);
        assert_eq!(Style { bare: true, ..Style::default() }.message(&row()), row().content);
    }

    #[test]
    fn documents_of_a_push() {
        let style = Style { bare: true, ..Style::default() };
        assert_eq!(style.document(&row(), &subscription(Format::Simplified)), row().content);
        let json: Value = serde_json::from_str(&style.document(&row(), &subscription(Format::Json))).unwrap();
        assert_eq!((&json["Message"], &json["PublishTime"]), (&row().content.into(), &"1724133063161".into()));
        assert!(json.get("MessageTag").is_none());
        let xml = style.document(&row(), &subscription(Format::Xml));
        assert!(xml.contains(
            "<Message>{\"ProjectName\":\"p\",\"Files\":[{\"URI\":\"oss://b/a&lt;&amp;&gt;.jpg\"}]}</Message>"
        ));
        let coded = Style { base64: true, ..style }.queued(&row(), &subscription(Format::Simplified));
        assert_eq!(BASE64.decode(coded.as_bytes()).unwrap(), row().content.into_bytes());
        let mut out = String::new();
        escape("a\u{0}\r\n", &mut out);
        assert_eq!(out, "a\u{FFFD}&#13;\n");
    }

    #[test]
    fn cloud_events_hold_objects() {
        let event: Value = serde_json::from_str(&Style::default().cloud_event(&row())).unwrap();
        assert_eq!((&event["specversion"], &event["data"]["ProjectName"]), (&"1.0".into(), &"p".into()));
        assert_eq!(event["time"], "2024-08-20T05:51:03.161Z");
    }
}
