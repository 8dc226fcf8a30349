//! Agents beside a query, each a process of its own.

use std::time::Duration;

use super::gleam::{Gleam, Place};
use super::running::Running;

/// The token of all agents of the tests: 32 bytes in hexadecimal.
pub(crate) const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// One agent on loopback; dropping it kills it with all that it has started.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) running: Running,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Agent {
    /// Starts `gleam-sql agent` with these options, and waits until it listens.
    pub(crate) fn start(place: &Place, options: &[&str]) -> Self {
        let mut command = place.gleam().arg("agent").arg("--for-parent");
        for option in options {
            command = command.arg(option);
        }
        let mut running = command.held_input().start();
        running.write(format!("{TOKEN}\n"));
        let address = running.read_line().trim().to_owned();
        assert!(address.starts_with("127.0.0.1:"), "{address:?}");
        Self { running, address }
    }

    /// So many agents without options.
    pub(crate) fn several(place: &Place, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::start(place, &["--slots", "2"])).collect()
    }

    /// Ends it as a lost machine would.
    pub(crate) fn kill(&self) {
        self.running.signal(libc::SIGKILL);
    }

    /// Waits until nothing runs beside the agent itself, and asserts that this comes soon.
    #[track_caller]
    pub(crate) fn is_idle_within(&self, limit: Duration) {
        let left = super::processes::left_beside(self.running.id(), limit);
        assert!(left.is_empty(), "an agent has children after {limit:?}: {left:#?}");
    }
}

impl Gleam {
    /// Runs the query on these agents.
    pub(crate) fn on(self, place: &Place, agents: &[Agent]) -> Self {
        let addresses: Vec<&str> = agents.iter().map(|agent| agent.address.as_str()).collect();
        let token = place.secret("token", TOKEN);
        self.arg("--agents").arg(addresses.join(",")).arg("--token-file").arg(token)
    }
}
