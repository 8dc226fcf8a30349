//! `CREATE FORMAT`, `DROP FORMAT`, `SHOW FORMATS`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Schema;
use datafusion::error::Result;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser};
use gleam_sql_parser::{CreateFormat, Diagnostic, FormatName, FormatStatement};

use super::{NamedFormat, built_in, normal};
use crate::relation::{declared_column, external, is_auto, of_format, planned_type, refuse};
use crate::{Planned, Session};

impl Session {
    /// Carries out a statement about formats.
    pub(crate) async fn format_statement(&self, statement: &FormatStatement) -> Result<Planned> {
        match statement {
            FormatStatement::Create(create) => self.create_format(create)?,
            FormatStatement::Drop { name, span, if_exists } => {
                let removed = self.formats().lock().remove(&normal(name));
                if removed.is_none() && !if_exists {
                    return Err(external(self.not_there(&name.value, *span)));
                }
            }
            FormatStatement::Show => return self.show_formats().await,
        }
        let plan = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
        Ok(Planned { plan, context: self.context().task_ctx(), notes: Vec::new() })
    }

    fn create_format(&self, create: &CreateFormat) -> Result<()> {
        let name = normal(&create.name);
        let as_name = FormatName { name: create.name.clone(), span: create.span, code: None };
        if built_in(&as_name).is_some() || is_auto(&as_name) {
            let message = format!("{} is a built-in format", create.name.value.to_uppercase());
            return Err(external(refuse(message, create.span).with_hint("take another name")));
        }
        let (format, base) = self.formats().find(&create.format).map_err(external)?;
        let columns = self.typed(&format, base, create)?;
        LineParser::try_new(&format, &columns)
            .map_err(|error| external(of_format(error, &create.format, &create.columns)))?;
        let mut formats = self.formats().lock();
        if formats.contains_key(&name) && !create.or_replace {
            if create.if_not_exists {
                return Ok(());
            }
            let message = format!("there is a format `{name}` already");
            return Err(external(
                refuse(message, create.span).with_hint("CREATE OR REPLACE FORMAT replaces it"),
            ));
        }
        formats.insert(name, NamedFormat { format, columns });
        Ok(())
    }

    /// All fields of the format, with the types that are stated.
    fn typed(
        &self,
        format: &FormatSpec,
        base: Option<Vec<ColumnSpec>>,
        create: &CreateFormat,
    ) -> Result<Vec<ColumnSpec>> {
        let state = self.state();
        let declared = create.columns.iter().map(|column| {
            let data_type = planned_type(column, &mut |expression| {
                state.create_logical_expr_from_sql_expr(
                    datafusion::sql::sqlparser::ast::ExprWithAlias {
                        expr: expression,
                        alias: None,
                    },
                    &datafusion::common::DFSchema::empty(),
                )
            })?;
            declared_column(data_type, column, format)
        });
        let declared = declared.collect::<Result<Vec<_>>>()?;
        let all = match base {
            Some(columns) => Some(columns),
            None => {
                format.columns().map_err(|error| external(of_format(error, &create.format, &[])))?
            }
        };
        let Some(mut all) = all else { return Ok(declared) };
        for column in declared {
            match all.iter_mut().find(|other| other.name == column.name) {
                Some(field) => *field = column,
                // It is no field, which the parser of lines says.
                None => all.push(column),
            }
        }
        Ok(all)
    }

    fn not_there(&self, name: &str, span: Span) -> Diagnostic {
        refuse(format!("there is no format `{name}`"), span)
            .with_hint("SHOW FORMATS lists them; the built-in ones stay")
    }

    async fn show_formats(&self) -> Result<Planned> {
        let own = self.formats().lock().clone();
        let mut rows: Vec<[String; 3]> = own
            .into_iter()
            .map(|(name, NamedFormat { format, columns })| {
                let text = format.text().unwrap_or_default();
                [name, format!("{} '{text}'", format.keyword()), listed(&columns)]
            })
            .collect();
        rows.extend(FormatSpec::names().map(|name| {
            let columns =
                FormatSpec::named(name).and_then(|format| format.columns().ok()).flatten();
            let columns = columns.map_or("as the lines have them".to_owned(), |c| listed(&c));
            [name.to_owned(), "built in".to_owned(), columns]
        }));
        let column = |index: usize| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(row[index].as_str())).collect::<StringArray>())
        };
        let names = ["name", "format", "columns"];
        let columns = names.iter().enumerate().map(|(index, name)| (*name, column(index)));
        let frame = self.context().read_batch(RecordBatch::try_from_iter(columns)?)?;
        let context = Arc::new(frame.task_ctx());
        Ok(Planned { plan: frame.create_physical_plan().await?, context, notes: Vec::new() })
    }
}

/// Names and types, as AS has them.
fn listed(columns: &[ColumnSpec]) -> String {
    let column = |column: &ColumnSpec| format!("{} {}", column.name, column.type_name());
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}
