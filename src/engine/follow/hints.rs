//! Keys of a store that its messages named and that wait to be looked at: a hint is never believed, only followed up.

use crate::engine::open::Engine;
use crate::error::Result;
use crate::source::{self, Filter, Touch, described_by, just_before};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Keys that wait at most; more are a reason to list everything.
const MOST: usize = 10_000;
/// How long what may be gone waits: a move is a copy first, and the message of the copy may come second.
const GONE_AFTER: Duration = Duration::from_millis(500);

/// What a message of a store came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreEvents {
    /// Objects that it named.
    pub named: usize,
    /// Those of them that are below a binding that is followed in this process.
    pub followed: usize,
}

impl Engine {
    /// Takes a message of an object store about its objects (`docs/sources.md`, event messages): what it names below bindings
    /// that are followed in this process is looked at again within a second or so. Nothing else of it is believed, and nothing is
    /// stored: what gets lost is found by the next listing. Fails if it is no such message.
    pub fn store_events(&self, message: &[u8]) -> Result<StoreEvents> {
        let hints = source::hints(message).map_err(|e| e.during("take a message of a store"))?;
        let now = Instant::now();
        let roster = &self.handle.inner.roster;
        let followed = hints.iter().filter(|hint| roster.hint(hint, now)).count();
        Ok(StoreEvents { named: hints.len(), followed })
    }
}

/// A key to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hinted {
    pub(super) key: String,
    /// Whether it is read again even if its state is the same.
    pub(super) again: bool,
}

/// The keys that wait.
#[derive(Debug, Default)]
pub(super) struct Hints {
    waits: HashMap<String, (Instant, bool)>,
    /// There were more than can be remembered.
    overflow: bool,
}

impl Hints {
    pub(super) fn note(&mut self, key: String, touch: Touch, now: Instant) {
        if self.waits.len() >= MOST && !self.waits.contains_key(&key) {
            self.overflow = true;
            return;
        }
        let due = if touch == Touch::Removed { now + GONE_AFTER } else { now };
        let wait = self.waits.entry(key).or_insert((due, false));
        // The later hint counts, because the object may have changed since the earlier one; it waits no longer for that.
        *wait = (wait.0.min(due), wait.1 || touch == Touch::Told);
    }

    /// Up to `most` keys whose time has come.
    pub(super) fn take(&mut self, now: Instant, most: usize) -> Vec<Hinted> {
        let due = self.waits.iter().filter(|(_, (due, _))| *due <= now);
        let keys: Vec<String> = due.take(most).map(|(key, _)| key.clone()).collect();
        let taken = |key: String| self.waits.remove(&key).map(|(_, again)| Hinted { key, again });
        keys.into_iter().filter_map(taken).collect()
    }

    pub(super) fn are_due(&self, now: Instant) -> bool {
        self.waits.values().any(|(due, _)| *due <= now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty() && !self.overflow
    }

    /// Whether everything is to be listed, because more was named than is remembered; asked once.
    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }
}

/// A part of a store that holds an object and all that may describe it, or be described by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    /// How the keys begin.
    prefix: String,
    /// They come behind this one.
    pub(super) after: String,
    /// They come no later than this one.
    pub(super) until: String,
}

impl Near {
    /// What is near a key: the names that share its stem. A name without an extension is its own stem.
    fn of(key: &str) -> Near {
        let (folder, name) = key.rsplit_once('/').map_or(("", key), |(folder, name)| (folder, name));
        let within = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        match name.rsplit_once('.') {
            Some((stem, _)) => {
                let prefix = within(&format!("{stem}."));
                Near { after: just_before(&prefix), until: format!("{prefix}{}", char::MAX), prefix }
            }
            None => Near { after: just_before(key), until: format!("{key}.{}", char::MAX), prefix: key.to_owned() },
        }
    }

    fn holds(&self, other: &Near) -> bool {
        other.prefix.starts_with(&self.prefix) && other.until <= self.until
    }

    /// What a binding takes of it.
    pub(super) fn filter(&self, prefix: &str, exclude: &[String]) -> Result<Filter> {
        Filter::new(if self.prefix.len() > prefix.len() { &self.prefix } else { prefix }, exclude)
    }
}

/// The parts to look at for some keys, none within another.
pub(super) fn near(hinted: &[Hinted]) -> Vec<Near> {
    let mut parts: Vec<Near> = Vec::new();
    for Hinted { key, .. } in hinted {
        parts.push(Near::of(key));
        // What an XMP file describes has its own stem.
        let about = key.rsplit('/').next().and_then(described_by).filter(|stem| !stem.is_empty());
        parts.extend(about.and_then(|_| key.rsplit_once('.')).map(|(about, _)| Near::of(about)));
    }
    parts.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix));
    let mut kept: Vec<Near> = Vec::with_capacity(parts.len());
    for part in parts {
        // Parts are sorted by their beginnings, so what holds one is among the last that begin as it does.
        let begins = |kept: &&Near| part.prefix.starts_with(&kept.prefix);
        if !kept.iter().rev().take(64).filter(begins).any(|kept| kept.holds(&part)) {
            kept.push(part);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_wait_once_and_what_may_be_gone_a_little() {
        let (mut hints, begun) = (Hints::default(), Instant::now());
        hints.note("a".into(), Touch::Removed, begun);
        hints.note("b".into(), Touch::Written, begun);
        hints.note("b".into(), Touch::Told, begun);
        assert!(hints.are_due(begun));
        assert_eq!(hints.take(begun, 9), [Hinted { key: "b".into(), again: true }]);
        assert!(!hints.are_due(begun) && !hints.is_empty());
        assert_eq!(hints.take(begun + GONE_AFTER, 9), [Hinted { key: "a".into(), again: false }]);
        assert!(hints.is_empty());
        (0..=MOST).for_each(|n| hints.note(n.to_string(), Touch::Written, begun));
        assert_eq!((hints.take(begun, usize::MAX).len(), hints.is_empty()), (MOST, false));
        assert!(hints.take_overflow() && hints.is_empty());
    }

    #[test]
    fn what_is_near_a_key() {
        let of = |keys: &[&str]| {
            let hinted: Vec<Hinted> = keys.iter().map(|key| Hinted { key: (*key).into(), again: false }).collect();
            near(&hinted)
        };
        let takes = |part: &Near, key: &str| key > part.after.as_str() && key <= part.until.as_str();
        let photo = &of(&["d/a.jpg", "d/a.cr2"])[..];
        assert_eq!(photo.len(), 1);
        for (key, is_near) in
            [("d/a.jpg", true), ("d/a.xmp", true), ("d/a.jpg.XMP", true), ("d/ab.jpg", false), ("d/a", false)]
        {
            assert_eq!(takes(&photo[0], key), is_near, "{key}");
        }
        // What describes a file of another extension, or one without any.
        let xmp = &of(&["d/a.jpg.xmp"])[..];
        assert!(xmp.len() == 1 && takes(&xmp[0], "d/a.jpg") && takes(&xmp[0], "d/a.xmp"), "{xmp:?}");
        let bare = &of(&["a.xmp", "a"])[..];
        assert!(
            bare.len() == 1 && takes(&bare[0], "a") && takes(&bare[0], "a.jpg") && !takes(&bare[0], "ab"),
            "{bare:?}"
        );
        assert_eq!(of(&["a", "ab.c", "a.b.c", "b/a", "a-b"]).len(), 3);
        let narrow = photo[0].filter("d/a.j", &[]).unwrap();
        assert!(narrow.takes("d/a.jpg") && !narrow.takes("d/a.xmp"));
    }
}
