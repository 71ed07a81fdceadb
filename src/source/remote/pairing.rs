//! Objects with the XMP files beside them, as the walk over folders pairs them: `a.xmp` describes `a.jpg` of the same folder.
//!
//! Keys come in byte order, so that what describes an object stands within a few keys of it: those are looked at ahead, and XMP
//! files that passed are remembered. One that is farther away than that describes nothing.

use crate::source::bucket::Tour;
use crate::source::{Entry, Found, described_by};
use std::collections::VecDeque;

/// Keys that are looked at ahead, and XMP files that are remembered.
const WINDOW: usize = 256;

/// A listing whose objects come with what describes them.
pub(super) struct Pairing<L> {
    listing: L,
    ahead: VecDeque<Found>,
    /// XMP files that passed, the latest last.
    passed: VecDeque<Entry>,
}

impl<L: Iterator<Item = Found>> Pairing<L> {
    pub(super) fn new(listing: L) -> Pairing<L> {
        Pairing { listing, ahead: VecDeque::new(), passed: VecDeque::new() }
    }

    /// Looks ahead as far as a key, if it is not too far.
    fn look_as_far_as(&mut self, key: &str) {
        // A listing that failed has no key, and nothing behind it.
        let goes_on = |found: &Found| !key_of(found).is_empty() && key_of(found) <= key;
        while self.ahead.len() < WINDOW && self.ahead.back().is_none_or(goes_on) {
            let Some(found) = self.listing.next() else { break };
            self.ahead.push_back(found);
        }
    }

    fn describer(&mut self, key: &str) -> Option<Box<Entry>> {
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        let within = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let candidates: Vec<String> = crate::source::beside::describers(name).map(|name| within(&name)).collect();
        self.look_as_far_as(candidates.iter().max()?);
        let ahead =
            self.ahead.iter().filter_map(|found| if let Found::File(entry) = found { Some(entry) } else { None });
        let near: Vec<&Entry> = ahead.chain(&self.passed).filter(|entry| is_xmp(&entry.key)).collect();
        let found = candidates.iter().find_map(|key| near.iter().find(|entry| entry.key == *key));
        found.map(|entry| Box::new((*entry).clone()))
    }
}

fn key_of(found: &Found) -> &str {
    match found {
        Found::File(entry) => &entry.key,
        Found::Skipped(skipped) => &skipped.key,
    }
}

fn is_xmp(key: &str) -> bool {
    described_by(key.rsplit('/').next().unwrap_or(key)).is_some()
}

impl<L: Iterator<Item = Found>> Iterator for Pairing<L> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let mut found = self.ahead.pop_front().or_else(|| self.listing.next())?;
        if let Found::File(entry) = &mut found {
            if is_xmp(&entry.key) {
                self.passed.push_back(entry.clone());
                self.passed.drain(..self.passed.len().saturating_sub(WINDOW));
            } else {
                entry.beside = self.describer(&entry.key);
            }
        }
        Some(found)
    }
}

impl<L: Iterator<Item = Found> + Send> Tour for Pairing<L> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Stamp;

    fn paired(keys: &[&str]) -> Vec<(String, Option<String>)> {
        let mut sorted: Vec<&str> = keys.to_vec();
        sorted.sort_unstable();
        let stamp = Stamp { size: 1, modified_ns: 0, inode: 0, device: 0 };
        let entry = |key: &&str| Found::File(Entry { key: (*key).to_owned(), path: key.into(), stamp, beside: None });
        let line = |found| match found {
            Found::File(entry) => (entry.key, entry.beside.map(|entry| entry.key)),
            Found::Skipped(skipped) => panic!("{skipped:?}"),
        };
        let all: Vec<_> = Pairing::new(sorted.iter().map(entry)).map(line).collect();
        assert!(all.iter().map(|(key, _)| key.as_str()).eq(sorted.iter().copied()));
        all
    }

    #[test]
    fn objects_come_with_what_describes_them() {
        let keys =
            ["a.jpg", "a.xmp", "a/b.jpg", "a/c.xmp", "a/b.XMP", "d.jpg", "d.jpg.xmp", "d.xmp", "e.xmp", "f", "f.xmp"];
        let found: Vec<_> = paired(&keys).into_iter().filter_map(|(key, of)| Some((key, of?))).collect();
        let want = [("a.jpg", "a.xmp"), ("a/b.jpg", "a/b.XMP"), ("d.jpg", "d.jpg.xmp"), ("f", "f.xmp")];
        assert_eq!(found, want.map(|(key, of)| (key.to_owned(), of.to_owned())));
        // Too far away.
        let between: Vec<String> = (0..300).map(|n| format!("x.{n:03}")).collect();
        let keys: Vec<&str> = between.iter().map(String::as_str).chain(["x.xmp"]).collect();
        let found = paired(&keys);
        assert_eq!((found[0].1.as_deref(), found[299].1.as_deref()), (None, Some("x.xmp")));
    }
}
