//! Change rows: which files a commit touched, so that recovery can bring the index up to the records.
//!
//! URIs are sorted and front-coded. The document itself is not repeated: recovery reads the record. Layout:
//! `docs/format.md`, "Change".

use crate::codec::take::{Take, put_counted, put_varint};
use crate::error::{Error, Result};

const VERSION: u8 = 1;

/// The files that one commit touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Sorted by URI, each once.
    pub files: Vec<Touched>,
}

/// One touched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its address.
    pub uri: String,
    /// Whether the commit removed it.
    pub deleted: bool,
}

impl Change {
    /// The row as stored. `files` must be sorted.
    pub fn encode<'a>(files: impl ExactSizeIterator<Item = (&'a str, bool)>) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_varint(&mut out, files.len() as u64);
        let mut previous: &[u8] = &[];
        for (uri, deleted) in files {
            let bytes = uri.as_bytes();
            let shared = previous.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            put_varint(&mut out, (shared as u64) << 1 | u64::from(deleted));
            put_counted(&mut out, bytes.get(shared..).unwrap_or(&[]));
            previous = bytes;
        }
        out
    }

    /// Reads a stored row.
    pub fn decode(bytes: &[u8]) -> Result<Change> {
        let mut take = Take::new(bytes);
        let version = take.u8("change version")?;
        if version != VERSION {
            return Err(Error::corrupted(format!("change row: expected version {VERSION}, got {version}")));
        }
        let count = take.count(2, "change count")?;
        let mut files: Vec<Touched> = Vec::with_capacity(count);
        for _ in 0..count {
            let head = take.varint("change head")?;
            let suffix = take.counted("change URI")?;
            let previous = files.last().map_or(&[][..], |f| f.uri.as_bytes());
            let shared = usize::try_from(head >> 1).ok().and_then(|n| previous.get(..n)).ok_or_else(|| {
                let most = previous.len();
                Error::corrupted(format!("change row: expected at most {most} shared bytes, got {}", head >> 1))
            })?;
            let uri = String::from_utf8([shared, suffix].concat())
                .map_err(|e| Error::corrupted(format!("change row: expected a UTF-8 URI, got {e}")))?;
            files.push(Touched { uri, deleted: head & 1 == 1 });
        }
        Ok(Change { files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trip(uris: std::collections::BTreeMap<String, bool>) {
            let bytes = Change::encode(uris.iter().map(|(u, d)| (u.as_str(), *d)));
            let read: Vec<(String, bool)> =
                Change::decode(&bytes).unwrap().files.into_iter().map(|f| (f.uri, f.deleted)).collect();
            prop_assert_eq!(read, uris.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            let _outcome = Change::decode(&[&[VERSION], bytes.as_slice()].concat());
        }
    }

    #[test]
    fn neighbours_share_their_beginning() {
        let bytes = Change::encode([("oss://bucket/folder/a", false), ("oss://bucket/folder/b", true)].into_iter());
        assert_eq!(bytes.len(), 2 + 2 + 21 + 3);
    }
}
