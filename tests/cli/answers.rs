//! Questions about an access log, whose answers are computed from how it was made.

use crate::support::log::{csv, ranked};
use crate::support::{AccessLog, Place, check, check_as, check_unordered, succeeds};

const LINES: usize = 3_000;

fn log() -> (AccessLog, Place) {
    let log = AccessLog::new(LINES);
    let place = Place::with("access.log", log.text());
    (log, place)
}

/// Byte order, which is the order of SQL.
fn status_ranking(log: &AccessLog) -> Vec<String> {
    csv(&log.ranking(|request| request.status))
}

#[test]
fn counts() {
    let (log, place) = log();
    let googlebots = log.count(|request| request.agent.contains("Googlebot"));
    assert!(googlebots > 0 && googlebots < LINES);
    check(&place, "SELECT count(*) FROM 'access.log'", &[LINES]);
    check(&place, "FROM 'access.log' |> AGGREGATE count(*)", &[LINES]);
    check(
        &place,
        "FROM 'access.log' |> WHERE line LIKE '%Googlebot%' |> AGGREGATE count(*)",
        &[googlebots],
    );
    check(
        &place,
        "SELECT count(*) FROM 'access.log' WHERE line NOT LIKE '%Googlebot%'",
        &[LINES - googlebots],
    );
    check(
        &place,
        "SELECT count(*), min(line_no), max(line_no), count(DISTINCT file) FROM 'access.log'",
        &[format!("{LINES},1,{LINES},1")],
    );
}

#[test]
fn every_line_comes_out_as_it_is() {
    let (log, place) = log();
    let finished = place.sql("SELECT line FROM 'access.log' ORDER BY line_no").format("tsv").run();
    finished.success();
    let rows = finished.rows().into_iter().map(str::to_owned).collect();
    check_as("all lines", rows, &log.lines());
}

#[test]
fn greps() {
    let (log, place) = log();
    let googlebots = log.count(|request| request.agent.contains("Googlebot"));
    let both = log.count(|one| one.agent.contains("Googlebot") && one.status == 404);
    let count = |operators: &str| {
        let pipe = format!("FROM 'access.log' |> {operators} |> AGGREGATE count(*)");
        let classic = format!("SELECT count(*) FROM 'access.log' {}", operators.replace("|>", ""));
        let counts = (succeeds(&place, &pipe), succeeds(&place, &classic));
        assert_eq!(counts.0, counts.1, "{operators}");
        counts.0[0].parse::<usize>().expect("a count")
    };
    assert_eq!(count("PIPE 'grep Googlebot'"), googlebots);
    assert_eq!(count("PIPE 'grep -v Googlebot'"), LINES - googlebots);
    assert_eq!(count("PIPE 'grep Googlebot' |> PIPE 'grep \" 404 \"'"), both);
    assert_eq!(count("PIPE 'grep Googlebot | grep \" 404 \"'"), both);
    assert_eq!(count("PIPE 'cat'"), LINES);
    assert_eq!(
        count("FILTER LUA 'function(line) return line:find(\"Googlebot\") end'"),
        googlebots
    );
    assert_eq!(count("PIPE 'grep nosuchword'"), 0);
}

#[test]
fn a_grep_without_a_match_is_no_failure() {
    let (_, place) = log();
    let check = |pipe: &str| {
        let finished = place.sql(format!("FROM 'access.log' |> {pipe}")).run();
        finished.success();
        assert_eq!(finished.text(), "line\n", "{pipe}");
    };
    check("PIPE 'grep nosuchword'");
    check("PIPE 'cat | grep nosuchword'");
    check("PIPE 'grep nosuchword | sort | uniq -c'");
    check("PIPE 'cat' |> PIPE 'grep nosuchword' |> PIPE 'sort'");
}

#[test]
fn status_codes_by_cut_and_by_lua() {
    let (log, place) = log();
    let expected = status_ranking(&log);
    let rank = "|> AGGREGATE count(*) AS n GROUP BY status |> ORDER BY n DESC, status";
    for operator in [
        "PIPE 'cut -d\" \" -f9' AS (status)",
        "PIPE 'cut -d\" \" -f9' AS (status INT)",
        "PIPE 'cat' |> PIPE 'cut -d\" \" -f9' AS (status)",
        "MAP LUA 'function(line) return line:match(\"\\\" (%d%d%d) \") end' AS (status)",
        "MAP LUA 'function(line) return tonumber(line:match(\"\\\" (%d%d%d) \")) end' AS (status INT)",
        "PIPE 'cat' |> MAP LUA $$function(l) return l:match('\" (%d+) ') end$$ AS (status)",
    ] {
        check(&place, &format!("FROM 'access.log' |> {operator} {rank}"), &expected);
        let operators = operator.replace("|>", "");
        let classic = format!(
            "SELECT status, count(*) AS n FROM 'access.log' {operators}
             GROUP BY status ORDER BY n DESC, status"
        );
        check(&place, &classic, &expected);
    }
}

