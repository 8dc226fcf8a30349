//! The interactive prompt, at a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::{AccessLog, Place, Terminal, processes, wait_until};

/// The prompt is to come back within 300 ms; a busy machine takes longer.
const CTRL_C_LIMIT: Duration = Duration::from_secs(3);

fn start(place: &Place) -> Terminal {
    Terminal::start(place, 60, &[])
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "lacks `{part}`:\n{text}");
    }
}

#[test]
fn statements_and_the_end() {
    let place = Place::with("x", "a\nb\n");
    let mut terminal = start(&place);
    contains(&terminal.text(), &["gleam-sql", "\\?"]);
    let answer = terminal.enter("SELECT count(*) AS n FROM 'x';");
    contains(&answer, &["│ n │", "│ 2 │", "(1 row, ", ", 4 B scanned)"]);
    contains(&terminal.enter("SELECT 1, 'a';"), &["│ 1 │ 'a' │"]);
    contains(&terminal.enter("SET gleam.operator_timeout = '5s';"), &["done"]);
    contains(&terminal.enter("SHOW gleam.operator_timeout;"), &["5s"]);
    let answer = terminal.enter("SELECT 1 AS a; SELECT 2 AS b;");
    contains(&answer, &["│ a │", "│ b │"]);
    terminal.types("\x04");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn words_that_people_try_first() {
    for word in ["exit", "quit;", "\\q"] {
        let mut terminal = start(&Place::new());
        terminal.types(&format!("{word}\r"));
        assert_eq!(terminal.ends().code(), Some(0), "{word}");
    }
    let mut terminal = start(&Place::new());
    contains(&terminal.enter("help"), &["\\pset", "\\chart"]);
}

#[test]
fn enter_goes_on_until_the_semicolon() {
    let place = Place::with("x", "a;b\n");
    let mut terminal = start(&place);
    terminal.types("FROM 'x'\r");
    terminal.types("|> MAP LUA $$ function(line) return line .. ';' end $$ AS (l)\r");
    let answer = terminal.answers(";\r");
    contains(&answer, &["│ a;b; │", "(1 row, "]);
}

#[test]
fn many_lines_are_pasted_at_once() {
    let place = Place::with("x", "a\nb\nc\n");
    let mut terminal = start(&place);
    terminal.pastes("FROM 'x'\n|> WHERE line <> 'b'\n\n|> ORDER BY line DESC;\nSELECT 7 AS n;");
    terminal.shows("SELECT 7 AS n;");
    assert!(!terminal.text().contains('│'), "nothing runs before Enter\n{}", terminal.text());
    let answer = terminal.answers("\r");
    contains(&answer, &["│ x    │       3 │ c    │", "│ 7 │"]);
    let answer = terminal.answers("\x1b[A\r");
    contains(&answer, &["│ 7 │"]);
}

#[test]
fn ctrl_c_ends_a_query_and_its_children() {
    let place = Place::with("x", "a\n");
    let mut terminal = start(&place);
    for query in [
        "FROM 'x' |> PIPE 'sleep 1000';",
        "FROM 'x' |> MAP LUA 'function(line) while true do end end' AS (l);",
        "FROM 'x' |> PIPE 'trap \"\" INT TERM; sleep 1000 & sleep 1000';",
        "SELECT count(*) FROM generate_series(1, 100000000000);",
    ] {
        let has_children = query.contains("'x'");
        terminal.types(query);
        terminal.shows(&query[query.len() - 12..]);
        terminal.types("\r");
        // Until then Ctrl-C is a key of the editor, and not a signal.
        wait_until("the end of the entry", terminal.attributes());
        if has_children {
            wait_until("a child", || !terminal.children().is_empty());
        }
        let pressed = Instant::now();
        let answer = terminal.answers("\x03");
        let took = pressed.elapsed();
        contains(&answer, &["cancelled"]);
        wait_until("the death of the children", || terminal.children().is_empty());
        assert!(took < CTRL_C_LIMIT, "{query}: the prompt took {took:?}");
        println!("{query}: the prompt was back after {took:?}");
    }
    contains(&terminal.enter("SELECT 1 AS still;"), &["│ still │"]);
    terminal.types("\x04");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn ctrl_c_takes_the_progress_away() {
    let place = Place::with("x", "a\n".repeat(100));
    let mut terminal = start(&place);
    terminal.types("FROM 'x' |> PIPE 'sleep 1000';\r");
    terminal.shows("1 child");
    terminal.answers("\x03");
    let text = terminal.text();
    assert!(!text.contains("1 child"), "{text}");
    contains(&text, &["cancelled"]);
}

#[test]
fn ctrl_c_clears_the_line() {
    let mut terminal = start(&Place::new());
    terminal.types("SELECT\r1 +");
    terminal.shows("1 +");
    terminal.answers("\x03");
    contains(&terminal.enter("SELECT 2 AS n;"), &["│ 2 │"]);
}

#[test]
fn paths_and_columns_are_completed() {
    let place = Place::with("logs/access.csv", "status,bytes\n200,7\n404,0\n");
    place.write("logs/it's.log", "x\n");
    place.write("other.txt", "x\n");
    let mut terminal = start(&place);
    terminal.types("FROM 'lo\t");
    terminal.shows("FROM 'logs/");
    terminal.types("acc\t");
    terminal.shows("FROM 'logs/access.csv'");
    terminal.types(" |> wh\t");
    terminal.shows("|> where");
    terminal.types(" sta\t");
    terminal.shows("where status");
    terminal.types(" >= 400 |> AGG\t");
    terminal.shows("|> AGGREGATE");
    let answer = terminal.answers(" sum(by\t) AS n;\r");
    contains(&answer, &["sum(bytes)", "│ 0 │"]);
    // Twice, because there are several.
    terminal.types("FROM 'logs/access.csv' |> WHERE bytes = \t\t");
    terminal.types("s\t");
    terminal.shows("WHERE bytes = status");
    assert!(!terminal.text().contains("BETWEEN"), "{}", terminal.text());
    terminal.answers("\x03");
    terminal.types("FROM 'logs/it\t");
    terminal.shows("'logs/it''s.log'");
    terminal.answers("\x03");
    terminal.types("SET gleam.lua\t");
    terminal.shows("SET gleam.lua_memory_mib");
    terminal.answers("\x03");
    terminal.types("\\ch\t");
    terminal.shows("\\chart");
    terminal.answers("\x03");
    terminal.enter("CREATE VIEW visits AS SELECT 1 AS visitor;");
    contains(&terminal.answers("SELECT visi\t\x03"), &["SELECT visi"]);
    terminal.types("FROM vis\t |> SELECT vis\t");
    terminal.shows("FROM visits |> SELECT visitor");
}

#[test]
fn a_log_gives_no_orders_to_the_terminal() {
    let place = Place::with("evil.log", "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u{9b}5m\r\u{202e}x\n");
    place.write("\x1b[2J.log", "x\n");
    let mut terminal = start(&place);
    for command in ["", "\\x", "\\pset format markdown"] {
        if !command.is_empty() {
            terminal.enter(command);
        }
        let answer = terminal.enter("SELECT line FROM 'evil.log';");
        contains(&answer, &["\\x1b]0;owned", "[31mred"]);
    }
    terminal.enter("\\pset format table");
    contains(&terminal.enter("SELECT 1 AS n, line FROM 'evil.log';"), &["\\x1b]0;owned"]);
    contains(&terminal.enter("\\chart"), &["\\x1b]0;owned"]);
    terminal.enter("FROM 'evil.log' |> MAP LUA 'function(line) error(line) end' AS (n);");
    terminal.types("FROM '\t\t");
    terminal.shows("evil.log");
    let bytes = terminal.bytes();
    for order in ["\x1b]0;", "\x1b[2J", "\x1b[31m", "\u{9b}"] {
        let found = bytes.windows(order.len()).any(|part| part == order.as_bytes());
        assert!(!found, "{order:?} came to the terminal");
    }
}

#[test]
fn mistakes_are_pointed_at() {
    let place = Place::with("x", "a\n");
    let mut terminal = start(&place);
    let answer = terminal.enter("FROM 'x' |> WHERE lin = 'a';");
    contains(&answer, &["error: ", "line 1, column 19", "^^^", "help: did you mean `line`?"]);
    let answer = terminal.enter("\\chrat");
    contains(&answer, &["error: there is no command \\chrat", "did you mean \\chart?"]);
    contains(&terminal.enter("\\chart"), &["error: there is no result yet"]);
    contains(&terminal.enter("\\pset fromat csv"), &["did you mean format?"]);
}

#[test]
fn colours_where_they_are_wanted() {
    let place = Place::with("x", "a\n");
    let mut terminal = Terminal::start(&place, 60, &[("NO_COLOR", "")]);
    terminal.enter("FROM 'x' |> WHERE lin = 'a';");
    let has = |terminal: &Terminal, colour: &str| {
        terminal.bytes().windows(colour.len()).any(|part| part == colour.as_bytes())
    };
    assert!(has(&terminal, "\x1b[1;34mFROM\x1b[0m"));
    assert!(has(&terminal, "\x1b[1;31merror:\x1b[0m"));
    let mut plain = start(&place);
    plain.enter("FROM 'x' |> WHERE lin = 'a';");
    assert!(!has(&plain, "\x1b[1;"), "NO_COLOR stands");
    let mut dumb = Terminal::start(&place, 60, &[("TERM", "dumb"), ("NO_COLOR", "")]);
    contains(&dumb.enter("SELECT 5 AS n;"), &["│ 5 │"]);
    assert!(!has(&dumb, "\x1b"), "a dumb terminal understands no escapes");
}

#[test]
fn long_results_stop_and_the_query_ends() {
    let lines: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    let place = Place::with("x", lines);
    let mut terminal = start(&place);
    let answer = terminal.enter("FROM 'x' |> PIPE 'cat; sleep 1000';");
    contains(&answer, &["│ 40   │", "… more rows", "(40 rows shown"]);
    assert!(!answer.contains("│ 41"), "{answer}");
    wait_until("the end of the children", || terminal.children().is_empty());
    let answer = terminal.enter("SELECT * FROM generate_series(1, 43);");
    contains(&answer, &["│    40 │", "… 3 more rows", "(40 rows shown"]);
    terminal.enter("\\pset limit 2");
    contains(&terminal.enter("SELECT * FROM generate_series(1, 3);"), &["… 1 more row", "(2 rows"]);
    terminal.enter("\\pset limit 0");
    contains(
        &terminal.enter("SELECT * FROM generate_series(1, 43);"),
        &["│    43 │", "(43 rows, "],
    );
}

#[test]
fn a_pager_takes_what_is_taller_than_the_screen() {
    let mut terminal =
        Terminal::start(&Place::new(), 20, &[("PAGER", "sed -n '/ 30 /s/^/paged /p'")]);
    let answer = terminal.enter("SELECT * FROM generate_series(1, 35);");
    contains(&answer, &["paged │    30 │", "(35 rows, "]);
    assert!(!answer.contains("│    31 │"), "{answer}");
    let answer = terminal.enter("SELECT * FROM generate_series(1, 5);");
    contains(&answer, &["│     5 │"]);
    terminal.enter("\\pset pager off");
    contains(&terminal.enter("SELECT * FROM generate_series(1, 35);"), &["│    31 │"]);
}

#[test]
fn time_in_the_pager_is_not_time_of_the_query() {
    let mut terminal = Terminal::start(&Place::new(), 20, &[("PAGER", "sleep 3; cat >seen")]);
    let answer = terminal.enter("SELECT * FROM generate_series(1, 35);");
    contains(&answer, &["(35 rows, "]);
    let told = answer.split("(35 rows, ").nth(1).and_then(|told| told.split(')').next());
    let seconds: f64 = match told.and_then(|told| told.split_once(' ')) {
        Some((millis, "ms")) => millis.parse::<f64>().unwrap() / 1000.0,
        Some((seconds, "s")) => seconds.parse().unwrap(),
        _ => panic!("{answer}"),
    };
    assert!(seconds < 3.0, "{answer}");
}

#[test]
fn commands_of_the_shell() {
    let mut terminal = start(&Place::new());
    contains(&terminal.enter("\\! if true; then echo $((6 * 7)); fi"), &["42"]);
    contains(&terminal.enter("\\!exit 3"), &["ended with exit status: 3"]);
    contains(&terminal.enter("SELECT 1 AS still;"), &["│ still │"]);
}

#[test]
fn how_results_are_shown() {
    let mut terminal = start(&Place::new());
    let answer = terminal.enter("SELECT NULL AS a, '' AS b, 12 AS c;");
    contains(&answer, &["│ ∅ │   │ 12 │"]);
    terminal.enter("\\pset null (none)");
    contains(&terminal.enter("SELECT NULL AS a;"), &["│ (none) │"]);
    contains(&terminal.enter("\\x"), &["records"]);
    contains(&terminal.enter("SELECT 1 AS a, 2 AS bc;"), &["─[ record 1 ]─", "a  │ 1", "bc │ 2"]);
    contains(&terminal.enter("\\x off"), &["tables"]);
    contains(&terminal.enter("\\timing"), &["not told"]);
    contains(&terminal.enter("SELECT 1 AS a;"), &["(1 row)"]);
    let wide = format!("SELECT '{}' AS w;", "w".repeat(150));
    contains(&terminal.enter(&wide), &["www…", "(1 row)"]);
    contains(&terminal.enter("\\pset"), &["format table", "null   (none)", "limit  40 rows"]);
}

#[test]
fn tables_files_and_functions_are_described() {
    let place = Place::with("access.csv", "status,size\n200,1.5\n");
    place.write("logs/a.log", "x\n");
    place.write("logs/b.log.gz", "x\n");
    let mut terminal = start(&place);
    contains(&terminal.enter("\\d"), &["no tables and views yet"]);
    terminal.enter("CREATE VIEW errors AS SELECT 1 AS code, 'x' AS reason;");
    contains(&terminal.enter("\\d"), &["errors", "view"]);
    contains(&terminal.enter("\\d errors"), &["│ code   │ BIGINT │", "│ reason │ TEXT   │"]);
    let answer = terminal.enter("\\d 'access.csv'");
    contains(&answer, &["access.csv: csv, 1 file", "│ status │ BIGINT │", "│ size   │ DOUBLE │"]);
    let answer = terminal.enter("\\d 'logs/*'");
    contains(&answer, &["logs/*: text, 2 files", "│ line_no │ BIGINT │"]);
    contains(&terminal.enter("\\d erors"), &["error: ", "did you mean errors?"]);
    contains(&terminal.enter("\\d 'nosuch'"), &["error: ", "nosuch"]);
    contains(&terminal.enter("\\df starts_"), &["starts_with"]);
    contains(&terminal.enter("\\l"), &["datafusion", "public"]);
    contains(&terminal.enter("\\agents"), &["--local-agents"]);
}

#[test]
fn results_go_to_files_and_scripts_come_from_them() {
    let place = Place::with("two.sql", "SELECT 1 AS one;\nSELECT lin FROM 'x';");
    place.write("x", "a\n");
    let mut terminal = start(&place);
    let answer = terminal.enter("\\i two.sql");
    contains(&answer, &["│ one │", "two.sql:2:8", "^^^"]);
    terminal.enter("\\pset format csv");
    terminal.enter("\\o out.csv");
    terminal.enter("SELECT * FROM generate_series(1, 50);");
    contains(&terminal.enter("\\o"), &["out.csv"]);
    let written = fs::read_to_string(place.path("out.csv")).unwrap();
    assert_eq!(written.lines().count(), 51, "{written}");
    contains(&terminal.enter("\\i nosuch.sql"), &["error: cannot read nosuch.sql"]);
    contains(&terminal.enter("\\o |cat"), &["error: \\o writes to a file", "|> PIPE"]);
    assert!(!place.path("|cat").exists());
}

#[test]
fn charts_and_plans_of_the_last_query() {
    let place = Place::with("access.log", AccessLog::new(300).text());
    let mut terminal = start(&place);
    terminal.enter(
        "FROM 'access.log' |> PIPE 'cut -d\" \" -f9' |> AGGREGATE count(*) AS n GROUP BY line |> ORDER BY line;",
    );
    contains(&terminal.enter("\\chart"), &["n\n", "200 │██████", "404 │█"]);
    contains(&terminal.enter("\\chart line"), &["┤", "200", "500"]);
    contains(&terminal.enter("\\chart hist"), &["rows by n", " … "]);
    contains(&terminal.enter("\\dag"), &["physical plan", "PipeExec"]);
    contains(&terminal.enter("\\chart pie"), &["charts are bar, line, hist"]);
    terminal.enter("SELECT 'text' AS t;");
    contains(&terminal.enter("\\chart"), &["no column of numbers"]);
}

#[test]
fn a_query_is_watched_until_ctrl_c() {
    let mut terminal = start(&Place::new());
    contains(&terminal.enter("\\watch"), &["there is no query yet"]);
    terminal.enter("SELECT 3 AS n;");
    terminal.types("\\watch 0.05\r");
    terminal.shows("run 3;");
    contains(&terminal.answers("\x03"), &["cancelled", "│ 3 │"]);
    contains(&terminal.enter("\\pset pager"), &["pager  on"]);
}

#[test]
fn an_editor_gives_the_next_entry() {
    let mut terminal = Terminal::start(&Place::new(), 60, &[("EDITOR", "sed -i s/3/4/")]);
    terminal.enter("SELECT 3 AS n;");
    terminal.types("\\e\r");
    terminal.shows("SELECT 4 AS n;");
    contains(&terminal.answers("\r"), &["│ 4 │"]);
}

#[test]
fn the_history_is_kept_for_its_owner() {
    let place = Place::new();
    let mut terminal = start(&place);
    terminal.enter("SELECT 41 AS n;");
    terminal.enter(" SELECT 42 AS secret;");
    terminal.types("\x04");
    terminal.ends();
    let path = place.path("state/gleam-sql/history");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept.contains("SELECT 41") && !kept.contains("secret"), "{kept}");
    let mut again = start(&place);
    again.types("\x1241 AS");
    again.shows("SELECT 41 AS n;");
    contains(&again.answers("\r"), &["│ 41 │"]);
}

#[test]
fn ctrl_c_reaches_agents() {
    let place = Place::new();
    for name in ["a.log", "b.log"] {
        place.write(name, AccessLog::new(100).text());
    }
    let mut terminal = Terminal::start_with(&place, 60, &[], &["--local-agents", "2"]);
    contains(&terminal.enter("\\agents"), &["version", "slots", "127.0.0.1:"]);
    terminal.enter("SET gleam.min_task_bytes = 1;");
    terminal.enter("SET datafusion.optimizer.repartition_file_min_size = 1;");
    let seconds = format!("1{}", std::process::id());
    let query = format!("FROM '*.log' |> PIPE 'sleep {seconds}';");
    contains(&terminal.enter(&format!("EXPLAIN {query}")), &["stage 1: 2 tasks"]);
    terminal.types(&query);
    terminal.shows(&query);
    terminal.types("\r");
    let sleeping = || processes::with_argument(&seconds);
    wait_until("children of agents", || !sleeping().is_empty());
    contains(&terminal.answers("\x03"), &["cancelled"]);
    wait_until("the end of the agents' children", || sleeping().is_empty());
    contains(&terminal.enter("SELECT count(*) AS n FROM '*.log';"), &["│ 200 │"]);
    terminal.types("\x04");
    assert_eq!(terminal.ends().code(), Some(0));
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let terminal = start(&Place::new());
    processes::signal(terminal.id(), libc::SIGTERM);
    let is_canonical = terminal.attributes();
    assert_eq!(terminal.ends().code(), Some(143));
    assert!(is_canonical(), "lines are edited by the terminal again");
}
