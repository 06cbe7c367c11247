//! The planner: decides, for very many pipelines, which fires are due. It has no clock; whoever has one calls
//! [`Planner::tick`] at [`Planner::wake_at`].
//!
//! The cost of a tick depends on the fires that are due, not on the pipelines that wait.

use crate::decision::{Decision, Fire, Skip, SkipReason, Start};
use crate::jitter;
use crate::overlap::{self, Busy};
use crate::plan::Plan;
use crate::timetable::{Timetable, floor};
use jiff::Timestamp;
use sluicebox_model::pipeline::CatchUp;
use sluicebox_model::run::Interval;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// A fire that is decided at most so much later than it was due is on time; one decided later was missed.
pub(crate) const GRACE: Duration = Duration::from_secs(60);

/// After so many decisions a tick ends; the next one goes on.
pub(crate) const MOST_DECISIONS: usize = 10_000;

/// The clock may go back by so much (it is set by small steps all the time) before it is told. Milliseconds.
const UNTOLD: i64 = 1000;

/// Decides which fires are due.
#[derive(Debug)]
pub struct Planner {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    by_name: HashMap<Arc<str>, u32>,
    /// When a pipeline is due next, in milliseconds since 1970; its slot; the generation of the slot, by which an entry
    /// that was overtaken by a change is known.
    heap: BinaryHeap<Reverse<(i64, u32, u32)>>,
    /// The last that was given out.
    generation: u32,
    last_tick: i64,
    grace: i64,
    most: usize,
}

#[derive(Debug)]
struct Slot {
    name: Arc<str>,
    plan: Arc<Plan>,
    /// The last nominal time that was decided, in seconds since 1970.
    decided: i64,
    /// The nominal time after it; none at the end of the calendar.
    next: Option<i64>,
    generation: u32,
    /// The pipeline's delay in milliseconds.
    delay: u32,
    paused: bool,
    /// Whether `decided` is a fire of the plan, and so the start of the next interval.
    chained: bool,
}

impl Default for Planner {
    fn default() -> Self {
        Self::new(GRACE, MOST_DECISIONS)
    }
}

