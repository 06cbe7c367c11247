//! The pipeline as a graph: the order of its stages, its edges, and which of them could block for ever.

use sluicebox_model::pipeline::Pipeline;
use std::collections::BTreeSet;

/// One edge: stage `from` feeds input number `slot` of stage `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) slot: usize,
    /// The edge must never block its producer: what does not fit into memory goes to disk.
    pub(crate) spills: bool,
}

/// The stages of a pipeline, by position, and what joins them.
#[derive(Clone, Debug)]
pub(crate) struct Dag {
    /// Every stage after those that feed it; among equals in the order of the file.
    pub(crate) order: Vec<usize>,
    pub(crate) links: Vec<Link>,
}

impl Dag {
    /// Reads the edges off the stages' inputs. Errors are for people.
    pub(crate) fn new(pipeline: &Pipeline) -> Result<Self, String> {
        let mut links = Vec::new();
        for (to, spec) in pipeline.stages.iter().enumerate() {
            for (slot, name) in spec.inputs.iter().enumerate() {
                let from = pipeline
                    .stages
                    .iter()
                    .position(|other| &other.name == name)
                    .ok_or_else(|| format!("stage `{}` takes `{name}`, which is no stage", spec.name))?;
                links.push(Link { from, to, slot, spills: false });
            }
        }
        let mut order = Vec::new();
        let mut left: BTreeSet<usize> = (0..pipeline.stages.len()).collect();
        while !left.is_empty() {
            let ready = left
                .iter()
                .copied()
                .find(|stage| !links.iter().any(|link| link.to == *stage && left.contains(&link.from)))
                .ok_or_else(|| {
                    let names: Vec<&str> = left
                        .iter()
                        .filter_map(|stage| pipeline.stages.get(*stage))
                        .map(|spec| spec.name.as_str())
                        .collect();
                    format!("the stages {} feed each other in a circle", names.join(", "))
                })?;
            left.remove(&ready);
            order.push(ready);
        }
        let mut dag = Self { order, links };
        dag.mark_spills();
        Ok(dag)
    }

    /// The stages that a stage feeds, directly or through others.
    pub(crate) fn is_downstream(&self, of: usize, stage: usize) -> bool {
        let mut reached = BTreeSet::from([of]);
        for at in &self.order {
            if self.links.iter().any(|link| link.to == *at && reached.contains(&link.from)) {
                reached.insert(*at);
            }
        }
        stage != of && reached.contains(&stage)
    }

    /// Marks the edges that could block for ever.
    ///
    /// A stage takes its inputs one after another: 1, 2, ..., then 0. While it waits for one, the edges of those that
    /// come later fill up. That is a deadlock if what it waits for waits, in turn, for such a full edge. So: "edge e is
    /// full" and "edge e is empty" are nodes, "because" joins them, and an edge whose fullness can be its own cause
    /// spills, which takes its "full" node out.
    fn mark_spills(&mut self) {
        for index in 0..self.links.len() {
            let Some(link) = self.links.get(index).copied() else { continue };
            let earlier = (0..self.links.len()).filter(|other| self.is_taken_before(*other, &link));
            if earlier.into_iter().any(|empty| self.empty_may_mean_full(empty, index))
                && let Some(link) = self.links.get_mut(index)
            {
                link.spills = true;
            }
        }
    }

    /// Whether the edge feeds the same stage as `link` and is drained before it.
    fn is_taken_before(&self, edge: usize, link: &Link) -> bool {
        let turn = |slot: usize| if slot == 0 { usize::MAX } else { slot };
        self.links.get(edge).is_some_and(|other| other.to == link.to && turn(other.slot) < turn(link.slot))
    }

    /// Whether edge `empty` can stay empty because edge `full` is full.
    fn empty_may_mean_full(&self, empty: usize, full: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![(false, empty)];
        while let Some((is_full, edge)) = open.pop() {
            if (is_full, edge) == (true, full) {
                return true;
            }
            let Some(link) = self.links.get(edge) else { continue };
            if (is_full && link.spills) || !seen.insert((is_full, edge)) {
                continue;
            }
            for (index, other) in self.links.iter().enumerate() {
                if is_full {
                    // The consumer does not take from it: it waits for an earlier input, or cannot pass on.
                    if self.is_taken_before(index, link) {
                        open.push((false, index));
                    }
                    if other.from == link.to {
                        open.push((true, index));
                    }
                } else {
                    // The producer does not give: it waits for an input, or cannot pass on to somebody else.
                    if other.to == link.from {
                        open.push((false, index));
                    }
                    if other.from == link.from && index != edge {
                        open.push((true, index));
                    }
                }
            }
        }
        false
    }
}
