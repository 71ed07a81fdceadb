//! The item tables of a `meta` box (ISO/IEC 14496-12, 8.11): which items there are, where, with which properties.

use crate::extract::container::bmff::{self, BoxHead};
use crate::extract::{Input, Parsed};
use std::ops::Range;

/// A property of items (ISO/IEC 23008-12, 6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Property {
    Size {
        width: u32,
        height: u32,
        at: u64,
    },
    Rotation {
        quarters: u8,
        at: u64,
    },
    Mirror,
    Depth {
        bits: u8,
        channels: u8,
        at: u64,
    },
    /// Bits per sample as the codec's configuration says.
    Coded {
        bits: u8,
        at: u64,
    },
    /// Primaries, transfer function, matrix, full range (ITU-T H.273).
    CodePoints {
        points: [u16; 4],
        at: u64,
    },
    Profile(Range<u64>),
    /// What an auxiliary picture is: its opacity, or something else.
    Alpha,
    Other,
}

/// How auxiliary pictures name themselves that are opacity (ISO/IEC 23008-12, 6.6.2.1.1 and 6.9.5.2.1; AVIF 1.1, 4.1).
static ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0"];
/// The content type of an item that is XMP (ISO 16684-3, 6.8.3).
const XMP: &[u8] = b"application/rdf+xml\0";
/// XMP items that are read.
const PACKETS: usize = 4;
/// Bytes of an item's or a picture's name that are looked at.
const NAME: u64 = 256;

/// Where an item's first extent lies.
#[derive(Debug, Clone)]
struct Location {
    item: u32,
    in_idat: bool,
    offset: u64,
    len: u64,
    extents: u16,
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) primary: u32,
    kinds: Vec<(u32, [u8; 4])>,
    /// The items that are XMP: one for each picture of the file that has any.
    xmp: Vec<u32>,
    /// (auxiliary item, the item that it belongs to).
    auxiliary: Vec<(u32, u32)>,
    locations: Vec<Location>,
    properties: Vec<Property>,
    /// (item, number of the property, counted from 1).
    associations: Vec<(u32, u16)>,
    idat: Option<Range<u64>>,
}

impl Items {
    /// Reads the body of a `meta` box.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::version_and_flags(input)?;
        bmff::each(input, |input, head| match &head.kind {
            b"pitm" => {
                let (version, _) = bmff::version_and_flags(input)?;
                self.primary = id(input, version >= 1)?;
                Ok(())
            }
            b"iinf" => self.infos(input),
            b"iref" => self.references(input),
            b"iloc" => self.places(input),
            b"iprp" => bmff::each(input, |input, head| match &head.kind {
                b"ipco" => self.container(input),
                b"ipma" => self.associate(input),
                _ => Ok(()),
            }),
            b"idat" => {
                self.idat = Some(head.body.clone());
                Ok(())
            }
            _ => Ok(()),
        })
    }

    /// Properties of an item in the order of their association.
    pub(super) fn properties_of(&self, item: u32) -> impl Iterator<Item = &Property> {
        let numbers = self.associations.iter().filter(move |(of, _)| *of == item).map(|(_, number)| *number);
        numbers.filter_map(|number| self.properties.get(usize::from(number).checked_sub(1)?))
    }

    /// The bytes of the EXIF item.
    pub(super) fn exif(&self) -> Option<Range<u64>> {
        let (item, _) = self.kinds.iter().find(|(_, of)| of == b"Exif")?;
        self.extent(*item)
    }

    /// The bytes of the XMP items.
    pub(super) fn xmp(&self) -> impl Iterator<Item = Range<u64>> {
        self.xmp.iter().filter_map(|item| self.extent(*item)).take(PACKETS)
    }

    /// The first colour profile that any item has.
    pub(super) fn profile(&self) -> Option<Range<u64>> {
        self.properties.iter().find_map(|property| match property {
            Property::Profile(range) => Some(range.clone()),
            _ => None,
        })
    }

    /// Bits per sample of any coded picture, for a primary item that is put together from tiles.
    pub(super) fn coded(&self) -> Option<(u8, u64)> {
        self.properties.iter().find_map(|property| match property {
            Property::Coded { bits, at } => Some((*bits, *at)),
            _ => None,
        })
    }

    /// Whether the primary item has a picture of its opacity.
    pub(super) fn has_alpha(&self) -> bool {
        let mut of_primary = self.auxiliary.iter().filter(|(_, of)| *of == self.primary);
        of_primary.any(|(item, _)| self.properties_of(*item).any(|property| *property == Property::Alpha))
    }

    /// The bytes of an item, where they are in one piece.
    fn extent(&self, item: u32) -> Option<Range<u64>> {
        let place = self.locations.iter().find(|place| place.item == item && place.extents == 1)?;
        let base = if place.in_idat { self.idat.as_ref()?.start } else { 0 };
        let start = base.checked_add(place.offset)?;
        Some(start..start.checked_add(place.len)?)
    }

    /// `iinf` and its `infe` boxes (8.11.6).
    fn infos(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        id(input, version >= 1)?;
        bmff::each(input, |input, head| {
            let (version, _) = bmff::version_and_flags(input)?;
            if head.kind == *b"infe" && version >= 2 {
                let item = id(input, version >= 3)?;
                input.skip(2, "protection index")?;
                let kind = input.array("item type")?;
                self.kinds.push((item, kind));
                if kind == *b"mime" && is_xmp(input)? {
                    self.xmp.push(item);
                }
            }
            Ok(())
        })
    }

    /// `iref` (8.11.12), of which the references from auxiliary pictures.
    fn references(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        bmff::each(input, |input, head| {
            if head.kind != *b"auxl" {
                return Ok(());
            }
            let from = id(input, version >= 1)?;
            let count = input.u16_be("number of references")?;
            for _ in 0..count {
                input.entry()?;
                self.auxiliary.push((from, id(input, version >= 1)?));
            }
            Ok(())
        })
    }

    /// `iloc` (8.11.3). Field widths are given by the box.
    fn places(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, _) = bmff::version_and_flags(input)?;
        let [sizes, more] = input.array("field sizes")?;
        let (offset_size, len_size) = (sizes >> 4, sizes & 0xF);
        let (base_size, index_size) = (more >> 4, if version >= 1 { more & 0xF } else { 0 });
        let count = id(input, version >= 2)?;
        for _ in 0..count {
            input.entry()?;
            let item = id(input, version >= 2)?;
            let method = if version >= 1 { input.u16_be("construction method")? & 0xF } else { 0 };
            input.skip(2, "data reference")?;
            let base = number(input, base_size)?;
            let extents = input.u16_be("number of extents")?;
            let mut first = None;
            for _ in 0..extents {
                input.entry()?;
                number(input, index_size)?;
                let offset = number(input, offset_size)?;
                let len = number(input, len_size)?;
                first.get_or_insert((base.saturating_add(offset), len));
            }
            if let (Some((offset, len)), 0 | 1) = (first, method) {
                self.locations.push(Location { item, in_idat: method == 1, offset, len, extents });
            }
        }
        Ok(())
    }

    /// `ipco`: the properties, numbered from 1 in file order (ISO/IEC 23008-12, 9.3.1).
    fn container(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        bmff::each(input, |input, head| {
            let property = property(input, head)?;
            self.properties.push(property);
            Ok(())
        })
    }

    /// `ipma`: which item has which properties.
    fn associate(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        let (version, flags) = bmff::version_and_flags(input)?;
        let count = input.u32_be("number of associations")?;
        for _ in 0..count {
            input.entry()?;
            let item = id(input, version >= 1)?;
            let properties = input.u8("number of properties")?;
            for _ in 0..properties {
                // The top bit says "essential".
                let number = match flags & 1 {
                    1 => input.u16_be("property")? & 0x7FFF,
                    _ => u16::from(input.u8("property")? & 0x7F),
                };
                self.associations.push((item, number));
            }
        }
        Ok(())
    }
}

