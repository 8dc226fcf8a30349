//! `regexp_extract_all(text, expression [, group])`: all matches of an expression in a text.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{ScalarValue, exec_err, internal_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use gleam_sql_formats::Extractor;

use super::documentation;

const NAME: &str = "regexp_extract_all";

/// As in DuckDB, whose group is 0, the whole match, where none is given.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RegexpExtractAll {
    signature: Signature,
    documentation: Documentation,
}

impl RegexpExtractAll {
    pub(super) fn new() -> Self {
        const DESCRIPTION: &str = "A list of all parts of the text that the expression matches, or \
            of what its group matches there. `unnest` makes rows of it.";
        let texts = vec![DataType::Utf8View, DataType::Utf8View];
        let with_group = [texts.clone(), vec![DataType::Int64]].concat();
        let signatures = vec![TypeSignature::Exact(texts), TypeSignature::Exact(with_group)];
        Self {
            signature: Signature::one_of(signatures, Volatility::Immutable),
            documentation: documentation(
                DESCRIPTION,
                "regexp_extract_all(text, expression[, group])",
            ),
        }
    }
}

impl ScalarUDFImpl for RegexpExtractAll {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(Extractor::item_field()))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // A constant that is wrong is told before anything runs.
        if let Some(Some(expression)) = arguments.scalar_arguments.get(1)
            && let Some(Some(expression)) = expression.try_as_str()
        {
            let group = match arguments.scalar_arguments.get(2) {
                Some(Some(ScalarValue::Int64(Some(group)))) => *group,
                _ => 0,
            };
            extractor(expression, group).or_else(|error| plan_err!("{error}"))?;
        }
        let types: Vec<_> =
            arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(NAME, self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let Some(([texts, expressions], groups)) = arguments.args.split_first_chunk::<2>() else {
            return internal_err!("`{NAME}` without its arguments");
        };
        let zero = ColumnarValue::Scalar(ScalarValue::Int64(Some(0)));
        let groups = groups.first().unwrap_or(&zero);
        if let (ColumnarValue::Scalar(expression), ColumnarValue::Scalar(group)) =
            (expressions, groups)
        {
            let is_constant = matches!(texts, ColumnarValue::Scalar(_));
            let texts = texts.to_array(if is_constant { 1 } else { rows })?;
            let lists = match (expression.try_as_str(), group) {
                (Some(Some(expression)), ScalarValue::Int64(Some(group))) => {
                    extract(texts.as_string_view(), expression, *group)?
                }
                _ => nulls(texts.len()),
            };
            if is_constant {
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&lists, 0)?));
            }
            return Ok(ColumnarValue::Array(lists));
        }
        let (texts, expressions) = (texts.to_array(rows)?, expressions.to_array(rows)?);
        let groups = groups.to_array(rows)?;
        row_by_row(
            texts.as_string_view(),
            expressions.as_string_view(),
            groups.as_primitive::<Int64Type>(),
        )
        .map(ColumnarValue::Array)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn nulls(rows: usize) -> ArrayRef {
    new_null_array(&DataType::List(Extractor::item_field()), rows)
}

fn extract(texts: &StringViewArray, expression: &str, group: i64) -> Result<ArrayRef> {
    Ok(Arc::new(extractor(expression, group)?.extract(texts)))
}

/// Expressions that differ from row to row.
fn row_by_row(
    texts: &StringViewArray,
    expressions: &StringViewArray,
    groups: &Int64Array,
) -> Result<ArrayRef> {
    let lists = (0..texts.len()).map(|row| {
        if expressions.is_null(row) || groups.is_null(row) {
            return Ok(nulls(1));
        }
        extract(&texts.slice(row, 1), expressions.value(row), groups.value(row))
    });
    let lists = lists.collect::<Result<Vec<_>>>()?;
    if lists.is_empty() {
        return Ok(nulls(0));
    }
    let lists: Vec<&dyn Array> = lists.iter().map(AsRef::as_ref).collect();
    Ok(concat(&lists)?)
}

/// The compiled expression: that of the batch before, where it is the same.
fn extractor(expression: &str, group: i64) -> Result<Arc<Extractor>> {
    type Known = (String, i64, Arc<Extractor>);
    thread_local!(static LAST: RefCell<Option<Known>> = const { RefCell::new(None) });
    LAST.with_borrow_mut(|last| {
        if let Some((of, its_group, known)) = last
            && (of.as_str(), *its_group) == (expression, group)
        {
            return Ok(Arc::clone(known));
        }
        let Ok(index) = usize::try_from(group) else {
            return exec_err!("`{NAME}` takes a group from 0, the whole match, not {group}");
        };
        let compiled = match Extractor::try_new(expression, index) {
            Ok(compiled) => Arc::new(compiled),
            Err(error) => {
                let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                return exec_err!("`{NAME}`: {}{hint}", error.message);
            }
        };
        *last = Some((expression.to_owned(), group, Arc::clone(&compiled)));
        Ok(compiled)
    })
}
