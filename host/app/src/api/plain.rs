//! Answers as a terminal may show them: what a guest said of itself, and rows that were set aside, may hold what steers it.

use crate::show::human;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use http_body_util::BodyExt;

/// Escapes what would steer a terminal in JSON, whole or as events come.
pub(super) async fn plain(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_vec()).unwrap_or_default();
    if kind.starts_with(b"text/event-stream") {
        return response.map(|body| Body::new(body.map_frame(|frame| frame.map_data(escaped))));
    }
    if !kind.starts_with(b"application/json") && !kind.starts_with(b"application/problem+json") {
        return response;
    }
    let (parts, body) = response.into_parts();
    match body.collect().await {
        Ok(whole) => Response::from_parts(parts, Body::from(escaped(whole.to_bytes()))),
        // It was made here, so it does not break off.
        Err(_) => Response::from_parts(parts, Body::empty()),
    }
}

fn escaped(bytes: Bytes) -> Bytes {
    match std::str::from_utf8(&bytes).map(human::json) {
        Ok(std::borrow::Cow::Owned(text)) => Bytes::from(text),
        _ => bytes,
    }
}
