//! Certificates, good and bad.

use super::super::certificate::Certificate;
use super::super::tls::read;
use super::Served;
use super::client::{answer, connect};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Made {
    certificate: PathBuf,
    key: PathBuf,
    der: Vec<u8>,
}

fn make(folder: &Path, name: &str, from: i32, until: i32) -> Made {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let made = Made {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
        der: certificate.der().to_vec(),
    };
    std::fs::write(&made.certificate, certificate.pem()).unwrap();
    std::fs::write(&made.key, key.serialize_pem()).unwrap();
    made
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Asks for a run with trust in this certificate alone.
fn ask(served: &Served, der: &[u8]) -> std::io::Result<u16> {
    let mut roots = RootCertStore::empty();
    roots.add(der.to_vec().into()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let session = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(session, connect(served.addr)));
    let bearer = served.bearer();
    let origin = format!("origin: https://{}", served.addr);
    let request = served.request("POST", "/api/v1/pipelines/flights/runs", &[&bearer, &origin], "");
    stream.get_mut().write_all(request.as_bytes())?;
    Ok(answer(&mut stream).status)
}

#[test]
fn tls_is_spoken_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "good", 2020, 2090);
    let certificate = Certificate::open(&made.certificate, &made.key, now()).unwrap();
    let served = Served::with(|settings| settings.tls = Some(Arc::new(certificate)));
    assert_eq!(ask(&served, &made.der).unwrap(), 202);

    let mut plain = connect(served.addr);
    plain.write_all(served.request("GET", "/healthz", &[], "").as_bytes()).unwrap();
    let mut heard = Vec::new();
    let _ = plain.read_to_end(&mut heard);
    assert!(!heard.starts_with(b"HTTP"), "{heard:?}");
}

#[test]
fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(folder.path(), "own", 2020, 2090);
    let certificate = Certificate::open(&first.certificate, &first.key, now()).unwrap();
    let served = Served::with(|settings| settings.tls = Some(Arc::new(certificate)));
    assert_eq!(ask(&served, &first.der).unwrap(), 202);
    let second = make(folder.path(), "own", 2020, 2091);
    assert_eq!(ask(&served, &second.der).unwrap(), 202);
    assert!(ask(&served, &first.der).is_err(), "the one before it is not shown any more");
    std::fs::write(&second.certificate, "half of it").unwrap();
    assert_eq!(ask(&served, &second.der).unwrap(), 202);
    std::fs::remove_file(&second.key).unwrap();
    assert_eq!(ask(&served, &second.der).unwrap(), 202);
    let third = make(folder.path(), "own", 2020, 2092);
    assert_eq!(ask(&served, &third.der).unwrap(), 202);
}

#[test]
fn what_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (make(folder.path(), "good", 2020, 2090), make(folder.path(), "other", 2020, 2090));
    let expired = make(folder.path(), "expired", 2010, 2020);
    let coming = make(folder.path(), "coming", 2080, 2090);
    let (missing, text) = (folder.path().join("missing.pem"), folder.path().join("text.pem"));
    std::fs::write(&text, "hello").unwrap();
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let cut = folder.path().join("cut.pem");
    std::fs::write(&cut, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    for (certificate, key, told) in [
        (&missing, &good.key, "the certificate"),
        (&text, &good.key, "there is no certificate in"),
        (&broken, &good.key, "is no X.509 certificate"),
        (&cut, &good.key, "cannot be read"),
        (&good.key, &good.key, "there is no certificate in"),
        (&expired.certificate, &expired.key, "was valid until 2020-01-01T00:00:00Z; it has expired"),
        (&coming.certificate, &coming.key, "is valid from 2080-01-01T00:00:00Z on"),
        (&good.certificate, &missing, "the key"),
        (&good.certificate, &text, "there is no private key in"),
        (&good.certificate, &good.certificate, "there is no private key in"),
        (&good.certificate, &other.key, "does not belong to the certificate"),
    ] {
        let trouble = read(certificate, key, now()).unwrap_err();
        assert!(trouble.message.contains(told), "{told}: {trouble}");
        assert!(trouble.help.is_some());
    }
}
