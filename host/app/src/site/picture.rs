//! Pictures as inline SVG: boxes in layers, and bars.

use super::html::Html;
use std::collections::BTreeMap;

/// A box of a graph.
pub(super) struct Node {
    /// The first line.
    pub title: String,
    /// The second line.
    pub below: String,
    /// Where it leads.
    pub href: Option<String>,
    /// A class of the style: `extract`, `load`, `missing`, ...
    pub class: &'static str,
}

/// An arrow between two boxes, by their places.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub from: usize,
    pub to: usize,
    /// Whether it is drawn with dashes.
    pub dashed: bool,
}

const WIDTH: i64 = 168;
const HEIGHT: i64 = 52;
const GAP_X: i64 = 24;
const GAP_Y: i64 = 44;
/// What stands in for a box where an arrow passes a layer.
const PASS: i64 = 16;
const MARGIN: i64 = 8;
/// Characters that fit into a box.
const TITLE_CHARS: usize = 20;
const BELOW_CHARS: usize = 24;

/// A place in a layer: a box, or an arrow that passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Box(usize),
    Pass(usize),
}

/// Draws a graph from top to bottom.
pub(super) fn graph(html: &mut Html, label: &str, nodes: &[Node], edges: &[Edge]) {
    let layers = layers(nodes.len(), edges);
    let slots = order(&layers, edges);
    let row_width = |row: &Vec<Slot>| {
        row.iter().map(|slot| if matches!(slot, Slot::Box(_)) { WIDTH } else { PASS }).sum::<i64>()
            + GAP_X * (row.len() as i64 - 1).max(0)
    };
    let width = slots.iter().map(row_width).max().unwrap_or(0) + 2 * MARGIN;
    let height = slots.len() as i64 * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN;
    // The middle of each slot.
    let mut boxes: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    let mut passes: BTreeMap<(usize, usize), (i64, i64)> = BTreeMap::new();
    for (layer, row) in slots.iter().enumerate() {
        let y = MARGIN + layer as i64 * (HEIGHT + GAP_Y) + HEIGHT / 2;
        let mut x = (width - row_width(row)) / 2;
        for slot in row {
            match slot {
                Slot::Box(node) => {
                    boxes.insert(*node, (x + WIDTH / 2, y));
                    x += WIDTH + GAP_X;
                }
                Slot::Pass(edge) => {
                    passes.insert((*edge, layer), (x + PASS / 2, y));
                    x += PASS + GAP_X;
                }
            }
        }
    }
    let (width, height) = (width.to_string(), height.max(0).to_string());
    let view = format!("0 0 {width} {height}");
    let attributes = [
        ("class", "graph"),
        ("role", "group"),
        ("aria-label", label),
        ("viewBox", view.as_str()),
        ("width", width.as_str()),
        ("height", height.as_str()),
    ];
    html.node("div", &[("class", "wide"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)], |html| {
        html.node("svg", &attributes, |html| {
            for (at, edge) in edges.iter().enumerate() {
                let (Some(from), Some(to)) = (boxes.get(&edge.from), boxes.get(&edge.to)) else { continue };
                let between = passes.range((at, 0)..(at, usize::MAX)).map(|(_, place)| *place).collect::<Vec<_>>();
                arrow(html, *from, &between, *to, edge.dashed);
            }
            for (at, node) in nodes.iter().enumerate() {
                if let Some((x, y)) = boxes.get(&at) {
                    draw(html, node, *x, *y);
                }
            }
        });
    });
}

