//! Agents, drivers and connections that go: an answer is complete, or the exit status says that it is
//! not, and nothing is left running anywhere.

use std::time::{Duration, Instant};

use crate::support::{AccessLog, Agent, Place, processes, wait_until};

const SOON: Duration = Duration::from_secs(60);
/// A query fails within this time after one of its agents was killed.
const PROMPTLY: Duration = Duration::from_secs(5);
/// Agents end what a driver that is gone has started within this time.
const DRIVER_LOST: Duration = Duration::from_secs(15);
/// A query that is no longer wanted ends everywhere within this time.
const CANCELLED: Duration = Duration::from_secs(2);

const SPREAD: &str =
    "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1;";
const ENDLESS: &str = "MAP LUA 'function(line) while true do end end' AS (x)";

fn big() -> Place {
    Place::with("big.log", AccessLog::new(3000).text().repeat(20))
}

fn wait_for_lua(agent: &Agent) {
    wait_until("a Lua child of an agent", || !agent.running.lua_children().is_empty());
}

#[test]
fn a_lost_agent_before_the_first_row_means_one_more_try() {
    let place = big();
    let agents = Agent::several(&place, 3);
    // Slow enough to be caught, and without effects that a second try would repeat.
    let slow = "MAP LUA 'function(line) local n = 0 for i = 1, 20000 do n = n + #line % i end return n end' AS (n BIGINT)";
    let query = format!("{SPREAD} FROM 'big.log' |> {slow} |> AGGREGATE count(*)");
    let running = place.sql(query).on(&place, &agents).start();
    wait_for_lua(&agents[1]);
    agents[1].kill();
    let finished = running.finish(SOON);
    finished.code(0).says(&["agent", &agents[1].address, "was lost", "again"]);
    assert_eq!(finished.rows(), ["60000"]);
}

#[test]
fn a_query_with_a_pipe_is_not_tried_again_unasked() {
    let place = big();
    for retry in [false, true] {
        let agents = Agent::several(&place, 3);
        let query = format!("{SPREAD} FROM 'big.log' |> PIPE 'sleep 2; cat' |> AGGREGATE count(*)");
        let mut command = place.sql(query).on(&place, &agents);
        if retry {
            command = command.arg("--retry");
        }
        let running = command.start();
        wait_until("a shell of an agent", || !agents[1].running.children().is_empty());
        let killed = Instant::now();
        agents[1].kill();
        let finished = running.finish(SOON);
        if retry {
            finished.code(0).says(&["lost"]);
            assert_eq!(finished.rows(), ["60000"]);
        } else {
            finished.code(1).says(&["agent", &agents[1].address, "was lost", "stage", "--retry"]);
            assert!(killed.elapsed() < PROMPTLY, "{:?}", killed.elapsed());
        }
        agents[0].is_idle_within(CANCELLED);
        agents[2].is_idle_within(CANCELLED);
    }
}

#[test]
fn a_lost_agent_after_the_first_row_is_an_error() {
    let place = big();
    let agents = Agent::several(&place, 2);
    let query =
        format!("{SPREAD} FROM 'big.log' |> MAP LUA 'function(line) return line end' AS (x)");
    let mut running = place.sql(query).on(&place, &agents).start();
    running.read_line();
    running.read_line();
    let killed = Instant::now();
    agents[1].kill();
    let finished = running.finish(SOON);
    if finished.code == Some(0) {
        // It had sent all of it by then.
        assert_eq!(finished.rows().len() + 1, 60_000, "{}", finished.shown());
        return;
    }
    finished.code(1).says(&["agent", &agents[1].address, "was lost", "stage"]);
    assert!(killed.elapsed() < PROMPTLY, "{:?}", killed.elapsed());
}

#[test]
fn agents_outlive_a_killed_driver_and_end_its_work() {
    let place = big();
    let agents = Agent::several(&place, 2);
    let query = format!("{SPREAD} FROM 'big.log' |> PIPE 'cat; sleep 1000' |> {ENDLESS}");
    let running = place.sql(query).on(&place, &agents).start();
    agents.iter().for_each(wait_for_lua);
    running.signal(libc::SIGKILL);
    agents.iter().for_each(|agent| agent.is_idle_within(DRIVER_LOST));
    drop(running);
    let counted = place.sql("SELECT count(*) FROM 'big.log'").on(&place, &agents).run();
    counted.success();
}

#[test]
fn ctrl_c_ends_the_work_everywhere() {
    let place = big();
    let agents = Agent::several(&place, 2);
    let query = format!("{SPREAD} FROM 'big.log' |> PIPE 'cat; sleep 1000' |> {ENDLESS}");
    let running = place.sql(query).on(&place, &agents).start();
    agents.iter().for_each(wait_for_lua);
    running.signal(libc::SIGINT);
    running.finish(CANCELLED).code(130);
    agents.iter().for_each(|agent| agent.is_idle_within(CANCELLED));
}

#[test]
fn a_limit_that_is_reached_ends_the_work_everywhere() {
    let place = big();
    let agents = Agent::several(&place, 2);
    let query = format!("{SPREAD} FROM 'big.log' |> PIPE 'cat; sleep 1000' |> LIMIT 3");
    let finished = place.sql(query).on(&place, &agents).start().finish(SOON);
    finished.success();
    assert_eq!(finished.rows().len(), 3);
    agents.iter().for_each(|agent| agent.is_idle_within(CANCELLED));
}

#[test]
fn local_agents_end_with_their_driver() {
    let place = big();
    for signal in [libc::SIGINT, libc::SIGKILL] {
        let query = format!("{SPREAD} FROM 'big.log' |> PIPE 'cat; sleep 1000' |> {ENDLESS}");
        let running = place.sql(query).arg("--local-agents").arg("2").start();
        let session = running.id();
        wait_until("Lua children", || {
            processes::of_session(session).iter().filter(|one| one.is_lua_child()).count() >= 2
        });
        running.signal(signal);
        // It looks for what is left of the whole session.
        running.finish(SOON);
    }
}

/// A random moment of 50, each another; a complete answer or an error, and never a part.
#[test]
fn killed_at_any_moment() {
    let place = big();
    let query = format!(
        "{SPREAD} FROM 'big.log' |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word) \
         |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word"
    );
    let whole = place.sql(&query).run();
    whole.success();
    let mut complete = 0;
    for run in 0..50_u64 {
        let agents = Agent::several(&place, 2);
        let running = place.sql(&query).on(&place, &agents).start();
        // From before the first connection to after the last row, on this machine or a slower one.
        let moment = whole.took.mul_f64(run as f64 / 25.0);
        std::thread::sleep(moment);
        agents[usize::try_from(run % 2).expect("small")].kill();
        let killed = Instant::now();
        let finished = running.finish(SOON);
        if finished.code == Some(0) {
            assert_eq!(finished.stdout, whole.stdout, "run {run}: {}", finished.shown());
            complete += 1;
        } else {
            assert_eq!(finished.code, Some(1), "run {run}: {}", finished.shown());
            let late = killed.elapsed();
            assert!(late < PROMPTLY, "run {run}: {late:?}\n{}", finished.shown());
        }
    }
    println!("{complete} of 50 answers were complete");
}
