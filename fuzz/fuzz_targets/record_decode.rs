//! Any bytes as a record: refused, or a document that is written and read again the same, whole and field by field.
// covers: src/store/record src/codec
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::model::field;
use medialith::store::{Change, Record};

const URI: &str = "oss://bucket/2024/photos/IMG_0001.jpg";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(change) = Change::decode(bytes) {
        let again = Change::encode(change.files.iter().map(|f| (f.uri.as_str(), f.deleted)));
        assert_eq!(Change::decode(&again).expect("what we write, we read"), change);
    }
    let wanted = [field::TITLE, field::SIZE, field::CUSTOM_LABELS];
    let (whole, some) = (Record::decode(URI, bytes), Record::decode_fields(URI, bytes, &wanted));
    let Ok(record) = whole else { return };
    let some = some.expect("a record that is read whole is read in part");
    for id in wanted {
        assert_eq!(format!("{:?}", some.members.get(id)), format!("{:?}", record.members.get(id)));
    }
    let mut again = Vec::new();
    record.encode(URI, &mut again);
    let read = Record::decode(URI, &again).expect("what we write, we read");
    // Compared as text: a number that is not one differs from itself.
    assert_eq!(format!("{read:?}"), format!("{record:?}"));
});
