//! Agents by name.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use url::Url;

/// Where an agent listens, and where a driver looks for one that has no port in its name.
pub const DEFAULT_PORT: u16 = 4711;

/// Why `--agents` names no agents.
#[derive(Debug, Error)]
pub enum AddressError {
    /// It is no address.
    #[error("`{0}` is no agent: agents are host:port,host:port, or @file, or dns:name:port")]
    Malformed(String),
    /// There is nothing in it.
    #[error("no agents are named")]
    Empty,
    /// The file with the names cannot be read.
    #[error("cannot read the agents in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The name is unknown.
    #[error("cannot find the agents of {name}: {source}")]
    Lookup {
        /// The name.
        name: String,
        /// Why not.
        source: io::Error,
    },
}

/// `host:port`, as errors and plans show an agent.
pub fn agent_name(agent: &Url) -> String {
    let host = agent.host_str().unwrap_or_default();
    format!("{host}:{}", agent.port_or_known_default().unwrap_or(DEFAULT_PORT))
}

/// The agents that `named` stands for: `host:port,host:port`, `@file` with one a line, or
/// `dns:name:port`, which is every address of the name. Each once, in order.
///
/// # Errors
/// When something is no agent, or cannot be read or looked up.
pub async fn resolve(named: &str, is_tls: bool) -> Result<Vec<Url>, AddressError> {
    let scheme = if is_tls { "https" } else { "http" };
    let mut agents: Vec<Url> = Vec::new();
    for name in names(named)? {
        let found = match name.strip_prefix("dns:") {
            Some(name) => addresses(name).await?,
            None => vec![name],
        };
        for address in found {
            let agent = agent_at(&address, scheme)?;
            if !agents.contains(&agent) {
                agents.push(agent);
            }
        }
    }
    if agents.is_empty() { Err(AddressError::Empty) } else { Ok(agents) }
}

fn names(named: &str) -> Result<Vec<String>, AddressError> {
    let Some(path) = named.strip_prefix('@') else {
        let names = named.split(',').map(str::trim).filter(|name| !name.is_empty());
        return Ok(names.map(str::to_owned).collect());
    };
    let path = PathBuf::from(path);
    let text =
        std::fs::read_to_string(&path).map_err(|source| AddressError::File { path, source })?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn agent_at(address: &str, scheme: &str) -> Result<Url, AddressError> {
    let malformed = || AddressError::Malformed(address.to_owned());
    let mut url = Url::parse(&format!("{scheme}://{address}")).map_err(|_| malformed())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || address.ends_with('/') {
        return Err(malformed());
    }
    if url.port().is_none() {
        url.set_port(Some(DEFAULT_PORT)).map_err(|()| malformed())?;
    }
    Ok(url)
}

async fn addresses(name: &str) -> Result<Vec<String>, AddressError> {
    let with_port = match name.rsplit_once(':') {
        Some(_) => name.to_owned(),
        None => format!("{name}:{DEFAULT_PORT}"),
    };
    let failed = |source| AddressError::Lookup { name: name.to_owned(), source };
    let found = tokio::net::lookup_host(with_port).await.map_err(failed)?;
    Ok(found.map(|address| address.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(named: &str, expected: &str) {
        let found = match resolve(named, false).await {
            Ok(agents) => agents.iter().map(agent_name).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{named}");
    }

    #[tokio::test]
    async fn agents_are_named_in_three_ways() {
        check("a:1, b:2,a:1", "a:1 b:2").await;
        check("10.0.0.1", "10.0.0.1:4711").await;
        check("[::1]:80", "[::1]:80").await;
        check("dns:127.0.0.1:9", "127.0.0.1:9").await;
        check(" , ", "no agents are named").await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agents");
        std::fs::write(&path, "# the old ones\na:1\n\nb:2 # the new one\n").unwrap();
        check(&format!("@{}", path.display()), "a:1 b:2").await;
        for wrong in ["a:b:c", "a/b", "a:99999", "user@a:1", "a?b"] {
            let error = resolve(wrong, false).await.unwrap_err();
            assert!(matches!(error, AddressError::Malformed(_)), "{wrong}: {error}");
        }
    }
}