fn property(input: &mut Input<'_>, head: &BoxHead) -> Parsed<Property> {
    let at = input.position();
    Ok(match &head.kind {
        b"ispe" => {
            bmff::version_and_flags(input)?;
            Property::Size { width: input.u32_be("width")?, height: input.u32_be("height")?, at }
        }
        b"irot" => Property::Rotation { quarters: input.u8("rotation")? & 3, at },
        b"imir" => Property::Mirror,
        b"pixi" => {
            bmff::version_and_flags(input)?;
            let channels = input.u8("channels")?;
            Property::Depth { channels, bits: input.u8("bits per channel")?, at }
        }
        // AV1CodecConfigurationRecord: flags for more than 8 and for 12 bits (AV1 in ISO media files 1.3, 2.3.3).
        b"av1C" => match input.array("codec configuration")? {
            [_, _, flags, _] if flags & 0x40 == 0 => Property::Coded { bits: 8, at },
            [_, _, flags, _] => Property::Coded { bits: if flags & 0x20 == 0 { 10 } else { 12 }, at },
        },
        // HEVCDecoderConfigurationRecord: bit depth less 8 (ISO/IEC 14496-15, 8.3.3.1.2).
        b"hvcC" => {
            input.skip(17, "codec configuration")?;
            Property::Coded { bits: (input.u8("bit depth")? & 7).saturating_add(8), at }
        }
        b"colr" => colors(input, at)?,
        b"auxC" => {
            bmff::version_and_flags(input)?;
            let name = input.peek_up_to(NAME)?;
            if ALPHA.iter().any(|alpha| name.starts_with(alpha)) { Property::Alpha } else { Property::Other }
        }
        _ => Property::Other,
    })
}

/// `colr` (ISO/IEC 14496-12, 12.1.5): code points, or a profile.
fn colors(input: &mut Input<'_>, at: u64) -> Parsed<Property> {
    Ok(match &input.array("colour type")? {
        b"nclx" => {
            let mut point = || input.u16_be("code point");
            let [primaries, transfer, matrix] = [point()?, point()?, point()?];
            let full = u16::from(input.u8("range")? >> 7);
            Property::CodePoints { points: [primaries, transfer, matrix, full], at }
        }
        b"rICC" | b"prof" => Property::Profile(input.position()..input.end()),
        _ => Property::Other,
    })
}

/// The rest of an `infe` box of an item with a content type: its name, then that type, each ended by a zero.
fn is_xmp(input: &mut Input<'_>) -> Parsed<bool> {
    let bytes = input.peek_up_to(NAME)?;
    let content = bytes.splitn(2, |byte| *byte == 0).nth(1).unwrap_or(&[]);
    Ok(content.starts_with(XMP))
}

/// An item number or count: 32 bits in later versions of a box, 16 before.
fn id(input: &mut Input<'_>, wide: bool) -> Parsed<u32> {
    if wide { input.u32_be("item") } else { Ok(u32::from(input.u16_be("item")?)) }
}

/// A number of 0, 4 or 8 bytes.
fn number(input: &mut Input<'_>, size: u8) -> Parsed<u64> {
    match size {
        0 => Ok(0),
        4 => Ok(u64::from(input.u32_be("offset")?)),
        8 => input.u64_be("offset"),
        other => Err(input.malformed(format!("expected a field size of 0, 4 or 8, got {other}"))),
    }
}
