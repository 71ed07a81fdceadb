//! Page tokens: where the last page ended, bound to the query that made them.
//!
//! A token holds the sort values and the URI of the last row, and is authenticated (HMAC-SHA-256, RFC 2104, cut to
//! 128 bits) together with dataset, query and sort: one that was edited, cut or made by another query is refused.
//! Layout: `docs/format.md`, "Page token".

use super::guard::Context;
use super::sort::{Cursor, SortValue};
use crate::error::{Error, Result};
use crate::model::{Order, Query};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;
const MISSING: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;

/// What a token says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// The pages so far tolerated typos because nothing matched as written.
    pub(crate) fell_back: bool,
    /// The last row of the page before.
    pub(crate) cursor: Cursor,
}

/// The identity of a query for its tokens: everything that decides which rows there are and in which order.
pub(crate) fn query_hash(query: &Query) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(b"Query");
    part(query.text.as_bytes());
    part(&query.search_in.iter().flat_map(|f| f.number().to_le_bytes()).collect::<Vec<u8>>());
    part(&[query.anchor as u8, query.typos as u8]);
    // The tree's debug form names every node, field, operator and operand.
    part(query.filter.as_ref().map(|filter| format!("{filter:?}")).unwrap_or_default().as_bytes());
    for key in &query.sort {
        part(key.field.to_string().as_bytes());
        part(&[u8::from(key.order == Order::Desc)]);
    }
    hash.finalize().into()
}

/// What tokens are bound to.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// The secret of the database.
    pub key: &'a [u8; 32],
    /// The number of the dataset.
    pub dataset: u64,
    /// The identity of the query: everything that decides which rows there are and in which order.
    pub query: [u8; 32],
}

impl Seal<'_> {
    fn tag(&self, body: &[u8]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        // A key of 32 bytes is always accepted.
        if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key) {
            mac.update(&self.dataset.to_le_bytes());
            mac.update(&self.query);
            mac.update(body);
            let full = mac.finalize().into_bytes();
            tag.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        }
        tag
    }

    /// The token of what it says.
    pub fn token(&self, mut body: Vec<u8>) -> String {
        let tag = self.tag(&body);
        body.extend_from_slice(&tag);
        BASE64URL_NOPAD.encode(&body)
    }

    /// What a token says, as `parse` reads it. Everything that is not a token of this very query is one and the same error.
    pub fn open<T>(&self, token: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<T> {
        let read = || {
            let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
            let (body, found) = bytes.split_at_checked(bytes.len().saturating_sub(TAG_LEN))?;
            bool::from(self.tag(body).ct_eq(found)).then(|| parse(body)).flatten()
        };
        read().ok_or_else(|| {
            Error::invalid("NextToken: expected a token that a page of this query returned, got another text")
        })
    }
}

fn seal<'a>(context: &Context<'a>, query: &[u8; 32]) -> Seal<'a> {
    Seal { key: context.token_key, dataset: context.dataset, query: *query }
}

/// Makes the token of the page that ends at `token.cursor`.
pub(crate) fn encode(token: &Token, context: &Context<'_>, query: &[u8; 32]) -> String {
    let mut body = vec![VERSION, u8::from(token.fell_back), token.cursor.values.len() as u8];
    for value in &token.cursor.values {
        match value {
            SortValue::Missing => body.push(MISSING),
            SortValue::Int(int) => {
                body.push(INT);
                body.extend_from_slice(&int.to_le_bytes());
            }
            SortValue::Text(text) => {
                body.push(TEXT);
                body.extend_from_slice(&(text.len() as u32).to_le_bytes());
                body.extend_from_slice(text);
            }
        }
    }
    body.extend_from_slice(&token.cursor.uri);
    seal(context, query).token(body)
}

/// Reads a token.
pub(crate) fn decode(text: &str, context: &Context<'_>, query: &[u8; 32]) -> Result<Token> {
    seal(context, query).open(text, parse)
}

fn parse(body: &[u8]) -> Option<Token> {
    let [VERSION, fell_back, count, rest @ ..] = body else { return None };
    let mut rest = rest;
    let mut values = Vec::new();
    for _ in 0..*count {
        let (kind, after) = rest.split_first()?;
        rest = after;
        values.push(match *kind {
            MISSING => SortValue::Missing,
            INT => {
                let (int, after) = rest.split_first_chunk()?;
                rest = after;
                SortValue::Int(i64::from_le_bytes(*int))
            }
            TEXT => {
                let (len, after) = rest.split_first_chunk()?;
                let (text, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
                rest = after;
                SortValue::Text(text.to_vec())
            }
            _ => return None,
        });
    }
    Some(Token { fell_back: *fell_back != 0, cursor: Cursor { values, uri: rest.to_vec() } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FieldPath, SortKey, field};

    #[test]
    fn only_the_token_of_this_query() {
        let (key, other_key) = ([7; 32], [8; 32]);
        let context = Context::new(&key, 3);
        let cursor = Cursor {
            values: vec![SortValue::Missing, SortValue::Int(-4), SortValue::Text(b"x".to_vec())],
            uri: b"oss://b/k".to_vec(),
        };
        let token = Token { fell_back: true, cursor };
        let query = Query { text: "a b".into(), ..Query::default() };
        let hash = query_hash(&query);
        let text = encode(&token, &context, &hash);
        assert_eq!(decode(&text, &context, &hash).unwrap(), token);
        for at in 0..text.len() {
            let mut edited = text.clone().into_bytes();
            edited[at] = if edited[at] == b'A' { b'B' } else { b'A' };
            assert!(decode(std::str::from_utf8(&edited).unwrap(), &context, &hash).is_err(), "{at}");
            assert!(decode(&text[..at], &context, &hash).is_err(), "{at}");
        }
        let sorted =
            Query { sort: vec![SortKey { field: FieldPath::from(field::SIZE), order: Order::Asc }], ..query.clone() };
        assert!(decode(&text, &context, &query_hash(&sorted)).is_err());
        assert!(decode(&text, &Context { dataset: 4, ..context }, &hash).is_err());
        assert!(decode(&text, &Context { token_key: &other_key, ..context }, &hash).is_err());
    }
}
