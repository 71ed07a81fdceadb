//! bincode behind one door: control records (catalog rows, manifest rows), never foreign bytes.
//!
//! The crate is unmaintained (RUSTSEC-2025-0141), so it is pinned and used nowhere else; replacing it is a change of this
//! file. Positional encoding: a type stored through here never skips fields and changes only with its version.

use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes that one decoded row may claim; bounds allocation by hostile lengths.
const LIMIT: usize = 64 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

/// The row as bytes: `version`, then the fields in order.
pub fn to_vec<T: Serialize>(version: u8, row: &T) -> Result<Vec<u8>> {
    let body = bincode::serde::encode_to_vec(row, config())
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a row could not be encoded: {e}")))?;
    let mut out = Vec::with_capacity(body.len() + 1);
    out.push(version);
    out.extend_from_slice(&body);
    Ok(out)
}

/// Reads a row of exactly `version` that fills `bytes`; `what` names it in errors.
pub fn from_slice<T: DeserializeOwned>(version: u8, bytes: &[u8], what: &str) -> Result<T> {
    let (found, body) =
        bytes.split_first().ok_or_else(|| Error::corrupted(format!("{what}: expected a row, got no bytes")))?;
    if *found != version {
        let message = format!("{what}: expected row version {version}, got {found}");
        let kind = if *found > version { ErrorKind::UnsupportedVersion } else { ErrorKind::Corrupted };
        return Err(Error::new(kind, message));
    }
    let (row, used) = bincode::serde::decode_from_slice(body, config())
        .map_err(|e| Error::corrupted(format!("{what}: not a row of version {version}: {e}")))?;
    if used == body.len() {
        return Ok(row);
    }
    Err(Error::corrupted(format!("{what}: expected {used} bytes, got {}", body.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Row = (u64, String, Option<Vec<u32>>);

    #[test]
    fn versions_and_ends() {
        let row: Row = (7, "name".into(), Some(vec![1, 2]));
        let bytes = to_vec(1, &row).unwrap();
        assert_eq!(from_slice::<Row>(1, &bytes, "row").unwrap(), row);
        assert_eq!(from_slice::<Row>(0, &bytes, "row").unwrap_err().kind(), ErrorKind::UnsupportedVersion);
        assert_eq!(from_slice::<Row>(2, &bytes, "row").unwrap_err().kind(), ErrorKind::Corrupted);
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(from_slice::<Row>(1, &longer, "row").is_err());
        assert!(from_slice::<Row>(1, &[], "row").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes: Vec<u8>) {
            let framed = [&[1], bytes.as_slice()].concat();
            if let Ok(row) = from_slice::<Row>(1, &framed, "row") {
                prop_assert_eq!(from_slice::<Row>(1, &to_vec(1, &row).unwrap(), "row").unwrap(), row);
            }
        }
    }
}
