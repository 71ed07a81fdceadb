//! The first data packets of ASF (01.20.05, 5.2): when the pictures of a stream are shown.

use crate::extract::container::asf::Guid;
use crate::extract::{Input, Parsed};
use std::collections::BTreeMap;

/// The data object (10.1).
pub(super) const DATA: Guid = *b"\x36\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C";
/// Packets that are looked at, and bytes of them all.
const PACKETS: u32 = 32;
const BYTES: u64 = 128 << 10;
/// Times of one stream that are kept.
const TIMES: usize = 12;

/// Times of the first objects of each stream in milliseconds, by its number.
pub(super) type Times = BTreeMap<u8, Vec<(u32, u32)>>;

/// Reads payload heads of the first packets, each of `size` bytes; the cursor is at the body of the data object.
pub(super) fn read(input: &mut Input<'_>, size: u64, times: &mut Times) -> Parsed<()> {
    input.skip(16 + 8 + 2, "head of the data")?;
    let start = input.position();
    for number in 0..PACKETS {
        let at = start.saturating_add(size.saturating_mul(number.into()));
        let end = at.saturating_add(size);
        let enough = |all: &Vec<(u32, u32)>| all.len() >= TIMES;
        let done = !times.is_empty() && times.values().all(enough);
        if done || end > input.end() || end.saturating_sub(start) > BYTES {
            break;
        }
        input.within(at..end, "packet", |input| packet(input, times))?;
    }
    Ok(())
}

/// A number of as many bytes as two bits say: none, one, two or four (5.2.2).
fn sized(input: &mut Input<'_>, flags: u8, shift: u8, what: &str) -> Parsed<u64> {
    Ok(match (flags >> shift) & 3 {
        0 => 0,
        1 => input.u8(what)?.into(),
        2 => input.u16_le(what)?.into(),
        _ => input.u32_le(what)?.into(),
    })
}

fn packet(input: &mut Input<'_>, times: &mut Times) -> Parsed<()> {
    let mut flags = input.u8("flags of a packet")?;
    if flags & 0x80 != 0 {
        input.skip((flags & 15).into(), "error correction")?;
        flags = input.u8("flags of a packet")?;
    }
    let properties = input.u8("properties of a packet")?;
    sized(input, flags, 5, "length of a packet")?;
    sized(input, flags, 1, "sequence")?;
    let padding = sized(input, flags, 3, "padding")?;
    input.skip(4 + 2, "send time and duration")?;
    let (count, width) = if flags & 1 != 0 {
        let payloads = input.u8("number of payloads")?;
        (payloads & 0x3F, payloads >> 6)
    } else {
        (1, 0)
    };
    for _ in 0..count {
        input.entry()?;
        let stream = input.u8("stream number")? & 0x7F;
        let object = sized(input, properties, 4, "object number")?;
        sized(input, properties, 2, "offset in an object")?;
        let told = sized(input, properties, 0, "length of what is told of an object")?;
        let next = input.position().saturating_add(told);
        if told >= 8 {
            input.skip(4, "size of an object")?;
            let shown = input.u32_le("time of an object")?;
            note(times, stream, u32::try_from(object).unwrap_or(0), shown);
        }
        input.seek(next, "payload")?;
        let len = match width {
            0 => input.remaining().saturating_sub(padding),
            width => sized(input, width, 0, "length of a payload")?,
        };
        input.skip(len, "payload")?;
    }
    Ok(())
}

/// The parts of one object say its time again.
fn note(times: &mut Times, stream: u8, object: u32, shown: u32) {
    let all = times.entry(stream).or_default();
    if all.len() < TIMES && all.last().is_none_or(|(last, _)| *last != object) {
        all.push((object, shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    #[test]
    fn times_of_objects_in_packets_of_several_payloads() {
        // Error correction of two bytes, several payloads with lengths of two bytes.
        let payload = |stream: u8, object: u8, time: u32| {
            let told = [&9_u32.to_le_bytes()[..], &time.to_le_bytes()].concat();
            [&[stream, object, 0, 0, 0, 0, 8][..], &told, &[3, 0, 7, 7, 7]].concat()
        };
        let packet = |first: u8| {
            let head = [0x82, 0, 0, 0x01, 0x5D, 0, 0, 0, 0, 0, 0, 0x83];
            let payloads = [payload(2, first, 3000), payload(2, first + 1, 3040), payload(0x81, 9, 3000)].concat();
            let mut bytes = [&head[..], &payloads].concat();
            bytes.resize(100, 0);
            bytes
        };
        let data = [vec![0; 26], packet(1), packet(3)].concat();
        let mut times = Times::new();
        read(&mut Input::new(&data, &Limits::default()), 100, &mut times).unwrap();
        assert_eq!(times[&2].iter().map(|(_, time)| *time).collect::<Vec<_>>(), [3000, 3040, 3000, 3040]);
        assert_eq!(times[&1].len(), 1);
        for end in 0..data.len() {
            let _ = read(&mut Input::new(&data[..end].to_vec(), &Limits::default()), 100, &mut Times::new());
        }
    }
}
