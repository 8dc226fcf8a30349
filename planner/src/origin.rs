//! Keeping the origin of rows at hand.
//!
//! An operator's error names the file and line of the row it failed at. The query itself need not
//! use them, so the scan of a text table is asked for two columns more, which pass everything that
//! keeps rows as they are on the way to the operator, and end there.

use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::{
    Expr, Extension, Filter, Limit, LogicalPlan, Projection, Sort, SubqueryAlias, TableScan,
    TableScanBuilder,
};
use gleam_sql_executor::text;

use crate::nodes::{FoldNode, LuaNode, LuaOutput, ParseNode};

/// `plan` with the origin of its rows, and the two columns that tell it; `plan` as it was and none,
/// where its rows are not lines of text files any more.
pub(crate) fn attach(plan: LogicalPlan) -> Result<(LogicalPlan, Option<[Expr; 2]>)> {
    match with_origin(&plan)? {
        Some((plan, columns)) => Ok((plan, Some(columns.map(Expr::Column)))),
        None => Ok((plan, None)),
    }
}

type Traced = Option<(LogicalPlan, [Column; 2])>;

fn with_origin(plan: &LogicalPlan) -> Result<Traced> {
    if let Some(columns) = known_origin(plan) {
        return Ok(Some((plan.clone(), columns)));
    }
    Ok(match plan {
        LogicalPlan::TableScan(scan) => scan_with_origin(scan)?,
        LogicalPlan::Filter(filter) => with_origin(&filter.input)?
            .map(|(input, columns)| {
                let filter = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
                Ok::<_, datafusion::error::DataFusionError>((LogicalPlan::Filter(filter), columns))
            })
            .transpose()?,
        LogicalPlan::Sort(sort) => with_origin(&sort.input)?.map(|(input, columns)| {
            (LogicalPlan::Sort(Sort { input: Arc::new(input), ..sort.clone() }), columns)
        }),
        LogicalPlan::Limit(limit) => with_origin(&limit.input)?.map(|(input, columns)| {
            (LogicalPlan::Limit(Limit { input: Arc::new(input), ..limit.clone() }), columns)
        }),
        LogicalPlan::SubqueryAlias(aliased) => alias_with_origin(aliased)?,
        LogicalPlan::Projection(projection) => projection_with_origin(projection)?,
        LogicalPlan::Extension(extension) => operator_with_origin(extension)?,
        _ => None,
    })
}

/// The origin that rows have for another operator already.
fn known_origin(plan: &LogicalPlan) -> Option<[Column; 2]> {
    let all = plan.schema().columns();
    let find = |name| {
        let mut found = all.iter().filter(|column| column.name == name);
        found.next().filter(|_| found.next().is_none()).cloned()
    };
    Some([find(text::ORIGIN_FILE)?, find(text::ORIGIN_OFFSET)?])
}

fn scan_with_origin(scan: &TableScan) -> Result<Traced> {
    let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
    let Some(provider) = text::with_origin(provider.as_ref()) else { return Ok(None) };
    if scan.projection.is_some() {
        return Ok(None);
    }
    let name = scan.table_name.clone();
    let columns =
        [text::ORIGIN_FILE, text::ORIGIN_OFFSET].map(|c| Column::new(Some(name.clone()), c));
    let traced = TableScanBuilder::new(name, provider_as_source(provider))
        .with_filters(scan.filters.clone())
        .with_fetch(scan.fetch)
        .build()?;
    Ok(Some((LogicalPlan::TableScan(traced), columns)))
}

fn alias_with_origin(aliased: &SubqueryAlias) -> Result<Traced> {
    let Some((input, columns)) = with_origin(&aliased.input)? else { return Ok(None) };
    let columns = columns.map(|column| Column::new(Some(aliased.alias.clone()), column.name));
    let traced = SubqueryAlias::try_new(Arc::new(input), aliased.alias.clone())?;
    Ok(Some((LogicalPlan::SubqueryAlias(traced), columns)))
}

fn projection_with_origin(projection: &Projection) -> Result<Traced> {
    let Some((input, columns)) = with_origin(&projection.input)? else { return Ok(None) };
    let mut expressions = projection.expr.clone();
    expressions.extend(columns.iter().cloned().map(Expr::Column));
    let traced = Projection::try_new(expressions, Arc::new(input))?;
    Ok(Some((LogicalPlan::Projection(traced), columns)))
}

/// The operators that keep rows.
fn operator_with_origin(extension: &Extension) -> Result<Traced> {
    let node = extension.node.as_any();
    if let Some(filter) = node.downcast_ref::<LuaNode>() {
        return filter_with_origin(filter);
    }
    if let Some(parse) = node.downcast_ref::<ParseNode>() {
        return parse_with_origin(parse);
    }
    node.downcast_ref::<FoldNode>().map_or(Ok(None), fold_with_origin)
}

/// A FILTER LUA has the origin for its own errors already, and lets it pass when asked.
fn filter_with_origin(node: &LuaNode) -> Result<Traced> {
    let (Some(kept), Some([Expr::Column(file), Expr::Column(offset)])) =
        (node.kept(), &node.arguments.origin)
    else {
        return Ok(None);
    };
    let columns = [file.clone(), offset.clone()];
    let mut traced = node.clone();
    traced.output = LuaOutput::Kept(kept.iter().chain(&columns).cloned().collect());
    let traced = traced.with_input(LogicalPlan::clone(&node.input))?;
    Ok(Some((LogicalPlan::Extension(Extension { node: Arc::new(traced) }), columns)))
}

/// A PARSE has it as well, and keeps it when asked.
fn parse_with_origin(node: &ParseNode) -> Result<Traced> {
    let Some([Expr::Column(file), Expr::Column(offset)]) = &node.arguments.origin else {
        return Ok(None);
    };
    let columns = [file.clone(), offset.clone()];
    let kept = node.kept.iter().chain(&columns).cloned().collect();
    let traced = node.over(LogicalPlan::clone(&node.input), kept)?;
    Ok(Some((LogicalPlan::Extension(Extension { node: Arc::new(traced) }), columns)))
}

/// The origin of an event is that of its first line.
fn fold_with_origin(node: &FoldNode) -> Result<Traced> {
    let Some([Expr::Column(file), Expr::Column(offset)]) = &node.arguments.origin else {
        return Ok(None);
    };
    let columns = [file.clone(), offset.clone()];
    let traced = node.with_columns(&columns)?;
    Ok(Some((LogicalPlan::Extension(Extension { node: Arc::new(traced) }), columns)))
}
