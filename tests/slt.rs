//! Runs `slt/*.slt` against the product, each file with 1, 2 and 7 partitions in this process, and on
//! 1, 2 and 4 agents: an answer never depends on how the work is divided.
//!
//! With more than one partition, and on agents, the small files are cut in byte ranges too, and with 7
//! the batches have 3 rows, so that rows cross every boundary that there is.
//!
//! Columns are checked for their types, one letter each: `B` BOOLEAN, `I` integers, `R` floats,
//! `T` TEXT, `P` TIMESTAMP, `D` DATE, `?` the rest. Columns stand with ` | ` between them. NULL is
//! bare; a text that would be mistaken for something else is in quotes, with escapes.
//!
//! `UPDATE_SLT=1 cargo test --test slt` writes the actual answers into the files, to be read.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect};
use datafusion_distributed::NetworkBoundaryExt;
use gleam_sql_agent::connection::AgentConnections;
use gleam_sql_agent::exchange::Traffic;
use gleam_sql_agent::local_agents::LocalAgents;
use gleam_sql_agent::security::Token;
use gleam_sql_parser::{Diagnostic, Statement, parse_script};
use gleam_sql_planner::{Cluster, Planned, Session, SessionOptions};
use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{AsyncDB, ColumnType, DBOutput, Runner};
use tokio::runtime::Runtime;
use url::Url;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/slt");
const DIVISIONS: [Division; 6] = [
    Division::Partitions(1),
    Division::Partitions(2),
    Division::Partitions(7),
    Division::Agents(1),
    Division::Agents(2),
    Division::Agents(4),
];
const MOST_AGENTS: usize = 4;
/// Partitions that a task on an agent has.
const SLOTS: usize = 2;
const COLUMN_SEPARATOR: &str = " | ";

fn main() -> ExitCode {
    // This program is the Lua child of its own queries.
    if let Some(code) = gleam_sql_executor::child::run_if_requested() {
        return code;
    }
    // The files name their data as `data/…`.
    std::env::set_current_dir(DIRECTORY).expect("the directory of the .slt files is there");
    let files = slt_files();
    if std::env::var_os("UPDATE_SLT").is_some() {
        files.iter().for_each(|file| update(file));
    }
    let of_files = files.iter().flat_map(|file| DIVISIONS.map(|division| trial(file, division)));
    let trials = of_files.chain(DIVISIONS.map(is_divided)).collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    gleam_sql_executor::child::kill_all();
    conclusion.exit_code()
}

/// How the work is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Division {
    /// In this process.
    Partitions(usize),
    /// Over agents, processes of their own.
    Agents(usize),
}

impl Division {
    /// Starts the agents: their runtime can only be entered outside of that of a trial.
    fn prepare(self) {
        if let Self::Agents(_) = self {
            agents();
        }
    }
}

impl std::fmt::Display for Division {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Partitions(count) => write!(f, "partitions_{count}"),
            Self::Agents(count) => write!(f, "agents_{count}"),
        }
    }
}

/// The agents of all trials, started when the first trial wants some.
struct Agents {
    urls: Vec<Url>,
    token: Token,
    _agents: LocalAgents,
    /// Their pipes live in it.
    _runtime: Runtime,
}

fn agents() -> &'static Agents {
    static AGENTS: LazyLock<Agents> = LazyLock::new(|| {
        let runtime = runtime();
        let program = Path::new(env!("CARGO_BIN_EXE_gleam-sql"));
        let token = Token::random().expect("there is randomness");
        // What they leave there when they are killed, those of the next run remove.
        let options = ["--spill-dir".into(), env!("CARGO_TARGET_TMPDIR").into()];
        let agents = LocalAgents::start(program, MOST_AGENTS, SLOTS, &options, &token);
        let agents = runtime.block_on(agents).expect("agents can be started");
        Agents { urls: agents.urls(), token, _agents: agents, _runtime: runtime }
    });
    &AGENTS
}

fn cluster(count: usize) -> Cluster {
    let Agents { urls, token, .. } = agents();
    let channels = Arc::new(AgentConnections::new(token, None, Arc::new(Traffic::default())));
    Cluster { agents: urls[..count].to_vec(), channels, slots: SLOTS }
}

