//! `gleam-sql agents` and `gleam-sql agent certs`, and where secrets must not show.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::agents::TOKEN;
use crate::support::gleam::Finished;
use crate::support::{AccessLog, Agent, Place, processes, wait_until};

const SOON: Duration = Duration::from_secs(60);
const SPREAD: &str =
    "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1;";
const BUSY: &str = "FROM 'big.log' |> PIPE 'cat; sleep 1000' |> MAP LUA 'function(line) while true do end end' AS (x)";

fn agents(place: &Place, addresses: &str, token: &str) -> Finished {
    let token = place.secret("token", token);
    place.gleam().arg("agents").arg("--agents").arg(addresses).arg("--token-file").arg(token).run()
}

/// The cells of the row that begins with `address`.
fn cells(table: &str, address: &str) -> Vec<String> {
    let row = table.lines().find(|line| line.starts_with(address));
    let row = row.unwrap_or_else(|| panic!("no row for {address}\n{table}"));
    row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_living_and_the_dead_have_rows() {
    let place = Place::new();
    let living = Agent::start(&place, &["--slots", "3"]);
    let dead = Agent::start(&place, &[]);
    let alone = agents(&place, &living.address, TOKEN);
    alone.success();
    let row = cells(alone.text(), &living.address);
    assert_eq!(row[1], env!("CARGO_PKG_VERSION"), "{row:?}");
    assert_eq!(row[3..6], ["3", "0", "0"], "slots, tasks, children: {row:?}");
    let dead_address = dead.address.clone();
    drop(dead);
    let both = agents(&place, &format!("{},{dead_address}", living.address), TOKEN);
    both.code(1).says(&["error: agent ", &dead_address, "cannot be reached", "refused"]);
    both.says(&["= help: ", "gleam-sql agent"]);
    assert_eq!(cells(both.text(), &dead_address)[1..], ["no answer"]);
    assert_eq!(cells(both.text(), &living.address)[3], "3");
}

#[test]
fn an_agent_that_says_nothing_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it is bound").to_string();
    let finished = agents(&Place::new(), &address, TOKEN);
    finished.code(1).says(&["error: agent ", &address, "does not answer", "it may be stopped"]);
    assert!(finished.took < Duration::from_secs(10), "{}", finished.shown());
}

#[test]
fn a_wrong_token_is_told_and_not_shown() {
    let place = Place::new();
    let agent = Agent::start(&place, &[]);
    let wrong = "ab".repeat(32);
    let refused = agents(&place, &agent.address, &wrong);
    refused.code(1).says(&["error: agent ", &agent.address, "token"]).says(&["--token-file"]);
    refused.does_not_say(&wrong).does_not_say(TOKEN);
    let readable = place.secret("readable", TOKEN);
    fs::set_permissions(&readable, fs::Permissions::from_mode(0o644)).expect("it is our file");
    let named = place.gleam().arg("agents").arg("--agents").arg(&agent.address);
    let refused = named.arg("--token-file").arg(readable).run();
    refused.code(2).says(&["chmod 600"]).does_not_say(TOKEN);
    place.gleam().arg("agents").run().code(2).says(&["no agents are named", "--agents"]);
}

#[test]
fn an_agent_beyond_this_machine_wants_tls() {
    let place = Place::new();
    let token = place.secret("token", TOKEN);
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let agent = place.gleam().arg("agent").arg("--listen").arg(listen);
        let refused = agent.arg("--token-file").arg(&token).run();
        refused.code(2).says(&["can be reached from other machines", "--tls-cert"]);
    }
}

#[test]
fn certificates_are_made_once() {
    let place = Place::new();
    let certs = |name: &str| {
        let command = place.gleam().arg("agent").arg("certs").arg("--out").arg("certs");
        command.arg("--name").arg(name).run()
    };
    certs("localhost").code(0).says(&["ca.crt", "localhost.crt and localhost.key"]);
    let key = fs::metadata(place.path("certs/localhost.key")).expect("it is there");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    certs("other").code(2).says(&["is there already"]);
    certs("../escaped").code(2).says(&["neither a host name nor an address"]);
    assert!(!place.path("escaped.key").exists());
}

/// Of an agent, of its shells and Lua children, and of the driver.
#[test]
fn no_process_shows_the_token() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(20));
    let agents = Agent::several(&place, 2);
    let running = place.sql(format!("{SPREAD} {BUSY}")).on(&place, &agents).start();
    for agent in &agents {
        wait_until("Lua and shell children", || {
            !agent.running.lua_children().is_empty()
                && processes::of_session(agent.running.id())
                    .iter()
                    .any(|one| one.name == "cat" || one.name == "sleep")
        });
    }
    let sessions = agents.iter().map(|agent| agent.running.id()).chain([running.id()]);
    let all: Vec<_> = sessions.flat_map(processes::of_session).collect();
    assert!(all.len() >= 7, "{all:#?}");
    for process in &all {
        for file in ["cmdline", "environ"] {
            let shown = fs::read(format!("/proc/{}/{file}", process.id)).unwrap_or_default();
            let shown = String::from_utf8_lossy(&shown).to_lowercase();
            assert!(!shown.contains(TOKEN), "{file} of {process:?}");
        }
    }
    for process in all.iter().filter(|one| one.is_lua_child() || one.name == "sh") {
        let environment = fs::read(format!("/proc/{}/environ", process.id)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&environment).contains("GLEAM_"), "{process:?}");
    }
    running.signal(libc::SIGINT);
    running.finish(SOON).code(130).does_not_say(TOKEN);
}

#[test]
fn no_plan_shows_the_token() {
    let place = Place::with("big.log", AccessLog::new(1000).text());
    let agents = Agent::several(&place, 2);
    for explain in ["EXPLAIN", "EXPLAIN VERBOSE", "EXPLAIN ANALYZE"] {
        let query =
            format!("{SPREAD} {explain} SELECT line, count(*) FROM 'big.log' GROUP BY line");
        let plan = place.sql(query).on(&place, &agents).run();
        plan.code(0).does_not_say(TOKEN);
        assert!(!plan.text().contains(TOKEN), "{explain}");
    }
    let settings = place.sql("SHOW ALL").on(&place, &agents).run();
    assert!(!settings.text().contains(TOKEN));
}
