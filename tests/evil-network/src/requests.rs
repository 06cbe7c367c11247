//! Requests by `wasi:http`.

use sluicebox_stage::Fault;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::{OutputStream, StreamError};

/// What came of it, as a row.
pub(crate) fn told(result: Result<String, Fault>) -> String {
    match result {
        Ok(said) => said,
        Err(fault) => fault.to_string(),
    }
}

fn fault(code: ErrorCode) -> Fault {
    let message = format!("evil: {code:?}");
    match code {
        ErrorCode::HttpRequestDenied
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::TlsCertificateError => Fault::denied(message),
        _ => Fault::unavailable(message),
    }
}

fn wrong(what: &str) -> Fault {
    Fault::internal(format!("evil: {what}"))
}

/// A request to the server of a URL, and its path.
fn request(url: &str, fields: Fields) -> Result<OutgoingRequest, Fault> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("no URL"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let request = OutgoingRequest::new(fields);
    request.set_scheme(Some(&scheme)).map_err(|()| wrong("the scheme was not taken"))?;
    request.set_authority(Some(authority)).map_err(|()| wrong("the authority was not taken"))?;
    let path = format!("/{path}");
    request.set_path_with_query(Some(&path)).map_err(|()| wrong("the path was not taken"))?;
    Ok(request)
}

/// Waits for the head of the answer.
fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, Fault> {
    loop {
        match future.get() {
            Some(answer) => return answer.map_err(|()| wrong("the answer was taken before"))?.map_err(fault),
            None => future.subscribe().block(),
        }
    }
}

fn send(request: OutgoingRequest) -> Result<IncomingResponse, Fault> {
    answer(&handle(request, None).map_err(fault)?)
}

/// Reads a body, calling `take` with each piece.
fn read(answer: &IncomingResponse, mut take: impl FnMut(Vec<u8>)) -> Result<(), Fault> {
    let body = answer.consume().map_err(|()| wrong("the body was taken before"))?;
    let stream = body.stream().map_err(|()| wrong("the stream was taken before"))?;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(bytes) => take(bytes),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match wasip2::http::types::http_error_code(&error) {
                    Some(code) => fault(code),
                    None => Fault::unavailable(format!("evil: {}", error.to_debug_string())),
                });
            }
        }
    }
}

fn said(answer: &IncomingResponse) -> Result<String, Fault> {
    let mut body = Vec::new();
    read(answer, |bytes| body.extend(bytes))?;
    Ok(format!("{} {}", answer.status(), String::from_utf8_lossy(&body)))
}

pub(crate) fn get(url: &str) -> Result<String, Fault> {
    said(&send(request(url, Fields::new())?)?)
}

pub(crate) fn follow(url: &str) -> Result<Vec<String>, Fault> {
    let answer = send(request(url, Fields::new())?)?;
    let to = answer.headers().get("location").into_iter().next().unwrap_or_default();
    let first = said(&answer)?;
    Ok(vec![first, told(get(&String::from_utf8_lossy(&to)))])
}

pub(crate) fn get_path(url: &str, path: &str) -> Result<String, Fault> {
    let request = request(url, Fields::new())?;
    request.set_path_with_query(Some(path)).map_err(|()| Fault::denied("evil: the path was not taken"))?;
    said(&send(request)?)
}

pub(crate) fn connect(url: &str) -> Result<String, Fault> {
    let request = request(url, Fields::new())?;
    request.set_method(&Method::Connect).map_err(|()| wrong("the method was not taken"))?;
    said(&send(request)?)
}

pub(crate) fn with_header(url: &str, name: &str, value: &str) -> Result<String, Fault> {
    let fields = Fields::new();
    fields.append(name, value.as_bytes()).map_err(|error| Fault::denied(format!("evil: {name}: {error:?}")))?;
    said(&send(request(url, fields)?)?)
}

pub(crate) fn take_all(url: &str) -> Result<String, Fault> {
    let answer = send(request(url, Fields::new())?)?;
    let mut bytes = 0;
    read(&answer, |piece| bytes += piece.len())?;
    Ok(format!("{bytes} bytes"))
}

pub(crate) fn send_for_ever(url: &str) -> Result<String, Fault> {
    let request = request(url, Fields::new())?;
    request.set_method(&Method::Post).map_err(|()| wrong("the method was not taken"))?;
    let body = request.body().map_err(|()| wrong("there is no body"))?;
    let _future = handle(request, None).map_err(fault)?;
    let stream = body.write().map_err(|()| wrong("there is no stream"))?;
    let piece = vec![b'x'; 4096];
    let mut bytes = 0_u64;
    loop {
        if stream.blocking_write_and_flush(&piece).is_err() {
            return Err(Fault::unavailable(format!("evil: the stream ended after {bytes} bytes")));
        }
        bytes += piece.len() as u64;
    }
}

pub(crate) fn many(url: &str, times: u64) -> Result<String, Fault> {
    let mut futures = Vec::new();
    for _ in 0..times {
        futures.push(handle(request(url, Fields::new())?, None).map_err(fault)?);
    }
    let mut outcomes = std::collections::BTreeMap::<String, u64>::new();
    // The answers are kept, so that their connections stay.
    let mut kept = Vec::new();
    for future in &futures {
        let outcome = match answer(future) {
            Ok(answer) => {
                let status = answer.status().to_string();
                kept.push(answer);
                status
            }
            Err(fault) => fault.message,
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    Ok(format!("{outcomes:?}"))
}

pub(crate) fn hoard_fields(times: u64) -> Result<String, Fault> {
    let value = vec![b'x'; 16 * 1024];
    let mut kept = Vec::new();
    for _ in 0..times {
        let fields = Fields::new();
        fields.append("x", &value).map_err(|error| Fault::denied(format!("evil: {error:?}")))?;
        kept.push(fields);
    }
    Ok(format!("{} lists of fields", kept.len()))
}

pub(crate) fn hoard_bodies(times: u64) -> Result<String, Fault> {
    let piece = vec![b'x'; 64 * 1024];
    // A stream goes before its body.
    let mut kept: Vec<(OutputStream, OutgoingBody, OutgoingRequest)> = Vec::new();
    for _ in 0..times {
        let request = OutgoingRequest::new(Fields::new());
        let body = request.body().map_err(|()| wrong("there is no body"))?;
        let stream = body.write().map_err(|()| wrong("there is no stream"))?;
        while let Ok(room) = stream.check_write() {
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len());
            if room == 0 || stream.write(piece.get(..room).unwrap_or_default()).is_err() {
                break;
            }
        }
        kept.push((stream, body, request));
    }
    Ok(format!("{} requests", kept.len()))
}

pub(crate) fn long_method() -> Result<String, Fault> {
    let request = OutgoingRequest::new(Fields::new());
    match request.set_method(&Method::Other("X".repeat(10_000_000))) {
        Ok(()) => Ok("taken".to_owned()),
        Err(()) => Err(Fault::denied("evil: the method was not taken")),
    }
}
