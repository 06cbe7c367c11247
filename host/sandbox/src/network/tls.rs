//! How servers are known to be who they say they are.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names the file of authorities that the machine trusts, as for OpenSSL.
const VARIABLE: &str = "SSL_CERT_FILE";
/// Where systems keep it.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// A client that trusts the authorities of Mozilla, those of the machine, and those of a file of one's own. The error is
/// for people.
pub(super) fn client(ca: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) {
        Some(path) => add(&mut roots, &path, VARIABLE)?,
        None => {
            // Nobody named it, so nobody misses what cannot be read of it.
            for path in SYSTEM.iter().map(Path::new).filter(|path| path.is_file()).take(1) {
                let _ = add(&mut roots, path, "the machine");
            }
        }
    }
    if let Some(ca) = ca {
        add(&mut roots, ca, "`ca` of `[network]` in sluicebox.toml")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS does not work on this machine: {error}"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn add(roots: &mut RootCertStore, path: &Path, named_by: &str) -> Result<(), String> {
    let shown = path.display();
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| format!("the certificates in {shown}, named by {named_by}, cannot be read: {error}"))?;
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(format!("there is no certificate that can be used in {shown}, named by {named_by}"));
    }
    Ok(())
}
