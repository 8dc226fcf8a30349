//! Lua and shell code that means no good, or was typed by someone in a hurry.

use std::time::Duration;

use crate::support::{AccessLog, Place, check, fails, heavy};

const SOON: Duration = Duration::from_secs(30);

fn one_line() -> Place {
    Place::with("x", "a\n")
}

#[test]
fn shell_code_that_does_not_parse() {
    let place = one_line();
    let failing = |code: &str| {
        let sql = format!("FROM 'x' |> PIPE $${code}$$");
        fails(
            &place,
            &sql,
            1,
            &["PIPE failed: `", "exited with status 2", "^^^^", "it wrote to stderr"],
        );
    };
    failing("echo 'unfinished");
    failing("echo \"unfinished");
    failing("}");
    failing(")");
    failing("fi");
    failing("cat |");
    failing("if true; then cat");
    failing("cat << | x");
    failing("(cat");
    failing("echo `cat");
    failing("cat )' EXIT; (");
}

/// Several codes become one pipeline: what one of them does to its quotes stays in it.
#[test]
fn code_stays_in_its_own_shell() {
    let place = one_line();
    check(&place, "FROM 'x' |> PIPE $$cat # $$ |> PIPE $$sed s/a/b/$$", &["b"]);
    check(&place, "FROM 'x' |> PIPE $$cat; exit$$ |> PIPE $$cat; echo b$$", &["a", "b"]);
    check(&place, "FROM 'x' |> PIPE $$cd /; cat$$ |> PIPE $$ls x | cat$$", &["x"]);
    check(&place, "FROM 'x' |> PIPE $$a=1; cat$$ |> PIPE $$cat; echo \"<$a>\"$$", &["a", "<>"]);
    check(&place, "FROM 'x' |> PIPE $$exec cat$$ |> PIPE $$exec cat$$", &["a"]);
    fails(&place, "FROM 'x' |> PIPE 'echo \"' |> PIPE 'echo \"'", 1, &["status 2"]);
    fails(&place, "FROM 'x' |> PIPE '(cat' |> PIPE 'cat)'", 1, &["status 2"]);
    fails(
        &place,
        "FROM 'x' |> PIPE 'cat; exit 3' |> PIPE 'cat'",
        1,
        &["`cat; exit 3` exited with status 3"],
    );
}

#[test]
fn here_documents() {
    let place = one_line();
    check(&place, "FROM 'x' |> PIPE $$cat - <(cat <<EOF\nb\nEOF\n)$$", &["a", "b"]);
    check(&place, "FROM 'x' |> PIPE $$cat; cat <<EOF\nb'c\nEOF$$", &["a", "b'c"]);
    check(&place, "FROM 'x' |> PIPE $$cat <<< \"it's\"$$", &["it's"]);
    check(&place, "FROM 'x' |> PIPE $$cat <<'EOF'\n$HOME\nEOF$$ |> PIPE 'cat'", &["$HOME"]);
}

#[test]
fn quotes_semicolons_and_dollars_reach_the_program() {
    let place = Place::with("x", "it's; a $x \"y\" \\n %d\n");
    let line = "it's; a $x \"y\" \\n %d";
    let check_raw = |sql: &str| {
        let finished = place.sql(sql).format("tsv").run();
        finished.success();
        assert_eq!(finished.rows(), [line.replace('\\', "\\\\")], "{sql}");
    };
    check_raw("FROM 'x' |> PIPE 'cat'");
    check_raw("FROM 'x' |> PIPE 'grep \"it''s;\"'");
    check_raw("FROM 'x' |> PIPE $$grep \"it's; a\"$$");
    check_raw("FROM 'x' |> PIPE $q$grep 'a [$]x'$q$");
    check_raw(
        "FROM 'x' |> FILTER LUA $$function(line) return line:find(\"it's; a $x\", 1, true); end$$ |> SELECT line",
    );
    check_raw("FROM 'x' |> WHERE line LIKE 'it''s; a%' |> SELECT line");
    check_raw("SELECT line FROM 'x' PIPE $$cat; # ; '$$ -- it's; not over\n;");
    check(&place, "SELECT 'a;b', 'c''d', $$e'f;g$$", &["a;b,c'd,e'f;g"]);
}

