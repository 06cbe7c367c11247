//! Who is let in.

use super::client::{answer, connect, exchange};
use super::{Served, begun};
use std::io::{BufReader, Write};

const CHANGES: [&str; 8] = [
    "/api/v1/pipelines/flights/runs",
    "/api/v1/pipelines/flights/pause",
    "/api/v1/pipelines/flights/resume",
    "/api/v1/runs/last/cancel",
    "/api/v1/runs/last/rerun",
    "/api/v1/runs/last/resolve",
    "/api/v1/runs/last/quarantine/replay",
    "/api/v1/bookmarks",
];

#[test]
fn what_changes_something_needs_the_token() {
    let served = Served::new();
    served.write(1, &begun("flights"));
    let token = served.token.reveal();
    let wrong = [
        String::new(),
        "authorization: Bearer".to_owned(),
        "authorization: Bearer ".to_owned(),
        format!("authorization: {token}"),
        format!("authorization: Basic {token}"),
        format!("authorization: Bearer {}", token.to_uppercase().replace('A', "B")),
        format!("authorization: Bearer {}", &token[1..]),
        format!("authorization: Bearer {token}0"),
        format!("authorization: Bearer {token}\r\nauthorization: Bearer {token}"),
        "authorization: Bearer \u{fffd}".to_owned(),
    ];
    for path in CHANGES {
        for wrong in &wrong {
            let head: &[&str] = if wrong.is_empty() { &[] } else { &[wrong] };
            let refused = served.send("POST", path, head, "");
            assert_eq!(refused.status, 401, "{path} {wrong}");
            assert!(refused.header("www-authenticate").starts_with("Bearer"));
            assert!(refused.help().contains("`api.token`") && !refused.body.contains(token), "{refused:?}");
        }
    }
    assert!(served.desk.asked().is_empty());
    // Also for methods that nothing takes, and where nothing is.
    for (method, path) in [("PUT", "/api/v1/runs"), ("DELETE", "/healthz"), ("OPTIONS", "/"), ("POST", "/nowhere")] {
        assert_eq!(served.send(method, path, &[], "").status, 401, "{method} {path}");
        let known = served.send(method, path, &[&served.bearer()], "");
        assert!(known.status == 405 || known.status == 404, "{method} {path}: {known:?}");
    }
    assert_eq!(served.send("PUT", "/api/v1/runs", &[&served.bearer()], "").header("allow"), "GET, HEAD");
    for path in CHANGES {
        // What decides has to be said.
        let body = match path.rsplit('/').next() {
            Some("resolve") => "{\"commit\": true}",
            Some("bookmarks") => "{\"pipeline\": \"flights\", \"stage\": \"read\", \"bookmark\": null}",
            _ => "",
        };
        let known = served.post(path, body);
        assert!(known.status == 202 || known.status == 200 || known.status == 409, "{path}: {known:?}");
        // Where bookmarks are set they are read, too.
        assert_eq!(served.get(path).status, if path == "/api/v1/bookmarks" { 200 } else { 405 }, "{path}");
    }
    assert_eq!(served.desk.asked().len(), CHANGES.len());
    for path in ["/api/v1/runs/last/resolve", "/api/v1/bookmarks"] {
        let unsaid = served.post(path, "");
        assert!(unsaid.status == 422 && served.desk.asked().is_empty(), "{unsaid:?}");
    }
}

#[test]
fn reading_needs_none_on_this_machine() {
    let served = Served::new();
    for path in ["/api/v1/runs", "/api/v1/pipelines", "/healthz", "/readyz", "/metrics"] {
        let read = served.get(path);
        assert_eq!(read.status, 200, "{path}: {read:?}");
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        assert_eq!(read.header("cache-control"), "no-store");
        let head = served.request("HEAD", path, &[], "");
        let mut stream = BufReader::new(connect(served.addr));
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        assert_eq!(super::client::head(&mut stream).0, 200);
    }
}

#[test]
fn other_hosts_are_refused() {
    let served = Served::new();
    let port = served.addr.port();
    let ask = |head: &str| {
        let request = format!("GET /api/v1/runs HTTP/1.1\r\n{head}connection: close\r\n\r\n");
        exchange(served.addr, request.as_bytes())
    };
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "etl.example.com".to_owned()] {
        assert_eq!(ask(&format!("host: {host}\r\n")).status, 200, "{host}");
    }
    let other = if port == 80 { 81 } else { 80 };
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{other}"),
        format!("0.0.0.0:{port}"),
        "".to_owned(),
        "[".to_owned(),
        format!("x@127.0.0.1:{port}"),
    ] {
        let refused = ask(&format!("host: {host}\r\n"));
        assert_eq!(refused.status, 403, "{host}: {refused:?}");
        assert!(refused.help().contains("--host"));
    }
    assert_eq!(ask("").status, 400);
    assert_eq!(ask(&format!("host: 127.0.0.1:{port}\r\nhost: evil.example\r\n")).status, 400);
    // A target with a host of its own.
    let request =
        format!("GET http://evil.example/healthz HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    assert_eq!(exchange(served.addr, request.as_bytes()).status, 403);
}

