//! What new documents contribute to a segment: the columns of a batch of files.

use super::column::{ColumnId, Part, columns_of, elements_of};
use super::keys::Keywords;
use super::numbers::{NO_INT, Numbers};
use super::paths::{self, NO_FILENAME, PathEntry};
use super::segment::{Content, Segment, write};
use super::text::fold;
use crate::error::{Error, Result};
use crate::model::field::{self, FILENAME};
use crate::model::{FieldId, File, LatLong, Members, Timestamp, Value};
use std::collections::BTreeSet;

impl Segment {
    /// Builds a segment in memory. URIs must differ; their order is free.
    pub fn build(files: &[File]) -> Result<Segment> {
        let mut sorted: Vec<&File> = files.iter().collect();
        sorted.sort_by(|a, b| a.uri().cmp(b.uri()));
        if let Some([twice, _]) = sorted.array_windows().find(|[a, b]| a.uri() == b.uri()) {
            return Err(Error::invalid(format!("a segment holds each URI once, got {:?} twice", twice.uri())));
        }
        let mut bytes = Vec::new();
        write(&Documents::new(sorted), &mut bytes)?;
        Segment::from_bytes(bytes)
    }
}

/// Files in URI order.
struct Documents<'a> {
    files: Vec<&'a File>,
    arrays: BTreeSet<FieldId>,
    columns: BTreeSet<ColumnId>,
}

impl<'a> Documents<'a> {
    fn new(files: Vec<&'a File>) -> Documents<'a> {
        let mut present = BTreeSet::new();
        for file in &files {
            present_fields(file.members(), &mut present);
        }
        present.remove(&field::URI);
        if files.iter().all(|f| f.text(FILENAME).is_none() || filename_at(f).is_some()) {
            present.remove(&FILENAME);
        }
        let columns =
            present.iter().flat_map(|&field| columns_of(field).iter().map(move |&part| ColumnId { field, part }));
        let columns: BTreeSet<ColumnId> = columns.collect();
        let arrays = columns.iter().filter_map(|c| elements_of(c.field)).collect();
        Documents { files, arrays, columns }
    }

    /// Calls `each` with the value of the column's field in every unit.
    fn each_unit(&self, column: ColumnId, each: &mut dyn FnMut(Option<&'a Value>)) {
        let Some(array) = elements_of(column.field) else {
            for file in &self.files {
                each(scalar(file, column.field));
            }
            return;
        };
        for file in &self.files {
            if let Some(Value::Rows(rows)) = file.get(array) {
                rows.iter().for_each(|row| each(row.get(column.field)));
            }
        }
    }
}

fn present_fields(members: &Members, present: &mut BTreeSet<FieldId>) {
    for (id, value) in members.iter() {
        match value {
            Value::Rows(rows) => rows.iter().for_each(|row| present_fields(row, present)),
            Value::Object(object) => present_fields(object, present),
            _ => drop(present.insert(id)),
        }
    }
}

/// A field whose unit is the document: a top-level member, or a member of a single object.
fn scalar(file: &File, id: FieldId) -> Option<&Value> {
    match id.field().parent {
        None if id == FILENAME && filename_at(file).is_some() => None,
        None => file.get(id),
        Some(parent) => match file.get(parent)? {
            Value::Object(object) => object.get(id),
            _ => None,
        },
    }
}

/// Where `Filename` begins in the URI, if it is the URI's end from some slash on.
fn filename_at(file: &File) -> Option<usize> {
    let (uri, name) = (file.uri(), file.text(FILENAME)?);
    let at = uri.strip_suffix(name)?.len();
    uri.get(..at)?.ends_with('/').then_some(at)
}

impl Content for Documents<'_> {
    fn docs(&self) -> usize {
        self.files.len()
    }

    fn paths(&self, each: &mut dyn FnMut(&PathEntry<'_>)) -> Result<()> {
        for file in &self.files {
            let uri = file.uri();
            let (folder, name) = uri.split_at(paths::folder_len(uri.as_bytes()));
            let folder_text = fold(folder);
            let at = filename_at(file);
            // A slash folds to itself, so folding the part before it gives the part before it of the folded text.
            let folded_at = at.and_then(|at| uri.get(..at)).map(|head| fold(head).len() as u64);
            each(&PathEntry {
                uri: uri.as_bytes(),
                filename_at: at.map_or(NO_FILENAME, |at| at as u64),
                folder: folder_text.as_bytes(),
                folded_filename_at: folded_at.unwrap_or(NO_FILENAME),
                name: fold(name).as_bytes(),
            });
        }
        Ok(())
    }

    fn arrays(&self) -> Vec<FieldId> {
        self.arrays.iter().copied().collect()
    }

    fn element_counts(&self, array: FieldId) -> Result<Vec<u32>> {
        let count = |file: &&File| match file.get(array) {
            Some(Value::Rows(rows)) => rows.len() as u32,
            Some(Value::Map(pairs)) => pairs.len() as u32,
            _ => 0,
        };
        Ok(self.files.iter().map(count).collect())
    }

    fn columns(&self) -> Vec<ColumnId> {
        self.columns.iter().copied().collect()
    }

    fn keywords(&self, column: ColumnId) -> Result<Keywords> {
        let mut out = Keywords::default();
        if elements_of(column.field) == Some(column.field) {
            for file in &self.files {
                if let Some(Value::Map(pairs)) = file.get(column.field) {
                    for (key, value) in pairs {
                        let text = if column.part == Part::Key { key } else { value };
                        out.push(Some(text.as_bytes()));
                    }
                }
            }
            return Ok(out);
        }
        self.each_unit(column, &mut |value| out.push(value.and_then(Value::as_str).map(str::as_bytes)));
        Ok(out)
    }

    fn numbers(&self, column: ColumnId) -> Result<Numbers> {
        let mut out = super::column::no_numbers(column);
        let mut failed = None;
        self.each_unit(column, &mut |value| {
            if let Err(error) = push_number(column, value, &mut out) {
                failed.get_or_insert(error);
            }
        });
        failed.map_or(Ok(out), Err)
    }
}

fn push_number(column: ColumnId, value: Option<&Value>, out: &mut Numbers) -> Result<()> {
    match out {
        Numbers::Int(ints) => ints.push(match value {
            Some(Value::Int(int)) => *int,
            Some(Value::Text(time)) => Timestamp::parse(time)?.0,
            _ => NO_INT,
        }),
        Numbers::Float(floats) => floats.push(match value {
            Some(Value::Float(float)) => *float,
            Some(Value::Text(place)) => {
                let place = LatLong::parse(place)?;
                if column.part == Part::Latitude { place.lat } else { place.lon }
            }
            _ => f64::NAN,
        }),
    }
    Ok(())
}