fn slt_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(".").expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "slt")).collect();
    files.sort();
    assert!(!files.is_empty(), "no .slt files in {DIRECTORY}");
    files
}

fn trial(file: &Path, division: Division) -> Trial {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let file = file.to_owned();
    Trial::test(format!("{stem}::{division}"), move || {
        division.prepare();
        let failures = runtime().block_on(run(&file, division))?;
        if failures.is_empty() { Ok(()) } else { Err(Failed::from(failures.join("\n"))) }
    })
}

/// That the work is divided at all: otherwise the other trials would prove less than they say.
fn is_divided(division: Division) -> Trial {
    Trial::test(format!("division::{division}"), move || {
        division.prepare();
        for query in [
            "FROM 'data/numbers.log' |> SELECT line",
            "FROM 'data/numbers.log' |> FILTER LUA 'function(line) return true end' |> SELECT line",
            "FROM 'data/numbers.log' |> PIPE 'cat'",
        ] {
            let (found, wanted) = match division {
                Division::Partitions(count) => {
                    let plan = runtime().block_on(planned(query, division))?.plan;
                    (plan.output_partitioning().partition_count(), count)
                }
                Division::Agents(count) => {
                    // A single agent has two tasks of each stage.
                    (tasks(&runtime().block_on(planned(query, division))?.plan), count.max(2))
                }
            };
            if found != wanted {
                return Err(Failed::from(format!("{found}, not {wanted}: {query}")));
            }
        }
        Ok(())
    })
}

/// The most tasks of a stage of a distributed plan.
fn tasks(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.as_network_boundary().map_or(0, |boundary| boundary.input_stage().task_count());
    plan.children().into_iter().map(tasks).fold(own, usize::max)
}

async fn planned(query: &str, division: Division) -> Result<Planned, EngineError> {
    let mut engine = Engine::start(division).await?;
    let statement = parse_script(query).next().expect("there is a statement");
    engine.plan(statement, query).await
}

/// Every record of a file that does not answer as it says.
async fn run(file: &Path, division: Division) -> Result<Vec<String>, Failed> {
    let mut runner = runner(division);
    let mut failures = Vec::new();
    for record in sqllogictest::parse_file(file)? {
        if let Err(error) = runner.run_async(record).await {
            failures.push(error.display(false).to_string());
        }
    }
    runner.shutdown_async().await;
    Ok(failures)
}

fn update(file: &Path) {
    let update = async {
        let mut runner = runner(Division::Partitions(1));
        let types = sqllogictest::strict_column_validator;
        runner.update_test_file(file, COLUMN_SEPARATOR, rows_are_equal, as_it_is, types).await
    };
    runtime().block_on(update).expect("the file can be updated");
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be started")
}

fn runner(division: Division) -> Runner<Engine, impl sqllogictest::MakeConnection<Conn = Engine>> {
    let mut runner = Runner::new(move || async move { Engine::start(division).await });
    runner.with_normalizer(as_it_is);
    runner.with_validator(rows_are_equal);
    runner.with_column_validator(sqllogictest::strict_column_validator);
    runner
}

#[expect(clippy::ptr_arg, reason = "the signature is sqllogictest's")]
fn as_it_is(text: &String) -> String {
    text.clone()
}

fn rows_are_equal(
    _normalizer: sqllogictest::Normalizer,
    actual: &[Vec<String>],
    expected: &[String],
) -> bool {
    actual.iter().map(|row| row.join(COLUMN_SEPARATOR)).eq(expected.iter().cloned())
}

/// One session of the product.
struct Engine {
    session: Session,
}

/// What a statement says when it fails, as the user reads it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct EngineError(String);

