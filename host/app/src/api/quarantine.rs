//! Rows that were set aside.

use super::Api;
use super::error::{Answer, Problem, ProblemBody};
use super::extract::{Asked, Named};
use super::schemas;
use crate::cli::quarantine::displayable;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sluicebox_model::run::RunId;
use sluicebox_store::{QuarantineEntry, ReasonCount, SetAside};
use utoipa::{IntoParams, ToSchema};

/// Which of what was set aside.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[derive(Default)]
pub(super) struct Which {
    /// Only that of this run: its id, the beginning or end of it, or `last`.
    run: Option<String>,
    /// Only that of runs of this pipeline.
    pipeline: Option<String>,
    /// Also what was replayed or dropped.
    all: bool,
}

/// What runs set aside.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Quarantine)]
pub(super) struct Listed {
    /// The newest first.
    #[schema(value_type = Vec<schemas::SetAside>)]
    set_aside: Vec<SetAside>,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[derive(Default)]
pub(super) struct Rows {
    /// Only those of this stage.
    stage: Option<String>,
    /// Leaves out so many.
    offset: u64,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u64>,
}

/// Rows that a run set aside.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarantineOfRun)]
pub(super) struct Shown {
    /// The run.
    #[schema(value_type = String)]
    run: RunId,
    /// How many, by reason.
    #[schema(value_type = Vec<schemas::ReasonCount>)]
    reasons: Vec<ReasonCount>,
    /// The rows.
    #[schema(value_type = Vec<schemas::QuarantineEntry>)]
    entries: serde_json::Value,
}

/// What was set aside and not dealt with
#[utoipa::path(get, path = "/api/v1/quarantine", operation_id = "list_quarantine", tag = "quarantine", params(Which),
    responses((status = 200, body = Listed), (status = 404, body = ProblemBody)))]
pub(super) async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Answer<Listed> {
    let work = move |store: &sluicebox_store::Store| {
        let run = which.run.as_deref().map(|run| store.find(run)).transpose()?;
        let mut set_aside = store.set_aside_by(run, which.all)?;
        set_aside.retain(|of| which.pipeline.as_ref().is_none_or(|pipeline| *pipeline == of.pipeline));
        Ok(Listed { set_aside })
    };
    Ok(Json(api.read(work).await?))
}

/// The rows that a run set aside, with the reasons
#[utoipa::path(get, path = "/api/v1/quarantine/{run}", operation_id = "show_quarantine", tag = "quarantine",
    params(("run" = String, description = "Its id, the beginning or end of it, or `last`"), Rows),
    responses((status = 200, body = Shown), (status = 404, body = ProblemBody)))]
pub(super) async fn show(State(api): State<Api>, Named(run): Named, Asked(rows): Asked<Rows>) -> Answer<Shown> {
    let limit = super::runs::bounded(rows.limit, 20)?;
    let work = move |store: &sluicebox_store::Store| {
        let record = store.run(&run)?;
        super::runs::known_stage(&record, rows.stage.as_deref())?;
        let mut reasons = store.quarantine_counts(record.id)?;
        reasons.retain(|reason| rows.stage.as_deref().is_none_or(|stage| stage == reason.stage));
        let mut entries = store.quarantine(record.id, rows.stage.as_deref(), rows.offset, limit)?;
        for entry in &mut entries {
            entry.batch = entry.batch.take().map(displayable);
        }
        Ok(Shown { run: record.id, reasons, entries: json(&entries)? })
    };
    Ok(Json(api.read(work).await?))
}

/// Done here, since rows may not be showable.
fn json(entries: &[QuarantineEntry]) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(entries).map_err(|error| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, format!("the rows cannot be shown as JSON: {error}"))
            .help("`sluicebox quarantine export` writes them to a file")
    })
}
