//! Pages of Ogg (RFC 3533, section 6).

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// The end of the file that is searched for the last pages: two of the largest.
const TAIL: u64 = 2 * 65_307;
/// Bytes that hold at least one page's start.
const STEP: u64 = 65_536;
/// Granule position of a page on which no packet ends.
const NONE: u64 = u64::MAX;

/// One page; the cursor stands at its body.
pub(super) struct Page {
    pub(super) is_first: bool,
    /// 0 where it says none.
    pub(super) granule: u64,
    pub(super) serial: u32,
    /// Lengths of the segments: 255 means that the packet goes on.
    pub(super) laces: Vec<u8>,
    pub(super) body: Range<u64>,
}

/// The page that starts here; `None` at the end of the file.
pub(super) fn page(input: &mut Input<'_>) -> Parsed<Option<Page>> {
    if input.remaining() < 27 {
        return Ok(None);
    }
    input.entry()?;
    if input.array::<4>("page mark")? != *b"OggS" {
        return Err(input.malformed("expected a page that begins with OggS"));
    }
    let [_version, flags] = input.array("page flags")?;
    let granule = input.u64_le("granule position")?;
    let serial = input.u32_le("serial number")?;
    input.skip(8, "sequence number and checksum")?;
    let count = input.u8("number of segments")?;
    let laces = input.take(count.into(), "segment table")?;
    let start = input.position();
    let len = laces.iter().map(|lace| u64::from(*lace)).sum();
    let granule = if granule == NONE { 0 } else { granule };
    let body = start..start.saturating_add(len).min(input.end());
    Ok(Some(Page { is_first: flags & 2 != 0, granule, serial, laces, body }))
}

/// Calls `found` with serial number and granule position of every page in the last part of the file.
pub(super) fn tail(input: &mut Input<'_>, mut found: impl FnMut(u32, u64)) -> Parsed<()> {
    let start = input.file_len().saturating_sub(TAIL);
    input.seek(start, "last pages")?;
    let bytes = input.take_up_to(TAIL)?;
    for seen in scan(&bytes) {
        input.tick()?;
        if seen.granule != NONE {
            found(seen.serial, seen.granule);
        }
    }
    Ok(())
}

/// A page met while searching.
struct Seen {
    at: usize,
    first: bool,
    granule: u64,
    serial: u32,
}

/// Pages in bytes that need not begin with one.
fn scan(bytes: &[u8]) -> impl Iterator<Item = Seen> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let found = at.saturating_add(rest.windows(4).position(|window| window == b"OggS")?);
            at = found.saturating_add(4);
            // Version, flags, granule position and serial number follow the mark.
            if let Some([0, flags, granule @ .., a, b, c, d]) = bytes.get(at..at.saturating_add(14))
                && let Ok(granule) = <[u8; 8]>::try_from(granule)
            {
                let (granule, serial) = (u64::from_le_bytes(granule), u32::from_le_bytes([*a, *b, *c, *d]));
                return Some(Seen { at: found, first: flags & 2 != 0, granule, serial });
            }
        }
    })
}

/// Where the pages of other streams than `serials` begin, somewhere behind `start`: by halving what is left, as a link
/// can be long. Calls `found` with the granule positions of the pages in front of that place.
pub(super) fn boundary(
    input: &mut Input<'_>,
    start: u64,
    serials: &[u32],
    mut found: impl FnMut(u32, u64),
) -> Parsed<Option<u64>> {
    let (mut low, mut high) = (start, input.file_len());
    while high.saturating_sub(low) > STEP {
        let middle = low.saturating_add(high.saturating_sub(low) >> 1);
        input.seek(middle, "page")?;
        let bytes = input.take_up_to(STEP.min(high.saturating_sub(middle)))?;
        match scan(&bytes).next() {
            Some(seen) if serials.contains(&seen.serial) => low = middle,
            _ => high = middle,
        }
    }
    // The last page of the link begins at most one page in front of `low`.
    let from = low.saturating_sub(STEP).max(start);
    input.seek(from, "end of a link")?;
    let bytes = input.take_up_to(STEP.saturating_mul(3))?;
    for seen in scan(&bytes) {
        input.tick()?;
        if serials.contains(&seen.serial) {
            if seen.granule != NONE {
                found(seen.serial, seen.granule);
            }
        } else if seen.first {
            return Ok(Some(from.saturating_add(u64::try_from(seen.at).unwrap_or(0))));
        }
    }
    Ok(None)
}
