//! Names of formats in a reply become static text again; a worker cannot make them many.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most names that are ever kept; there are about a hundred formats.
const MOST: usize = 512;
/// Longest name.
const LONGEST: usize = 32;

static KNOWN: Mutex<Known> = Mutex::new(Known(BTreeSet::new()));

/// Names that were kept.
struct Known(BTreeSet<&'static str>);

impl Known {
    fn kept(&mut self, name: &str) -> &'static str {
        let plausible = name.len() <= LONGEST && name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if !plausible {
            return "other";
        }
        if let Some(found) = self.0.get(name) {
            return found;
        }
        if self.0.len() >= MOST {
            return "other";
        }
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        self.0.insert(name);
        name
    }
}

/// The same text for the life of the program; `"other"` for what cannot be a format's name, or once there are too many.
pub(super) fn kept(name: &str) -> &'static str {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).kept(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_ends() {
        // Not those of the process, which other tests use.
        let mut known = Known(BTreeSet::new());
        let [a, b, c] = ["jpeg", "a\nb", &"x".repeat(33)].map(|name| known.kept(name));
        assert_eq!((a, b, c), ("jpeg", "other", "other"));
        let kept: BTreeSet<&str> = (0..2 * MOST).map(|n| known.kept(&format!("f{n}"))).collect();
        assert!(kept.len() <= MOST + 1 && kept.contains("other"));
    }
}
