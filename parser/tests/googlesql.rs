//! What GoogleSQL's pipe syntax has and this dialect does not: each has an error at its place,
//! and a hint where there is something to write instead.

use gleam_sql_parser::parse_script;

/// A step with `«` and `»` around the place of its error, the message, and the hint.
const CASES: &[(&str, &str, Option<&str>)] = &[
    (
        "«PIVOT» (sum(x) FOR k IN ('a'))",
        "not supported: |> PIVOT",
        Some(
            "write |> AGGREGATE sum(x) FILTER (WHERE key = 'a') AS a, … GROUP BY … with an aggregate for each column",
        ),
    ),
    (
        "«UNPIVOT» (v FOR n IN (a, b))",
        "not supported: |> UNPIVOT",
        Some(
            "write |> FLATMAP LUA '…' AS (name, value), or |> UNION ALL (…) with a query for each column",
        ),
    ),
    (
        "«CALL» f(1)",
        "not supported: |> CALL",
        Some("a table function stands in FROM: FROM range(1, 10) |> …"),
    ),
    (
        "«WITH» c AS (FROM u)",
        "not supported: |> WITH",
        Some("put it before FROM: WITH name AS (…) FROM … |> …"),
    ),
    (
        "«ASSERT» x > 0, 'no'",
        "not supported: |> ASSERT",
        Some(
            "an error in Lua ends the query: |> FILTER LUA 'function(x) assert(x > 0) return true end'",
        ),
    ),
    (
        "«LOG»",
        "not supported: |> LOG",
        Some("a statement has one result; COPY (FROM … |> …) TO 'file.csv' keeps another"),
    ),
    (
        "«FORK» (|> WHERE a)",
        "not supported: |> FORK",
        Some("write a statement for each result; CREATE VIEW names what they share"),
    ),
    (
        "«TEE» (|> WHERE a)",
        "not supported: |> TEE",
        Some("write a statement for each result; CREATE VIEW names what they share"),
    ),
    (
        "«IF» a THEN (|> WHERE b)",
        "not supported: |> IF",
        Some("a query does not branch; CASE WHEN … THEN … END chooses a value"),
    ),
    (
        "«DESCRIBE»",
        "not supported: |> DESCRIBE",
        Some("CREATE VIEW v AS FROM … |> …, then DESCRIBE v"),
    ),
    (
        "«STATIC_DESCRIBE»",
        "not supported: |> STATIC_DESCRIBE",
        Some("CREATE VIEW v AS FROM … |> …, then DESCRIBE v"),
    ),
    (
        "«MATCH_RECOGNIZE» (PARTITION BY k)",
        "not supported: |> MATCH_RECOGNIZE",
        Some(
            "window functions see the rows before and after: |> EXTEND lag(x) OVER (ORDER BY t) AS y",
        ),
    ),
    (
        "«INSERT» INTO u",
        "not supported: |> INSERT",
        Some("put it before FROM: INSERT INTO table FROM … |> …"),
    ),
    (
        "«CREATE» TABLE u",
        "not supported: |> CREATE",
        Some("put it before FROM: CREATE TABLE name AS FROM … |> …"),
    ),
    (
        "«EXPORT» DATA OPTIONS (x)",
        "not supported: |> EXPORT",
        Some("write COPY (FROM … |> …) TO 'file.parquet'"),
    ),
    (
        "«WINDOW» sum(x) OVER () AS s",
        "not supported: |> WINDOW",
        Some("write |> EXTEND sum(x) OVER (PARTITION BY k) AS s"),
    ),
    (
        "«RECURSIVE» UNION ALL (|> WHERE a)",
        "not supported: |> RECURSIVE",
        Some("put it before FROM: WITH RECURSIVE name AS (…) FROM name |> …"),
    ),
    (
        "«HASH» JOIN u USING (k)",
        "not supported: |> HASH",
        Some("write |> JOIN, which chooses its method itself"),
    ),
    (
        "«LOOKUP» JOIN u USING (k)",
        "not supported: |> LOOKUP",
        Some("write |> JOIN, which chooses its method itself"),
    ),
    (
        "«GROUP» BY a",
        "expected a step after `|>`, found `GROUP`",
        Some("grouping is |> AGGREGATE … GROUP BY …"),
    ),
    (
        "«HAVING» a",
        "expected a step after `|>`, found `HAVING`",
        Some("after AGGREGATE or EXTEND this is |> WHERE …"),
    ),
    (
        "«QUALIFY» a",
        "expected a step after `|>`, found `QUALIFY`",
        Some("after AGGREGATE or EXTEND this is |> WHERE …"),
    ),
    ("«OFFSET» 3", "expected a step after `|>`, found `OFFSET`", Some("write |> LIMIT n OFFSET m")),
    (
        "«FETCH» FIRST 3 ROWS ONLY",
        "expected a step after `|>`, found `FETCH`",
        Some("write |> LIMIT n"),
    ),
    ("«TOP» 3", "expected a step after `|>`, found `TOP`", Some("write |> LIMIT n")),
    ("«SORT» BY a", "expected a step after `|>`, found `SORT`", Some("write |> ORDER BY …")),
    ("«ALIAS» u", "expected a step after `|>`, found `ALIAS`", Some("write |> AS name")),
    (
        "«FROM» u",
        "expected a step after `|>`, found `FROM`",
        Some("FROM begins a query; `|>` is not needed before it"),
    ),
    (
        "«,» u",
        "expected a step after `|>`, found `,`",
        Some("write |> CROSS JOIN, which pairs every row with every other"),
    ),
    ("«UPDATE» SET a = 1", "expected a step after `|>`, found `UPDATE`", None),
    (
        "SELECT «AS STRUCT» a, b",
        "not supported: SELECT AS STRUCT",
        Some("write SELECT named_struct('a', a, 'b', b) AS name"),
    ),
    (
        "SELECT DISTINCT «AS VALUE» a",
        "not supported: DISTINCT AS VALUE",
        Some("write SELECT expression AS name"),
    ),
    (
        "EXTEND «AS STRUCT» a",
        "not supported: EXTEND AS STRUCT",
        Some("write EXTEND named_struct('a', a, 'b', b) AS name"),
    ),
    (
        "SELECT «WITH DIFFERENTIAL_PRIVACY» a",
        "not supported: SELECT WITH DIFFERENTIAL_PRIVACY",
        Some("nothing stands between SELECT and its expressions"),
    ),
    (
        "SELECT DISTINCT «ON» (a) b",
        "not supported: DISTINCT ON in a pipe step",
        Some("|> AGGREGATE first_value(x ORDER BY t) AS x GROUP BY a keeps one row of each a"),
    ),
    (
        "SELECT sum(x) OVER w «WINDOW» w AS (PARTITION BY k)",
        "not supported: WINDOW in a pipe step",
        Some("write the window where it is used: sum(x) OVER (PARTITION BY k)"),
    ),
    (
        "EXTEND sum(x) OVER w AS s «WINDOW» w AS (PARTITION BY k), v AS (w)",
        "not supported: WINDOW in a pipe step",
        Some("write the window where it is used: sum(x) OVER (PARTITION BY k)"),
    ),
    (
        "AGGREGATE «WITH GROUP_ROWS» count(*)",
        "not supported: AGGREGATE WITH GROUP_ROWS",
        Some("nothing stands between AGGREGATE and its expressions"),
    ),
    (
        "AGGREGATE «sum»(x) OVER ()",
        "AGGREGATE takes aggregate functions such as count(*)",
        Some("window functions go into |> EXTEND or |> SELECT"),
    ),
    (
        "AGGREGATE count(*) GROUP BY «ALL»",
        "not supported: GROUP BY ALL in AGGREGATE",
        Some("write the columns: GROUP BY a, b"),
    ),
    (
        "AGGREGATE count(*) GROUP BY «()»",
        "not supported: GROUP BY () in AGGREGATE",
        Some("without GROUP BY there is one group"),
    ),
    (
        "AGGREGATE count(*) GROUP BY a, «ROLLUP» (b, c)",
        "not supported: ROLLUP in AGGREGATE",
        Some("classic SQL has it: SELECT a, b, count(*) FROM … GROUP BY ROLLUP (…)"),
    ),
    (
        "AGGREGATE count(*) GROUP AND ORDER BY «CUBE» (a, b)",
        "not supported: CUBE in AGGREGATE",
        Some("classic SQL has it: SELECT a, b, count(*) FROM … GROUP BY CUBE (…)"),
    ),
    (
        "AGGREGATE count(*) GROUP BY «GROUPING SETS» (a, (a, b))",
        "not supported: GROUPING SETS in AGGREGATE",
        Some("classic SQL has it: SELECT a, b, count(*) FROM … GROUP BY GROUPING SETS (…)"),
    ),
    (
        "AGGREGATE count(*) GROUP BY «1»",
        "GROUP BY in AGGREGATE takes columns and expressions, not positions or constants",
        None,
    ),
    ("SET «t.a» = 1", "SET names columns without their table", Some("write SET a")),
    ("SET a = f(t.b), «t.c» = 2", "SET names columns without their table", Some("write SET c")),
    ("DROP a, «t.b»", "DROP names columns without their table", Some("write DROP b")),
    ("RENAME «t.a» AS b", "RENAME names columns without their table", Some("write RENAME a")),
    ("LIMIT 5«,» 10", "unexpected `,`", Some("write LIMIT n OFFSET m")),
    ("ORDER BY «ALL»", "not supported: ORDER BY ALL", Some("write the columns: ORDER BY a, b")),
    (
        "ORDER BY «ALL» DESC NULLS LAST",
        "not supported: ORDER BY ALL",
        Some("write the columns: ORDER BY a, b"),
    ),
    (
        "UNION ALL «BY» NAME (FROM u)",
        "not supported: |> UNION that matches columns by name",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "UNION «BY» NAME ALL (FROM u)",
        "not supported: |> UNION that matches columns by name",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "UNION ALL «CORRESPONDING» BY (a) (FROM u)",
        "not supported: |> UNION that matches columns by name",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "INTERSECT DISTINCT «STRICT» CORRESPONDING (FROM u)",
        "not supported: |> INTERSECT that matches columns by name",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "«LEFT UNION» ALL BY NAME (FROM u)",
        "not supported: |> LEFT UNION",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "«FULL OUTER UNION» ALL BY NAME (FROM u)",
        "not supported: |> FULL OUTER UNION",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "«INNER EXCEPT» DISTINCT BY NAME (FROM u)",
        "not supported: |> INNER EXCEPT",
        Some("bring the columns into the same order with SELECT first"),
    ),
    (
        "«INTERSECT ALL» (FROM u)",
        "not supported: |> INTERSECT ALL",
        Some("|> INTERSECT DISTINCT is"),
    ),
    ("«EXCEPT ALL» (FROM u)", "not supported: |> EXCEPT ALL", Some("|> EXCEPT DISTINCT is")),
    ("UNION «(»FROM u)", "expected ALL or DISTINCT after UNION, found `(`", None),
    (
        "UNION ALL «FROM» u",
        "expected `(`, found `FROM`",
        Some("write |> UNION ALL (query), (query), …"),
    ),
    (
        "CROSS JOIN UNNEST(a) AS x «WITH OFFSET» AS o",
        "not supported: WITH OFFSET",
        Some("|> EXTEND row_number() OVER () AS n numbers rows"),
    ),
    (
        "CROSS JOIN UNNEST(a) «WITH OFFSET»",
        "not supported: WITH OFFSET",
        Some("|> EXTEND row_number() OVER () AS n numbers rows"),
    ),
    (
        "«JOIN» UNNEST(a) AS x",
        "this join needs ON or USING",
        Some("|> CROSS JOIN pairs every row with every other"),
    ),
    (
        "«JOIN» u",
        "this join needs ON or USING",
        Some("|> CROSS JOIN pairs every row with every other"),
    ),
    (
        "«TABLESAMPLE RESERVOIR (5 ROWS) REPEATABLE (1)»",
        "not supported: a TABLESAMPLE that can be repeated",
        None,
    ),
    ("AS u «(»a, b)", "unexpected `(`", None),
    ("DISTINCT «a»", "unexpected `a`", None),
];

