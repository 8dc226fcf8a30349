//! MAP, FLATMAP, FILTER, and chains of them.

use super::*;

const N: (&str, LuaType) = ("n", LuaType::Int64);
const S: (&str, LuaType) = ("s", LuaType::Text);

fn check(chain_on: impl FnOnce(Chain) -> Chain, lines: &[&str], expected: &[&str]) {
    let columns = [("line", texts(lines))];
    let answer = run_chain(chain_on(chain(&columns)), &columns);
    assert_eq!(rendered(&answer), expected);
    assert_eq!(answer.batches_done, 1);
}

#[test]
fn map_returns_columns() {
    check(|c| c.map("function(line) return #line end", &[N]), &["a", "bcd", ""], &["1", "3", "0"]);
    check(
        |c| c.map("function(line) return line, #line end", &[S, N]),
        &["x", "yz"],
        &["x|1", "yz|2"],
    );
    check(|c| c.map("function(line) return line end", &[S, N]), &["x"], &["x|~"]);
    check(|c| c.map("function(line) return nil end", &[S]), &["x"], &["~"]);
    check(|c| c.map("function(line) return nil, 1 end", &[S, N]), &["x"], &["~|1"]);
    check(|c| c.map("string.upper", &[S]), &["x"], &["X"]);
}

#[test]
fn map_without_a_value_drops_the_row() {
    let code = "function(l) if l ~= 'b' then return l end end";
    check(|c| c.map(code, &[S]), &["a", "b", "c"], &["a", "c"]);
    check(|c| c.map("function() return end", &[S]), &["a"], &[]);
}

#[test]
fn state_and_chunks() {
    let code = "local n = 0\nreturn function() n = n + 1 return n end";
    let columns = vec![texts(&["a", "b"])];
    let program = chain(&[("line", columns[0].clone())]).map(code, &[N]).0;
    let answer = run_batches(&program, &[columns.clone(), columns], 0);
    assert_eq!(rendered(&answer), ["1", "2", "3", "4"]);
}

#[test]
fn filter_replies_with_indexes() {
    let code = "function(line) return line:find('b', 1, true) end";
    check(|c| c.filter(code), &["a", "b", "cb", "d"], &["1", "2"]);
    check(|c| c.filter(code).filter("function(l) return #l > 1 end"), &["a", "b", "cb"], &["2"]);
    check(|c| c.filter("function() return nil end"), &["a"], &[]);
}

#[test]
fn flat_map_iterators() {
    let words = "function(line) return line:gmatch('%a+') end";
    check(|c| c.flat_map(words, &[S]), &["a b", "", "c"], &["a", "b", "c"]);
    let pairs = "function(line) return line:gmatch('(%a)=(%d)') end";
    check(|c| c.flat_map(pairs, &[S, N]), &["a=1,b=2"], &["a|1", "b|2"]);
    let ipairs = "function(line) return ipairs({ line, line .. '!' }) end";
    check(|c| c.flat_map(ipairs, &[N, S]), &["x"], &["1|x", "2|x!"]);
    let wrap = "function(l) return coroutine.wrap(function()
        for k = 1, 2 do coroutine.yield(k, l) end end) end";
    check(|c| c.flat_map(wrap, &[N, S]), &["x"], &["1|x", "2|x"]);
}

#[test]
fn flat_map_lists_and_emit() {
    check(|c| c.flat_map("function(l) return { l, 'z' } end", &[S]), &["x"], &["x", "z"]);
    let rows = "function(l) return { { 1, l }, { 2 }, { n = 3, s = 'by name' } } end";
    check(|c| c.flat_map(rows, &[("n", LuaType::Int64), S]), &["x"], &["1|x", "2|~", "3|by name"]);
    let emit = "function(l) emit(1, l) emit(nil, l) end";
    check(|c| c.flat_map(emit, &[N, S]), &["x"], &["1|x", "~|x"]);
    check(|c| c.flat_map("function() return nil end", &[S]), &["x"], &[]);
    check(|c| c.flat_map("function() end", &[S]), &["x"], &[]);
    let list = ("l", LuaType::List(Box::new(LuaType::Int64)));
    check(
        |c| c.flat_map("function() return { { 1, 2 }, {} } end", &[list]),
        &["x"],
        &["[1, 2]", "[]"],
    );
    let emit_inside = "function(l) return coroutine.wrap(function() emit(l) coroutine.yield('y')
        end) end";
    check(|c| c.flat_map(emit_inside, &[S]), &["x"], &["x", "y"]);
}

#[test]
fn fused_chains() {
    check(
        |c| {
            c.filter("function(l) return l ~= 'skip' end")
                .map("function(l) return l, #l end", &[S, N])
                .filter("function(s, n) return n > 1 end")
                .flat_map("function(s, n) for k = 1, n do emit(s:sub(k, k), k) end end", &[S, N])
                .filter("function(s, n) return n ~= 2 end")
                .map("function(s, n) return s .. n end", &[S])
        },
        &["abc", "skip", "x", "de"],
        &["a1", "c3", "d1"],
    );
    check(
        |c| {
            c.map("function(l) return l:match('%d+') end", &[N])
                .map("function(n) return n + 1 end", &[N])
        },
        &["a41"],
        &["42"],
    );
}

