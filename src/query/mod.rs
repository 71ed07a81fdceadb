//! A query and an index snapshot to ordered hits. Knows no store and no wire.
//!
//! `language` reads what people write; `text` splits a fuzzy query into parts; `scope` says which columns a part is looked
//! for in; `matching` turns a part into the documents of one segment; `filter` evaluates the tree of conditions; `sort`
//! orders hits and picks a page; `page` makes tokens; `aggregate` computes over all hits; `explain` tells how. `search`
//! ties them up. `highlight` finds matches again in a file, by folded text that `traced` leads back to the original; `fits` looks at one
//! element of an array in a file.

mod aggregate;
mod explain;
mod filter;
mod fits;
mod guard;
mod highlight;
pub mod language;
mod matching;
mod page;
mod path;
mod scope;
mod search;
mod sort;
pub mod text;
mod traced;
mod values;

pub use aggregate::{Aggregate, Group};
pub use explain::{Explanation, PlanStep};
pub use fits::fits;
pub use guard::{Context, DEFAULT_BUDGET_BYTES, Derived};
pub use highlight::{Highlight, Highlighter, MAX_MARKED, highlight};
pub use page::Seal;
pub use search::{Hits, explain, search};
