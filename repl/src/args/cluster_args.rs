//! Where the agents are, and how to talk to them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use gleam_sql_agent::security::{TlsFiles, Token, TokenError};

/// The agents of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct ClusterArgs {
    /// Run queries on these agents: host:port,host:port, or @file with one a line, or dns:name:port
    #[arg(long, value_name = "AGENTS", env = "GLEAM_AGENTS", hide_env_values = true)]
    pub(crate) agents: Option<String>,

    /// Start N agents on this machine, for the life of the command
    #[arg(long, value_name = "N", env = "GLEAM_LOCAL_AGENTS", hide_env = true)]
    pub(crate) local_agents: Option<NonZeroUsize>,

    /// Run a query once more when an agent is lost, although its programs may have had effects
    #[arg(long, env = "GLEAM_RETRY", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(crate) retry: bool,

    #[command(flatten)]
    pub(crate) peer: PeerArgs,
}

/// The secrets of a connection; all are files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct PeerArgs {
    /// The file with the token that drivers and agents share [default: ~/.config/gleam-sql/token]
    #[arg(long, value_name = "FILE", env = "GLEAM_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// The certificate of this side, in PEM
    #[arg(long, value_name = "FILE", env = "GLEAM_TLS_CERT", hide_env = true)]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The key of the certificate
    #[arg(long, value_name = "FILE", env = "GLEAM_TLS_KEY", hide_env = true)]
    pub(crate) tls_key: Option<PathBuf>,

    /// The certificate of the authority that has signed those of the other side
    #[arg(long, value_name = "FILE", env = "GLEAM_TLS_CA", hide_env = true)]
    pub(crate) tls_ca: Option<PathBuf>,
}

impl PeerArgs {
    /// The token of the file that is named, or of the user.
    pub(crate) fn token(&self) -> Result<Token, TokenError> {
        match &self.token_file {
            Some(path) => Token::read(path),
            None => Token::of_user(),
        }
    }

    pub(crate) fn tls(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            authority: self.tls_ca.clone(),
        }
    }
}
