//! What a Lua child runs: the columns it is given and the chain of operators applied to them.

use serde::{Deserialize, Serialize};

use super::LuaError;
use super::types::LuaType;
pub use crate::operator::OnError;

/// Most columns a step may take or give. LuaJIT has 250 slots in a frame, and a call needs the
/// row twice: once as the caller's locals and once as arguments.
pub const MAX_COLUMNS: usize = 100;

/// Most columns shipped to a child; each that is used is a local of the loop, which has 200.
pub const MAX_INPUTS: usize = 150;

/// The index column of a reply.
const INDEX_COLUMN: &str = "row";

/// Most operators fused into one chain; each is a dozen locals of the generated chunk, of 200.
pub const MAX_STEPS: usize = 12;

/// A named, typed column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LuaColumn {
    /// The name shown in messages and, inside a STRUCT, the key of the Lua table.
    pub name: String,
    /// The declared type.
    #[serde(rename = "type")]
    pub data_type: LuaType,
}

impl LuaColumn {
    /// A column called `name`.
    pub fn new(name: impl Into<String>, data_type: LuaType) -> Self {
        Self { name: name.into(), data_type }
    }
}

/// Which operator a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LuaVerb {
    /// One call a row; the values returned are the new row.
    Map,
    /// One call a row; an iterator, a list or calls of `emit` give any number of new rows.
    FlatMap,
    /// Keeps the row when the result is truthy.
    Filter,
    /// One call a row; its value is one more column beside those of the row.
    Call,
    /// Folds the rows of each group. The first input column is the number of the row's group; groups
    /// are numbered from 0 as they come.
    Reduce,
}

/// One operator of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LuaStep {
    /// Which operator it is.
    pub verb: LuaVerb,
    /// The user's text: a function expression, or a chunk that returns a function.
    pub code: String,
    /// The name in front of line numbers in messages, such as `MAP LUA`.
    pub chunk_name: String,
    /// Indexes, into the current row, of the columns that become arguments.
    pub args: Vec<usize>,
    /// The columns of AS; empty for FILTER.
    pub columns: Vec<LuaColumn>,
    /// What errors do.
    #[serde(default)]
    pub on_error: OnError,
    /// Of a Call: it gives NULL without running where an argument is NULL.
    #[serde(default)]
    pub is_strict: bool,
    /// Of a Call: it runs only where its first argument, which it does not get, is true; elsewhere it
    /// gives NULL.
    #[serde(default)]
    pub is_guarded: bool,
}

impl LuaStep {
    /// A step whose errors end the query, and which runs for every row.
    pub fn new(verb: LuaVerb, code: impl Into<String>, chunk_name: impl Into<String>) -> Self {
        Self {
            verb,
            code: code.into(),
            chunk_name: chunk_name.into(),
            args: Vec::new(),
            columns: Vec::new(),
            on_error: OnError::Fail,
            is_strict: false,
            is_guarded: false,
        }
    }

    /// The arguments of the function.
    pub fn function_args(&self) -> &[usize] {
        &self.args[usize::from(self.is_guarded).min(self.args.len())..]
    }
}

impl LuaStep {
    fn replaces_rows(&self) -> bool {
        matches!(self.verb, LuaVerb::Map | LuaVerb::FlatMap)
    }

    fn has_its_columns(&self) -> bool {
        let is_plain = !self.is_strict && !self.is_guarded && self.columns.is_empty();
        match self.verb {
            LuaVerb::Filter => is_plain,
            LuaVerb::Map | LuaVerb::FlatMap => !self.columns.is_empty(),
            LuaVerb::Call => self.columns.len() == 1 && !(self.is_guarded && self.args.is_empty()),
            LuaVerb::Reduce => !self.columns.is_empty() && self.columns.len() == self.args.len(),
        }
    }
}

/// What the rows of a reply are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyShape {
    /// The indexes of kept input rows: a chain of FILTERs.
    Kept,
    /// New rows: a chain with a MAP or a FLATMAP.
    Made,
    /// New columns of the input rows, one after the other: calls of functions.
    Beside,
    /// The number of a group and its accumulators, when they are asked for: REDUCE.
    Groups,
}

