//! What new documents contribute to a segment: the columns of a batch of files.

use super::arena::ArenaWriter;
use super::column::{self, ColumnId, Part, columns_of, elements_of};
use super::keys::Keywords;
use super::numbers::{NO_INT, Numbers};
use super::paths::{self, Origin, PathEntry};
use super::segment::{Content, Segment, write};
use super::text::fold;
use crate::error::{Error, ErrorKind, Result};
use crate::model::field::{self, FILENAME, URI};
use crate::model::{FieldId, File, LatLong, Members, Text, Timestamp, Value};
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Parts that a field's value can have.
const PARTS: usize = 4;

impl Segment {
    /// Builds a segment in memory. URIs must differ; their order is free. Files that are given away are let go one by one.
    pub fn build<F: Borrow<File>>(files: impl IntoIterator<Item = F>) -> Result<Segment> {
        let mut sorted: Vec<F> = files.into_iter().collect();
        sorted.sort_unstable_by(|a, b| a.borrow().uri().cmp(b.borrow().uri()));
        let mut bytes = Vec::new();
        write(&mut Documents::new(sorted)?, &mut bytes)?;
        Segment::from_bytes(bytes)
    }
}

/// What one pass over files in URI order filled.
struct Documents {
    uris: String,
    /// Where each URI ends, and where `Filename` begins in it, if it is the URI's end from some slash on.
    ends: Vec<(usize, Option<usize>)>,
    counts: BTreeMap<FieldId, Vec<u32>>,
    columns: BTreeMap<ColumnId, Column>,
}

/// A column being filled: one value per unit, units without a value are added when a later one has one.
enum Column {
    Keywords(Keywords),
    Plain(ArenaWriter),
    Numbers(Numbers),
}

impl Documents {
    fn new<F: Borrow<File>>(sorted: Vec<F>) -> Result<Documents> {
        let mut filler = Filler::new(sorted.len());
        for (doc, file) in sorted.into_iter().enumerate() {
            filler.file(doc, file.borrow())?;
        }
        Ok(filler.finish())
    }
}

/// Fills columns, one document after another: a document's values are looked at once.
struct Filler {
    docs: usize,
    uris: String,
    ends: Vec<(usize, Option<usize>)>,
    /// Place in `columns` + 1 by field number and part.
    places: Vec<[u16; PARTS]>,
    columns: Vec<(ColumnId, Column)>,
    counts: BTreeMap<FieldId, Vec<u32>>,
    /// Elements so far of each array.
    elements: BTreeMap<FieldId, usize>,
    times: Times,
}

impl Filler {
    fn new(docs: usize) -> Filler {
        let places = vec![[0; PARTS]; field::NUMBERS];
        Filler {
            docs,
            uris: String::new(),
            ends: Vec::with_capacity(docs),
            places,
            columns: Vec::new(),
            counts: BTreeMap::new(),
            elements: BTreeMap::new(),
            times: Times::default(),
        }
    }

    fn column(&mut self, id: ColumnId) -> Option<&mut Column> {
        let place = self.places.get_mut(usize::from(id.field.number()))?.get_mut(id.part as usize)?;
        if *place == 0 {
            let column = match (id.is_plain(), id.is_numeric()) {
                (true, _) => Column::Plain(ArenaWriter::new()),
                (false, true) => Column::Numbers(column::no_numbers(id)),
                (false, false) => Column::Keywords(Keywords::default()),
            };
            self.columns.push((id, column));
            *place = self.columns.len() as u16;
        }
        self.columns.get_mut(usize::from(*place) - 1).map(|(_, column)| column)
    }

    fn file(&mut self, doc: usize, file: &File) -> Result<()> {
        let filename_at = self.uri(file)?;
        for (id, value) in file.members().iter() {
            match value {
                _ if id == URI || (id == FILENAME && filename_at.is_some()) => {}
                Value::Rows(rows) => self.rows(doc, id, rows)?,
                Value::Map(pairs) => self.map(doc, id, pairs),
                Value::Object(object) => object.iter().try_for_each(|(id, value)| self.value(doc, id, value))?,
                value => self.value(doc, id, value)?,
            }
        }
        Ok(())
    }

    /// Notes where a file lives; returns where its `Filename` begins in its URI.
    fn uri(&mut self, file: &File) -> Result<Option<usize>> {
        let uri = file.uri();
        let start = self.ends.len().checked_sub(2).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
        if !self.ends.is_empty() && self.uris.get(start..) == Some(uri) {
            return Err(Error::invalid(format!("a segment holds each URI once, got {uri:?} twice")));
        }
        let filename_at = filename_at(file);
        self.uris.push_str(uri);
        self.ends.push((self.uris.len(), filename_at));
        Ok(filename_at)
    }

    /// Notes the elements of an array in a document; returns the number of the first.
    fn elements(&mut self, doc: usize, array: FieldId, count: usize) -> usize {
        let counts = self.counts.entry(array).or_insert_with(|| vec![0; self.docs]);
        if let Some(slot) = counts.get_mut(doc) {
            *slot = count as u32;
        }
        let total = self.elements.entry(array).or_insert(0);
        *total += count;
        *total - count
    }

    fn rows(&mut self, doc: usize, array: FieldId, rows: &[Members]) -> Result<()> {
        let first = self.elements(doc, array, rows.len());
        for (row, element) in rows.iter().zip(first..) {
            row.iter().try_for_each(|(id, value)| self.value(element, id, value))?;
        }
        Ok(())
    }

