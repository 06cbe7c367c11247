//! How fast a stage is with the rows of a case.

use crate::case::Case;
use crate::drive::{Given, LOAD_ID, context};
use crate::error::CaseError;
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use sluicebox_model::cancel::Cancel;
use sluicebox_model::fault::Fault;
use sluicebox_model::plugin::Kind;
use sluicebox_model::stage::{Input, Instance, Stage};
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speed {
    /// Rows that a load, a transform or a validate was given, or that an extract gave.
    pub rows: u64,
    /// In this time, within its calls.
    pub time: Duration,
    /// The most memory of the instance.
    pub memory_peak_bytes: u64,
    /// To make an instance, the quickest of five.
    pub instance: Duration,
    /// From `open` to the answer to the first batch, on a fresh instance.
    pub first: Duration,
}

/// The rows of an input, repeated to one batch of about so many rows.
///
/// # Errors
/// They fit into no batch.
pub fn tiled(input: &Given, rows: usize) -> Result<Given, CaseError> {
    let told = |error| CaseError::new(format!("the rows of `{}` make no batch: {error}", input.name));
    let whole = concat_batches(&input.schema, &input.batches).map_err(told)?;
    if whole.num_rows() == 0 {
        return Ok(input.clone());
    }
    let parts: Vec<&RecordBatch> = std::iter::repeat_n(&whole, rows.div_ceil(whole.num_rows())).collect();
    let batch = concat_batches(&input.schema, parts).map_err(told)?;
    let batch = batch.slice(0, batch.num_rows().min(rows));
    Ok(Given { batches: vec![batch], ..input.clone() })
}

/// Gives an instance the batches over and over, for so long; all inputs but the first only once.
///
/// # Errors
/// A call ends with a fault.
pub fn speed(stage: &dyn Stage, case: &Case, inputs: &[Given], time: Duration) -> Result<Speed, Fault> {
    let mut speed = Speed { instance: instance(stage, case)?, ..Speed::default() };
    let cancel = Cancel::new();
    let context = context(case);
    let first = || inputs.iter().take(1).flat_map(|input| &input.batches);
    match stage.description().kind {
        Kind::Extract => {
            while speed.time < time {
                let mut extract = stage.extractor(&context, &cancel)?;
                let opened = Instant::now();
                extract.open(case.bookmark.as_deref())?;
                let mut rows = 0;
                loop {
                    let begin = Instant::now();
                    let page = extract.next()?;
                    speed.time += begin.elapsed();
                    speed.first_at(opened);
                    let Some(page) = page else { break };
                    rows += page.batch.num_rows() as u64;
                    if speed.time > time {
                        break;
                    }
                }
                speed.rows += rows;
                speed.note(extract.as_ref());
                if rows == 0 {
                    break;
                }
            }
        }
        Kind::Transform => {
            let mut transform = stage.transformer(&context, &cancel)?;
            let known: Vec<Input> =
                inputs.iter().map(|each| Input { name: each.name.clone(), schema: each.schema.clone() }).collect();
            let opened = Instant::now();
            transform.open(&known)?;
            for (number, input) in inputs.iter().enumerate().skip(1) {
                for batch in &input.batches {
                    transform.process(u32::try_from(number).unwrap_or(u32::MAX), batch.clone())?;
                }
            }
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    transform.process(0, batch.clone())?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    transform.take_report();
                }
            }
            speed.note(transform.as_ref());
        }
        Kind::Validate => {
            let mut validate = stage.validator(&context, &cancel)?;
            let Some(input) = inputs.first() else { return Ok(speed) };
            let opened = Instant::now();
            validate.open(&input.schema)?;
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    validate.check(batch)?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    validate.take_report();
                }
            }
            speed.note(validate.as_ref());
        }
        Kind::Load => {
            let mut load = stage.loader(&context, &cancel)?;
            let Some(input) = inputs.first() else { return Ok(speed) };
            let opened = Instant::now();
            load.open(&input.schema, LOAD_ID, 0)?;
            while speed.time < time && first().next().is_some() {
                for batch in first() {
                    let begin = Instant::now();
                    load.write(batch.clone())?;
                    speed.gave(batch, begin);
                    speed.first_at(opened);
                    load.take_report();
                }
            }
            speed.note(load.as_ref());
            let receipt = load.prepare()?;
            stage.loader(&context, &cancel)?.abort(LOAD_ID, &[receipt])?;
        }
    }
    Ok(speed)
}

impl Speed {
    fn gave(&mut self, batch: &RecordBatch, begin: Instant) {
        self.time += begin.elapsed();
        self.rows += batch.num_rows() as u64;
    }

    fn first_at(&mut self, opened: Instant) {
        if self.first.is_zero() {
            self.first = opened.elapsed();
        }
    }

    fn note<I: Instance + ?Sized>(&mut self, instance: &I) {
        self.memory_peak_bytes = self.memory_peak_bytes.max(instance.usage().memory_peak_bytes);
    }
}

