//! The order in which an operator sees its rows.

use std::fmt;

use datafusion::physical_expr::{LexOrdering, OrderingRequirements};
use datafusion::physical_plan::{Distribution, InputDistributionRequirements};

/// What an operator asks of the order of its input.
///
/// An order that was asked for is one over all rows, so it takes a single task: rows go through one
/// child in their order, and come out of it in the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputOrder {
    /// None: tasks run side by side.
    Any,
    /// The rows are sorted so.
    Sorted(LexOrdering),
    /// The order of the input, which no column tells any more.
    AsItComes,
}

impl InputOrder {
    /// How the input is to be distributed over tasks.
    pub(super) fn distribution(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self {
            Self::Any => Distribution::UnspecifiedDistribution,
            Self::Sorted(_) | Self::AsItComes => Distribution::SinglePartition,
        }])
    }

    /// How the input is to be sorted.
    pub(super) fn ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![match self {
            Self::Sorted(order) => Some(OrderingRequirements::from(order.clone())),
            Self::Any | Self::AsItComes => None,
        }]
    }
}

impl fmt::Display for InputOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Sorted(_) | Self::AsItComes => f.write_str(", in order"),
        }
    }
}
