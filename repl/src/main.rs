//! `gleam-sql`: SQL over text logs, with Lua and shell programs as operators.

mod agent_command;
mod agents_command;
mod args;
mod attempt;
mod cluster;
mod config;
mod config_command;
mod destination;
mod doctor;
mod explain;
mod generated;
mod hint;
mod interrupt;
mod measure;
mod output;
mod paint;
mod progress;
mod prompt;
mod report;
mod runner;
mod script;
mod settings;
mod source;
mod spill;

use std::path::PathBuf;
use std::process::ExitCode;

use args::Invocation;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
use report::Failure;
use spill::SpillDirectory;

/// Address space for the stack of each thread; memory is used as it is touched. Planning recurses
/// as deep as a statement is nested or long, up to the parser's limits.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// One thread a core, and two at the least: one may sit in a write to a reader that sleeps.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

fn main() -> ExitCode {
    // A Lua child is this program too. The check comes before any thread or runtime exists.
    if let Some(code) = gleam_sql_executor::child::run_if_requested() {
        return code;
    }
    let status = match Invocation::parse() {
        Ok(Invocation::Completions(shell)) => generated::completions(shell),
        Ok(Invocation::Man) => generated::manual(),
        Ok(invocation) => run_with_spill(invocation),
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    };
    destination::remove_unfinished();
    progress::clear();
    // Not by way of destructors: a thread may sit in a read of standard input for ever.
    std::process::exit(status)
}

/// Runs an invocation with the directory that it spills to, if it does.
fn run_with_spill(invocation: Invocation) -> i32 {
    let spill = match spill_directory(&invocation) {
        Ok(spill) => spill,
        Err(failure) => {
            report::say(&failure.message);
            return failure.status;
        }
    };
    let status = run(invocation, spill.as_ref().map(|spill| spill.path().to_owned()));
    gleam_sql_executor::child::kill_all();
    // Not before the agents are killed: they would go on to write to it.
    drop(spill);
    status
}

/// What the agents that this command starts spill to. It is held here because the tasks of a runtime
/// that is shut down need not be dropped before the process exits.
fn spill_directory(invocation: &Invocation) -> Result<Option<SpillDirectory>, Failure> {
    match invocation {
        Invocation::Query(args) | Invocation::Doctor(args)
            if args.cluster.local_agents.is_some() =>
        {
            SpillDirectory::of_local_agents().map(Some)
        }
        _ => Ok(None),
    }
}

/// Runs an invocation that has to wait for something; gives the exit status.
fn run(invocation: Invocation, spill: Option<PathBuf>) -> i32 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(threads())
        .thread_stack_size(STACK_BYTES)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            report::say(&format!("error: cannot start: {error}\n"));
            return report::RUNTIME_FAILURE;
        }
    };
    let status = runtime.block_on(async {
        match invocation {
            Invocation::Query(args) if prompt::is_wanted(&args) => prompt::run(args, spill).await,
            Invocation::Query(args) => {
                let limit = args.run.timeout.filter(|limit| !limit.is_zero());
                interrupt::or_interrupted(limit, script::run_all(args, spill)).await
            }
            Invocation::Agents(args) => {
                interrupt::or_interrupted(None, agents_command::run(args)).await
            }
            Invocation::Doctor(args) => {
                interrupt::or_interrupted(None, doctor::run(args, spill)).await
            }
            Invocation::Config(settled) => {
                interrupt::or_interrupted(None, config_command::run(*settled)).await
            }
            Invocation::Agent(args) => agent_command::run(args).await,
            // They wait for nothing.
            Invocation::Completions(shell) => generated::completions(shell),
            Invocation::Man => generated::manual(),
        }
    });
    // It would wait for a read of standard input that may last for ever.
    runtime.shutdown_background();
    status
}
