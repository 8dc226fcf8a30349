//! `gleam-sql agents`: how agents do, as a table.

use std::io::{self, Write};
use std::time::Duration;

use futures::future::join_all;
use gleam_sql_agent::address::agent_name;
use gleam_sql_agent::connection::{AgentConnections, ConnectError};
use gleam_sql_agent::proto::agent::StatusResponse;
use url::Url;

use crate::args::ClusterArgs;
use crate::cluster;
use crate::report::{self, Failure};

const HEADER: [&str; 9] =
    ["agent", "version", "uptime", "slots", "tasks", "children", "memory", "bytes in", "bytes out"];

/// Prints the table; the exit status is 1 where an agent does not answer.
pub(crate) async fn run(args: ClusterArgs) -> i32 {
    match try_run(&args).await {
        Ok(all_answer) => i32::from(!all_answer),
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    }
}

async fn try_run(args: &ClusterArgs) -> Result<bool, Failure> {
    let named = cluster::named(args).await?;
    let Some(named) = named else {
        let hint = "name them with --agents host:port,… or in GLEAM_AGENTS";
        return Err(Failure::usage("no agents are named".to_owned()).with_hint(hint));
    };
    let (table, all_answer) = ask(&named.agents, &named.connections).await;
    let printed = io::stdout().write_all(table.as_bytes());
    printed.map_err(|error| Failure::usage(format!("cannot write the table: {error}")))?;
    Ok(all_answer)
}

/// How agents do, as a table, and whether all of them answer. Who does not is told of.
pub(crate) async fn ask(agents: &[Url], connections: &AgentConnections) -> (String, bool) {
    let statuses = join_all(agents.iter().map(|agent| connections.status(agent))).await;
    let all_answer = statuses.iter().all(Result::is_ok);
    let rows: Vec<[String; 9]> =
        agents.iter().zip(statuses).map(|(agent, status)| row(agent, status)).collect();
    (table(&rows), all_answer)
}

fn row(agent: &Url, status: Result<StatusResponse, ConnectError>) -> [String; 9] {
    let agent = agent_name(agent);
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            let told: Vec<String> = error.to_string().lines().map(report::visible).collect();
            report::say(&format!("error: {}\n", told.join("\n")));
            return [
                agent,
                "no answer".to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ];
        }
    };
    let version = report::visible(&status.build_version);
    let version = if status.draining { format!("{version} (ending)") } else { version };
    [
        agent,
        version,
        uptime(Duration::from_millis(status.uptime_ms)),
        status.slots.to_string(),
        status.running_tasks.to_string(),
        status.children.to_string(),
        bytes(status.memory_bytes),
        bytes(status.exchange_bytes_in),
        bytes(status.exchange_bytes_out),
    ]
}

fn uptime(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// Text to the left in the first two columns, numbers to the right in the others.
fn table(rows: &[[String; 9]]) -> String {
    let header = HEADER.map(str::to_owned);
    let all = || std::iter::once(&header).chain(rows);
    let width = |column: usize| all().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_numbers_for_people() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 40), "3.0 TiB");
        assert_eq!(uptime(Duration::from_secs(59)), "59 s");
        assert_eq!(uptime(Duration::from_secs(3660)), "1 h 1 min");
        assert_eq!(uptime(Duration::from_secs(90_000)), "1 d 1 h");
    }
}