impl Planner {
    /// A planner without pipelines. A fire decided at most `grace` after it was due is on time; a tick ends after about
    /// `most` decisions.
    pub fn new(grace: Duration, most: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_name: HashMap::new(),
            heap: BinaryHeap::new(),
            generation: 0,
            last_tick: i64::MIN,
            grace: milliseconds(grace),
            most: most.max(1),
        }
    }

    /// Adds a pipeline, or puts another plan in the place of the one it had. All fires up to `decided` are taken as
    /// decided: the last one that the journal knows of, or now for a pipeline that is new. The fires since then, the
    /// next tick decides.
    pub fn add(&mut self, name: &str, plan: Arc<Plan>, decided: Timestamp, paused: bool) {
        let name: Arc<str> = match self.by_name.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => name.into(),
        };
        self.generation = self.generation.wrapping_add(1);
        let decided = floor(decided);
        let slot = Slot {
            next: plan.timetable.next(decided),
            delay: u32::try_from(jitter::delay(&name, plan.jitter).as_millis()).unwrap_or(u32::MAX),
            name: name.clone(),
            plan,
            decided,
            generation: self.generation,
            paused,
            chained: false,
        };
        let index = match self.by_name.get(&name) {
            Some(index) => *index,
            None => self.free.pop().unwrap_or(self.slots.len() as u32),
        };
        self.by_name.insert(name, index);
        match self.slots.get_mut(index as usize) {
            Some(place) => *place = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        self.push(index);
        self.forget_overtaken();
    }

    /// Another plan for a pipeline, from now on: what the old one missed is not made up for by the new one. Call
    /// [`Planner::tick`] first, so that nothing of the old one is left undecided. False if there is no such pipeline.
    pub fn update(&mut self, name: &str, plan: Arc<Plan>, now: Timestamp) -> bool {
        let Some(slot) = self.slot(name) else { return false };
        let (decided, paused) = (slot.decided, slot.paused);
        let decided = Timestamp::from_second(decided).map_or(now, |decided| decided.max(now));
        self.add(name, plan, decided, paused);
        true
    }

    /// Takes a pipeline out. False if there is no such pipeline.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(index) = self.by_name.remove(name) else { return false };
        if let Some(place) = self.slots.get_mut(index as usize) {
            *place = None;
            self.free.push(index);
        }
        self.forget_overtaken();
        true
    }

    /// Pauses a pipeline: its fires are left out until it is resumed. False if there is no such pipeline.
    pub fn pause(&mut self, name: &str) -> bool {
        self.slot_mut(name).map(|slot| slot.paused = true).is_some()
    }

    /// Resumes a pipeline: its fires from now on are decided as before. Those that came due since the last tick are left
    /// out, which is returned.
    pub fn resume(&mut self, name: &str, now: Timestamp) -> Option<Decision> {
        let index = *self.by_name.get(name)?;
        let slot = self.slots.get_mut(index as usize)?.as_mut()?;
        if !slot.paused {
            return None;
        }
        let skip = slot.skip_paused(now.as_millisecond());
        slot.paused = false;
        if skip.is_some() {
            self.generation = self.generation.wrapping_add(1);
            slot.generation = self.generation;
            self.push(index);
        }
        skip
    }

    /// Whether a pipeline is paused; none if there is no such pipeline.
    pub fn is_paused(&self, name: &str) -> Option<bool> {
        self.slot(name).map(|slot| slot.paused)
    }

    /// The plan of a pipeline.
    pub fn plan(&self, name: &str) -> Option<&Arc<Plan>> {
        self.slot(name).map(|slot| &slot.plan)
    }

    /// The nominal time of a pipeline's next fire.
    pub fn next_fire(&self, name: &str) -> Option<Timestamp> {
        self.slot(name).and_then(|slot| Timestamp::from_second(slot.next?).ok())
    }

    /// How many pipelines there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are no pipelines.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// When the next fire is due: when to call [`Planner::tick`]. It may be past.
    pub fn wake_at(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((wake, index, generation))) = self.heap.peek() {
            if self.is_live(*index, *generation) {
                return Timestamp::from_millisecond(*wake).ok();
            }
            self.heap.pop();
        }
        None
    }

    /// Decides all fires that are due, those of the earliest time first. `busy` tells the runs of a pipeline that have
    /// not ended. If there is very much to decide, not all of it is; [`Planner::wake_at`] is then past.
    pub fn tick(&mut self, now: Timestamp, mut busy: impl FnMut(&str) -> Busy) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let clock = now.as_millisecond();
        if self.last_tick > clock.saturating_add(UNTOLD)
            && let Ok(before) = Timestamp::from_millisecond(self.last_tick)
        {
            decisions.push(Decision::ClockBack { before, now });
        }
        self.last_tick = clock;
        // The runs that this tick begins are not among those that `busy` knows.
        let mut begun: HashMap<u32, (u32, bool)> = HashMap::new();
        while decisions.len() < self.most {
            let Some(Reverse((wake, index, generation))) = self.heap.peek().copied() else { break };
            if wake > clock {
                break;
            }
            self.heap.pop();
            if !self.is_live(index, generation) {
                continue;
            }
            let Some(Some(slot)) = self.slots.get_mut(index as usize) else { continue };
            let (mine, catches_up) = begun.get(&index).copied().unwrap_or_default();
            let busy = |name: &str| {
                let Busy { running, queued, catching_up } = busy(name);
                Busy { running, queued: queued.saturating_add(mine), catching_up: catching_up || catches_up }
            };
            if slot.decide(clock, self.grace, busy, &mut decisions) {
                let (count, catches_up) = begun.entry(index).or_default();
                *count += 1;
                *catches_up |= matches!(decisions.last(), Some(Decision::CatchUp(_)));
            }
            self.push(index);
        }
        decisions
    }

    fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.get(*self.by_name.get(name)? as usize)?.as_ref()
    }

    fn slot_mut(&mut self, name: &str) -> Option<&mut Slot> {
        self.slots.get_mut(*self.by_name.get(name)? as usize)?.as_mut()
    }

    fn is_live(&self, index: u32, generation: u32) -> bool {
        matches!(self.slots.get(index as usize), Some(Some(slot)) if slot.generation == generation)
    }

    fn push(&mut self, index: u32) {
        if let Some(Some(slot)) = self.slots.get(index as usize)
            && let Some(next) = slot.next
        {
            let wake = next.saturating_mul(1000).saturating_add(i64::from(slot.delay));
            self.heap.push(Reverse((wake, index, slot.generation)));
        }
    }

    /// Keeps entries that were overtaken from piling up.
    fn forget_overtaken(&mut self) {
        if self.heap.len() > 2 * self.by_name.len() + 64 {
            let slots = &self.slots;
            self.heap.retain(|Reverse((_, index, generation))| {
                matches!(slots.get(*index as usize), Some(Some(slot)) if slot.generation == *generation)
            });
        }
    }
}

