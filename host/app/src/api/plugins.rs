//! The plugins that the host offers, and the files that it refuses.

use super::Api;
use super::desk::PluginsView;
use super::error::Answer;
use axum::Json;
use axum::extract::State;

/// The plugins that pipelines may use, and the files that are none
#[utoipa::path(get, path = "/api/v1/plugins", operation_id = "list_plugins", tag = "plugins", responses((status = 200, body = PluginsView)))]
pub(super) async fn list(State(api): State<Api>) -> Answer<PluginsView> {
    Ok(Json(api.ask(|desk| desk.plugins()).await?))
}
