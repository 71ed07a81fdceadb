//! HLS playlists with the local files that they name: the list says how long, its first segment says what.
//!
//! Extraction reads the list alone. Of a media playlist the first segment is read with what stands in front of it, of a master
//! playlist each variant's list and its first segment; each by the extractor, within its walls. Only files below the playlist's
//! own folder are opened, by the same door as all others, and only so many: a list is foreign bytes, too.

use super::reading::handle;
use crate::codec::ReadAt;
use crate::error::Result;
use crate::extract::video::{Named, Part, Variant, local};
use crate::extract::{Datum, Digests, Extracted, Fact, Format, Group, Options, Warning};
use crate::isolate::{Extractor, Handle, Request};
use crate::model::{FieldId, Members, Value, field};
use crate::source::Opened;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Files opened for one playlist.
const FILES: u32 = 24;
/// Bytes read of them, beyond which no further one is opened. Each obeys the caps of extraction as well.
const BYTES: u64 = 16 << 20;
/// How long files are opened for one playlist: the pool that waits for all of them has an end to its patience.
const TIME: Duration = Duration::from_secs(5);
/// Variants of a master playlist that are opened.
const VARIANTS: usize = 8;

/// Streams by kind, and which of their members are those of a segment, not of the whole.
const STREAMS: [(FieldId, FieldId, &[FieldId]); 3] = [
    (
        field::VIDEO_STREAMS,
        field::VIDEO_INDEX,
        &[field::VIDEO_DURATION, field::VIDEO_FRAME_COUNT, field::VIDEO_BITRATE],
    ),
    (
        field::AUDIO_STREAMS,
        field::AUDIO_INDEX,
        &[field::AUDIO_DURATION, field::AUDIO_FRAME_COUNT, field::AUDIO_BITRATE],
    ),
    (field::SUBTITLES, field::SUBTITLE_INDEX, &[field::SUBTITLE_DURATION, field::SUBTITLE_BITRATE]),
];

/// Opens a file by its path below the playlist's folder.
pub(super) type Open<'a> = &'a dyn Fn(&str) -> Result<Opened>;

/// The key of a file by its path below the folder of the file `key`.
pub(super) fn beside(key: &str, path: &str) -> String {
    key.rsplit_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/{path}"))
}

/// Adds to what a playlist says of itself what its files say. Does nothing for other files.
pub(super) fn complete(
    extracted: &mut Extracted,
    playlist: Handle<'_>,
    extractor: &Extractor,
    request: &Request<'_>,
    open: Open<'_>,
) {
    if !is_playlist(extracted) {
        return;
    }
    let options = Options { digests: Digests::default(), ..request.options };
    let now = Instant::now();
    let mut visit = Visit {
        extractor,
        options,
        open,
        files: FILES,
        bytes: 0,
        until: now.checked_add(TIME).unwrap_or(now),
        notes: Vec::new(),
        warnings: Vec::new(),
    };
    // What a list names is told by its facts.
    let facts = if request.evidence { None } else { visit.facts_of(playlist, request.name) };
    let named = Named::of(facts.as_deref().unwrap_or(&extracted.facts));
    if named.variants.is_empty() {
        if let Some(found) = visit.media("", &named) {
            adopt(&mut extracted.members, &found);
        }
    } else {
        let found = visit.variants(&named.variants);
        adopt_variants(&mut extracted.members, &named.variants, &found);
    }
    extracted.bytes_read = extracted.bytes_read.saturating_add(visit.bytes);
    extracted.warnings.append(&mut visit.warnings);
    if request.evidence {
        extracted.facts.append(&mut visit.notes);
    }
}

fn is_playlist(extracted: &Extracted) -> bool {
    extracted.members.text(field::CONTENT_TYPE) == Some(Format::Hls.content_type())
}

/// Opens and reads what one playlist names.
struct Visit<'a> {
    extractor: &'a Extractor,
    options: Options,
    open: Open<'a>,
    files: u32,
    bytes: u64,
    until: Instant,
    /// Which files were opened.
    notes: Vec<Fact>,
    warnings: Vec<Warning>,
}

