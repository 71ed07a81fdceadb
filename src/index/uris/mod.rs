//! The URIs of a segment, sorted: position = DocId.
//!
//! They are put together from the folded paths and their spelling; segments before format version 4 hold them once
//! more, front-coded.

mod front_coded;
mod spelled;

pub(crate) use front_coded::FrontCoded;
pub(crate) use spelled::Spelled;

use crate::error::{Error, Result};

/// The URIs of a segment, however it stores them.
#[derive(Clone, Copy)]
#[expect(
    clippy::large_enum_variant,
    reason = "one or two for each query and segment: boxing them would cost more than the room"
)]
pub(crate) enum Uris<'a> {
    FrontCoded(FrontCoded<'a>),
    Spelled(Spelled<'a>),
}

impl<'a> Uris<'a> {
    fn len(&self) -> usize {
        match self {
            Uris::FrontCoded(uris) => uris.len(),
            Uris::Spelled(uris) => uris.len(),
        }
    }

    /// URIs from position `at` on.
    pub(crate) fn from(&self, at: usize) -> Result<UriCursor<'a>> {
        Ok(match self {
            Uris::FrontCoded(uris) => {
                let (walk, uri) = uris.from(at)?;
                UriCursor { walk: Walk::FrontCoded(walk), uri }
            }
            Uris::Spelled(uris) => UriCursor { walk: Walk::Spelled(uris.from(at)?), uri: Vec::new() },
        })
    }

    /// The URI at position `at`.
    pub(crate) fn get(&self, at: usize) -> Result<Vec<u8>> {
        let uri = match self {
            Uris::FrontCoded(uris) => uris.get(at)?,
            Uris::Spelled(uris) => uris.get(at)?,
        };
        uri.ok_or_else(|| Error::corrupted(format!("URIs: position {at} of {}", self.len())))
    }

    /// Where `uri` is, or would be.
    pub(crate) fn find(&self, uri: &[u8]) -> Result<std::result::Result<usize, usize>> {
        match self {
            Uris::FrontCoded(uris) => uris.find(uri),
            Uris::Spelled(uris) => uris.find(uri),
        }
    }
}

/// Walks URIs in order.
pub(crate) struct UriCursor<'a> {
    walk: Walk<'a>,
    /// The URI that the last [`UriCursor::advance`] reached.
    pub(crate) uri: Vec<u8>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one or two for each query and segment: boxing them would cost more than the room"
)]
enum Walk<'a> {
    FrontCoded(front_coded::Walk<'a>),
    Spelled(spelled::Walk<'a>),
}

impl UriCursor<'_> {
    /// Moves to the next URI; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        match &mut self.walk {
            Walk::FrontCoded(walk) => walk.advance(&mut self.uri),
            Walk::Spelled(walk) => walk.advance(&mut self.uri),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::index::{Part, Segment, merge};
    use crate::model::File;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn positions_and_places(uris in proptest::collection::btree_set("[aB\u{e9}]{0,2}(/[aB\u{6771}]{0,2}){0,3}", 1..120), other in "[aB/]{0,5}") {
            let files: Vec<File> = uris.iter().map(|uri| File::new(format!("oss://b/{uri}"))).collect();
            let all: Vec<&str> = files.iter().map(File::uri).collect();
            let segment = Segment::build(&files).unwrap();
            let mut merged = Vec::new();
            merge(&[Part::whole(Segment::build(&files).unwrap())], &mut merged).unwrap();
            prop_assert_eq!(&segment.section_sizes(), &Segment::from_bytes(merged).unwrap().section_sizes());
            let stored = segment.uris().unwrap();
            for (at, uri) in all.iter().enumerate() {
                prop_assert_eq!(stored.get(at).unwrap(), uri.as_bytes());
                prop_assert_eq!(stored.find(uri.as_bytes()).unwrap(), Ok(at));
            }
            for missing in [other.clone(), format!("oss://b/{other}"), format!("oss://b/{other}\u{7f}")] {
                let place = all.binary_search(&missing.as_str());
                prop_assert_eq!(stored.find(missing.as_bytes()).unwrap(), place, "{}", missing);
            }
            prop_assert!(stored.get(all.len()).is_err());
            let mut cursor = stored.from(all.len() / 2).unwrap();
            for uri in &all[all.len() / 2..] {
                prop_assert!(cursor.advance().unwrap());
                prop_assert_eq!(&cursor.uri, uri.as_bytes());
            }
            prop_assert!(!cursor.advance().unwrap());
        }
    }
}
