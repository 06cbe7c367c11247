//! Whether the host lives, and whether it works.

use super::Api;
use super::error::{Answer, Problem, ProblemBody};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// Well.
#[derive(Serialize, ToSchema)]
pub(super) struct Well {
    /// Always true: what is not well is answered as an error.
    ok: bool,
}

/// Whether the host lives
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "host", responses((status = 200, body = Well)))]
pub(super) async fn healthz() -> Json<Well> {
    Json(Well { ok: true })
}

/// Whether the host runs pipelines and its store can be read
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "host", responses((status = 200, body = Well), (status = 503, body = ProblemBody)))]
pub(super) async fn readyz(State(api): State<Api>) -> Answer<Well> {
    let ready = api.ask(|desk| Ok(desk.ready())).await?;
    ready.map_err(|why| {
        let problem = Problem::busy(why.message, 5);
        why.help.into_iter().fold(problem, Problem::help)
    })?;
    let readable = api.read(|store| Ok(store.last_position().map(|_| ())?)).await;
    readable.map_err(|_| Problem::busy("the store cannot be read", 5).help("the log of `serve` says why"))?;
    Ok(Json(Well { ok: true }))
}
