//! Webhooks.

use super::server::{AUTHORITY, Serve, Stream, line, serve, tls, until_the_end};
use super::{LONG, SHORT, again, courier, courier_that_trusts, given_up, post};
use sluicebox_alert::{Courier, CourierSettings, Delivery};
use std::net::TcpListener;
use std::time::Duration;

/// What was asked of a webhook.
#[derive(Debug)]
struct Asked {
    head: Vec<String>,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let value =
            |line: &'_ String| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).is_some();
        self.head.iter().find(|line| value(line)).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }
}

fn asked(stream: &mut dyn Stream) -> Asked {
    let mut head = Vec::new();
    loop {
        let line = line(stream);
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let mut asked = Asked { head, body: String::new() };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    asked.body = String::from_utf8(body).unwrap();
    asked
}

/// Answers with a text.
fn answer(answer: impl Into<String>) -> Serve<Asked> {
    let answer = answer.into();
    Box::new(move |mut stream| {
        let asked = asked(&mut *stream);
        let _ = stream.write_all(answer.as_bytes());
        asked
    })
}

fn status(status: &str, rest: &str, body: &str) -> Serve<Asked> {
    answer(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{rest}\r\n{body}", body.len()))
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/services/T01/secretsecret")
}

#[test]
fn an_alert_is_posted() {
    let (port, seen) = serve(vec![status("200 OK", "", "ok")]);
    assert_eq!(post(&courier(LONG), &url(port)), Delivery::Delivered);
    let asked = seen.recv_timeout(LONG).unwrap();
    assert_eq!(asked.head[0], "POST /services/T01/secretsecret HTTP/1.1");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert!(asked.header("user-agent").unwrap().starts_with("sluicebox/"));
    let json: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(asked.header("idempotency-key"), json["id"].as_str());
    assert_eq!(json["pipeline"], "flights");
    assert!(json["text"].as_str().unwrap().starts_with("flights failed\n"));
}

#[test]
fn a_server_that_fails_is_tried_again() {
    let connections = vec![status("500 Oh", "", "out of \u{1b}[31mpaper"), status("204 No Content", "", "")];
    let (port, seen) = serve(connections);
    let courier = courier(LONG);
    let reason = again(post(&courier, &url(port)));
    assert_eq!(reason, format!("127.0.0.1:{port} answered 500: out of \\u{{1b}}[31mpaper"));
    assert_eq!(post(&courier, &url(port)), Delivery::Delivered);
    let (first, second) = (seen.recv_timeout(LONG).unwrap(), seen.recv_timeout(LONG).unwrap());
    assert_eq!(first.header("idempotency-key"), second.header("idempotency-key"));
}

#[test]
fn a_busy_server_says_when() {
    let (port, _) = serve(vec![status("429 Too Many", "retry-after: 30\r\n", "")]);
    let after = Some(Duration::from_secs(30));
    let reason = format!("127.0.0.1:{port} answered 429");
    assert_eq!(post(&courier(LONG), &url(port)), Delivery::TryAgain { reason, after });
}

#[test]
fn what_is_refused_is_given_up_and_the_address_kept() {
    let body = "no_such_hook /services/T01/secretsecret, secretsecret";
    let (port, _) = serve(vec![status("404 Not Found", "", body), status("400 Bad", "", "invalid_payload")]);
    let reason = given_up(post(&courier(LONG), &url(port)));
    assert_eq!(reason, format!("127.0.0.1:{port} answered 404, there is no such webhook: no_such_hook ..., ..."));
    let reason = given_up(post(&courier(LONG), &url(port)));
    assert!(reason.ends_with("it does not take the alert: invalid_payload"), "{reason}");
    for bad in ["", "nonsense", "ftp://example.org/secret", "https://"] {
        let reason = given_up(post(&courier(LONG), bad));
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[test]
fn nothing_is_sent_elsewhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = elsewhere.local_addr().unwrap().port();
    for code in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let (port, _) = serve(vec![status(code, &format!("location: http://localhost:{to}/newsecret\r\n"), "")]);
        let reason = given_up(post(&courier(LONG), &url(port)));
        assert!(reason.contains(&format!("has moved to localhost:{to}, and alerts do not follow")), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "somebody came");
}

#[test]
fn a_server_that_hangs_is_left() {
    let hang: Serve<Asked> = Box::new(|mut stream| {
        let asked = asked(&mut *stream);
        until_the_end(&mut *stream);
        asked
    });
    // One that goes on for ever, a little at a time.
    let drip: Serve<Asked> = Box::new(|mut stream| {
        let asked = asked(&mut *stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: and more\r\n").is_ok() {}
        asked
    });
    let (port, seen) = serve(vec![hang, drip]);
    let reason = again(post(&courier(SHORT), &url(port)));
    assert_eq!(reason, format!("127.0.0.1:{port} did not answer within 0.3s"));
    seen.recv_timeout(LONG).unwrap();
    let reason = again(post(&courier(LONG), &url(port)));
    assert!(reason.contains("cannot be reached"), "{reason}");
    // Nobody takes the connection up.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    again(post(&courier(SHORT), &url(listener.local_addr().unwrap().port())));
}

#[test]
fn answers_are_read_only_so_far() {
    let flood = |status: &'static str| -> Serve<Asked> {
        Box::new(move |mut stream| {
            let asked = asked(&mut *stream);
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 1000000000000\r\n\r\n").as_bytes());
            // As much as is taken; ten megabytes are more than any pipe of the machine holds.
            let piece = [b'x'; 65536];
            let mut written = 0;
            while written < 10 << 20 && stream.write_all(&piece).is_ok() {
                written += piece.len();
            }
            assert!(written < 10 << 20, "all of it was read");
            asked
        })
    };
    let (port, seen) = serve(vec![flood("500 Oh"), flood("200 OK")]);
    let courier = courier(LONG);
    let reason = again(post(&courier, &url(port)));
    assert!(reason.len() < 500, "{reason}");
    assert!(reason.contains("answered 500: xxxx"), "{reason}");
    assert_eq!(post(&courier, &url(port)), Delivery::Delivered);
    seen.recv_timeout(LONG).unwrap();
    seen.recv_timeout(LONG).unwrap();
}

#[test]
fn what_is_no_http_is_told() {
    let (port, _) = serve(vec![answer("220 mail.example.org ESMTP\r\n"), answer("")]);
    let reason = again(post(&courier(LONG), &url(port)));
    assert!(reason.contains("cannot be reached"), "{reason}");
    again(post(&courier(LONG), &url(port)));
    // Nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let reason = again(post(&courier(LONG), &url(port)));
    assert!(reason.contains("refused"), "{reason}");
    let reason = again(post(&courier(LONG), "http://no-such-host.invalid/secretsecret"));
    assert!(reason.contains("no-such-host.invalid") && !reason.contains("secret"), "{reason}");
}

#[test]
fn tls_is_checked() {
    let secret = |port: u16| format!("https://localhost:{port}/secretsecret");
    // By an authority that is trusted.
    let (port, seen) = tls(status("200 OK", "", ""));
    assert_eq!(post(&courier_that_trusts(LONG, Some(AUTHORITY)), &secret(port)), Delivery::Delivered);
    assert!(seen.recv_timeout(LONG).unwrap().is_some());
    // By one that is not.
    let (port, seen) = tls(status("200 OK", "", ""));
    let reason = again(post(&courier(LONG), &secret(port)));
    assert!(
        reason.contains(&format!("the certificate of localhost:{port} is signed by nobody who is trusted")),
        "{reason}"
    );
    assert!(seen.recv_timeout(LONG).unwrap().is_none(), "something was sent");
    // Without TLS.
    let (port, _) = serve(vec![Box::new(|mut stream: Box<dyn Stream>| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        until_the_end(&mut *stream);
    }) as Serve<()>]);
    let reason = again(post(&courier(LONG), &secret(port)));
    assert!(reason.contains("does not speak TLS there"), "{reason}");
    for bad in [&b"nonsense"[..], b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
        let settings = CourierSettings { roots: Some(bad.to_vec()), ..CourierSettings::default() };
        assert!(Courier::new(settings).is_err());
    }
}
