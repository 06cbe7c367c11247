//! Certificate and key.

use crate::trouble::Trouble;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// Reads a certificate with those that vouch for it, and its key, as PEM.
///
/// # Errors
/// A file is missing or no PEM, key and certificate do not belong together, or the certificate is not valid at `now`.
pub fn read(certificate: &Path, key: &Path, now: Timestamp) -> Result<Arc<ServerConfig>, Trouble> {
    let unreadable = |what: &str, path: &Path, error: &dyn std::fmt::Display| {
        Trouble::new(format!("the {what} {} cannot be read: {error}", path.display()))
            .help("it has to be a PEM file that the user who runs sluicebox may read")
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable("certificate", certificate, &error))?;
    let Some(own) = certificates.first() else {
        let message = format!("there is no certificate in {}", certificate.display());
        return Err(Trouble::new(message).help("it has to begin with `-----BEGIN CERTIFICATE-----`"));
    };
    check_validity(own, certificate, now)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => {
            Trouble::new(format!("there is no private key in {}", key.display()))
                .help("it has to have a part `-----BEGIN PRIVATE KEY-----` (PKCS #8, PKCS #1 or SEC 1, not encrypted)")
        }
        error => unreadable("key", key, &error),
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private))
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                let message =
                    format!("the key {} does not belong to the certificate {}", key.display(), certificate.display());
                Trouble::new(message).help("name the key with which the certificate was asked for")
            }
            error => Trouble::new(format!(
                "certificate {} and key {} cannot be used: {error}",
                certificate.display(),
                key.display()
            ))
            .help("make them anew, e.g. with an ECDSA key on P-256, or with RSA of 2048 bits"),
        })?;
    let mut config = config;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn check_validity(certificate: &CertificateDer<'_>, path: &Path, now: Timestamp) -> Result<(), Trouble> {
    let path = path.display();
    let Some((from, until)) = validity(certificate) else {
        return Err(Trouble::new(format!("what stands in {path} is no X.509 certificate"))
            .help("name the certificate of this machine, as PEM"));
    };
    if now >= until {
        return Err(Trouble::new(format!("the certificate {path} was valid until {until:.0}; it has expired"))
            .help("renew it; clients would refuse it"));
    }
    if now < from {
        return Err(Trouble::new(format!("the certificate {path} is valid from {from:.0} on, which is still to come"))
            .help("look at the clock of this machine, or wait"));
    }
    Ok(())
}

/// From when until when a certificate is valid; none: it is no certificate.
fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, whole, _) = element(certificate)?;
    let (to_be_signed_tag, to_be_signed, _) = element(whole)?;
    if (tag, to_be_signed_tag) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    let (first, _, rest) = element(to_be_signed)?;
    // The version is left out of those of version 1.
    let mut rest = if first == VERSION { rest } else { to_be_signed };
    // Serial number, algorithm and issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (tag, validity, _) = element(rest)?;
    let (from_tag, from, rest) = element(validity)?;
    let (until_tag, until, _) = element(rest)?;
    (tag == SEQUENCE).then_some((time(from_tag, from)?, time(until_tag, until)?))
}

/// The first element of DER: its tag, what is in it, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A UTCTime or GeneralizedTime as RFC 5280 wants it: to the second, in UTC.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        0x17 => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        0x18 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(2 * at..2 * at + 2)?.parse::<i8>().ok();
    if rest.len() != 10 {
        return None;
    }
    let civil = jiff::civil::DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    // The last second of the year 9999, which stands for "never", is beyond what can be told.
    Some(jiff::tz::TimeZone::UTC.to_timestamp(civil).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read() {
        let read = |tag, text: &str| time(tag, text.as_bytes()).map(|at| at.to_string());
        assert_eq!(read(0x17, "491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
        assert_eq!(read(0x17, "500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        assert_eq!(read(0x18, "20500101000000Z").unwrap(), "2050-01-01T00:00:00Z");
        assert_eq!(read(0x18, "99991231235959Z").unwrap(), Timestamp::MAX.to_string());
        for (tag, text) in [(0x17, "4912312359Z"), (0x17, "491231235959"), (0x18, "2050é101000Z"), (2, "491231235959Z")]
        {
            assert_eq!(read(tag, text), None, "{text}");
        }
    }

    #[test]
    fn no_bytes_break_it() {
        for length in 0..6 {
            for tag in [0x30, 0xa0, 0x17, 0x80, 0xff] {
                let bytes = vec![tag; length];
                assert_eq!(validity(&bytes), None);
            }
        }
        assert_eq!(validity(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]), None);
    }
}
