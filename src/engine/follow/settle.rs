//! Paths that changed and wait until they have been quiet for a while.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest that a path waits, however often it changes.
const MOST: Duration = Duration::from_secs(30);
/// Paths that wait at most; more are a reason to compare everything.
pub(super) const MOST_PATHS: usize = 200_000;

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Wait {
    due: Instant,
    first: Instant,
    /// Everything below it is meant too.
    tree: bool,
    /// Somebody may still be writing it.
    open: bool,
}

/// A path whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) path: PathBuf,
    pub(super) tree: bool,
    pub(super) open: bool,
}

/// The waiting paths.
#[derive(Debug, Default)]
pub(super) struct Settling {
    waits: HashMap<PathBuf, Wait>,
    order: BTreeSet<(Instant, PathBuf)>,
}

impl Settling {
    /// Lets a path wait for `quiet` from now.
    pub(super) fn note(&mut self, path: &Path, tree: bool, open: bool, quiet: Duration, now: Instant) {
        let old = self.waits.remove(path);
        if let Some(old) = old {
            self.order.remove(&(old.due, path.to_owned()));
        }
        let first = old.map_or(now, |old| old.first);
        let due = (now + quiet).min(first + MOST);
        let wait = Wait { due, first, tree: tree || old.is_some_and(|old| old.tree), open };
        self.order.insert((due, path.to_owned()));
        self.waits.insert(path.to_owned(), wait);
    }

    /// Up to `most` paths whose time has come by `now`, but for those below a tree that is among them.
    pub(super) fn take(&mut self, now: Instant, most: usize) -> Vec<Due> {
        let mut due = Vec::new();
        while due.len() < most
            && self.order.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, path)) = self.order.pop_first()
        {
            let Some(wait) = self.waits.remove(&path) else { continue };
            due.push(Due { path, tree: wait.tree, open: wait.open && wait.first + MOST > now });
        }
        due.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let mut tree: Option<PathBuf> = None;
        due.retain(|found| {
            let below = tree.as_ref().is_some_and(|tree| found.path != *tree && found.path.starts_with(tree));
            if found.tree && !below {
                tree = Some(found.path.clone());
            }
            !below
        });
        due
    }

    /// When the next path is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(due, _)| *due)
    }

    /// When the path that waits for longest began to.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.waits.values().map(|wait| wait.first).min()
    }

    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Settling::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(1);

    #[test]
    fn paths_wait_until_they_are_quiet_but_not_for_ever() {
        let begin = Instant::now();
        let mut settling = Settling::default();
        settling.note(Path::new("a"), false, true, QUIET, begin);
        settling.note(Path::new("b"), false, false, QUIET * 2, begin);
        settling.note(Path::new("a"), false, false, QUIET, begin + QUIET / 2);
        assert_eq!((settling.len(), settling.next()), (2, Some(begin + QUIET * 3 / 2)));
        assert_eq!(settling.oldest(), Some(begin));
        assert!(settling.take(begin + QUIET, 9).is_empty());
        let due = settling.take(begin + QUIET * 2, 9);
        let names = |due: &[Due]| due.iter().map(|d| d.path.to_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((names(&due), settling.is_empty()), (vec!["a".into(), "b".into()], true));
        for second in 0..100 {
            settling.note(Path::new("log"), false, true, QUIET * 2, begin + QUIET * second);
        }
        assert_eq!(settling.next(), Some(begin + MOST));
    }

    #[test]
    fn what_is_below_a_tree_is_part_of_it() {
        let begin = Instant::now();
        let mut settling = Settling::default();
        for (path, tree) in [("d/x", false), ("d", true), ("d/e", true), ("dx", false), ("c", false)] {
            settling.note(Path::new(path), tree, false, QUIET, begin);
        }
        settling.note(Path::new("d"), false, false, QUIET, begin);
        let due: Vec<(PathBuf, bool)> =
            settling.take(begin + QUIET, 99).into_iter().map(|d| (d.path, d.tree)).collect();
        assert_eq!(due, [("c".into(), false), ("d".into(), true), ("dx".into(), false)]);
        settling.note(Path::new("a"), false, false, QUIET, begin);
        settling.clear();
        assert_eq!(settling.take(begin + QUIET, 9), []);
    }
}
