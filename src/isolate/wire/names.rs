//! Names of formats in a reply become static text again; a worker cannot make them many.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most names that are ever kept; there are about a hundred formats.
const MOST: usize = 512;
/// Longest name.
const LONGEST: usize = 32;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same text for the life of the program; `"other"` for what cannot be a format's name, or once there are too many.
pub(super) fn kept(name: &str) -> &'static str {
    let plausible = name.len() <= LONGEST && name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if !plausible {
        return "other";
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(name) {
        return found;
    }
    if known.len() >= MOST {
        return "other";
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    known.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_ends() {
        assert_eq!((kept("jpeg"), kept("a\nb"), kept(&"x".repeat(33))), ("jpeg", "other", "other"));
        let kept: BTreeSet<&str> = (0..2 * MOST).map(|n| kept(&format!("f{n}"))).collect();
        assert!(kept.len() <= MOST + 1 && kept.contains("other"));
    }
}
