//! Which header to look for, by the codec that a container names.

use super::{aac, ac3, av1, dts, h264, hevc, mjpeg, mpeg_audio, mpeg2, mpeg4, prores, vc1, vpx};
use crate::extract::stream::Stream;

/// Reads the configuration that a container keeps for the decoder of `stream.codec`; the width of the lengths in
/// front of units, where they have them.
pub fn configuration(bytes: &[u8], stream: &mut Stream) -> Option<usize> {
    match (stream.codec, bytes.first()) {
        ("h264", Some(1)) => return h264::record(bytes, stream),
        ("hevc", Some(1)) => return hevc::record(bytes, stream),
        ("av1", Some(0x81)) => return av1::record(bytes, stream).and(None),
        ("aac", _) => aac::config(bytes, stream),
        ("vp9" | "vp8", _) => {}
        ("wmv3", _) => vc1::simple_or_main(bytes, stream),
        _ => {
            elementary(bytes, stream);
        }
    }
    None
}

/// Reads the first header of the codec in a part of its bit stream, as MPEG streams and AVI carry it.
pub fn elementary(bytes: &[u8], stream: &mut Stream) -> bool {
    match stream.codec {
        "h264" => h264::by_start_code(bytes, stream),
        "hevc" => hevc::by_start_code(bytes, stream),
        "av1" => av1::units_of(bytes, stream),
        "vp8" => vpx::vp8(bytes, stream).is_some(),
        "vp9" => vpx::vp9(bytes, stream).is_some(),
        "mpeg1video" | "mpeg2video" => mpeg2::sequence(bytes, stream),
        "mpeg4" => mpeg4::object_layer(bytes, stream),
        "flv1" => mpeg4::sorenson(bytes, stream).is_some(),
        "vc1" => vc1::sequence(bytes, stream),
        "mjpeg" => mjpeg::picture(bytes, stream).is_some(),
        "prores" => prores::frame(bytes, stream).is_some(),
        "aac" => aac::adts(bytes, stream),
        "aac_latm" => aac::latm(bytes, stream),
        "ac3" | "eac3" => ac3::first(bytes, stream),
        "dts" => dts::first(bytes, stream).is_some(),
        "mp1" | "mp2" | "mp3" => match mpeg_audio::first(bytes) {
            Some((_, frame)) => {
                frame.describe(stream);
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// Reads the first header in a sample whose units have their length in front.
pub fn first_frame(bytes: &[u8], width: Option<usize>, stream: &mut Stream) -> bool {
    match (stream.codec, width) {
        ("h264", Some(width)) => h264::by_length(bytes, width, stream),
        ("aac", _) => false,
        _ => elementary(bytes, stream),
    }
}

/// Samples per channel of the frames of sound that begin in `bytes`, one behind the other.
pub fn samples(codec: &str, bytes: &[u8]) -> u64 {
    let (mut sum, mut rest) = (0_u64, bytes);
    while !rest.is_empty() {
        let (len, samples) = match codec {
            "aac" => rest
                .first_chunk::<7>()
                .and_then(|head| aac::Frame::read(*head))
                .map(|frame| (frame.len, frame.blocks.saturating_mul(aac::BLOCK))),
            "mp1" | "mp2" | "mp3" => rest
                .first_chunk::<4>()
                .and_then(|head| mpeg_audio::Frame::read(*head))
                .map(|frame| (frame.len, frame.samples())),
            "ac3" | "eac3" => ac3::frame(rest, &mut Stream::default()).map(|frame| (frame.len, frame.samples)),
            _ => None,
        }
        .unwrap_or((0, 0));
        let Some(after) = usize::try_from(len).ok().filter(|len| *len > 0).and_then(|len| rest.get(len..)) else {
            return sum.saturating_add(samples.into());
        };
        sum = sum.saturating_add(samples.into());
        rest = after;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_sound_are_counted_with_the_last_one_cut() {
        let adts = [&[0xFF, 0xF1, 0x50, 0x80, 0x04, 0x1F, 0xFC][..], &[0; 25]].concat();
        assert_eq!(samples("aac", &[adts.repeat(3), adts[..9].to_vec()].concat()), 4 * 1024);
        let layer_3 = [&[0xFF, 0xFB, 0x90, 0][..], &[0; 413]].concat();
        assert_eq!(samples("mp3", &layer_3.repeat(2)), 2 * 1152);
        assert_eq!((samples("mp3", &[0; 9]), samples("opus", &[1]), samples("ac3", &[])), (0, 0, 0));
    }

    #[test]
    fn any_bytes_as_any_codec_are_survived() {
        let codecs = ["h264", "hevc", "av1", "vp8", "vp9", "mpeg2video", "mpeg4", "flv1", "vc1", "aac", "aac_latm"];
        for codec in codecs.into_iter().chain(["ac3", "dts", "mp3", "wmv3", "mjpeg", "prores"]) {
            for seed in 0..=255_u8 {
                let bytes: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(seed) ^ seed.rotate_left(3)).collect();
                let mut stream = Stream { codec, ..Stream::default() };
                elementary(&bytes, &mut stream);
                configuration(&bytes, &mut stream);
                first_frame(&bytes, Some(4), &mut stream);
            }
        }
    }
}
