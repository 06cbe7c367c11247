//! By HTTP.

use super::{CourierSettings, Delivery, seconds, shown};
use crate::message::Message;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::error::Error as _;
use std::io::Read;
use std::time::Duration;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Bytes that are read of an answer that is no success.
pub(crate) const ANSWER_MAX: u64 = 4096;

pub(super) fn agent(settings: &CourierSettings) -> Result<ureq::Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = &settings.roots {
        let mut roots = Vec::new();
        for item in parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(root)) => roots.push(root),
                Ok(_) => {}
                Err(_) => return Err("the certificates to trust are not PEM".to_owned()),
            }
        }
        if roots.is_empty() {
            return Err("there is no certificate among those to trust".to_owned());
        }
        tls = tls.root_certs(RootCerts::from(roots));
    }
    let mut config = ureq::Agent::config_builder()
        .tls_config(tls.build())
        .user_agent(concat!("sluicebox/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        // An alert goes where the file says, and nowhere else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(settings.webhook_max))
        // Alerts are rare: a connection that is kept is gone when it is wanted.
        .max_idle_connections(0);
    if !settings.proxy_from_environment {
        config = config.proxy(None);
    }
    Ok(config.build().new_agent())
}

pub(super) fn post(agent: &ureq::Agent, url: &str, message: &Message, most: Duration) -> Delivery {
    let Some((uri, host)) = address(url) else {
        return Delivery::given_up("that is not the address of a webhook; write `webhook = \"https://...\"`");
    };
    let sent = agent
        .post(uri)
        .header("content-type", "application/json")
        .header("idempotency-key", &message.id)
        .send(message.to_json());
    match sent {
        Ok(mut answer) => {
            let status = answer.status().as_u16();
            if (200..300).contains(&status) {
                // What stands in it does not matter, however long it is.
                return Delivery::Delivered;
            }
            let after = retry_after(answer.headers(), Timestamp::now());
            let moved_to = moved_to(answer.headers());
            let mut said = Vec::new();
            // What arrived until something went wrong is good enough.
            let _ = answer.body_mut().as_reader().take(ANSWER_MAX).read_to_end(&mut said);
            judged(status, &host, after, moved_to, &shown(&String::from_utf8_lossy(&said), &secrets(url)))
        }
        Err(error) => failed(&error, &host, &secrets(url), most),
    }
}

/// The address, and its host and port for people.
fn address(url: &str) -> Option<(Uri, String)> {
    let uri: Uri = url.parse().ok()?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return None;
    }
    let host = uri.host().filter(|host| !host.is_empty())?;
    let shown = uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some((uri, shown))
}

/// What must not be told of an address: whoever knows it can post.
fn secrets(url: &str) -> Vec<&str> {
    let behind_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_host.find('/').and_then(|at| behind_host.get(at..)).unwrap_or_default();
    let user = behind_host.split('/').next().and_then(|host| host.rsplit_once('@')).map(|(user, _)| user);
    let mut secrets = vec![url, path];
    secrets.extend(user);
    secrets.extend(path.split(['/', '?', '&', '=']).filter(|part| part.len() >= 8));
    secrets
}

fn judged(status: u16, host: &str, after: Option<Duration>, moved_to: Option<String>, said: &str) -> Delivery {
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    match status {
        300..=399 => {
            let to = moved_to.map(|to| format!(" to {to}")).unwrap_or_default();
            Delivery::given_up(format!(
                "{host} answered {status}: the webhook has moved{to}, and alerts do not follow; write the address where it \
                 is now"
            ))
        }
        408 | 425 | 429 | 500.. | 0..=299 => {
            Delivery::TryAgain { reason: format!("{host} answered {status}{said}"), after }
        }
        404 | 410 => Delivery::given_up(format!("{host} answered {status}, there is no such webhook{said}")),
        401 | 403 => Delivery::given_up(format!("{host} answered {status}, it does not let us post{said}")),
        _ => Delivery::given_up(format!("{host} answered {status}, it does not take the alert{said}")),
    }
}

/// The host that a redirect leads to; the rest of the address may be a secret.
fn moved_to(headers: &HeaderMap) -> Option<String> {
    let (_, host) = address(headers.get("location")?.to_str().ok()?)?;
    Some(shown(&host, &[]))
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Duration::try_from(at.duration_since(now)).ok()
}

fn failed(error: &ureq::Error, host: &str, secrets: &[&str], most: Duration) -> Delivery {
    let reason = match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            return Delivery::given_up("that is not the address of a webhook; write `webhook = \"https://...\"`");
        }
        ureq::Error::Timeout(_) => format!("{host} did not answer within {}", seconds(most)),
        ureq::Error::HostNotFound => format!("there is no host {host}"),
        ureq::Error::Rustls(error) => tls(host, error),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
            Some(error) => tls(host, error),
            None => match error.source() {
                Some(source) => format!("{host} cannot be reached: {error}: {source}"),
                None => format!("{host} cannot be reached: {error}"),
            },
        },
        other => format!("{host} cannot be reached: {other}"),
    };
    Delivery::again(shown(&reason, secrets))
}

type TlsError = rustls::Error;

fn tls(host: &str, error: &TlsError) -> String {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => format!(
            "the certificate of {host} is signed by nobody who is trusted; if it is one of your own, name \
             the certificate that signed it in SSL_CERT_FILE"
        ),
        rustls::Error::InvalidCertificate(error) => format!("the certificate of {host} does not fit: {error}"),
        rustls::Error::InvalidMessage(_) => {
            format!("{host} does not speak TLS there; is it `http://`, or another port?")
        }
        error => format!("no TLS with {host}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_keep_their_secret() {
        let url = "https://me:word@hooks.example.org:8443/services/T0001/secretsecret?token=abcdefgh";
        assert_eq!(address(url).unwrap().1, "hooks.example.org:8443");
        let said = format!("no_such {url} at /services/T0001/secretsecret?token=abcdefgh (secretsecret, abcdefgh)");
        let told = shown(&said, &secrets(url));
        assert_eq!(told, "no_such ... at ... (..., ...)");
        for bad in ["", "hooks.example.org/x", "ftp://example.org", "https://", "http:///x", "https://a b/"] {
            assert!(address(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn waits_that_are_asked_for() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after("Fri, 02 Jan 2026 03:05:05 GMT"), Some(Duration::from_secs(60)));
        for none in ["", "-1", "soon", "Fri, 02 Jan 2026 03:00:00 GMT", "99999999999999999999999"] {
            assert_eq!(after(none), None, "{none}");
        }
    }

    #[test]
    fn answers_are_judged() {
        for (status, is_again) in
            [(100, true), (408, true), (425, true), (429, true), (500, true), (503, true), (999, true)]
                .into_iter()
                .chain([301, 302, 307, 400, 401, 403, 404, 410, 413, 422].map(|status| (status, false)))
        {
            let delivery = judged(status, "h", None, None, "");
            assert_eq!(matches!(delivery, Delivery::TryAgain { .. }), is_again, "{status}");
        }
    }
}
