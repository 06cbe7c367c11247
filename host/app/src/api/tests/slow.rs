//! Clients that take their time, and more of them than there are places.

use super::Served;
use super::client::{answer, connect};
use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let served = Served::with(|settings| settings.limits.head = SOON);
    let mut stream = connect(served.addr);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").unwrap();
    let told = answer(&mut BufReader::new(stream));
    assert_eq!(told.status, 408);
    assert!(told.message().contains("in time"));

    // Letter by letter it comes no sooner.
    let mut stream = connect(served.addr);
    while stream.write_all(b"x").is_ok() {}
    // Who says nothing hears nothing.
    let mut silent = connect(served.addr);
    let mut heard = Vec::new();
    silent.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"");
    // Nor does who is answered, and then says nothing.
    let mut kept = BufReader::new(connect(served.addr));
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", served.addr);
    kept.get_mut().write_all(request.as_bytes()).unwrap();
    assert_eq!(answer(&mut kept).status, 200);
    kept.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let served = Served::with(|settings| settings.limits.body = SOON);
    let mut stream = connect(served.addr);
    let head = [served.bearer(), "content-type: application/json".to_owned(), "content-length: 10".to_owned()];
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let request = served.request("POST", "/api/v1/pipelines/flights/runs", &head, "") + "{";
    stream.write_all(request.as_bytes()).unwrap();
    let told = answer(&mut BufReader::new(stream));
    assert_eq!(told.status, 408);
    assert!(served.desk.asked().is_empty());
}

#[test]
fn a_desk_that_hangs_is_not_waited_for() {
    let served = Served::with(|settings| settings.limits.request = SOON);
    *served.desk.held.lock().unwrap() = true;
    let told = served.post("/api/v1/pipelines/flights/runs", "");
    assert_eq!((told.status, told.header("retry-after")), (503, "5"));
    assert_eq!(served.get("/healthz").status, 200);
    *served.desk.held.lock().unwrap() = false;
    served.desk.released.notify_all();
}

#[test]
fn who_does_not_read_is_not_waited_for() {
    let served = Served::with(|settings| settings.limits.write = SOON);
    let mut stream = connect(served.addr);
    let request = format!("GET /api/v1/openapi.json HTTP/1.1\r\nhost: {}\r\n\r\n", served.addr);
    // More answers than the buffers of both ends hold; the writing ends when the other end gives up.
    while stream.write_all(request.as_bytes()).is_ok() {}
    assert_eq!(served.get("/healthz").status, 200);
}

#[test]
fn one_connection_too_many_is_told() {
    let served = Served::with(|settings| settings.limits.connections = 1);
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", served.addr);
    let mut first = BufReader::new(connect(served.addr));
    first.get_mut().write_all(request.as_bytes()).unwrap();
    assert_eq!(answer(&mut first).status, 200);
    let told = answer(&mut BufReader::new(connect(served.addr)));
    assert_eq!((told.status, told.header("retry-after")), (503, "1"));
    // The first still has its place, and gives it back.
    first.get_mut().write_all(request.as_bytes()).unwrap();
    assert_eq!(answer(&mut first).status, 200);
    drop(first);
    let mut line = String::new();
    while !line.contains(" 200 ") {
        let mut next = BufReader::new(connect(served.addr));
        line.clear();
        // Refused with its request unread, a connection may be reset.
        let _ = next.get_mut().write_all(request.as_bytes()).and_then(|()| next.read_line(&mut line));
    }
}

#[test]
fn requests_under_way_are_answered_as_the_host_ends() {
    let mut served = Served::new();
    *served.desk.held.lock().unwrap() = true;
    let mut stream = BufReader::new(connect(served.addr));
    let request = served.request("POST", "/api/v1/pipelines/flights/runs", &[&served.bearer()], "");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    while served.desk.asked().is_empty() {
        std::thread::yield_now();
    }
    let _ = served.stop.take().unwrap().send(());
    *served.desk.held.lock().unwrap() = false;
    served.desk.released.notify_all();
    assert_eq!(answer(&mut stream).status, 202);
    served.stop();
    assert!(std::net::TcpStream::connect(served.addr).is_err());
}
