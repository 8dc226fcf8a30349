//! Turns pipe queries into nested plain queries, anywhere in a statement.
//!
//! A step is a SELECT over the query so far as an unaliased derived table, which leaves the inner
//! qualifiers visible. Steps share one SELECT only where that means the same: a table that nothing
//! has been done to yet needs no wrapping, and LIMIT joins the ORDER BY before it.

use std::ops::ControlFlow;

use datafusion_sql::parser::{CopyToSource, Statement as DfStatement};
use sqlparser::ast::{
    Distinct, ExcludeSelectItem, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    Join, LimitClause, ObjectName, ObjectNamePart, Offset, OffsetRows, OrderBy, OrderByKind,
    PipeOperator, Query, ReplaceSelectElement, ReplaceSelectItem, Select, SelectFlavor, SelectItem,
    SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor, TableWithJoins, Value, VisitMut,
    VisitorMut, WildcardAdditionalOptions,
};

use crate::diagnostic::Diagnostic;
use crate::marker::marker_alias;
use crate::statement::Operator;
use crate::step::Step;
use crate::tokens::Tokens;

pub(crate) mod aggregate;
mod outer_join;
pub(crate) mod query;
mod reserved;
pub(crate) mod sample;
mod visit;

use query::{all_columns, bare, derived, plain_query, select_over, tables};
use visit::{visit_operator, visit_step};

/// Takes all pipe steps out of a statement and of the expressions of its operators.
pub(crate) fn desugar(
    tokens: &Tokens<'_>,
    statement: &mut DfStatement,
    operators: &mut [Operator],
    steps: Vec<Step>,
) -> Result<(), Diagnostic> {
    let mut desugarer = Desugarer { tokens, steps: steps.into_iter().map(Some).collect() };
    let mut flow = desugarer.statement(statement);
    for operator in operators {
        if flow.is_continue() {
            flow = visit_operator(&mut operator.kind, &mut desugarer);
        }
    }
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(diagnostic) => Err(diagnostic),
    }
}

struct Desugarer<'t, 'a> {
    tokens: &'t Tokens<'a>,
    /// Each step is taken where its call stands.
    steps: Vec<Option<Step>>,
}

impl Desugarer<'_, '_> {
    fn statement(&mut self, statement: &mut DfStatement) -> ControlFlow<Diagnostic> {
        match statement {
            DfStatement::Statement(statement) => statement.visit(self),
            DfStatement::Explain(explain) => self.statement(&mut explain.statement),
            DfStatement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => query.visit(self),
                CopyToSource::Relation(_) => ControlFlow::Continue(()),
            },
            DfStatement::CreateExternalTable(_) | DfStatement::Reset(_) => {
                ControlFlow::Continue(())
            }
        }
    }

    fn joins(&self, joins: &[Join]) -> ControlFlow<Diagnostic> {
        match outer_join::refuse_names(joins, self.tokens) {
            Ok(()) => ControlFlow::Continue(()),
            Err(diagnostic) => ControlFlow::Break(diagnostic),
        }
    }

    /// The steps of one query, their own queries already plain.
    fn query(&mut self, query: &mut Query) -> Result<(), Diagnostic> {
        let calls = std::mem::take(&mut query.pipe_operators);
        if calls.is_empty() {
            return Ok(());
        }
        // The names that WITH gives stay visible to all steps.
        let with = query.with.take();
        let mut so_far = std::mem::replace(query, plain_query(SetExpr::Values(no_values())));
        for call in &calls {
            let step = step_number(call).and_then(|number| self.steps.get_mut(number)?.take());
            let Some(mut step) = step else {
                return Err(Diagnostic::new(format!("this pipe step cannot stand here: {call}")));
            };
            if let ControlFlow::Break(diagnostic) = visit_step(&mut step, self) {
                return Err(diagnostic);
            }
            so_far = apply(step, so_far)?;
        }
        so_far.with = with;
        *query = so_far;
        Ok(())
    }
}

