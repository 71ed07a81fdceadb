//! An opened PDF file: objects by their numbers, wherever they stand.

use super::crypt::Crypt;
use super::lexer::Lexer;
use super::object::{Dict, Object};
use super::xref::{self, Place, Xref};
use super::{filter, repair};
use crate::extract::{Facts, Input, Parsed, length};
use std::collections::HashMap;
use std::rc::Rc;

/// Where the header and the place of the table are searched.
const HEAD: u64 = 1024;
const TAIL: u64 = 2048;
/// Bytes in which an object is expected to end; more are read where it does not.
const OBJECT: [u64; 3] = [1 << 10, 16 << 10, 512 << 10];
/// Bytes of a stream's data, packed and unpacked.
const STREAM: usize = 2 << 20;
/// References that lead to references.
const HOPS: u32 = 16;
/// Object streams that are kept unpacked.
const KEPT: usize = 16;

/// Numbers and places of the objects in an object stream, and its bytes.
type Packed = (Vec<(u32, usize)>, Vec<u8>);

/// An opened file.
pub(super) struct File {
    xref: Xref,
    pub(super) trailer: Dict,
    pub(super) encrypted: bool,
    /// The key, where no password is wanted.
    crypt: Option<Crypt>,
    /// Bytes before the header: offsets count from the header.
    shift: u64,
    streams: HashMap<u32, Rc<Packed>>,
}

impl File {
    /// Finds the table of objects; where it is damaged, the objects themselves are searched for.
    pub(super) fn open(input: &mut Input<'_>, facts: &mut Facts) -> Parsed<File> {
        input.rewind();
        let head = input.peek_up_to(HEAD)?;
        let shift = head.windows(5).position(|window| window == b"%PDF-").unwrap_or(0);
        let shift = length(shift);
        let found = table(input).and_then(|start| xref::read(input, start, shift));
        let sound = match facts.tolerate(found)? {
            Some((xref, trailer)) => {
                let mut file = File::new(xref, trailer, shift);
                let unlocked = file.unlock(input);
                facts.tolerate(unlocked)?;
                // A table that leads nowhere is as good as none.
                let root = file.root(input);
                let known = facts.tolerate(root)?.is_some_and(|root| root.has("Pages"));
                known.then_some(file)
            }
            None => None,
        };
        match sound {
            Some(file) => Ok(file),
            None => {
                let (xref, trailer) = repair::search(input)?;
                let mut file = File::new(xref, trailer, 0);
                let unlocked = file.unlock(input);
                facts.tolerate(unlocked)?;
                Ok(file)
            }
        }
    }

    fn new(xref: Xref, trailer: Dict, shift: u64) -> File {
        let encrypted = trailer.has("Encrypt");
        File { xref, trailer, encrypted, crypt: None, shift, streams: HashMap::new() }
    }

    /// Finds the key of an encrypted file that opens without a password (7.6.3).
    fn unlock(&mut self, input: &mut Input<'_>) -> Parsed<()> {
        if !self.encrypted {
            return Ok(());
        }
        let (trailer, ids) = (self.trailer.clone(), self.trailer.get("ID").clone());
        let encrypt = self.value(input, &trailer, "Encrypt")?;
        let ids = self.resolve(input, &ids)?;
        let id = ids.items().first().and_then(Object::as_text).unwrap_or(&[]);
        self.crypt = encrypt.as_dict().and_then(|encrypt| Crypt::open(encrypt, id));
        self.streams.clear();
        Ok(())
    }

    /// Whether texts and streams can be read: they are not encrypted, or no password is wanted.
    pub(super) fn readable(&self) -> bool {
        !self.encrypted || self.crypt.is_some()
    }

    /// The document catalogue (7.7.2).
    pub(super) fn root(&mut self, input: &mut Input<'_>) -> Parsed<Dict> {
        let root = self.trailer.get("Root").clone();
        Ok(self.resolve(input, &root)?.as_dict().cloned().unwrap_or_default())
    }

