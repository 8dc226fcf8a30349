//! Where the wanted values are.

use crate::keys::Keys;

/// A path of more keys is only looked for as one key, or key by key.
const MAX_SPLIT_KEYS: usize = 8;

/// What is wanted of an object or an array.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) keys: Keys,
    /// For each key what is wanted of its value.
    pub(super) edges: Vec<Edge>,
    /// Edges of keys that may be indexes of an array, ascending.
    indexes: Vec<(usize, usize)>,
}

/// What is wanted of the value of a key.
#[derive(Debug, Default)]
pub(super) struct Edge {
    /// Who wants the value itself.
    pub(super) targets: Vec<Target>,
    /// Who wants something inside.
    pub(super) node: Option<Node>,
    /// All targets inside.
    pub(super) below: Vec<Target>,
}

/// A slot to fill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) slot: usize,
    /// Which of the ways to read the column's name as keys this is; the best is 0.
    pub(super) rank: u8,
    /// Whether there are others.
    pub(super) has_rivals: bool,
}

impl Node {
    /// Adds all ways in which `path` can be keys with dots between them: longer keys first.
    pub(super) fn add_path(&mut self, path: &str, slot: usize) {
        let mut keys = Vec::new();
        let mut rank = 0;
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > MAX_SPLIT_KEYS {
            self.add(&[path], Target { slot, rank: 0, has_rivals: true });
            self.add(&parts, Target { slot, rank: 1, has_rivals: true });
        } else {
            self.add_splits(path, &mut keys, &mut rank, slot);
        }
    }

    fn add_splits<'a>(
        &mut self,
        path: &'a str,
        keys: &mut Vec<&'a str>,
        rank: &mut u8,
        slot: usize,
    ) {
        let has_rivals = path.contains('.') || !keys.is_empty();
        keys.push(path);
        self.add(keys, Target { slot, rank: *rank, has_rivals });
        *rank += 1;
        keys.pop();
        for (dot, _) in path.rmatch_indices('.') {
            keys.push(&path[..dot]);
            self.add_splits(&path[dot + 1..], keys, rank, slot);
            keys.pop();
        }
    }

    fn add(&mut self, keys: &[&str], target: Target) {
        let Some((key, rest)) = keys.split_first() else { return };
        let position = self.keys.add(key);
        if position == self.edges.len() {
            self.edges.push(Edge::default());
        }
        let edge = &mut self.edges[position];
        if rest.is_empty() {
            edge.targets.push(target);
        } else {
            edge.below.push(target);
            edge.node.get_or_insert_default().add(rest, target);
        }
    }

    /// Makes the node ready to be used, after the last path.
    pub(super) fn finish(&mut self) {
        let mut indexes = Vec::new();
        for position in 0..self.keys.len() {
            if let Some(index) = index(self.keys.key(position)) {
                indexes.push((index, position));
            }
        }
        indexes.sort_unstable();
        self.indexes = indexes;
        for edge in &mut self.edges {
            if let Some(node) = &mut edge.node {
                node.finish();
            }
        }
    }

    /// What is wanted of an element of an array.
    pub(super) fn edge_of_index(&self, index: usize) -> Option<&Edge> {
        let found = self.indexes.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(&self.edges[self.indexes[found].1])
    }
}

/// The number that a key is, if it is written as an index is.
fn index(key: &str) -> Option<usize> {
    let is_canonical = key == "0" || !key.starts_with(['0', '+']);
    key.parse().ok().filter(|_| is_canonical)
}
