//! The request head: request line and header fields (RFC 9112, sections 2 to 5).
//!
//! The end of a head is found incrementally, so that a head of several megabytes that comes in small pieces is read in
//! linear time; its bytes are parsed once, by `httparse`. What two readers could understand differently is refused: two
//! lengths, a length beside a chunked body, folded lines, a space before a colon.

use super::body::Framing;
use std::fmt;

/// Most header fields of one request.
const MAX_FIELDS: usize = 100;
/// Most bytes of all header fields together: what exceeds a head beside its target.
pub(super) const MAX_FIELD_BYTES: usize = 64 << 10;

/// A parsed request head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The method as sent: methods are case-sensitive (RFC 9110, section 9.1).
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// Header fields, names in lower case, values trimmed.
    pub fields: Vec<(String, String)>,
    /// How the body is delimited.
    pub framing: Framing,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1).
    pub expects_continue: bool,
}

impl Head {
    /// The value of a header field, by its name in lower case; the first where there are several.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The path of the target, without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The raw query of the target, `""` where there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadError {
    /// Not a request of HTTP/1.x.
    Malformed(&'static str),
    /// The fields exceed their bound (status 431).
    FieldsTooLarge,
    /// A transfer coding other than chunked (status 501).
    Coding,
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadError::Malformed(what) => write!(f, "the request head is malformed: {what}"),
            HeadError::FieldsTooLarge => {
                write!(f, "expected at most {MAX_FIELDS} header fields with {MAX_FIELD_BYTES} bytes, got more")
            }
            HeadError::Coding => f.write_str("expected no transfer coding or chunked, got another"),
        }
    }
}

/// Where the head that begins at 0 ends, looking only at what came after `seen` bytes; `None` while it is incomplete.
pub fn head_end(bytes: &[u8], seen: usize) -> Option<usize> {
    // An empty line may have begun in the three bytes before.
    let mut at = seen.saturating_sub(3);
    while let Some(found) = memchr::memchr(b'\n', bytes.get(at..)?) {
        let line = at + found + 1;
        match bytes.get(line..)? {
            [b'\n', ..] => return Some(line + 1),
            [b'\r', b'\n', ..] => return Some(line + 2),
            _ => at = line,
        }
    }
    None
}

/// Parses a head that [`head_end`] found whole.
pub fn parse(bytes: &[u8]) -> Result<Head, HeadError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
        Ok(_) => return Err(HeadError::Malformed("it does not end where its empty line is")),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::FieldsTooLarge),
        Err(e) => return Err(HeadError::Malformed(reason(e))),
    }
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(HeadError::Malformed("its request line is incomplete"));
    };
    if bytes.len().saturating_sub(target.len()) > MAX_FIELD_BYTES {
        return Err(HeadError::FieldsTooLarge);
    }
    let fields = request.headers.iter().map(|h| field(h.name, h.value)).collect::<Result<Vec<_>, _>>()?;
    let head = Head {
        method: method.to_owned(),
        target: target.to_owned(),
        framing: framing(&fields, version)?,
        keep_alive: keep_alive(&fields, version),
        expects_continue: version == 1 && all(&fields, "expect").any(|v| v.eq_ignore_ascii_case("100-continue")),
        fields,
    };
    if version == 1 && all(&head.fields, "host").count() != 1 {
        return Err(HeadError::Malformed("expected one Host field (RFC 9112, section 3.2)"));
    }
    Ok(head)
}

fn reason(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a field name has a forbidden byte",
        httparse::Error::HeaderValue => "a field value has a forbidden byte",
        httparse::Error::NewLine => "a line ends with a lone carriage return",
        httparse::Error::Status | httparse::Error::Token => "its request line has a forbidden byte",
        httparse::Error::TooManyHeaders => "it has too many fields",
        httparse::Error::Version => "expected HTTP/1.0 or HTTP/1.1",
    }
}