impl Slot {
    /// Decides the next fire, or a span of fires that are left out for one reason. Whether a run begins.
    fn decide(&mut self, now: i64, grace: i64, busy: impl FnOnce(&str) -> Busy, out: &mut Vec<Decision>) -> bool {
        let Some(fire) = self.next else { return false };
        if self.paused {
            out.extend(self.skip_paused(now));
            return false;
        }
        let delay = i64::from(self.delay);
        // Fires before this second were missed.
        let missed = ceiling_seconds(now - grace - delay);
        if fire >= missed {
            let busy = busy(&self.name);
            return match overlap::on_time(self.plan.overlap, self.plan.catch_up, busy) {
                Ok(start) => self.run(fire, start, Decision::Fire, out),
                Err(reason) => self.skip_to(fire, reason, out),
            };
        }
        let timetable = &self.plan.timetable;
        let window = ceiling_seconds(now - milliseconds(self.plan.window));
        let last_before = |second: i64| timetable.previous(second).unwrap_or(fire).max(fire);
        let made_up_for = match self.plan.catch_up {
            CatchUp::None => return self.skip_to(last_before(missed), SkipReason::CatchUpNone, out),
            CatchUp::All => fire,
            CatchUp::Latest => {
                let last = last_before(missed);
                if self.is_due(last, now) {
                    return self.skip_to(last, SkipReason::CatchUpLatest, out);
                }
                last
            }
        };
        if made_up_for > fire {
            return self.skip_to(last_before(made_up_for), SkipReason::CatchUpLatest, out);
        }
        if fire < window {
            // With `latest` there is only this one; with `all` the ones behind it may be within.
            let last = if self.plan.catch_up == CatchUp::All { last_before(window.min(missed)) } else { fire };
            return self.skip_to(last, SkipReason::CatchUpWindow, out);
        }
        let start = overlap::catching_up(busy(&self.name));
        self.run(fire, start, Decision::CatchUp, out)
    }

    /// Whether the fire after `last` is due as well.
    fn is_due(&self, last: i64, now: i64) -> bool {
        let next = self.plan.timetable.next(last);
        next.is_some_and(|next| next.saturating_mul(1000).saturating_add(i64::from(self.delay)) <= now)
    }

    fn run(&mut self, fire: i64, start: Start, kind: fn(Fire) -> Decision, out: &mut Vec<Decision>) -> bool {
        let timetable = &self.plan.timetable;
        let from = if self.chained { self.decided } else { timetable.previous(fire).unwrap_or(fire) };
        if let (Ok(at), Ok(from)) = (Timestamp::from_second(fire), Timestamp::from_second(from)) {
            let due = at + Duration::from_millis(u64::from(self.delay));
            let interval = Interval { start: from, end: at };
            out.push(kind(Fire { pipeline: self.name.clone(), at, due, interval, start }));
        }
        self.next = timetable.next(fire);
        (self.decided, self.chained) = (fire, true);
        true
    }

    fn skip_to(&mut self, last: i64, reason: SkipReason, out: &mut Vec<Decision>) -> bool {
        let timetable = &self.plan.timetable;
        if let Some(first) = self.next
            && let (Ok(from), Ok(to)) = (Timestamp::from_second(first), Timestamp::from_second(last))
        {
            let count = count(timetable, first, last);
            out.push(Decision::Skip(Skip { pipeline: self.name.clone(), first: from, last: to, count, reason }));
        }
        self.next = timetable.next(last);
        (self.decided, self.chained) = (last, true);
        false
    }

    /// Leaves out all that is due.
    fn skip_paused(&mut self, now: i64) -> Option<Decision> {
        let due = (now - i64::from(self.delay)).div_euclid(1000);
        let first = self.next.filter(|first| *first <= due)?;
        let last = self.plan.timetable.previous(due + 1).unwrap_or(first).max(first);
        let mut skipped = Vec::new();
        self.skip_to(last, SkipReason::Paused, &mut skipped);
        skipped.pop()
    }
}

fn count(timetable: &Timetable, first: i64, last: i64) -> u32 {
    let fires = std::iter::successors(Some(first), |fire| timetable.next(*fire));
    let count = fires.take_while(|fire| *fire <= last).take(Skip::COUNTED as usize).count();
    u32::try_from(count).unwrap_or(Skip::COUNTED)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Seconds from a time in milliseconds, rounded up.
fn ceiling_seconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_add(999).div_euclid(1000)
}
