//! A hostile transform: it passes batches on, and does the one bad thing that its options name.
//!
//! `{"mode": "panic", "on": 3}` panics on the batch number 3. What each mode does is said at [`Mode`]; most are told to
//! happen on one batch with `on`, counted from 0 within the instance. `{"mode": "pass"}` does nothing bad.

mod crash;
mod escape;
mod forge;
mod greed;
mod options;

pub use options::{Mode, Options, Wanted};

use sluicebox_stage::{Batch, Context, Fault, FaultKind, Input, Schema, Transform};

/// The hostile stage.
pub struct Evil {
    options: Options,
    attempt: u32,
    seen: u64,
    kept: greed::Kept,
    /// never-finishes: what it answers with again and again
    last: Option<Batch>,
}

impl Transform for Evil {
    type Options = Options;

    fn open(context: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        match options.mode {
            Mode::PanicInOpen => crash::panic("open"),
            Mode::LoopInOpen => crash::spin(),
            Mode::PanicInOpenAgain => escape::panic_after(&options.path, options.times)?,
            Mode::FaultInOpen => return Err(fault(&options)),
            _ => {}
        }
        if options.mode == Mode::Remember {
            escape::remember();
        }
        let mut schema = inputs.first().map(|input| input.schema.clone()).unwrap_or_default();
        forge::promise(&options, &mut schema);
        let stage = Self { options, attempt: context.attempt, seen: 0, kept: greed::Kept::default(), last: None };
        Ok((stage, schema))
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let number = self.seen;
        self.seen += 1;
        if self.options.mode == Mode::NeverFinishes {
            self.last = Some(batch.slice(0, batch.rows().min(1))?);
        }
        if self.is_now(number, &batch)? { self.misbehave(batch) } else { Ok(vec![batch]) }
    }

    fn finish(&mut self) -> Result<Option<Batch>, Fault> {
        match self.options.mode {
            Mode::PanicInFinish => crash::panic("finish"),
            Mode::LoopInFinish => crash::spin(),
            Mode::FaultStampInFinish => Err(Fault::internal(escape::stamp()?)),
            Mode::NeverFinishes => self.last.as_ref().map(Batch::share).transpose(),
            _ => Ok(None),
        }
    }
}

impl Evil {
    /// Whether this batch is the one.
    fn is_now(&self, number: u64, batch: &Batch) -> Result<bool, Fault> {
        let Options { mode, on, until_attempt, column, value, .. } = &self.options;
        // a poison row, whatever it does
        if let (Some(column), Some(value)) = (column, value) {
            return Ok(value.is_in(&batch.column_named(column)?));
        }
        Ok(match mode {
            Mode::PanicOnEvery => {
                let column = batch.column_named(column.as_deref().unwrap_or_default())?;
                let times = self.options.times.max(1) as i64;
                column.as_i64().into_iter().flatten().any(|number| number % times == 3)
            }
            Mode::PanicOn => return Err(Fault::invalid_config("panic-on needs column and value")),
            // these do it on every batch
            Mode::KeepEveryHandle | Mode::SchemaChanges | Mode::FloodLog | Mode::Stamp | Mode::Slow => true,
            _ if *until_attempt > 0 => self.attempt < *until_attempt && number == *on,
            _ => number == *on,
        })
    }

    fn misbehave(&mut self, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let options = &self.options;
        match options.mode {
            Mode::Panic | Mode::PanicOn | Mode::PanicOnEvery => crash::panic("process"),
            Mode::Loop => crash::spin(),
            Mode::Recurse => crash::recurse(),
            Mode::Exit => crash::exit(options.code),
            Mode::Abort => crash::abort(),
            Mode::WildPointer => crash::wild_pointer(),
            Mode::Fault => return Err(fault(options)),
            Mode::EatSlowly => greed::eat_slowly(),
            Mode::EatAtOnce => greed::eat_at_once(options.bytes),
            Mode::KeepEveryHandle => self.kept.keep(&batch)?,
            Mode::MakeHandles => self.kept.make_handles(&batch)?,
            Mode::AnswerMany => return greed::answer_many(&batch, options.times),
            Mode::FloodLog => greed::flood_log(options.times),
            Mode::FloodStdout => greed::flood_stdout(options.times),
            Mode::FloodStderr => greed::flood_stderr(options.times),
            Mode::LongLine => greed::long_line(options.bytes),
            Mode::ManyCounters => greed::many_counters(options.times),
            Mode::LongCounter => greed::long_counter(options.bytes),
            Mode::LongFault => return Err(greed::long_fault(options.bytes)),
            Mode::FloodQuarantine => greed::flood_quarantine(options.times),
            Mode::HugeAnswer => return greed::huge_answer(options.bytes),
            Mode::ReadFile => escape::read_file(&options.path)?,
            Mode::WriteFile => escape::write_file(&options.path)?,
            Mode::ListFolder => escape::list_folder(&options.path)?,
            Mode::ManyFiles => escape::many_files(&options.path, options.times)?,
            Mode::ReadEnvironment => escape::read_environment(),
            Mode::Sleep | Mode::Slow => escape::sleep(options.seconds),
            Mode::TinyCalls => greed::tiny_calls(options.times),
            Mode::SmallBatches => greed::small_batches(&batch, options.times)?,
            Mode::TakeMany => return greed::take_many(&batch, options.times),
            Mode::ManyColumns => return greed::many_columns(options.times),
            Mode::ManyEmptyTexts => greed::many_empty_texts(options.times)?,
            Mode::RowsWithoutColumns => return greed::rows_without_columns(&batch),
            Mode::LongName => return greed::long_name(options.bytes),
            Mode::CounterOverflow => greed::counter_overflow(),
            Mode::PanicLikeOurs => crash::panic_like_ours(),
            Mode::FaultLikeOurs => return Err(crash::fault_like_ours()),
            Mode::Escapes => return Err(escape::steer()),
            Mode::RemoveFile => escape::remove_file(&options.path)?,
            Mode::MakeLink => escape::make_link(&options.path, &options.target)?,
            Mode::HardLink => escape::hard_link(&options.path, &options.target)?,
            Mode::Rename => escape::rename(&options.path, &options.target)?,
            Mode::FreshMemory => escape::fresh_memory(),
            Mode::IpcFile => return forge::ipc_file(&options.path),
            Mode::Clock => escape::clock(),
            Mode::Random => escape::random()?,
            Mode::Stamp => return Ok(vec![escape::stamped(&batch)?]),
            Mode::FaultStamp => return Err(Fault::internal(escape::stamp()?).at_row(3)),
            Mode::Warn => escape::warn(),
            _ => return forge::answer(options.mode, &batch),
        }
        Ok(vec![batch])
    }
}

