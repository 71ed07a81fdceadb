//! Text: told from binary by its bytes, and its kind by how it starts or, failing that, by the file's extension.

use super::format::Format;
use super::frames::contains;

/// The kind of a text, `None` for binary data.
pub(super) fn text(head: &[u8], extension: &str) -> Option<Format> {
    if head.starts_with(b"\xFE\xFF") || head.starts_with(b"\xFF\xFE") {
        let narrow: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).skip(2).collect();
        return Some(kind(&narrow, extension));
    }
    let body = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    if body.iter().any(|byte| is_binary(*byte)) {
        return None;
    }
    let utf8 = match std::str::from_utf8(body) {
        Ok(_) => true,
        // A character may be cut at the end of what we look at.
        Err(error) => error.error_len().is_none(),
    };
    // Legacy encodings cannot be told from binary data in general: believe them when most bytes are ASCII or the
    // extension says text.
    let ascii = body.iter().filter(|byte| byte.is_ascii()).count();
    let mostly = ascii.saturating_mul(10) >= body.len().saturating_mul(7);
    let named = super::extension::text(extension).is_some();
    (utf8 || mostly || named).then(|| kind(body, extension))
}

/// UTF-16 without a mark: most characters have a zero on the same side, and the other side is text.
pub(super) fn wide(head: &[u8], extension: &str) -> Option<Format> {
    let pairs = head.as_chunks::<2>().0;
    let zeros = |side: usize| pairs.iter().filter(|pair| pair.get(side) == Some(&0)).count();
    let enough = |count: usize| pairs.len() >= 8 && count.saturating_mul(4) >= pairs.len().saturating_mul(3);
    let side = match (zeros(0), zeros(1)) {
        (high, 0) if enough(high) => 1,
        (0, high) if enough(high) => 0,
        _ => return None,
    };
    let narrow: Vec<u8> = pairs.iter().filter_map(|pair| pair.get(side).copied()).collect();
    (!narrow.iter().any(|byte| is_binary(*byte))).then(|| kind(&narrow, extension))
}

/// Control characters that no text file holds.
fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B | 0x08 | 0x1A)
}

fn kind(body: &[u8], extension: &str) -> Format {
    let start = body.trim_ascii_start();
    let lower = start.get(..start.len().min(4096)).unwrap_or(start).to_ascii_lowercase();
    if let Some(format) = markup(&lower) {
        // XHTML that is served under the name of HTML is taken as HTML by everyone.
        let html = format == Format::Xhtml && super::extension::text(extension) == Some(Format::Html);
        return if html { Format::Html } else { format };
    }
    let table: [(&[u8], Format); 5] = [
        (b"webvtt", Format::Vtt),          // WebVTT, 4
        (b"<?xpacket begin", Format::Xmp), // XMP part 1, 7.3.2
        (b"<x:xmpmeta", Format::Xmp),      // XMP part 1, 7.3.3
        (b"<rdf:rdf", Format::Xmp),        // XMP part 1, 7.4
        (b"{\\rtf", Format::Rtf),
    ];
    if let Some((_, format)) = table.iter().find(|(prefix, _)| lower.starts_with(prefix)) {
        return *format;
    }
    if lower.starts_with(b"#!") {
        return Format::Script;
    }
    if lower.starts_with(b"#extm3u") {
        // RFC 8216, 4.3: any of these makes it HLS.
        return if contains(&lower, b"#ext-x-") { Format::Hls } else { Format::M3u };
    }
    super::extension::text(extension).unwrap_or(Format::Text)
}

/// XML and HTML by their root element.
fn markup(lower: &[u8]) -> Option<Format> {
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Some(if contains(lower, b"http://www.w3.org/1999/xhtml") { Format::Xhtml } else { Format::Html });
    }
    if lower.starts_with(b"<svg") || lower.starts_with(b"<!doctype svg") {
        return Some(Format::Svg);
    }
    if lower.starts_with(b"<mpd ") || lower.starts_with(b"<office:document ") || lower.starts_with(b"<fictionbook") {
        return rooted(lower);
    }
    if !lower.starts_with(b"<?xml") && !lower.starts_with(b"<!--") {
        return None;
    }
    let has = |part: &[u8]| contains(lower, part);
    Some(match () {
        () if has(b"<svg") || has(b"<!doctype svg") => Format::Svg,
        () if has(b"<x:xmpmeta") || has(b"<rdf:rdf") => Format::Xmp,
        () if has(b"<html") && has(b"http://www.w3.org/1999/xhtml") => Format::Xhtml,
        () if has(b"<html") || has(b"<!doctype html") => Format::Html,
        () if lower.starts_with(b"<?xml") => rooted(lower).unwrap_or(Format::Xml),
        () => return None,
    })
}

/// XML by a root element that only one format has.
fn rooted(lower: &[u8]) -> Option<Format> {
    let has = |part: &[u8]| contains(lower, part);
    Some(match () {
        () if has(b"<mpd") => Format::Dash, // ISO/IEC 23009-1, 5.3.1
        () if has(b"<fictionbook") => Format::FictionBook,
        // ODF 1.2 part 1, 3.1.2: one file instead of a package; the type is an attribute of the root.
        () if has(b"<office:document") && has(b"opendocument.spreadsheet\"") => Format::FlatOds,
        () if has(b"<office:document") && has(b"opendocument.presentation\"") => Format::FlatOdp,
        () if has(b"<office:document") && has(b"opendocument.graphics\"") => Format::FlatOdg,
        () if has(b"<office:document ") => Format::FlatOdt,
        () => return None,
    })
}
