//! What the API is, in the form that programs read: made from the endpoints, so that it has all of them and no other.

use super::{Api, bookmarks, events, health, house, metrics, pipelines, plugins, quarantine, runs};
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{RefOr, Required};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(info(
    title = "sluicebox",
    description = "Pipelines that a `sluicebox serve` looks after: what they did, and what they are to do. Reading needs the \
                   bearer token unless it is asked from the same machine; what changes something always does.",
    license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
))]
struct Head;

/// The routes, and what they are.
pub(super) fn documented() -> (Router<Api>, utoipa::openapi::OpenApi) {
    let (router, mut openapi) = OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(pipelines::list))
        .routes(routes!(pipelines::show))
        .routes(routes!(pipelines::schedule))
        .routes(routes!(pipelines::start))
        .routes(routes!(pipelines::pause))
        .routes(routes!(pipelines::resume))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::logs))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::rerun))
        .routes(routes!(runs::replay))
        .routes(routes!(runs::resolve))
        .routes(routes!(events::events))
        .routes(routes!(house::list))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::show))
        .routes(routes!(bookmarks::list))
        .routes(routes!(bookmarks::set))
        .routes(routes!(plugins::list))
        .routes(routes!(described))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .split_for_parts();
    complete(&mut openapi);
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    openapi.components.get_or_insert_default().add_security_scheme("token", token);
    (router, openapi)
}

/// What the endpoints do not say of themselves: no body of a request is needed; an answer needs a description, and most need
/// none, since what its status means says it all.
fn complete(openapi: &mut utoipa::openapi::OpenApi) {
    let operations = openapi.paths.paths.values_mut().flat_map(|item| [&mut item.get, &mut item.post]).flatten();
    for operation in operations {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.required = Some(Required::False);
        }
        for (status, answer) in &mut operation.responses.responses {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            if let (RefOr::T(answer), Some(reason)) = (answer, status.and_then(|status| status.canonical_reason()))
                && answer.description.is_empty()
            {
                answer.description = reason.to_owned();
            }
        }
    }
}

/// The description of the API, as JSON text.
pub fn openapi() -> String {
    let (_, openapi) = documented();
    let mut text = serde_json::to_string_pretty(&openapi).unwrap_or_default();
    text.push('\n');
    text
}

/// This description of the API
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "describe", tag = "host", responses((status = 200, body = Object)))]
async fn described() -> Json<utoipa::openapi::OpenApi> {
    Json(documented().1)
}
