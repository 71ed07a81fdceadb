//! Playlists (RFC 8216): their segments as one source of bytes.
//!
//! Segments are files of the same bucket, named relative to the playlist. What lies elsewhere is not fetched.

use crate::codec::ReadAt;
use crate::error::Result;
use crate::video::failure::{Failure, Step};
use crate::video::view::View;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of a playlist.
const BYTES: usize = 4 << 20;
/// Most segments of a playlist.
const SEGMENTS: usize = 100_000;

/// Opens a file of the bucket by its key.
pub(in crate::video) type Open<'o> = dyn Fn(&str) -> Result<Box<dyn ReadAt>> + Send + Sync + 'o;

/// Some bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    key: String,
    /// Where they begin, and how many there are; `None`: all from there.
    from: u64,
    len: Option<u64>,
}

/// The segments of a playlist in their order.
pub(in crate::video) struct Joined<'o> {
    open: &'o Open<'o>,
    /// Place in the whole, length, and the piece.
    pieces: Vec<(u64, u64, Piece)>,
    len: u64,
    /// The file that was read last.
    last: Mutex<Option<(String, Arc<dyn ReadAt>)>>,
}

impl std::fmt::Debug for Joined<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("pieces", &self.pieces.len()).field("len", &self.len).finish_non_exhaustive()
    }
}

/// Reads the playlist `key` and joins its segments. Of a master playlist the first variant counts, which players begin with
/// (RFC 8216, 4.3.4.2).
pub(in crate::video) fn playlist<'o>(source: &dyn ReadAt, key: &str, open: &'o Open<'o>) -> Step<Joined<'o>> {
    let text = |source: &dyn ReadAt| -> Step<String> {
        let mut view = View::new(source, BYTES);
        Ok(String::from_utf8_lossy(view.some(0, BYTES)?).into_owned())
    };
    let listed = match lines(&text(source)?, key)? {
        Lines::Variant(variant) => match lines(&text(&*file(open, &variant)?)?, &variant)? {
            Lines::Segments(segments) => segments,
            Lines::Variant(_) => return Err(Failure::damaged("A variant of a playlist is a list of variants again.")),
        },
        Lines::Segments(segments) => segments,
    };
    let (mut pieces, mut at) = (Vec::with_capacity(listed.len()), 0_u64);
    for piece in listed {
        let there = file(open, &piece.key)?.len().saturating_sub(piece.from);
        let len = piece.len.unwrap_or(there).min(there);
        pieces.push((at, len, piece));
        at = at.saturating_add(len);
    }
    Ok(Joined { open, pieces, len: at, last: Mutex::default() })
}

fn file(open: &Open<'_>, key: &str) -> Step<Box<dyn ReadAt>> {
    open(key).map_err(|e| {
        let shown: String = key.chars().take(200).collect();
        Failure::damaged(format!("The playlist names {shown:?}, which could not be opened: {}", e.message()))
    })
}

/// What a playlist lists.
#[derive(Debug, PartialEq, Eq)]
enum Lines {
    Variant(String),
    Segments(Vec<Piece>),
}

fn lines(text: &str, key: &str) -> Step<Lines> {
    let (mut segments, mut range, mut variant, mut init) = (Vec::new(), None, false, None);
    for line in text.lines().map(str::trim) {
        if let Some(value) = line.strip_prefix("#EXT-X-KEY:") {
            if attribute(value, "METHOD").is_some_and(|method| method != "NONE") {
                return Err(Failure::encrypted());
            }
        } else if let Some(value) = line.strip_prefix("#EXT-X-MAP:") {
            let uri = attribute(value, "URI").unwrap_or("");
            let range = attribute(value, "BYTERANGE").map(byte_range);
            let map = piece(resolve(key, uri)?, range, None);
            // Fragments of MP4 stand behind the one header of theirs.
            if init.as_ref() != Some(&map) && init.is_none() {
                segments.push(map.clone());
                init = Some(map);
            }
        } else if let Some(value) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            range = Some(byte_range(value));
        } else if line.starts_with("#EXT-X-STREAM-INF") {
            variant = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            let name = resolve(key, line)?;
            if variant {
                return Ok(Lines::Variant(name));
            }
            let next = piece(name, range.take(), segments.last());
            segments.push(next);
            if segments.len() > SEGMENTS {
                return Err(Failure::large(format!("The playlist has more than {SEGMENTS} segments.")));
            }
        }
    }
    if segments.is_empty() {
        Err(Failure::damaged("The playlist lists no segment."))
    } else {
        Ok(Lines::Segments(segments))
    }
}

/// `length[@offset]`
fn byte_range(text: &str) -> (u64, Option<u64>) {
    let (len, from) = text.split_once('@').map_or((text, None), |(len, from)| (len, Some(from)));
    (len.trim().parse().unwrap_or(0), from.and_then(|from| from.trim().parse().ok()))
}

