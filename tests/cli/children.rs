//! Child processes: as many as the plan says, and none when all is over, however it ends.

use std::time::{Duration, Instant};

use crate::support::log::ranked;
use crate::support::{AccessLog, Place, Running, check, processes, wait_until};

const SOON: Duration = Duration::from_secs(20);
/// A query fails within this time after one of its children was killed.
const PROMPTLY: Duration = Duration::from_secs(2);

const LUA: &str = "MAP LUA 'function(line) return line end' AS (line)";
const ENDLESS: &str = "MAP LUA 'function(line) while true do end end' AS (line)";

fn big() -> Place {
    Place::with("big.log", AccessLog::new(3000).text().repeat(20))
}

/// The sum of `children=N` in the plan.
fn children_in_plan(place: &Place, query: &str) -> usize {
    let plan = place.sql(format!("EXPLAIN {query}")).run();
    plan.success();
    let counts = plan.text().split("children=").skip(1).map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse::<usize>().expect("a number")
    });
    counts.sum()
}

#[test]
fn as_many_as_explain_says() {
    // So large that no child comes to its end although several batches are on their way.
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(150));
    for operators in [
        "|> PIPE 'cat'".to_owned(),
        format!("|> {LUA}"),
        format!("|> PIPE 'cat' |> {LUA}"),
        format!("|> {LUA} |> PIPE 'cat'"),
        "|> PIPE 'cat' |> PIPE 'cat' |> PIPE 'cat'".to_owned(),
        format!("|> {LUA} |> {LUA} |> FILTER LUA 'function(line) return true end'"),
        format!("|> {LUA} |> PIPE 'cat' |> {LUA} |> PIPE 'cat'"),
    ] {
        let query = format!("FROM 'big.log' {operators}");
        let planned = children_in_plan(&place, &query);
        assert!(planned > 0, "{query}");
        // The output is not read, so nothing can end.
        let running = place.sql(&query).start();
        let children = running.wait_for_children(planned);
        assert_eq!(children.len(), planned, "{query}\n{children:#?}");
        let groups = ranked(children.iter().map(|child| child.group));
        assert_eq!(groups.len(), planned, "each leads its own group\n{children:#?}");
        assert!(children.iter().all(|child| child.group == child.id), "{children:#?}");
        let lua = children.iter().filter(|child| child.is_lua_child()).count();
        assert_eq!(lua == 0, !query.contains("LUA"), "{query}\n{children:#?}");
        drop(running);
    }
}

#[test]
fn more_than_planned_never_come() {
    let place = big();
    let query =
        "FROM 'big.log' |> PIPE 'cat' |> MAP LUA 'function(line) return #line end' AS (n BIGINT)";
    let planned = children_in_plan(&place, query);
    let mut running = place.sql(query).start();
    let mut most = 0;
    for _ in 0..20 {
        for _ in 0..1000 {
            running.read_line();
        }
        most = most.max(running.children().len());
    }
    assert!(most <= planned, "{most} children, {planned} planned");
    running.finish(SOON).success();
}

/// Nothing is left after any end; [`Running::finish`] looks for it each time.
#[test]
fn nothing_is_left_after_limit() {
    let place = big();
    for operators in
        ["|> PIPE 'cat'", "|> PIPE 'yes'", "|> PIPE 'cat; sleep 1000'", &format!("|> {LUA}")]
    {
        for limit in ["|> LIMIT 3", "|> PIPE 'cat' |> LIMIT 3"] {
            let finished =
                place.sql(format!("FROM 'big.log' {operators} {limit}")).start().finish(SOON);
            finished.success();
            assert_eq!(finished.rows().len(), 3, "{operators}");
        }
    }
    let endless = "FLATMAP LUA 'function(line) while true do emit(line) end end' AS (line)";
    let finished =
        place.sql(format!("FROM 'big.log' |> {endless} |> LIMIT 3")).start().finish(SOON);
    finished.success();
    assert_eq!(finished.rows().len(), 3);
}