    /// The object that a reference means; any other object is itself.
    pub(super) fn resolve(&mut self, input: &mut Input<'_>, object: &Object) -> Parsed<Object> {
        let mut object = object.clone();
        for _ in 0..HOPS {
            let Some(number) = object.as_ref() else { return Ok(object) };
            object = self.object(input, number)?.0;
        }
        Ok(Object::Null)
    }

    /// The value of a key, references followed.
    pub(super) fn value(&mut self, input: &mut Input<'_>, dict: &Dict, key: &str) -> Parsed<Object> {
        self.resolve(input, dict.get(key))
    }

    /// The object of that number, and where its stream's data stand.
    fn object(&mut self, input: &mut Input<'_>, number: u32) -> Parsed<(Object, Option<u64>)> {
        input.entry()?;
        match self.xref.place(input, number, self.shift)? {
            Some(Place::At(at)) => {
                input.seek(at, "object")?;
                let mut found = object_here(input, number)?;
                if let Some(crypt) = &self.crypt {
                    crypt.texts(&mut found.object, found.id);
                }
                Ok((found.object, found.data))
            }
            Some(Place::In(stream, index)) => Ok((self.packed(input, stream, index, number)?, None)),
            Some(Place::Free) | None => Ok((Object::Null, None)),
        }
    }

    /// An object of an object stream (7.5.7).
    fn packed(&mut self, input: &mut Input<'_>, stream: u32, index: usize, number: u32) -> Parsed<Object> {
        let packed = match self.streams.get(&stream) {
            Some(packed) => Rc::clone(packed),
            None => {
                let packed = Rc::new(self.object_stream(input, stream)?);
                if self.streams.len() >= KEPT {
                    self.streams.clear();
                }
                self.streams.insert(stream, Rc::clone(&packed));
                packed
            }
        };
        let (places, bytes) = packed.as_ref();
        let place =
            places.get(index).filter(|(of, _)| *of == number).or_else(|| places.iter().find(|(of, _)| *of == number));
        let body = place.and_then(|(_, at)| bytes.get(*at..)).unwrap_or(&[]);
        Ok(Lexer::new(body).object().unwrap_or_default())
    }

    fn object_stream(&mut self, input: &mut Input<'_>, number: u32) -> Parsed<Packed> {
        let (dict, bytes) = match self.xref.place(input, number, self.shift)? {
            Some(Place::At(at)) => self.stream_at(input, at)?,
            // An object stream never lies in another one.
            _ => return Ok((Vec::new(), Vec::new())),
        };
        let bytes = filter::unpack(&dict, bytes, STREAM).unwrap_or_default();
        let first = dict.get("First").as_u64().and_then(|first| usize::try_from(first).ok()).unwrap_or(0);
        let count = dict.get("N").as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        let mut lexer = Lexer::new(&bytes);
        let mut places = Vec::new();
        while places.len() < count {
            input.tick()?;
            let (Some(Object::Int(number)), Some(Object::Int(at))) = (lexer.token(0), lexer.token(0)) else { break };
            let (Ok(number), Ok(at)) = (u32::try_from(number), usize::try_from(at)) else { break };
            places.push((number, at.saturating_add(first)));
        }
        Ok((places, bytes))
    }

    /// A stream by a reference: its dictionary, its bytes unpacked, and where they stand. `None` for what is no stream,
    /// or holds a picture.
    pub(super) fn stream(&mut self, input: &mut Input<'_>, object: &Object) -> Parsed<Option<(Dict, Vec<u8>, u64)>> {
        let Some(number) = object.as_ref() else { return Ok(None) };
        let Some(Place::At(at)) = self.xref.place(input, number, self.shift)? else { return Ok(None) };
        let (dict, bytes) = self.stream_at(input, at)?;
        Ok(filter::unpack(&dict, bytes, STREAM).map(|bytes| (dict, bytes, at)))
    }

