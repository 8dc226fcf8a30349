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
    /// Whether replies are the indexes of kept input rows (a chain of FILTERs only) rather than
    /// columns.
    pub fn replies_with_indexes(&self) -> bool {
        self.steps.iter().all(|step| step.verb == LuaVerb::Filter)
    }

    /// The columns current before step `index`.
    pub fn columns_before(&self, index: usize) -> &[LuaColumn] {
        let earlier = &self.steps[..index.min(self.steps.len())];
        let replacing = earlier.iter().rev().find(|step| step.verb != LuaVerb::Filter);
        replacing.map_or(&self.inputs, |step| &step.columns)
    }

    /// The columns of the reply of a chain that replies with data.
    pub fn outputs(&self) -> &[LuaColumn] {
        self.columns_before(self.steps.len())
    }

    /// Whether the arguments of step `index` are input columns.
    pub(super) fn reads_input(&self, index: usize) -> bool {
        self.steps[..index].iter().all(|step| step.verb == LuaVerb::Filter)
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
            if (step.verb == LuaVerb::Filter) != step.columns.is_empty() {
                let text = format!("step {index} is {:?} with the wrong columns", step.verb);
                return Err(LuaError::Program(text));
            }
        }
        Ok(())
    }
}
