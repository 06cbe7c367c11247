//! Paths to values: `address.city`, `tags[0]`, `"a key.with a dot".x`.

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

/// What is wanted of a value: itself, or what is in it. One tree serves all paths, so that a line is read once.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// the columns that hold this value
    pub(crate) columns: Vec<usize>,
    /// wanted members
    pub(crate) keys: Vec<(Vec<u8>, Node)>,
    /// wanted items
    items: Vec<(usize, Node)>,
    /// the member that is to come next, if members come as they came last time
    pub(crate) expected: std::cell::Cell<usize>,
}

impl Node {
    /// The tree of these paths; path i leads to column i.
    pub(crate) fn of_paths<'a>(paths: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut root = Self::default();
        for (column, path) in paths.enumerate() {
            let mut node = &mut root;
            for step in steps(path)? {
                node = node.enter(step);
            }
            node.columns.push(column);
        }
        Ok(root)
    }

    /// The tree of these top-level keys; key i is column i.
    pub(crate) fn of_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Self {
        let mut root = Self::default();
        for (column, key) in keys.enumerate() {
            root.enter(Step::Key(key.to_owned())).columns.push(column);
        }
        root
    }

    fn enter(&mut self, step: Step) -> &mut Self {
        match step {
            Step::Key(key) => child(&mut self.keys, key.into_bytes()),
            Step::Item(item) => child(&mut self.items, item),
        }
    }

    /// The member of this key, if it is wanted.
    pub(crate) fn member(&self, key: &[u8]) -> Option<&Self> {
        let expected = self.expected.get();
        let place = match self.keys.get(expected) {
            Some((known, _)) if known == key => expected,
            _ => self.keys.iter().position(|(known, _)| known == key)?,
        };
        self.expected.set(place + 1);
        self.keys.get(place).map(|(_, node)| node)
    }

    /// The item at this place, if it is wanted.
    pub(crate) fn item(&self, place: usize) -> Option<&Self> {
        self.items.iter().find(|(known, _)| *known == place).map(|(_, node)| node)
    }

    pub(crate) fn wants_items(&self) -> bool {
        !self.items.is_empty()
    }
}

fn child<K: PartialEq>(children: &mut Vec<(K, Node)>, key: K) -> &mut Node {
    let place = children.iter().position(|(known, _)| *known == key).unwrap_or(children.len());
    if place == children.len() {
        children.push((key, Node::default()));
    }
    // It is there: it was found or added just now.
    #[allow(clippy::indexing_slicing)]
    &mut children[place].1
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let wrong = |what: &str| Err(format!("the path {path:?} {what}; write e.g. address.city, tags[0] or \"a.b\".c"));
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some((key, behind)) = quoted.split_once('"') else { return wrong("has an open quote") };
            steps.push(Step::Key(key.to_owned()));
            rest = behind;
        } else if !(steps.is_empty() && rest.starts_with('[')) {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, behind) = rest.split_at(end);
            if key.is_empty() {
                return wrong("has an empty key");
            }
            steps.push(Step::Key(key.to_owned()));
            rest = behind;
        }
        while let Some(open) = rest.strip_prefix('[') {
            let Some((item, behind)) = open.split_once(']') else { return wrong("has an open bracket") };
            let Ok(item) = item.parse() else { return wrong("has no number in its brackets") };
            if steps.is_empty() {
                return wrong("begins with an item, and lines hold objects");
            }
            steps.push(Step::Item(item));
            rest = behind;
        }
        if rest.is_empty() {
            return Ok(steps);
        }
        match rest.strip_prefix('.') {
            Some(behind) => rest = behind,
            None => return wrong("lacks a dot"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn paths_are_steps() {
        let key = |key: &str| Step::Key(key.into());
        assert_eq!(steps("a").unwrap(), [key("a")]);
        assert_eq!(steps("a.b").unwrap(), [key("a"), key("b")]);
        assert_eq!(steps("a[0][12].b").unwrap(), [key("a"), Step::Item(0), Step::Item(12), key("b")]);
        assert_eq!(steps("\"a.b\".c d").unwrap(), [key("a.b"), key("c d")]);
        assert_eq!(steps("\"a\"[1]").unwrap(), [key("a"), Step::Item(1)]);
        for bad in ["", ".", "a.", "a..b", "a[", "a[x]", "a[0]b", "[0]", "\"a", "a[-1]"] {
            assert!(steps(bad).is_err(), "{bad}");
        }
    }
}
