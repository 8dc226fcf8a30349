//! Plain queries and the pieces they are built from.

use sqlparser::ast::{
    GroupByExpr, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, WildcardAdditionalOptions, helpers::attached_token::AttachedToken,
};

/// A query of nothing but a body.
pub(crate) fn plain_query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// Whether WITH, ORDER BY, LIMIT and the like are absent.
pub(crate) fn has_only_body(query: &Query) -> bool {
    query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty()
}

/// `*`
pub(crate) fn all_columns() -> SelectItem {
    SelectItem::Wildcard(WildcardAdditionalOptions::default())
}

/// A derived table.
pub(crate) fn derived(subquery: Query, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery: Box::new(subquery), alias, sample: None }
}

/// A FROM clause of one item.
pub(crate) fn tables(relation: TableFactor) -> Vec<TableWithJoins> {
    vec![TableWithJoins { relation, joins: Vec::new() }]
}

/// `SELECT projection FROM from`
pub(crate) fn select(projection: Vec<SelectItem>, from: Vec<TableWithJoins>) -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

/// A SELECT over a query: over its table itself where the query is only that.
pub(crate) fn select_over(input: Query, projection: Vec<SelectItem>) -> Select {
    let relation = bare(input).unwrap_or_else(|input| derived(*input, None));
    select(projection, tables(relation))
}

/// The table of a query that is `SELECT * FROM table` and nothing more; otherwise the query back.
pub(crate) fn bare(mut query: Query) -> Result<TableFactor, Box<Query>> {
    if !has_only_body(&query) {
        return Err(Box::new(query));
    }
    let SetExpr::Select(found) = query.body.as_mut() else { return Err(Box::new(query)) };
    if found.from.len() != 1 || found.from.iter().any(|table| !table.joins.is_empty()) {
        return Err(Box::new(query));
    }
    // Equal to a SELECT made of nothing else: every other clause is absent.
    let from = std::mem::take(&mut found.from);
    let mut expected = select(vec![all_columns()], Vec::new());
    expected.select_token = found.select_token.clone();
    if **found != expected {
        found.from = from;
        return Err(Box::new(query));
    }
    match from.into_iter().next() {
        Some(table) => Ok(table.relation),
        None => Err(Box::new(query)),
    }
}
