//! Records against the JSON they came from, against random members, and against random bytes.

use super::*;
use crate::model::{File, Kind, Value, field};
use proptest::prelude::*;

const URI: &str = "oss://bucket/some/folder/IMG_0001.jpg";

/// A document as the benchmark generator makes them (`tools/peers`), 659 bytes of JSON on average.
const DOC: &str = r#"{"URI":"oss://bucket/some/folder/IMG_0001.jpg","Filename":"IMG_0001.jpg","Size":734003,"ContentType":"image/jpeg","MediaType":"image","FileModifiedTime":"2017-03-05T10:20:30Z","ProduceTime":"2017-03-01T08:00:00Z","ImageWidth":4032,"ImageHeight":3024,"LatLong":"30.270000,120.150000","Addresses":[{"Country":"China","City":"Hangzhou"}],"Labels":[{"LabelName":"animal_00","LabelConfidence":0.87},{"LabelName":"sky_01","LabelConfidence":0.31},{"LabelName":"water_02","LabelConfidence":0.99}],"CustomLabels":{"key1":"value100","key7":"value3"},"ObjectACL":"default","OSSStorageClass":"Standard","ETag":"\"0123456789ABCDEF0123456789ABCDEF\""}"#;

fn record(json: &str) -> Record {
    let mut members = File::from_json(json).unwrap().into_members();
    members.remove(field::URI);
    Record {
        members,
        created: Timestamp(1_700_000_000_123_456_789),
        updated: Timestamp(1_700_000_000_123_456_789),
        stamp: None,
        bound: false,
    }
}

fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    record.encode(URI, &mut out);
    out
}

#[test]
fn small_and_the_same_again() {
    let record = record(DOC);
    let bytes = encode(&record);
    assert_eq!(Record::decode(URI, &bytes).unwrap(), record);
    assert!(bytes.len() < 200, "{} bytes", bytes.len());
}

#[test]
fn wanted_fields_only() {
    let bytes = encode(&record(DOC));
    let some = Record::decode_fields(URI, &bytes, &[field::SIZE, field::LABELS, field::FILENAME]).unwrap();
    let ids: Vec<FieldId> = some.members.iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [field::FILENAME, field::SIZE, field::LABELS]);
    assert_eq!(some.members.text(field::FILENAME), Some("IMG_0001.jpg"));
    assert_eq!(some.members.get(field::SIZE).unwrap().as_int(), Some(734_003));
    assert!(Record::decode_fields(URI, &bytes, &[]).unwrap().members.is_empty());
}

#[test]
fn names_that_repeat_the_address_take_one_byte() {
    for (name, tag) in [("IMG_0001.jpg", Tag::Tail), ("some/folder/IMG_0001.jpg", Tag::Key)] {
        let record = record(&format!("{{\"Filename\":{name:?}}}"));
        let bytes = encode(&record);
        // Version, flags, two times; then head and number of the field, and nothing of its text.
        assert_eq!((bytes.len(), bytes[11] & 15), (13, tag as u8));
        assert_eq!(Record::decode(URI, &bytes).unwrap(), record);
    }
}

#[test]
fn stamps_and_versions() {
    let stamp = Stamp { size: 5, modified: -3, inode: u64::MAX };
    let record = Record { stamp: Some(stamp), updated: Timestamp(5), ..record(DOC) };
    let mut bytes = encode(&record);
    assert_eq!(Record::decode(URI, &bytes).unwrap(), record);
    bytes[0] = 2;
    assert_eq!(Record::decode(URI, &bytes).unwrap_err().kind(), ErrorKind::UnsupportedVersion);
}

#[test]
fn unknown_fields_are_passed_over() {
    let mut bytes = encode(&record(r#"{"Size":7}"#));
    bytes.extend_from_slice(&[15 << 4 | Tag::Rows as u8, 0xFF, 0x7F, 3, 1, 2, 3]);
    let read = Record::decode(URI, &bytes).unwrap();
    assert_eq!(read.members.len(), 1);
}

#[test]
fn every_cut_and_flip_is_safe() {
    let bytes = encode(&record(DOC));
    for at in 0..bytes.len() {
        let _outcome = Record::decode(URI, &bytes[..at]);
        for bit in 0..8 {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            let whole = Record::decode(URI, &bad);
            let none = Record::decode_fields(URI, &bad, &[]);
            assert!(whole.is_err() || none.is_ok(), "what decodes can be skipped: {at}.{bit}");
        }
    }
}

fn value_of(kind: Kind, id: FieldId) -> BoxedStrategy<Value> {
    let text = prop_oneof!["\\PC{1,20}", "[0-9a-f]{8,40}", "[0-9]{1,20}", "\"[0-9A-F]{32}\""];
    match kind {
        Kind::Int => any::<i64>().prop_map(Value::Int).boxed(),
        Kind::Float => prop_oneof![
            any::<f64>().prop_filter("finite", |x| x.is_finite()),
            (-100_000i64..100_000, 0..7).prop_map(|(n, e)| n as f64 / 10f64.powi(e)),
        ]
        .prop_map(Value::Float)
        .boxed(),
        Kind::Time => (-9_000_000_000i64..9_000_000_000)
            .prop_map(|s| Value::from(jiff::Timestamp::from_second(s).unwrap().to_string()))
            .boxed(),
        Kind::Geo => {
            (-90.0..90.0f64, -180.0..180.0f64).prop_map(|(lat, lon)| Value::from(format!("{lat:.6},{lon:.6}"))).boxed()
        }
        Kind::Map(_) => prop::collection::btree_map("\\PC{0,8}", "\\PC{0,8}", 1..5).prop_map(Value::map).boxed(),
        Kind::Rows => prop::collection::vec(members(Some(id)), 1..4).prop_map(Value::Rows).boxed(),
        Kind::Object => members(Some(id)).prop_filter("not empty", |m| !m.is_empty()).prop_map(Value::Object).boxed(),
        Kind::Json => Just(Value::Json("[1,{\"a\":null}]".into())).boxed(),
        Kind::Keyword | Kind::Set | Kind::Text | Kind::Stored => text.prop_map(Value::from).boxed(),
    }
}

fn members(parent: Option<FieldId>) -> BoxedStrategy<Members> {
    let ids: Vec<&'static field::Field> =
        field::FIELDS.iter().filter(|f| f.parent == parent && f.id != field::URI).collect();
    let most = ids.len().min(8);
    prop::sample::subsequence(ids, 0..=most)
        .prop_flat_map(|fields| {
            fields.into_iter().map(|f| value_of(f.kind, f.id).prop_map(move |v| (f.id, v))).collect::<Vec<_>>()
        })
        .prop_map(|pairs| pairs.into_iter().collect())
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_document_comes_back(members in members(None), created: i64, updated: i64) {
        let record = Record { members, created: Timestamp(created), updated: Timestamp(updated), stamp: None, bound: created % 2 == 0 };
        let bytes = encode(&record);
        prop_assert_eq!(&Record::decode(URI, &bytes).unwrap(), &record);
        prop_assert!(Record::decode_fields(URI, &bytes, &[]).unwrap().members.is_empty());
    }

    #[test]
    fn any_bytes_are_safe(bytes: Vec<u8>) {
        let head = encode(&Record { members: Members::new(), ..record(r#"{"Size":7}"#) });
        let _outcome = Record::decode(URI, &[head, bytes].concat());
    }
}