impl VisitorMut for Desugarer<'_, '_> {
    type Break = Diagnostic;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Diagnostic> {
        match self.query(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(diagnostic) => ControlFlow::Break(diagnostic),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Diagnostic> {
        for table in &select.from {
            self.joins(&table.joins)?;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Diagnostic> {
        match select.flavor {
            SelectFlavor::FromFirstNoSelect => select.projection = vec![all_columns()],
            _ if select.projection.is_empty() => {
                return ControlFlow::Break(reserved::empty_select(select, self.tokens));
            }
            SelectFlavor::Standard | SelectFlavor::FromFirst => {}
        }
        select.flavor = SelectFlavor::Standard;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Diagnostic> {
        match expression {
            Expr::Identifier(name) => reserved::refuse(name, "an expression"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<Diagnostic> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(name)] => reserved::refuse(name, "a table"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Diagnostic> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => self.joins(&table_with_joins.joins),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Diagnostic> {
        match sample::desugar_factor(factor, self.tokens) {
            Ok(()) => ControlFlow::Continue(()),
            Err(diagnostic) => ControlFlow::Break(diagnostic),
        }
    }
}

/// The number in `CALL __gleam_step(number)`.
fn step_number(call: &PipeOperator) -> Option<usize> {
    let PipeOperator::Call { function, .. } = call else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] => match &value.value {
            Value::Number(number, _) => number.to_string().parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The query that a step makes of the query before it.
fn apply(step: Step, input: Query) -> Result<Query, Diagnostic> {
    Ok(match step {
        Step::Operator(index) => operator(index, input),
        Step::Select { distinct, items } => {
            let mut select = select_over(input, items);
            select.distinct = distinct.then_some(Distinct::Distinct);
            plain(select)
        }
        Step::Extend(items) => {
            let items = std::iter::once(all_columns()).chain(items).collect();
            plain(select_over(input, items))
        }
        Step::Set { columns, operator: index } => {
            plain(select_over(operator(index, input), vec![replace(columns)]))
        }
        Step::Drop { columns, operator: index } => {
            plain(select_over(operator(index, input), vec![exclude(columns)]))
        }
        Step::As(alias) => aliased(input, alias),
        Step::Where(condition) => {
            let mut select = select_over(input, vec![all_columns()]);
            select.selection = Some(condition);
            plain(select)
        }
        Step::Aggregate(step) => aggregate::apply(step, input)?,
        Step::Distinct => {
            let mut select = select_over(input, vec![all_columns()]);
            select.distinct = Some(Distinct::Distinct);
            plain(select)
        }
        Step::Join(joins) => {
            let relation = bare(input).unwrap_or_else(|input| derived(*input, None));
            let from = vec![TableWithJoins { relation, joins }];
            plain(query::select(vec![all_columns()], from))
        }
        Step::OrderBy(keys) => {
            let mut query = plain(select_over(input, vec![all_columns()]));
            let kind = OrderByKind::Expressions(keys);
            query.order_by = Some(OrderBy { kind, interpolate: None });
            query
        }
        Step::Limit { limit, offset } => limited(input, limit, offset),
        Step::SetOperation { operator, quantifier, queries } => {
            combined(input, operator, quantifier, queries)
        }
        Step::Sample { sample, span } => sample::apply(&sample, span, input)?,
    })
}

fn plain(select: Select) -> Query {
    plain_query(SetExpr::Select(Box::new(select)))
}

/// `SELECT * FROM (input) AS <marker>`.
fn operator(index: usize, input: Query) -> Query {
    let factor = derived(input, Some(marker_alias(index)));
    plain(query::select(vec![all_columns()], tables(factor)))
}

fn aliased(input: Query, name: Ident) -> Query {
    let alias = TableAlias { explicit: true, name, columns: Vec::new(), at: None };
    plain(query::select(vec![all_columns()], tables(derived(input, Some(alias)))))
}

fn replace(columns: Vec<(Ident, Expr)>) -> SelectItem {
    let items = columns
        .into_iter()
        .map(|(column_name, expr)| {
            Box::new(ReplaceSelectElement { expr, column_name, as_keyword: true })
        })
        .collect();
    SelectItem::Wildcard(WildcardAdditionalOptions {
        opt_replace: Some(ReplaceSelectItem { items }),
        ..WildcardAdditionalOptions::default()
    })
}

fn exclude(columns: Vec<Ident>) -> SelectItem {
    let names = columns.into_iter().map(ObjectName::from).collect();
    SelectItem::Wildcard(WildcardAdditionalOptions {
        opt_exclude: Some(ExcludeSelectItem::Multiple(names)),
        ..WildcardAdditionalOptions::default()
    })
}

/// Puts LIMIT into the query itself where nothing has cut it yet, so that it sees the ORDER BY.
fn limited(input: Query, limit: Expr, offset: Option<Expr>) -> Query {
    let is_free = input.limit_clause.is_none() && input.fetch.is_none() && input.locks.is_empty();
    let mut query = if is_free { input } else { plain(select_over(input, vec![all_columns()])) };
    query.limit_clause = Some(LimitClause::LimitOffset {
        limit: Some(limit),
        offset: offset.map(|value| Offset { value, rows: OffsetRows::None }),
        limit_by: Vec::new(),
    });
    query
}

fn combined(
    input: Query,
    op: SetOperator,
    set_quantifier: SetQuantifier,
    queries: Vec<Query>,
) -> Query {
    let mut left = operand(input);
    for right in queries {
        let right = Box::new(operand(right));
        left = SetExpr::SetOperation { op, set_quantifier, left: Box::new(left), right };
    }
    plain_query(left)
}

/// A query as one side of a set operation: its SELECT alone where there is nothing else to it.
fn operand(query: Query) -> SetExpr {
    match query {
        Query { ref body, .. }
            if matches!(body.as_ref(), SetExpr::Select(_)) && query::has_only_body(&query) =>
        {
            *query.body
        }
        query => SetExpr::Query(Box::new(query)),
    }
}

fn no_values() -> sqlparser::ast::Values {
    sqlparser::ast::Values { explicit_row: false, value_keyword: false, rows: Vec::new() }
}