/// bash ends, but what it left in the background holds the pipe of the output.
#[test]
fn background_processes_do_not_hold_a_query() {
    let place = one_line();
    for code in [
        "cat; sleep 1000 &",
        "sleep 1000 & cat",
        "(sleep 1000; echo late) & cat",
        "nohup sleep 1000 & cat",
    ] {
        let sql = format!("SET gleam.operator_timeout = '2s'; FROM 'x' |> PIPE '{code}'");
        let finished = place.sql(sql).start().finish(SOON);
        match finished.code {
            Some(0) => assert_eq!(finished.rows(), ["a"], "{code}"),
            _ => drop(finished.code(1).says(&["error: PIPE failed: "])),
        }
    }
    // With its output elsewhere it holds nothing.
    check(&place, "FROM 'x' |> PIPE 'sleep 1000 > /dev/null 2>&1 & cat'", &["a"]);
}

#[test]
fn ten_megabytes_on_stderr() {
    let place = one_line();
    check(&place, "FROM 'x' |> PIPE 'cat; head -c 10000000 /dev/zero >&2'", &["a"]);
    check(&place, "FROM 'x' |> PIPE 'yes | head -c 10000000 >&2; cat'", &["a"]);
    let finished =
        fails(&place, "FROM 'x' |> PIPE 'yes | head -c 10000000 >&2; exit 3'", 1, &["status 3"]);
    assert!(finished.stderr.len() < 30_000, "{}", finished.stderr.len());
    // While the output flows, too.
    let big = Place::with("big.log", AccessLog::new(3000).text().repeat(5));
    check(
        &big,
        "FROM 'big.log' |> PIPE 'while read -r line; do echo \"$line\"; echo \"$line\" >&2; done'
         |> AGGREGATE count(*)",
        &[15_000],
    );
}

#[test]
fn children_that_do_not_read() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    for (code, output) in [
        ("true", None),
        ("exec <&-; echo done", Some("done")),
        ("echo done", Some("done")),
        ("exec 0</dev/null; cat; echo done", Some("done")),
        ("head -c 10 > /dev/null; echo done", Some("done")),
    ] {
        let finished = place.sql(format!("FROM 'big.log' |> PIPE '{code}'")).start().finish(SOON);
        finished.success();
        let rows = finished.rows();
        match output {
            None => assert!(rows.is_empty(), "{rows:?}"),
            // One a task.
            Some(line) => {
                assert!(!rows.is_empty() && rows.iter().all(|row| *row == line), "{rows:?}")
            }
        }
    }
}

#[test]
fn a_child_that_closes_its_output_and_works_on() {
    let place = one_line();
    let sql = "SET gleam.operator_timeout = '2s'; FROM 'x' |> PIPE 'cat; exec >&-; sleep 1000'";
    let finished = place.sql(sql).start().finish(SOON);
    finished.code(1).says(&["PIPE failed: no progress"]);
    // What it exits with in the end counts.
    fails(&place, "FROM 'x' |> PIPE 'cat; exec >&-; exit 6'", 1, &["exited with status 6"]);
}

#[test]
fn output_without_a_newline_at_the_end() {
    let place = Place::with("x", "a\nb\n");
    check(&place, "FROM 'x' |> PIPE 'printf c'", &["c"]);
    check(&place, "FROM 'x' |> PIPE 'cat; printf c'", &["a", "b", "c"]);
    check(&place, "FROM 'x' |> PIPE 'printf \"c\\n\\n\"'", &["c", "\"\""]);
    check(&place, "FROM 'x' |> PIPE 'cat > /dev/null'", &[] as &[&str]);
    check(&place, "FROM 'x' |> PIPE 'printf c' |> PIPE 'cat; printf d'", &["cd"]);
    check(&place, "FROM 'x' |> PIPE 'printf \"1\\t2\"' AS (a INT, b INT)", &["1,2"]);
    check(&place, "FROM 'x' |> PIPE 'printf \"a\\r\\nb\"' |> SELECT length(line)", &[2, 1]);
}

