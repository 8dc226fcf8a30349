//! `gleam-sql`: SQL over text logs, with Lua and shell programs as operators.

mod agent_command;
mod agents_command;
mod args;
mod attempt;
mod cluster;
mod explain;
mod interrupt;
mod output;
mod prompt;
mod report;
mod script;
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
    let invocation = Invocation::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(threads())
        .thread_stack_size(STACK_BYTES)
        .build();
    let status = match runtime {
        Ok(runtime) => {
            let status = runtime.block_on(async {
                match invocation {
                    Invocation::Query(args) if prompt::is_wanted(&args) => prompt::run(args).await,
                    Invocation::Query(args) => {
                        interrupt::or_interrupted(script::run_all(args)).await
                    }
                    Invocation::Agents(args) => {
                        interrupt::or_interrupted(agents_command::run(args)).await
                    }
                    Invocation::Agent(args) => agent_command::run(args).await,
                }
            });
            // It would wait for a read of standard input that may last for ever.
            runtime.shutdown_background();
            status
        }
        Err(error) => {
            report::say(&format!("error: cannot start: {error}\n"));
            report::RUNTIME_FAILURE
        }
    };
    gleam_sql_executor::child::kill_all();
    // Not by way of destructors: a thread may sit in a read of standard input for ever.
    std::process::exit(status)
}
