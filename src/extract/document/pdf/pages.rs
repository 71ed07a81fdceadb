//! The page tree (ISO 32000-1, 7.7.3): how many pages there are, and the first of them.

use super::file::File;
use super::object::{Dict, Object};
use crate::extract::{Input, Parsed};
use std::collections::HashSet;

/// Nodes of the tree that are visited.
const NODES: usize = 4096;
/// What a page takes over from the nodes above it (7.7.3.4).
const INHERITED: &str = "Resources";

/// The number of pages: what the root of the tree states, else what is counted.
pub(super) fn count(input: &mut Input<'_>, file: &mut File) -> Parsed<Option<i64>> {
    let root = file.root(input)?;
    let pages = file.value(input, &root, "Pages")?;
    let Some(pages) = pages.as_dict() else { return Ok(None) };
    let stated = file.value(input, pages, "Count")?.as_int().filter(|count| *count > 0);
    if stated.is_some() {
        return Ok(stated);
    }
    let counted = first(input, file, NODES)?.len();
    Ok(i64::try_from(counted).ok().filter(|count| *count > 0))
}

/// The first pages, in reading order, with what they inherit.
pub(super) fn first(input: &mut Input<'_>, file: &mut File, most: usize) -> Parsed<Vec<Dict>> {
    let root = file.root(input)?;
    let mut ahead = vec![(root.get("Pages").clone(), Object::Null)];
    let (mut found, mut seen, mut visited) = (Vec::new(), HashSet::new(), 0_usize);
    while let Some((node, above)) = ahead.pop() {
        visited = visited.saturating_add(1);
        if node.as_ref().is_some_and(|number| !seen.insert(number)) || visited > NODES {
            continue;
        }
        let Object::Dict(mut dict) = file.resolve(input, &node)? else { continue };
        if !dict.has(INHERITED) {
            dict.0.push((INHERITED.to_owned(), above));
        }
        if dict.has("Kids") {
            let kids = file.value(input, &dict, "Kids")?;
            let inherited = dict.get(INHERITED);
            let room = NODES.saturating_sub(ahead.len());
            ahead.extend(kids.items().iter().take(room).rev().map(|kid| (kid.clone(), inherited.clone())));
        } else {
            found.push(dict);
            if found.len() >= most {
                break;
            }
        }
    }
    Ok(found)
}
