//! Where extracts resume, and to set that by hand.

use super::Api;
use super::desk::BookmarkAsk;
use super::error::{Answer, Problem, ProblemBody};
use super::extract::{Asked, Told};
use super::schemas;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which bookmarks.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those of this pipeline.
    pipeline: Option<String>,
}

/// Where extracts resume.
#[derive(Serialize, ToSchema)]
pub(super) struct Bookmarks {
    /// By pipeline and stage.
    #[schema(value_type = Vec<schemas::Bookmark>)]
    bookmarks: Vec<sluicebox_store::Bookmark>,
}

/// Where extracts resume
#[utoipa::path(get, path = "/api/v1/bookmarks", operation_id = "list_bookmarks", tag = "bookmarks", params(Which), responses((status = 200, body = Bookmarks)))]
pub(super) async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Answer<Bookmarks> {
    let bookmarks = api.read(move |store| Ok(store.bookmarks(which.pipeline.as_deref())?)).await?;
    Ok(Json(Bookmarks { bookmarks }))
}

/// What a bookmark was.
#[derive(Serialize, ToSchema)]
pub(super) struct Moved {
    /// Before; null: there was none.
    #[schema(value_type = Option<schemas::Bookmark>, required)]
    before: Option<sluicebox_store::Bookmark>,
}

/// Set where an extract resumes, or let it read everything
#[utoipa::path(post, path = "/api/v1/bookmarks", operation_id = "set_bookmark", tag = "bookmarks",
    request_body = BookmarkAsk, security(("token" = [])),
    responses((status = 200, body = Moved), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn set(State(api): State<Api>, Told(ask): Told<BookmarkAsk>) -> Answer<Moved> {
    if ask.pipeline.is_empty() || ask.stage.is_empty() {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the body does not say whose bookmark is set");
        return Err(
            problem.help("`{\"pipeline\": NAME, \"stage\": STAGE, \"bookmark\": TEXT}`, or `null` for the beginning")
        );
    }
    let before = api.ask(move |desk| desk.set_bookmark(&ask)).await?;
    Ok(Json(Moved { before }))
}
