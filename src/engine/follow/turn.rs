//! Turns: what was told since the last one, once it has settled.

use super::pass::{Missing, Span};
use super::pursuit::Session;
use super::settle::{Due, MOST_PATHS};
use crate::engine::compare::{Gone, Known, Seen, is_within, key_of};
use crate::engine::intake::Intake;
use crate::engine::rebuild::uri_of;
use crate::engine::view::scan_files;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Uri, now};
use crate::source::{Bucket, Event, Folder, How, Look, described_by, key_of_path};
use crate::store::{Durability, Table, keys};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Paths of one turn at most.
const TURN_PATHS: usize = 1000;
/// Coarsest modification times of file systems (exFAT and FAT: 2 s), and a little more: a file that changed so short a time
/// ago may have changed again without a sign.
const COARSE: Duration = Duration::from_millis(2500);
/// Documents of one stem that are looked at for one that describes them.
const MOST_SIBLINGS: usize = 1000;

impl Session<'_> {
    /// Takes in what the system tells, waiting for it at most `patience`.
    pub(super) fn listen(&mut self, patience: Duration) -> Result<()> {
        for event in self.watcher.read(patience)? {
            match event {
                Event::Overflow => {
                    self.rescan = true;
                    // Directories may have changed places unseen: every watch is made anew by the comparison.
                    self.watcher.forget(Path::new(""));
                    self.polling.forget(Path::new(""));
                    self.row = self.pursuit.change(Durability::Buffered, |row| row.lost += 1)?;
                }
                Event::RootGone => {
                    self.open()?;
                    let what = "the folder was removed, moved or unmounted; nothing is removed";
                    return Err(Error::new(ErrorKind::Io, what));
                }
                Event::Name { path, directory: true, how } => self.note_directory(&path, how),
                Event::Name { path, directory: false, how } => self.note_file(&path, how),
            }
        }
        for (path, time) in self.watcher.take_unwatched() {
            self.polling.add(path, time);
        }
        if self.settling.len() > MOST_PATHS {
            self.settling.clear();
            self.rescan = true;
        }
        Ok(())
    }

    fn note_directory(&mut self, path: &Path, how: How) {
        let key = key_of_path(path);
        if !self.filter.enters(&key) {
            return;
        }
        let quiet = self.pursuit.options.quiet;
        match how {
            How::Created | How::Arrived | How::Written => self.settling.note(path, true, false, quiet, Instant::now()),
            How::Gone => {
                self.watcher.forget(path);
                self.polling.forget(path);
                self.settling.note(path, true, false, quiet * 2, Instant::now());
            }
            How::Changed => {
                // Its mode may be what kept us out, or keeps us out from now on.
                let shut = self.unread.iter().any(|unread| is_within(unread, &key));
                if shut || self.open().is_ok_and(|folder| !folder.can_list(path)) {
                    self.settling.note(path, true, false, quiet, Instant::now());
                }
            }
        }
    }

    fn note_file(&mut self, path: &Path, how: How) {
        if !self.filter.takes(&key_of_path(path)) {
            return;
        }
        let options = &self.pursuit.options;
        let (open, quiet) = match how {
            How::Created => (true, options.open_quiet),
            How::Written | How::Arrived | How::Changed => (false, options.quiet),
            How::Gone => (false, options.quiet * 2),
        };
        self.settling.note(path, false, open, quiet, Instant::now());
    }

    /// Handles what has settled; trees only where `trees` says so, because a pass is one.
    pub(super) fn turn(&mut self, trees: bool) -> Result<()> {
        loop {
            let due = self.settling.take(Instant::now(), TURN_PATHS);
            if due.is_empty() || self.is_stopped() {
                return Ok(());
            }
            let (wanted, later): (Vec<Due>, Vec<Due>) = due.into_iter().partition(|due| trees || !due.tree);
            for due in later {
                self.settling.note(&due.path, true, false, self.pursuit.options.quiet, Instant::now());
            }
            self.settle(wanted)?;
            self.listen(Duration::ZERO)?;
            // More is lost than waits: everything is compared before the next change.
            if self.rescan {
                return Ok(());
            }
        }
    }

    fn settle(&mut self, due: Vec<Due>) -> Result<()> {
        if due.is_empty() {
            return Ok(());
        }
        let folder = self.open()?;
        let mut missing = Missing::default();
        let mut roots: Vec<PathBuf> = due.iter().filter(|due| due.tree).map(|due| due.path.clone()).collect();
        let mut files: Vec<Due> = due;
        let described: Vec<PathBuf> =
            files.iter().map(|due| self.described(&due.path)).collect::<Result<Vec<_>>>()?.concat();
        files.extend(described.into_iter().map(|path| Due { path, tree: false, open: false }));
        files.dedup_by(|a, b| a.path == b.path);
        self.settle_files(&folder, &files, &mut missing)?;
        drop(folder);
        roots.sort_unstable();
        for root in &roots {
            if !self.pass(Span::tree(root), &mut missing)? {
                return Ok(());
            }
        }
        let more = missing.more;
        self.bury(missing)?;
        if more {
            self.rescan = true;
        }
        Ok(())
    }

    /// Compares single files with their records.
    fn settle_files(&mut self, folder: &Folder, files: &[Due], missing: &mut Missing) -> Result<()> {
        let known = self.known(files)?;
        let mut intake = Intake::new(self.dataset, self.pool, self.progress, true)?;
        let (quiet, place) = (self.pursuit.options.open_quiet, Bucket::Folder(folder.clone()));
        for (due, (uri, known)) in files.iter().zip(known) {
            let gone = |known: Option<Known>| known.filter(Known::goes_with_file);
            match folder.look(&due.path) {
                Ok(Look::File(entry)) if due.open && (0..nanos(quiet)).contains(&age(entry.stamp.modified_ns)) => {
                    self.settling.note(&due.path, due.tree, true, quiet, Instant::now());
                }
                Ok(Look::File(entry)) if self.filter.takes(&entry.key) => {
                    let found = Seen { uri, entry, known }.candidate();
                    let again = age(found.entry.stamp.modified_ns) < nanos(COARSE);
                    if intake.is_due(&found, again) && Uri::parse(&found.uri).is_ok() {
                        intake.submit(&place, found)?;
                    }
                }
                Ok(_) => missing.extend(gone(known).map(|known| Gone { uri, known }).into_iter().collect()),
                Err(_) => drop(self.unread.insert(key_of_path(&due.path))),
            }
        }
        intake.drain()?;
        let done = intake.take_done();
        self.learn(done);
        Ok(())
    }

    /// URI and record of each path.
    fn known(&self, files: &[Due]) -> Result<Vec<(String, Option<Known>)>> {
        let bucket = &self.pursuit.bucket;
        let uri = |due: &Due| format!("oss://{bucket}/{}", key_of_path(&due.path));
        let uris: Vec<String> = files.iter().map(uri).collect();
        let keys: Vec<Vec<u8>> = uris.iter().map(|uri| keys::file(self.dataset.space.id, uri).bytes).collect();
        let mut known = Vec::with_capacity(keys.len());
        self.dataset.inner().store.reader().many(Table::Files, &keys, |at, value| {
            let uri = uris.get(at).map_or("", String::as_str);
            known.push(value.map(|bytes| Known::read(uri, bytes)).transpose()?);
            Ok(())
        })?;
        Ok(uris.into_iter().zip(known).collect())
    }

    /// Files with documents that a file of this name describes.
    fn described(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let key = key_of_path(path);
        let name = key.rsplit('/').next().unwrap_or("");
        let Some(stem) = described_by(name) else { return Ok(Vec::new()) };
        let folder = key.strip_suffix(name).unwrap_or("");
        let begin = format!("oss://{}/{folder}{stem}", self.pursuit.bucket);
        let reader = self.dataset.inner().store.reader();
        // From just before the first URI that begins so.
        let before = begin.get(..begin.len() - stem.len()).unwrap_or("");
        let mut rows = scan_files(&reader, self.dataset.space.id, Some(if stem.is_empty() { before } else { &begin }))?;
        let mut found = Vec::new();
        let exact = keys::file(self.dataset.space.id, &begin);
        if reader.bytes(&exact)?.is_some() {
            found.push(PathBuf::from(key_of(&begin)));
        }
        for _ in 0..MOST_SIBLINGS {
            let Some((row, _)) = rows.current()? else { break };
            let uri = uri_of(row)?;
            if !uri.starts_with(&begin) {
                break;
            }
            let sibling = key_of(uri).strip_prefix(folder).unwrap_or("/");
            if !sibling.contains('/') && crate::source::may_describe(name, sibling) {
                found.push(PathBuf::from(key_of(uri)));
            }
            rows.advance();
        }
        Ok(found)
    }

    /// Looks at what no watch covers.
    pub(super) fn poll(&mut self) -> Result<()> {
        let begun = Instant::now();
        let looked = self.polling.look(&self.open()?)?;
        let changed = !looked.changed.is_empty();
        if looked.all {
            self.compare_polled()?;
        } else {
            let mut missing = Missing::default();
            for root in tops(&looked.changed) {
                if !self.pass(Span::tree(root), &mut missing)? {
                    return Ok(());
                }
                self.listen(Duration::ZERO)?;
            }
            self.rescan |= missing.more;
            self.bury(missing)?;
        }
        self.polling.rest(begun.elapsed(), changed);
        self.looked = begun;
        Ok(())
    }

    fn compare_polled(&mut self) -> Result<()> {
        let roots: Vec<PathBuf> = self.polling.paths();
        let mut missing = Missing::default();
        for root in tops(&roots) {
            if !self.pass(Span::tree(root), &mut missing)? {
                return Ok(());
            }
            self.listen(Duration::ZERO)?;
        }
        self.rescan |= missing.more;
        self.bury(missing)
    }

    /// Tries again what could not be read.
    pub(super) fn retry_unread(&mut self) {
        let Ok(folder) = self.open() else { return };
        for path in self.unread.iter().map(|key| folder.path_of(key)) {
            // Another directory may be there by now: it is watched anew.
            self.watcher.forget(&path);
            self.settling.note(&path, true, false, self.pursuit.options.quiet, Instant::now());
        }
    }
}

/// Nanoseconds since a file changed; below 0 where its clock is ahead.
fn age(modified: i64) -> i64 {
    now().0.saturating_sub(modified)
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// Those paths that are not below another one of them.
fn tops(paths: &[PathBuf]) -> Vec<&Path> {
    let mut sorted: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    sorted.sort_unstable();
    sorted.dedup_by(|path, above| path.starts_with(above));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_highest_paths_stay() {
        let paths = ["b", "a/x", "a", "a/x/y", "ab", ""].map(PathBuf::from);
        assert_eq!(tops(&paths[..5]), ["a", "ab", "b"].map(Path::new));
        assert_eq!(tops(&paths), [Path::new("")]);
    }
}