fn field(name: &str, value: &[u8]) -> Result<(String, String), HeadError> {
    let value = std::str::from_utf8(value).map_err(|_| HeadError::Malformed("a field value is not UTF-8"))?;
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

fn all<'a>(fields: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// RFC 9112, section 6.3, without what it tolerates for old peers.
fn framing(fields: &[(String, String)], version: u8) -> Result<Framing, HeadError> {
    let mut lengths = all(fields, "content-length");
    let mut codings = all(fields, "transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(length), None) => {
            let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
            match length.parse() {
                Ok(length) if digits && lengths.next().is_none() => Ok(Framing::Length(length)),
                _ => Err(HeadError::Malformed("expected one Content-Length of digits")),
            }
        }
        (None, Some(coding)) if version == 1 => {
            let chunked = coding.eq_ignore_ascii_case("chunked") && codings.next().is_none();
            if chunked { Ok(Framing::Chunked) } else { Err(HeadError::Coding) }
        }
        (_, Some(_)) => Err(HeadError::Malformed("a transfer coding beside a length or in HTTP/1.0")),
    }
}

fn keep_alive(fields: &[(String, String)], version: u8) -> bool {
    let mut options = all(fields, "connection").flat_map(|v| v.split(',')).map(str::trim);
    let mut says = |wanted: &str| options.any(|o| o.eq_ignore_ascii_case(wanted));
    if version == 1 { !says("close") } else { says("keep-alive") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Head, HeadError> {
        assert_eq!(head_end(text.as_bytes(), 0), Some(text.len()), "{text:?}");
        parse(text.as_bytes())
    }

    #[test]
    fn a_request_of_the_sdk() {
        let head = parsed(
            "POST /?Query=a%20b HTTP/1.1\r\nHost: h:1\r\nX-Acs-Action:  FuzzyQuery \r\ncontent-length: 0\r\n\r\n",
        )
        .unwrap();
        assert_eq!((head.method.as_str(), head.path(), head.query()), ("POST", "/", "Query=a%20b"));
        assert_eq!(head.field("x-acs-action"), Some("FuzzyQuery"));
        assert_eq!((head.framing, head.keep_alive, head.expects_continue), (Framing::Length(0), true, false));
    }

    #[test]
    fn targets_of_megabytes_in_small_pieces() {
        let text = format!("GET /?Query={} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(4 << 20));
        let mut seen = 0;
        for end in (0..text.len()).step_by(1000) {
            assert_eq!(head_end(&text.as_bytes()[..end], seen), None);
            seen = end;
        }
        assert_eq!(head_end(text.as_bytes(), seen), Some(text.len()));
        assert_eq!(parse(text.as_bytes()).unwrap().query().len(), (4 << 20) + 6);
    }

    #[test]
    fn an_end_cut_anywhere_is_found() {
        for text in ["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n"] {
            for cut in 0..text.len() {
                assert_eq!(head_end(&text.as_bytes()[..cut], 0), None);
                assert_eq!(head_end(text.as_bytes(), cut), Some(text.len()), "{cut}");
            }
        }
    }

    #[test]
    fn connection_options() {
        let alive = |text: &str| parsed(text).unwrap().keep_alive;
        assert!(!alive("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"));
        assert!(!alive("GET / HTTP/1.0\r\n\r\n"));
        assert!(alive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        assert!(parsed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").unwrap().expects_continue);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let bad = |fields: &str| parsed(&format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n")).unwrap_err();
        let malformed = |fields: &str| assert!(matches!(bad(fields), HeadError::Malformed(_)), "{fields}");
        for fields in [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: ",
            "Content-Length: 99999999999999999999999",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "A : b",
            "A: b\r\n c",
            "Host: h",
        ] {
            malformed(fields);
        }
        assert_eq!(bad("Transfer-Encoding: gzip"), HeadError::Coding);
        assert_eq!(bad("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), HeadError::Coding);
        assert_eq!(bad("A: b\r\n".repeat(100).trim_end()), HeadError::FieldsTooLarge);
        assert_eq!(bad(&format!("A: {}", "x".repeat(70_000))), HeadError::FieldsTooLarge);
        for line in ["GET / HTTP/2.0", "GET /", "GET  / HTTP/1.1", "G T / HTTP/1.1", " GET / HTTP/1.1"] {
            assert!(parsed(&format!("{line}\r\nHost: h\r\n\r\n")).is_err(), "{line}");
        }
        assert!(parsed("GET / HTTP/1.1\r\n\r\n").is_err());
    }
}
