//! Attempts to leave the sandbox, or to break the loop from inside it.

use super::*;

/// The text that a MAP function with this body gives.
fn text_of(body: &str) -> String {
    let columns = [("line", texts(&["a line"]))];
    let code = format!("function(line) {body} end");
    let answer = run_chain(chain(&columns).map(&code, &[("s", LuaType::Text)]), &columns);
    match &answer.failure {
        Some(failure) => format!("failed: {}", failure.message),
        None => rendered(&answer).concat(),
    }
}

#[test]
fn nothing_dangerous_has_a_name() {
    for name in [
        "io",
        "os",
        "ffi",
        "package",
        "require",
        "debug",
        "jit",
        "load",
        "loadstring",
        "loadfile",
        "dofile",
        "getfenv",
        "setfenv",
        "newproxy",
        "collectgarbage",
        "module",
        "gcinfo",
        "print",
        "string.dump",
        "('').dump",
        "_G._G.io",
        "emit",
        "host",
        "position",
        "string.buffer",
        "table.new",
        "arg",
    ] {
        assert_eq!(text_of(&format!("return type({name})")), "nil", "{name}");
    }
}

#[test]
fn roads_to_the_host_are_closed() {
    for (body, expected) in [
        ("return getmetatable('')", "string"),
        ("return type(getmetatable('').__index)", "nil"),
        ("return tostring(pcall(setmetatable, '', {}))", "false"),
        ("return getmetatable(1LL)", "ffi"),
        ("return tostring(pcall(function() return (1LL).x end))", "false"),
        ("return tostring(pcall(function() local x = 1LL x.y = 1 end))", "false"),
        ("return tostring(pcall(function() return (1LL)() end))", "false"),
        ("return tostring(1LL + 2)", "3LL"),
        ("return type(getmetatable(function() end))", "nil"),
        ("return type(getmetatable(coroutine.create(function() end)))", "nil"),
        ("return type(getmetatable(nil))", "nil"),
        ("return type(_G) .. type(_G.string)", "tabletable"),
        ("return type(getmetatable(_G))", "nil"),
        ("return coroutine.wrap(function() return type(io) end)()", "nil"),
        (
            "local ok, e = xpcall(function() error({}) end, function(e) return type(e) end) return e",
            "table",
        ),
        ("return type(pcall(error))", "boolean"),
        ("return select('#', table.unpack({ 1, 2 }, 1, 3))", "3"),
        ("return table.pack(nil, nil).n", "2"),
        ("return rawlen({ 1, 2 })", "2"),
    ] {
        assert_eq!(text_of(body), expected, "{body}");
    }
}

#[test]
fn breaking_the_libraries_does_not_break_the_loop() {
    let code = "
        for _, name in ipairs({ 'type', 'select', 'pcall', 'xpcall', 'error', 'next', 'tonumber',
          'tostring', 'unpack', 'rawget' }) do _G[name] = nil end
        for name in pairs(string) do string[name] = nil end
        for name in pairs(math) do math[name] = nil end
        bit, table, coroutine = nil
        local n = 0
        return function(line) n = n + 1 return 0.5, n, line end";
    let columns = [("line", texts(&["a", "b"]))];
    let outputs = [("t", LuaType::Text), ("n", LuaType::Int64), ("d", LuaType::Date)];
    let chain = chain(&columns)
        .map(code, &outputs[..2])
        .args(&[])
        .map("function(t, n) return #t, type(n) end", &outputs[1..2])
        .args(&[0, 1]);
    let answer = run_chain(chain, &columns);
    let failure = answer.failure.unwrap();
    assert_eq!((failure.step, failure.row), (0, Some(0)), "{failure:?}");
    assert!(failure.message.contains("returned 3 values"), "{failure:?}");
}

#[test]
fn globals_belong_to_one_step_and_methods_to_all() {
    let columns = [("line", texts(&[" a "]))];
    let code =
        "shared = 1\nfunction string.trim(s) return (s:gsub('^%s+', ''):gsub('%s+$', '')) end
        return function(line) return line:trim() end";
    let chain = chain(&columns)
        .map(code, &[("s", LuaType::Text)])
        .map("function(s) return s .. tostring(shared) end", &[("s", LuaType::Text)]);
    assert_eq!(rendered(&run_chain(chain, &columns)), ["anil"]);
}

#[test]
fn bytecode_is_not_code() {
    let columns = [("line", texts(&["a"]))];
    let chain = chain(&columns).map("\x1bLJ\x02\x08\x00", &[("s", LuaType::Text)]);
    assert_eq!(run_chain(chain, &columns).failure.unwrap().row, None);
}

#[test]
fn running_out_of_memory_is_said() {
    for value in ["l .. k", "l:rep(1000000) .. k", "{ k }", "function() return k end"] {
        let code =
            format!("local t = {{}} return function(l) for k = 1, 1e9 do t[k] = {value} end end");
        let program = chain(&[("line", texts(&[]))]).map(&code, &[("s", LuaType::Text)]).0;
        let mut input = encode_setup_limited(&program, 64 << 20).unwrap();
        let batch = to_child(&program, &[texts(&["a line"])], 1).unwrap();
        input.extend(BatchEncoder::try_new(&program).unwrap().encode(&batch).unwrap());
        let mut output = Vec::new();
        serve(&input[..], &mut output).unwrap();
        let failure = decode_all(&program, &output).failure.unwrap();
        assert_eq!(failure.message, "not enough memory for Lua");
    }
}