    fn map(&mut self, doc: usize, id: FieldId, pairs: &[(Text, Text)]) {
        let first = self.elements(doc, id, pairs.len());
        for ((key, value), element) in pairs.iter().zip(first..) {
            for (part, text) in [(Part::Key, key), (Part::Value, value)] {
                if let Some(Column::Keywords(keywords)) = self.column(ColumnId { field: id, part }) {
                    keywords.pad(element);
                    keywords.push(Some(text.as_bytes()));
                }
            }
        }
    }

    fn value(&mut self, unit: usize, id: FieldId, value: &Value) -> Result<()> {
        let mut times = std::mem::take(&mut self.times);
        for &part in columns_of(id) {
            match self.column(ColumnId { field: id, part }) {
                Some(Column::Keywords(keywords)) => {
                    keywords.pad(unit);
                    keywords.push(value.as_str().map(str::as_bytes));
                }
                Some(Column::Plain(plain)) => {
                    plain.pad(unit);
                    plain.push(value.as_str().unwrap_or("").as_bytes());
                }
                Some(Column::Numbers(numbers)) => {
                    numbers.pad(unit);
                    push_number(part, value, numbers, &mut times)?;
                }
                None => {}
            }
        }
        self.times = times;
        Ok(())
    }

    /// Adds the units without a value at the ends.
    fn finish(self) -> Documents {
        let Filler { docs, uris, ends, columns, counts, elements, .. } = self;
        let mut done = BTreeMap::new();
        for (id, mut column) in columns {
            let units = match elements_of(id.field) {
                Some(array) => elements.get(&array).copied().unwrap_or(0),
                None => docs,
            };
            match &mut column {
                Column::Keywords(keywords) => keywords.pad(units),
                Column::Plain(plain) => plain.pad(units),
                Column::Numbers(numbers) => numbers.pad(units),
            }
            done.insert(id, column);
        }
        Documents { uris, ends, counts, columns: done }
    }
}

/// Where `Filename` begins in the URI, if it is the URI's end from some slash on.
fn filename_at(file: &File) -> Option<usize> {
    let (uri, name) = (file.uri(), file.text(FILENAME)?);
    let at = uri.strip_suffix(name)?.len();
    uri.get(..at)?.ends_with('/').then_some(at)
}

impl Content for Documents {
    fn docs(&self) -> usize {
        self.ends.len()
    }

    fn paths(&mut self, each: &mut dyn FnMut(&PathEntry<'_>)) -> Result<()> {
        let mut start = 0;
        for &(end, at) in &self.ends {
            let uri = self.uris.get(start..end).unwrap_or("");
            start = end;
            let (folder, name) = uri.split_at(paths::folder_len(uri.as_bytes()));
            let folder_text = fold(folder);
            // A slash folds to itself, so folding the part before it gives the part before it of the folded text.
            let origin = |at: Option<usize>, whole: usize| match at {
                None => Origin::Nowhere,
                Some(at) if at == whole => Origin::Name,
                Some(at) => Origin::At(at),
            };
            let folded_at = at.and_then(|at| uri.get(..at)).map(|head| fold(head).len());
            each(&PathEntry {
                uri: uri.as_bytes(),
                filename_at: origin(at, folder.len()),
                folder: folder_text.as_bytes(),
                folded_filename_at: origin(folded_at, folder_text.len()),
                name: fold(name).as_bytes(),
            });
        }
        Ok(())
    }

    fn arrays(&self) -> Vec<FieldId> {
        self.counts.keys().copied().collect()
    }

    fn element_counts(&self, array: FieldId) -> Result<Vec<u32>> {
        Ok(self.counts.get(&array).cloned().unwrap_or_default())
    }

    fn columns(&self) -> Vec<ColumnId> {
        self.columns.keys().copied().collect()
    }

    fn keywords(&mut self, column: ColumnId) -> Result<Keywords> {
        match self.columns.remove(&column) {
            Some(Column::Keywords(keywords)) => Ok(keywords),
            _ => Err(not_there(column)),
        }
    }

    fn plain(&mut self, column: ColumnId) -> Result<ArenaWriter> {
        match self.columns.remove(&column) {
            Some(Column::Plain(plain)) => Ok(plain),
            _ => Err(not_there(column)),
        }
    }

    fn numbers(&mut self, column: ColumnId) -> Result<Numbers> {
        match self.columns.remove(&column) {
            Some(Column::Numbers(numbers)) => Ok(numbers),
            _ => Err(not_there(column)),
        }
    }
}

/// Remembers the time parsed last: documents of one batch were created, and updated, at one and the same.
#[derive(Default)]
struct Times {
    text: Box<str>,
    nanos: i64,
}

impl Times {
    fn parse(&mut self, text: &str) -> Result<i64> {
        if *self.text != *text {
            let nanos = Timestamp::parse(text)?.0;
            // Short forms are parsed faster than they are copied.
            if text.len() < 24 {
                return Ok(nanos);
            }
            (self.text, self.nanos) = (text.into(), nanos);
        }
        Ok(self.nanos)
    }
}

fn not_there(column: ColumnId) -> Error {
    Error::new(ErrorKind::Internal, format!("the column {column:?} was asked for twice, or never filled"))
}

fn push_number(part: Part, value: &Value, out: &mut Numbers, times: &mut Times) -> Result<()> {
    match out {
        Numbers::Int(ints) => ints.push(match value {
            Value::Int(int) => *int,
            Value::Text(time) => times.parse(time)?,
            _ => NO_INT,
        }),
        Numbers::Float(floats) => floats.push(match value {
            Value::Float(float) => *float,
            Value::Text(place) => {
                let place = LatLong::parse(place)?;
                if part == Part::Latitude { place.lat } else { place.lon }
            }
            _ => f64::NAN,
        }),
    }
    Ok(())
}