fn draw(html: &mut Html, node: &Node, x: i64, y: i64) {
    let inside = |html: &mut Html| {
        html.node("g", &[("class", node.class)], |html| {
            html.leaf("title", &[], &format!("{} ({})", node.title, node.below));
            let (left, top) = ((x - WIDTH / 2).to_string(), (y - HEIGHT / 2).to_string());
            let (width, height) = (WIDTH.to_string(), HEIGHT.to_string());
            html.empty("rect", &[("x", &left), ("y", &top), ("width", &width), ("height", &height), ("rx", "8")]);
            let x = x.to_string();
            let (first, second) = ((y - 4).to_string(), (y + 14).to_string());
            let cut = |text: &str, most| crate::show::human::cut(&crate::show::human::clean_line(text), most);
            html.leaf("text", &[("class", "name"), ("x", &x), ("y", &first)], &cut(&node.title, TITLE_CHARS));
            html.leaf("text", &[("x", &x), ("y", &second)], &cut(&node.below, BELOW_CHARS));
        });
    };
    match &node.href {
        Some(href) => html.node("a", &[("href", href)], inside),
        None => html.node("g", &[], inside),
    };
}

fn arrow(html: &mut Html, from: (i64, i64), between: &[(i64, i64)], to: (i64, i64), dashed: bool) {
    let (mut x, mut y) = (from.0, from.1 + HEIGHT / 2);
    let mut path = format!("M{x} {y}");
    let mut curve = |x: &mut i64, y: &mut i64, to_x: i64, to_y: i64| {
        let middle = (*y + to_y) / 2;
        path.push_str(&format!(" C{x} {middle} {to_x} {middle} {to_x} {to_y}"));
        (*x, *y) = (to_x, to_y);
    };
    for (pass_x, pass_y) in between {
        curve(&mut x, &mut y, *pass_x, pass_y - HEIGHT / 2);
        curve(&mut x, &mut y, *pass_x, pass_y + HEIGHT / 2);
    }
    let (tip_x, tip_y) = (to.0, to.1 - HEIGHT / 2);
    curve(&mut x, &mut y, tip_x, tip_y - 6);
    let class = if dashed { "edge dashed" } else { "edge" };
    html.empty("path", &[("class", class), ("d", &path)]);
    let tip = format!("M{} {} L{tip_x} {tip_y} L{} {} Z", tip_x - 4, tip_y - 8, tip_x + 4, tip_y - 8);
    html.empty("path", &[("class", "tip"), ("d", &tip)]);
}

/// The layer of each box: below all that lead to it. In a circle, the first of the file is taken for its beginning.
fn layers(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    let mut placed = vec![false; nodes];
    let mut into: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for edge in edges {
        if let Some(before) = into.get_mut(edge.to)
            && edge.from < nodes
        {
            before.push(edge.from);
        }
    }
    for _ in 0..nodes {
        let is_placed = |node: usize| placed.get(node).copied().unwrap_or(true);
        let left = |node: &usize| !is_placed(*node);
        let ready =
            (0..nodes).filter(left).find(|node| into.get(*node).is_some_and(|b| b.iter().all(|b| is_placed(*b))));
        let Some(node) = ready.or_else(|| (0..nodes).find(left)) else { break };
        let before = into.get(node).map(Vec::as_slice).unwrap_or_default();
        let above = before.iter().filter(|b| is_placed(**b)).filter_map(|b| layers.get(*b)).max();
        let layer = above.map_or(0, |above| above + 1);
        if let (Some(slot), Some(done)) = (layers.get_mut(node), placed.get_mut(node)) {
            (*slot, *done) = (layer, true);
        }
    }
    layers
}

