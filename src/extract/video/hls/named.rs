//! What a playlist names, for whoever can open files: the parser sees the list alone.

use crate::extract::{Datum, Fact, Group};
use std::ops::Range;

/// Bytes of a path that are looked at.
const PATH: usize = 4096;

/// A file, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As the list writes it.
    pub uri: String,
    /// The bytes meant; all of them where `None` (RFC 8216, 4.3.2.2).
    pub range: Option<Range<u64>>,
    /// Where in the list.
    pub offset: u64,
}

/// A variant of a master playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its own playlist.
    pub list: Part,
    /// How many streams of video, sound and subtitles the master playlist gave for it.
    pub streams: [usize; 3],
}

/// The files that count for what a playlist is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Whether segments are encrypted, so that they say nothing.
    pub encrypted: bool,
    /// What stands in front of every segment (4.3.2.5).
    pub map: Option<Part>,
    /// The first segment.
    pub segment: Option<Part>,
    /// Variants, in the order of the list.
    pub variants: Vec<Variant>,
}

impl Named {
    /// What the facts of a playlist name.
    pub fn of(facts: &[Fact]) -> Named {
        let mut named = Named::default();
        let mut streams = [0; 3];
        for fact in facts.iter().filter(|fact| fact.group == Group::Media) {
            let Datum::Text(text) = &fact.value else { continue };
            let part = || Part { uri: text.to_string(), range: None, offset: fact.offset };
            match fact.tag.as_ref() {
                "Encryption" => named.encrypted = true,
                "Map" if named.map.is_none() => named.map = Some(part()),
                "MapRange" => named.map.iter_mut().for_each(|map| map.range = range(text)),
                "Segment" if named.segment.is_none() => named.segment = Some(part()),
                "SegmentRange" => named.segment.iter_mut().for_each(|segment| segment.range = range(text)),
                "VariantStreams" => {
                    let mut counts = text.split(' ').map(|count| count.parse().unwrap_or(0));
                    streams = [(); 3].map(|()| counts.next().unwrap_or(0));
                }
                "VariantUri" => named.variants.push(Variant { list: part(), streams }),
                _ => {}
            }
        }
        named
    }
}

/// `length@offset`; without an offset from the start, as the first part of a file is.
fn range(text: &str) -> Option<Range<u64>> {
    let (length, start) = text.split_once('@').unwrap_or((text, "0"));
    let (length, start): (u64, u64) = (length.trim().parse().ok()?, start.trim().parse().ok()?);
    Some(start..start.checked_add(length)?)
}

/// The path below the playlist's folder that a URI means (RFC 3986, 4.2), percent signs undone; `None` for one that leaves the
/// folder, begins at a root, or has a scheme or a host.
pub fn local(uri: &str) -> Option<String> {
    let path = uri.trim().split(['?', '#']).next().filter(|path| path.len() <= PATH)?;
    let first = path.split('/').next()?;
    if path.starts_with('/') || first.contains(':') {
        return None;
    }
    let path = plain(path)?;
    let names: Vec<&str> = path.split('/').filter(|name| *name != ".").collect();
    let strange = |name: &&str| matches!(*name, "" | "..") || name.contains('\0');
    if names.is_empty() || names.iter().any(strange) { None } else { Some(names.join("/")) }
}

/// Undoes percent signs (RFC 3986, 2.1).
fn plain(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_folder_and_no_others() {
        for (uri, path) in [
            ("a.ts", "a.ts"),
            ("v0/a%20b.ts?token=1#t", "v0/a b.ts"),
            ("./v0/./a.ts", "v0/a.ts"),
            ("a%2Fb.ts", "a/b.ts"),
            ("v0/12:30.ts", "v0/12:30.ts"),
            ("%E6%9D.ts".replace("%E6%9D", "%E6%9D%B1").as_str(), "\u{6771}.ts"),
        ] {
            assert_eq!(local(uri).as_deref(), Some(path), "{uri}");
        }
        for uri in [
            "",
            "/etc/passwd",
            "//host/a.ts",
            "http://host/a.ts",
            "file:///etc/passwd",
            "data:video/mp4,AAAA",
            "../a.ts",
            "v0/../../a.ts",
            "%2e%2e/a.ts",
            "a/%2E%2E/b",
            "..",
            ".",
            "a//b",
            "a/",
            "%2Fetc/passwd",
            "a%00.ts",
            "a%zz.ts",
            "a%+1.ts",
            "%FF.ts",
            "a%2",
        ] {
            assert_eq!(local(uri), None, "{uri}");
        }
        assert_eq!(local(&"a".repeat(PATH + 1)), None);
    }

    #[test]
    fn ranges_with_and_without_a_start() {
        assert_eq!((range("10@20"), range("10"), range("x@1"), range("1@x")), (Some(20..30), Some(0..10), None, None));
        assert_eq!(range("18446744073709551615@1"), None);
    }
}
