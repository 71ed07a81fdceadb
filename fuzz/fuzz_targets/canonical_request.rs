//! Any request and any header: both signatures have a canonical form, which does not depend on how a client wrote it.
// covers: src/server/sign
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::server::Params;
use medialith::server::sign::{acs3, canonical_query, encode, legacy};

type Pairs = Vec<(String, String)>;

fuzz_target!(|input: (&str, &str, Pairs, Pairs)| {
    let (header, path, query, fields) = input;
    if let Some(authorization) = acs3::parse(header) {
        assert!(!authorization.key_id.is_empty() && !authorization.signature.is_empty());
        let request = acs3::Request { method: "POST", path, query: &query, fields: &fields, payload_hash: "x" };
        let canonical = acs3::canonical_request(&request, &authorization.signed);
        let mut backwards = query.clone();
        backwards.sort();
        backwards.reverse();
        // The order of parameters and of signed names makes no difference, but for parameters of one name.
        if backwards.windows(2).all(|w| w[0].0 != w[1].0) {
            let mut signed = authorization.signed.clone();
            signed.reverse();
            let request = acs3::Request { query: &backwards, ..request };
            assert_eq!(acs3::canonical_request(&request, &signed), canonical);
        }
        assert_eq!(acs3::signature("secret", &acs3::string_to_sign(&canonical)).len(), 64);
    }
    let pairs = || query.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let text = legacy::string_to_sign("GET", pairs());
    assert!(text.is_ascii() && text.starts_with("GET&%2F&"));
    // What was encoded decodes to what it was.
    let encoded = canonical_query(pairs(), true);
    if let Ok(params) = Params::decode(&encoded, "") {
        let mut again = String::new();
        params.all().for_each(|(_, value)| encode(value, &mut again));
        assert!(again.is_ascii());
        assert!(params.all().all(|(name, value)| query.iter().any(|(n, v)| n == name && v == value)));
    }
});
