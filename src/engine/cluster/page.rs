//! Pages of clusters: in the order of a time, ties in the order of ids, with tokens that name where a page ended and are sealed as
//! those of queries are. Layout: `docs/format.md`, "Cluster page token".

use crate::error::Result;
use crate::model::{Listing, Order};
use crate::query::Seal;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;

/// The identity of a list for its tokens; `query`: everything that decides which clusters there are and in which order.
pub(super) fn identity(query: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"Clusters");
    hash.update(query.as_bytes());
    hash.finalize().into()
}

fn encode(seal: &Seal<'_>, (time, id): &(i64, String)) -> String {
    let mut body = vec![VERSION];
    body.extend_from_slice(&time.to_le_bytes());
    body.extend_from_slice(id.as_bytes());
    seal.token(body)
}

fn decode(seal: &Seal<'_>, token: &str) -> Result<(i64, String)> {
    seal.open(token, |body| {
        let Some((&VERSION, rest)) = body.split_first() else { return None };
        let (time, id) = rest.split_first_chunk::<8>()?;
        Some((i64::from_le_bytes(*time), std::str::from_utf8(id).ok()?.to_owned()))
    })
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
    let after = if token.is_empty() { None } else { Some(decode(seal, token)?) };
    let after = after.map(|(time, id)| (turned(time), id));
    let mut ranked: Vec<(i64, String)> = clusters.into_iter().map(|(time, id)| (turned(time), id)).collect();
    ranked.retain(|rank| after.as_ref().is_none_or(|after| rank > after));
    ranked.sort_unstable();
    let (mut items, mut last) = (Vec::new(), None);
    for (time, id) in ranked {
        let Some(cluster) = load(&id)? else { continue };
        if items.len() == size {
            // The page is full, and there is more.
            return Ok(Listing { items, next_token: last.map(|last| encode(seal, &last)).unwrap_or_default() });
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
        let seal = Seal { key: &[7; 32], dataset: 3, query: identity("q") };
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
        let seal = Seal { key: &[7; 32], dataset: 3, query: identity("q") };
        let token = encode(&seal, &(-5, "id".into()));
        assert_eq!(decode(&seal, &token).unwrap(), (-5, "id".into()));
        for other in [
            Seal { key: &[8; 32], dataset: 3, query: identity("q") },
            Seal { key: &[7; 32], dataset: 4, query: identity("q") },
            Seal { key: &[7; 32], dataset: 3, query: identity("p") },
        ] {
            assert!(decode(&other, &token).is_err());
        }
        for bad in ["", "x", &token[1..], &token[..token.len() - 1]] {
            assert!(decode(&seal, bad).unwrap_err().message().starts_with("NextToken"), "{bad}");
        }
    }
}
