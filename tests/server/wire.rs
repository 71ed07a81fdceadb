//! The edges of HTTP and of signatures: whatever comes is answered with the error document, and the server goes on.

use super::client::{Client, Running, date, nonce, quiet, raw, read_answer, refused};
use medialith::model::{File, field, now};
use medialith::server::Options;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn code_of(client: &Client, bytes: &[u8]) -> (u16, String) {
    let (status, code, _) = refused(&raw(client.address, bytes));
    (status, code)
}

#[test]
fn signatures_that_do_not_fit() {
    let running = Running::start(quiet());
    let client = running.client();
    let region = [("AcceptLanguage", "en-US")];
    let mut cases = Vec::new();
    let mut case = |code: &str, bend: &dyn Fn(&mut super::client::Bent)| {
        let mut bent = client.bent();
        bend(&mut bent);
        cases.push((code.to_owned(), bent));
    };
    case("SignatureDoesNotMatch", &|b| b.secret.push('x'));
    case("InvalidAccessKeyId.NotFound", &|b| b.key_id = "nobody".into());
    case("InvalidTimeStamp.Expired", &|b| b.date = date(now().0 - 901_000_000_000));
    case("InvalidTimeStamp.Expired", &|b| b.date = date(now().0 + 960_000_000_000));
    case("InvalidTimeStamp.Format", &|b| b.date = "yesterday".into());
    case("InvalidVersion", &|b| b.version = "2017-09-06".into());
    case("InvalidSecurityToken.Malformed", &|b| b.more_fields.push(("x-acs-security-token".into(), "t".into())));
    case("IncompleteSignature", &|b| b.nonce = String::new());
    for (code, bent) in cases {
        assert_eq!(refused(&client.send("ListRegions", &region, &bent)).1, code);
    }
    let bent = client.bent();
    assert_eq!(client.send("ListRegions", &region, &bent).status, 200);
    assert_eq!(refused(&client.send("ListRegions", &region, &bent)).1, "SignatureNonceUsed");

    let good = String::from_utf8(client.bytes("ListRegions", &region, &client.bent())).unwrap();
    for (from, to, code) in [
        ("en-US", "ja", "SignatureDoesNotMatch"),
        ("POST /", "GET /", "SignatureDoesNotMatch"),
        ("Authorization: ACS3", "Authorization: ACS4", "IncompleteSignature"),
        ("Authorization", "X-Authorization", "IncompleteSignature"),
        ("host;", "", "IncompleteSignature"),
        ("\r\nContent-Length", "\r\nx-acs-more: 1\r\nContent-Length", "IncompleteSignature"),
        ("x-acs-content-sha256: e", "x-acs-content-sha256: f", "IncompleteSignature"),
    ] {
        assert_eq!(code_of(&client, good.replacen(from, to, 1).as_bytes()).1, code, "{from}");
    }
    running.stop();
}

#[test]
fn legacy_signatures_in_query_and_form() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let encoded = |method: &str| {
        let params = client.legacy(method, "GetProject", &[("ProjectName", "p")]);
        medialith::server::sign::canonical_query(params.iter().map(|(k, v)| (k.as_str(), v.as_str())), true)
    };
    let host = client.address;
    let get = format!("GET /?{} HTTP/1.1\r\nHost: {host}\r\n\r\n", encoded("GET"));
    assert_eq!(raw(host, get.as_bytes()).json()["Project"]["ProjectName"], "p");
    assert_eq!(code_of(&client, get.as_bytes()).1, "SignatureNonceUsed");
    let form = encoded("POST");
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let post = format!("POST / HTTP/1.1\r\nHost: {host}\r\n{kind}\r\nContent-Length: {}\r\n\r\n{form}", form.len());
    assert_eq!(raw(host, post.as_bytes()).status, 200);
    let form = encoded("POST").replace("ProjectName=p", "ProjectName=q");
    let forged = format!("POST / HTTP/1.1\r\nHost: {host}\r\n{kind}\r\nContent-Length: {}\r\n\r\n{form}", form.len());
    assert_eq!(code_of(&client, forged.as_bytes()).1, "SignatureDoesNotMatch");
    // Headers are not signed in this scheme, so they decide nothing.
    let redirected =
        format!("GET /?{} HTTP/1.1\r\nHost: {host}\r\nx-acs-action: DeleteProject\r\n\r\n", encoded("GET"));
    assert_eq!(raw(host, redirected.as_bytes()).json()["Project"]["ProjectName"], "p");
    running.stop();
}

