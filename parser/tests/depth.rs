//! Nesting and repetition end in an error, never in an overflow of a thread's stack or in a search
//! that takes for ever.

use gleam_sql_parser::parse_script;

/// Parses on a thread with the stack of a test thread or of a worker thread of tokio.
fn check(name: &str, script: String) {
    let name = name.to_string();
    let started = std::time::Instant::now();
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let outcome = thread
        .spawn(move || {
            parse_script(&script)
                .map(|parsed| match parsed {
                    Ok(statement) => format!("ok {}", statement.body.to_string().len()),
                    Err(error) => error.render(&script, None).lines().next().unwrap_or("").to_string(),
                })
                .collect::<Vec<_>>()
        })
        .unwrap()
        .join()
        .unwrap();
    if started.elapsed().as_millis() > 1500 || !name.starts_with("w ") { eprintln!("{name}: {:?} {outcome:?}", started.elapsed()); }
}

#[test]
fn deep_input() {
    for n in [10, 20, 30, 40, 46] {
        check(&format!("expr parens {n}"), format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)));
        check(&format!("from parens {n}"), format!("SELECT * FROM {}a{}", "(".repeat(n), ")".repeat(n)));
        check(&format!("query parens {n}"), format!("{}SELECT 1{}", "(".repeat(n), ")".repeat(n)));
        check(&format!("from subqueries {n}"), format!("{}a{}", "SELECT * FROM (".repeat(n) + "SELECT * FROM ", ")".repeat(n)));
        check(&format!("from first {n}"), format!("{}a{}", "FROM (".repeat(n) + "FROM ", " |> WHERE x)".repeat(n) + "|> PIPE 'a'"));
        check(&format!("classic {n}"), format!("FROM {}a{}", "(".repeat(n), " PIPE 'x')".repeat(n)));
        check(&format!("in subqueries {n}"), format!("{} 1 {}", "SELECT a IN (".repeat(n), ")".repeat(n)));
    }
    for n in [100, 1000, 100_000] {
        check(&format!("parens {n}"), format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)));
        check(&format!("brackets {n}"), format!("SELECT {}1{}", "[".repeat(n), "]".repeat(n)));
        check(&format!("types {n}"), format!("SELECT CAST(a AS {}INT{})", "ARRAY<".repeat(n), ">".repeat(n)));
        check(&format!("array types {n}"), format!("SELECT CAST(a AS INT{})", "[]".repeat(n)));
        check(&format!("struct types {n}"), format!("SELECT CAST(a AS {}INT{})", "STRUCT<a ".repeat(n), ">".repeat(n)));
        check(&format!("plus {n}"), format!("SELECT 1{}", " + 1".repeat(n)));
        check(&format!("or {n}"), format!("SELECT 1 FROM t WHERE a = 1 {}", " OR a = 1".repeat(n)));
        check(&format!("dots {n}"), format!("SELECT a{}", ".a".repeat(n)));
        check(&format!("casts {n}"), format!("SELECT a{}", "::int".repeat(n)));
        check(&format!("index {n}"), format!("SELECT a{}", "[1]".repeat(n)));
        check(&format!("union {n}"), format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n)));
        check(&format!("steps {n}"), format!("FROM t{}", " |> WHERE x".repeat(n)));
        check(&format!("operators {n}"), format!("FROM t{}", " PIPE 'x'".repeat(n)));
        check(&format!("joins {n}"), format!("SELECT * FROM t{}", " JOIN t ON a = b".repeat(n)));
        check(&format!("commas {n}"), format!("SELECT 1{}", ", 1".repeat(n)));
        check(&format!("values {n}"), format!("VALUES (1){}", ", (1)".repeat(n)));
        check(&format!("case {n}"), format!("SELECT {} 1 {}", "CASE WHEN 1 THEN ".repeat(n), "END ".repeat(n)));
        check(&format!("case else {n}"), format!("SELECT {} 1 {}", "CASE WHEN a THEN 1 ELSE ".repeat(n), "END ".repeat(n)));
        check(&format!("subquery {n}"), format!("{} 1 {}", "FROM t |> WHERE x IN (".repeat(n), ")".repeat(n)));
    }
}

#[test]
fn interval() {
    for n in 5..16 {
        check(&format!("interval {n}"), format!("SELECT {}", "INTERVAL ".repeat(n)));
        check(&format!("not {n}"), format!("SELECT {} 1", "INTERVAL '1' ".repeat(n)));
        check(&format!("between {n}"), format!("SELECT {} 1", "a BETWEEN 1 AND ".repeat(n)));
    }
}

#[test]
fn repeated_words() {
    for word in sqlparser_words() {
        if word < START { continue; }
        for start in ["SELECT ", "", "SELECT * FROM ", "SELECT a ", "FROM t |> SELECT ", "CREATE TABLE t (a ", "SELECT CAST(a AS "] {
            eprint!("{start}{word}\r");
            check(&format!("w {start} {word}"), format!("{start}{}", format!("{word} ").repeat(1500)));
        }
    }
}

fn sqlparser_words() -> impl Iterator<Item = &'static str> {
    datafusion_sql::sqlparser::keywords::ALL_KEYWORDS.iter().copied().chain(["+", "-", "~", "!", "@", ":", "::", "*", "?", "$1", "'a'", "{", "->", "=>", "{a:", "a.", "a:", "array<", "map{", "a=>", "f(", "INTERVAL '1'"])
}
const START: &str = "";