impl Engine {
    async fn start(division: Division) -> Result<Self, EngineError> {
        let options = match division {
            Division::Partitions(count) => {
                SessionOptions { partitions: Some(count), ..Default::default() }
            }
            Division::Agents(count) => {
                SessionOptions { cluster: Some(cluster(count)), ..Default::default() }
            }
        };
        let mut engine = Self { session: Session::new(options) };
        if division != Division::Partitions(1) {
            engine.execute("SET datafusion.optimizer.repartition_file_min_size = 1").await?;
        }
        match division {
            Division::Partitions(3..) => {
                engine.execute("SET datafusion.execution.batch_size = 3").await?;
            }
            Division::Partitions(_) => {}
            Division::Agents(_) => {
                engine.execute("SET gleam.min_task_bytes = 1").await?;
            }
        }
        Ok(engine)
    }

    /// Runs the statements of `script`, and gives the answer of the last one.
    async fn execute(&mut self, script: &str) -> Result<DBOutput<Kind>, EngineError> {
        let mut output = DBOutput::StatementComplete(0);
        for statement in parse_script(script) {
            let planned = self.plan(statement, script).await?;
            let schema = planned.plan.schema();
            let batches = collect(planned.plan, planned.context)
                .await
                .map_err(|error| EngineError(error.to_string()))?;
            output = answer(&schema, &batches);
        }
        Ok(output)
    }

    async fn plan(
        &mut self,
        statement: Result<Statement, Diagnostic>,
        script: &str,
    ) -> Result<Planned, EngineError> {
        let refused = |error: Diagnostic| EngineError(error.render(script, None));
        self.session.plan(&statement.map_err(refused)?, script).await.map_err(refused)
    }
}

#[async_trait]
impl AsyncDB for Engine {
    type Error = EngineError;
    type ColumnType = Kind;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Kind>, EngineError> {
        self.execute(sql).await
    }

    async fn shutdown(&mut self) {}
}

fn answer(schema: &Schema, batches: &[RecordBatch]) -> DBOutput<Kind> {
    if schema.fields().is_empty() {
        return DBOutput::StatementComplete(0);
    }
    let types = schema.fields().iter().map(|field| Kind::of(field.data_type())).collect();
    DBOutput::Rows { types, rows: batches.iter().flat_map(rows).collect() }
}

fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = batch.columns().iter().map(values).collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column[row].clone()).collect())
        .collect()
}

fn values(column: &ArrayRef) -> Vec<String> {
    if Kind::of(column.data_type()) == Kind::Text {
        let texts = cast(column, &DataType::Utf8View).expect("text is text");
        let texts = texts.as_string_view();
        return texts.iter().map(|text| text.map_or("NULL".to_owned(), unmistakable)).collect();
    }
    let options = FormatOptions::default().with_null("NULL");
    let formatter = ArrayFormatter::try_new(column, &options).expect("every type can be shown");
    (0..column.len()).map(|row| formatter.value(row).to_string()).collect()
}

fn unmistakable(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text == text.trim()
        && text != "NULL"
        && !text.starts_with('"')
        && !text.contains(COLUMN_SEPARATOR)
        && !text.contains(|character: char| character.is_control() || character == '\u{fffd}');
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::new();
    let _ = write!(quoted, "\"{}\"", text.escape_debug());
    quoted
}

/// The type of a column, as far as an .slt file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Integer,
    Float,
    Text,
    Timestamp,
    Date,
    Other,
}

impl Kind {
    const LETTERS: [(Self, char); 7] = [
        (Self::Boolean, 'B'),
        (Self::Integer, 'I'),
        (Self::Float, 'R'),
        (Self::Text, 'T'),
        (Self::Timestamp, 'P'),
        (Self::Date, 'D'),
        (Self::Other, '?'),
    ];

    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Date32 | DataType::Date64 => Self::Date,
            number if number.is_integer() => Self::Integer,
            number if number.is_floating() => Self::Float,
            _ => Self::Other,
        }
    }
}

impl ColumnType for Kind {
    fn from_char(letter: char) -> Option<Self> {
        Self::LETTERS.into_iter().find(|(_, known)| *known == letter).map(|(kind, _)| kind)
    }

    fn to_char(&self) -> char {
        Self::LETTERS.into_iter().find(|(kind, _)| kind == self).map_or('?', |(_, letter)| letter)
    }
}
