//! Requests that were changed on their way: whatever is accepted asks for what was signed.

use super::gate::Gate;
use super::*;
use crate::server::access::{AccessKeys, Issued, NewKey, Role};
use crate::server::http::{Head, head_end, parse};
use crate::server::params::Params;
use crate::server::service::decode;
use crate::server::sign::{Clock, acs3, canonical_query, legacy};
use std::time::Duration;

/// Requests that are tried; MEDIALITH_MUTATIONS asks for more.
const MUTATIONS: u64 = 20_000;
const DATE: &str = "2026-01-02T03:04:05Z";
/// The same, in nanoseconds since 1970.
const NOW: i64 = 1_767_323_045_000_000_000;

const PARAMS: [(&str, &str); 4] =
    [("ProjectName", "p"), ("DatasetName", "d"), ("Query", "a b&c=d+e\u{963f}"), ("WithFields", "[\"URI\"]")];

/// Numbers that look random and are the same each time (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

fn gate(dir: &std::path::Path) -> (Gate, Issued) {
    let keys = AccessKeys::open(dir, &dir.join("seal")).unwrap();
    let new = NewKey { role: Role::Admin, projects: Vec::new(), lasts: None, note: String::new() };
    let key = keys.create(&new).unwrap();
    (Gate::open(keys, Duration::from_secs(900), Clock::Fixed(NOW)).unwrap(), key)
}

