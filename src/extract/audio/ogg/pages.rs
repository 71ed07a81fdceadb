//! Pages of Ogg (RFC 3533, section 6).

use crate::extract::{Input, Parsed};
use std::ops::Range;

/// The end of the file that is searched for the last pages: two of the largest.
const TAIL: u64 = 2 * 65_307;
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
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(4).position(|window| window == b"OggS") {
        input.tick()?;
        rest = rest.get(at..).unwrap_or(&[]);
        // Version, flags, granule position and serial number follow the mark.
        if let Some([0, _, granule @ .., a, b, c, d]) = rest.get(4..18)
            && let Ok(granule) = <[u8; 8]>::try_from(granule)
        {
            let granule = u64::from_le_bytes(granule);
            if granule != NONE {
                found(u32::from_le_bytes([*a, *b, *c, *d]), granule);
            }
        }
        rest = rest.get(4..).unwrap_or(&[]);
    }
    Ok(())
}
