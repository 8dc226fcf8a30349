//! The calls of one plan node as operators below it.

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, Result, TableReference, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Case, Expr, Extension, LogicalPlan, Operator};
use gleam_sql_executor::lua::{LuaStep, MAX_STEPS};
use gleam_sql_executor::operator::{OperatorLabel, Place};

use super::LuaFunction;
use super::definition::is_call;
use super::guard::{self, Guard};
use crate::nodes::{LuaNode, LuaOutput, NodeArguments};
use crate::origin;

/// Names of the columns that calls become. Scripts cannot use names that begin like this.
const CALL_COLUMN: &str = "__gleam_call_";

/// Calls over the rows of one input, and the columns that they become.
pub(super) struct Layers {
    input: LogicalPlan,
    /// Distinguishes the columns of the sides of a join.
    side: &'static str,
    calls: Vec<Call>,
    /// Whether a row is still looked at, in a list of conditions.
    needed: Guard,
}

struct Call {
    function: LuaFunction,
    arguments: Vec<Expr>,
    guard: Guard,
    /// Calls of a layer depend on those of earlier layers only.
    layer: usize,
}

impl Layers {
    pub(super) fn new(input: LogicalPlan, side: &'static str) -> Self {
        Self { input, side, calls: Vec::new(), needed: None }
    }

    pub(super) fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    /// Under which condition the next of a list of conditions is looked at.
    pub(super) fn needed(&self) -> Guard {
        self.needed.clone()
    }

    /// `condition` has been looked at; where it is one of these rows alone, it may have excluded some.
    pub(super) fn narrow(&mut self, condition: &Expr) {
        let is_known = |column: &Column| {
            self.input.schema().has_column(column)
                || (0..self.calls.len()).any(|index| self.column_name(index) == column.name)
        };
        if condition.column_refs().into_iter().all(is_known) {
            self.needed = guard::after_and(&self.needed, condition);
        }
    }

