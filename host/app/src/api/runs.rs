//! Runs: how they went, and what they are told to do.

use super::Api;
use super::desk::{ReplayAsk, RerunAsk, ResolveAsk};
use super::error::{Answer, Problem, ProblemBody};
use super::extract::{Asked, Named, Told};
use super::pipelines::{NoAsk, Queued, queued as answer_queued};
use super::schemas;
use crate::journal;
use crate::queued::{self, Found, find};
use crate::serve::waits::{self, Waiting};
use crate::show::warnings::Warnings;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluicebox_model::pipeline::{Settings, suggest};
use sluicebox_model::run::{RunId, RunRecord, RunState};
use sluicebox_model::stage::Level;
use sluicebox_store::{LogEntry, RunFilter, RunSummary, Store};
use utoipa::{IntoParams, ToSchema};

/// At most so many of anything on a page.
pub(crate) const PAGE_MAX: u64 = 500;
/// Lines of a log that one request looks at.
pub(crate) const LINES_MAX: u32 = 10_000;

/// Which runs.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those of this pipeline.
    pipeline: Option<String>,
    /// Only those in one of these states, joined by commas.
    state: Option<String>,
    /// Only those with one of these triggers, joined by commas.
    trigger: Option<String>,
    /// Only those made at this time or later.
    #[param(format = "date-time")]
    since: Option<String>,
    /// Only those made before this time.
    #[param(format = "date-time")]
    until: Option<String>,
    /// Only those made before this run: `next` of the page before.
    before: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u64>,
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
pub(super) struct Runs {
    /// Those that have started, the latest first.
    #[schema(value_type = Vec<schemas::RunSummary>)]
    runs: Vec<RunSummary>,
    /// Those that wait for their start, in the order in which they will; only on the first page.
    #[schema(value_type = Vec<schemas::QueuedRun>)]
    waiting: Vec<Waiting>,
    /// What to give as `before` for the next page; null: this is the last.
    #[schema(value_type = Option<String>, required)]
    next: Option<RunId>,
}

/// Which lines of a log.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct Lines {
    /// Only those of this stage.
    stage: Option<String>,
    /// Only those as loud as this or louder.
    #[param(value_type = Option<schemas::Level>)]
    level: Option<String>,
    /// Only those behind this one: `next` of the page before.
    after: u64,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<u64>,
}

/// Lines of a run's log.
#[derive(Serialize, ToSchema)]
pub(super) struct Log {
    /// The run.
    #[schema(value_type = String)]
    run: RunId,
    /// In the order of telling.
    #[schema(value_type = Vec<schemas::LogEntry>)]
    lines: Vec<LogEntry>,
    /// What to give as `after` for more; null: there are no more so far.
    #[schema(required)]
    next: Option<u64>,
}

/// A run was asked to stop.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedToStop {
    /// The run.
    #[schema(value_type = String)]
    run: RunId,
    /// Always true: what cannot be stopped is answered as an error.
    asked: bool,
}

