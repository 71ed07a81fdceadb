//! Canon's CRW (Camera Image File Format 1.0, "CIFF"): heaps whose directories stand at their ends.

use crate::extract::embedded::decode;
use crate::extract::{Facts, Group, Input, Moment, Parsed};

/// Entries of one directory that are looked at.
const ENTRIES: u16 = 512;
/// Heaps inside heaps.
const DEPTH: u32 = 8;
/// Bytes of a text that are read.
const TEXT: u64 = 256;

/// How numbers stand in the file.
#[derive(Clone, Copy)]
struct Order {
    little: bool,
}

impl Order {
    fn short(self, input: &mut Input<'_>, what: &str) -> Parsed<u16> {
        if self.little { input.u16_le(what) } else { input.u16_be(what) }
    }

    fn long(self, input: &mut Input<'_>, what: &str) -> Parsed<u32> {
        if self.little { input.u32_le(what) } else { input.u32_be(what) }
    }
}

/// Reads the heap of the file.
pub fn parse(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<()> {
    let order = Order { little: input.array::<2>("byte order")? == *b"II" };
    let start = u64::from(order.long(input, "length of the header")?);
    let end = input.end();
    input.within(start..end, "heap", |input| heap(input, order, facts, 0))
}

/// A heap: data, then a directory, then where it begins (CIFF 1.0, 5).
fn heap(input: &mut Input<'_>, order: Order, facts: &mut Facts, depth: u32) -> Parsed<()> {
    let (start, end) = (input.position(), input.end());
    input.seek(end.saturating_sub(4), "place of the directory")?;
    let directory = start.saturating_add(order.long(input, "place of the directory")?.into());
    input.seek(directory, "directory")?;
    let count = order.short(input, "number of entries")?;
    for at in 0..count.min(ENTRIES) {
        input.entry()?;
        let place = directory.saturating_add(2).saturating_add(u64::from(at).saturating_mul(10));
        input.seek(place, "entry")?;
        let tag = order.short(input, "tag")?;
        // Small values stand in the entry itself.
        let part = if tag & 0xC000 == 0x4000 {
            place.saturating_add(2)..place.saturating_add(10)
        } else {
            let size = u64::from(order.long(input, "size")?);
            let from = start.saturating_add(order.long(input, "offset")?.into());
            from..from.saturating_add(size)
        };
        let result = input.within(part, "value", |input| match tag & 0x3FFF {
            0x2800..=0x37FF if depth < DEPTH => heap(input, order, facts, depth.saturating_add(1)),
            id => value(input, order, facts, id),
        });
        facts.tolerate(result)?;
    }
    Ok(())
}

/// CIFF 1.0, 6: what the numbers of values mean.
fn value(input: &mut Input<'_>, order: Order, facts: &mut Facts, id: u16) -> Parsed<()> {
    let at = input.position();
    match id {
        // Owner; maker and model, each ended by a zero.
        0x0810 => {
            let owner = text(input)?;
            facts.add(input.format(), Group::Exif, "CameraOwnerName", at, owner.split('\0').next().unwrap_or(""));
        }
        0x080A => {
            let both = text(input)?;
            let mut parts = both.split('\0');
            for tag in ["Make", "Model"] {
                facts.add(input.format(), Group::Exif, tag, at, parts.next().unwrap_or(""));
            }
        }
        // Seconds since 1970 of the camera's clock.
        0x180E => {
            let clock = Moment::since_1970(order.long(input, "time")?.into()).filter(|at| at.clock.year() > 1970);
            if let Some(moment) = clock {
                facts.add(input.format(), Group::Time, "Original", at, Moment { offset: None, ..moment });
            }
        }
        // Size, shape of a pixel, degrees clockwise to turn the picture, bits of a component.
        0x1810 => {
            let (width, height) = (order.long(input, "width")?, order.long(input, "height")?);
            super::size(input, facts, at, width, height);
            input.skip(4, "shape of a pixel")?;
            let orientation = match order.long(input, "rotation")? {
                90 => 6_i64,
                180 => 3,
                270 => 8,
                _ => 1,
            };
            facts.add(input.format(), Group::Header, "Orientation", at, orientation);
            let bits = order.long(input, "bits of a component")?;
            super::field(input, facts, at, "BitsPerSample", bits);
        }
        _ => {}
    }
    Ok(())
}

fn text(input: &mut Input<'_>) -> Parsed<String> {
    Ok(decode(&input.take_up_to(TEXT)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Datum;
    use crate::extract::tried::{facts_of, survives};

    fn heap_of(data: &[u8], entries: &[(u16, u32, u32)]) -> Vec<u8> {
        let count = (entries.len() as u16).to_le_bytes();
        let entry = |(tag, size, at): &(u16, u32, u32)| {
            [&tag.to_le_bytes()[..], &size.to_le_bytes(), &at.to_le_bytes()].concat()
        };
        let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
        [data, &count, &entries, &(data.len() as u32).to_le_bytes()].concat()
    }

    fn sample() -> Vec<u8> {
        let spec: Vec<u8> = [2272_u32, 1704, 0, 90, 8].iter().flat_map(|n| n.to_le_bytes()).collect();
        // 2003-11-09T19:22:38 in a short entry.
        let inner = heap_of(&spec, &[(0x1810, 20, 0), (0x580E, 1_068_405_758, 0)]);
        let data = [&b"Canon\0Canon EOS 10D\0"[..], &inner].concat();
        let outer = heap_of(&data, &[(0x080A, 20, 0), (0x300A, inner.len() as u32, 20)]);
        [b"II\x1A\0\0\0HEAPCCDR".to_vec(), vec![0; 12], outer].concat()
    }

    #[test]
    fn size_time_and_camera() {
        let facts = facts_of(parse, &sample());
        assert_eq!(facts.find(Group::Header, "ImageWidth"), Some(&Datum::Int(2272)));
        assert_eq!(facts.find(Group::Header, "Orientation"), Some(&Datum::Int(6)));
        assert_eq!(facts.find(Group::Exif, "Model"), Some(&Datum::from("Canon EOS 10D")));
        let Some(Datum::Time(time)) = facts.find(Group::Time, "Original") else { panic!("no time") };
        assert_eq!((time.clock.to_string(), time.offset), ("2003-11-09T19:22:38".into(), None));
    }

    #[test]
    fn every_cut_and_flip_is_survived() {
        survives(parse, &sample(), 1000);
    }
}