/// What a table of steps becomes, where they are supported.
const SUPPORTED: &[(&str, &str)] = &[
    ("SELECT * EXCEPT (a)", "SELECT * EXCEPT (a) FROM t"),
    ("SELECT * EXCEPT (a) REPLACE (b + 1 AS b)", "SELECT * EXCEPT (a) REPLACE (b + 1 AS b) FROM t"),
    ("SELECT t.*, a AS c,", "SELECT t.*, a AS c FROM t"),
    ("SELECT DISTINCT a b", "SELECT DISTINCT a AS b FROM t"),
    ("EXTEND a + 1, b AS c,", "SELECT *, a + 1, b AS c FROM t"),
    (
        "AGGREGATE count(*) AS n GROUP AND ORDER BY a, b DESC",
        "SELECT a, b, count(*) AS n FROM t GROUP BY a, b ORDER BY 1, 2 DESC",
    ),
    (
        "AGGREGATE count(*) DESC AS n GROUP BY k ASC NULLS LAST AS j",
        "SELECT k AS j, count(*) AS n FROM t GROUP BY k ORDER BY 1 ASC NULLS LAST, 2 DESC",
    ),
    (
        "AGGREGATE GROUP BY all.a, rollup, cube",
        "SELECT all.a, rollup, cube FROM t GROUP BY all.a, rollup, cube",
    ),
    ("DROP a, b, c,", "SELECT * EXCLUDE (a, b, c) FROM (SELECT * FROM t) AS __gleam_op_0"),
    (
        "SET a = t.b, c = 1,",
        "SELECT * REPLACE (t.b AS a, 1 AS c) FROM (SELECT * FROM t) AS __gleam_op_0",
    ),
    ("JOIN u USING (k)", "SELECT * FROM t JOIN u USING(k)"),
    ("JOIN u AS v ON t.a = v.a", "SELECT * FROM t JOIN u AS v ON t.a = v.a"),
    ("LEFT SEMI JOIN u ON t.a = u.a", "SELECT * FROM t LEFT SEMI JOIN u ON t.a = u.a"),
    ("CROSS JOIN UNNEST(a) AS x", "SELECT * FROM t CROSS JOIN UNNEST(a) AS x"),
    ("NATURAL JOIN u", "SELECT * FROM t NATURAL JOIN u"),
    ("ORDER BY all.a, 2 DESC NULLS LAST,", "SELECT * FROM t ORDER BY all.a, 2 DESC NULLS LAST"),
    ("LIMIT 10 OFFSET 5", "SELECT * FROM t LIMIT 10 OFFSET 5"),
    ("LIMIT ALL OFFSET 5", "SELECT * FROM t LIMIT NULL OFFSET 5"),
    (
        "UNION DISTINCT (FROM u), (FROM v)",
        "SELECT * FROM t UNION DISTINCT SELECT * FROM u UNION DISTINCT SELECT * FROM v",
    ),
    ("TABLESAMPLE SYSTEM (1.5 PERCENT)", "SELECT * FROM t WHERE random() < 1.5 / 100.0"),
    ("DISTINCT", "SELECT DISTINCT * FROM t"),
    ("AS u", "SELECT * FROM (SELECT * FROM t) AS u"),
    ("SELECT with.a, with AS b", "SELECT with.a, with AS b FROM t"),
];

#[test]
fn what_is_missing_says_so() {
    for (marked, message, hint) in CASES {
        let (before, rest) = marked.split_once('«').unwrap();
        let (place, behind) = rest.split_once('»').unwrap();
        let script = format!("FROM t\n|> {before}{place}{behind}");
        let error = parse_script(&script).next().unwrap().unwrap_err();
        assert_eq!((error.message.as_str(), error.hint.as_deref()), (*message, *hint), "{script}");
        let (span, columns) = (error.span.unwrap(), |text: &str| text.chars().count() as u64);
        let start = columns("|> ") + columns(before) + 1;
        let found = (span.start.line, span.start.column, span.end.column);
        assert_eq!(found, (2, start, start + columns(place)), "{script}");
    }
}

#[test]
fn small_things_are_understood() {
    for (step, expected) in SUPPORTED {
        let script = format!("FROM t |> {step}");
        let statement = parse_script(&script).next().unwrap().unwrap();
        assert_eq!(statement.body.to_string(), *expected, "{script}");
    }
}