#[test]
fn a_huge_line_from_a_child() {
    let _alone = heavy();
    let place = one_line();
    check(
        &place,
        "FROM 'x' |> PIPE 'head -c 30000000 /dev/zero | tr \"\\0\" y; echo; echo z' |> SELECT length(line)",
        &[30_000_000, 1],
    );
    check(
        &place,
        "FROM 'x' |> MAP LUA 'function(line) return (\"y\"):rep(30000000) end' AS (line)
         |> PIPE 'wc -c' AS (n BIGINT)",
        &[30_000_001],
    );
}

#[test]
fn returns_of_the_wrong_number_or_type() {
    let place = one_line();
    let failing = |body: &str, columns: &str, message: &[&str]| {
        let sql = format!("FROM 'x' |> MAP LUA $$function(line) {body} end$$ AS ({columns})");
        fails(&place, &sql, 1, message).says(&["MAP LUA failed", "at x:1"]);
    };
    failing("return 1, 2", "a", &["2 values", "1 column"]);
    failing("return 1, 2, 3", "a, b", &["3 values", "2 columns"]);
    failing("return line, nil", "a", &["2 values"]);
    failing("return line", "a BIGINT", &["\"a\" (string)", "column a BIGINT"]);
    failing("return 1.5", "a BIGINT", &["1.5", "column a BIGINT"]);
    failing("return 2^53 * 2^53", "a BIGINT", &["column a BIGINT"]);
    failing("return 0/0", "a BIGINT", &["nan", "column a BIGINT"]);
    failing("return 3e9", "a INT", &["column a INT"]);
    failing("return {}", "a", &["table", "column a TEXT"]);
    failing("return string", "a", &["table", "column a TEXT"]);
    failing("return function() end", "a", &["function", "column a TEXT"]);
    failing("return coroutine.create(function() end)", "a", &["thread", "column a TEXT"]);
    failing("return 1", "a BOOLEAN", &["column a BOOLEAN"]);
    failing("return 'yes'", "a DOUBLE", &["column a DOUBLE"]);
}

#[test]
fn text_that_lua_returns_must_be_utf8() {
    let place = one_line();
    let finished =
        place.sql("FROM 'x' |> MAP LUA 'function(line) return \"\\255\" end' AS (a)").run();
    // Replaced with a warning, or refused: never passed on, never silent.
    match finished.code {
        Some(0) => drop(finished.says(&["warning: ", "UTF-8"])),
        _ => drop(finished.code(1).says(&["error: MAP LUA failed", "UTF-8"])),
    }
}

#[test]
fn errors_that_are_no_strings() {
    let place = one_line();
    let failing = |body: &str, message: &[&str]| {
        let sql = format!("FROM 'x' |> MAP LUA $$function(line) {body} end$$ AS (a)");
        let finished = fails(&place, &sql, 1, &["error: MAP LUA failed: "]);
        finished.says(message).says(&["at x:1\n"]);
    };
    failing("error({})", &["table"]);
    failing("error(nil)", &["nil"]);
    failing("error()", &["nil"]);
    failing("error(42)", &["42"]);
    failing("error(true)", &["true"]);
    failing("error(function() end)", &["function"]);
    failing("error('')", &[]);
    failing("error(setmetatable({}, { __tostring = function() return 'my own' end }))", &[]);
    failing("error(setmetatable({}, { __tostring = function() error('twice') end }))", &[]);
    failing("error(setmetatable({}, { __tostring = function() return {} end }))", &[]);
    failing("error('two\\nlines')", &["two"]);
    failing("error('bell\\7 \\27[31m')", &["bell"]);
    failing("error('\\255')", &[]);
    failing("error(('x'):rep(1e6))", &["xxx"]);
    failing("coroutine.yield(1)", &[]);
    failing("assert(false)", &["assertion failed"]);
    failing("assert(nil, 'because')", &["because"]);
}

#[test]
fn messages_do_not_command_the_terminal() {
    let place = Place::with("x", "\x1b[31mred\x07\n");
    let finished = fails(
        &place,
        "FROM 'x' |> MAP LUA $$function(line) error('bell\\7\\27[2J' .. line) end$$ AS (a)",
        1,
        &[],
    );
    assert!(!finished.stderr.contains(['\x1b', '\x07']), "{:?}", finished.stderr);
    let name = "\x1b[31m.log";
    let finished = place.sql(format!("SELECT 1 FROM '{name}'")).run();
    finished.code(2);
    assert!(!finished.stderr.contains('\x1b'), "{:?}", finished.stderr);
}

