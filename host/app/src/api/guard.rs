//! Who may ask: a page in a browser may not, whoever changes something shows the token, and nobody takes more than is fair.

use super::error::Problem;
use super::plain::plain;
use super::settings::ApiSettings;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::net::{IpAddr, SocketAddr};
use tower_service::Service;

/// The ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) tls: bool,
}

/// Lets a request in, or says why not.
pub(super) fn answer(
    request: Request,
    peer: Peer,
    settings: &ApiSettings,
    router: &Router,
) -> impl Future<Output = Response> + Send + use<> {
    let admitted = admit(&request, peer, settings);
    let limits = settings.limits;
    let mut router = router.clone();
    async move {
        let answered = async {
            admitted?;
            let (parts, body) = request.into_parts();
            let bytes = tokio::time::timeout(limits.body, whole(&parts.headers, body, limits.body_bytes)).await;
            let bytes = bytes.map_err(|_| {
                Problem::new(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come in time").closes()
            })??;
            if !bytes.is_empty() && !is_json(&parts.headers) {
                let message = "the body of the request is not said to be JSON";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
                    .help("send it with the header `Content-Type: application/json`"));
            }
            let answer = router.call(Request::from_parts(parts, Body::from(bytes)));
            match tokio::time::timeout(limits.request, answer).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(never)) => match never {},
                Err(_) => {
                    Err(Problem::busy("the answer took too long", 5).help("the machine is busy: try again later"))
                }
            }
        };
        let response = answered.await.unwrap_or_else(|problem: Problem| problem.into_response());
        let mut response = plain(response).await;
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn admit(request: &Request, peer: Peer, settings: &ApiSettings) -> Result<(), Problem> {
    check_host(request, peer, &settings.hosts)?;
    check_origin(request.headers(), peer, &settings.hosts)?;
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // What stands in the store is for those on this machine; whether the host is well, for all.
    let open = peer.remote.ip().to_canonical().is_loopback() || matches!(path, "/healthz" | "/readyz");
    if !(reads && open) {
        check_token(request.headers(), settings)?;
    }
    Ok(())
}

/// A page of `evil.example` whose name is made to mean 127.0.0.1 would be of the same origin as the API: it is known by the
/// name that the browser asks for.
fn check_host(request: &Request, peer: Peer, hosts: &[String]) -> Result<(), Problem> {
    let mut named = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        return Err(Problem::bad_request("a request needs one `Host` header").closes());
    };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let is_ours = |authority: &Authority| is_ours(authority.as_str(), peer, hosts);
    if host.as_ref().is_some_and(is_ours) && request.uri().authority().is_none_or(is_ours) {
        return Ok(());
    }
    let message = "the request is addressed to another host";
    Err(Problem::new(StatusCode::FORBIDDEN, message).help(format!(
        "ask for http://{}:{}, or name the host to `serve` (`--host NAME`)",
        if peer.local.ip().to_canonical().is_loopback() { "127.0.0.1".to_owned() } else { peer.local.ip().to_string() },
        peer.local.port()
    )))
}

/// No page of another origin has business here. Browsers say for whom they ask; other clients do not.
fn check_origin(headers: &HeaderMap, peer: Peer, hosts: &[String]) -> Result<(), Problem> {
    let scheme = if peer.tls { "https://" } else { "http://" };
    let is_own = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.strip_prefix(scheme));
        authority.is_some_and(|authority| is_ours(authority, peer, hosts))
    };
    let own_site = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if headers.get_all(ORIGIN).iter().all(is_own) && headers.get_all("sec-fetch-site").iter().all(own_site) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "pages of other origins may not ask")
        .help("ask with a program, e.g. curl, or from a page of this host"))
}

/// Whether an authority means this host: an address or name of this machine with the port of the connection, or a name that
/// was configured, with any port, since something may stand before us.
fn is_ours(authority: &str, peer: Peer, hosts: &[String]) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    // `user@host` is nothing that a client sends.
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    if hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host)) {
        return true;
    }
    let port = match authority.port_u16() {
        Some(port) => port,
        None if authority.port().is_some() || authority.as_str().ends_with(':') => return false,
        None if peer.tls => 443,
        None => 80,
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let here = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical() == peer.local.ip().to_canonical(),
        Err(_) => host.eq_ignore_ascii_case("localhost") && peer.local.ip().to_canonical().is_loopback(),
    };
    here && port == peer.local.port()
}

fn check_token(headers: &HeaderMap, settings: &ApiSettings) -> Result<(), Problem> {
    let help = || {
        let file = settings.token.file().file_name().unwrap_or_default().to_string_lossy();
        format!("send `Authorization: Bearer TOKEN`; the token stands in the file `{file}` of the state folder")
    };
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let (Some(first), None) = (shown.next(), shown.next()) else {
        return Err(Problem::unauthorized("this needs the token").help(help()));
    };
    let bearer = match first.as_bytes().split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => return Err(Problem::unauthorized("this needs the token, as a bearer").help(help())),
    };
    if settings.token.is(bearer) {
        return Ok(());
    }
    Err(Problem::unauthorized("this is not the token").help(help()))
}

async fn whole(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body of a request may have {most} bytes"))
            .help("no request needs more")
            .closes()
    };
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > most as u64) {
        return Err(too_large());
    }
    match Limited::new(body, most).collect().await {
        Ok(bytes) => Ok(bytes.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::bad_request("the body of the request cannot be read").closes()),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(local: &str, tls: bool) -> Peer {
        let local: SocketAddr = local.parse().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 1)));
        Peer { local, remote: local, tls }
    }

    #[test]
    fn names_that_mean_this_host() {
        let hosts = ["etl.example.com".to_owned()];
        let here = peer("127.0.0.1:8080", false);
        for ours in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "etl.example.com", "ETL.example.com:444"] {
            assert!(is_ours(ours, here, &hosts), "{ours}");
        }
        for foreign in [
            "",
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.0.0.1:",
            "localhost",
            "localhost.evil.example:8080",
            "evil.example:8080",
            "evil.example",
            "a@127.0.0.1:8080",
            "127.0.0.1:8080:8080",
            "127.1:8080",
            "0.0.0.0:8080",
            "127.0.0.1:8080/",
            "[::1]:8080",
            "127.0.0.1:99999",
        ] {
            assert!(!is_ours(foreign, here, &hosts), "{foreign}");
        }
        assert!(is_ours("[::1]:8080", peer("[::1]:8080", false), &[]));
        assert!(is_ours("10.0.0.5:8443", peer("10.0.0.5:8443", true), &[]));
        assert!(is_ours("10.0.0.5:8443", peer("[::ffff:10.0.0.5]:8443", true), &[]));
        assert!(is_ours("10.0.0.5", peer("10.0.0.5:443", true), &[]));
        assert!(is_ours("localhost", peer("127.0.0.1:80", false), &[]));
        assert!(!is_ours("localhost:8443", peer("10.0.0.5:8443", true), &[]));
    }
}
