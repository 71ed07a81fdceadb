//! What can be asked: data only. How it is answered is `query`'s business.

mod aggregate;
mod condition;
mod filter;

pub use aggregate::{Aggregation, Calendar, MAX_AGGREGATIONS, MAX_GROUPS, Operation};
pub use condition::{Comparison, Condition, Number, Test};
pub use filter::{Filter, MAX_CONDITIONS, MAX_DEPTH};

use super::field::{FieldId, FieldPath};
use crate::error::{Error, Result};

/// Most sort keys in one query.
pub const MAX_SORT_KEYS: usize = 5;
/// Most results of one page.
pub const MAX_PAGE: usize = 200;
/// Results of a page when none are asked for.
pub const DEFAULT_PAGE: usize = 100;
/// Longest text of a fuzzy query, in bytes.
pub const MAX_QUERY_BYTES: usize = 1 << 20;

/// Direction of one sort key. Files without a value come last in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// One sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// A sortable field, or an entry of a map field.
    pub field: FieldPath,
    /// Its direction.
    pub order: Order,
}

impl SortKey {
    /// Reads the API's comma-separated `Sort` and `Order`. Without `Order` every key is descending; keys beyond its
    /// entries take `rest` (ascending for Query, descending for SimpleQuery).
    pub fn parse_list(sort: &str, order: &str, rest: Order) -> Result<Vec<SortKey>> {
        if sort.is_empty() {
            return if order.is_empty() {
                Ok(Vec::new())
            } else {
                Err(Error::invalid("Order is given but Sort is not"))
            };
        }
        let fields: Vec<&str> = sort.split(',').map(str::trim).collect();
        let orders: Vec<&str> = order.split(',').map(str::trim).filter(|o| !o.is_empty()).collect();
        if fields.len() > MAX_SORT_KEYS {
            return Err(Error::invalid(format!("Sort: expected at most {MAX_SORT_KEYS} fields, got {}", fields.len())));
        }
        if orders.len() > fields.len() {
            return Err(Error::invalid(format!("Order has {} entries for {} Sort fields", orders.len(), fields.len())));
        }
        let key = |(at, path): (usize, &&str)| {
            let order = match orders.get(at) {
                Some(&"asc") => Order::Asc,
                Some(&"desc") => Order::Desc,
                Some(other) => return Err(Error::invalid(format!("Order: expected asc or desc, got {other:?}"))),
                None if orders.is_empty() => Order::Desc,
                None => rest,
            };
            Ok(SortKey { field: FieldPath::parse(path)?, order })
        };
        let keys: Vec<SortKey> = fields.iter().enumerate().map(key).collect::<Result<_>>()?;
        check_sort(&keys)?;
        Ok(keys)
    }
}

/// Checks number and fields of sort keys.
pub(crate) fn check_sort(keys: &[SortKey]) -> Result<()> {
    if keys.len() > MAX_SORT_KEYS {
        return Err(Error::invalid(format!("Sort: expected at most {MAX_SORT_KEYS} fields, got {}", keys.len())));
    }
    match keys.iter().find(|k| k.field.key.is_none() && !k.field.id.field().sortable()) {
        Some(key) => Err(Error::invalid(format!("Sort: {} cannot be sorted by", key.field))),
        None => Ok(()),
    }
}

/// Whether words that differ by a few letters count as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Typos {
    /// Never; only parts that ask for it (`part~`, `part~2`) tolerate typos.
    Off,
    /// Only when nothing matches as written.
    #[default]
    Fallback,
    /// Always.
    Always,
}

/// Where in a value a pattern must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Anchor {
    /// Anywhere.
    #[default]
    None,
    /// At its start.
    Start,
    /// At its end.
    End,
    /// It is the whole value.
    Whole,
}

impl Anchor {
    /// Whether the pattern must begin where the value begins.
    pub fn at_start(self) -> bool {
        matches!(self, Anchor::Start | Anchor::Whole)
    }