#[test]
fn bodies_in_forms_and_chunks() {
    let running = Running::start(quiet()).with_dataset();
    let client = running.client();
    let mut bent = client.bent();
    bent.body = b"ProjectName=p&DatasetName=d".to_vec();
    bent.more_fields.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    assert_eq!(client.send("GetDataset", &[], &bent).json()["Dataset"]["DatasetName"], "d");
    bent.nonce = nonce();
    let bytes = String::from_utf8(client.bytes("GetDataset", &[], &bent)).unwrap();
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    let head = head.replace(&format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked");
    let (one, two) = body.split_at(5);
    let chunked = format!("{head}\r\n\r\n{:x}\r\n{one}\r\n{:X};x=y\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    assert_eq!(raw(client.address, chunked.as_bytes()).json()["Dataset"]["DatasetName"], "d");
    // aiohttp's empty bodies of type octet-stream.
    let mut bent = client.bent();
    bent.more_fields.push(("content-type".into(), "application/octet-stream".into()));
    assert_eq!(client.send("GetProject", &[("ProjectName", "p")], &bent).status, 200);
    bent.body = b"{}".to_vec();
    bent.nonce = nonce();
    assert_eq!(refused(&client.send("GetProject", &[("ProjectName", "p")], &bent)).1, "InvalidArgument");
    running.stop();
}

#[test]
fn what_is_no_request() {
    let options = Options { head_bytes: 64 << 10, body_bytes: 4 << 10, receive: Duration::from_millis(500), ..quiet() };
    let running = Running::start(options);
    let client = running.client();
    let long = format!("POST /?{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(200 << 10));
    let fields = format!("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (bytes, status) in [
        ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\r\n", 400),
        ("POST / HTTP/3.0\r\nHost: h\r\n\r\n", 400),
        (long.as_str(), 414),
        (fields.as_str(), 431),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nshort", 408),
        ("POST / HTTP/1.1\r\nHost", 408),
        ("PUT / HTTP/1.1\r\nHost: h\r\n\r\n", 404),
        ("GET /admin HTTP/1.1\r\nHost: h\r\n\r\n", 404),
        ("GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    ] {
        assert_eq!(code_of(&client, bytes.as_bytes()).0, status, "{bytes:.60}");
    }
    for path in ["/health", "/ready", "/openapi.json"] {
        assert_eq!(raw(client.address, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).status, 200);
    }
    assert_eq!(client.call("ListRegions", &[("AcceptLanguage", "ja")]).status, 200);
    running.stop();
}

#[test]
fn one_connection_carries_many_requests() {
    let running = Running::start(quiet());
    let client = running.client();
    let request = || client.bytes("ListRegions", &[("AcceptLanguage", "ja")], &client.bent());
    let mut stream = TcpStream::connect(client.address).unwrap();
    for _ in 0..3 {
        stream.write_all(&request()).unwrap();
        assert_eq!(read_answer(&mut stream).status, 200);
    }
    // Several at once, and an empty line between them.
    stream.write_all(&[request(), b"\r\n".to_vec(), request(), request()].concat()).unwrap();
    for _ in 0..3 {
        assert_eq!(read_answer(&mut stream).status, 200);
    }
    let mut expecting = client.bent();
    expecting.body = b"AcceptLanguage=ja".to_vec();
    expecting.more_fields.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    let bytes = String::from_utf8(client.bytes("ListRegions", &[], &expecting)).unwrap();
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    stream.write_all(format!("{head}\r\nExpect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    let mut granted = [0; 25];
    stream.read_exact(&mut granted).unwrap();
    assert_eq!(&granted, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    let closing =
        String::from_utf8(request()).unwrap().replace("Content-Length", "Connection: close\r\nContent-Length");
    stream.write_all(closing.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).field("connection"), Some("close"));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    running.stop();
}

#[test]
fn rates_and_places_are_bounded() {
    let running = Running::start(Options { project_rate: 2, connections: 4, ..quiet() });
    let client = running.client();
    // Idle connections give way to new ones.
    let idle: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(client.address).unwrap()).collect();
    client.ok("CreateProject", &[("ProjectName", "p")]);
    drop(idle);
    let answers: Vec<_> = (0..8).map(|_| client.call("GetProject", &[("ProjectName", "p")])).collect();
    let throttled: Vec<_> = answers.iter().filter(|a| a.status == 429).collect();
    assert!(!throttled.is_empty());
    for answer in throttled {
        assert_eq!(answer.json()["Code"], "Throttling");
        let wait: u64 = answer.field("x-acs-retry-after").unwrap().parse().unwrap();
        assert!((1..=1000).contains(&wait), "{wait}");
    }
    running.stop();
}

#[test]
fn slow_clients_and_large_ones_do_not_stop_it() {
    let options = Options { receive: Duration::from_secs(2), buffer_bytes: 1 << 20, ..quiet() };
    let running = Running::start(options);
    let client = running.client();
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(client.address).unwrap();
            stream.write_all(b"POST /?").unwrap();
            stream
        })
        .collect();
    // Half a megabyte each, never finished: together they are beyond the budget, and some are refused.
    let large: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(client.address).unwrap();
            stream.write_all(&[&b"POST /?"[..], &[b'x'; 600 << 10]].concat()).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    for _ in 0..20 {
        client.ok("ListRegions", &[("AcceptLanguage", "ja")]);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let statuses: Vec<u16> = large.into_iter().map(|mut stream| read_answer(&mut stream).status).collect();
    assert!(statuses.contains(&503) && statuses.iter().all(|s| [503, 408].contains(s)), "{statuses:?}");
    for mut stream in slow {
        assert_eq!(read_answer(&mut stream).status, 408);
    }
    running.stop();
}

#[test]
fn slow_connections_give_way_to_new_ones() {
    let running = Running::start(Options { connections: 4, ..quiet() });
    let client = running.client();
    let slow: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(client.address).unwrap();
            stream.write_all(b"POST /?Query=").unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(2300));
    for _ in 0..3 {
        client.ok("ListRegions", &[("AcceptLanguage", "ja")]);
    }
    // The first of them was told why; the others may still finish.
    let (mut told, mut waiting) = (0, 0);
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        match stream.peek(&mut [0]) {
            Ok(1) => {
                let (mut bytes, mut one) = (Vec::new(), [0]);
                while matches!(stream.read(&mut one), Ok(1)) {
                    bytes.push(one[0]);
                }
                told += usize::from(bytes.starts_with(b"HTTP/1.1 503 "));
            }
            _ => waiting += 1,
        }
    }
    assert!(told >= 1 && told + waiting == 4, "{told} told, {waiting} waiting");
    running.stop();
}

#[test]
fn metrics_are_told_apart_by_operation_and_code() {
    let running = Running::start(Options { metrics: Some("127.0.0.1:0".parse().unwrap()), ..quiet() });
    let client = running.client();
    client.ok("ListRegions", &[("AcceptLanguage", "ja")]);
    client.fails("GetProject", &[("ProjectName", "p")]);
    client.fails("Nope", &[]);
    let at = running.metrics.unwrap();
    let text = raw(at, b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").body;
    let text = String::from_utf8(text).unwrap();
    for line in [
        "medialith_requests_total{action=\"ListRegions\",code=\"OK\"} 1",
        "medialith_requests_total{action=\"GetProject\",code=\"ResourceNotFound\"} 1",
        "medialith_requests_total{action=\"none\",code=\"InvalidAction.NotFound\"} 1",
        "medialith_work_pending 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert_eq!(raw(at, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
    assert_eq!(raw(client.address, b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
    running.stop();
}

#[test]
fn clients_that_do_not_read_make_others_wait_not_memory_grow() {
    let options = Options { buffer_bytes: 1 << 20, calls: 2, send: Duration::from_secs(2), ..quiet() };
    let running = Running::start(options).with_dataset();
    let text = "x".repeat(150 << 10);
    let file = |n: usize| File::new(format!("oss://b/{n}")).with(field::OCR_TEXTS, text.as_str());
    running.engine.dataset("p", "d").unwrap().put((0..100).map(file).collect()).unwrap();
    let client = running.client();
    let all = [("ProjectName", "p"), ("DatasetName", "d"), ("Query", "oss")];
    // Fifteen megabytes each, never read: more than loopback sockets hold, and than all answers may together.
    let deaf: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(client.address).unwrap();
            stream.write_all(&client.bytes("FuzzyQuery", &all, &client.bent())).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    // Both turns are taken by answers that wait; one after another is given up.
    let begun = Instant::now();
    while client.call("ListRegions", &[("AcceptLanguage", "ja")]).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the server answers again");
    }
    assert!(begun.elapsed() > Duration::from_millis(500), "nobody waited");
    drop(deaf);
    assert_eq!(client.ok("FuzzyQuery", &all)["TotalHits"], 100);
    running.stop();
}
