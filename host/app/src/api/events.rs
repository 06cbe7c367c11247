//! The events of a run: as a list, or as they come.

use super::Api;
use super::error::{Problem, ProblemBody};
use super::extract::{Asked, Named};
use super::feed::{Followed, Known};
use super::runs::bounded;
use super::schemas;
use crate::queued::{Found, find};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use sluicebox_model::house::QueueState;
use sluicebox_model::run::RunId;
use sluicebox_store::{JournalEntry, Store};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

const STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events that are read at once.
const PAGE: u32 = 500;
/// Bytes that are sent at once, beyond which events, or the rest of a long one, wait until they are taken: so much waits for a
/// client that does not read.
const CHUNK_BYTES: usize = 64 * 1024;

/// Which events.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those behind the one with this number, counted from 0.
    after: Option<u64>,
    /// At most so many; not of a stream.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<u64>,
}

/// Events of a run.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    /// The run.
    #[schema(value_type = String)]
    run: RunId,
    /// In order.
    #[schema(value_type = Vec<schemas::JournalEntry>)]
    events: Vec<JournalEntry>,
    /// What to give as `after` for more; null: there are no more so far.
    #[schema(required)]
    next: Option<u64>,
}

/// The events of a run: a list, or, with `Accept: text/event-stream`, server-sent events until it ends
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", operation_id = "show_events", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`"), Which,
        ("Last-Event-ID" = Option<u64>, Header, description = "Of a stream: only events behind the one with this number")),
    responses(
        (status = 200, content((Events = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "Of a stream: the run has ended, and nothing follows that event"),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn events(
    State(api): State<Api>,
    Named(id): Named,
    Asked(which): Asked<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if headers.get_all(ACCEPT).iter().any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(STREAM))) {
        let after = match headers.get(LAST_EVENT_ID) {
            None => which.after,
            Some(id) => Some(number(id).ok_or_else(|| Problem::bad_request("`Last-Event-ID` is no number"))?),
        };
        return stream(api, id, after).await;
    }
    let limit = bounded(which.limit, u64::from(PAGE))?;
    let work = move |store: &Store| {
        let run = find(store, &id)?.id();
        let mut events = store.events_after(run, which.after, u32::try_from(limit + 1).unwrap_or(PAGE))?;
        let next = match events.len() as u64 > limit {
            true => events.pop().and_then(|_| events.last()).map(|entry| entry.sequence),
            false => None,
        };
        Ok(Events { run, events, next })
    };
    Ok(Json(api.read(work).await?).into_response())
}

fn number(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim().parse().ok()
}

async fn stream(api: Api, id: String, after: Option<u64>) -> Result<Response, Problem> {
    let busy = |_| Problem::busy("too many event streams are open", 10).help("close some, or ask for the list");
    let place = Arc::clone(&api.streams).try_acquire_owned().map_err(busy)?;
    let run = api.read(move |store| Ok(find(store, &id)?.id())).await?;
    let followed = api.feed.follow(run);
    let mut stream = Stream {
        versions: followed.version.subscribe(),
        closed: api.closed.clone(),
        part: 0,
        sent: after.map_or(0, |after| usize::try_from(after).unwrap_or(usize::MAX).saturating_add(1)),
        followed,
        api,
        _place: place,
    };
    // A client that has all is told to come no more, which a browser otherwise does for ever.
    let seen = *stream.versions.borrow_and_update();
    stream.refresh(seen).await?;
    let over =
        { matches!(&*stream.followed.known.lock().await, known if known.ended && known.frames.len() <= stream.sent) };
    if over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let body = unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((Ok::<_, Infallible>(chunk), stream))
    });
    // Something between may hold back what comes bit by bit, unless it is told.
    let headers = [(CONTENT_TYPE, STREAM), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A client that is sent the events of a run.
struct Stream {
    api: Api,
    followed: Arc<Followed>,
    versions: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
    /// So many events the client has.
    sent: usize,
    /// And so many bytes of the next.
    part: usize,
    _place: OwnedSemaphorePermit,
}

impl Stream {
    /// What is to be sent next; none: nothing follows.
    async fn next(&mut self) -> Option<Bytes> {
        let keep_alive = Instant::now() + self.api.limits.keep_alive;
        loop {
            let seen = *self.versions.borrow_and_update();
            // Should the store not be readable, the client comes again.
            self.refresh(seen).await.ok()?;
            {
                let known = self.followed.known.lock().await;
                if let Some(chunk) = chunk(&known, &mut self.sent, &mut self.part) {
                    return Some(chunk);
                }
                if known.ended {
                    return None;
                }
            }
            tokio::select! {
                _ = self.closed.wait_for(|closed| *closed) => return None,
                changed = self.versions.changed() => changed.ok()?,
                () = tokio::time::sleep_until(keep_alive) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// Reads what is new, unless another stream of the run has.
    async fn refresh(&self, version: u64) -> Result<(), Problem> {
        let mut known = self.followed.known.lock().await;
        while known.version < version && !known.ended {
            let (run, from) = (self.followed.run, known.frames.len() as u64);
            let (entries, gone) = self.api.read(move |store| news(store, run, from)).await?;
            self.followed.begun.fetch_or(!entries.is_empty(), Ordering::Relaxed);
            known.ended = gone;
            entries.iter().for_each(|entry| known.push(entry));
            if entries.len() < PAGE as usize {
                known.version = version;
            }
        }
        Ok(())
    }
}

/// The events of a run from a number on, and whether the run left the queue without any.
fn news(store: &Store, run: RunId, from: u64) -> Result<(Vec<JournalEntry>, bool), Problem> {
    let entries = store.events_after(run, from.checked_sub(1), PAGE)?;
    if !entries.is_empty() || from > 0 {
        return Ok((entries, false));
    }
    let waits =
        |queued: &sluicebox_model::house::QueuedRun| matches!(queued.state, QueueState::Waiting | QueueState::Started);
    match find(store, &run.to_string())? {
        Found::Begun(_) => Ok((store.events_after(run, None, PAGE)?, false)),
        Found::Queued(queued) => Ok((entries, !waits(&queued))),
    }
}

/// Events that the client does not have, or a part of one, up to a bound; none: it has all.
fn chunk(known: &Known, sent: &mut usize, part: &mut usize) -> Option<Bytes> {
    let next = known.frames.get(*sent)?;
    if next.len() > CHUNK_BYTES {
        let end = part.saturating_add(CHUNK_BYTES).min(next.len());
        let slice = next.slice((*part).min(end)..end);
        (*sent, *part) = if end == next.len() { (*sent + 1, 0) } else { (*sent, end) };
        return Some(slice);
    }
    let mut chunk = Vec::new();
    for frame in known.frames.iter().skip(*sent) {
        if !chunk.is_empty() && chunk.len() + frame.len() > CHUNK_BYTES {
            break;
        }
        chunk.extend_from_slice(frame);
        *sent += 1;
    }
    (!chunk.is_empty()).then(|| chunk.into())
}