    /// Whether the pattern must end where the value ends.
    pub fn at_end(self) -> bool {
        matches!(self, Anchor::End | Anchor::Whole)
    }

    /// Whether a pattern stands in a value where it must.
    pub fn holds(self, value: &[u8], pattern: &[u8]) -> bool {
        match self {
            Anchor::None => value.windows(pattern.len().max(1)).any(|window| window == pattern) || pattern.is_empty(),
            Anchor::Start => value.starts_with(pattern),
            Anchor::End => value.ends_with(pattern),
            Anchor::Whole => value == pattern,
        }
    }
}

/// Which page of the results, and how large.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Results wanted, 0 to [`MAX_PAGE`]; 0 means [`DEFAULT_PAGE`].
    pub max_results: usize,
    /// `next_token` of the previous page; empty for the first.
    pub token: String,
}

impl Page {
    /// The page size in force, or an error that names the range.
    pub fn size(&self, largest: usize) -> Result<usize> {
        match self.max_results {
            0 => Ok(DEFAULT_PAGE),
            n if n <= largest => Ok(n),
            n => Err(Error::invalid(format!("MaxResults: expected 0 to {largest}, got {n}"))),
        }
    }
}

/// A text to look for: every part of it must occur in some searched field of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextMatch {
    /// Parts separated by white space; `"double quotes"` keep a phrase together; `part~` and `part~2` tolerate typos.
    pub text: String,
    /// Fields to search; empty for all searched fields.
    pub search_in: Vec<FieldId>,
    /// Where in a field's value a part must stand.
    pub anchor: Anchor,
}

/// A query: a text, a filter, both, or neither, which finds every file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// As [`TextMatch::text`]; empty for no text.
    pub text: String,
    /// Fields to search; empty for all searched fields.
    pub search_in: Vec<FieldId>,
    /// Where in a field's value a part must stand.
    pub anchor: Anchor,
    /// Typo tolerance.
    pub typos: Typos,
    /// What files must also fulfil.
    pub filter: Option<Filter>,
    /// What to compute over all matching files; with any, no files are returned.
    pub aggregations: Vec<Aggregation>,
    /// Up to [`MAX_SORT_KEYS`] keys; ties, and an empty list, are ordered by URI.
    pub sort: Vec<SortKey>,
    /// Which page. With aggregations `max_results` is the largest number of groups, up to [`MAX_GROUPS`].
    pub page: Page,
    /// Top-level members to return; empty for all.
    pub with_fields: Vec<FieldId>,
    /// Leave out the exact total, which lets a query in URI order stop early.
    pub without_total: bool,
}

impl Query {
    /// Checks everything that can be checked without data: limits, fields, operators.
    pub fn check(&self) -> Result<()> {
        check_sort(&self.sort)?;
        self.page.size(if self.aggregations.is_empty() { MAX_PAGE } else { MAX_GROUPS })?;
        if self.aggregations.len() > MAX_AGGREGATIONS {
            let got = self.aggregations.len();
            return Err(Error::invalid(format!("Aggregations: expected at most {MAX_AGGREGATIONS}, got {got}")));
        }
        self.filter.as_ref().map_or(Ok(()), Filter::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_rules() {
        let orders = |sort: &str, order: &str| -> Result<Vec<Order>> {
            Ok(SortKey::parse_list(sort, order, Order::Asc)?.iter().map(|k| k.order).collect())
        };
        assert_eq!(orders("Size,Filename", "").unwrap(), [Order::Desc, Order::Desc]);
        assert_eq!(orders("Size,Filename", "desc").unwrap(), [Order::Desc, Order::Asc]);
        assert_eq!(orders("", "").unwrap(), []);
        for (sort, order) in [("", "asc"), ("Size", "up"), ("Size", "asc,asc"), ("Nope", ""), ("Labels", "")] {
            assert!(orders(sort, order).is_err(), "{sort} {order}");
        }
        assert!(orders("Size,Size,Size,Size,Size,Size", "").is_err());
    }
}