/// What stands in each layer, from left to right: near the middle of what leads to it.
fn order(layers: &[usize], edges: &[Edge]) -> Vec<Vec<Slot>> {
    let depth = layers.iter().max().map_or(0, |deepest| deepest + 1);
    let mut rows: Vec<Vec<Slot>> = vec![Vec::new(); depth];
    for (node, layer) in layers.iter().enumerate() {
        if let Some(row) = rows.get_mut(*layer) {
            row.push(Slot::Box(node));
        }
    }
    let layer_of = |node: usize| layers.get(node).copied().unwrap_or(0);
    for (at, edge) in edges.iter().enumerate() {
        for layer in layer_of(edge.from) + 1..layer_of(edge.to) {
            if let Some(row) = rows.get_mut(layer) {
                row.push(Slot::Pass(at));
            }
        }
    }
    // Where each slot of the row above stands, as a share of its row.
    let mut above: Vec<(Slot, f64)> = Vec::new();
    for (layer, row) in rows.iter_mut().enumerate() {
        let place = |slot: &Slot| {
            let feeders: Vec<f64> = edges
                .iter()
                .enumerate()
                .filter(|(at, edge)| match slot {
                    Slot::Box(node) => edge.to == *node,
                    Slot::Pass(pass) => at == pass,
                })
                .filter_map(|(at, edge)| {
                    let feeds = |slot: &Slot| *slot == Slot::Pass(at) || *slot == Slot::Box(edge.from);
                    above.iter().find(|(slot, _)| feeds(slot)).map(|(_, place)| *place)
                })
                .collect();
            if feeders.is_empty() { 0.5 } else { feeders.iter().sum::<f64>() / feeders.len() as f64 }
        };
        if layer > 0 {
            let mut placed: Vec<(f64, Slot)> = row.iter().map(|slot| (place(slot), *slot)).collect();
            placed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            *row = placed.into_iter().map(|(_, slot)| slot).collect();
        }
        let many = row.len() as f64;
        above = row.iter().enumerate().map(|(at, slot)| (*slot, (at as f64 + 0.5) / many)).collect();
    }
    rows
}

/// A bar of a chart.
pub(super) struct Bar {
    /// How long it is, 0 to 1.
    pub share: f64,
    /// A class of the style: `good`, `bad`, `open`.
    pub class: &'static str,
    /// A sign above it, so that colour is not all that tells.
    pub sign: &'static str,
    /// What it stands for.
    pub title: String,
}

/// Draws bars from left to right.
pub(super) fn bars(html: &mut Html, label: &str, bars: &[Bar]) {
    const TALL: f64 = 64.0;
    const STEP: i64 = 18;
    let width = (bars.len() as i64 * STEP + 4).to_string();
    let view = format!("0 0 {width} 86");
    let attributes = [
        ("class", "bars"),
        ("role", "img"),
        ("aria-label", label),
        ("viewBox", view.as_str()),
        ("width", width.as_str()),
        ("height", "86"),
    ];
    html.node("svg", &attributes, |html| {
        for (at, bar) in bars.iter().enumerate() {
            let tall = (bar.share.clamp(0.0, 1.0) * TALL).round().max(3.0) as i64;
            let (x, y) = ((at as i64 * STEP + 2).to_string(), (84 - tall).to_string());
            let (middle, sign) = ((at as i64 * STEP + 9).to_string(), (80 - tall).to_string());
            html.node("g", &[("class", bar.class)], |html| {
                html.leaf("title", &[], &bar.title);
                let tall = tall.to_string();
                html.empty("rect", &[("x", &x), ("y", &y), ("width", "14"), ("height", &tall), ("rx", "2")]);
                html.leaf("text", &[("x", &middle), ("y", &sign)], bar.sign);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs.iter().map(|(from, to)| Edge { from: *from, to: *to, dashed: false }).collect()
    }

    #[test]
    fn every_box_stands_below_what_leads_to_it() {
        assert_eq!(layers(4, &edges(&[(0, 1), (1, 2), (0, 3), (2, 3)])), [0, 1, 2, 3]);
        assert_eq!(layers(3, &edges(&[(2, 0), (2, 1)])), [1, 1, 0]);
        // A circle has a beginning all the same, and an edge from nowhere does nothing.
        assert_eq!(layers(2, &edges(&[(0, 1), (1, 0), (9, 0)])), [0, 1]);
        let rows = order(&[0, 1, 2, 3], &edges(&[(0, 1), (1, 2), (2, 3), (0, 3)]));
        assert!(rows.iter().map(Vec::len).eq([1, 2, 2, 1]));
    }
}
