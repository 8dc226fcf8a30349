//! The child's side: reads a program and batches, runs the loop, writes replies.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::process::ExitCode;

use super::LuaError;
use super::frame::{self, Tag};
use super::output::Output;
use super::protocol::{Setup, from_json, to_json};
use super::worker::Worker;

/// Room in front of the pipe: headers and small buffers of a frame go out together.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// Serves on descriptors 0 and 1 until the parent ends the talk.
pub fn run() -> ExitCode {
    // SAFETY: descriptors 0 and 1 are open for as long as the process lives, are not closed here,
    // and this process uses no other handle for them.
    let (input, output) = unsafe { (File::from_raw_fd(0), File::from_raw_fd(1)) };
    let (input, output) = (ManuallyDrop::new(input), ManuallyDrop::new(output));
    match serve(&*input, BufWriter::with_capacity(WRITE_BUFFER_BYTES, &*output)) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent has had enough.
        Err(LuaError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "gleam-sql lua child: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves one program from `input` to `output`. A failure of the user's code is a reply, not an
/// error; an error of the talk itself is sent as Fault, where that is still possible, and given.
pub fn serve(mut input: impl Read, mut output: impl Write) -> Result<(), LuaError> {
    let served = talk(&mut input, &mut output);
    if let Err(error) = &served
        && !matches!(error, LuaError::Io(_))
    {
        frame::write(&mut output, Tag::Fault, &[error.to_string().as_bytes()])?;
        output.flush()?;
    }
    served
}

fn talk(input: &mut impl Read, output: &mut impl Write) -> Result<(), LuaError> {
    let setup: Setup = match frame::read(&mut *input)? {
        Some((Tag::Setup, body)) => from_json(&body)?,
        Some((tag, _)) => return Err(LuaError::Frame(format!("{tag:?} before Setup"))),
        None => return Ok(()),
    };
    setup.program.check()?;
    let output = Output::try_new(&setup.program, output)?;
    let mut worker = match Worker::start(setup, &output)? {
        Ok(worker) => worker,
        Err(failure) => return output.send(Tag::Failed, &[&to_json(&failure)?]),
    };
    loop {
        let ran = match frame::read(&mut *input)? {
            Some((Tag::Batch, body)) => worker.run(&output, body)?,
            Some((Tag::Flush, _)) => worker.finish(&output)?,
            Some((Tag::End, _)) => return tell_interpreted(&worker, &output),
            // A parent that fails must not be mistaken for one that has no more rows.
            None => return Err(LuaError::Frame("the input ended without an End".into())),
            Some((tag, _)) => return Err(LuaError::Frame(format!("{tag:?} to a running child"))),
        };
        match ran {
            Ok(tolerated) if tolerated.is_empty() => output.send(Tag::BatchDone, &[])?,
            Ok(tolerated) => output.send(Tag::BatchDone, &[&to_json(&tolerated)?])?,
            Err(failure) => return output.send(Tag::Failed, &[&to_json(&failure)?]),
        }
    }
}

fn tell_interpreted<W: Write>(worker: &Worker, output: &Output<W>) -> Result<(), LuaError> {
    let interpreted = worker.interpreted()?;
    if interpreted.is_empty() {
        return Ok(());
    }
    output.send(Tag::Interpreted, &[&to_json(&interpreted)?])
}
