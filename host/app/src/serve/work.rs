//! Running one run of the queue, on a thread of its own.

use super::rows::RunOptions;
use super::service::Service;
use crate::cli::quarantine::replay as quarantine;
use crate::cli::rerun::{self, How};
use crate::components::{self, Plugins};
use crate::house::Ran;
use crate::show::human;
use crate::trouble::Trouble;
use crate::wiring::{Asked, Source};
use sluicebox_model::cancel::Cancel;
use sluicebox_model::house::QueuedRun;
use sluicebox_model::pipeline::Problem;
use sluicebox_model::run::RunRecord;
use std::collections::BTreeMap;

/// How a run of the queue went.
pub(super) enum Worked {
    /// The journal has its end, or that of its commit.
    Ended(Box<RunRecord>),
    /// It could not begin: why, in a line each.
    Refused(Vec<String>),
    /// It was cancelled before it began.
    Dropped,
    /// The journal failed; the next host finishes it.
    Lost(Trouble),
}

/// Runs a run of the queue.
pub(super) fn work(service: &Service, queued: &QueuedRun, cancel: &Cancel) -> Worked {
    match try_work(service, queued, cancel) {
        Ok(Ran::Done(record, _)) => Worked::Ended(record),
        Ok(Ran::CancelledBefore) => Worked::Dropped,
        Ok(Ran::Lost(trouble)) => Worked::Lost(trouble),
        Ok(Ran::Unsound(examined)) => {
            let errors = examined.problems.iter().filter(|problem| problem.is_error());
            let line = |problem: &Problem| human::clean_line(&problem.message);
            Worked::Refused(errors.map(line).collect())
        }
        Err(trouble) => Worked::Refused(vec![told(&trouble)]),
    }
}

pub(super) fn told(trouble: &Trouble) -> String {
    match &trouble.help {
        Some(help) => format!("{} ({help})", trouble.message),
        None => trouble.message.clone(),
    }
}

fn try_work(service: &Service, queued: &QueuedRun, cancel: &Cancel) -> Result<Ran, Trouble> {
    if service.lock().uncommitted.contains(&queued.pipeline) {
        service.try_commits(Some(&queued.pipeline))?;
        service.house.refuse_beside_open_commit(&queued.pipeline)?;
    }
    let options = RunOptions::of(queued);
    if let Some(how) = &options.rerun {
        let record = repeated(service, queued)?;
        let how = How { from: how.from.clone(), failed: how.failed, latest: how.latest };
        let root = Source::of_run(&record).root;
        let host = service.hosts.of(&root);
        return rerun::again(&service.house, &host, &record, &how, Some(queued.run), cancel).map(|(_, ran)| ran);
    }
    if let Some(how) = &options.replay {
        let record = repeated(service, queued)?;
        let source = Source::read(&record.file)?;
        let host = service.hosts.of(&source.root);
        let how = quarantine::How { stage: how.stage.clone(), replace_targets: how.replace_targets };
        return quarantine::again(&service.house, &host, &source, &record, &how, Some(queued.run), cancel);
    }
    if options.interrupted {
        let record = repeated(service, queued)?;
        let source = Source::of_run(&record);
        let host = service.hosts.of(&source.root);
        let plugins = Plugins::Kept(components::of_run(&host.sandbox, &service.house.state, &record)?);
        let asked = asked(queued, &source, &plugins, record.load_key.clone());
        return service.house.run_once(&host, &asked, queued.run, queued.repeats, cancel);
    }
    let offered = service
        .offered(&queued.pipeline)
        .ok_or_else(|| Trouble::new(format!("the file of pipeline `{}` is not there any more", queued.pipeline)))?;
    let host = service.hosts.of(&offered.source.root);
    let plugins = Plugins::Found(&host.catalog);
    // A retry replaces what the run before it may have left: it has the same ids.
    let before = queued.repeats.map(|before| service.house.store.run(&before.to_string())).transpose()?;
    let load_key = match before {
        Some(before) => before.load_key,
        None => service.house.load_key(&queued.pipeline, queued.interval)?,
    };
    let asked = asked(queued, &offered.source, &plugins, load_key);
    service.house.run_once(&host, &asked, queued.run, queued.repeats, cancel)
}

fn repeated(service: &Service, queued: &QueuedRun) -> Result<RunRecord, Trouble> {
    let before = queued.repeats.ok_or_else(|| Trouble::new("the run that is to be repeated is not known"))?;
    Ok(service.house.store.run(&before.to_string())?)
}

fn asked<'a>(queued: &QueuedRun, source: &'a Source, plugins: &'a Plugins<'a>, load_key: String) -> Asked<'a> {
    Asked {
        source,
        plugins,
        trigger: queued.trigger,
        interval: queued.interval,
        load_key,
        id: Some(queued.run),
        repeats: queued.repeats,
        parts: Vec::new(),
        restored: BTreeMap::new(),
    }
}
