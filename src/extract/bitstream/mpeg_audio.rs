//! MPEG audio, layers 1 to 3: frame headers (ISO/IEC 11172-3, 2.4.1.3; 13818-3, 2.4.1.3).

use crate::extract::stream::{Kind, Stream};

/// What a frame header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// 1, 2 or 3.
    pub layer: u8,
    /// Whether it is version 1: otherwise 2 or 2.5, with half as many samples in layer 3.
    pub first_version: bool,
    /// Bits per second.
    pub bitrate: u32,
    /// Samples per second.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u32,
    /// Bytes of the frame with its header.
    pub len: u32,
    /// Whether a checksum of two bytes follows the header.
    pub checked: bool,
}

/// Bits per second of a frame by index, in thousands (ISO/IEC 11172-3, 2.4.2.3; 13818-3, 2.4.2.3): version 1 layers
/// 1 to 3, then version 2 layer 1 and layers 2 and 3. 0 stands for a free rate, which is not read.
const BITRATES: [[u32; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Samples per second of version 1 by index; later versions halve and quarter them.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];

impl Frame {
    /// Reads a header: eleven bits of sync, version, layer, protection, bit rate, sampling rate, padding, mode.
    pub fn read(head: [u8; 4]) -> Option<Frame> {
        let [0xFF, second, third, fourth] = head else { return None };
        let (sync, version, layer) = (second >> 5, (second >> 3) & 3, (second >> 1) & 3);
        if sync != 7 || version == 1 || layer == 0 {
            return None;
        }
        let row = match (version, layer) {
            (3, 3) => 0,
            (3, 2) => 1,
            (3, _) => 2,
            (_, 3) => 3,
            _ => 4,
        };
        let bitrate = BITRATES.get::<usize>(row)?.get(usize::from(third >> 4))?.checked_mul(1000)?;
        let shift = match version {
            3 => 0,
            2 => 1,
            _ => 2,
        };
        let rate = RATES.get(usize::from((third >> 2) & 3))? >> shift;
        let mut frame = Frame {
            layer: 4_u8.saturating_sub(layer),
            first_version: version == 3,
            bitrate,
            rate,
            channels: if fourth >> 6 == 3 { 1 } else { 2 },
            len: 0,
            checked: second & 1 == 0,
        };
        frame.len = frame.length(u32::from((third >> 1) & 1))?;
        (bitrate > 0).then_some(frame)
    }

    /// Samples per channel of a frame.
    pub fn samples(&self) -> u32 {
        match (self.layer, self.first_version) {
            (1, _) => 384,
            (3, false) => 576,
            _ => 1152,
        }
    }

    /// 2.4.3.1: slots of four bytes in layer 1, of one in the others.
    fn length(&self, padding: u32) -> Option<u32> {
        if self.layer == 1 {
            return self.bitrate.checked_mul(12)?.checked_div(self.rate)?.checked_add(padding)?.checked_mul(4);
        }
        let eighth = self.samples() >> 3;
        self.bitrate.checked_mul(eighth)?.checked_div(self.rate)?.checked_add(padding)
    }

    /// ffprobe's name of the codec.
    pub fn codec(&self) -> &'static str {
        match self.layer {
            1 => "mp1",
            2 => "mp2",
            _ => "mp3",
        }
    }

    /// Whether `other` can be a frame of the same stream: only bit rate, padding and mode change.
    pub fn alike(&self, other: &Frame) -> bool {
        (self.layer, self.first_version, self.rate) == (other.layer, other.first_version, other.rate)
    }

    /// Takes over what the header says.
    pub fn describe(&self, stream: &mut Stream) {
        stream.kind = Kind::Audio;
        stream.codec = self.codec();
        stream.sample_rate = self.rate;
        stream.channels = self.channels;
        stream.bitrate = stream.bitrate.or(Some(self.bitrate.into()));
    }
}

/// What ffprobe's decoders make of all layers where nothing but the frames tells which one it is: floats. Where the container
/// names layer 1 or 2, another decoder gives integers.
pub const UNTOLD: &str = "fltp";

/// The first frame header of `bytes` that another of its kind follows, or behind which they end.
pub fn first(bytes: &[u8]) -> Option<(usize, Frame)> {
    bytes.windows(4).enumerate().find_map(|(at, head)| {
        let frame = Frame::read(head.try_into().ok()?)?;
        let next = at.checked_add(usize::try_from(frame.len).ok()?)?;
        let follows = match bytes.get(next..).and_then(<[u8]>::first_chunk::<4>) {
            Some(head) => Frame::read(*head).is_some_and(|next| next.alike(&frame)),
            None => true,
        };
        follows.then_some((at, frame))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_layers_and_versions() {
        let read = |head| Frame::read(head).map(|f| (f.codec(), f.bitrate, f.rate, f.channels, f.len, f.samples()));
        assert_eq!(read([0xFF, 0xFB, 0x90, 0x00]), Some(("mp3", 128_000, 44_100, 2, 417, 1152)));
        assert_eq!(read([0xFF, 0xFD, 0x84, 0xC0]), Some(("mp2", 128_000, 48_000, 1, 384, 1152)));
        assert_eq!(read([0xFF, 0xF3, 0x40, 0xC0]), Some(("mp3", 32_000, 22_050, 1, 104, 576)));
        assert_eq!(read([0xFF, 0xFF, 0xC0, 0x00]), Some(("mp1", 384_000, 44_100, 2, 416, 384)));
        for bad in [[0xFF, 0xFB, 0xF0, 0], [0xFF, 0xFB, 0x00, 0], [0xFF, 0xEB, 0x90, 0], [0xFF, 0xFB, 0x9C, 0], [0; 4]]
        {
            assert_eq!(Frame::read(bad), None);
        }
    }

    #[test]
    fn a_frame_needs_its_successor() {
        let frame = [&[0xFF, 0xFB, 0x90, 0][..], &[0; 413]].concat();
        let stream = [b"junk".to_vec(), frame.repeat(2)].concat();
        assert_eq!(first(&stream).map(|(at, _)| at), Some(4));
        let lone = [&[0xFF, 0xFB, 0x90, 0][..], &[0; 1000]].concat();
        assert_eq!(first(&lone), None);
        assert_eq!(first(&lone[..100]).map(|(at, _)| at), Some(0));
    }
}
