//! TLS by certificate files, with a client of rustls that trusts only them.

use super::client::{Running, quiet, read_answer};
use medialith::server::{Options, TlsFiles};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A certificate for `localhost` by the system's openssl; `None` where there is none.
fn certificate(dir: &Path) -> Option<TlsFiles> {
    let files = TlsFiles { certificates: dir.join("cert.pem"), key: dir.join("key.pem") };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&files.certificates)
        .arg("-keyout")
        .arg(&files.key)
        .output();
    made.is_ok_and(|output| output.status.success()).then_some(files)
}

#[test]
fn requests_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let Some(files) = certificate(dir.path()) else {
        println!("SKIPPED: no openssl to make a certificate with");
        return;
    };
    let running = Running::start(Options { tls: Some(files.clone()), ..quiet() });
    let client = running.client();
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(&files.certificates).unwrap();
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(session, TcpStream::connect(client.address).unwrap());
    let request = client.bytes("ListRegions", &[("AcceptLanguage", "ja")], &client.bent());
    stream.write_all(&request).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    drop(stream);
    // Plain HTTP at a TLS port is no request, and does not stop the server.
    let mut plain = TcpStream::connect(client.address).unwrap();
    plain.write_all(&request).unwrap();
    drop(plain);
    running.stop();
}

#[test]
fn bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cert.pem");
    std::fs::write(&path, "not a certificate").unwrap();
    let engine = super::client::open(dir.path());
    let options = Options { tls: Some(TlsFiles { certificates: path.clone(), key: path }), ..quiet() };
    let buckets = medialith::engine::Buckets::new();
    let failed = medialith::server::Server::start(&engine, super::client::keys(dir.path()), buckets, options);
    let message = failed.err().unwrap().to_string();
    assert!(message.contains("cert.pem: expected"), "{message}");
}