/// What one variant's own files say: its list, and the streams of its first segment where that could be read.
struct Found {
    list: Members,
    streams: Option<Members>,
}

impl Visit<'_> {
    fn facts_of(&mut self, playlist: Handle<'_>, name: &str) -> Option<Vec<Fact>> {
        self.read(playlist, name, true).map(|found| found.facts)
    }

    /// What the first segment of a media playlist says, whose folder is `folder` below the visited list's.
    fn media(&mut self, folder: &str, named: &Named) -> Option<Members> {
        let segment = named.segment.as_ref().filter(|_| !named.encrypted)?;
        let mut parts = Vec::new();
        for part in named.map.iter().chain([segment]) {
            let file = self.file(folder, part)?;
            parts.push((clipped(part.range.clone(), file.len()), file));
        }
        let name = local(&segment.uri)?;
        let found = match parts.as_slice() {
            [(range, file)] if *range == (0..file.len()) => self.read(handle(file), &name, false),
            _ => self.read(Handle { bytes: &Joined(parts), descriptor: None }, &name, false),
        };
        found.map(|found| found.members)
    }

    /// What each of the first variants says.
    fn variants(&mut self, variants: &[Variant]) -> Vec<Option<Found>> {
        variants.iter().take(VARIANTS).map(|variant| self.variant(variant)).collect()
    }

    fn variant(&mut self, variant: &Variant) -> Option<Found> {
        let file = self.file("", &variant.list)?;
        let path = local(&variant.list.uri)?;
        let list = self.read(handle(&file), &path, true)?;
        let named = Named::of(&list.facts);
        // A list of lists in a list of lists leads nowhere.
        if !is_playlist(&list) || !named.variants.is_empty() {
            return None;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let streams = self.media(folder, &named);
        Some(Found { list: list.members, streams })
    }

    /// Opens a file below the visited list's folder, if it is local and there is room for one more.
    fn file(&mut self, folder: &str, part: &Part) -> Option<Opened> {
        let path = local(&part.uri)?;
        let path = if folder.is_empty() { path } else { format!("{folder}/{path}") };
        if self.bytes >= BYTES || Instant::now() >= self.until {
            return None;
        }
        self.files = self.files.checked_sub(1)?;
        match (self.open)(&path) {
            Ok(file) => {
                let (tag, value) = ("Opened".into(), Datum::from(path));
                let fact = Fact { format: Format::Hls.name(), group: Group::Media, tag, offset: part.offset, value };
                self.notes.push(fact);
                Some(file)
            }
            Err(error) => {
                let message = format!("{path:?}, which the list names, cannot be opened: {}", error.message());
                self.warnings.push(Warning { format: Format::Hls.name(), offset: part.offset, message });
                None
            }
        }
    }

    /// What a file says, by the extractor; one that costs a worker or cannot be read says nothing.
    fn read(&mut self, file: Handle<'_>, name: &str, evidence: bool) -> Option<Extracted> {
        let request = Request { name, options: self.options, evidence };
        let found = self.extractor.extract(file, None, &request);
        let warn = |fault: &crate::isolate::Fault| {
            let message = format!("{name:?}, which the list names, cannot be read: {}", fault.message);
            Warning { format: Format::Hls.name(), offset: 0, message }
        };
        self.warnings.extend(found.as_ref().err().map(warn));
        let found = found.ok()?;
        self.bytes = self.bytes.saturating_add(found.bytes_read);
        Some(found)
    }
}

/// A range as far as the file reaches.
fn clipped(range: Option<Range<u64>>, len: u64) -> Range<u64> {
    let range = range.unwrap_or(0..len);
    range.start.min(len)..range.end.min(len)
}

/// Parts of files, one behind the other.
struct Joined(Vec<(Range<u64>, Opened)>);