#[test]
fn top_client() {
    let (log, place) = log();
    let clients = log.ranking(|request| request.client.clone());
    check(
        &place,
        "FROM 'access.log'
         |> MAP LUA 'function(line) return line:match(\"^%S+\") end' AS (client)
         |> AGGREGATE count(*) AS n GROUP BY client |> ORDER BY n DESC, client |> LIMIT 5",
        &csv(&clients[..5]),
    );
    check(
        &place,
        "SELECT split_part(line, ' ', 1) AS client, count(*) AS n FROM 'access.log'
         GROUP BY client ORDER BY n DESC, client LIMIT 5",
        &csv(&clients[..5]),
    );
}

#[test]
fn bytes_per_status_where_a_dash_is_null() {
    let (log, place) = log();
    let mut expected = Vec::new();
    for (status, count) in log.ranking(|request| request.status) {
        let sizes: Vec<u64> = log
            .requests
            .iter()
            .filter(|request| request.status == status)
            .filter_map(|request| request.bytes)
            .collect();
        let sum =
            if sizes.is_empty() { String::new() } else { sizes.iter().sum::<u64>().to_string() };
        expected.push(format!("{status},{count},{},{sum}", sizes.len()));
    }
    expected.sort();
    assert!(expected.iter().any(|row| row.ends_with(",0,")), "a status without any bytes");
    check(
        &place,
        "FROM 'access.log'
         |> MAP LUA $$ function(line)
              local status, bytes = line:match('\" (%d+) (%S+)')
              return tonumber(status), tonumber(bytes)
            end $$ AS (status BIGINT, bytes BIGINT)
         |> AGGREGATE count(*), count(bytes), sum(bytes) GROUP BY status
         |> ORDER BY status",
        &expected,
    );
}

const WORDS: &str = "FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word)";

