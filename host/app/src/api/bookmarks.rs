//! Where extracts resume.

use super::Api;
use super::error::Answer;
use super::extract::Asked;
use super::schemas;
use axum::Json;
use axum::extract::State;
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
