//! A query and an index snapshot to ordered hits. Knows no store and no wire.
//!
//! `text` splits a fuzzy query into parts; `scope` says which columns a part is looked for in; `matching` turns a part
//! into the documents of one segment; `sort` orders hits and picks a page; `page` makes tokens. `search` ties them up.

mod guard;
mod matching;
mod page;
mod path;
mod scope;
mod search;
mod sort;
pub mod text;

pub use guard::Context;
pub use search::{Hits, search};