#[test]
fn deep_recursion() {
    let place = one_line();
    let failing = |code: &str| {
        let sql =
            format!("SET gleam.operator_timeout = '5s'; FROM 'x' |> MAP LUA $${code}$$ AS (a)");
        let finished = place.sql(sql).start().finish(SOON);
        finished.code(1).says(&["error: MAP LUA failed: "]);
        finished
    };
    failing("local function f(n) return 1 + f(n + 1) end return function(line) return f(1) end")
        .says(&["stack overflow", "at x:1"]);
    failing(
        "function(line) local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 1] end return t.x end",
    );
    failing("function(line) return (line .. ('(a'):rep(40)):find((('('):rep(1000))) end");
    failing(
        "function(line) local function f() return pcall(f) end f() local function g() return g() end return g() end",
    );
    failing(
        "local function co() return coroutine.wrap(co)() end return function(line) return co() end",
    );
}

#[test]
fn lua_that_eats_memory() {
    let _alone = heavy();
    let place = one_line();
    for body in [
        "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end",
        "local s = 'x' while true do s = s .. s end",
        "return #('x'):rep(1.9e9)",
        "local t = {} for i = 1, 1e9 do t[i] = {} end",
        "local s = ('x'):rep(1e8) local t = {} for i = 1, 1e3 do t[i] = s .. i end return table.concat(t)",
    ] {
        let sql = format!(
            "SET gleam.lua_memory_mib = 512; SET gleam.operator_timeout = '20s';
             FROM 'x' |> MAP LUA $$function(line) {body} end$$ AS (a)"
        );
        let finished = place.sql(sql).start().finish(SOON);
        finished.code(1).says(&["error: MAP LUA failed: ", "memory"]);
    }
    // Rows that are emitted do not gather.
    check(
        &place,
        "SET gleam.lua_memory_mib = 512;
         FROM 'x' |> FLATMAP LUA $$function(line)
             local text = ('x'):rep(1000000) for i = 1, 1000 do emit(text) end end$$ AS (t)
         |> AGGREGATE sum(length(t))",
        &[1_000_000_000],
    );
}

#[test]
fn the_sandbox_has_no_way_out() {
    let place = one_line();
    let absent = |expression: &str| {
        let sql =
            format!("FROM 'x' |> MAP LUA $$function(line) return type({expression}) end$$ AS (a)");
        check(&place, &sql, &["nil"]);
    };
    for name in [
        "io",
        "os",
        "require",
        "package",
        "module",
        "load",
        "loadstring",
        "loadfile",
        "dofile",
        "debug",
        "ffi",
        "jit",
        "string.dump",
        "setfenv",
        "getfenv",
        "collectgarbage",
        "newproxy",
        "print",
        "gcinfo",
        "_G.io",
        "_G._G.os",
        "(getmetatable('')).__gc",
        "string.buffer",
        "coroutine.running and nil",
        "table.new",
    ] {
        absent(name);
    }
    let failing = |body: &str| {
        let sql = format!("FROM 'x' |> MAP LUA $$function(line) {body} end$$ AS (a)");
        fails(&place, &sql, 1, &["error: MAP LUA failed: "]);
    };
    failing("return io.open('/etc/passwd'):read('*a')");
    failing("return os.execute('touch made')");
    failing("return os.getenv('PATH')");
    failing("return require('ffi')");
    failing("return require('os').time()");
    failing("return load('return 1')()");
    failing("return loadstring('return 1')()");
    failing("return string.dump(function() end)");
    failing("return ('').dump(function() end)");
    failing("return debug.getregistry()");
    failing("return getmetatable('').__index.dump(print)");
    failing("local mt = getmetatable('') mt.__index = {} return 1");
    failing("setmetatable('', {}) return 1");
    assert!(!place.path("made").exists());
}