    fn stream_at(&mut self, input: &mut Input<'_>, at: u64) -> Parsed<(Dict, Vec<u8>)> {
        input.seek(at, "stream")?;
        let found = object_here(input, 0)?;
        let (Object::Dict(dict), Some(start)) = (found.object, found.data) else {
            return Ok((Dict::default(), Vec::new()));
        };
        let stated = self.value(input, &dict, "Length")?.as_u64();
        let (dict, bytes) = data(input, dict, start, stated, STREAM)?;
        Ok(match &self.crypt {
            Some(crypt) => {
                let bytes = crypt.stream(&dict, bytes, found.id);
                (dict, bytes)
            }
            None => (dict, bytes),
        })
    }
}

/// The place of the newest table: the number behind the last `startxref` (7.5.5).
fn table(input: &mut Input<'_>) -> Parsed<u64> {
    let from = input.end().saturating_sub(TAIL);
    input.seek(from, "end of the file")?;
    let bytes = input.take_up_to(TAIL)?;
    let at = bytes.windows(9).rposition(|window| window == b"startxref");
    let number = at.and_then(|at| match Lexer::new(bytes.get(at.saturating_add(9)..).unwrap_or(&[])).token(0) {
        Some(Object::Int(number)) => u64::try_from(number).ok(),
        _ => None,
    });
    number.ok_or_else(|| input.malformed("expected startxref and a number at the end of the file"))
}

/// An object where it stands in the file.
#[derive(Default)]
struct Found {
    object: Object,
    /// Where the data of a stream begin.
    data: Option<u64>,
    /// Number and generation.
    id: (u32, u16),
}

/// `12 0 obj ...` at the cursor. Objects of another number are taken for nothing: the table is wrong there.
fn object_here(input: &mut Input<'_>, number: u32) -> Parsed<Found> {
    let at = input.position();
    for size in OBJECT {
        input.seek(at, "object")?;
        let bytes = input.take_up_to(size)?;
        let mut lexer = Lexer::new(&bytes);
        let (Some(Object::Int(found)), Some(Object::Int(generation)), true) =
            (lexer.token(0), lexer.token(0), lexer.keyword(b"obj"))
        else {
            return Ok(Found::default());
        };
        if number > 0 && found != i64::from(number) {
            return Ok(Found::default());
        }
        let object = lexer.object();
        let whole = length(bytes.len()) < size;
        // Objects end with a keyword: where it is missing, the object was cut.
        let data = lexer.keyword(b"stream");
        let ended = data || lexer.keyword(b"endobj");
        match object {
            Some(object) if ended || whole || size == OBJECT.last().copied().unwrap_or(size) => {
                let data = data.then(|| at.saturating_add(length(lexer.at())));
                let id = (u32::try_from(found).unwrap_or(0), u16::try_from(generation).unwrap_or(0));
                return Ok(Found { object, data, id });
            }
            None if whole => break,
            _ => {}
        }
    }
    Ok(Found::default())
}

/// The stream object at an offset, its length stated directly: what a cross-reference stream must have.
pub(super) fn stream_at(input: &mut Input<'_>, at: u64, most: usize) -> Parsed<(Dict, Vec<u8>)> {
    input.seek(at, "stream")?;
    let found = object_here(input, 0)?;
    match (found.object, found.data) {
        (Object::Dict(dict), Some(start)) => {
            let stated = dict.get("Length").as_u64();
            data(input, dict, start, stated, most)
        }
        _ => Err(input.malformed_at(at, "expected a stream")),
    }
}

/// The data behind the keyword `stream` and its end of line (7.3.8.1).
fn data(input: &mut Input<'_>, dict: Dict, start: u64, stated: Option<u64>, most: usize) -> Parsed<(Dict, Vec<u8>)> {
    input.seek(start, "stream")?;
    let skipped = match input.peek_up_to(2)? {
        [b'\r', b'\n'] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    input.skip(skipped, "stream")?;
    let len = stated.unwrap_or(u64::MAX).min(length(most));
    let mut bytes = input.take_up_to(len)?;
    if stated.is_none() {
        let end = bytes.windows(9).position(|window| window == b"endstream");
        bytes.truncate(end.unwrap_or(bytes.len()));
    }
    Ok((dict, bytes))
}
