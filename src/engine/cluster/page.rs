//! Pages of clusters: in the order of a time, ties in the order of ids, with tokens that name where a page ended and are
//! authenticated together with dataset and query (HMAC-SHA-256, RFC 2104, cut to 128 bits). Layout: `docs/format.md`, "Cluster
//! page token".

use crate::error::{Error, Result};
use crate::model::{Listing, Order};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;

/// What tokens of one list are bound to.
pub(super) struct Seal<'a> {
    pub(super) key: &'a [u8; 32],
    pub(super) dataset: u64,
    /// Everything that decides which clusters there are and in which order.
    pub(super) query: String,
}

impl Seal<'_> {
    fn tag(&self, body: &[u8]) -> [u8; TAG_LEN] {
        let mut tag = [0; TAG_LEN];
        // A key of 32 bytes is always accepted.
        if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key) {
            for part in [b"clusters".as_slice(), self.query.as_bytes(), body] {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part);
            }
            mac.update(&self.dataset.to_le_bytes());
            tag.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        }
        tag
    }

    fn encode(&self, (time, id): &(i64, String)) -> String {
        let mut body = vec![VERSION];
        body.extend_from_slice(&time.to_le_bytes());
        body.extend_from_slice(id.as_bytes());
        let tag = self.tag(&body);
        body.extend_from_slice(&tag);
        BASE64URL_NOPAD.encode(&body)
    }

    fn decode(&self, token: &str) -> Result<(i64, String)> {
        let refused =
            || Error::invalid("NextToken: expected a token that a page of this query returned, got another text");
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| refused())?;
        let (body, found) = bytes.split_at_checked(bytes.len().saturating_sub(TAG_LEN)).ok_or_else(refused)?;
        if !bool::from(self.tag(body).ct_eq(found)) {
            return Err(refused());
        }
        let Some((&VERSION, rest)) = body.split_first() else { return Err(refused()) };
        let (time, id) = rest.split_first_chunk::<8>().ok_or_else(refused)?;
        let id = std::str::from_utf8(id).map_err(|_| refused())?;
        Ok((i64::from_le_bytes(*time), id.to_owned()))
    }
}

/// The page behind the cluster that a token ends, of up to `size`. `clusters`: times and ids of all that are asked for; `load`
/// reads one, or passes over it.
pub(super) fn cut<T>(
    clusters: Vec<(i64, String)>,
    seal: &Seal<'_>,
    order: Order,
    (token, size): (&str, usize),
    mut load: impl FnMut(&str) -> Result<Option<T>>,
) -> Result<Listing<T>> {
    let turned = |time: i64| if order == Order::Desc { !time } else { time };
    let after = if token.is_empty() { None } else { Some(seal.decode(token)?) };
    let after = after.map(|(time, id)| (turned(time), id));
    let mut ranked: Vec<(i64, String)> = clusters.into_iter().map(|(time, id)| (turned(time), id)).collect();
    ranked.retain(|rank| after.as_ref().is_none_or(|after| rank > after));
    ranked.sort_unstable();
    let (mut items, mut last) = (Vec::new(), None);
    for (time, id) in ranked {
        let Some(cluster) = load(&id)? else { continue };
        if items.len() == size {
            // The page is full, and there is more.
            return Ok(Listing { items, next_token: last.map(|last| seal.encode(&last)).unwrap_or_default() });
        }
        items.push(cluster);
        last = Some((turned(time), id));
    }
    Ok(Listing { items, next_token: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(order: Order, size: usize) -> Vec<u32> {
        let all: Vec<(i64, String)> = (0..50_i64).map(|n| (n % 7 - 3, format!("id-{n:02}"))).collect();
        // Every fifth one is gone.
        let load = |id: &str| Ok(id[3..].parse::<u32>().ok().filter(|n| n % 5 != 4));
        let seal = Seal { key: &[7; 32], dataset: 3, query: "q".into() };
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = cut(all.clone(), &seal, order, (&token, size), load).unwrap();
            assert!(page.items.len() <= size);
            found.extend(page.items);
            token = page.next_token;
            if token.is_empty() {
                return found;
            }
        }
    }

    #[test]
    fn pages_hold_every_cluster_once_and_in_order() {
        let mut sorted: Vec<u32> = (0..50).filter(|n| n % 5 != 4).collect();
        sorted.sort_by_key(|n| (n % 7, *n));
        assert_eq!(list(Order::Asc, 7), sorted);
        sorted.sort_by_key(|n| (7 - n % 7, *n));
        assert_eq!(list(Order::Desc, 1), sorted);
        assert_eq!(list(Order::Desc, 100), sorted);
    }

    #[test]
    fn tokens_belong_to_their_list() {
        let seal = Seal { key: &[7; 32], dataset: 3, query: "q".into() };
        let token = seal.encode(&(-5, "id".into()));
        assert_eq!(seal.decode(&token).unwrap(), (-5, "id".into()));
        for other in [
            Seal { key: &[8; 32], dataset: 3, query: "q".into() },
            Seal { key: &[7; 32], dataset: 4, query: "q".into() },
            Seal { key: &[7; 32], dataset: 3, query: "p".into() },
        ] {
            assert!(other.decode(&token).is_err());
        }
        for bad in ["", "x", &token[1..], &token[..token.len() - 1]] {
            assert!(seal.decode(bad).unwrap_err().message().starts_with("NextToken"), "{bad}");
        }
    }
}
