//! The command line of `gleam-sql`.

mod agent_args;
mod cluster_args;
mod run_args;
mod settled;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::ConfigFile;
use crate::report::Failure;

pub(crate) use agent_args::{AgentArgs, AgentCommand, CertsArgs};
pub(crate) use cluster_args::ClusterArgs;
pub(crate) use run_args::{Explain, RunArgs};
pub(crate) use settled::configurable;

/// What this process is started to do.
#[derive(Debug, Clone)]
pub(crate) enum Invocation {
    /// Run statements.
    Query(Args),
    /// Be an agent.
    Agent(AgentArgs),
    /// Tell how agents do.
    Agents(ClusterArgs),
    /// Tell where the value of each option comes from.
    Config(Box<Settled>),
    /// Tell what of this machine works.
    Doctor(Args),
    /// Print what a shell completes the command line with.
    Completions(Shell),
    /// Print the manual page.
    Man,
}

/// What one invocation asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Where the SQL comes from, in the order of the command line; never empty.
    pub(crate) sources: Vec<Source>,
    /// How the statements are run.
    pub(crate) run: RunArgs,
    /// Where the statements run.
    pub(crate) cluster: ClusterArgs,
    /// What the configuration file says beside options.
    pub(crate) file: ConfigFile,
}

/// Options and where their values come from.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) command: Command,
    pub(crate) matches: ArgMatches,
    pub(crate) file: ConfigFile,
}

/// A shell that completes command lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
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
    /// Reads the arguments of this process and the configuration file. Help, the version and usage
    /// errors are printed here and end the process, with status 0 for the first two and 2 for an
    /// error.
    ///
    /// # Errors
    /// When the configuration file cannot be used.
    pub(crate) fn parse() -> Result<Self, Failure> {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        // Help and mistakes of the command line do not depend on the file.
        let matches =
            command().try_get_matches_from(&arguments).unwrap_or_else(|error| error.exit());
        let is_configured =
            !matches!(matches.subcommand_name(), Some("agent" | "completions" | "man"));
        let file = if is_configured { ConfigFile::of_user()? } else { ConfigFile::default() };
        Ok(Self::try_parse_from(arguments, file).unwrap_or_else(|error| error.exit()))
    }

    /// Reads the given arguments, of which the first is the name of the program.
    pub(crate) fn try_parse_from<I>(arguments: I, file: ConfigFile) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let mut command = settled::with_defaults(command(), &file);
        let matches = command.try_get_matches_from_mut(arguments)?;
        let mut options = Options::from_arg_matches(&matches)?;
        let subcommand = options.subcommand.take();
        // Those of the subcommand, where there is one.
        let own = matches.subcommand().map_or(&matches, |(_, own)| own);
        Ok(match subcommand {
            Some(Subcommands::Agent(agent)) => Self::Agent(agent),
            Some(Subcommands::Agents(cluster)) => {
                Self::Agents(one_kind_of_agents(cluster, own, &mut command)?)
            }
            Some(Subcommands::Config(_)) => {
                let (matches, file) = (own.clone(), file);
                Self::Config(Box::new(Settled { command, matches, file }))
            }
            Some(Subcommands::Doctor(cluster)) => {
                let cluster = one_kind_of_agents(cluster, own, &mut command)?;
                Self::Doctor(Args { cluster, file, ..Args::default() })
            }
            Some(Subcommands::Completions { shell }) => Self::Completions(shell),
            Some(Subcommands::Man) => Self::Man,
            None => {
                let QueryArgs { run, cluster, files, commands } = options.query;
                let cluster = one_kind_of_agents(cluster, own, &mut command)?;
                let sources = sources(files, commands, &matches);
                Self::Query(Args { sources, run, cluster, file })
            }
        })
    }
}

/// The definition of the command line.
pub(crate) fn command() -> Command {
    Options::command()
}

