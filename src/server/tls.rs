//! TLS by certificate files (rustls with ring).

use super::options::TlsFiles;
use crate::error::{Error, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What accepts TLS connections.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let wrong = |path: &Path, expected: &str, e: &dyn std::fmt::Display| {
        Error::invalid(format!("{}: expected {expected} in PEM: {e}", path.display()))
    };
    let path = &files.certificates;
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|e| wrong(path, "certificates", &e))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| wrong(&files.key, "a private key", &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
    let config = config.map_err(|e| wrong(path, "a certificate for the key", &e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