#[test]
fn arguments_are_chosen_by_index() {
    let columns = [("a", texts(&["x"])), ("b", ints(&[7])), ("c", texts(&["z"]))];
    let chain = chain(&columns)
        .filter("function(b) return b == 7 end")
        .args(&[1])
        .map("function(c, a, b) return c .. a, b, b end", &[S, N, ("m", LuaType::Int64)])
        .args(&[2, 0, 1])
        .map("function(m, s) return s, m end", &[S, N])
        .args(&[2, 0]);
    assert_eq!(rendered(&run_chain(chain, &columns)), ["zx|7"]);
}

#[test]
fn no_columns_at_all() {
    let program = chain(&[]).map("function() return 1 end", &[N]).0;
    let answer = run_batches(&program, &[vec![]], 3);
    assert_eq!(rendered(&answer), ["1", "1", "1"]);
}

#[test]
fn zero_rows() {
    check(|c| c.map("function(line) return 1 end", &[N]), &[], &[]);
}

#[test]
fn an_explosion_is_sent_in_parts() {
    let columns = [("line", texts(&["x"]))];
    let chain = chain(&columns)
        .flat_map("function(l) for k = 1, 100000 do emit(k, l) end end", &[N, S])
        .filter("function(n) return n % 2 == 0 end")
        .args(&[0]);
    let answer = run_chain(chain, &columns);
    assert_eq!(answer.batches_done, 1);
    assert!(answer.rows.len() >= 6);
    assert!(answer.rows.iter().all(|batch| batch.num_rows() <= 8192));
    let all = answer.rows.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values());
    assert!(all.copied().eq((1..=50_000).map(|k| k * 2)));
}

#[test]
fn one_row_may_be_large() {
    let line = "é".repeat(20 << 20);
    let columns = [("line", texts(&[&line, "x"]))];
    let chain = chain(&columns).map("function(l) return l .. l end", &[S]);
    let answer = run_chain(chain, &columns);
    let lengths = answer.rows.iter().map(|b| b.column(0).as_string_view().value(0).len());
    assert_eq!(lengths.collect::<Vec<_>>(), [80 << 20, 2]);
}

#[test]
fn a_hundred_columns() {
    let columns: Vec<_> = (0..100).map(|k| (format!("c{k}"), ints(&[k]))).collect();
    let columns: Vec<_> = columns.iter().map(|(n, a)| (n.as_str(), a.clone())).collect();
    let outputs: Vec<_> = columns.iter().map(|(n, _)| (*n, LuaType::Int64)).collect();
    let code = "function(...) return ... end";
    let chain = chain(&columns).map(code, &outputs).filter("function(...) return true end");
    let chain = chain.map(code, &outputs).flat_map("function(...) emit(...) end", &outputs);
    let expected: Vec<_> = (0..100).map(|k| k.to_string()).collect();
    assert_eq!(rendered(&run_chain(chain, &columns)), [expected.join("|")]);
}

#[test]
fn many_batches_with_indexes_of_each() {
    let program = chain(&[("n", ints(&[]))]).filter("function(n) return n > 1 end").0;
    let answer = run_batches(&program, &[vec![ints(&[1, 2])], vec![ints(&[3, 0])]], 0);
    let indexes: Vec<_> = answer.rows.iter().map(|b| b.column(0).clone()).collect();
    let expected: [ArrayRef; 2] =
        [Arc::new(UInt32Array::from(vec![1])), Arc::new(UInt32Array::from(vec![0]))];
    assert_eq!(indexes, expected);
}

#[test]
fn the_longest_chains() {
    let text = |n: usize| vec![S; n];
    let many = |verb: LuaVerb, code: &str, columns: usize| {
        let chain_on = |mut c: Chain| {
            for _ in 0..MAX_STEPS {
                c = c.step(verb, code, &text(columns)).args(&[0]);
            }
            c
        };
        let columns = [("line", texts(&["x"]))];
        rendered(&run_chain(chain_on(chain(&columns)), &columns)).len()
    };
    let emit = "function(line) emit(line) end";
    assert_eq!(many(LuaVerb::FlatMap, emit, 1), 1);
    assert_eq!(many(LuaVerb::FlatMap, emit, MAX_COLUMNS), 1);
    assert_eq!(many(LuaVerb::Map, "function(line) return line end", MAX_COLUMNS), 1);
    assert_eq!(many(LuaVerb::Filter, "function(line) return true end", 0), 1);
}

#[test]
fn what_is_interpreted_is_told() {
    let lines: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..2000).map(|k| format!("a{k} b{k}"))));
    let check = |code: &str, expected: &[&str]| {
        let program = chain(&[("line", Arc::clone(&lines))]).map(code, &[("v", LuaType::Text)]).0;
        // What is done around a batch becomes hot as well.
        let answer = run_batches(&program, &vec![vec![Arc::clone(&lines)]; 150], 0);
        assert_eq!(answer.failure, None, "{code}");
        let reasons: Vec<&str> = answer.interpreted.keys().map(String::as_str).collect();
        assert_eq!(reasons, expected, "{code}");
    };
    check("function(line) return line:sub(1, 2):upper() end", &[]);
    check("function(line) return #line + (tonumber(line:sub(2, 2)) or 0) end", &[]);
    check("function(line) return (line:gsub('a', 'b')) end", &["string.gsub"]);
    check("function(line) return line:match('%d+') end", &["string.match"]);
    check(
        "function(line) local n = 0 for word in line:gmatch('%w+') do n = n + #word end return n end",
        &["string.gmatch"],
    );
    check("function(line) local f = function() return line end return f() end", &["a new closure"]);
}