/// A range without offset begins where the last one of the same file ended (4.3.2.2).
fn piece(key: String, range: Option<(u64, Option<u64>)>, before: Option<&Piece>) -> Piece {
    let Some((len, from)) = range else { return Piece { key, from: 0, len: None } };
    let behind = before.filter(|piece| piece.key == key).map_or(0, |piece| piece.from + piece.len.unwrap_or(0));
    Piece { key, from: from.unwrap_or(behind), len: Some(len) }
}

/// The value of an attribute, without quotes (4.2).
fn attribute<'t>(list: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = list;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next.strip_prefix(',').unwrap_or(next))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.trim() == name {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// The key of a segment that is named relative to the playlist's key (RFC 3986, 5.2, within one bucket).
fn resolve(playlist: &str, reference: &str) -> Step<String> {
    let outside = || {
        let shown: String = reference.chars().take(200).collect();
        Failure::format(format!(
            "The playlist names {shown:?}; only files of its own bucket, by relative names, are read."
        ))
    };
    let path = reference.split(['?', '#']).next().unwrap_or("");
    let scheme = path.split('/').next().is_some_and(|first| first.contains(':'));
    if path.is_empty() || path.starts_with('/') || scheme {
        return Err(outside());
    }
    let mut names: Vec<String> = playlist.split('/').map(str::to_owned).collect();
    names.pop();
    for name in path.split('/') {
        match name {
            "." | "" => {}
            ".." => drop(names.pop().ok_or_else(outside)?),
            other => names.push(decoded(other)),
        }
    }
    Ok(names.join("/"))
}

/// Percent-decoded; what is no code stays.
fn decoded(name: &str) -> String {
    let bytes = name.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match code.filter(|_| *byte == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(code) => {
                plain.push(code);
                at += 3;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl Joined<'_> {
    /// The name of the first segment: it tells the format where the bytes do not.
    pub(in crate::video) fn name(&self) -> &str {
        self.pieces.last().map_or("", |(_, _, piece)| &piece.key)
    }

    fn file(&self, key: &str) -> io::Result<Arc<dyn ReadAt>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((open, file)) = last.as_ref()
            && open == key
        {
            return Ok(Arc::clone(file));
        }
        let file: Arc<dyn ReadAt> = (self.open)(key).map_err(|e| io::Error::other(e.to_string()))?.into();
        *last = Some((key.to_owned(), Arc::clone(&file)));
        Ok(file)
    }
}

impl ReadAt for Joined<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.pieces.partition_point(|(start, len, _)| start + len <= offset);
        let Some((start, len, piece)) = self.pieces.get(at) else { return Ok(0) };
        let within = offset - start;
        let most = usize::try_from(len - within).unwrap_or(usize::MAX).min(buf.len());
        let file = self.file(&piece.key)?;
        file.read_at(piece.from + within, buf.get_mut(..most).unwrap_or(&mut []))
    }

    fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn segments_join_in_their_order() {
        let open = |key: &str| -> Result<Box<dyn ReadAt>> {
            match key {
                "a/one.ts" => Ok(Box::new(b"first".to_vec())),
                "a/t wo.ts" => Ok(Box::new(b"0second9".to_vec())),
                other => Err(Error::invalid(other.to_owned())),
            }
        };
        let list = b"#EXTM3U\n#EXTINF:2,\none.ts\n#EXTINF:2,\n#EXT-X-BYTERANGE:3@1\n./t%20wo.ts?x=1\n#EXT-X-BYTERANGE:3\nt%20wo.ts\n"
            .to_vec();
        let joined = playlist(&list, "a/list.m3u8", &open).unwrap();
        let mut bytes = [0; 32];
        let got = crate::video::view::read_full(&joined, 0, &mut bytes).unwrap();
        assert_eq!(&bytes[..got], b"firstsecond");
        assert_eq!(joined.len(), 11);
        let missing = playlist(&b"#EXTM3U\n#EXTINF:2,\nno.ts\n".to_vec(), "a/l.m3u8", &open).unwrap_err();
        assert!(missing.message.contains("no.ts"), "{missing:?}");
    }

    #[test]
    fn nothing_outside_the_bucket_is_named() {
        for bad in ["http://x/y.ts", "/etc/passwd", "../../x.ts", "file:x", ""] {
            assert!(resolve("a/l.m3u8", bad).is_err(), "{bad}");
        }
        assert_eq!(resolve("a/b/l.m3u8", "../c/d.ts").unwrap(), "a/c/d.ts");
        assert_eq!(
            lines("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\na.ts", "l").unwrap_err().code,
            "EncryptedVideo"
        );
        assert_eq!(lines("#EXTM3U", "l").unwrap_err().code, "InvalidVideo");
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/i.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh/i.m3u8";
        assert_eq!(lines(master, "m.m3u8").unwrap(), Lines::Variant("low/i.m3u8".into()));
    }
}
