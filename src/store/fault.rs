//! What RocksDB reports, as errors of ours.

use crate::error::{Error, ErrorKind};
use rocksdb::ErrorKind as Rocks;

/// The error of a read, open or maintenance call while doing `what`.
pub(super) fn convert(what: &str, error: rocksdb::Error) -> Error {
    let kind = kind_of(&error).unwrap_or(match error.kind() {
        Rocks::Corruption => ErrorKind::Corrupted,
        Rocks::IOError | Rocks::TimedOut | Rocks::Busy | Rocks::TryAgain => ErrorKind::Io,
        _ => ErrorKind::Internal,
    });
    Error::new(kind, format!("could not {what}: {error}")).caused_by(error)
}

/// The error of a write that failed: whether it became durable is unknown, unless the system said why it could not.
pub(super) fn convert_write(error: rocksdb::Error) -> Error {
    let kind = kind_of(&error).unwrap_or(ErrorKind::OutcomeUnknown);
    let message = format!("a write failed and may or may not be there after reopening: {error}");
    Error::new(kind, message).caused_by(error)
}

/// Kinds that RocksDB tells only by the system's words.
fn kind_of(error: &rocksdb::Error) -> Option<ErrorKind> {
    let text = error.as_ref();
    let says = |words: &str| text.contains(words);
    if says("No space left on device") || says("Disk quota exceeded") || says("NoSpace") {
        Some(ErrorKind::StorageFull)
    } else if says("Read-only file system") || says("Not supported operation in read only mode") {
        Some(ErrorKind::ReadOnly)
    } else {
        None
    }
}
