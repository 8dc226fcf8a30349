//! `\agents`

use crate::agents_command;
use crate::prompt::console::{Console, unshown};
use crate::report::Failure;

/// Shows how the agents do.
pub(super) async fn run(console: &mut Console) -> Result<(), Failure> {
    let Some(connected) = &console.connected else {
        console.display.say("queries run in this process; --local-agents N starts agents\n");
        return Ok(());
    };
    let agents = &connected.cluster.agents;
    let (table, _) = agents_command::ask(agents, &connected.connections).await;
    console.display.show_text(&table).map_err(unshown)
}