/// A function is given nothing of the host's, neither as values nor through errors and iterators.
#[test]
fn the_host_is_out_of_reach() {
    let place = one_line();
    check(
        &place,
        "FROM 'x' |> MAP LUA $$function(line)
           local seen, odd = {}, {}
           local function look(value, path)
             local kind = type(value)
             if kind == 'cdata' or kind == 'userdata' or kind == 'thread' then odd[#odd + 1] = path .. ':' .. kind end
             if kind ~= 'table' or seen[value] then return end
             seen[value] = true
             for key, inner in pairs(value) do look(inner, path .. '.' .. tostring(key)) end
             local mt = getmetatable(value)
             if type(mt) == 'table' then look(mt, path .. '.mt') end
           end
           look(_G, '_G')
           return table.concat(odd, ' ')
         end$$ AS (a) |> SELECT '<' || a || '>'",
        &["<>"],
    );
    // A big integer is a number to compute with, and no pointer to write through.
    let sql = "SELECT 9007199254740993 AS big
               |> MAP LUA $$function(big) big[0] = 1 return 1 end$$ AS (a)";
    fails(&place, sql, 1, &["error: MAP LUA failed: "]);
}

/// What the user does to the tables of the library must not reach the loop around the function.
#[test]
fn a_broken_library_breaks_only_its_owner() {
    let place = Place::with("x", "a\nb\n");
    for breakage in [
        "string.format = nil string.rep = nil string.sub = nil",
        "for k in pairs(string) do string[k] = nil end",
        "for k in pairs(_G) do _G[k] = nil end",
        "tostring = nil type = nil error = nil pcall = nil select = nil",
        "setmetatable(_G, { __index = function() error('trap') end, __newindex = function() end })",
        "string.len = function() error('trap') end",
    ] {
        let sql = format!(
            "FROM 'x' |> MAP LUA $$local done return function(line)
               if not done then done = true {breakage} end return line end$$ AS (a)
             |> MAP LUA 'function(a) return a:upper() end' AS (a)"
        );
        let finished = place.sql(&sql).run();
        match finished.code {
            Some(0) => assert_eq!(finished.rows(), ["A", "B"], "{breakage}"),
            // String methods are one table for all steps of a child.
            _ => drop(finished.code(1).says(&["error: MAP LUA failed: "])),
        }
        // An error is still told.
        let sql = format!(
            "FROM 'x' |> MAP LUA $$function(line) local raise = error {breakage} raise('boo') end$$ AS (a)"
        );
        fails(&place, &sql, 1, &["MAP LUA failed: ", "boo", "at x:1"]);
    }
}

#[test]
fn flatmap_that_returns_nonsense() {
    let place = one_line();
    let failing = |body: &str| {
        let sql = format!("FROM 'x' |> FLATMAP LUA $$function(line) {body} end$$ AS (a)");
        fails(&place, &sql, 1, &["error: FLATMAP LUA failed: ", "at x:1"]);
    };
    failing("return 42");
    failing("return 'text'");
    failing("return true");
    failing("return function() return 1, 2 end");
    failing("emit(1, 2)");
    failing("emit({})");
    failing("return { {} , { 1, 2, 3 } }");
    check(&place, "FROM 'x' |> FLATMAP LUA $$function(line) end$$ AS (a)", &[] as &[&str]);
    check(
        &place,
        "FROM 'x' |> FLATMAP LUA $$function(line) return {} end$$ AS (a)",
        &[] as &[&str],
    );
    check(
        &place,
        "FROM 'x' |> FLATMAP LUA $$function(line) return { 'p', 'q' } end$$ AS (a)",
        &["p", "q"],
    );
    // An emit that was kept for later does no harm.
    let sql =
        "FROM 'x' |> FLATMAP LUA $$local kept = emit return function(line) kept(line) end$$ AS (a)";
    check(&place, sql, &["a"]);
}

#[test]
fn a_name_of_a_column_is_no_code() {
    let place = one_line();
    for name in
        ["end", "x; os.exit()", "]]", "\"\"quoted\"\"", "a\\nb", "__gleam", "local", "1", "é"]
    {
        let sql = format!(
            "FROM 'x' |> MAP LUA 'function(line) return line end' AS (\"{name}\") |> SELECT count(*) OVER () AS n"
        );
        check(&place, &sql, &[1]);
    }
}