impl ReadAt for Joined {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut from = offset;
        for (range, file) in &self.0 {
            let len = range.end.saturating_sub(range.start);
            if from < len {
                let room = usize::try_from(len - from).unwrap_or(usize::MAX).min(buf.len());
                let to = buf.get_mut(..room).unwrap_or(&mut []);
                return file.read_at(range.start.saturating_add(from), to);
            }
            from -= len;
        }
        Ok(0)
    }

    fn len(&self) -> u64 {
        self.0.iter().map(|(range, _)| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add)
    }
}

/// The streams of a kind.
fn rows(members: &Members, kind: FieldId) -> &[Members] {
    match members.get(kind) {
        Some(Value::Rows(rows)) => rows,
        _ => &[],
    }
}

/// The streams of a segment, without what is true of that segment alone.
fn streams(segment: &Members, kind: FieldId, own: &[FieldId]) -> Vec<Members> {
    let mut found = rows(segment, kind).to_vec();
    found.iter_mut().for_each(|row| row.retain(|id| !own.contains(&id)));
    found
}

/// Takes over the streams of the first segment of a media playlist.
fn adopt(members: &mut Members, segment: &Members) {
    for (kind, _, own) in STREAMS {
        members.set(kind, Value::Rows(streams(segment, kind, own)));
    }
    for id in [field::VIDEO_WIDTH, field::VIDEO_HEIGHT, field::START_TIME, field::STREAM_COUNT, field::LANGUAGE] {
        if let Some(value) = segment.get(id) {
            members.set(id, value.clone());
        }
    }
}

/// Puts what variants' own files say in the place of what a master playlist says of them.
fn adopt_variants(members: &mut Members, variants: &[Variant], found: &[Option<Found>]) {
    let known = || found.iter().flatten();
    let mut count = 0_usize;
    for (at, (kind, index, own)) in STREAMS.into_iter().enumerate() {
        let mut told = rows(members, kind).to_vec().into_iter();
        let mut merged = Vec::new();
        for (place, variant) in variants.iter().enumerate() {
            let said: Vec<Members> = told.by_ref().take(variant.streams.get(at).copied().unwrap_or(0)).collect();
            let segment = found.get(place).and_then(Option::as_ref).and_then(|found| found.streams.as_ref());
            let seen = segment.map(|segment| streams(segment, kind, own)).unwrap_or_default();
            merged.extend(if seen.is_empty() { said } else { filled(seen, &said) });
        }
        // Renditions stand behind the variants.
        merged.extend(told);
        for row in &mut merged {
            row.set(index, i64::try_from(count).unwrap_or(i64::MAX));
            count = count.saturating_add(1);
        }
        members.set(kind, Value::Rows(merged));
    }
    if count > 0 {
        members.set(field::STREAM_COUNT, i64::try_from(count).unwrap_or(i64::MAX));
    }
    let sized = rows(members, field::VIDEO_STREAMS).iter().find_map(|row| {
        Some((row.get(field::VIDEO_STREAM_WIDTH)?.clone(), row.get(field::VIDEO_STREAM_HEIGHT)?.clone()))
    });
    if let Some((width, height)) = sized {
        members.set(field::VIDEO_WIDTH, width);
        members.set(field::VIDEO_HEIGHT, height);
    }
    let first = |id| known().find_map(|found| found.list.get(id)).cloned();
    if let Some(length) = first(field::DURATION).filter(|_| members.get(field::DURATION).is_none()) {
        members.set(field::DURATION, length);
    }
    let start = known().find_map(|found| found.streams.as_ref()?.get(field::START_TIME)).cloned();
    start.into_iter().for_each(|start| members.set(field::START_TIME, start));
}

/// Streams as seen, with what only the master playlist says of them.
fn filled(mut seen: Vec<Members>, said: &[Members]) -> Vec<Members> {
    for (row, said) in seen.iter_mut().zip(said) {
        for (id, value) in said.iter() {
            if row.get(id).is_none() {
                row.set(id, value.clone());
            }
        }
    }
    seen
}