fn instance(stage: &dyn Stage, case: &Case) -> Result<Duration, Fault> {
    let cancel = Cancel::new();
    let context = context(case);
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        match stage.description().kind {
            Kind::Extract => drop(stage.extractor(&context, &cancel)?),
            Kind::Transform => drop(stage.transformer(&context, &cancel)?),
            Kind::Validate => drop(stage.validator(&context, &cancel)?),
            Kind::Load => drop(stage.loader(&context, &cancel)?),
        }
        quickest = quickest.min(begin.elapsed());
    }
    Ok(quickest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::drive::given;
    use arrow_schema::SchemaRef;
    use sluicebox_model::fault::FaultKind;
    use sluicebox_model::plugin::{Description, Digest};
    use sluicebox_model::stage::{Extractor, Loader, Report, RunContext, Transformer, Usage, Validator};
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    type Calls = Arc<Mutex<Vec<String>>>;

    /// A load that notes what it is asked.
    struct Fake {
        description: Description,
        digest: Digest,
        calls: Calls,
    }

    struct Live(Calls);

    fn another_kind<T>() -> Result<T, Fault> {
        Err(Fault::new(FaultKind::Contract, "", "another kind"))
    }

    impl Stage for Fake {
        fn description(&self) -> &Description {
            &self.description
        }
        fn digest(&self) -> &Digest {
            &self.digest
        }
        fn extractor(&self, _: &RunContext, _: &Cancel) -> Result<Box<dyn Extractor>, Fault> {
            another_kind()
        }
        fn transformer(&self, _: &RunContext, _: &Cancel) -> Result<Box<dyn Transformer>, Fault> {
            another_kind()
        }
        fn validator(&self, _: &RunContext, _: &Cancel) -> Result<Box<dyn Validator>, Fault> {
            another_kind()
        }
        fn loader(&self, _: &RunContext, _: &Cancel) -> Result<Box<dyn Loader>, Fault> {
            Ok(Box::new(Live(Arc::clone(&self.calls))))
        }
    }

    impl Live {
        fn note(&self, call: String) {
            self.0.lock().unwrap().push(call);
        }
    }

    impl Instance for Live {
        fn take_report(&mut self) -> Report {
            Report::default()
        }
        fn usage(&self) -> Usage {
            Usage { memory_peak_bytes: 7, ..Usage::default() }
        }
    }

    impl Loader for Live {
        fn open(&mut self, _: &SchemaRef, load_id: &str, part: u32) -> Result<(), Fault> {
            self.note(format!("open {load_id} {part}"));
            Ok(())
        }
        fn write(&mut self, batch: RecordBatch) -> Result<(), Fault> {
            self.note(format!("write {}", batch.num_rows()));
            Ok(())
        }
        fn prepare(&mut self) -> Result<String, Fault> {
            self.note("prepare".to_owned());
            Ok("receipt".to_owned())
        }
        fn commit(&mut self, _: &str, _: &[String]) -> Result<(), Fault> {
            self.note("commit".to_owned());
            Ok(())
        }
        fn abort(&mut self, load_id: &str, receipts: &[String]) -> Result<(), Fault> {
            self.note(format!("abort {load_id} {}", receipts.join(" ")));
            Ok(())
        }
    }

    fn input(rows: &str) -> (Case, Given) {
        let text = format!("[[case]]\nname = \"a\"\ninput = {{ columns = {{ n = \"int64\" }}, rows = [{rows}] }}\n");
        let case = Case::of_text(&text).unwrap().remove(0);
        let given = given(&case, Kind::Load, Path::new(".")).unwrap().remove(0);
        (case, given)
    }

    #[test]
    fn rows_are_repeated_to_one_batch() {
        let rows = |given: &Given| given.batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>();
        let (_, three) = input("{ n = 1 }, { n = 2 }, { n = 3 }");
        assert_eq!(rows(&tiled(&three, 8).unwrap()), [8]);
        assert_eq!(rows(&tiled(&three, 2).unwrap()), [2]);
        let (_, none) = input("");
        assert_eq!(rows(&tiled(&none, 8).unwrap()), [0], "nothing to repeat");
    }

    /// What was written for nothing is taken back.
    #[test]
    fn a_load_is_given_its_rows_and_taken_back() {
        let description = Description {
            name: "fake".to_owned(),
            version: "1.0.0".to_owned(),
            kind: Kind::Load,
            summary: String::new(),
            config_schema: serde_json::Value::Null,
            capabilities: Vec::new(),
            stateless: false,
            splittable: false,
        };
        let fake = Fake { description, digest: Digest("00".to_owned()), calls: Arc::default() };
        let (case, three) = input("{ n = 1 }, { n = 2 }, { n = 3 }");
        let speed = speed(&fake, &case, &[three], Duration::from_nanos(1)).unwrap();
        let calls = fake.calls.lock().unwrap();
        let writes = calls.iter().filter(|call| *call == "write 3").count();
        assert!(writes > 0 && speed.rows == 3 * writes as u64, "{calls:?}");
        assert_eq!((calls.first().map(String::as_str), speed.memory_peak_bytes), (Some("open case-load 0"), 7));
        assert_eq!(calls[1 + writes..], ["prepare", "abort case-load receipt"]);
        assert!(speed.time >= Duration::from_nanos(1) && !speed.first.is_zero());
    }
}