fn fault(options: &Options) -> Fault {
    let kind = match options.kind {
        options::Kind::InvalidConfig => FaultKind::InvalidConfig,
        options::Kind::InvalidData => FaultKind::InvalidData,
        options::Kind::Denied => FaultKind::Denied,
        options::Kind::Unavailable => FaultKind::Unavailable,
        options::Kind::Internal => FaultKind::Internal,
    };
    Fault::new(kind, "evil: a fault, as asked for").at_row(0)
}

sluicebox_stage::export!(
    Evil,
    kind: transform,
    summary: "Does the one bad thing that its options name",
    stateless: true
);

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use sluicebox_stage::testing::{self, batch};

    fn flights() -> Batch {
        batch! { "origin" => [Some("EWR"), None, Some("JFK")], "delay" => [2.0, -7.0, 30.0], "n" => [1_i64, 2, 3] }
    }

    fn run(options: &str) -> Result<Vec<Batch>, Fault> {
        let input = Input { name: "read".into(), schema: flights().schema().clone() };
        let (mut stage, schema) = Evil::open(&testing::context(), testing::options(options)?, &[input])?;
        let out = stage.process(0, flights())?;
        match out.iter().find(|batch| *batch.schema() != schema) {
            Some(batch) => Err(Fault::internal(format!("promised [{schema}], came [{}]", batch.schema()))),
            None => Ok(out),
        }
    }

    fn panics(options: &str) -> bool {
        let options = options.to_owned();
        std::thread::spawn(move || drop(run(&options))).join().is_err()
    }

    /// The names of all modes, as the schema of the options has them.
    fn modes() -> Vec<String> {
        let schema = describe().config_schema;
        let modes = schema["$defs"]["Mode"]["oneOf"].as_array().unwrap();
        modes.iter().map(|mode| mode["const"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_forged_answer_is_refused() {
        let modes = modes();
        // from here on in the list, nothing crashes or takes much; two need rows as the host has them
        let first = modes.iter().position(|mode| mode == "mask-short").unwrap();
        let harmless = ["schema-changes", "promises-no-nulls", "decimal-too-wide", "decimal-overflow", "bad-time-zone"];
        for mode in modes[first..].iter().filter(|mode| !harmless.contains(&mode.as_str())) {
            assert!(run(&format!(r#"{{"mode": "{mode}"}}"#)).is_err(), "{mode} went through");
        }
    }

    #[test]
    fn it_panics_where_it_is_told_to() {
        assert!(panics(r#"{"mode": "panic"}"#));
        assert!(!panics(r#"{"mode": "panic", "on": 1}"#));
        assert!(!panics(r#"{"mode": "panic", "until-attempt": 1}"#));
        assert!(panics(r#"{"mode": "panic", "until-attempt": 2}"#));
        assert!(panics(r#"{"mode": "panic-on", "column": "origin", "value": "JFK"}"#));
        assert!(!panics(r#"{"mode": "panic-on", "column": "origin", "value": "LGA"}"#));
        assert!(panics(r#"{"mode": "panic-on", "column": "delay", "value": -7}"#));
        assert!(panics(r#"{"mode": "panic-on", "column": "n", "value": 3}"#));
        assert!(!panics(r#"{"mode": "panic-on", "column": "n", "value": 4}"#));
    }

    #[test]
    fn otherwise_it_passes_on() {
        assert_eq!(run(r#"{"mode": "pass"}"#).unwrap(), [flights()]);
        assert_eq!(run(r#"{"mode": "answer-many", "times": 3}"#).unwrap().len(), 3);
        assert_eq!(run(r#"{"mode": "fault"}"#).unwrap_err().kind, FaultKind::Unavailable);
        run(r#"{"mode": "clock"}"#).unwrap();
        run(r#"{"mode": "random"}"#).unwrap();
        run(r#"{"mode": "many-counters", "times": 5}"#).unwrap();
        run(r#"{"mode": "flood-quarantine", "times": 5}"#).unwrap();
        let report = testing::report();
        assert_eq!((report.log.len(), report.counters.len(), report.quarantined.len()), (2, 5, 5));
    }
}
