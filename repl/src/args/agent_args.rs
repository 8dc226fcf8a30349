//! `gleam-sql agent`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use gleam_sql_agent::address::DEFAULT_PORT;
use gleam_sql_executor::options::OperatorTimeout;

use super::cluster_args::PeerArgs;

/// Run the tasks of queries on this machine, until it is told to end
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AgentCommand>,

    /// Where to listen; beyond this machine only with TLS
    #[arg(long, value_name = "ADDRESS", default_value_t = default_listen(), conflicts_with = "for_parent")]
    pub(crate) listen: SocketAddr,

    /// Partitions that the agent works on at the same time [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<NonZeroUsize>,

    /// Memory of the queries, beyond which they spill, such as 4GiB [default: 70 % of the machine's]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<Size>,

    /// Where queries spill to [default: a directory of its own below the temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) spill_dir: Option<PathBuf>,

    /// How much they may spill
    #[arg(long, value_name = "SIZE", default_value = "100GiB")]
    pub(crate) spill_limit: Size,

    /// Read files below this directory only; may be repeated
    #[arg(long = "allow-path", value_name = "DIR")]
    pub(crate) allow_paths: Vec<PathBuf>,

    /// Run no programs of PIPE
    #[arg(long, conflicts_with = "allow_commands")]
    pub(crate) deny_pipe: bool,

    /// Run only this program of PIPE, without a shell; may be repeated
    #[arg(long = "allow-command", value_name = "NAME")]
    pub(crate) allow_commands: Vec<String>,

    /// How long running tasks may go on when the agent is told to end
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) grace_period: Duration,

    #[command(flatten)]
    pub(crate) peer: PeerArgs,

    /// Be an agent of --local-agents: the token is the first line of standard input, at whose end this
    /// ends, and the address goes to standard output
    #[arg(long, hide = true)]
    pub(crate) for_parent: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum AgentCommand {
    /// Make a certificate authority, and a certificate and a key for each name
    Certs(CertsArgs),
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct CertsArgs {
    /// The directory that the files are written to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// A host name or an address; may be repeated
    #[arg(long = "name", value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT)
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<OperatorTimeout>().map(|timeout| timeout.0).map_err(|error| error.to_string())
}

/// A number of bytes: `512MiB`, `4GiB`, `1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("", 0)];
        let (digits, shift) = units
            .into_iter()
            .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?.trim(), shift)))
            .unwrap_or((text, 0));
        let number: Option<u64> = digits.parse().ok();
        let bytes = number.and_then(|number| number.checked_mul(1 << shift)).filter(|&n| n > 0);
        bytes.map(Self).ok_or_else(|| format!("`{text}` is not a size such as 512MiB or 4GiB"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        let check = |text: &str, bytes: Option<u64>| {
            assert_eq!(text.parse::<Size>().ok().map(|size| size.0), bytes, "{text}");
        };
        check("1000", Some(1000));
        check("2 KiB", Some(2048));
        check("4GiB", Some(4 << 30));
        check("0", None);
        check("-1", None);
        check("4GB", None);
        check("99999999TiB", None);
    }
}
