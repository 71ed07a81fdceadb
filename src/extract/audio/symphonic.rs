//! What `symphonia` reads from the head of a file.

use super::tags;
use crate::extract::stream::{Kind, Ratio, Stream, float, whole};
use crate::extract::{Facts, Input, Parsed};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, well_known as id};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};

/// Bytes that a reader of the crate may ask for: enough to search through garbage for a first frame.
const SHARE: u64 = 1 << 20;

/// How a crate's reader for one format is built.
pub(super) type Open = for<'s> fn(MediaSourceStream<'s>, FormatOptions) -> Result<Box<dyn FormatReader + 's>, Error>;

/// Lets a reader of `symphonia` look at the file from here on, and takes over what it says.
pub(super) fn open(input: &mut Input<'_>, facts: &mut Facts, open: Open) -> Parsed<Vec<Stream>> {
    let (start, format, length) = (input.position(), input.format(), input.remaining());
    let source = MediaSourceStream::new(Box::new(input.reader_of(SHARE)), MediaSourceStreamOptions::default());
    let read = open(source, FormatOptions::default()).map(|mut reader| {
        let mut metadata = reader.metadata();
        while let Some(revision) = metadata.pop() {
            tags::from_symphonia(facts, format, start, &revision);
        }
        if let Some(revision) = metadata.current() {
            tags::from_symphonia(facts, format, start, revision);
        }
        reader.tracks().iter().map(|track| stream(track, length)).collect()
    });
    read.map_err(|error| tags::stop(input, &error))
}

fn stream(track: &Track, length: u64) -> Stream {
    let mut stream = Stream { language: track.language.clone().unwrap_or_default(), ..Stream::default() };
    stream.time_base = track.time_base.and_then(|base| Ratio::new(base.numer.get().into(), base.denom.get().into()));
    // What the encoder put around the sound counts, as it does for ffprobe.
    let around = u64::from(track.delay.unwrap_or(0)).saturating_add(track.padding.unwrap_or(0).into());
    let ticks = track.duration.map(|d| d.get()).or(track.num_frames).map(|n| n.saturating_add(around));
    stream.duration = ticks.zip(stream.time_base).map(|(ticks, base)| float(ticks) * base.value());
    if let Some(CodecParameters::Audio(audio)) = &track.codec_params {
        describe(&mut stream, audio);
        // The samples of a lossy stream fill the file; what they do not fill is too little to matter.
        let rate = stream.duration.filter(|d| *d > 0.0).map(|d| float(length) * 8.0 / d);
        stream.bitrate = rate.map(whole);
    }
    stream
}

fn describe(stream: &mut Stream, audio: &AudioCodecParameters) {
    stream.kind = Kind::Audio;
    stream.codec = codec(audio);
    stream.sample_rate = audio.sample_rate.unwrap_or(0);
    stream.channels = audio.channels.as_ref().map_or(0, |c| u32::try_from(c.count()).unwrap_or(0));
    stream.bits = audio.bits_per_sample.or(audio.bits_per_coded_sample).unwrap_or(0);
    if stream.time_base.is_none() {
        stream.time_base = Ratio::new(1, stream.sample_rate.into());
    }
}

/// ffprobe's name of a codec; `""` where the crate does not know it either.
fn codec(audio: &AudioCodecParameters) -> &'static str {
    let named = [
        (id::CODEC_ID_MP1, "mp1"),
        (id::CODEC_ID_MP2, "mp2"),
        (id::CODEC_ID_MP3, "mp3"),
        (id::CODEC_ID_AAC, "aac"),
        (id::CODEC_ID_ALAC, "alac"),
        (id::CODEC_ID_FLAC, "flac"),
        (id::CODEC_ID_VORBIS, "vorbis"),
        (id::CODEC_ID_OPUS, "opus"),
        (id::CODEC_ID_SPEEX, "speex"),
        (id::CODEC_ID_PCM_S8, "pcm_s8"),
        (id::CODEC_ID_PCM_U8, "pcm_u8"),
        (id::CODEC_ID_PCM_S16LE, "pcm_s16le"),
        (id::CODEC_ID_PCM_S16BE, "pcm_s16be"),
        (id::CODEC_ID_PCM_S24LE, "pcm_s24le"),
        (id::CODEC_ID_PCM_S24BE, "pcm_s24be"),
        (id::CODEC_ID_PCM_S32LE, "pcm_s32le"),
        (id::CODEC_ID_PCM_S32BE, "pcm_s32be"),
        (id::CODEC_ID_PCM_F32LE, "pcm_f32le"),
        (id::CODEC_ID_PCM_F32BE, "pcm_f32be"),
        (id::CODEC_ID_PCM_F64LE, "pcm_f64le"),
        (id::CODEC_ID_PCM_F64BE, "pcm_f64be"),
        (id::CODEC_ID_PCM_ALAW, "pcm_alaw"),
        (id::CODEC_ID_PCM_MULAW, "pcm_mulaw"),
    ];
    named.iter().find(|(known, _)| *known == audio.codec).map_or("", |(_, name)| name)
}
