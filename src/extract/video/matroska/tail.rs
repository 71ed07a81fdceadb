//! The length of a recording that was never finished: the time stamp of the last block near the end of the file.

use super::CLUSTER;
use crate::extract::container::ebml;
use crate::extract::{Input, Parsed};

const TIMESTAMP: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;

/// The identifier of a cluster as it stands in the file.
const MARK: &[u8] = &[0x1F, 0x43, 0xB6, 0x75];
/// Part of the end that is searched for a cluster.
const TAIL: u64 = 512 << 10;

/// The last time stamp in units of the segment.
pub(super) fn last_timestamp(input: &mut Input<'_>) -> Parsed<Option<f64>> {
    let start = input.end().saturating_sub(TAIL);
    input.seek(start, "last cluster")?;
    let bytes = input.take_up_to(TAIL)?;
    let found = bytes.windows(4).rposition(|window| window == MARK);
    let Some(at) = found else { return Ok(None) };
    input.seek(start.saturating_add(u64::try_from(at).unwrap_or(0)), "last cluster")?;
    let Some(cluster) = ebml::next(input)?.filter(|element| element.id == CLUSTER) else { return Ok(None) };
    input.within(cluster.body, "cluster", |input| {
        let (mut time, mut last) = (0_u64, 0_u64);
        // The file may end inside a block: what was read of the cluster counts.
        let _ = ebml::each(input, |input, element| {
            match element.id {
                TIMESTAMP => time = ebml::unsigned(input)?,
                SIMPLE_BLOCK => last = last.max(relative(input)?),
                BLOCK_GROUP => ebml::each(input, |input, element| {
                    if element.id == BLOCK {
                        last = last.max(relative(input)?);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        });
        let end = time.saturating_add(last);
        Ok(Some(crate::extract::stream::float(end)).filter(|end| *end > 0.0))
    })
}

/// Time stamp of a block relative to its cluster (RFC 9559, 10.1); a negative one counts as none.
fn relative(input: &mut Input<'_>) -> Parsed<u64> {
    let first = input.u8("track number")?;
    input.skip(u64::from(first.leading_zeros().min(7)), "track number")?;
    Ok(u64::try_from(input.i16_be("time stamp")?).unwrap_or(0))
}