/// The process lives on after its first statement, so that its zombies would show.
#[test]
fn children_are_reaped_while_the_process_lives() {
    let place = big();
    for (first, rows) in [
        ("FROM 'big.log' |> PIPE 'cat' |> AGGREGATE count(*)".to_owned(), 1),
        (format!("FROM 'big.log' |> {LUA} |> AGGREGATE count(*)"), 1),
        ("FROM 'big.log' |> PIPE 'yes' |> LIMIT 2".to_owned(), 2),
        (format!("FROM 'big.log' |> {LUA} |> LIMIT 2"), 2),
        ("FROM 'big.log' |> PIPE 'cat' |> PIPE 'sleep 1000 & cat' |> LIMIT 2".to_owned(), 2),
    ] {
        let mut running =
            place.sql(format!("{first}; SELECT line FROM stdin")).held_input().start();
        for _ in 0..=rows {
            assert_ne!(running.read_line(), "");
        }
        let children = running.left_while_it_lives();
        assert!(children.is_empty(), "left after {first}: {children:#?}");
        assert!(!running.has_ended());
        running.close_input();
        running.finish(SOON).success();
    }
}

#[test]
fn nothing_is_left_after_an_error() {
    let place = big();
    // One fails while others have much to do.
    for (query, message) in [
        (format!("FROM 'big.log' |> PIPE 'sleep 1000' |> {LUA}; SELECT 1"), "no progress"),
        (format!("FROM 'big.log' |> {LUA} |> PIPE 'head -1; exit 3'"), "status 3"),
        (
            "FROM 'big.log' |> PIPE 'yes' |> MAP LUA 'function(line) error(\"boo\") end' AS (x)"
                .to_owned(),
            "boo",
        ),
        (format!("FROM 'big.log' |> PIPE 'sleep 1000 & cat; exit 5' |> {LUA}"), "status 5"),
    ] {
        let finished =
            place.sql(format!("SET gleam.operator_timeout = '1s'; {query}")).start().finish(SOON);
        finished.code(1).says(&["error: ", message]);
    }
}

#[test]
fn a_lua_loop_that_never_ends() {
    let place = big();
    for operator in [
        ENDLESS,
        "FILTER LUA 'function(line) while true do end end'",
        "FLATMAP LUA 'function(line) return function() while true do end end end' AS (x)",
        "MAP LUA 'function(line) while true do pcall(error) end end' AS (x)",
        "MAP LUA 'function(line) return (\"a\"):rep(40):find((\"a-\"):rep(40) .. \"b\") end' AS (x)",
        "MAP LUA 'while true do end return function(line) return line end' AS (x)",
    ] {
        let sql = format!("SET gleam.operator_timeout = '1s';\nFROM 'big.log' |> {operator}");
        let finished = place.sql(sql).start().finish(SOON);
        let name = operator.split(" '").next().expect("a keyword");
        finished.code(1).says(&[
            &format!("error: {name} failed: no progress for 1 s"),
            "line 2, column 19",
            "= help: ",
            "gleam.operator_timeout",
        ]);
        assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
    }
}

#[test]
fn a_shell_child_that_makes_no_progress() {
    let place = big();
    for code in [
        "sleep 1000",
        "cat; sleep 1000",
        "cat > /dev/null; sleep 1000",
        "sleep 1000 | cat",
        "kill -STOP $$",
    ] {
        let sql = format!("SET gleam.operator_timeout = '1s'; FROM 'big.log' |> PIPE '{code}'");
        let finished = place.sql(sql).start().finish(SOON);
        finished.code(1).says(&["PIPE failed: no progress for 1 s", "^^^^", "= help: "]);
        assert!(finished.took < Duration::from_secs(10), "{code}: {:?}", finished.took);
    }
}

/// Waiting for rows or for a reader is not the child's fault.
#[test]
fn a_child_that_waits_is_not_stalled() {
    let place = Place::new();
    for operator in ["PIPE 'cat'", LUA] {
        let sql = format!(
            "SET gleam.operator_timeout = '250ms'; FROM stdin |> SELECT line |> {operator}"
        );
        let mut running = place.sql(sql).held_input().start();
        running.write("one\n");
        running.read_line();
        assert_eq!(running.read_line(), "one\n");
        let since = Instant::now();
        wait_until("four times the limit", || since.elapsed() > Duration::from_secs(1));
        assert!(!running.has_ended(), "{operator}");
        running.write("two\n");
        assert_eq!(running.read_line(), "two\n");
        running.close_input();
        running.finish(SOON).success();
    }
}

