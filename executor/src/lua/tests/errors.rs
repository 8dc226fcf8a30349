//! Failures: where, what, which arguments; and the errors that ON ERROR tolerates.

use super::*;

const S: (&str, LuaType) = ("s", LuaType::Text);
const N: (&str, LuaType) = ("n", LuaType::Int64);

fn failure(chain_on: impl FnOnce(Chain) -> Chain, lines: &[&str]) -> Failure {
    let columns = [("line", texts(lines))];
    run_chain(chain_on(chain(&columns)), &columns).failure.expect("the chain has to fail")
}

/// Checks the message, and the step, the row and the Lua line.
fn check(failure: &Failure, message: &str, place: (usize, Option<usize>, Option<usize>)) {
    assert!(failure.message.contains(message), "{failure:?}");
    assert_eq!((failure.step, failure.row, failure.lua_line), place, "{failure:?}");
}

#[test]
fn a_failing_call_is_placed() {
    let code = "function(line)\n  if line == 'b' then\n    local x = nil .. line\n  end\n  return line\nend";
    let failed = failure(|c| c.map(code, &[S]), &["a", "b"]);
    check(&failed, "MAP LUA:3: attempt to concatenate a nil value", (0, Some(1), Some(3)));
    assert_eq!(failed.arguments, ["line = \"b\" (string, 1 bytes)"]);
    let failed = failure(|c| c.filter("function(l)\nreturn l < 1 end"), &["a"]);
    check(&failed, "FILTER LUA:2: attempt to compare", (0, Some(0), Some(2)));
    let failed = failure(|c| c.map("function(l) return l:rep(-1):rep('x') end", &[S]), &["a"]);
    check(&failed, "bad argument", (0, Some(0), Some(1)));
}

#[test]
fn a_late_row_of_a_compiled_loop_is_placed() {
    let lines: Vec<_> = (0..5000).map(|k| k.to_string()).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let code =
        "function(l)\n  local n = tonumber(l)\n  if n == 4321 then n = {} end\n  return n + 1\nend";
    let failed = failure(|c| c.map(code, &[N]), &lines);
    check(&failed, "MAP LUA:4: attempt to perform arithmetic", (0, Some(4321), Some(4)));
    assert_eq!(failed.arguments, ["line = \"4321\" (string, 4 bytes)"]);
}

#[test]
fn later_steps_are_placed_with_their_arguments() {
    let failed = failure(
        |c| {
            c.filter("function() return true end")
                .map("function(l) return #l, l end", &[N, S])
                .filter("function(n, s) return n.x end")
        },
        &["abc"],
    );
    check(&failed, "attempt to index", (2, Some(0), Some(1)));
    assert_eq!(failed.arguments, ["n = 3 (number)", "s = \"abc\" (string, 3 bytes)"]);
    let failed = failure(
        |c| {
            c.flat_map("function(l) pcall(emit, 1) pcall(emit, 2) end", &[N])
                .map("function(n)\n  error('no ' .. n)\nend", &[S])
        },
        &["x"],
    );
    check(&failed, "MAP LUA:2: no 1", (1, Some(0), Some(2)));
    assert_eq!(failed.arguments, ["n = 1 (number)"]);
}

#[test]
fn values_that_do_not_fit_name_their_column() {
    let failed = failure(|c| c.map("function(l) return 1, 2, l end", &[N, S]), &["a"]);
    check(&failed, "the function returned 3 values, but AS has 2 columns", (0, Some(0), Some(1)));
    let failed =
        failure(|c| c.map("function(l) return 1, l end", &[N, ("m", LuaType::Int8)]), &["-"]);
    check(&failed, "\"-\" (string) does not fit column m TINYINT", (0, Some(0), Some(1)));
    let failed = failure(|c| c.flat_map("function(l) return 5 end", &[N]), &["-"]);
    check(
        &failed,
        "FLATMAP takes an iterator, a list or calls of emit(), but got 5",
        (0, Some(0), Some(1)),
    );
    let failed = failure(|c| c.flat_map("function(l) return { { 1, 2, 3 } } end", &[N, S]), &["-"]);
    check(&failed, "returned 3 values", (0, Some(0), Some(1)));
    let failed = failure(|c| c.flat_map("function(l) return { { z = 1 } } end", &[N, S]), &["-"]);
    check(&failed, "has the field \"z\"", (0, Some(0), Some(1)));
    let failed = failure(|c| c.flat_map("function(l) emit() end", &[N]), &["-"]);
    check(&failed, "emit() takes the columns of a row", (0, Some(0), Some(1)));
}

#[test]
fn failures_before_the_first_row() {
    let failed = failure(|c| c.map("function(line\nreturn 1 end", &[N]), &["a"]);
    check(&failed, "MAP LUA:2: ", (0, None, Some(2)));
    let failed = failure(|c| c.filter("function() return 1 end").map("42", &[N]), &["a"]);
    check(&failed, "42 (number) instead of a function", (1, None, None));
    let failed = failure(|c| c.map("local x = 1\nerror('at start')", &[N]), &["a"]);
    check(&failed, "MAP LUA:2: at start", (0, None, Some(2)));
    let failed = failure(|c| c.flat_map("emit(1)\nreturn function() end", &[N]), &["a"]);
    check(&failed, "emit() works only while", (0, None, Some(1)));
}

