//! Which keys count: a prefix, and patterns of what is left out. A folder that is left out is not even listed.

use crate::error::{Error, Result};

/// What is taken of a source. The default takes everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    prefix: String,
    exclude: Vec<Pattern>,
    /// Folders that are closed whatever the patterns say.
    closed: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    /// It is about the whole key; otherwise about any name of it.
    whole: bool,
    /// It is about folders alone.
    folders: bool,
}

impl Filter {
    /// Takes keys that begin with `prefix` and match none of `exclude`: `name` matches a file or folder of that name
    /// anywhere, `a/b` a key from the root, a final `/` folders alone; `*` and `?` stand for characters within a name,
    /// `**` across names. What is below a matching folder is left out with it.
    pub fn new(prefix: &str, exclude: &[String]) -> Result<Filter> {
        let pattern = |text: &String| -> Result<Pattern> {
            let bare = text.strip_suffix('/').unwrap_or(text);
            if bare.is_empty() {
                return Err(Error::invalid(format!("exclude: expected a pattern, got {text:?}")));
            }
            let rooted = bare.strip_prefix('/');
            let whole = rooted.is_some() || bare.contains('/');
            Ok(Pattern { text: rooted.unwrap_or(bare).to_owned(), whole, folders: bare.len() < text.len() })
        };
        let exclude = exclude.iter().map(pattern).collect::<Result<_>>()?;
        Ok(Filter { prefix: prefix.to_owned(), exclude, closed: Vec::new() })
    }

    /// Closes one folder.
    pub fn close(&mut self, key: &str) {
        self.closed.push(key.to_owned());
    }

    /// How the keys that are taken begin.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The highest folder above a key that is left out with all that is in it.
    pub fn folder_left_out<'k>(&self, key: &'k str) -> Option<&'k str> {
        let folders = key.match_indices('/').filter_map(|(at, _)| key.get(..at));
        folders.into_iter().find(|folder| self.left_out(folder, true))
    }

    /// Whether the file of that key is taken.
    pub fn takes(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && !self.left_out(key, false) && self.below_open_folders(key)
    }

    /// Whether anything below the folder of that key may be taken; the root is `""`.
    pub fn enters(&self, key: &str) -> bool {
        self.may_hold(key) && !self.left_out(key, true) && self.below_open_folders(key)
    }

    /// The same for one whose folders are known to be entered.
    pub(super) fn takes_here(&self, key: &str, folder: bool) -> bool {
        let fits = if folder { self.may_hold(key) } else { key.starts_with(&self.prefix) };
        fits && !self.left_out(key, folder)
    }

    fn may_hold(&self, key: &str) -> bool {
        let folder = if key.is_empty() { String::new() } else { format!("{key}/") };
        folder.starts_with(&self.prefix) || self.prefix.starts_with(&folder)
    }

    fn below_open_folders(&self, key: &str) -> bool {
        if self.exclude.is_empty() && self.closed.is_empty() {
            return true;
        }
        key.match_indices('/').all(|(at, _)| !self.left_out(key.get(..at).unwrap_or(""), true))
    }

    fn left_out(&self, key: &str, folder: bool) -> bool {
        if key.is_empty() {
            return false;
        }
        let name = key.rsplit('/').next().unwrap_or(key);
        let hit = |p: &Pattern| (folder || !p.folders) && matches(&p.text, if p.whole { key } else { name });
        self.exclude.iter().any(hit) || (folder && self.closed.iter().any(|closed| closed == key))
    }
}

/// Whether a pattern covers a text. Steps back to the last star only, and to the last double star beyond it: the time is at
/// most the product of the lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Row by row: which beginnings of the text the pattern so far covers.
    let mut covered = vec![false; text.len() + 1];
    if let Some(first) = covered.first_mut() {
        *first = true;
    }
    let mut at = 0;
    while let Some(symbol) = pattern.get(at) {
        let double = *symbol == '*' && pattern.get(at + 1) == Some(&'*');
        covered = match (symbol, double) {
            ('*', _) => spread(&covered, &text, double),
            _ => step(&covered, &text, *symbol),
        };
        at += if double { 2 } else { 1 };
        // `**/` also stands for nothing at all.
        if double && pattern.get(at) == Some(&'/') {
            let skipped = covered.clone();
            covered = step(&covered, &text, '/');
            let starts = |n: usize| n == 0 || text.get(n - 1) == Some(&'/');
            covered.iter_mut().zip(skipped).enumerate().for_each(|(n, (to, from))| *to |= from && starts(n));
            at += 1;
        }
    }
    covered.last().copied().unwrap_or(false)
}

