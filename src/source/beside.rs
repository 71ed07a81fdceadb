//! Which file of a folder describes which other one: `a.jpg.xmp` or `a.xmp` beside `a.jpg`, as editors write them.

use std::collections::HashMap;

/// The name of what a file describes: the part before `.xmp`, in any case.
pub fn described(name: &str) -> Option<&str> {
    let (stem, end) = name.rsplit_once('.')?;
    end.eq_ignore_ascii_case("xmp").then_some(stem)
}

/// The names that may describe the file `name`, in the order of their precedence.
pub(super) fn describers(name: &str) -> impl Iterator<Item = String> {
    const ENDS: [&str; 8] = ["XMP", "XMp", "XmP", "Xmp", "xMP", "xMp", "xmP", "xmp"];
    let stems =
        if described(name).is_some() { [None, None] } else { [Some(name), name.rsplit_once('.').map(|(s, _)| s)] };
    let stems: Vec<String> = stems.into_iter().flatten().map(str::to_owned).collect();
    stems.into_iter().flat_map(|stem| ENDS.map(|end| format!("{stem}.{end}")))
}

/// Whether the file `name` is one that `of`, in the same folder, may describe.
pub fn may_describe(of: &str, name: &str) -> bool {
    let stem = name.rsplit_once('.').map(|(stem, _)| stem);
    described(of).is_some_and(|about| about == name || stem == Some(about)) && described(name).is_none()
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
    fn one_name_finds_what_pairs_would() {
        let names = ["a.jpg", "a.xmp", "a.jpg.XMP", "a.jpg.xmp", "b.cr2", "b.Xmp", "b.xMP", "c", "c.xmp"];
        let mut order: Vec<&str> = names.to_vec();
        // The walk pairs names in descending order.
        order.sort_unstable_by(|a, b| b.cmp(a));
        for (name, of) in order.iter().zip(pairs(&order)) {
            let found = describers(name).find(|candidate| names.contains(&candidate.as_str()));
            assert_eq!(found.as_deref(), of.map(|at| order[at]), "{name}");
            assert!(found.is_none_or(|found| may_describe(&found, name)));
        }
    }

    #[test]
    fn whole_names_come_first_and_nothing_describes_itself() {
        let names = ["a.jpg", "a.xmp", "a.jpg.XMP", "a.cr2", "b.jpg", "c.xmp", "c.xmp.xmp", "d", "d.xmp"];
        let found = pairs(&names);
        assert_eq!(found, [Some(2), None, None, Some(1), None, None, None, Some(8), None]);
        assert_eq!(pairs(&["a.jpg", "b"]), [None, None]);
    }
}
