//! Random lives of two loads, on a disk that fails anywhere, against what has to be visible.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{Part, folder};
use crate::disk::trips::failing;
use crate::{Mode, Target, abort, commit};

const IDS: [&str; 2] = ["flights-20260101", "flights-20260101-1"];

/// What the host does with a load.
#[derive(Debug, Clone)]
enum Op {
    /// Begins a run with so many parts, whatever became of the one before. It may have died: its instances are dropped.
    Open(u32),
    Write(u32, u8),
    Prepare,
    Commit,
    Abort {
        with_receipts: bool,
    },
}

#[derive(Debug, Clone)]
struct Step {
    id: usize,
    op: Op,
    /// the disk fails, or the process dies, after so many things done to the disk
    fails_after: Option<u32>,
}

fn step() -> impl Strategy<Value = Step> {
    let op = prop_oneof![
        2 => (1_u32..4).prop_map(Op::Open),
        3 => (0_u32..3, any::<u8>()).prop_map(|(part, byte)| Op::Write(part, byte)),
        3 => Just(Op::Prepare),
        3 => Just(Op::Commit),
        1 => any::<bool>().prop_map(|with_receipts| Op::Abort { with_receipts }),
    ];
    (0_usize..2, op, prop::option::weighted(0.3, prop_oneof![0_u32..2, 0_u32..9]))
        .prop_map(|(id, op, fails_after)| Step { id, op, fails_after })
}

/// Name and content of every file that is not hidden.
type Visible = BTreeMap<String, Vec<u8>>;

fn visible(folder: &Path) -> Visible {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, fs::read(entry.path()).unwrap())))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect()
}

/// How far a load has come, as the host knows it.
enum State {
    /// nothing is under way; the receipts of the last run that committed
    Ended(Vec<String>),
    Open(Vec<(Part, Vec<u8>)>),
    /// not a part of it can be gone on with
    Failed,
    Prepared {
        receipts: Vec<String>,
        shows: Visible,
        committing: bool,
    },
}

struct World {
    target: Target,
    folder: std::path::PathBuf,
    mode: Mode,
    states: [State; 2],
    visible: Visible,
}

impl World {
    fn new(root: &Path, mode: Mode) -> Self {
        let (folder, path) = match mode {
            Mode::Replace => (root.join("out"), root.join("out/x.csv")),
            Mode::Append => (root.join("out"), root.join("out")),
        };
        Self {
            target: Target::new(path.to_str().unwrap(), mode, ".csv").unwrap(),
            folder,
            mode,
            states: [State::Ended(Vec::new()), State::Ended(Vec::new())],
            visible: Visible::new(),
        }
    }

    fn file(&self, id: usize, part: u32) -> String {
        let file = self.target.file(IDS[id], part).unwrap();
        file.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// What is visible once a run of the load has committed: its own rows in place of those of an earlier one.
    fn after_commit(&self, id: usize, shows: &Visible) -> Visible {
        let mut after = self.visible.clone();
        let prefix = format!("{}-", IDS[id]);
        let is_part = |name: &str| {
            let part = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".csv"));
            part.is_some_and(|part| part.parse::<u32>().is_ok())
        };
        after.retain(|name, _| self.mode == Mode::Replace || !is_part(name));
        after.extend(shows.clone());
        after
    }

    fn apply(&mut self, step: &Step) {
        let id = step.id;
        let name = IDS[id];
        let state = std::mem::replace(&mut self.states[id], State::Failed);
        self.states[id] = match (&step.op, state) {
            // A run that is committing has to be finished before another of the same load.
            (_, state @ State::Prepared { committing: true, .. }) if !matches!(step.op, Op::Commit) => state,
            (Op::Open(parts), _) => {
                let parts = if self.mode == Mode::Replace { 1 } else { *parts };
                let open = |part| (Part::open(&self.target, name, part).unwrap(), Vec::new());
                State::Open((0..parts).map(open).collect())
            }
            (Op::Write(part, byte), State::Open(mut parts)) => {
                let at = *part as usize % parts.len();
                let bytes = vec![*byte; usize::from(*byte) % 5];
                let (part, content) = &mut parts[at];
                // Asked again, as the host does, it takes the rows if it lost none.
                let tried = failing(step.fails_after, || part.write(&bytes)).or_else(|_| part.write(&bytes));
                match tried {
                    Ok(()) => {
                        content.extend(bytes);
                        State::Open(parts)
                    }
                    Err(_) => {
                        assert!(part.prepare().is_err());
                        State::Failed
                    }
                }
            }
            (Op::Prepare, State::Open(mut parts)) => {
                let tried: Result<Vec<_>, _> =
                    failing(step.fails_after, || parts.iter_mut().map(|(part, _)| part.prepare()).collect());
                let tried = tried.or_else(|_| parts.iter_mut().map(|(part, _)| part.prepare()).collect());
                match tried {
                    Ok(receipts) => {
                        let shows =
                            parts.into_iter().zip(0..).map(|((_, content), part)| (self.file(id, part), content));
                        State::Prepared { receipts, shows: shows.collect(), committing: false }
                    }
                    Err(_) => State::Failed,
                }
            }
            (Op::Commit, State::Prepared { receipts, shows, .. }) => {
                let after = self.after_commit(id, &shows);
                match failing(step.fails_after, || commit(&self.target, name, &receipts)) {
                    Ok(()) => {
                        self.visible = after;
                        State::Ended(receipts)
                    }
                    Err(_) => {
                        // In the middle: every file is as before or as after, and whole.
                        let now = visible(&self.folder);
                        for name in now.keys().chain(self.visible.keys()).chain(after.keys()) {
                            let found = now.get(name);
                            assert!(found == self.visible.get(name) || found == after.get(name), "{name}");
                        }
                        self.visible = now;
                        State::Prepared { receipts, shows, committing: true }
                    }
                }
            }
            // Again after it succeeded: refused only if something else took its place since.
            (Op::Commit, State::Ended(receipts)) => {
                let again = failing(step.fails_after, || commit(&self.target, name, &receipts));
                assert!(again.is_ok() || step.fails_after.is_some() || self.mode == Mode::Replace);
                State::Ended(receipts)
            }
            (Op::Abort { with_receipts }, state) => {
                let receipts = match &state {
                    State::Prepared { receipts, .. } | State::Ended(receipts) if *with_receipts => receipts.clone(),
                    _ => Vec::new(),
                };
                let tried = failing(step.fails_after, || abort(&self.target, name, &receipts));
                match state {
                    State::Ended(receipts) => State::Ended(receipts),
                    _ if tried.is_err() => State::Failed,
                    _ => State::Ended(Vec::new()),
                }
            }
            (_, state) => state,
        };
        assert_eq!(visible(&self.folder), self.visible, "after {step:?}");
    }

    /// What the host does as it starts again.
    fn recover(&mut self) {
        for id in 0..IDS.len() {
            let committing = matches!(self.states[id], State::Prepared { committing: true, .. });
            let op = if committing { Op::Commit } else { Op::Abort { with_receipts: false } };
            self.apply(&Step { id, op, fails_after: None });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn what_is_visible_is_what_was_committed(
        steps in prop::collection::vec(step(), 0..100),
        append: bool,
    ) {
        let (_keep, root) = folder();
        let mut world = World::new(&root, if append { Mode::Append } else { Mode::Replace });
        for step in &steps {
            world.apply(step);
        }
        world.recover();
        world.recover();
        // Nothing is left lying about.
        let left = fs::read_dir(&world.folder).into_iter().flatten().count();
        prop_assert_eq!(left, world.visible.len());
    }
}
