//! Pages of clusters: in the order of a time, a count or a text, ties in the order of ids, with tokens that name where a page ended and are sealed as
//! those of queries are. Layout: `docs/format.md`, "Cluster page token".

use crate::error::Result;
use crate::model::{Listing, Order};
use crate::query::Seal;
use sha2::{Digest, Sha256};

/// First byte of a token whose list is ordered by numbers.
const NUMBER: u8 = 1;
/// First byte of a token whose list is ordered by texts.
const TEXT: u8 = 2;

/// The identity of a list for its tokens; `query`: everything that decides which clusters there are and in which order.
pub(super) fn identity(query: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"Clusters");
    hash.update(query.as_bytes());
    hash.finalize().into()
}

/// What clusters are ordered by; of one list all are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// A time or a count.
    Number(i64),
    Text(String),
}

fn encode(seal: &Seal<'_>, (rank, id): &(Rank, String)) -> String {
    let mut body = Vec::new();
    match rank {
        Rank::Number(number) => {
            body.push(NUMBER);
            body.extend_from_slice(&number.to_le_bytes());
        }
        Rank::Text(text) => {
            body.push(TEXT);
            body.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            body.extend_from_slice(text.as_bytes());
        }
    }
    body.extend_from_slice(id.as_bytes());
    seal.token(body)
}

fn decode(seal: &Seal<'_>, token: &str) -> Result<(Rank, String)> {
    seal.open(token, |body| {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match body.split_first()? {
            (&NUMBER, rest) => {
                let (number, id) = rest.split_first_chunk::<8>()?;
                Some((Rank::Number(i64::from_le_bytes(*number)), text(id)?))
            }
            (&TEXT, rest) => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                let (rank, id) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                Some((Rank::Text(text(rank)?), text(id)?))
            }
            _ => None,
        }
    })
}

/// The page behind the cluster that a token ends, of up to `size`. `clusters`: ranks and ids of all that are asked for; `load`
/// reads one, or passes over it. Clusters of one rank are in the order of their ids in both directions.
pub(super) fn cut<T>(
    clusters: Vec<(Rank, String)>,
    seal: &Seal<'_>,
    order: Order,
    (token, size): (&str, usize),
    mut load: impl FnMut(&str) -> Result<Option<T>>,
) -> Result<Listing<T>> {
    let compare = |a: &(Rank, String), b: &(Rank, String)| {
        let ranks = if order == Order::Desc { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
        ranks.then_with(|| a.1.cmp(&b.1))
    };
    let after = if token.is_empty() { None } else { Some(decode(seal, token)?) };
    let mut ranked = clusters;
    ranked.retain(|rank| after.as_ref().is_none_or(|after| compare(rank, after).is_gt()));
    ranked.sort_unstable_by(compare);
    let (mut items, mut last) = (Vec::new(), None);
    for (rank, id) in ranked {
        let Some(cluster) = load(&id)? else { continue };
        if items.len() == size {
            // The page is full, and there is more.
            return Ok(Listing { items, next_token: last.map(|last| encode(seal, &last)).unwrap_or_default() });
        }
        items.push(cluster);
        last = Some((rank, id));
    }
    Ok(Listing { items, next_token: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(order: Order, size: usize, texts: bool) -> Vec<u32> {
        let rank = |n: i64| if texts { Rank::Text(format!("rank {}", n % 7)) } else { Rank::Number(n % 7 - 3) };
        let all: Vec<(Rank, String)> = (0..50_i64).map(|n| (rank(n), format!("id-{n:02}"))).collect();
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
        assert_eq!(list(Order::Asc, 7, false), sorted);
        assert_eq!(list(Order::Asc, 3, true), sorted);
        sorted.sort_by_key(|n| (7 - n % 7, *n));
        assert_eq!(list(Order::Desc, 1, true), sorted);
        assert_eq!(list(Order::Desc, 100, false), sorted);
    }

    #[test]
    fn tokens_belong_to_their_list() {
        let seal = Seal { key: &[7; 32], dataset: 3, query: identity("q") };
        let token = encode(&seal, &(Rank::Number(-5), "id".into()));
        assert_eq!(decode(&seal, &token).unwrap(), (Rank::Number(-5), "id".into()));
        let texts = (Rank::Text("a name".into()), String::new());
        assert_eq!(decode(&seal, &encode(&seal, &texts)).unwrap(), texts);
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
