//! The command line of `gleam-sql`.

mod agent_args;
mod cluster_args;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::output::Format;

pub(crate) use agent_args::{AgentArgs, AgentCommand, CertsArgs};
pub(crate) use cluster_args::ClusterArgs;

/// What this process is started to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Run statements.
    Query(Args),
    /// Be an agent.
    Agent(AgentArgs),
    /// Tell how agents do.
    Agents(ClusterArgs),
}

/// What one invocation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Args {
    /// Where the SQL comes from, in the order of the command line; never empty.
    pub(crate) sources: Vec<Source>,
    /// The format that `--format` names; without it the caller takes [`Format::for_stdout`].
    pub(crate) format: Option<Format>,
    /// Where the statements run.
    pub(crate) cluster: ClusterArgs,
}

/// A place that SQL is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The contents of a file.
    File(PathBuf),
    /// The text itself.
    Command(String),
    /// Standard input: neither `-f` nor `-c` was given.
    Stdin,
}

impl Invocation {
    /// Reads the arguments of this process. Help, the version and usage errors are printed here
    /// and end the process, with status 0 for the first two and 2 for an error.
    pub(crate) fn parse() -> Self {
        Self::try_parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads the given arguments, of which the first is the name of the program.
    pub(crate) fn try_parse_from<I>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let matches = Options::command().try_get_matches_from(arguments)?;
        let mut options = Options::from_arg_matches(&matches)?;
        Ok(match options.subcommand.take() {
            Some(Subcommands::Agent(agent)) => Self::Agent(agent),
            Some(Subcommands::Agents(cluster)) => Self::Agents(cluster),
            None => Self::Query(Args {
                format: options.format,
                cluster: options.cluster.clone(),
                sources: sources(options, &matches),
            }),
        })
    }
}

/// Query text logs with SQL, Lua and Unix programs.
///
/// Statements come from files (-f), from the command line (-c), or else from standard input.
/// They run in order and stop at the first error. Rows go to standard output, everything else
/// to standard error.
#[derive(Debug, Parser)]
#[command(name = "gleam-sql", version, after_help = AFTER_HELP)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    subcommand: Option<Subcommands>,

    /// Run the statements in FILE; may be repeated, and mixed with -c
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Run the statements in SQL, separated by `;`; may be repeated, and mixed with -f
    #[arg(short, long = "command", value_name = "SQL")]
    commands: Vec<String>,

    /// Print rows as FORMAT [default: table on a terminal, otherwise csv]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    #[command(flatten, next_help_heading = "Agents")]
    cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Agent(AgentArgs),
    /// Show how agents do
    Agents(ClusterArgs),
}

const AFTER_HELP: &str = r#"Examples:
  Count what a grep leaves over
    gleam-sql -c "FROM 'access.log' |> PIPE 'grep -v Googlebot' |> AGGREGATE count(*)"

  Rank status codes, cut out by a Unix program
    gleam-sql -c "SELECT line AS status, count(*) AS n
                  FROM 'access.log' PIPE 'cut -d\" \" -f9' GROUP BY 1 ORDER BY n DESC"

  Count words with Lua, over compressed files too
    gleam-sql -c "FROM 'logs/*.log*'
      |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word)
      |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC |> LIMIT 10"

  Run a script, one JSON object a row
    gleam-sql -f report.sql --format ndjson

  Try what many machines would do
    gleam-sql --local-agents 3 -c "EXPLAIN FROM 'big.log' |> AGGREGATE count(*) GROUP BY file"

  Read the log from standard input
    zcat app.log.gz | gleam-sql -c "FROM stdin |> WHERE line LIKE '%ERROR%' |> LIMIT 20"

Exit status: 0 success, 1 a query failed, 2 wrong usage, syntax or plan."#;

/// Merges the values of `-f` and `-c` by their positions on the command line.
fn sources(options: Options, matches: &ArgMatches) -> Vec<Source> {
    let files = positions(matches, "files").zip(options.files.into_iter().map(Source::File));
    let commands =
        positions(matches, "commands").zip(options.commands.into_iter().map(Source::Command));
    let mut placed: Vec<(usize, Source)> = files.chain(commands).collect();
    if placed.is_empty() {
        return vec![Source::Stdin];
    }
    placed.sort_by_key(|(position, _)| *position);
    placed.into_iter().map(|(_, source)| source).collect()
}

fn positions<'a>(matches: &'a ArgMatches, id: &str) -> impl Iterator<Item = usize> + use<'a> {
    matches.indices_of(id).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn check(arguments: &[&str], expected: Result<Args, ErrorKind>) {
        let all = std::iter::once("gleam-sql").chain(arguments.iter().copied());
        let found = Invocation::try_parse_from(all).map_err(|error| error.kind());
        assert_eq!(found, expected.map(Invocation::Query), "{arguments:?}");
    }

    fn args(sources: &[Source], format: Option<Format>) -> Result<Args, ErrorKind> {
        Ok(Args { sources: sources.to_vec(), format, cluster: ClusterArgs::default() })
    }

    fn file(path: &str) -> Source {
        Source::File(path.into())
    }

    fn command(sql: &str) -> Source {
        Source::Command(sql.into())
    }

    #[test]
    fn definition_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn sources_keep_the_order_of_the_command_line() {
        check(&[], args(&[Source::Stdin], None));
        check(&["-f", "a.sql"], args(&[file("a.sql")], None));
        check(
            &["-c", "one", "-f", "a.sql", "--command=two; three", "--file", "b.sql", "-cfour"],
            args(
                &[
                    command("one"),
                    file("a.sql"),
                    command("two; three"),
                    file("b.sql"),
                    command("four"),
                ],
                None,
            ),
        );
    }

    #[test]
    fn formats_by_name() {
        check(&["--format", "table"], args(&[Source::Stdin], Some(Format::Table)));
        check(&["--format", "csv"], args(&[Source::Stdin], Some(Format::Csv)));
        check(&["--format", "tsv"], args(&[Source::Stdin], Some(Format::Tsv)));
        check(&["--format", "json"], args(&[Source::Stdin], Some(Format::Json)));
        check(&["--format=ndjson"], args(&[Source::Stdin], Some(Format::Ndjson)));
        check(&["--format=markdown"], args(&[Source::Stdin], Some(Format::Markdown)));
    }

    #[test]
    fn usage_errors() {
        check(&["--format", "xml"], Err(ErrorKind::InvalidValue));
        check(&["--format", "csv", "--format", "tsv"], Err(ErrorKind::ArgumentConflict));
        check(&["-c"], Err(ErrorKind::InvalidValue));
        check(&["--nosuch"], Err(ErrorKind::UnknownArgument));
        check(&["query.sql"], Err(ErrorKind::InvalidSubcommand));
        check(&["--help"], Err(ErrorKind::DisplayHelp));
        check(&["--version"], Err(ErrorKind::DisplayVersion));
    }

    #[test]
    fn usage_errors_exit_with_2() {
        let error = Invocation::try_parse_from(["gleam-sql", "--nosuch"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