/// A chain of adjacent Lua operators that runs in one child as one loop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LuaProgram {
    /// The columns shipped to the child, in order.
    pub inputs: Vec<LuaColumn>,
    /// The operators, first to last; at least one.
    pub steps: Vec<LuaStep>,
}

impl LuaProgram {
    /// What the rows of a reply are.
    pub fn reply_shape(&self) -> ReplyShape {
        let all = |verb| self.steps.iter().all(|step| step.verb == verb);
        if all(LuaVerb::Filter) {
            ReplyShape::Kept
        } else if all(LuaVerb::Call) {
            ReplyShape::Beside
        } else if all(LuaVerb::Reduce) {
            ReplyShape::Groups
        } else {
            ReplyShape::Made
        }
    }

    /// The columns of a reply.
    pub fn reply_columns(&self) -> Vec<LuaColumn> {
        let index = || LuaColumn::new(INDEX_COLUMN, LuaType::UInt32);
        let of_steps = || self.steps.iter().flat_map(|step| step.columns.iter().cloned());
        match self.reply_shape() {
            ReplyShape::Kept => vec![index()],
            ReplyShape::Beside => of_steps().collect(),
            ReplyShape::Groups => std::iter::once(index()).chain(of_steps()).collect(),
            ReplyShape::Made => self.columns_before(self.steps.len()).to_vec(),
        }
    }

    /// The columns current before step `index`.
    pub fn columns_before(&self, index: usize) -> &[LuaColumn] {
        let earlier = &self.steps[..index.min(self.steps.len())];
        let replacing = earlier.iter().rev().find(|step| step.replaces_rows());
        replacing.map_or(&self.inputs, |step| &step.columns)
    }

    /// Whether the arguments of step `index` are input columns.
    pub(super) fn reads_input(&self, index: usize) -> bool {
        self.steps[..index].iter().all(|step| !step.replaces_rows())
    }

    /// Checks what the types do not say: a step exists, arguments name columns, limits hold.
    pub fn check(&self) -> Result<(), LuaError> {
        if self.steps.is_empty() {
            return Err(LuaError::Program("it has no steps".into()));
        }
        if self.steps.len() > MAX_STEPS {
            return Err(LuaError::Program(format!("more than {MAX_STEPS} steps in one chain")));
        }
        if self.inputs.len() > MAX_INPUTS {
            return Err(LuaError::Program(format!("more than {MAX_INPUTS} input columns")));
        }
        for (index, step) in self.steps.iter().enumerate() {
            let given = self.columns_before(index).len();
            if let Some(arg) = step.args.iter().find(|arg| **arg >= given) {
                let text = format!("step {index} takes column {arg} of a row of {given}");
                return Err(LuaError::Program(text));
            }
            if step.args.len() > MAX_COLUMNS || step.columns.len() > MAX_COLUMNS {
                let text = format!("step {index} has more than {MAX_COLUMNS} columns");
                return Err(LuaError::Program(text));
            }
            if !step.has_its_columns() {
                let text = format!("step {index} is {:?} with the wrong columns", step.verb);
                return Err(LuaError::Program(text));
            }
        }
        self.check_chain()
    }

    /// Checks that verbs which stand alone do.
    fn check_chain(&self) -> Result<(), LuaError> {
        let has = |verb| self.steps.iter().any(|step| step.verb == verb);
        let is_sound = match self.reply_shape() {
            ReplyShape::Kept | ReplyShape::Beside => true,
            ReplyShape::Groups => {
                self.steps.len() == 1
                    && self.inputs.first().is_some_and(|group| group.data_type == LuaType::UInt32)
                    && !self.steps[0].args.contains(&0)
            }
            ReplyShape::Made => !has(LuaVerb::Call) && !has(LuaVerb::Reduce),
        };
        if is_sound {
            Ok(())
        } else {
            Err(LuaError::Program("its steps do not go together".into()))
        }
    }
}
