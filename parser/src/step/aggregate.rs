//! `AGGREGATE … [GROUP [AND ORDER] BY …]`.

use sqlparser::ast::{Expr, ExprWithAliasAndOrderBy};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::desugar::aggregate::functions;
use crate::diagnostic::Diagnostic;

use super::{Aggregate, Step};

impl Cutter<'_, '_> {
    pub(crate) fn aggregate(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let tokens = self.tokens;
        let group = self.find_group(keyword + 1, end);
        let items_end = group.unwrap_or(end);
        self.refuse_select_forms(keyword + 1, items_end)?;
        let items = if items_end == keyword + 1 {
            Vec::new()
        } else {
            self.list(keyword + 1, items_end, aggregate_item)?
        };
        let Some(group) = group else {
            if items.is_empty() {
                return Err(Diagnostic::new("AGGREGATE needs an aggregate or GROUP BY")
                    .at(tokens.span(keyword))
                    .with_hint("for example |> AGGREGATE count(*) AS n GROUP BY status"));
            }
            if !items.iter().any(|item| functions(&item.expr.expr).any) {
                return Err(Diagnostic::new(
                    "AGGREGATE takes aggregate functions such as count(*)",
                )
                .at(tokens.span(keyword + 1))
                .with_hint(if items.iter().any(is_window) {
                    "window functions go into |> EXTEND or |> SELECT"
                } else {
                    "columns to group by follow GROUP BY; SELECT makes columns of each row"
                }));
            }
            return Ok(Step::Aggregate(Aggregate { items, keys: Vec::new(), ordered: false }));
        };
        let ordered = tokens.is_word(group + 1, "AND") && tokens.is_word(group + 2, "ORDER");
        let by = if ordered { group + 3 } else { group + 1 };
        if by >= end || !tokens.is_word(by, "BY") {
            return Err(Diagnostic::new(format!("expected BY, found {}", tokens.describe(by)))
                .at(tokens.span(by))
                .with_hint("write GROUP BY or GROUP AND ORDER BY"));
        }
        self.refuse_grouping_forms(by + 1, end)?;
        let keys = self.list(by + 1, end, aggregate_item)?;
        for (key, index) in keys.iter().zip(by + 1..) {
            if let Expr::Value(value) = &key.expr.expr {
                let span =
                    if value.span == Span::empty() { tokens.span(index) } else { value.span };
                return Err(Diagnostic::new("GROUP BY in AGGREGATE takes columns and expressions, not positions or constants").at(span));
            }
        }
        Ok(Step::Aggregate(Aggregate { items, keys, ordered }))
    }

    /// The GROUP of an AGGREGATE, outside parentheses. `WITHIN GROUP (…)` is an expression's.
    fn find_group(&self, start: usize, end: usize) -> Option<usize> {
        let mut index = start;
        while index < end {
            if self.tokens.is(index, &Token::LParen) {
                index = self.tokens.partner(index);
            } else if self.tokens.is_word(index, "GROUP")
                && !self.tokens.is_word(index.saturating_sub(1), "WITHIN")
            {
                return Some(index);
            }
            index += 1;
        }
        None
    }
}

fn is_window(item: &ExprWithAliasAndOrderBy) -> bool {
    matches!(&item.expr.expr, Expr::Function(function) if function.over.is_some())
}

/// `expr [[AS] alias] [ASC | DESC] [NULLS FIRST | LAST]`; sqlparser stops before NULLS.
fn aggregate_item(parser: &mut Parser<'_>) -> Result<ExprWithAliasAndOrderBy, ParserError> {
    let mut item = parser.parse_expr_with_alias_and_order_by()?;
    if parser.parse_keywords(&[Keyword::NULLS, Keyword::FIRST]) {
        item.order_by.nulls_first = Some(true);
    } else if parser.parse_keywords(&[Keyword::NULLS, Keyword::LAST]) {
        item.order_by.nulls_first = Some(false);
    }
    // GoogleSQL has the alias behind the order as well.
    if item.expr.alias.is_none() && parser.parse_keyword(Keyword::AS) {
        item.expr.alias = Some(parser.parse_identifier()?);
    }
    Ok(item)
}
