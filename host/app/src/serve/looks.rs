//! Looking at the folder: what is new, what changed, what is broken.

use super::folder::{Change, Folder};
use super::service::Service;
use crate::check::{Purpose, examine};
use crate::components::Plugins;
use crate::trouble::Trouble;
use crate::wiring::{Source, new_run_id};
use jiff::Timestamp;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::{Decided, HouseEvent, NewHouseEvent};
use sluicebox_model::pipeline::{After, Problem};
use sluicebox_model::run::Interval;
use sluicebox_runner::CheckContext;
use sluicebox_schedule::dependencies::{Dependencies, DependencyError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The folder as it was last looked at.
static FOLDER: Mutex<Option<Folder>> = Mutex::new(None);

/// Reads the folder for the first time.
pub(super) fn first_look(service: &Arc<Service>) -> Result<(), Trouble> {
    service.lock().states = service.house.store.schedule_states()?;
    let mut folder = Folder::new(&service.dir);
    let changes = folder.first_look(|source| problems(service, source));
    apply(service, &folder, changes);
    service.keep_components();
    *FOLDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
    Ok(())
}

/// Looks again and again, as long as the host runs.
pub(super) fn keep_looking(service: &Arc<Service>) {
    service.hosts.wakes_me();
    let Some(mut folder) = FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let mut settings_trouble = None;
    while service.lock().stopping.is_none() {
        std::thread::park_timeout(LOOK_EVERY);
        match crate::settings::read(&service.dir) {
            Ok(settings) => {
                settings_trouble = None;
                if settings != service.settings() {
                    tracing::info!("the settings have changed");
                    service.set_settings(settings);
                    // A pool may have come, or gone.
                    folder.read_again();
                    folder.check_pools_again();
                    service.turn_soon();
                }
            }
            Err(trouble) => {
                if settings_trouble.as_ref() != Some(&trouble) {
                    tracing::error!("{}; the settings from before stay", super::work::told(&trouble));
                    settings_trouble = Some(trouble);
                }
            }
        }
        let plugins = service.hosts.take_changed();
        if !plugins.is_empty() {
            folder.read_again();
            folder.check_again(&plugins);
        }
        let changes = folder.look(|source| problems(service, source));
        let has_changed = !plugins.is_empty() || !changes.is_empty();
        if !changes.is_empty() {
            apply(service, &folder, changes);
            service.turn_soon();
        } else {
            refresh(service, &folder);
        }
        if has_changed {
            service.keep_components();
        }
    }
}

/// What is wrong with a file beyond its text.
fn problems(service: &Service, source: &Source) -> Vec<Problem> {
    let now = Timestamp::now();
    let Ok(id) = new_run_id(now) else { return Vec::new() };
    let host = service.hosts.of(&source.root);
    let interval = Interval { start: now, end: now };
    let context = CheckContext { id, interval, bookmarks: BTreeMap::new(), skipped: BTreeMap::new() };
    let plugins = Plugins::Found(&host.catalog);
    let examined = examine(source, &host, &plugins, Purpose::Offer, &context, &Cancel::new());
    service.house.remember(source, &plugins, &examined);
    examined.problems
}

/// Takes over what a look found, and tells of it.
fn apply(service: &Service, folder: &Folder, changes: Vec<Change>) {
    let now = Timestamp::now();
    let mut events = Vec::new();
    let mut decided_until = BTreeMap::new();
    let shown = |file: &Path| file.strip_prefix(&service.dir).unwrap_or(file).display().to_string();
    for change in changes {
        let (pipeline, event) = match change {
            Change::Loaded { pipeline, file } => {
                tracing::info!(%pipeline, "loaded from {}", shown(&file));
                let mut inner = service.lock();
                inner.broken.remove(&file);
                if let Some(offered) = folder.offered().get(&pipeline) {
                    let before = inner.offered.insert(pipeline.clone(), offered.clone());
                    let state = inner.states.get(&pipeline).cloned().unwrap_or_default();
                    inner.clockwork.set(&pipeline, offered.pipeline.schedule.as_ref(), &state, now);
                    // What a schedule says for the first time it does not say of the past, also not after a restart.
                    let is_edit = before.is_some_and(|before| before.pipeline.schedule != offered.pipeline.schedule);
                    if is_edit || state.decided_until.is_none() {
                        decided_until.insert(pipeline.clone(), now);
                    }
                    if let Some(until) = state.decided_until.filter(|until| *until > now) {
                        tracing::warn!(%pipeline, "its times up to {until} are decided already: the clock was ahead; it waits");
                    }
                }
                let text = folder.offered().get(&pipeline).map(|offered| offered.source.text.clone());
                let digest = digest(&text.unwrap_or_default());
                (Some(pipeline), HouseEvent::PipelineLoaded { file: shown(&file), digest })
            }
            Change::Broken { pipeline, file, problems } => {
                let stays = if pipeline.is_some() { "; the last good version stays" } else { "" };
                tracing::error!(
                    pipeline = pipeline.as_deref().unwrap_or_default(),
                    "{} is broken{stays}:",
                    shown(&file)
                );
                for problem in &problems {
                    tracing::error!("  {problem}");
                }
                if pipeline.is_none() {
                    service.lock().broken.insert(file.clone(), problems.clone());
                }
                (pipeline, HouseEvent::PipelineBroken { file: shown(&file), problems })
            }
            Change::Gone { pipeline, file } => {
                tracing::warn!(%pipeline, "gone: {}", shown(&file));
                let mut inner = service.lock();
                inner.offered.remove(&pipeline);
                inner.clockwork.remove(&pipeline);
                (Some(pipeline), HouseEvent::PipelineGone { file: shown(&file) })
            }
        };
        events.push(NewHouseEvent { pipeline, event });
    }
    refresh(service, folder);
    events.extend(look_for_circles(service));
    let decided = Decided { events, decided_until, ..Decided::default() };
    if let Err(error) = service.house.store.decide(&decided, now) {
        tracing::error!("what was found in the folder cannot be kept: {error}");
    }
}

/// Pipelines that follow each other in a circle, or others that are not there; the event tells of them, if they are others than
/// before.
fn look_for_circles(service: &Service) -> Option<NewHouseEvent> {
    let inner = service.lock();
    let after = |offered: &'_ super::folder::Offered| {
        offered.pipeline.schedule.as_ref().map(|schedule| schedule.after.clone()).unwrap_or_default()
    };
    let all: Vec<(String, Vec<After>)> =
        inner.offered.iter().map(|(name, offered)| (name.clone(), after(offered))).collect();
    drop(inner);
    let who: Vec<(&str, &[After])> = all.iter().map(|(name, after)| (name.as_str(), after.as_slice())).collect();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut problems = Vec::new();
    for error in Dependencies::new(&who).errors() {
        let told = format!("{error}; {}", error.help());
        let about: BTreeSet<&String> = match &error {
            DependencyError::Cycle { path } => path.iter().collect(),
            DependencyError::Unknown { pipeline, .. } => BTreeSet::from([pipeline]),
        };
        about.into_iter().for_each(|name| wrong.entry(name.clone()).or_default().push(told.clone()));
        problems.push(told);
    }
    let before = std::mem::replace(&mut service.lock().circles, wrong.clone());
    if before == wrong {
        return None;
    }
    problems.iter().for_each(|problem| tracing::error!("{problem}"));
    if problems.is_empty() {
        tracing::info!("all pipelines that others follow are there, and none follow each other in a circle");
    }
    Some(NewHouseEvent { pipeline: None, event: HouseEvent::DependenciesWrong { problems } })
}

/// What is wrong with later edits.
fn refresh(service: &Service, folder: &Folder) {
    let mut inner = service.lock();
    for (name, offered) in folder.offered() {
        if let Some(kept) = inner.offered.get_mut(name)
            && kept.broken != offered.broken
        {
            kept.broken.clone_from(&offered.broken);
        }
    }
    inner.broken.retain(|file, _| file.exists());
}

fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