#[test]
fn word_count_in_both_syntaxes() {
    let (log, place) = log();
    let expected = csv(&log.words());
    check(
        &place,
        &format!(
            "FROM 'access.log' |> {WORDS}
             |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word"
        ),
        &expected,
    );
    check(
        &place,
        &format!(
            "SELECT word, count(*) AS n FROM 'access.log' {WORDS}
             GROUP BY word ORDER BY n DESC, word"
        ),
        &expected,
    );
    check(
        &place,
        "SELECT word, count(*) AS n
         FROM 'access.log' FLATMAP LUA 'function(line)
           for word in line:gmatch(\"%w+\") do emit(word) end
         end' AS (word)
         GROUP BY word ORDER BY n DESC, word",
        &expected,
    );
    check(
        &place,
        "FROM 'access.log' |> PIPE 'grep -oE \"[[:alnum:]]+\"' USING (line) AS (word)
         |> WHERE word ~ '^[a-zA-Z0-9]+$'
         |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word |> LIMIT 3",
        &expected[..3],
    );
}

#[test]
fn word_count_as_cte_and_subquery_and_view() {
    let (log, place) = log();
    let words = log.words();
    let expected = csv(&words[..4]);
    check(
        &place,
        &format!(
            "WITH words AS (FROM 'access.log' |> {WORDS})
             SELECT word, count(*) AS n FROM words GROUP BY word ORDER BY n DESC, word LIMIT 4"
        ),
        &expected,
    );
    check(
        &place,
        &format!(
            "SELECT word, n FROM (SELECT word, count(*) AS n FROM 'access.log' {WORDS} GROUP BY 1)
             ORDER BY n DESC, word LIMIT 4"
        ),
        &expected,
    );
    let finished = place
        .sql(format!("CREATE VIEW words AS FROM 'access.log' |> {WORDS}"))
        .arg("-c")
        .arg("FROM words |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word |> LIMIT 4")
        .run();
    finished.success();
    let rows: Vec<&str> = finished.text().lines().filter(|line| *line != "word,n").collect();
    assert_eq!(rows, expected);
}

#[test]
fn word_count_as_a_join_side() {
    let (log, place) = log();
    let words = log.words();
    let chosen = ["HTTP", "GET", "404", "nosuchword"];
    let count_of = |word: &str| words.iter().find(|(one, _)| one == word).map_or(0, |(_, n)| *n);
    let expected: Vec<String> =
        chosen.iter().map(|word| format!("{word},{}", count_of(word))).collect();
    check_unordered(
        &place,
        &format!(
            "SELECT c.word, count(w.word) AS n
             FROM (VALUES ('HTTP'), ('GET'), ('404'), ('nosuchword')) AS c(word)
             LEFT JOIN (FROM 'access.log' |> {WORDS}) AS w ON w.word = c.word
             GROUP BY c.word"
        ),
        &expected,
    );
    let pairs: usize = log.ranking(|request| request.status).iter().map(|(_, n)| n * n).sum();
    check(
        &place,
        "WITH s AS (FROM 'access.log' |> PIPE 'cut -d\" \" -f9' AS (status))
         SELECT count(*) FROM s AS a JOIN s AS b ON a.status = b.status",
        &[pairs],
    );
}

#[test]
fn operators_in_a_subquery_of_where() {
    let (log, place) = log();
    // Clients that were refused at least once, found with a grep, and everything they asked for.
    let refused = ranked(
        log.requests.iter().filter(|one| one.status == 500).map(|request| request.client.clone()),
    );
    let all = log.count(|request| refused.iter().any(|(client, _)| *client == request.client));
    assert!(all > refused.len() && all < LINES);
    check(
        &place,
        "SELECT count(*) FROM 'access.log'
         WHERE split_part(line, ' ', 1) IN (
           SELECT client FROM 'access.log'
             PIPE 'grep \"\\\" 500 \"' PIPE 'cut -d\" \" -f1' AS (client))",
        &[all],
    );
    check(
        &place,
        "SELECT count(*) FROM 'access.log' AS outside
         WHERE EXISTS (
           SELECT 1 FROM 'access.log' MAP LUA 'function(line)
             if line:find(\"\\\" 500 \") then return line:match(\"^%S+\") end
           end' AS (client) WHERE client = split_part(outside.line, ' ', 1))",
        &[all],
    );
}

#[test]
fn a_where_behind_an_operator_filters_its_output() {
    let (log, place) = log();
    let count = log.count(|request| request.status == 404);
    check(
        &place,
        "FROM 'access.log' |> PIPE 'cut -d\" \" -f9' AS (status) |> WHERE status = '404'
         |> AGGREGATE count(*)",
        &[count],
    );
    // The line number is that of the input, for the rows that a FILTER keeps.
    let first = log.requests.iter().position(|request| request.status == 500).expect("one") + 1;
    check(
        &place,
        "FROM 'access.log' |> FILTER LUA 'function(line) return line:find(\"\\\" 500 \") end'
         |> WHERE line_no > 0 |> AGGREGATE min(line_no), count(*)",
        &[format!("{first},{}", log.count(|request| request.status == 500))],
    );
}

#[test]
fn values_of_all_types_go_through_lua() {
    let place = Place::with("x", "one\n");
    check(
        &place,
        "SELECT 9007199254740993 AS big, -1.5 AS f, TRUE AS b, CAST(NULL AS TEXT) AS n, 'é' AS t
         |> MAP LUA 'function(big, f, b, n, t) return big, f * 2, not b, n, #t, type(n) end'
            AS (big BIGINT, f DOUBLE, b BOOLEAN, n TEXT, t INT, kind TEXT)",
        &["9007199254740993,-3.0,false,,2,nil"],
    );
    check(
        &place,
        "SELECT TIMESTAMP '2015-05-17 10:05:03' AS t, DATE '1970-01-02' AS d
         |> MAP LUA 'function(t, d) return t, d end' AS (t DOUBLE, d BIGINT)",
        &["1431857103.0,86400"],
    );
    // No value drops the row, missing ones are NULL.
    check(
        &place,
        "SELECT * FROM (VALUES (1), (2), (3)) AS v(i)
           MAP LUA 'function(i) if i == 2 then return end return i end' AS (i INT, j INT)
         ORDER BY i",
        &["1,", "3,"],
    );
}

#[test]
fn several_columns_go_through_a_shell_as_tsv() {
    let place = Place::with("x", "one\n");
    check(
        &place,
        "SELECT 'a' || chr(9) || 'b' AS a, CAST(NULL AS TEXT) AS n, chr(92) || chr(10) AS c
         |> PIPE 'cat' AS (a, n, c)
         |> SELECT a = 'a' || chr(9) || 'b', n IS NULL, c = chr(92) || chr(10)",
        &["true,true,true"],
    );
    check(
        &place,
        "SELECT * FROM (VALUES ('a', 1), ('b', 22)) AS v(k, i)
           PIPE 'awk -F\"\\t\" \"{ print \\$1 FS \\$2 * 2 }\"' USING (k, i) AS (k TEXT, i BIGINT)
         ORDER BY i",
        &["a,2", "b,44"],
    );
}

#[test]
fn headers_do_not_tell_where_an_operator_stands() {
    let place = Place::with("x", "a\nbb\n");
    let sql =
        "FROM 'x' |> MAP LUA 'function(line) return #line end' AS (n INT) |> AGGREGATE max(n)";
    for (format, expected) in
        [("csv", "max(n)\n2\n"), ("ndjson", "{\"max(n)\":2}\n"), ("tsv", "max(n)\n2\n")]
    {
        assert_eq!(place.sql(sql).format(format).run().success().text(), expected);
    }
}