fn step(covered: &[bool], text: &[char], symbol: char) -> Vec<bool> {
    let fits = |c: &char| *c == symbol || (symbol == '?' && *c != '/');
    let next = text.iter().zip(covered).map(|(c, reached)| *reached && fits(c));
    std::iter::once(false).chain(next).collect()
}

fn spread(covered: &[bool], text: &[char], across: bool) -> Vec<bool> {
    let mut reached = false;
    let mut before = std::iter::once(None).chain(text.iter().map(Some));
    let next = |here: &bool| {
        let passes = before.next().flatten().is_none_or(|c| across || *c != '/');
        reached = *here || (reached && passes);
        reached
    };
    covered.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(prefix: &str, exclude: &[&str]) -> Filter {
        Filter::new(prefix, &exclude.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn prefixes_open_the_way_to_them() {
        let some = filter("photos/20", &[]);
        for (key, enters, takes) in [
            ("", true, false),
            ("photos", true, false),
            ("photos/2024", true, true),
            ("photos/2024/a.jpg", true, true),
            ("photos/1999", false, false),
            ("photo", false, false),
            ("photos/20", true, true),
        ] {
            assert_eq!((some.enters(key), some.takes(key)), (enters, takes), "{key}");
        }
    }

    #[test]
    fn patterns_leave_out() {
        let some = filter("", &["*.tmp", ".git/", "raw/**/cache", "/top?.jpg", "**/x/y"]);
        for (key, takes) in [
            ("a.jpg", true),
            ("a.tmp", false),
            ("d/e/a.tmp", false),
            (".git", true),
            (".git/config", false),
            ("d/.git/config", false),
            ("raw/cache", false),
            ("raw/a/b/cache", false),
            ("raw/a/b/cache/c.jpg", false),
            ("raw/acache", true),
            ("top1.jpg", false),
            ("d/top1.jpg", true),
            ("x/y", false),
            ("a/x/y/z", false),
            ("a/xx/y", true),
        ] {
            assert_eq!(some.takes(key), takes, "{key}");
        }
        assert!(!some.enters("d/.git") && some.enters("d") && some.enters(""));
        let mut closed = filter("", &[]);
        closed.close("srv/db");
        assert!(!closed.takes("srv/db/STORE") && closed.takes("srv/db2") && !closed.enters("srv/db"));
        assert!(Filter::new("", &["/".to_owned()]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_naive_matcher(pattern in "[ab/*?]{0,8}", text in "[ab/]{0,8}") {
            proptest::prop_assert_eq!(matches(&pattern, &text), naive(&pattern, &text, true), "{} {}", pattern, text);
        }
    }

    /// By recursion over both texts; `fresh`: a name begins here.
    fn naive(pattern: &str, text: &str, fresh: bool) -> bool {
        let rest = |s: &str| s.chars().next().map(|c| (c, s[c.len_utf8()..].to_owned()));
        if let Some(after) = pattern.strip_prefix("**") {
            if let Some(after) = after.strip_prefix('/') {
                let ends = (0..=text.len()).filter(|n| text[..*n].ends_with('/') || (*n == 0 && fresh));
                return ends.into_iter().any(|n| naive(after, &text[n..], true));
            }
            return (0..=text.len()).any(|n| naive(after, &text[n..], n == 0 && fresh || text[..n].ends_with('/')));
        }
        match (rest(pattern), rest(text)) {
            (None, None) => true,
            (Some(('*', after)), _) => {
                let most = text.find('/').unwrap_or(text.len());
                (0..=most).any(|n| naive(&after, &text[n..], n == 0 && fresh))
            }
            (Some((p, after)), Some((t, left))) => (p == t || (p == '?' && t != '/')) && naive(&after, &left, t == '/'),
            _ => false,
        }
    }
}