#[test]
fn odd_error_values() {
    for (raised, message) in [
        ("nil", "error raised with nil"),
        ("{}", "error raised with a table"),
        ("setmetatable({}, { __tostring = function() return 'mine' end })", "mine"),
        ("setmetatable({}, { __tostring = function() error('x') end })", "__tostring fails"),
        ("12", "12"),
        ("print", "error raised with nil"),
    ] {
        let failed = failure(|c| c.map(&format!("function() error({raised}) end"), &[N]), &["a"]);
        check(&failed, message, (0, Some(0), Some(1)));
    }
}

#[test]
fn hints_and_coroutines() {
    let failed = failure(|c| c.map("function(l) print(l) end", &[N]), &["a"]);
    assert!(failed.hint.unwrap().contains("standard output"));
    let failed = failure(|c| c.map("function(l) emit(l) end", &[N]), &["a"]);
    assert!(failed.hint.unwrap().contains("FLATMAP"));
    let code = "function(l) return coroutine.wrap(function()\n  error('deep')\nend) end";
    let failed = failure(|c| c.flat_map(code, &[N]), &["a"]);
    check(&failed, "FLATMAP LUA:2: deep", (0, Some(0), Some(2)));
    let failed = failure(|c| c.map("function() coroutine.yield() end", &[N]), &["a"]);
    check(&failed, "attempt to yield", (0, Some(0), Some(1)));
    let failed = failure(|c| c.map("function f(l) return f(l) + 1 end return f", &[N]), &["a"]);
    check(&failed, "stack overflow", (0, Some(0), Some(1)));
}

fn tolerated(
    chain_on: impl FnOnce(Chain) -> Chain,
    lines: &[&str],
) -> (Vec<String>, Vec<Tolerated>) {
    let columns = [("line", texts(lines))];
    let answer = run_chain(chain_on(chain(&columns)), &columns);
    (rendered(&answer), answer.tolerated)
}

#[test]
fn on_error_skip_drops_and_counts() {
    let code = "function(l) if l == 'b' then error('bad') end return l, l end";
    let (rows, errors) =
        tolerated(|c| c.map(code, &[S, N]).on_error(OnError::Skip), &["1", "b", "x", "2"]);
    assert_eq!(rows, ["1|1", "2|2"]);
    assert_eq!((errors[0].rows, errors[0].errors), (4, 2));
    check(&errors[0].samples[0], "MAP LUA:1: bad", (0, Some(1), Some(1)));
    let code = "function(l) emit(l) if l == 'b' then error('bad') end end";
    let (rows, errors) = tolerated(|c| c.flat_map(code, &[S]).on_error(OnError::Skip), &["a", "b"]);
    assert_eq!((rows.len(), errors[0].errors), (2, 1));
    let code = "function(l) return l.x.y end";
    let (rows, errors) = tolerated(|c| c.filter(code).on_error(OnError::Skip), &["a", "b"]);
    assert_eq!((rows.len(), errors[0].errors), (0, 2));
}

#[test]
fn on_error_null_keeps_the_row() {
    let code = "function(l) if l == 'b' then error('bad') end return l, l end";
    let (rows, errors) =
        tolerated(|c| c.map(code, &[S, N]).on_error(OnError::Null), &["1", "b", "x"]);
    assert_eq!(rows, ["1|1", "~|~", "x|~"]);
    assert_eq!(errors[0].errors, 2);
    let code = "function(l) emit(l, 'z') if l == 'b' then error('bad') end end";
    let chain = |c: Chain| {
        let c = c.flat_map(code, &[S, N]).on_error(OnError::Null);
        c.map("function(s) return s or 'null' end", &[S])
    };
    let (rows, errors) = tolerated(chain, &["a", "b"]);
    assert_eq!(rows, ["a", "b", "null"]);
    assert_eq!((errors[0].rows, errors[0].errors), (2, 2), "a row with two errors is one row");
}

#[test]
fn tolerance_of_one_step_does_not_cover_the_next() {
    let columns = [("line", texts(&["a"]))];
    let chain = chain(&columns)
        .flat_map("function(l) emit(l) end", &[S])
        .on_error(OnError::Skip)
        .map("function() error('fatal') end", &[S]);
    let failed = run_chain(chain, &columns).failure.unwrap();
    check(&failed, "fatal", (1, Some(0), Some(1)));
}

#[test]
fn tail_calls_hide_the_line_only_of_longer_functions() {
    let failed = failure(|c| c.map("function(l)\n  return l:rep('x')\nend", &[S]), &["a"]);
    check(&failed, "bad argument #2 to the function called by return", (0, Some(0), None));
}
