//! Why a task on another agent failed: its own error, or that the agent is gone.

use std::any::Any;
use std::error::Error;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion_distributed::TaskKey;
use gleam_sql_executor::error::OperatorError;
use gleam_sql_executor::operator::{OperatorLabel, Place};
use gleam_sql_executor::policy::PolicyError;
use gleam_sql_executor::text::TextError;
use tokio::task::JoinError;
use tonic::{Code, Status};

use crate::proto::exchange as wire;

/// A task on another agent failed. It keeps the names of the agent where that happened first, however
/// many agents it passes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n  on agent {agent} (stage {stage}, task {task})")]
pub struct RemoteFault {
    /// What the task's error says.
    pub message: String,
    /// The agent that ran the task.
    pub agent: String,
    /// The task's stage.
    pub stage: u64,
    /// The task's number in its stage.
    pub task: u64,
    /// What the user can do, where that is known.
    pub hint: Option<String>,
    /// The operator to blame, where one is.
    pub operator: Option<OperatorLabel>,
}

/// An agent went away, or its connection broke, before its task was complete. The same query may
/// succeed without this agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("agent {agent} was lost{}: {reason}", shown_task(*.stage, *.task))]
pub struct AgentLost {
    /// The agent.
    pub agent: String,
    /// The stage of the task that it ran.
    pub stage: u64,
    /// The task's number in its stage.
    pub task: u64,
    /// How that was noticed.
    pub reason: String,
}

impl AgentLost {
    /// An agent that could not be reached when a task was to be brought to it.
    pub(crate) fn unreached(agent: String, reason: String) -> Self {
        Self { agent, stage: 0, task: 0, reason }
    }
}

impl From<RemoteFault> for DataFusionError {
    fn from(fault: RemoteFault) -> Self {
        Self::External(Box::new(fault))
    }
}

impl From<AgentLost> for DataFusionError {
    fn from(lost: AgentLost) -> Self {
        Self::External(Box::new(lost))
    }
}

/// Stages are counted from 1: none is 0.
fn shown_task(stage: u64, task: u64) -> String {
    if stage == 0 { String::new() } else { format!(" while it ran task {task} of stage {stage}") }
}

/// The task that runs on an agent, for errors.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) agent: String,
    pub(crate) stage: u64,
    pub(crate) task: u64,
}

impl Site {
    pub(crate) fn new(agent: &str, key: &TaskKey) -> Self {
        let (stage, task) = (key.stage_id as u64, key.task_number as u64);
        Self { agent: agent.to_owned(), stage, task }
    }

    pub(crate) fn lost(&self, reason: impl Into<String>) -> AgentLost {
        let Self { agent, stage, task } = self.clone();
        AgentLost { agent, stage, task, reason: reason.into() }
    }

    pub(crate) fn fault(&self, message: impl Into<String>) -> RemoteFault {
        let Self { agent, stage, task } = self.clone();
        RemoteFault { message: message.into(), agent, stage, task, hint: None, operator: None }
    }

    /// The error of a call: the connection's, or a refusal by the agent.
    pub(crate) fn refused(&self, status: &Status) -> DataFusionError {
        if is_lost(status) {
            return self.lost(shown_status(status)).into();
        }
        self.fault(status.message()).into()
    }

    /// An error of the stock client: the connection's, or what the agent answered.
    pub(crate) fn locate(&self, error: DataFusionError) -> DataFusionError {
        match find::<Status>(&error) {
            Some(status) => self.refused(status),
            None => received(self.describe(&error)),
        }
    }

    /// A failure of this task as it goes to consumers. What already names another agent is passed on.
    pub(crate) fn describe(&self, error: &DataFusionError) -> wire::Fault {
        if let Some(fault) = find::<RemoteFault>(error) {
            return fault.clone().into();
        }
        if let Some(lost) = find::<AgentLost>(error) {
            return lost.clone().into();
        }
        let mut fault = self.fault(String::new());
        if let Some(operator) = find::<OperatorError>(error) {
            fault.message = operator.to_string();
            fault.hint = operator.hint();
            fault.operator = Some(operator.label.clone());
        } else if let Some(text) = find::<TextError>(error) {
            fault.message = text.to_string();
            fault.hint = text.hint();
        } else if let Some(refusal) = find::<PolicyError>(error) {
            fault.message = refusal.to_string();
        } else if let Some(ended) = find::<Arc<JoinError>>(error) {
            // That is how a repartitioning hands the panic of its input to all of its outputs.
            fault.message = without_number(ended);
        } else {
            fault.message = error.find_root().strip_backtrace();
        }
        fault.into()
    }

    /// A panic of this task.
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send)) -> wire::Fault {
        self.fault(format!("a task panicked: {}", panic_message(panic))).into()
    }
}

/// `a task panicked with message …`; its number means nothing to anybody.
fn without_number(ended: &JoinError) -> String {
    let text = ended.to_string();
    let text = text.strip_prefix("task ").unwrap_or(&text);
    format!("a task {}", text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start())
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// The first error of type `E` in the chain of causes.
pub(crate) fn find<E: Error + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Whether a status says that nobody answered, as against an answer that is a refusal.
pub(crate) fn is_lost(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => true,
        // Broken connections come as these, with the error of the transport as their source.
        Code::Unknown | Code::Internal => status.source().is_some(),
        _ => false,
    }
}

/// The message and its causes: tonic's own is often only `transport error`.
pub(crate) fn shown_status(status: &Status) -> String {
    let mut shown = status.message().to_owned();
    let mut next = status.source();
    while let Some(error) = next {
        let text = error.to_string();
        if !shown.contains(&text) {
            shown = format!("{shown}: {text}");
        }
        next = error.source();
    }
    shown
}

impl From<RemoteFault> for wire::Fault {
    fn from(fault: RemoteFault) -> Self {
        let operator = fault.operator.map(|label| wire::Operator {
            keyword: label.keyword,
            line: label.place.line,
            column: label.place.column,
        });
        Self {
            message: fault.message,
            agent: fault.agent,
            stage: fault.stage,
            task: fault.task,
            hint: fault.hint.unwrap_or_default(),
            operator,
            lost: false,
        }
    }
}

impl From<AgentLost> for wire::Fault {
    fn from(lost: AgentLost) -> Self {
        Self {
            message: lost.reason,
            agent: lost.agent,
            stage: lost.stage,
            task: lost.task,
            lost: true,
            ..Self::default()
        }
    }
}

/// The error that a fault is for the consumer's operators.
pub(crate) fn received(fault: wire::Fault) -> DataFusionError {
    let wire::Fault { message, agent, stage, task, hint, operator, lost } = fault;
    if lost {
        return AgentLost { agent, stage, task, reason: message }.into();
    }
    let operator = operator.map(|operator| OperatorLabel {
        keyword: operator.keyword,
        place: Place { line: operator.line, column: operator.column },
    });
    let hint = Some(hint).filter(|hint| !hint.is_empty());
    RemoteFault { message, agent, stage, task, hint, operator }.into()
}
