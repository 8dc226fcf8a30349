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
mod progress;
mod prompt;
mod report;
mod runner;
mod script;
mod settings;
mod source;

use std::process::ExitCode;

use args::Invocation;

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
        Ok(invocation) => run(invocation),
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    };
    gleam_sql_executor::child::kill_all();
    destination::remove_unfinished();
    progress::clear();
    // Not by way of destructors: a thread may sit in a read of standard input for ever.
    std::process::exit(status)
}

/// Runs an invocation that has to wait for something; gives the exit status.
fn run(invocation: Invocation) -> i32 {
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
            Invocation::Query(args) if prompt::is_wanted(&args) => prompt::run(args).await,
            Invocation::Query(args) => {
                let limit = args.run.timeout.filter(|limit| !limit.is_zero());
                interrupt::or_interrupted(limit, script::run_all(args)).await
            }
            Invocation::Agents(args) => {
                interrupt::or_interrupted(None, agents_command::run(args)).await
            }
            Invocation::Doctor(args) => interrupt::or_interrupted(None, doctor::run(args)).await,
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
