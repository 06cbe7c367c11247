//! Pipelines, and what they are told to do.

use super::Api;
use super::desk::{PipelineView, ScheduleView, StartAsk};
use super::error::{Answer, Problem, ProblemBody};
use super::extract::{Asked, Named, Told};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use sluicebox_model::run::RunId;
use utoipa::{IntoParams, ToSchema};

/// The pipelines that are looked after.
#[derive(Serialize, ToSchema)]
pub(super) struct Pipelines {
    /// By name.
    pipelines: Vec<PipelineView>,
}

/// How far ahead.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ahead {
    /// So many times.
    #[param(minimum = 1, maximum = 500, default = 10)]
    next: Option<u64>,
}

/// A run that was queued.
#[derive(Serialize, ToSchema)]
pub(super) struct Queued {
    /// The run.
    #[schema(value_type = String)]
    pub(super) run: RunId,
}

/// Why a pipeline is paused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PauseAsk {
    /// For people.
    reason: String,
}

/// What a pipeline is after it was paused or resumed.
#[derive(Serialize, ToSchema)]
pub(super) struct Paused {
    /// The pipeline.
    pipeline: String,
    /// Whether it is paused.
    paused: bool,
}

/// The pipelines that are looked after
#[utoipa::path(get, path = "/api/v1/pipelines", operation_id = "list_pipelines", tag = "pipelines", responses((status = 200, body = Pipelines)))]
pub(super) async fn list(State(api): State<Api>) -> Answer<Pipelines> {
    Ok(Json(Pipelines { pipelines: api.ask(|desk| desk.pipelines()).await? }))
}

/// A pipeline: what it is for, when it runs, how it goes
#[utoipa::path(get, path = "/api/v1/pipelines/{name}", operation_id = "show_pipeline", tag = "pipelines", params(("name" = String, description = "Its name")),
    responses((status = 200, body = PipelineView), (status = 404, body = ProblemBody)))]
pub(super) async fn show(State(api): State<Api>, Named(name): Named) -> Answer<PipelineView> {
    Ok(Json(api.ask(move |desk| desk.pipeline(&name)).await?))
}

/// The next times at which a pipeline runs by itself
#[utoipa::path(get, path = "/api/v1/pipelines/{name}/schedule", operation_id = "show_schedule", tag = "pipelines",
    params(("name" = String, description = "Its name"), Ahead),
    responses((status = 200, body = ScheduleView), (status = 404, body = ProblemBody)))]
pub(super) async fn schedule(
    State(api): State<Api>,
    Named(name): Named,
    Asked(ahead): Asked<Ahead>,
) -> Answer<ScheduleView> {
    let next = super::runs::bounded(ahead.next, 10)? as usize;
    Ok(Json(api.ask(move |desk| desk.schedule(&name, next)).await?))
}

/// Run a pipeline
#[utoipa::path(post, path = "/api/v1/pipelines/{name}/runs", operation_id = "start_run", tag = "pipelines", params(("name" = String, description = "Its name")),
    request_body = StartAsk, security(("token" = [])),
    responses(
        (status = 202, body = Queued, headers(("location", description = "The run"))),
        (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn start(
    State(api): State<Api>,
    Named(name): Named,
    Told(ask): Told<StartAsk>,
) -> Result<impl IntoResponse, Problem> {
    if ask.interval.is_some_and(|interval| interval.start > interval.end) {
        let message = "the interval ends before it starts";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message).help("`start` is the earlier of the two"));
    }
    Ok(queued(api.ask(move |desk| desk.start(&name, &ask)).await?))
}

/// Tells of a run that was queued, and where it is.
pub(super) fn queued(run: RunId) -> impl IntoResponse {
    (StatusCode::ACCEPTED, [(LOCATION, format!("/api/v1/runs/{run}"))], Json(Queued { run }))
}

/// Keep a pipeline from running by itself
#[utoipa::path(post, path = "/api/v1/pipelines/{name}/pause", operation_id = "pause_pipeline", tag = "pipelines", params(("name" = String, description = "Its name")),
    request_body = PauseAsk, security(("token" = [])),
    responses((status = 200, body = Paused), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn pause(State(api): State<Api>, Named(name): Named, Told(ask): Told<PauseAsk>) -> Answer<Paused> {
    let pipeline = name.clone();
    api.ask(move |desk| desk.pause(&name, &ask.reason)).await?;
    Ok(Json(Paused { pipeline, paused: true }))
}

/// Let a pipeline run by itself again
#[utoipa::path(post, path = "/api/v1/pipelines/{name}/resume", operation_id = "resume_pipeline", tag = "pipelines", params(("name" = String, description = "Its name")),
    security(("token" = [])),
    responses((status = 200, body = Paused), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn resume(State(api): State<Api>, Named(name): Named, _none: Told<NoAsk>) -> Answer<Paused> {
    let pipeline = name.clone();
    api.ask(move |desk| desk.resume(&name)).await?;
    Ok(Json(Paused { pipeline, paused: false }))
}

/// Nothing is asked for: `{}`, or no body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoAsk {}
