//! The interactive prompt: a line editor in a thread of its own, and a task that runs what it reads.
//!
//! **Invariant:** when the prompt comes back, every child of the last statement has ended or was killed.
//!
//! **Invariant:** nothing that a log or a program says reaches the terminal unescaped.

mod console;
mod interrupts;

mod chart;
mod display;
mod limited;
mod pager;

mod commands;

mod editor;
mod vocabulary;

mod foreground;
mod terminal;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::args::{Args, Source};
use crate::{interrupt, paint, report};

use self::console::{Console, Next};
use self::editor::{Editor, Entry};
use self::interrupts::{Interrupts, Outcome};
use self::terminal::Terminal;

const BANNER: &str = concat!(
    "gleam-sql ",
    env!("CARGO_PKG_VERSION"),
    "   \\? lists the commands, Tab completes, Ctrl-D leaves; a statement ends with ;\n"
);

/// Whether a person sits there: a terminal on both sides, no SQL from elsewhere, no file for the rows.
pub(crate) fn is_wanted(args: &Args) -> bool {
    let is_alone = args.sources == [Source::Stdin] && args.run.output.is_none();
    is_alone && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Runs what the user enters, up to the end of the input; gives the exit status.
pub(crate) async fn run(args: Args, spill_directory: Option<PathBuf>) -> i32 {
    let terminal = Terminal::of_process();
    if args.run.quiet {
        report::be_quiet();
    }
    let status =
        interrupt::or_terminated(converse(args, spill_directory, terminal.has_colours())).await;
    // Where a signal ended it, the line editor has not put back what it changed.
    terminal.restore();
    status
}

async fn converse(args: Args, spill_directory: Option<PathBuf>, has_colours: bool) -> i32 {
    let mut interrupts = match Interrupts::new() {
        Ok(interrupts) => interrupts,
        Err(error) => return cannot_start(&error),
    };
    let console = match Console::new(&args, spill_directory.as_deref(), has_colours).await {
        Ok(console) => console,
        Err(failure) => {
            report::say(&paint::message(&failure.message, has_colours));
            return failure.status;
        }
    };
    let mut editor = match Editor::new(console.vocabulary(), has_colours, interrupts.forget()) {
        Ok(editor) => editor,
        Err(error) => return cannot_start(&error),
    };
    report::say(BANNER);
    let console = Arc::new(Mutex::new(console));
    let mut initial = String::new();
    loop {
        let text = match editor.read(std::mem::take(&mut initial)).await {
            Entry::Text(text) => text,
            Entry::Cleared => continue,
            Entry::End => return 0,
            Entry::Failed(error) => {
                report::say(&format!("error: cannot read from the terminal: {error}\n"));
                return report::RUNTIME_FAILURE;
            }
        };
        let console = Arc::clone(&console);
        // A task that could not be ended at once keeps the console until it has.
        let work = async move { console.lock_owned().await.handle(&text).await };
        match interrupts.or_interrupted(work).await {
            Outcome::Ended(Next::Go) | Outcome::Failed => {}
            Outcome::Ended(Next::Leave) => return 0,
            Outcome::Ended(Next::Edit(text)) => initial = text,
            // The terminal itself has shown `^C` where the cursor was.
            Outcome::Interrupted => report::say("\ncancelled\n"),
        }
    }
}

fn cannot_start(error: &dyn std::fmt::Display) -> i32 {
    report::say(&format!("error: cannot start the prompt: {error}\n"));
    report::RUNTIME_FAILURE
}
