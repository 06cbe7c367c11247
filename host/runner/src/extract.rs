//! An extract at work: page after page of one instance, or split over several.

use crate::attempts::{Failed, guarded, with_attempts};
use crate::edge::Edge;
use crate::run::host_fault;
use crate::station::{Asked, Live, Station, is_alive_after, same_columns};
use crate::stop::lock;
use arrow_schema::SchemaRef;
use sluicebox_model::fault::{Fault, FaultKind};
use sluicebox_model::journal::SourceCall;
use sluicebox_model::stage::{Extractor, Page};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Works until the source ends.
pub(crate) fn extract(station: &Station<'_>) -> Result<(), Fault> {
    station.started()?;
    let run = station.run;
    let bookmark = lock(&run.state).record.resumed_from.get(station.name()).cloned();
    if station.stage.description().splittable && station.parallel() > 1 {
        split(station, bookmark)?;
    } else {
        whole(station, bookmark)?;
    }
    let (rejected, seen) = {
        let doing = lock(&station.doing);
        (doing.outcome.rows_rejected, doing.outcome.rows_rejected + doing.outcome.rows_out)
    };
    station.judge_rejected(rejected, Some(seen), "records could not be made rows")
}

fn instance<'a>(station: &'a Station<'a>, attempt: u32) -> Result<Live<'a, dyn Extractor>, Fault> {
    let context = station.run.context(station.name(), attempt);
    let instance =
        station.stage.extractor(&context, station.run.stop.cancel()).map_err(|fault| fault.of_stage(station.name()))?;
    Ok(station.live(instance, attempt))
}

/// Pages of one source, or of one split of it.
struct Pages<'a> {
    station: &'a Station<'a>,
    live: Option<Live<'a, dyn Extractor>>,
    schema: Option<SchemaRef>,
    /// Where a fresh instance is to begin: the last page's bookmark. None after a page without one.
    resume: Option<Resume>,
    /// Pages without rows since the last one with rows.
    empty: u32,
    /// How the live instance was opened, and how often it was asked for a page since.
    opened: Option<SourceCall>,
    asked: u64,
}

/// More pages without rows, one after another, are taken for a guest that goes round in circles.
pub(crate) const EMPTY_MAX: u32 = 10_000;

/// How a fresh instance is opened.
#[derive(Clone)]
enum Resume {
    Source(Option<String>),
    Split(String),
}

impl Resume {
    fn call(&self) -> SourceCall {
        match self {
            Self::Source(bookmark) => SourceCall::Whole { bookmark: bookmark.clone() },
            Self::Split(split) => SourceCall::Split { split: split.clone() },
        }
    }
}

impl<'a> Pages<'a> {
    fn new(station: &'a Station<'a>, resume: Resume, schema: Option<SchemaRef>) -> Self {
        Self { station, live: None, schema, resume: Some(resume), empty: 0, opened: None, asked: 0 }
    }

    /// Opens the source if it is not open; answers with the schema.
    fn open(&mut self, attempt: u32) -> Result<SchemaRef, Failed> {
        if let (Some(_), Some(schema)) = (&self.live, &self.schema) {
            return Ok(schema.clone());
        }
        self.opened = self.resume.as_ref().map(Resume::call);
        self.asked = 0;
        let mut live = instance(self.station, attempt)?;
        let schema = match &self.resume {
            Some(Resume::Source(bookmark)) => live.call(|extract| extract.open(bookmark.as_deref()))?,
            Some(Resume::Split(split)) => live.call(|extract| extract.open_split(split))?,
            None => {
                return Err(host_fault("open", "there is no bookmark to resume from")
                    .of_stage(self.station.name())
                    .into());
            }
        };
        if let Some(before) = &self.schema
            && !same_columns(before, &schema)
        {
            let message = "the stage answered with another schema than before";
            return Err(Fault::new(FaultKind::Contract, "open", message).of_stage(self.station.name()).into());
        }
        self.live = Some(live);
        Ok(self.schema.get_or_insert(schema).clone())
    }

    fn failed(&self, call: &'static str, failed: Failed) -> Fault {
        let (source, before) = (self.opened.clone(), self.asked.saturating_sub(1));
        self.station.failed_at(Asked { call, before, source, ..Asked::default() }, failed)
    }