#[test]
fn a_reader_that_sleeps_is_not_a_stall() {
    let place = big();
    for operator in ["PIPE 'cat'", LUA] {
        let sql = format!(
            "SET gleam.operator_timeout = '250ms'; FROM 'big.log' |> SELECT line |> {operator}"
        );
        let mut running = place.sql(sql).start();
        running.read_line();
        let since = Instant::now();
        wait_until("four times the limit", || since.elapsed() > Duration::from_secs(1));
        assert!(!running.has_ended(), "{operator}");
        let finished = running.finish(SOON);
        finished.success();
        assert_eq!(finished.text().lines().count(), 60_000, "{operator}");
    }
}

/// Kills it, and looks at how soon and with which words the query ends.
#[track_caller]
fn kill_and_check(running: Running, child: u32, operator: &str) {
    processes::signal(child, libc::SIGKILL);
    let killed = Instant::now();
    let finished = running.finish(SOON);
    let took = killed.elapsed();
    finished.code(1).says(&[&format!("error: {operator} failed: "), "signal 9 (SIGKILL)", "^^^"]);
    assert!(took < PROMPTLY, "it took {took:?}");
}

#[test]
fn a_lua_child_that_is_killed_while_it_works() {
    let place = big();
    for operator in ["MAP LUA", "FILTER LUA", "FLATMAP LUA"] {
        let columns = if operator == "FILTER LUA" { "" } else { "AS (x)" };
        let sql = format!(
            "FROM 'big.log' |> {operator} 'function(line) while true do end end' {columns}"
        );
        let running = place.sql(sql).start();
        running.wait_for_children(1);
        let child = running.lua_children()[0].id;
        kill_and_check(running, child, operator);
    }
}

#[test]
fn a_lua_child_that_is_killed_while_it_waits_for_rows() {
    let place = Place::new();
    let mut running =
        place.sql(format!("FROM stdin |> {LUA} |> AGGREGATE count(*)")).held_input().start();
    running.write("one\n");
    running.wait_for_children(1);
    let child = running.lua_children()[0].id;
    kill_and_check(running, child, "MAP LUA");
}

#[test]
fn a_lua_child_that_is_killed_in_the_middle_of_a_chain() {
    let place = Place::new();
    let sql = format!("FROM stdin |> PIPE 'cat' |> {LUA} |> PIPE 'sort'");
    let mut running = place.sql(sql).held_input().start();
    running.write("one\n".repeat(10_000));
    wait_until("the Lua child", || !running.lua_children().is_empty());
    let child = running.lua_children()[0].id;
    kill_and_check(running, child, "MAP LUA");
}

/// The rows before it may have been printed; the end says that there are more.
#[test]
fn a_lua_child_that_is_killed_while_nobody_reads() {
    let place = big();
    let mut running = place.sql(format!("FROM 'big.log' |> {LUA}")).start();
    running.read_line();
    let children = running.lua_children();
    for child in &children {
        processes::signal(child.id, libc::SIGKILL);
    }
    let finished = running.finish(SOON);
    finished.code(1).says(&["MAP LUA failed: its child process was killed by signal 9 (SIGKILL)"]);
}

#[test]
fn a_shell_child_that_is_killed_while_it_works() {
    let place = big();
    let running = place.sql("FROM 'big.log' |> PIPE 'while :; do :; done'").start();
    let child = running.wait_for_children(1)[0].id;
    kill_and_check(running, child, "PIPE");
}

/// The command that the shell runs holds the pipes open after the shell has died.
#[test]
fn a_shell_child_that_is_killed_while_its_command_runs() {
    let place = Place::new();
    for code in ["cat", "cat | cat", "sleep 1000"] {
        let mut running = place.sql(format!("FROM stdin |> PIPE '{code}'")).held_input().start();
        running.write("one\n");
        let program = code.split(' ').next().expect("a word");
        running.wait_for_program(program);
        let child = running.children()[0].id;
        kill_and_check(running, child, "PIPE");
    }
}

#[test]
fn a_command_of_a_shell_child_that_is_killed() {
    let place = Place::new();
    for (code, victim) in [("cat", "cat"), ("sort | cat", "sort"), ("cat | sort", "cat")] {
        let mut running = place.sql(format!("FROM stdin |> PIPE '{code}'")).held_input().start();
        running.write("one\n");
        let victim = running.wait_for_program(victim);
        kill_and_check(running, victim.id, "PIPE");
    }
    // What stands before the victim in a pipeline learns of it when it writes, or has read all.
    let mut running = place.sql("FROM stdin |> PIPE 'sort | cat'").held_input().start();
    running.write("one\n");
    let victim = running.wait_for_program("cat");
    processes::signal(victim.id, libc::SIGKILL);
    running.close_input();
    running.finish(SOON).code(1).says(&["error: PIPE failed: ", "signal 9 (SIGKILL)"]);
}

