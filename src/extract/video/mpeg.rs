//! Transport and program streams of MPEG: what both have in common. Nothing in them says how long they are: the
//! time stamps at both ends do.

mod program;
mod tables;
mod transport;

pub use program::parse as program_stream;
pub use transport::parse as transport_stream;

use crate::extract::bitstream;
use crate::extract::container::pes::{self, CLOCK, Packet};
use crate::extract::stream::{Bands, Kind, Ratio, Stream, Summary, float, longer, seconds, whole};
use crate::extract::{Facts, Input, length};

/// Bytes of a stream in which its header is looked for, from one packet with a time on.
const HEAD: usize = 16 << 10;
/// Packets with a time in which a header is looked for.
const TRIES: u32 = 24;
/// Ticks of the longest recording that is believed: half of what time stamps can say.
const LONGEST: u64 = 1 << 32;
/// Bytes of the last packet of sound that are kept.
const TAIL: usize = 64 << 10;
/// Times of decoding that tell the rate of the frames.
const TIMES: usize = 96;

/// One elementary stream while its packets are met.
#[derive(Default)]
struct Elementary {
    /// Packet number or stream number in its container.
    id: u16,
    stream: Stream,
    /// The start of a frame, until its header is read.
    buffer: Vec<u8>,
    tries: u32,
    known: bool,
    first: Option<u64>,
    last: Option<u64>,
    /// Sound of the last packet: how long it goes on behind its time stamp.
    tail: Vec<u8>,
    times: Vec<u64>,
    /// Bytes of sound since the first time, and of these those before the last time met near the start, with that time.
    sent: u64,
    measured: (u64, u64),
}

impl Elementary {
    fn new(id: u16, stream: Stream) -> Elementary {
        // Streams that are no sound or picture have no header to look for.
        let known = !matches!(stream.kind, Kind::Video | Kind::Audio) || stream.codec.is_empty();
        Elementary { id, stream, known, ..Elementary::default() }
    }

    /// A packet begins.
    fn begin(&mut self, packet: &Packet<'_>) {
        if !self.known && !self.buffer.is_empty() && packet.shown.is_some() {
            self.look();
            self.buffer.clear();
        }
        self.time(packet);
        if let Some(shown) = packet.shown {
            self.measured = (self.sent, shown);
        }
        self.sent = self.sent.saturating_add(length(packet.body.len()));
        if packet.shown.is_some() || !self.buffer.is_empty() {
            self.keep(packet.body);
        }
    }

    fn time(&mut self, packet: &Packet<'_>) {
        // Pictures that are met later but shown earlier need one that was cut off: nobody can show them.
        self.first = self.first.or(packet.shown);
        if self.times.len() < TIMES {
            self.times.extend(packet.decoded);
        }
    }

    /// What follows in the same packet.
    fn more(&mut self, bytes: &[u8]) {
        self.sent = self.sent.saturating_add(length(bytes.len()));
        if !self.buffer.is_empty() {
            self.keep(bytes);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.known {
            return;
        }
        let room = HEAD.saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or(&[]));
        if self.buffer.len() >= HEAD {
            self.look();
        }
    }

    fn look(&mut self) {
        self.tries = self.tries.saturating_add(1);
        self.known = bitstream::elementary(&self.buffer, &mut self.stream) || self.tries >= TRIES;
    }

    /// A packet near the end of the file.
    fn end(&mut self, packet: &Packet<'_>) {
        if let (Some(shown), Some(first)) = (packet.shown, self.first) {
            let last = self.last.unwrap_or(first);
            // A time somewhat before the first one is no turn of the clock.
            let so_far = pes::since(first, shown);
            if so_far < LONGEST && so_far > pes::since(first, last) {
                self.last = Some(shown);
                self.tail.clear();
                self.end_more(packet.body);
            }
        }
    }

    /// What follows in the same packet near the end of the file.
    fn end_more(&mut self, bytes: &[u8]) {
        if self.stream.kind == Kind::Audio && self.tail.len() < TAIL {
            self.tail.extend_from_slice(bytes);
        }
    }

    /// Ticks of a frame: the usual difference between times of decoding.
    fn usual_step(&self) -> Option<u64> {
        let mut steps: Vec<u64> = self
            .times
            .windows(2)
            .filter_map(|two| match two {
                [a, b] => Some(pes::since(*a, *b)).filter(|step| (1..u64::from(CLOCK)).contains(step)),
                _ => None,
            })
            .collect();
        steps.sort_unstable();
        steps.get(steps.len() >> 1).copied()
    }

    fn finish(mut self) -> Stream {
        if !self.known && !self.buffer.is_empty() {
            self.look();
        }
        let rate = self.usual_step().and_then(|step| Ratio::near(f64::from(CLOCK) / float(step)));
        let span = self.first.and_then(|first| seconds(pes::since(first, self.measured.1), CLOCK));
        let mut stream = self.stream;
        // Its frames do not say: by what came in the time between the first packets.
        if matches!(stream.codec, "aac" | "aac_latm") && stream.bitrate.is_none() {
            let measured =
                span.filter(|span| (0.1..600.0).contains(span)).map(|span| float(self.measured.0) * 8.0 / span);
            stream.bitrate = measured.map(whole).filter(|rate| *rate > 0);
        }
        stream.time_base = Ratio::new(1, CLOCK.into());
        stream.start = self.first.and_then(|first| seconds(first, CLOCK));
        if stream.kind == Kind::Video {
            // Some encoders count fields as frames: twice what the times say.
            let doubled = |coded: &Ratio| rate.is_some_and(|rate| (coded.value() / rate.value() - 2.0).abs() < 0.01);
            let trusted = matches!(stream.codec, "mpeg1video" | "mpeg2video");
            stream.frame_rate = stream.coded_rate.filter(|coded| trusted || !doubled(coded)).or(rate);
            stream.average_rate = stream.frame_rate;
        }
        let frame = match stream.frame_rate.filter(|_| stream.kind == Kind::Video) {
            Some(rate) => 1.0 / rate.value(),
            None => {
                let doubled = u64::from(stream.bands == Bands::Found);
                let samples = bitstream::samples(stream.codec, &self.tail) << doubled;
                seconds(samples, stream.sample_rate).unwrap_or(0.0)
            }
        };
        let last = self.last.or(self.first);
        let span = self.first.zip(last).and_then(|(first, last)| seconds(pes::since(first, last), CLOCK));
        stream.duration = span.map(|span| span + frame);
        stream
    }
}

/// Publishes what the streams say together.
fn publish(
    format: (&'static str, &'static str),
    programs: Option<u64>,
    found: Vec<Elementary>,
    input: &Input<'_>,
    facts: &mut Facts,
) {
    let streams: Vec<Stream> = found.into_iter().map(Elementary::finish).collect();
    let start = streams.iter().filter_map(|s| s.start).reduce(f64::min);
    let ends = streams.iter().filter_map(|s| Some(s.start? + s.duration?)).fold(None, longer);
    let duration = start.zip(ends).map(|(start, end)| end - start).filter(|d| *d > 0.0);
    Summary { format, duration, start, programs, streams, ..Summary::default() }.publish(input, facts);
}
