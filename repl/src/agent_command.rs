//! `gleam-sql agent`: from the command line to an agent, and its end.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gleam_sql_agent::security::{TlsFiles, Token, write_certificates};
use gleam_sql_agent::server::{AgentConfig, BoundAgent};
use gleam_sql_executor::policy::{Policy, Roots};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::args::{AgentArgs, AgentCommand, CertsArgs};
use crate::interrupt;
use crate::report::{self, Failure};
use crate::spill::SpillDirectory;

/// Of the machine's memory, what the queries of an agent may hold unless told otherwise.
const MEMORY_PERCENT: u64 = 70;
const FALLBACK_MEMORY_BYTES: u64 = 1 << 30;
/// Longer than the line that a parent sends.
const MAX_TOKEN_LINE_BYTES: u64 = 1024;

/// Runs the agent until it is told to end, and gives the exit status.
pub(crate) async fn run(args: AgentArgs) -> i32 {
    let outcome = match &args.command {
        Some(AgentCommand::Certs(certs)) => make_certificates(certs),
        None => serve(&args).await,
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    }
}

fn make_certificates(args: &CertsArgs) -> Result<(), Failure> {
    write_certificates(&args.out, &args.names).map_err(usage)?;
    let names = args.names.iter().map(|name| format!("{name}.crt and {name}.key"));
    let names = names.collect::<Vec<_>>().join(", ");
    report::say(&format!("wrote to {}: ca.crt, {names}\n", args.out.display()));
    Ok(())
}

async fn serve(args: &AgentArgs) -> Result<(), Failure> {
    if args.for_parent {
        return serve_parent(args).await;
    }
    let spill = spill_directory(args)?;
    let config = config(args, args.listen, args.peer.token().map_err(usage)?, &spill)?;
    let agent = BoundAgent::bind(config).await.map_err(usage)?;
    report::say(&format!("gleam-sql agent listens on {}\n", agent.address()));
    let ending = async {
        interrupt::told_to_end().await;
        report::say("ending when the running tasks have ended; once more ends at once\n");
    };
    tokio::select! {
        served = agent.serve(ending) => served.map_err(usage),
        () = told_twice() => Ok(()),
    }
}

async fn told_twice() {
    interrupt::told_to_end().await;
    interrupt::told_to_end().await;
}

/// For `--local-agents`: ends with its parent, which holds the other end of standard input.
async fn serve_parent(args: &AgentArgs) -> Result<(), Failure> {
    let mut input = BufReader::new(tokio::io::stdin()).take(MAX_TOKEN_LINE_BYTES);
    let mut line = String::new();
    input.read_line(&mut line).await.map_err(usage)?;
    let token = Token::parse(&line, "standard input").map_err(usage)?;
    let spill = spill_directory(args)?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let agent = BoundAgent::bind(config(args, any_port, token, &spill)?).await.map_err(usage)?;
    writeln!(io::stdout(), "{}", agent.address()).map_err(usage)?;
    let parent_is_gone = async {
        let mut rest = Vec::new();
        let _ = input.into_inner().read_to_end(&mut rest).await;
    };
    tokio::select! {
        served = agent.serve(interrupt::told_to_end()) => served.map_err(usage),
        () = parent_is_gone => Ok(()),
    }
}

fn config(
    args: &AgentArgs,
    listen: SocketAddr,
    token: Token,
    spill: &SpillDirectory,
) -> Result<AgentConfig, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = args.memory.map_or_else(default_memory_bytes, |size| size.0);
    Ok(AgentConfig {
        listen,
        token,
        // The parent's certificates may be in the environment; it does not ask for them.
        tls: if args.for_parent { TlsFiles::default() } else { args.peer.tls() },
        slots: args.slots.map_or(cores, usize::from),
        memory_bytes: usize::try_from(memory).unwrap_or(usize::MAX),
        spill_directory: spill.path().to_owned(),
        spill_bytes: args.spill_limit.0,
        policy: Arc::new(policy(args)?),
        grace_period: args.grace_period,
    })
}

fn spill_directory(args: &AgentArgs) -> Result<SpillDirectory, Failure> {
    let parent = args.spill_dir.clone().unwrap_or_else(std::env::temp_dir);
    SpillDirectory::of_agent(&parent)
}

fn policy(args: &AgentArgs) -> Result<Policy, Failure> {
    let commands = args.allow_commands.clone();
    Ok(Policy {
        roots: Roots::new(&args.allow_paths).map_err(usage)?,
        deny_pipe: args.deny_pipe,
        allow_commands: (!commands.is_empty()).then_some(commands),
    })
}

fn default_memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or(FALLBACK_MEMORY_BYTES, |kib| kib * 1024 / 100 * MEMORY_PERCENT)
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}
