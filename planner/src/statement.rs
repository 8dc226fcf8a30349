//! One statement: from its syntax to a plan that runs.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::plan_err;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{DdlStatement, DropFunction, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::sql::parser::{CopyToSource, Statement as SqlStatement};
use datafusion::sql::sqlparser::ast::{self, ObjectName, Visit, Visitor};
use gleam_sql_executor::exec::NewFileExec;
use gleam_sql_parser::{Diagnostic, FunctionClause, Statement};

use crate::cluster::with_travelling_settings;
use crate::copy::{self, NewFile};
use crate::formats::{NeedsSample, Samples};
use crate::relation::OperatorPlanner;
use crate::{
    GuessedFormat, Session, diagnose, find_cause, functions, guess_format, names, new_table,
};

/// A statement that is ready to run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan; that of a statement without rows has been carried out.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What its tasks run with.
    pub context: Arc<TaskContext>,
    /// What the user should know of how it was planned.
    pub notes: Vec<String>,
}

impl Session {
    /// Plans `statement` of `script`. What changes the session itself (`SET`, `CREATE VIEW`) is
    /// done when this returns.
    ///
    /// # Errors
    /// What is wrong with the statement, with its place in the script.
    pub async fn plan(
        &mut self,
        statement: &Statement,
        script: &str,
    ) -> Result<Planned, Diagnostic> {
        let planned = self.try_plan(statement, script).await;
        self.files().end();
        planned.map_err(|error| diagnose::planning(&error, statement, script, self))
    }

    async fn try_plan(
        &self,
        statement: &Statement,
        script: &str,
    ) -> Result<Planned, DataFusionError> {
        if let Some(function) = &statement.function {
            return self.create_function(function);
        }
        if let Some(format) = &statement.format {
            return self.format_statement(format).await;
        }
        let mut samples = Samples::default();
        let state = self.statement_state(statement, &samples);
        self.files().begin(state.clone(), quoted_names(&statement.body));
        if let SqlStatement::Statement(shown) = &statement.body
            && let Some(frame) = functions::show(shown, self.context(), &state)?
        {
            let context = Arc::new(frame.task_ctx());
            let plan = frame.create_physical_plan().await?;
            return Ok(Planned { plan, context, notes: Vec::new() });
        }
        let mut body = statement.body.clone();
        if let SqlStatement::CopyTo(copy) = &mut body {
            copy::name_format(copy);
        }
        let mut logical = self.to_logical(statement, body, &mut samples).await?;
        if let LogicalPlan::Ddl(DdlStatement::DropFunction(drop)) = &logical {
            check_drop(drop, &state)?;
        }
        if let LogicalPlan::Ddl(DdlStatement::CreateView(view)) = &mut logical {
            view.definition = script.get(statement.text.clone()).map(str::to_owned);
        }
        names::name_kept_columns(&mut logical)?;
        let file = copy::redirect(&mut logical);
        let (mut context, mut plan) =
            match new_table::plan(&logical, self.context(), &state).await? {
                Some(plan) => (TaskContext::from(&state), plan),
                None => {
                    let frame = self.context().execute_logical_plan(logical).await?;
                    (frame.task_ctx(), frame.create_physical_plan().await?)
                }
            };
        if !self.agents().is_empty() {
            context = with_travelling_settings(context)?;
        }
        let context = Arc::new(context);
        if let Some(NewFile { written, wanted }) = file {
            plan = Arc::new(NewFileExec::new(plan, written, wanted));
        }
        let mut notes = samples.notes();
        notes.extend(self.note_of_described(&statement.body).await);
        Ok(Planned { plan, context, notes })
    }

    /// With DESCRIBE 'file', what PARSE could make of its lines.
    async fn note_of_described(&self, body: &SqlStatement) -> Option<String> {
        let SqlStatement::Statement(described) = body else { return None };
        let ast::Statement::ExplainTable { table_name, .. } = described.as_ref() else {
            return None;
        };
        let [part] = table_name.0.as_slice() else { return None };
        let name = part.as_ident().filter(|ident| ident.quote_style == Some('\''))?;
        let guessed = guess_format(self.context(), &name.value).await?;
        let GuessedFormat { keyword, matched, lines, columns } = guessed;
        let columns: Vec<&str> =
            columns.fields().iter().map(|field| field.name().as_str()).collect();
        let columns = columns.join(", ");
        Some(format!(
            "note: {matched} of the first {lines} lines are {keyword}: PARSE {keyword} adds {columns}"
        ))
    }

    fn statement_state(&self, statement: &Statement, samples: &Samples) -> SessionState {
        let (operators, formats) = (&statement.operators, self.formats().clone());
        let operators = OperatorPlanner::new(operators, formats, samples.clone());
        SessionStateBuilder::new_from_existing(self.state())
            .with_relation_planners(vec![Arc::new(operators)])
            .build()
    }

    /// Plans `body`. A PARSE whose columns depend on its lines is planned again when its first lines
    /// have been looked at.
    async fn to_logical(
        &self,
        statement: &Statement,
        body: SqlStatement,
        samples: &mut Samples,
    ) -> Result<LogicalPlan, DataFusionError> {
        loop {
            let state = self.statement_state(statement, samples);
            let error = match state.statement_to_plan(body.clone()).await {
                Ok(logical) => return Ok(logical),
                Err(error) => error,
            };
            match find_cause::<NeedsSample>(&error) {
                Some(needed) if !samples.has(needed) => samples.read(needed, &state).await?,
                _ => return Err(error),
            }
        }
    }
}

impl Session {
    fn create_function(&self, clause: &FunctionClause) -> Result<Planned, DataFusionError> {
        let state = self.state();
        let name = functions::normal(&clause.name, &state);
        let is_there = clause.if_not_exists && functions::is_lua(&name, &state);
        let function = functions::create(clause, &state)?;
        if !is_there {
            self.context().register_udf(function);
        }
        let plan = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
        Ok(Planned { plan, context: self.context().task_ctx(), notes: Vec::new() })
    }
}

fn check_drop(drop: &DropFunction, state: &SessionState) -> Result<(), DataFusionError> {
    let name = &drop.name;
    if functions::is_lua(name, state) {
        return Ok(());
    }
    let is_built_in = state.scalar_functions().contains_key(name)
        || state.aggregate_functions().contains_key(name)
        || state.window_functions().contains_key(name)
        || state.table_functions().contains_key(name)
        || state.higher_order_functions().contains_key(name);
    if is_built_in {
        return plan_err!("`{name}` is a built-in function, and cannot be dropped");
    }
    if drop.if_exists {
        return Ok(());
    }
    plan_err!("there is no function `{name}`")
}

/// The names of tables that stand in single quotes, which are files.
fn quoted_names(statement: &SqlStatement) -> HashSet<String> {
    let mut names = QuotedNames::default();
    collect(statement, &mut names);
    names.0
}

fn collect(statement: &SqlStatement, names: &mut QuotedNames) {
    match statement {
        SqlStatement::Statement(statement) => {
            let _ = statement.visit(names);
        }
        SqlStatement::Explain(explain) => collect(&explain.statement, names),
        SqlStatement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => {
                let _ = query.visit(names);
            }
            CopyToSource::Relation(name) => {
                let _ = name.visit(names);
            }
        },
        SqlStatement::CreateExternalTable(_) | SqlStatement::Reset(_) => {}
    }
}

#[derive(Default)]
struct QuotedNames(HashSet<String>);

impl Visitor for QuotedNames {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
            && ident.quote_style == Some('\'')
        {
            self.0.insert(ident.value.clone());
        }
        ControlFlow::Continue(())
    }
}