/// Of `--agents` and `--local-agents` the one that stands nearer to the user.
fn one_kind_of_agents(
    mut cluster: ClusterArgs,
    matches: &ArgMatches,
    command: &mut Command,
) -> Result<ClusterArgs, clap::Error> {
    match settled::yielding(matches, "agents", "local_agents") {
        Ok(Some("agents")) => cluster.agents = None,
        Ok(Some(_)) => cluster.local_agents = None,
        Ok(None) => {}
        Err(settled::BothStand) => {
            let message =
                "the argument '--agents <AGENTS>' cannot be used with '--local-agents <N>'";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
    }
    Ok(cluster)
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

    #[command(flatten)]
    query: QueryArgs,
}

/// What a run of statements is told.
#[derive(Debug, clap::Args)]
struct QueryArgs {
    /// Run the statements in FILE; may be repeated, and mixed with -c
    #[arg(short, long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Run the statements in SQL, separated by `;`; may be repeated, and mixed with -f
    #[arg(short, long = "command", value_name = "SQL")]
    commands: Vec<String>,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten, next_help_heading = "Agents")]
    cluster: ClusterArgs,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Agent(AgentArgs),
    /// Show how agents do
    Agents(ClusterArgs),
    /// Show the value of each option and setting, and where it comes from
    Config(QueryArgs),
    /// Show what of this machine works, and what would not, and why
    Doctor(ClusterArgs),
    /// Print what a shell completes command lines with
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, for `man -l -`
    Man,
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

  Give a script its values
    gleam-sql -f report.sql -v day=2026-01-31 -v least=500 -o report.parquet

Exit status: 0 success, 1 a query failed, 2 wrong usage, syntax or plan, 124 --timeout,
130 interrupted. Options may stand in $XDG_CONFIG_HOME/gleam-sql/config.toml and in GLEAM_…
of the environment as well: see gleam-sql config."#;

/// Merges the values of `-f` and `-c` by their positions on the command line.
fn sources(files: Vec<PathBuf>, commands: Vec<String>, matches: &ArgMatches) -> Vec<Source> {
    let files = positions(matches, "files").zip(files.into_iter().map(Source::File));
    let commands = positions(matches, "commands").zip(commands.into_iter().map(Source::Command));
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
    use std::time::Duration;

    use super::*;
    use crate::output::Format;

    fn parse(arguments: &[&str]) -> Result<Args, ErrorKind> {
        let all = std::iter::once("gleam-sql").chain(arguments.iter().copied());
        match Invocation::try_parse_from(all, ConfigFile::default()) {
            Ok(Invocation::Query(args)) => Ok(args),
            Ok(other) => panic!("{arguments:?} is {other:?}"),
            Err(error) => Err(error.kind()),
        }
    }

    fn check(arguments: &[&str], expected: Result<Args, ErrorKind>) {
        assert_eq!(parse(arguments), expected, "{arguments:?}");
    }

    fn args(sources: &[Source], format: Option<Format>) -> Result<Args, ErrorKind> {
        let run = RunArgs { format, ..RunArgs::default() };
        Ok(Args { sources: sources.to_vec(), run, ..Args::default() })
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
    fn options_of_a_run() {
        let run = |arguments: &[&str]| parse(arguments).unwrap().run;
        assert_eq!(run(&["--explain"]).explain, Some(Explain::Plan));
        assert_eq!(run(&["--explain=analyze", "-c", "x"]).explain, Some(Explain::Analyze));
        assert_eq!(run(&["--timeout", "1.5m"]).timeout, Some(Duration::from_secs(90)));
        let variables = run(&["-v", "a=1", "-vb=c=d", "--variable", "e="]).variables;
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
        assert_eq!(variables, [("a", "1"), ("b", "c=d"), ("e", "")]);
        check(&["-v", "a"], Err(ErrorKind::ValueValidation));
        check(&["-v", "1=2"], Err(ErrorKind::ValueValidation));
        check(&["--timeout", "soon"], Err(ErrorKind::ValueValidation));
        check(&["--explain=all"], Err(ErrorKind::InvalidValue));
    }

    #[test]
    fn what_stands_nearer_wins() {
        let file = ConfigFile::parse("agents = 'a:1'\nformat = 'json'\nquiet = true", "f").unwrap();
        let parse = |arguments: &[&str]| {
            let all = std::iter::once("gleam-sql").chain(arguments.iter().copied());
            match Invocation::try_parse_from(all, file.clone()) {
                Ok(Invocation::Query(args)) => args,
                other => panic!("{arguments:?} is {other:?}"),
            }
        };
        let plain = parse(&[]);
        assert_eq!(plain.cluster.agents.as_deref(), Some("a:1"));
        assert_eq!(plain.run.format, Some(Format::Json));
        assert!(plain.run.quiet && !plain.run.timing);
        let local = parse(&["--local-agents", "2", "--format", "tsv"]);
        assert_eq!(local.cluster.agents, None);
        assert_eq!(local.cluster.local_agents.map(usize::from), Some(2));
        assert_eq!(local.run.format, Some(Format::Tsv));
        let both = ["--agents", "a:1", "--local-agents", "2"];
        check(&both, Err(ErrorKind::ArgumentConflict));
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
        let arguments = ["gleam-sql", "--nosuch"];
        let error = Invocation::try_parse_from(arguments, ConfigFile::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