/// Runs, the latest first
#[utoipa::path(get, path = "/api/v1/runs", operation_id = "list_runs", tag = "runs", params(Which),
    responses((status = 200, body = Runs), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Answer<Runs> {
    let limit = bounded(which.limit, 20)?;
    let filter = RunFilter {
        states: words("state", which.state.as_deref(), STATES)?,
        triggers: words("trigger", which.trigger.as_deref(), TRIGGERS)?,
        since: which.since.as_deref().map(|text| time("since", text)).transpose()?,
        until: which.until.as_deref().map(|text| time("until", text)).transpose()?,
        pipeline: which.pipeline,
        // One more tells whether there is another page.
        limit: u32::try_from(limit + 1).ok(),
        ..RunFilter::default()
    };
    let settings = api.ask(|desk| Ok(desk.settings())).await?;
    let work = move |store: &Store| {
        let before = which.before.as_deref().map(|run| store.find(run)).transpose()?;
        let first = before.is_none();
        let mut runs = store.runs(&RunFilter { before, ..filter.clone() })?;
        let next =
            (runs.len() as u64 > limit).then(|| runs.pop().and_then(|_| runs.last()).map(|run| run.id)).flatten();
        let waiting = if first { waiting(store, &settings, &filter, limit)? } else { Vec::new() };
        Ok(Runs { runs, waiting, next })
    };
    Ok(Json(api.read(work).await?))
}

fn waiting(store: &Store, settings: &Settings, filter: &RunFilter, limit: u64) -> Result<Vec<Waiting>, Problem> {
    if !filter.states.is_empty() && !filter.states.contains(&RunState::Queued) {
        return Ok(Vec::new());
    }
    let fits = |waiting: &Waiting| {
        let run = &waiting.run;
        filter.pipeline.as_ref().is_none_or(|pipeline| *pipeline == run.pipeline)
            && (filter.triggers.is_empty() || filter.triggers.contains(&run.trigger))
            && filter.since.is_none_or(|since| run.queued_at >= since)
            && filter.until.is_none_or(|until| run.queued_at < until)
    };
    let all = waits::waiting(store, settings, true, Timestamp::now())?;
    Ok(all.into_iter().filter(fits).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

/// A run: its stages, rules, faults, receipts and how it compares
#[utoipa::path(get, path = "/api/v1/runs/{id}", operation_id = "show_run", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`")),
    responses((status = 200, body = schemas::Run), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn show(State(api): State<Api>, Named(id): Named) -> Answer<Value> {
    let settings = api.ask(|desk| Ok(desk.settings())).await?;
    let work = move |store: &Store| match find(store, &id)? {
        Found::Begun(run) => {
            let record = store.run(&run.to_string())?;
            let mut value = journal::record_json(&record, journal::comparison(store, &record)?);
            if let Some(object) = value.as_object_mut() {
                object.insert("logged".to_owned(), Warnings::of(store, run)?.json());
            }
            Ok(value)
        }
        Found::Queued(queued) => {
            let waiting = queued::waiting(store, queued.run, &settings, true, Timestamp::now())?;
            Ok(queued::json(&queued, waiting.as_ref())?)
        }
    };
    Ok(Json(api.read(work).await?))
}

/// What the stages of a run logged
#[utoipa::path(get, path = "/api/v1/runs/{id}/logs", operation_id = "show_logs", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`"), Lines),
    responses((status = 200, body = Log), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn logs(State(api): State<Api>, Named(id): Named, Asked(which): Asked<Lines>) -> Answer<Log> {
    let limit = usize::try_from(bounded(which.limit, PAGE_MAX)?).unwrap_or(usize::MAX);
    let level = words::<Level>("level", which.level.as_deref(), LEVELS)?.into_iter().min().unwrap_or(Level::Debug);
    let work = move |store: &Store| {
        let run = match find(store, &id)? {
            Found::Begun(run) => run,
            Found::Queued(queued) => return Ok(Log { run: queued.run, lines: Vec::new(), next: None }),
        };
        known_stage(&store.run(&run.to_string())?, which.stage.as_deref())?;
        let found = store.logs_after(run, which.after, LINES_MAX)?;
        let looked_at = found.len();
        let last = found.last().map(|(id, _)| *id);
        let fits =
            |line: &LogEntry| line.line.level >= level && which.stage.as_ref().is_none_or(|stage| *stage == line.stage);
        let mut fitting: Vec<(u64, LogEntry)> = found.into_iter().filter(|(_, line)| fits(line)).collect();
        let more = fitting.len() > limit;
        fitting.truncate(limit);
        let next = match more {
            true => fitting.last().map(|(id, _)| *id),
            false => last.filter(|_| looked_at >= LINES_MAX as usize),
        };
        Ok(Log { run, lines: fitting.into_iter().map(|(_, line)| line).collect(), next })
    };
    Ok(Json(api.read(work).await?))
}

/// Stop a run, and take back what it wrote
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", operation_id = "cancel_run", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`")), security(("token" = [])),
    responses((status = 202, body = AskedToStop), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub(super) async fn cancel(
    State(api): State<Api>,
    Named(id): Named,
    _none: Told<NoAsk>,
) -> Result<impl IntoResponse, Problem> {
    let run = api.read(move |store| Ok(find(store, &id)?.id())).await?;
    api.ask(move |desk| desk.cancel(run)).await?;
    Ok((StatusCode::ACCEPTED, Json(AskedToStop { run, asked: true })))
}

/// Run a run again
#[utoipa::path(post, path = "/api/v1/runs/{id}/rerun", operation_id = "rerun", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`")),
    request_body = RerunAsk, security(("token" = [])),
    responses(
        (status = 202, body = Queued, headers(("location", description = "The new run"))),
        (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn rerun(
    State(api): State<Api>,
    Named(id): Named,
    Told(ask): Told<RerunAsk>,
) -> Result<impl IntoResponse, Problem> {
    if ask.from.is_some() && ask.failed {
        let message = "`from` and `failed` do not go together";
        let help = "name the stage to begin at, or begin at those that failed";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message).help(help));
    }
    let run = api.read(move |store| begun(store, &id)).await?;
    Ok(answer_queued(api.ask(move |desk| desk.rerun(run, &ask)).await?))
}

/// Run the rows that a run set aside through its pipeline again
#[utoipa::path(post, path = "/api/v1/runs/{id}/quarantine/replay", operation_id = "replay", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`")),
    request_body = ReplayAsk, security(("token" = [])),
    responses(
        (status = 202, body = Queued, headers(("location", description = "The new run"))),
        (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn replay(
    State(api): State<Api>,
    Named(id): Named,
    Told(ask): Told<ReplayAsk>,
) -> Result<impl IntoResponse, Problem> {
    let run = api.read(move |store| begun(store, &id)).await?;
    Ok(answer_queued(api.ask(move |desk| desk.replay(run, &ask)).await?))
}

/// What became of a run that somebody decided about.
#[derive(Serialize, ToSchema)]
pub(super) struct Resolved {
    /// The run.
    #[schema(value_type = String)]
    run: RunId,
    /// What it is now; `crashed` where it still cannot be committed, or is left as it is.
    #[schema(value_type = schemas::RunState)]
    state: RunState,
}

/// Decide about a run that was interrupted and could not be finished
#[utoipa::path(post, path = "/api/v1/runs/{id}/resolve", operation_id = "resolve", tag = "runs",
    params(("id" = String, description = "Its id, the beginning or end of it, or `last`")),
    request_body = ResolveAsk, security(("token" = [])),
    responses(
        (status = 200, body = Resolved), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(super) async fn resolve(
    State(api): State<Api>,
    Named(id): Named,
    Told(ask): Told<ResolveAsk>,
) -> Result<impl IntoResponse, Problem> {
    let run = api.read(move |store| begun(store, &id)).await?;
    let Some(commit) = ask.commit else {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "`commit` is missing");
        return Err(
            problem.help("say `{\"commit\": true}` to try again, or `{\"commit\": false}` to leave it as it is")
        );
    };
    let state = api.ask(move |desk| desk.resolve(run, commit)).await?;
    Ok(Json(Resolved { run, state }))
}

/// A run that has begun: only such a one can be repeated.
fn begun(store: &Store, id: &str) -> Result<RunId, Problem> {
    match find(store, id)? {
        Found::Begun(run) => Ok(run),
        Found::Queued(queued) => {
            let message = format!("run {} has not begun: there is nothing to repeat", queued.run);
            Err(Problem::new(StatusCode::CONFLICT, message).help("start a run of its pipeline"))
        }
    }
}

/// A stage that the run has, or none at all.
pub(super) fn known_stage(record: &RunRecord, stage: Option<&str>) -> Result<(), Problem> {
    let Some(stage) = stage else { return Ok(()) };
    let names: Vec<&str> = record.stages.iter().map(|stage| stage.entry.name.as_str()).collect();
    if names.contains(&stage) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::NOT_FOUND, format!("the run has no stage `{stage}`"))
        .help(suggest::help(stage, &names)))
}

/// How many of something are wanted.
pub(super) fn bounded(limit: Option<u64>, otherwise: u64) -> Result<u64, Problem> {
    match limit.unwrap_or(otherwise) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        limit => Err(Problem::bad_request(format!("{limit} at once is none of 1 to {PAGE_MAX}"))
            .help("ask for a page after the other")),
    }
}

const STATES: &[&str] = &["queued", "running", "committing", "succeeded", "failed", "cancelled", "crashed"];
const TRIGGERS: &[&str] = &["schedule", "manual", "dependency", "backfill", "rerun", "replay"];
const LEVELS: &[&str] = &["debug", "info", "warn", "error"];

/// Words joined by commas, each one of `known`.
fn words<T: DeserializeOwned>(what: &str, text: Option<&str>, known: &[&str]) -> Result<Vec<T>, Problem> {
    let words = text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty());
    let read = |word: &str| {
        serde_json::from_value(Value::String(word.to_owned())).map_err(|_| {
            Problem::bad_request(format!("`{what}` cannot be `{word}`")).help(format!("it may be {}", known.join(", ")))
        })
    };
    words.map(read).collect()
}

/// A time; `+` that was not escaped came as a space.
fn time(what: &str, text: &str) -> Result<Timestamp, Problem> {
    text.replace(' ', "+").parse().map_err(|_| {
        Problem::bad_request(format!("`{what}` is no time: `{text}`")).help("write e.g. 2026-03-08T06:30:00Z")
    })
}

// Their words are in help texts.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sluicebox_model::run::Trigger;

    #[test]
    fn the_words_are_known() {
        assert_eq!(words::<RunState>("state", Some(&STATES.join(",")), STATES).unwrap().len(), STATES.len());
        assert_eq!(words::<Trigger>("trigger", Some(&TRIGGERS.join(" , ")), TRIGGERS).unwrap().len(), TRIGGERS.len());
        assert_eq!(words::<Level>("level", Some(&LEVELS.join(",")), LEVELS).unwrap().len(), LEVELS.len());
        assert!(words::<Level>("level", Some("loud"), LEVELS).is_err());
        assert_eq!(words::<Level>("level", None, LEVELS).unwrap(), []);
    }

    #[test]
    fn times_with_an_offset_are_read() {
        let wanted: Timestamp = "2026-03-08T04:30:00Z".parse().unwrap();
        for text in ["2026-03-08T04:30:00Z", "2026-03-08T06:30:00+02:00", "2026-03-08T06:30:00 02:00"] {
            assert_eq!(time("since", text).unwrap(), wanted, "{text}");
        }
        assert!(time("since", "yesterday").is_err());
    }
}
