//! The clauses of PIPE: any of them, in their order, mean the same behind `|>` and behind a FROM
//! item, and in no other order.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

use gleam_sql_parser::{OperatorKind, PipeClause, parse_script};
use proptest::prelude::*;

/// The spellings of each clause, in the order of the clauses.
const CLAUSES: &[&[&str]] = &[
    &["USING (a)", "USING (a, upper(b))"],
    &["PARTITION BY (k)", "SINGLE"],
    &[
        "ORDER BY k",
        "ORDER BY k DESC NULLS LAST, ok + 1",
        "ORDER BY timeout, CASE WHEN a THEN b END",
    ],
    &["FORMAT RAW", "FORMAT JSON"],
    &["AS (a)", "AS (a INT, single TEXT)"],
    &["OK EXIT (0)", "OK EXIT (0, 3)"],
    &["TIMEOUT '5s'", "TIMEOUT INTERVAL 5 SECOND"],
    &["ON ERROR SKIP", "ON ERROR NULL"],
];

/// What may follow the item.
const FOLLOWERS: &[&str] =
    &["", " WHERE a", " ORDER BY a", ", u", " AS s", " s", " JOIN u ON true", " UNION SELECT 1"];

fn pipe_clause(script: &str) -> Result<PipeClause, String> {
    let statement = parse_script(script).next().unwrap().map_err(|error| error.to_string())?;
    match &statement.operators[0].kind {
        OperatorKind::Pipe(clause) => Ok(clause.clone()),
        other => Err(format!("{other:?}")),
    }
}

/// What the clauses say, without their places.
fn shown(clause: &PipeClause) -> String {
    let all = format!("{clause:?}");
    let mut rest = all.split_once(" using: ").unwrap().1;
    let mut words = String::new();
    while let Some((before, place)) = rest.split_once("Span(") {
        words.push_str(before);
        rest = place.split_once("))").unwrap().1;
    }
    words + rest
}

fn chosen() -> impl Strategy<Value = Vec<&'static str>> {
    let choice =
        |spellings: &'static &[&str]| prop::option::of(prop::sample::select(*spellings)).boxed();
    CLAUSES
        .iter()
        .map(choice)
        .collect::<Vec<_>>()
        .prop_map(|clauses| clauses.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_forms_mean_the_same(clauses in chosen(), follower in prop::sample::select(FOLLOWERS)) {
        // An ORDER BY right behind the operator is its own, and so is a comma behind that.
        let sorts = |clause: &str| clause.starts_with("ORDER");
        let is_later = |clause: &str| {
            ["FORMAT", "AS", "OK", "TIMEOUT", "ON"].iter().any(|word| clause.starts_with(word))
        };
        let is_ambiguous = (follower.contains("ORDER") && !clauses.iter().any(|c| is_later(c)))
            || (follower.starts_with(',') && clauses.last().is_some_and(|c| sorts(c)));
        prop_assume!(!is_ambiguous);
        let clauses = clauses.join(" ");
        let piped = pipe_clause(&format!("FROM t |> PIPE 'x' {clauses} |> WHERE a")).unwrap();
        let script = format!("SELECT * FROM t PIPE 'x' {clauses}{follower}");
        let classic = pipe_clause(&script).unwrap();
        prop_assert_eq!(shown(&piped), shown(&classic), "{}", script);
    }

    #[test]
    fn another_order_is_an_error(clauses in chosen(), at in any::<prop::sample::Index>()) {
        prop_assume!(clauses.len() > 1);
        let mut clauses = clauses;
        let at = at.index(clauses.len() - 1);
        clauses.swap(at, at + 1);
        let error = pipe_clause(&format!("FROM t |> PIPE 'x' {}", clauses.join(" "))).unwrap_err();
        prop_assert!(error.contains(" comes before "), "{} {:?}", error, clauses);
    }

    #[test]
    fn no_clause_is_given_twice(clauses in chosen(), again in any::<prop::sample::Index>()) {
        prop_assume!(!clauses.is_empty());
        let again = again.index(clauses.len());
        let script = format!("FROM t |> PIPE 'x' {} {}", clauses.join(" "), clauses[again]);
        let error = pipe_clause(&script).unwrap_err();
        prop_assert!(error.ends_with(" is given twice"), "{} {}", error, script);
    }
}