    fn next(&mut self) -> Result<Option<Page>, Fault> {
        let station = self.station;
        let page = with_attempts(station, |attempt| {
            self.open(attempt)?;
            let Some(live) = &mut self.live else { return Ok(None) };
            self.asked += 1;
            let attempt = live.attempt;
            live.call(|extract| extract.next()).map_err(|fault| {
                let is_alive = is_alive_after(&fault);
                let mut is_final = false;
                if self.resume.is_some() {
                    self.live = None;
                } else if !is_alive {
                    // Pages have gone on since the last bookmark: to begin again would give rows twice.
                    self.live = None;
                    is_final = true;
                }
                Failed { fault, is_final, at_work: true, attempt }
            })
        })
        .map_err(|failed| self.failed("next", failed))?;
        let Some(mut page) = page else { return Ok(None) };
        self.empty = if page.batch.num_rows() == 0 { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_MAX {
            let message = format!("`next` answered with {EMPTY_MAX} pages without rows, one after another");
            return Err(Fault::new(FaultKind::Limit, "next", message)
                .of_stage(station.name())
                .with_help("`next` has to answer none at the end"));
        }
        if let Some(schema) = &self.schema {
            let fits = station.conform("next", schema, page.batch);
            page.batch = fits.map_err(|fault| self.failed("next", fault.into()))?;
        }
        self.resume = match &page.bookmark {
            Some(bookmark) if !matches!(self.resume, Some(Resume::Split(_))) => {
                Some(Resume::Source(Some(bookmark.clone())))
            }
            _ => None,
        };
        Ok(Some(page))
    }
}

fn whole(station: &Station<'_>, bookmark: Option<String>) -> Result<(), Fault> {
    let mut pages = Pages::new(station, Resume::Source(bookmark), None);
    let schema =
        with_attempts(station, |attempt| pages.open(attempt)).map_err(|failed| pages.failed("open", failed))?;
    station.announce(&schema);
    while let Some(page) = pages.next()? {
        station.emit(&page.batch)?;
        if let Some(bookmark) = page.bookmark {
            lock(&station.run.state).bookmarks.insert(station.name().to_owned(), bookmark);
        }
        lock(&station.doing).share = page.progress;
        station.show_progress();
    }
    Ok(())
}

fn split(station: &Station<'_>, bookmark: Option<String>) -> Result<(), Fault> {
    let workers = station.parallel();
    let at_most = u32::try_from(workers).unwrap_or(u32::MAX).saturating_mul(station.run.tuning.splits_per_instance);
    let plan = with_attempts(station, |attempt| {
        let mut live = instance(station, attempt)?;
        Ok(live.call(|extract| extract.split(bookmark.as_deref(), at_most))?)
    })
    .map_err(|failed| {
        let source = Some(SourceCall::Plan { bookmark: bookmark.clone(), at_most });
        station.failed_at(Asked { call: "split", source, ..Asked::default() }, failed)
    })?;
    station.announce(&plan.schema);
    if let Some(bookmark) = plan.bookmark {
        lock(&station.run.state).bookmarks.insert(station.name().to_owned(), bookmark);
    }
    let run = station.run;
    let bytes_max = run.tuning.edge_bytes_max;
    let splits: Vec<Split> = plan
        .splits
        .into_iter()
        .map(|text| Split { text, edge: Edge::new(&run.stop, bytes_max, None), share: Mutex::new(0.0) })
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..workers.min(splits.len()) {
            let (splits, next, schema) = (&splits, &next, &plan.schema);
            let work = move || {
                let result = guarded(station.name(), || {
                    while let Some(split) = splits.get(next.fetch_add(1, Ordering::SeqCst)) {
                        split.read(station, schema)?;
                    }
                    Ok(())
                });
                if let Err(fault) = &result
                    && !run.stop.is_stopped()
                {
                    run.fail(fault);
                }
                result
            };
            let name = format!("{} {}", station.name(), number + 1);
            if let Err(error) = std::thread::Builder::new().name(name).spawn_scoped(scope, work)
                && number == 0
            {
                let fault = host_fault("run", &format!("cannot start a thread: {error}")).of_stage(station.name());
                run.fail(&fault);
                return Err(fault);
            }
        }
        for split in &splits {
            while let Some(batch) = split.edge.pop().map_err(|error| station.edge_fault(error))? {
                station.emit(&batch)?;
                let shares: f32 = splits.iter().map(|split| *lock(&split.share)).sum();
                lock(&station.doing).share = Some(shares / splits.len() as f32);
                station.show_progress();
            }
        }
        Ok(())
    })
}

/// A part of the work, read by an instance of its own.
struct Split {
    text: String,
    edge: Arc<Edge>,
    /// How much of it is read, 0 to 1.
    share: Mutex<f32>,
}

impl Split {
    fn read<'a>(&self, station: &'a Station<'a>, schema: &SchemaRef) -> Result<(), Fault> {
        let mut pages = Pages::new(station, Resume::Split(self.text.clone()), Some(schema.clone()));
        while let Some(page) = pages.next()? {
            if let Some(progress) = page.progress {
                *lock(&self.share) = progress.clamp(0.0, 1.0);
            }
            self.edge.push(page.batch).map_err(|error| station.edge_fault(error))?;
        }
        *lock(&self.share) = 1.0;
        self.edge.finish();
        Ok(())
    }
}