/// Queries in the middle of which the whole program is ended.
fn busy() -> Vec<(String, &'static str)> {
    vec![
        (format!("FROM 'big.log' |> {ENDLESS}"), "gleam-sql"),
        (format!("FROM 'big.log' |> PIPE 'cat' |> {LUA}"), "cat"),
        ("FROM 'big.log' |> PIPE 'sleep 1000'".to_owned(), "sleep"),
        ("FROM 'big.log' |> PIPE 'cat > /dev/null; sleep 1000'".to_owned(), "sleep"),
        ("FROM 'big.log' |> PIPE 'cat > /dev/null | sleep 1000'".to_owned(), "sleep"),
        (
            "FROM 'big.log' |> PIPE $$trap '' TERM INT HUP; cat > /dev/null; sleep 1000$$"
                .to_owned(),
            "sleep",
        ),
    ]
}

#[test]
fn interrupted() {
    let place = big();
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        for (sql, program) in busy() {
            let running = place.sql(&sql).start();
            running.wait_for_children(1);
            running.wait_for_program(program);
            running.signal(signal);
            let sent = Instant::now();
            let finished = running.finish(SOON);
            finished.code(code);
            assert!(sent.elapsed() < Duration::from_secs(5), "{sql}: {:?}", sent.elapsed());
            assert!(!finished.stderr.contains("panicked"), "{}", finished.shown());
        }
    }
}

#[test]
fn interrupted_while_nobody_reads() {
    let place = big();
    for operators in ["", "|> PIPE 'yes'"] {
        let mut running = place.sql(format!("FROM 'big.log' {operators}")).start();
        running.read_line();
        running.signal(libc::SIGINT);
        running.finish(SOON).code(130);
    }
}

#[test]
fn interrupted_while_it_waits_for_standard_input() {
    let place = Place::new();
    for sql in ["FROM stdin", "FROM stdin |> PIPE 'cat'"] {
        let mut running = place.sql(sql).held_input().start();
        running.write("one\n");
        running.read_line();
        running.signal(libc::SIGINT);
        running.finish(SOON).code(130);
    }
    // And while it waits for the SQL itself.
    let running = place.gleam().held_input().start();
    wait_until("it has started", || running_catches_sigint(&running));
    running.signal(libc::SIGINT);
    running.finish(SOON).code(130);
}

fn running_catches_sigint(running: &Running) -> bool {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    let caught = u64::from_str_radix(caught.trim(), 16).unwrap_or_default();
    caught & (1 << (libc::SIGINT - 1)) != 0
}

/// Children and their children, with nobody left to end them but the kernel.
#[test]
fn killed() {
    let place = big();
    for (sql, program) in busy() {
        let running = place.sql(&sql).start();
        running.wait_for_children(1);
        running.wait_for_program(program);
        running.signal(libc::SIGKILL);
        let finished = running.finish(SOON);
        assert_eq!(finished.signal, Some(libc::SIGKILL), "{sql}");
    }
}

#[test]
fn killed_a_moment_after_the_start() {
    let place = big();
    for _ in 0..10 {
        let running =
            place.sql(format!("FROM 'big.log' |> PIPE 'cat' |> {LUA} |> PIPE 'cat'")).start();
        running.wait_for_children(1);
        running.signal(libc::SIGKILL);
        let finished = running.finish(SOON);
        assert_eq!(finished.signal, Some(libc::SIGKILL));
    }
}

#[test]
fn the_environment_is_cleared() {
    let place = Place::with("x", "a\n");
    let finished = place
        .sql("FROM 'x' |> PIPE 'cat > /dev/null; env -0 | tr \"\\0\" \"\\n\"'")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2")
        .env("LD_PRELOAD_NOT", "hunter2")
        .env("BASH_ENV", "/nonexistent/hunter2")
        .env("BASH_FUNC_cat%%", "() { echo hunter2; }")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "Pacific/Auckland")
        .env("HOME", "/home/of somebody")
        .run();
    finished.success();
    let variables = finished.rows();
    let has = |variable: &str| variables.contains(&variable);
    assert!(has("LC_ALL=C.UTF-8") && has("TZ=Pacific/Auckland"), "{variables:?}");
    assert!(has("HOME=/home/of somebody"), "{variables:?}");
    let path = format!("PATH={}", std::env::var("PATH").expect("the test has a PATH"));
    assert!(has(&path), "{variables:?}");
    assert!(!finished.text().contains("hunter2"), "{variables:?}");
    for name in ["AWS_SECRET_ACCESS_KEY", "LD_PRELOAD_NOT", "BASH_ENV"] {
        assert!(!variables.iter().any(|variable| variable.starts_with(name)), "{variables:?}");
    }
}