#[test]
fn pages_of_other_origins_are_refused() {
    let served = Served::new();
    let (bearer, port) = (served.bearer(), served.addr.port());
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("https://127.0.0.1:{port}"),
        "http://127.0.0.1".to_owned(),
        String::new(),
    ] {
        let origin = format!("origin: {origin}");
        for (method, path) in [("GET", "/api/v1/runs"), ("POST", CHANGES[0]), ("OPTIONS", CHANGES[0])] {
            let refused = served.send(method, path, &[&bearer, &origin], "");
            assert_eq!(refused.status, 403, "{method} {origin}");
            assert!(refused.headers.keys().all(|name| !name.starts_with("access-control")));
        }
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(served.send("GET", "/metrics", &[&format!("sec-fetch-site: {site}")], "").status, 403);
    }
    for own in [format!("origin: http://127.0.0.1:{port}"), "sec-fetch-site: same-origin".to_owned()] {
        assert_eq!(served.send("POST", CHANGES[0], &[&bearer, &own], "").status, 202, "{own}");
    }
}

#[test]
fn bodies_are_bounded_and_json() {
    let served = Served::new();
    let path = CHANGES[0];
    let ask = |head: &[&str], body: &str| {
        let bearer = served.bearer();
        let mut all = vec![bearer.as_str(), "connection: close"];
        all.extend(head);
        let request = served.request("POST", path, &all, "") + body;
        exchange(served.addr, request.as_bytes())
    };
    assert_eq!(ask(&["content-length: 2"], "{}").status, 415);
    assert_eq!(ask(&["content-length: 2", "content-type: text/plain"], "{}").status, 415);
    assert_eq!(ask(&["content-length: 2", "content-type: application/json; charset=utf-8"], "{}").status, 202);
    assert_eq!(ask(&["content-length: 65537", "content-type: application/json"], "").status, 413);
    for (body, status, told) in [
        ("{", 400, "EOF"),
        ("[1]", 422, "invalid"),
        ("{\"intervall\": 1}", 422, "unknown field `intervall`"),
        (
            "{\"interval\": {\"start\": \"2026-01-02T00:00:00Z\", \"end\": \"2026-01-01T00:00:00Z\"}}",
            422,
            "ends before",
        ),
        ("{\"interval\": {\"start\": \"never\", \"end\": \"2026-01-01T00:00:00Z\"}}", 422, "year"),
    ] {
        let refused = served.post(path, body);
        assert_eq!(refused.status, status, "{body}: {refused:?}");
        assert!(refused.message().contains(told), "{body}: {refused:?}");
    }
    served.desk.asked();
    let interval = "{\"interval\": {\"start\": \"2026-01-01T00:00:00Z\", \"end\": \"2026-01-02T00:00:00Z\"}}";
    assert_eq!(served.post(path, interval).status, 202);
    assert_eq!(served.desk.asked(), ["start flights Some(\"2026-01-02T00:00:00Z\") false"]);
}

/// Sends 100 MB, and reads the answer only then.
#[test]
fn a_huge_body_is_refused_and_its_sender_told() {
    let served = Served::new();
    for coding in ["content-length: 104857600", "transfer-encoding: chunked"] {
        let mut stream = connect(served.addr);
        let head =
            served.request("POST", CHANGES[0], &[&served.bearer(), "content-type: application/json", coding], "");
        stream.write_all(head.as_bytes()).unwrap();
        let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0;
        // The other end may have stopped listening.
        while sent < 100 * 1024 * 1024 && stream.write_all(piece.as_bytes()).is_ok() {
            sent += piece.len();
        }
        let refused = answer(&mut BufReader::new(stream));
        assert_eq!(refused.status, 413, "{coding}");
        assert!(refused.message().contains("65536 bytes"));
    }
    assert!(served.desk.asked().is_empty());
}

#[test]
fn weird_requests_break_nothing() {
    let served = Served::new();
    served.write(1, &begun("flights"));
    let long = "a".repeat(10_000);
    for path in [
        "//",
        "/api/v1//runs",
        "/api/v1/runs/",
        "/api/v1/runs/../../etc/passwd",
        "/api/v1/runs/%2e%2e%2f%2e%2e",
        "/api/v1/runs/%00",
        "/api/v1/runs/%ff%fe",
        "/api/v1/runs/%",
        "/api/v1/runs/'%20or%201=1--",
        "/api/v1/runs/%25",
        "/api/v1/runs/_",
        "/api/v1/runs/%F0%9F%A6%80",
        "/api/v1/pipelines/%0a",
        "/api/v1/pipelines/..",
        "/API/V1/RUNS",
        &format!("/api/v1/runs/{long}"),
        &format!("/api/v1/pipelines/{long}/schedule"),
    ] {
        let told = served.get(path);
        assert!(matches!(told.status, 400 | 404), "{path}: {told:?}");
        assert!(!told.message().is_empty() && told.header("content-type") == "application/json", "{path}");
    }
    for query in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "state=done",
        "since=now",
        "lim=1",
        "before=zz",
        "limit=1&limit=2",
    ] {
        let told = served.get(&format!("/api/v1/runs?{query}"));
        assert!(matches!(told.status, 400 | 404), "{query}: {told:?}");
        assert!(!told.message().is_empty(), "{query}");
    }
    for bytes in [
        b"\r\n\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        let mut stream = connect(served.addr);
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut told = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut told);
    }
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let request = served.request("GET", "/healthz", &[many.trim_end()], "");
    assert_eq!(exchange(served.addr, request.as_bytes()).status, 431);
    let large = format!("x: {}", "y".repeat(100_000));
    let mut stream = connect(served.addr);
    let _ = stream.write_all(served.request("GET", "/healthz", &[&large], "").as_bytes());
    assert_eq!(answer(&mut BufReader::new(stream)).status, 431);
    assert_eq!(served.get("/healthz").status, 200);
}