    /// `expression` with columns in the place of its calls.
    pub(super) fn extract(&mut self, expression: Expr, guard: &Guard) -> Result<Expr> {
        if !has_call(&expression)? {
            return Ok(expression);
        }
        match expression {
            Expr::ScalarFunction(call) => self.function(call, guard),
            Expr::Case(case) => self.case(case, guard),
            Expr::AggregateFunction(mut aggregate) if aggregate.params.filter.is_some() => {
                let filter = aggregate.params.filter.take();
                let filter = filter.map(|filter| self.extract(*filter, guard)).transpose()?;
                let kept = filter.as_ref().map(|filter| guard::of_branch(guard, filter));
                let kept = kept.unwrap_or_else(|| guard.clone());
                let rest = self.parts(Expr::AggregateFunction(aggregate), &kept)?;
                let Expr::AggregateFunction(mut aggregate) = rest else { return Ok(rest) };
                aggregate.params.filter = filter.map(Box::new);
                Ok(Expr::AggregateFunction(aggregate))
            }
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: op @ (Operator::And | Operator::Or),
                right,
            }) => {
                let left = self.extract(*left, guard)?;
                let needed = match op {
                    Operator::And => guard::after_and(guard, &left),
                    _ => guard::after_or(guard, &left),
                };
                let right = self.extract(*right, &needed)?;
                Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
            }
            other => self.parts(other, guard),
        }
    }

    /// `expression` with the calls in its parts extracted.
    fn parts(&mut self, expression: Expr, guard: &Guard) -> Result<Expr> {
        let extracted =
            expression.map_children(|part| self.extract(part, guard).map(Transformed::yes));
        Ok(extracted?.data)
    }

    fn function(&mut self, call: ScalarFunction, guard: &Guard) -> Result<Expr> {
        let ScalarFunction { func, args } = call;
        if matches!(func.name(), "coalesce" | "nvl" | "nvl2") {
            let is_choice = func.name() == "nvl2";
            let mut needed = guard.clone();
            let mut extracted: Vec<Expr> = Vec::with_capacity(args.len());
            for (position, arg) in args.into_iter().enumerate() {
                if let Some(first) = extracted.first().filter(|_| is_choice) {
                    needed = guard::of_choice(guard, first, position == 1);
                }
                let arg = self.extract(arg, &needed)?;
                needed = guard::after_null(&needed, &arg);
                extracted.push(arg);
            }
            return Ok(Expr::ScalarFunction(ScalarFunction { func, args: extracted }));
        }
        let args = args.into_iter().map(|arg| self.extract(arg, guard)).collect::<Result<_>>()?;
        match LuaFunction::of(&func) {
            Some(function) => self.call(function.clone(), args, guard.clone()),
            None => Ok(Expr::ScalarFunction(ScalarFunction { func, args })),
        }
    }

    fn case(&mut self, case: Case, guard: &Guard) -> Result<Expr> {
        let mut needed = guard.clone();
        let subject = case.expr.map(|subject| self.extract(*subject, guard)).transpose()?;
        let mut branches = Vec::with_capacity(case.when_then_expr.len());
        for (when, then) in case.when_then_expr {
            let when = self.extract(*when, &needed)?;
            let condition = match &subject {
                Some(subject) => subject.clone().eq(when.clone()),
                None => when.clone(),
            };
            let then = self.extract(*then, &guard::of_branch(&needed, &condition))?;
            needed = guard::after_branch(&needed, &condition);
            branches.push((Box::new(when), Box::new(then)));
        }
        let otherwise = case.else_expr.map(|other| self.extract(*other, &needed)).transpose()?;
        Ok(Expr::Case(Case::new(subject.map(Box::new), branches, otherwise.map(Box::new))))
    }

    /// The column that a call becomes.
    fn call(&mut self, function: LuaFunction, arguments: Vec<Expr>, guard: Guard) -> Result<Expr> {
        for argument in &arguments {
            check_argument(argument, &function)?;
        }
        // Where the condition cannot be evaluated beforehand, the call cannot wait for it.
        let guard = guard.filter(|condition| {
            // Asked twice, it might give two answers.
            !condition.is_volatile() && matches!(unavailable(condition), Ok(None))
        });
        let arguments: Vec<Expr> =
            arguments.into_iter().map(|argument| guard::protected(&guard, argument)).collect();
        let is_volatile = arguments.iter().any(Expr::is_volatile);
        let known = |call: &Call| {
            call.function == function && call.arguments == arguments && call.guard == guard
        };
        if function.is_stateless()
            && !is_volatile
            && let Some(index) = self.calls.iter().position(known)
        {
            return Ok(self.column(index));
        }
        let uses = arguments.iter().chain(&guard).flat_map(Expr::column_refs);
        let below = uses.filter_map(|column| {
            let index =
                (0..self.calls.len()).find(|index| self.column_name(*index) == column.name)?;
            Some(self.calls[index].layer + 1)
        });
        let layer = below.max().unwrap_or(0);
        self.calls.push(Call { function, arguments, guard, layer });
        Ok(self.column(self.calls.len() - 1))
    }

    fn column_name(&self, index: usize) -> String {
        format!("{CALL_COLUMN}{}{}", self.side, index + 1)
    }

    fn column(&self, index: usize) -> Expr {
        Expr::Column(Column::new(None::<TableReference>, self.column_name(index)))
    }

    /// The input, with the columns of all calls beside its own.
    pub(super) fn finish(self) -> Result<LogicalPlan> {
        let mut plan = self.input.clone();
        let last = self.calls.iter().map(|call| call.layer).max();
        for layer in 0..=last.unwrap_or(0) {
            let calls = self.calls.iter().enumerate().filter(|(_, call)| call.layer == layer);
            let indexes: Vec<usize> = calls.map(|(index, _)| index).collect();
            for some in indexes.chunks(MAX_STEPS) {
                plan = self.operator(plan, some)?;
            }
        }
        Ok(plan)
    }

    fn operator(&self, input: LogicalPlan, indexes: &[usize]) -> Result<LogicalPlan> {
        let (input, origin) = origin::attach(input)?;
        let mut values: Vec<Expr> = Vec::new();
        let mut steps: Vec<LuaStep> = Vec::new();
        let mut labels = Vec::new();
        let mut made = Vec::new();
        for index in indexes {
            let call = &self.calls[*index];
            let given = call.guard.iter().chain(&call.arguments);
            let args = given.map(|value| position(&mut values, value)).collect();
            steps.push(call.function.step(args, call.guard.is_some()));
            labels
                .push(OperatorLabel { keyword: call.function.keyword(), place: Place::default() });
            let field: Field = call.function.field(&self.column_name(*index));
            made.push(Arc::new(field));
        }
        let beside = LuaOutput::Beside(input.schema().columns(), made);
        let arguments = NodeArguments { values, origin };
        let node = LuaNode::try_new(input, arguments, steps, labels, beside)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }
}

/// Where `value` is among `values`, to which it is added if need be.
fn position(values: &mut Vec<Expr>, value: &Expr) -> usize {
    let is_same = |known: &Expr| known == value && !value.is_volatile();
    values.iter().position(is_same).unwrap_or_else(|| {
        values.push(value.clone());
        values.len() - 1
    })
}

pub(super) fn has_call(expression: &Expr) -> Result<bool> {
    expression.exists(|part| Ok(is_call(part)))
}

/// What an expression has in it that is not known before the step is.
fn unavailable(expression: &Expr) -> Result<Option<&'static str>> {
    let mut refused = None;
    expression.apply(|part| {
        refused = match part {
            Expr::OuterReferenceColumn(..) => Some("a column of the outer query"),
            Expr::LambdaVariable(_) => Some("the variable of a lambda"),
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => Some("a subquery"),
            Expr::WindowFunction(_) => Some("a window function"),
            Expr::AggregateFunction(_) => Some("an aggregate function"),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        Ok(TreeNodeRecursion::Stop)
    })?;
    Ok(refused)
}

fn check_argument(argument: &Expr, function: &LuaFunction) -> Result<()> {
    match unavailable(argument)? {
        None => Ok(()),
        Some(what) => plan_err!(
            "not supported: {what} as an argument of the Lua function `{}`; \
             compute it in a query before",
            function.keyword().trim_start_matches("FUNCTION ")
        ),
    }
}
