//! What agents spill to goes away with them, or with the next one.

use std::fs;
use std::time::Duration;

use crate::support::{AccessLog, Agent, Gleam, Place, processes, wait_until};

const SOON: Duration = Duration::from_secs(60);
const ENDLESS: &str = "MAP LUA 'function(line) while true do end end' AS (x)";

fn log() -> Place {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(20));
    place.write("temporary/keep", "");
    place
}

/// A query on two agents of its own, with a temporary directory of its own.
fn spread(place: &Place, query: &str) -> Gleam {
    let spread = format!(
        "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1; {query}"
    );
    in_its_own(place, place.sql(spread)).arg("--local-agents").arg("2")
}

fn in_its_own(place: &Place, gleam: Gleam) -> Gleam {
    gleam.env("TMPDIR", place.path("temporary").to_str().expect("it is UTF-8"))
}

/// What is in the temporary directory beside the file that was there before.
fn left(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("temporary")).expect("it is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name != "keep").collect()
}

#[test]
fn local_agents_leave_nothing() {
    let place = log();
    let counted = spread(&place, "SELECT count(*) FROM 'big.log'").run();
    counted.success();
    assert_eq!(left(&place), [""; 0]);
    spread(&place, "FROM 'big.log' |> PIPE 'exit 3'").run().code(1);
    assert_eq!(left(&place), [""; 0]);
    spread(&place, "SELECT nothing FROM 'big.log'").run().code(2);
    assert_eq!(left(&place), [""; 0]);
}

#[test]
fn interrupted_local_agents_leave_nothing() {
    let place = log();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let running = spread(&place, &format!("FROM 'big.log' |> {ENDLESS}")).start();
        let session = running.id();
        wait_until("Lua children", || {
            processes::of_session(session).iter().any(processes::Process::is_lua_child)
        });
        assert_ne!(left(&place), [""; 0]);
        running.signal(signal);
        running.finish(SOON).code(128 + signal);
        assert_eq!(left(&place), [""; 0]);
    }
}

#[test]
fn what_killed_ones_leave_is_removed_by_the_next() {
    let place = log();
    let running = spread(&place, &format!("FROM 'big.log' |> {ENDLESS}")).start();
    let session = running.id();
    wait_until("Lua children", || {
        processes::of_session(session).iter().any(processes::Process::is_lua_child)
    });
    running.signal(libc::SIGKILL);
    running.finish(SOON);
    assert_eq!(left(&place).len(), 1, "{:?}", left(&place));

    let temporary = place.path("temporary");
    let options = ["--spill-dir", temporary.to_str().expect("it is UTF-8")];
    let first = Agent::start(&place, &options);
    let of_first = left(&place);
    assert_eq!(of_first, [format!("gleam-sql-agent-{}", first.running.id())]);
    let second = Agent::start(&place, &options);
    second.kill();
    drop(second);
    assert_eq!(left(&place).len(), 2, "{:?}", left(&place));
    let counted = spread(&place, "SELECT count(*) FROM 'big.log'").run();
    counted.success();
    assert_eq!(left(&place), of_first);
}
