//! The parameters of a Lua program, and why there are none.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

use std::fmt::Write as _;

use gleam_sql_parser::lua::parameters;

fn check(programs: &[&str]) -> String {
    let mut report = String::new();
    for program in programs {
        writeln!(report, "{program}").unwrap();
        match parameters(program) {
            Ok(found) => {
                let list: Vec<_> = found
                    .list
                    .iter()
                    .map(|parameter| {
                        format!(
                            "{} at {} line {}",
                            parameter.name, parameter.offset, parameter.line
                        )
                    })
                    .collect();
                writeln!(report, "    [{}] vararg {}", list.join(", "), found.vararg).unwrap();
            }
            Err(error) => {
                writeln!(report, "    error at {} line {}: {error}", error.offset, error.line)
                    .unwrap();
            }
        }
    }
    report
}

#[test]
fn functions() {
    insta::assert_snapshot!(
        "lua_functions",
        check(&[
            "function(line) return #line end",
            "\n  -- comment with end\n  function(a, b, ...) return a end -- tail",
            "function() end",
            "function(...) return ... end",
            "--[==[ function(x) ]==] function( a --[[ b ]] , c ) if a then return 1 elseif c then return 2 else return 3 end end",
            "function(a) for i = 1, 3 do while true do break end end repeat local x = 1 until x do end return function(b) return b end end",
            "local n = 0\nlocal function f(x) return x end\nreturn function(line)\n  n = n + 1 return n, 'end', \"end\", [[ end ]]\nend",
            "local t = { f = function(x) return x end, ['return'] = 1 }; if t then t = nil end return function(a) end;",
            "for k, v in pairs({}) do local return_value = k end return function(größe) return größe end",
            "function(a) return a.function_name, a['x'], a:method('\\'end'), 0x1F, 1e5, .5, 10LL end",
            "function(a) goto continue ::continue:: return a ~= nil and a .. 'x' end",
        ])
    );
}

#[test]
fn errors() {
    insta::assert_snapshot!(
        "lua_errors",
        check(&[
            "",
            "-- nothing",
            "return 1",
            "line:upper()",
            "function f(line) return line end",
            "function(line) return line",
            "function(line) return line end end",
            "function(line) return line end, 1",
            "local f = function(line) end return f",
            "return function(line) end, 2",
            "function(line) if x then end",
            "function(line) repeat end end",
            "function(a,) end",
            "function(a b) end",
            "function('x') end",
            "function(..., a) end",
            "function(a",
            "function(a) return 'x end",
            "function(a) return [[x end",
            "function(a) --[[ return a end",
            "function(a) return a $ 1 end",
            "if x then return function(a) end end",
            "return function(a) end return function(b) end",
        ])
    );
}
