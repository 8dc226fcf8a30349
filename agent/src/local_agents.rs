//! Agents on this machine for the life of one command: `--local-agents N`.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use futures::future::try_join_all;
use gleam_sql_executor::child::{ChildCommand, ChildProcess};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use url::Url;

use crate::security::Token;

/// The longest that an agent may take until it says where it listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Agents that are child processes of this one, on loopback, and end with it.
///
/// The token goes to them through their standard input, which also tells them that their parent
/// lives: they end when it is closed, however that comes about.
#[derive(Debug)]
pub struct LocalAgents {
    agents: Vec<LocalAgent>,
}

#[derive(Debug)]
struct LocalAgent {
    url: Url,
    /// Killed, with all that it has started, when this is dropped.
    process: ChildProcess,
    /// The agent ends when this is closed.
    _alive: ChildStdin,
    /// It must be able to write.
    _output: BufReader<ChildStdout>,
}

/// Why agents on this machine could not be started.
#[derive(Debug, Error)]
pub enum LocalAgentError {
    /// The program did not start, or its pipes failed.
    #[error("cannot start an agent on this machine: {0}")]
    Start(#[from] io::Error),
    /// It ended, or said something else than where it listens.
    #[error("an agent on this machine did not start{}", shown(.stderr))]
    NotReady {
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// It took too long.
    #[error("an agent on this machine did not start within {} s", START_LIMIT.as_secs())]
    Late,
}

fn shown(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

impl LocalAgents {
    /// Starts `count` agents, which are `program agent` with `slots` slots each and `options` beside
    /// what they need; returns when all of them listen.
    ///
    /// # Errors
    /// When one of them does not start; the others are ended.
    pub async fn start(
        program: &Path,
        count: usize,
        slots: usize,
        options: &[OsString],
        token: &Token,
    ) -> Result<Self, LocalAgentError> {
        let starting = (0..count).map(|_| start(program, slots, options, token));
        Ok(Self { agents: try_join_all(starting).await? })
    }

    /// Where they listen.
    pub fn urls(&self) -> Vec<Url> {
        self.agents.iter().map(|agent| agent.url.clone()).collect()
    }

    /// Kills agent `index`, as a lost machine would go, and waits until it has ended.
    ///
    /// # Errors
    /// When there is no such agent, or the system does not tell of its end.
    pub async fn kill(&mut self, index: usize) -> io::Result<()> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such agent");
        let agent = self.agents.get_mut(index).ok_or_else(missing)?;
        let _ = agent.process.last_words().await;
        agent.process.exited().await.map(drop)
    }
}

async fn start(
    program: &Path,
    slots: usize,
    options: &[OsString],
    token: &Token,
) -> Result<LocalAgent, LocalAgentError> {
    let mut arguments: Vec<OsString> =
        vec!["agent".into(), "--for-parent".into(), "--slots".into(), slots.to_string().into()];
    arguments.extend(options.iter().cloned());
    let command = ChildCommand {
        program: program.into(),
        name: "gleam-sql",
        arguments,
        address_space_bytes: None,
        inherited: None,
    };
    let (mut process, mut stdin, stdout) = ChildProcess::start(command).await?;
    let mut output = BufReader::new(stdout);
    let mut line = String::new();
    let ready = async {
        stdin.write_all(format!("{}\n", token.expose()).as_bytes()).await?;
        stdin.flush().await?;
        output.read_line(&mut line).await
    };
    let ready =
        tokio::time::timeout(START_LIMIT, ready).await.map_err(|_| LocalAgentError::Late)?;
    let url = ready.ok().and_then(|_| Url::parse(&format!("http://{}", line.trim())).ok());
    match url.filter(|url| url.port().is_some()) {
        Some(url) => Ok(LocalAgent { url, process, _alive: stdin, _output: output }),
        None => Err(LocalAgentError::NotReady { stderr: process.last_words().await }),
    }
}