#[test]
fn a_path_without_bash_and_no_path_at_all() {
    let place = Place::with("x", "a\n");
    let sql = "FROM 'x' |> PIPE 'cat'";
    let finished = place.sql(sql).env("PATH", "/nonexistent").run();
    finished.code(1).says(&["PIPE failed: cannot start `bash`", "^^^^", "help: PIPE needs bash"]);
    // Lua needs no path.
    let finished = place.sql(format!("FROM 'x' |> {LUA}")).env("PATH", "/nonexistent").run();
    finished.success();
}

#[test]
fn the_environment_of_a_lua_child_is_cleared_too() {
    let place = big();
    let running =
        place.sql(format!("FROM 'big.log' |> {ENDLESS}")).env("SECRET", "hunter2").start();
    running.wait_for_children(1);
    let environment = |id: u32| std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    let child = running.lua_children()[0].id;
    wait_until("its environment", || !environment(child).is_empty());
    let seen = String::from_utf8_lossy(&environment(child)).into_owned();
    assert!(seen.contains("PATH=") && !seen.contains("hunter2"), "{seen}");
}

/// A child sees its three streams and nothing of what its parent has open.
#[test]
fn descriptors_are_closed() {
    let place = big();
    let check_open = |id: u32, allowed: usize| {
        let open = std::fs::read_dir(format!("/proc/{id}/fd")).expect("it lives");
        let open: Vec<_> = open
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .map(|target| target.display().to_string())
            .collect();
        assert!(!open.iter().any(|target| target.contains("big.log")), "{open:?}");
        // A program may have opened files of its own meanwhile.
        let nameless = open.iter().filter(|target| !target.starts_with('/')).count();
        assert!(nameless <= allowed, "{open:?}");
    };
    let running = place.sql(format!("FROM 'big.log' |> {ENDLESS}")).start();
    running.wait_for_children(1);
    let child = running.lua_children()[0].id;
    wait_until("it runs", || processes::peak_memory_bytes(child) > 0);
    check_open(child, 3);
    drop(running);
    // The shell has one more, on which it reports how its commands ended.
    let running = place.sql("FROM 'big.log' |> PIPE 'sleep 1000'").start();
    let sleep = running.wait_for_program("sleep");
    check_open(sleep.id, 4);
}

#[test]
fn signals_of_children_are_as_usual() {
    let place = Place::with("x", "a\n");
    // Rust ignores SIGPIPE; a child must not inherit that, or `yes | head` would write errors.
    check(
        &place,
        "FROM 'x' |> PIPE $$yes | head -1; echo ${PIPESTATUS[0]}$$",
        &["y".to_owned(), (128 + libc::SIGPIPE).to_string()],
    );
    let finished =
        place.sql("FROM 'x' |> PIPE 'grep -E \"^Sig(Ign|Blk)\" /proc/self/status'").run();
    finished.success();
    for row in finished.rows() {
        let mask = row.split_ascii_whitespace().last().expect("a mask");
        // Signals from 32 on belong to the C library and to whoever started the tests.
        let mask = u64::from_str_radix(mask, 16).expect("a hexadecimal mask");
        assert_eq!(mask & 0x7fff_ffff, 0, "{row}");
    }
}

#[test]
fn many_queries_in_a_row_leave_no_descriptors() {
    let place = Place::with("x", "a\n");
    let mut sql = String::new();
    for _ in 0..30 {
        sql.push_str(
            "FROM 'x' |> PIPE 'cat' |> MAP LUA 'function(line) return line end' AS (line);",
        );
    }
    sql.push_str("SELECT line FROM stdin");
    let mut running = place.sql(sql).held_input().start();
    for _ in 0..60 {
        assert_ne!(running.read_line(), "");
    }
    wait_until("no children", || running.children().is_empty());
    let open = std::fs::read_dir(format!("/proc/{}/fd", running.id())).expect("it lives").count();
    assert!(open < 40, "{open} descriptors are open");
    running.close_input();
    running.finish(SOON).success();
}
