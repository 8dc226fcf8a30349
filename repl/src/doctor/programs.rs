//! The shell, Lua, and operators that run in them.

use std::ffi::OsString;
use std::time::Duration;

use datafusion::physical_plan::collect;
use gleam_sql_executor::child::{ChildCommand, ChildProcess, ChildStatus, lua_status_arguments};
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Session, plain_message};
use tokio::io::AsyncReadExt;

use super::Finding;

/// How long a program may take to say what it is.
const LIMIT: Duration = Duration::from_secs(10);
const MOST_OUTPUT_BYTES: u64 = 4096;
/// This program, which is also the Lua child.
const PROGRAM: &str = "/proc/self/exe";
/// Each operator sends one row through its child.
const QUERY: &str = "SELECT 'a' AS line |> PIPE 'tr a b' \
                     |> MAP LUA 'function(line) return line .. line end' AS (line)";

/// bash, which runs the programs of PIPE.
pub(super) async fn shell() -> Finding {
    let why = "PIPE needs bash in the PATH: install it";
    match first_line("bash", vec!["--version".into()]).await {
        Ok(version) => Finding::good("shell", version),
        Err(reason) => Finding::bad("shell", reason, why),
    }
}

/// LuaJIT, in a child.
pub(super) async fn lua() -> Finding {
    let why = "MAP LUA, FILTER LUA and Lua functions would fail, or be slow";
    match first_line(PROGRAM, lua_status_arguments()).await {
        Ok(version) => Finding::good("Lua", version),
        Err(reason) => Finding::bad("Lua", reason, why),
    }
}

/// A query with both.
pub(super) async fn operators() -> Finding {
    let why = "children cannot be started, or not be talked to";
    match tokio::time::timeout(LIMIT, query()).await {
        Ok(Ok(answer)) if answer == "bb" => Finding::good("operators", "PIPE and MAP LUA answer"),
        Ok(Ok(answer)) => Finding::bad("operators", format!("a query answers `{answer}`"), why),
        Ok(Err(reason)) => Finding::bad("operators", reason, why),
        Err(_) => Finding::bad("operators", "a query does not end", why),
    }
}

async fn query() -> Result<String, String> {
    let mut session = Session::new(Default::default());
    let statement = parse_script(QUERY).next().ok_or("no statement")?;
    let statement = statement.map_err(|error| error.message)?;
    let planned = session.plan(&statement, QUERY).await.map_err(|error| error.message)?;
    let rows = collect(planned.plan, planned.context).await;
    let rows = rows.map_err(|error| plain_message(&error))?;
    let cells = rows.iter().filter(|batch| batch.num_rows() > 0);
    let cells = cells.map(|batch| {
        let value = arrow::util::display::array_value_to_string(batch.column(0), 0);
        value.unwrap_or_default()
    });
    Ok(cells.collect())
}

/// What a program says first.
async fn first_line(program: &str, arguments: Vec<OsString>) -> Result<String, String> {
    let said = async {
        let command = ChildCommand {
            program: program.into(),
            name: program.to_owned(),
            arguments,
            address_space_bytes: None,
            inherited: None,
        };
        let started = ChildProcess::start(command).await;
        let (mut child, input, output) =
            started.map_err(|error| format!("{program} cannot be started: {error}"))?;
        drop(input);
        let mut text = String::new();
        let read = output.take(MOST_OUTPUT_BYTES).read_to_string(&mut text).await;
        read.map_err(|error| format!("what {program} says cannot be read: {error}"))?;
        let status = child.exited().await.map_err(|error| error.to_string())?;
        let line = text.lines().next().unwrap_or_default().to_owned();
        match status {
            ChildStatus::Exited(0) => Ok(line),
            status => Err(format!("{program} {status}: {line}")),
        }
    };
    let ended = tokio::time::timeout(LIMIT, said).await;
    ended.unwrap_or_else(|_| Err(format!("{program} does not end")))
}
