//! An object that is read by ranges: parsers jump about in a file, and each request costs what a hundred reads of a disk do.
//!
//! The first read takes the beginning, where most headers are. A read elsewhere takes a block; one that goes on where the last
//! ended takes four times as much as that did. What was read is kept until it is too much.

use super::facts;
use super::ready::done;
use super::store::Store;
use super::wire::Line;
use crate::codec::ReadAt;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Members;
use crate::source::Stamp;
use crate::source::bucket::Object;
use http::HeaderMap;
use opendal::options::ReadOptions;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of the first request.
const HEAD: u64 = 128 << 10;
/// Bytes of a request for a place of its own, and what they are aligned to.
const BLOCK: u64 = 64 << 10;
/// Most bytes of one request.
const MOST: u64 = 4 << 20;
/// Bytes of one object that are kept.
const KEPT: u64 = 12 << 20;

/// An open object.
#[derive(Debug)]
pub(super) struct RemoteObject {
    store: Store,
    key: String,
    stamp: Stamp,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the store said in its last answer.
    headers: Option<HeaderMap>,
    parts: VecDeque<Part>,
    /// Bytes of the last request, and where it ended.
    last: (u64, u64),
    trouble: Option<(ErrorKind, String)>,
}

#[derive(Debug)]
struct Part {
    from: u64,
    bytes: Vec<u8>,
}

impl RemoteObject {
    /// Opens an object; without a request where its state is known.
    pub(super) fn open(store: &Store, key: &str, stamp: Option<Stamp>) -> Result<RemoteObject> {
        let (stamp, headers) = match stamp {
            Some(stamp) => (stamp, None),
            None => store.head(key).map(|(stamp, headers)| (stamp, Some(headers)))?,
        };
        let state = Mutex::new(State { headers, ..State::default() });
        Ok(RemoteObject { store: store.clone(), key: key.to_owned(), stamp, state })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a range, of the object in the state that it was opened in.
    fn fetch(&self, state: &mut State, from: u64, to: u64) -> Result<Vec<u8>> {
        let (operator, line) = self.store.operator();
        let etag = state.headers.as_ref().and_then(|headers| headers.get("etag")?.to_str().ok());
        let options =
            ReadOptions { range: (from..to).into(), if_match: etag.map(str::to_owned), ..ReadOptions::default() };
        let bytes = done(operator.read_options(&self.key, options)).map_err(|e| self.failure(&line, &e))?;
        let headers = line.heard().answer.map(|(_, headers)| headers).unwrap_or_default();
        if facts::stamp(&headers) != Some(self.stamp) {
            return Err(self.changed());
        }
        state.headers = Some(headers);
        Ok(bytes.to_vec())
    }

    fn failure(&self, line: &Line, error: &opendal::Error) -> Error {
        match error.kind() {
            opendal::ErrorKind::ConditionNotMatch | opendal::ErrorKind::RangeNotSatisfied => self.changed(),
            _ => {
                let told = line.error(&format!("read {}", self.key), error);
                // Archived: it has to be restored first, and restoring changes its state.
                let archived = told.message().ends_with("InvalidObjectState");
                if archived { Error::invalid(told.message()) } else { told }
            }
        }
    }

    fn changed(&self) -> Error {
        Error::new(ErrorKind::Io, format!("could not read {}: it changed since it was looked at", self.key))
    }

    /// Fetches what a read at `offset` needs, and some more.
    fn load(&self, state: &mut State, offset: u64) -> Result<()> {
        let (length, end) = state.last;
        let goes_on = (end..end.saturating_add(BLOCK)).contains(&offset) && length > 0;
        let (from, wanted) = match () {
            () if length == 0 && offset < HEAD => (0, HEAD),
            () if goes_on => (end, (length * 4).min(MOST).max(offset - end + BLOCK)),
            // The last block goes with the one before it: trailers lie in it.
            () => (offset - offset % BLOCK, BLOCK + offset % BLOCK),
        };
        let to = from.saturating_add(wanted).min(self.stamp.size);
        let bytes = self.fetch(state, from, to)?;
        state.last = (to - from, to);
        state.parts.push_back(Part { from, bytes });
        let kept = |parts: &VecDeque<Part>| parts.iter().map(|part| part.bytes.len() as u64).sum::<u64>();
        while state.parts.len() > 1 && kept(&state.parts) > KEPT {
            state.parts.pop_front();
        }
        Ok(())
    }
}

impl State {
    /// Copies what is there of a place.
    fn copy(&self, offset: u64, buf: &mut [u8]) -> usize {
        let bytes = self.parts.iter().rev().find_map(|part| {
            let skip = usize::try_from(offset.checked_sub(part.from)?).ok()?;
            part.bytes.get(skip..).filter(|rest| !rest.is_empty())
        });
        let Some(bytes) = bytes else { return 0 };
        let count = bytes.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), bytes.get(..count)) {
            to.copy_from_slice(from);
        }
        count
    }
}

impl ReadAt for RemoteObject {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.stamp.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = rest.min(buf.len());
        let buf = buf.get_mut(..wanted).unwrap_or_default();
        let (mut state, mut done) = (self.lock(), 0);
        while done < wanted {
            let at = offset.saturating_add(done as u64);
            let copied = state.copy(at, buf.get_mut(done..).unwrap_or_default());
            if copied > 0 {
                done += copied;
                continue;
            }
            if let Err(e) = self.load(&mut state, at) {
                let gone = e.kind() == ErrorKind::NotFound;
                state.trouble = Some((e.kind(), e.message().to_owned()));
                return Err(if gone { Errno::NOENT.into() } else { io::Error::other(e.message().to_owned()) });
            }
        }
        Ok(done)
    }

    fn len(&self) -> u64 {
        self.stamp.size
    }
}

impl Object for RemoteObject {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn members(&self) -> Result<Members> {
        let known = self.lock().headers.clone();
        let headers = match known {
            Some(headers) => headers,
            None => {
                let (stamp, headers) = self.store.head(&self.key)?;
                if stamp != self.stamp {
                    return Err(self.changed());
                }
                headers
            }
        };
        let dialect = self.store.dialect();
        let mut found = facts::members(&headers, dialect);
        if facts::tag_count(&headers, dialect) > 0 {
            let tags = facts::tags(self.store.tagging().read(&self.store.line(), &self.key)?);
            tags.iter().for_each(|(id, value)| found.set(id, value.clone()));
        }
        Ok(found)
    }

    fn trouble(&self) -> Option<Error> {
        self.lock().trouble.clone().map(|(kind, message)| Error::new(kind, message))
    }
}
