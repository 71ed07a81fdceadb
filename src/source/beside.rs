//! Which file of a folder describes which other one: `a.jpg.xmp` or `a.xmp` beside `a.jpg`, as editors write them.

use std::collections::HashMap;

/// The name of what a file describes: the part before `.xmp`, in any case.
fn described(name: &str) -> Option<&str> {
    let (stem, end) = name.rsplit_once('.')?;
    end.eq_ignore_ascii_case("xmp").then_some(stem)
}

/// For each name, the place of the one that describes it. The whole name stands before the name without its extension;
/// what describes is not described itself.
pub(super) fn pairs(names: &[&str]) -> Vec<Option<usize>> {
    let mut of: HashMap<&str, usize> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        of.extend(described(name).map(|stem| (stem, at)));
    }
    let find = |name: &&str| {
        if of.is_empty() || described(name).is_some() {
            return None;
        }
        let stem = name.rsplit_once('.').map(|(stem, _)| stem);
        of.get(name).or_else(|| of.get(stem?)).copied()
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_come_first_and_nothing_describes_itself() {
        let names = ["a.jpg", "a.xmp", "a.jpg.XMP", "a.cr2", "b.jpg", "c.xmp", "c.xmp.xmp", "d", "d.xmp"];
        let found = pairs(&names);
        assert_eq!(found, [Some(2), None, None, Some(1), None, None, None, Some(8), None]);
        assert_eq!(pairs(&["a.jpg", "b"]), [None, None]);
    }
}
