//! A hostile validate: it finds nothing, and does the one bad thing that its options name.
#![allow(clippy::panic)]

use schemars::JsonSchema;
use serde::Deserialize;
use sluicebox_stage::{Batch, Context, Fault, Finding, Mask, Outcome, Rule, Schema, Severity, Threshold, Validate};

/// What to do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The bad thing.
    pub mode: Mode,
}

/// The bad things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// nothing
    Pass,
    /// panics in `check`
    Panic,
    /// panics in `finish`
    PanicInFinish,
    /// loops for ever in `check`
    Loop,
    /// two rules of one name
    RuleTwice,
    /// a rule with a threshold that is not a number
    OddThreshold,
    /// a finding of a rule that is not there
    RulePastEnd,
    /// a finding with too few bytes
    MaskShort,
    /// a finding with too many bytes
    MaskLong,
    /// a finding of rows past the end
    RowsPastEnd,
    /// the same finding twice, of every row
    FindingTwice,
    /// a million findings
    ManyFindings,
    /// an outcome of a rule that is not there
    OutcomePastEnd,
    /// two outcomes of one rule that say different things
    OutcomeTwice,
    /// a million rules
    ManyRules,
    /// a rule whose name, summary and outcome would steer a terminal
    Escapes,
    /// every row breaks the rule
    RejectAll,
}

/// Clears the screen, names the window, turns the text around, and rings.
const STEERS: &str =
    "evil\u{1b}[2J\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}txet\u{61c}\u{200e}\u{200f}\u{2028}\u{2066}\u{feff}";

/// The hostile stage.
pub struct EvilValidate {
    mode: Mode,
}

impl Validate for EvilValidate {
    type Options = Options;

    fn open(_: &Context, options: Options, _: &Schema) -> Result<(Self, Vec<Rule>), Fault> {
        let mut rules = vec![Rule::new("evil", "whatever it says", Severity::Reject)];
        match options.mode {
            Mode::ManyRules => {
                rules = (0..1_000_000).map(|rule| Rule::new(rule.to_string(), "", Severity::Warn)).collect();
            }
            Mode::Escapes => rules = vec![Rule::new(STEERS, STEERS, Severity::Warn)],
            Mode::RuleTwice => rules.push(Rule::new("evil", "the same again", Severity::Fail)),
            Mode::OddThreshold => {
                rules.push(Rule::new("odd", "odd", Severity::Warn).at_most(Threshold::PerCent(f64::NAN)));
            }
            _ => {}
        }
        Ok((Self { mode: options.mode }, rules))
    }

    fn check(&mut self, batch: &Batch) -> Result<Vec<Finding>, Fault> {
        let rows = batch.rows();
        Ok(match self.mode {
            Mode::Panic => panic!("evil: a panic in check, as asked for"),
            Mode::Loop => spin(),
            Mode::RulePastEnd => vec![Finding::new(u32::MAX as usize, Mask::all(rows))],
            Mode::MaskShort => vec![Finding::new(0, Mask::all(rows.saturating_sub(8)))],
            Mode::MaskLong => vec![Finding::new(0, Mask::all(rows + 64))],
            Mode::RowsPastEnd => vec![Finding::new(0, Mask::all(rows.next_multiple_of(8)))],
            Mode::FindingTwice => vec![Finding::new(0, Mask::all(rows)), Finding::new(0, Mask::all(rows))],
            Mode::ManyFindings => (0..1_000_000).map(|_| Finding::new(0, Mask::none(rows))).collect(),
            Mode::RejectAll => vec![Finding::new(0, Mask::all(rows))],
            _ => Vec::new(),
        })
    }

    fn finish(&mut self) -> Result<Vec<Outcome>, Fault> {
        let outcome = |rule, holds| Outcome { rule, holds, observed: "evil".into() };
        Ok(match self.mode {
            Mode::PanicInFinish => panic!("evil: a panic in finish, as asked for"),
            Mode::Escapes => vec![Outcome { rule: 0, holds: false, observed: STEERS.into() }],
            Mode::OutcomePastEnd => vec![outcome(u32::MAX, false)],
            Mode::OutcomeTwice => vec![outcome(0, true), outcome(0, false)],
            _ => Vec::new(),
        })
    }
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

sluicebox_stage::export!(
    EvilValidate,
    kind: validate,
    summary: "Finds nothing, and does the one bad thing that its options name"
);
