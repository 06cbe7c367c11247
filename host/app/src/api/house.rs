//! What the house decided and noticed: fires, skips, refusals, alerts and so on, each with its reason.

use super::Api;
use super::error::{Answer, Problem, ProblemBody};
use super::extract::Asked;
use super::runs::bounded;
use super::schemas;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluicebox_model::house::{HouseEntry, HouseEvent};
use sluicebox_model::pipeline::suggest;
use sluicebox_store::HouseFilter;
use utoipa::{IntoParams, ToSchema};

/// Which events of the house.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those about this pipeline.
    pipeline: Option<String>,
    /// Only those with one of these names, e.g. `skipped`; several joined by commas.
    kind: Option<String>,
    /// Only those behind the one with this id, the oldest first.
    after: Option<u64>,
    /// Only those before the one with this id.
    before: Option<u64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u64>,
}

/// Events of the house.
#[derive(Serialize, ToSchema)]
pub(super) struct HouseEvents {
    /// The newest first; with `after` the oldest first.
    #[schema(value_type = Vec<schemas::HouseEntry>)]
    events: Vec<HouseEntry>,
    /// What to give as `before`, or with `after` as `after`, for more; null: there are no more so far.
    #[schema(required)]
    next: Option<u64>,
}

/// What was decided and noticed, each with its reason: fires, skips, refusals, alerts and so on
#[utoipa::path(get, path = "/api/v1/events", operation_id = "list_events", tag = "host", params(Which),
    responses((status = 200, body = HouseEvents), (status = 400, body = ProblemBody)))]
pub(super) async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Answer<HouseEvents> {
    let limit = bounded(which.limit, 100)?;
    let filter = HouseFilter {
        after: which.after,
        before: which.before,
        pipeline: which.pipeline,
        kinds: kinds(which.kind.as_deref())?,
        // One more tells whether there are others.
        limit: u32::try_from(limit + 1).ok(),
        newest_first: which.after.is_none(),
    };
    let work = move |store: &sluicebox_store::Store| {
        let mut events = store.house_events(&filter)?;
        let more = events.len() as u64 > limit;
        let next = more.then(|| events.pop().and_then(|_| events.last()).map(|entry| entry.id)).flatten();
        Ok(HouseEvents { events, next })
    };
    Ok(Json(api.read(work).await?))
}

fn kinds(text: Option<&str>) -> Result<Vec<String>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty());
    let known =
        |word: &str| match HouseEvent::NAMES.contains(&word) {
            true => Ok(word.to_owned()),
            false => Err(Problem::bad_request(format!("there is no event `{word}`"))
                .help(suggest::help(word, &HouseEvent::NAMES))),
        };
    words.map(known).collect()
}