/// A V3 request with its parameters in the query or in the body.
fn v3(key: &Issued, form: bool) -> Vec<u8> {
    let text = canonical_query(PARAMS.into_iter(), false);
    let (target, body) = if form { ("/".to_owned(), text) } else { (format!("/?{text}"), String::new()) };
    let hash = acs3::sha256_hex(body.as_bytes());
    let mut fields = vec![
        ("host", "h:1".to_owned()),
        ("x-acs-action", "FuzzyQuery".to_owned()),
        ("x-acs-content-sha256", hash.clone()),
        ("x-acs-date", DATE.to_owned()),
        ("x-acs-signature-nonce", "n".to_owned()),
        ("x-acs-version", "2020-09-30".to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    if form {
        fields.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    }
    let owned: Vec<(String, String)> = fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    let signed: Vec<String> = owned.iter().map(|(n, _)| n.clone()).collect();
    let query = if form { Vec::new() } else { PARAMS.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec() };
    let request = acs3::Request { method: "POST", path: "/", query: &query, fields: &owned, payload_hash: &hash };
    let signature = acs3::signature(&key.secret, &acs3::string_to_sign(&acs3::canonical_request(&request, &signed)));
    let mut head = format!("POST {target} HTTP/1.1\r\n");
    owned.iter().for_each(|(n, v)| head.push_str(&format!("{n}: {v}\r\n")));
    let (scheme, id, names, length) = (acs3::SCHEME, &key.id, signed.join(";"), body.len());
    head.push_str(&format!("Authorization: {scheme} Credential={id},SignedHeaders={names},Signature={signature}\r\n"));
    head.push_str(&format!("Content-Length: {length}\r\n\r\n{body}"));
    head.into_bytes()
}

/// A request with a legacy signature in the query of a GET or in the form of a POST.
fn old(key: &Issued, form: bool) -> Vec<u8> {
    let method = if form { "POST" } else { "GET" };
    let mut all = vec![
        ("Action", "FuzzyQuery"),
        ("Version", "2020-09-30"),
        ("Timestamp", DATE),
        ("SignatureNonce", "n"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("AccessKeyId", &key.id),
    ];
    all.extend(PARAMS);
    let signature = legacy::signature(&key.secret, &legacy::string_to_sign(method, all.iter().copied()));
    all.push(("Signature", &signature));
    let text = canonical_query(all.into_iter(), true);
    let (target, body) = if form { ("/".to_owned(), text) } else { (format!("/?{text}"), String::new()) };
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\nHost: h:1\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// What an accepted request asks for: who, which operation, which method and path, which parameters.
type Asked = (String, String, String, Vec<(String, String)>);

/// Reads a request as the server does; what it asks for if it is accepted.
fn accepted(gate: &Gate, bytes: &[u8]) -> Option<Asked> {
    let end = head_end(bytes, 0)?;
    let head: Head = parse(bytes.get(..end)?).ok()?;
    // Nothing else is a call of the API.
    if head.path() != "/" || !["GET", "POST"].contains(&head.method.as_str()) {
        return None;
    }
    let length: usize = head.field("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let body = bytes.get(end..end + length)?;
    let params: Params = decode(&head, body).ok()?;
    let caller = gate.verified(Request { head: &head, body, params: &params }).ok()?;
    let all = params.all().filter(|(name, _)| *name != "Signature");
    let mut rest: Vec<(String, String)> = all.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    rest.sort();
    rest.dedup();
    Some((caller.key.grant.id.clone(), caller.action, format!("{} {}", head.method, head.path()), rest))
}

/// Changes a request at random: bytes, lines, parameters, names of signed headers.
fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    match dice.below(4) {
        0 => bend_bytes(bytes, dice),
        1 => bend_lines(bytes, dice),
        2 => bend_parameters(bytes, dice),
        _ => {
            let once = bend_parameters(bytes, dice);
            bend_bytes(&bend_lines(&once, dice), dice)
        }
    }
}

fn bend_bytes(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let (mut bent, at) = (bytes.to_vec(), dice.below(bytes.len()));
    match dice.below(5) {
        0 => bent[at] ^= 1 << dice.below(8),
        1 => drop(bent.remove(at)),
        2 => bent.insert(at, b"&=%+;,\r\n aA"[dice.below(11)]),
        3 => bent[at] = bent[at].to_ascii_uppercase(),
        _ => bent.swap(at, dice.below(bytes.len())),
    }
    bent
}

fn bend_lines(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    let (one, two) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(8) {
        0 => lines.swap(one, two),
        1 => drop(lines.remove(one)),
        2 => lines.insert(two, lines[one].clone()),
        3 => lines[one] = lines[one].replace(": ", ":  \t") + " ",
        4 => lines[one] = lines[one].to_uppercase(),
        5 => lines.insert(two, "x-acs-action: DeleteProject".to_owned()),
        6 => lines[one] = lines[one].replacen(["host;", "x-acs-date;", "content-type"][dice.below(3)], "", 1),
        _ => lines[one] = lines[one].replacen("FuzzyQuery", "DeleteDataset", 1),
    }
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

fn bend_parameters(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let marks: Vec<usize> = text.match_indices(['&', '=', '?', '%']).map(|(at, _)| at).collect();
    let Some(at) = marks.get(dice.below(marks.len())).copied() else { return bytes.to_vec() };
    let (before, after) = (&text[..at], &text[at + 1..]);
    let mark = &text[at..=at];
    let bent = match dice.below(6) {
        0 => format!("{before}%{:02X}{after}", text.as_bytes()[at]),
        1 => format!("{before}{mark}{mark}{after}"),
        2 => format!("{before}{after}"),
        3 => format!("{before}&ProjectName=q{mark}{after}"),
        4 => format!("{before}%25{after}"),
        _ => {
            let (first, second) = after.split_once('&').unwrap_or((after, ""));
            format!("{before}{mark}{second}&{first}")
        }
    };
    bent.into_bytes()
}

#[test]
fn what_is_accepted_is_what_was_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (gate, key) = gate(dir.path());
    let seeds = [v3(&key, false), v3(&key, true), old(&key, false), old(&key, true)];
    let wanted: Vec<Asked> = seeds.iter().map(|seed| accepted(&gate, seed).expect("the request itself")).collect();
    let count = std::env::var("MEDIALITH_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(MUTATIONS);
    let (mut dice, mut alike, mut refused) = (Dice(0x9E37_79B9_7F4A_7C15), 0u64, 0u64);
    for n in 0..count {
        let which = (n % 4) as usize;
        let bent = mutate(&seeds[which], &mut dice);
        match accepted(&gate, &bent) {
            Some(asked) => {
                assert_eq!(asked, wanted[which], "{}", String::from_utf8_lossy(&bent));
                alike += 1;
            }
            None => refused += 1,
        }
    }
    assert!(refused > count / 2 && alike > count / 50, "{refused} refused, {alike} read as what they were");
}

#[test]
fn requests_that_share_a_canonical_form_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (gate, key) = gate(dir.path());
    let text = String::from_utf8(v3(&key, false)).unwrap();
    // One parameter whose name holds the others: the canonical text would be the same.
    let joined = text.replacen("ProjectName=p&", "ProjectName=p%26", 1);
    for bent in [
        joined,
        text.replacen("p&Query=", "p%26Query%3D", 1),
        text.replacen("DatasetName=d&", "DatasetName%3Dd%26", 1),
        text.replacen("x-acs-action: FuzzyQuery", "x-acs-action: FuzzyQuery\r\nx-acs-action: FuzzyQuery", 1),
        text.replacen("host: h:1", "host: h:1\r\nx-acs-date: 2026-01-02T03:04:05Z", 1),
    ] {
        assert_ne!(bent, text);
        assert_eq!(accepted(&gate, bent.as_bytes()), None, "{bent}");
    }
}

#[test]
fn a_replayed_request_is_refused_after_a_restart_too() {
    let dir = tempfile::tempdir().unwrap();
    let (gate, key) = gate(dir.path());
    let bytes = v3(&key, false);
    let ask = |gate: &Gate| {
        let head = parse(&bytes[..head_end(&bytes, 0).unwrap()]).unwrap();
        let params = decode(&head, b"").unwrap();
        gate.identify(Request { head: &head, body: b"", params: &params }).map(|c| c.action).map_err(|f| f.code)
    };
    assert_eq!(ask(&gate), Ok("FuzzyQuery".to_owned()));
    assert_eq!(ask(&gate), Err("SignatureNonceUsed".to_owned()));
    drop(gate);
    let keys = AccessKeys::open(dir.path(), &dir.path().join("seal")).unwrap();
    let gate = Gate::open(keys, Duration::from_secs(900), Clock::Fixed(NOW + 60_000_000_000)).unwrap();
    assert_eq!(ask(&gate), Err("SignatureNonceUsed".to_owned()));
}
