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
}

impl Transform for Evil {
    type Options = Options;

    fn open(context: &Context, options: Options, inputs: &[Input]) -> Result<(Self, Schema), Fault> {
        match options.mode {
            Mode::PanicInOpen => crash::panic("open"),
            Mode::LoopInOpen => crash::spin(),
            Mode::FaultInOpen => return Err(fault(&options)),
            _ => {}
        }
        let mut schema = inputs.first().map(|input| input.schema.clone()).unwrap_or_default();
        forge::promise(options.mode, &mut schema);
        let stage = Self { options, attempt: context.attempt, seen: 0, kept: greed::Kept::default() };
        Ok((stage, schema))
    }

    fn process(&mut self, _: usize, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let number = self.seen;
        self.seen += 1;
        if self.is_now(number, &batch)? { self.misbehave(batch) } else { Ok(vec![batch]) }
    }

    fn finish(&mut self) -> Result<Option<Batch>, Fault> {
        match self.options.mode {
            Mode::PanicInFinish => crash::panic("finish"),
            Mode::LoopInFinish => crash::spin(),
            Mode::NeverFinishes => Batch::from_columns(Schema::default(), Vec::new()).map(Some),
            _ => Ok(None),
        }
    }
}

impl Evil {
    /// Whether this batch is the one.
    fn is_now(&self, number: u64, batch: &Batch) -> Result<bool, Fault> {
        let Options { mode, on, until_attempt, column, value, .. } = &self.options;
        Ok(match mode {
            Mode::PanicOn => match (column, value) {
                (Some(column), Some(value)) => value.is_in(&batch.column_named(column)?),
                _ => return Err(Fault::invalid_config("panic-on needs column and value")),
            },
            // these do it on every batch
            Mode::KeepEveryHandle | Mode::SchemaChanges | Mode::FloodLog => true,
            _ if *until_attempt > 0 => self.attempt < *until_attempt && number == *on,
            _ => number == *on,
        })
    }

    fn misbehave(&mut self, batch: Batch) -> Result<Vec<Batch>, Fault> {
        let options = &self.options;
        match options.mode {
            Mode::Panic | Mode::PanicOn => crash::panic("process"),
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
            Mode::ReadEnvironment => escape::read_environment(),
            Mode::Sleep => escape::sleep(options.seconds),
            Mode::Clock => escape::clock(),
            Mode::Random => escape::random()?,
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
