//! Steps that GoogleSQL has and this dialect does not, and what to write instead.
//!
//! Source: the pipe operators of GoogleSQL's reference and grammar.

use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::hint;

/// The words of a step, and advice.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "PIVOT",
        "write |> AGGREGATE sum(x) FILTER (WHERE key = 'a') AS a, … GROUP BY … with an aggregate \
         for each column",
    ),
    (
        "UNPIVOT",
        "write |> FLATMAP LUA '…' AS (name, value), or |> UNION ALL (…) with a query for each \
         column",
    ),
    ("CALL", "a table function stands in FROM: FROM range(1, 10) |> …"),
    ("WITH", "put it before FROM: WITH name AS (…) FROM … |> …"),
    (
        "ASSERT",
        "an error in Lua ends the query: |> FILTER LUA 'function(x) assert(x > 0) return true end'",
    ),
    ("LOG", "a statement has one result; COPY (FROM … |> …) TO 'file.csv' keeps another"),
    ("FORK", "write a statement for each result; CREATE VIEW names what they share"),
    ("TEE", "write a statement for each result; CREATE VIEW names what they share"),
    ("IF", "a query does not branch; CASE WHEN … THEN … END chooses a value"),
    ("DESCRIBE", "CREATE VIEW v AS FROM … |> …, then DESCRIBE v"),
    ("STATIC_DESCRIBE", "CREATE VIEW v AS FROM … |> …, then DESCRIBE v"),
    (
        "MATCH_RECOGNIZE",
        "window functions see the rows before and after: |> EXTEND lag(x) OVER (ORDER BY t) AS y",
    ),
    ("INSERT", "put it before FROM: INSERT INTO table FROM … |> …"),
    ("CREATE", "put it before FROM: CREATE TABLE name AS FROM … |> …"),
    ("EXPORT", "write COPY (FROM … |> …) TO 'file.parquet'"),
    ("WINDOW", "write |> EXTEND sum(x) OVER (PARTITION BY k) AS s"),
    ("RECURSIVE", "put it before FROM: WITH RECURSIVE name AS (…) FROM name |> …"),
    ("HASH", "write |> JOIN, which chooses its method itself"),
    ("LOOKUP", "write |> JOIN, which chooses its method itself"),
];

/// Words of plain SQL that are written in another way behind `|>`.
const SPELLINGS: &[(&str, &str)] = &[
    ("GROUP", "grouping is |> AGGREGATE … GROUP BY …"),
    ("HAVING", "after AGGREGATE or EXTEND this is |> WHERE …"),
    ("QUALIFY", "after AGGREGATE or EXTEND this is |> WHERE …"),
    ("OFFSET", "write |> LIMIT n OFFSET m"),
    ("FETCH", "write |> LIMIT n"),
    ("TOP", "write |> LIMIT n"),
    ("SORT", "write |> ORDER BY …"),
    ("ALIAS", "write |> AS name"),
    ("FROM", "FROM begins a query; `|>` is not needed before it"),
];

impl Cutter<'_, '_> {
    /// For a `|>` with a step behind it that does not exist.
    pub(super) fn unknown_step(&self, word: &str, keyword: usize) -> Diagnostic {
        let span = self.tokens.span(keyword);
        let advice = |list: &[(&str, &'static str)]| {
            list.iter().find(|(step, _)| *step == word).map(|(_, hint)| *hint)
        };
        if let Some(hint) = advice(UNSUPPORTED) {
            return Diagnostic::new(format!("not supported: |> {word}")).at(span).with_hint(hint);
        }
        let found = self.tokens.describe(keyword);
        let mut diagnostic =
            Diagnostic::new(format!("expected a step after `|>`, found {found}")).at(span);
        diagnostic.hint = if self.tokens.is(keyword, &Token::Comma) {
            Some("write |> CROSS JOIN, which pairs every row with every other".to_string())
        } else {
            advice(SPELLINGS)
                .map(str::to_string)
                .or_else(|| hint::nearest(word, hint::PIPE_STEPS).map(hint::did_you_mean))
        };
        diagnostic
    }

    /// Refuses what SELECT and EXTEND have in GoogleSQL, and DISTINCT ON, from `start` on.
    pub(super) fn refuse_select_forms(&self, start: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let step = tokens.word(start.saturating_sub(1)).unwrap_or_default();
        let refuse = |what: String, last: usize, hint: String| {
            Err(Diagnostic::new(format!("not supported: {what}"))
                .at(tokens.span_of(start..last + 1))
                .with_hint(hint))
        };
        let select = if step == "EXTEND" { "EXTEND" } else { "SELECT" };
        let next = tokens.word(start + 1).filter(|_| start + 1 < end);
        match (tokens.word(start).filter(|_| start < end).as_deref(), next.as_deref()) {
            (Some("AS"), Some("STRUCT")) => refuse(
                format!("{step} AS STRUCT"),
                start + 1,
                format!("write {select} named_struct('a', a, 'b', b) AS name"),
            ),
            (Some("AS"), Some("VALUE")) => refuse(
                format!("{step} AS VALUE"),
                start + 1,
                format!("write {select} expression AS name"),
            ),
            (
                Some("WITH"),
                Some(
                    kind @ ("DIFFERENTIAL_PRIVACY"
                    | "AGGREGATION_THRESHOLD"
                    | "ANONYMIZATION"
                    | "GROUP_ROWS"),
                ),
            ) => refuse(
                format!("{step} WITH {kind}"),
                start + 1,
                format!("nothing stands between {step} and its expressions"),
            ),
            (Some("ON"), _) if step == "DISTINCT" => refuse(
                "DISTINCT ON in a pipe step".to_string(),
                start,
                "|> AGGREGATE first_value(x ORDER BY t) AS x GROUP BY a keeps one row of each a"
                    .to_string(),
            ),
            _ => self.refuse_window_clause(start, end),
        }
    }

    /// `SELECT … WINDOW w AS (…)`
    fn refuse_window_clause(&self, start: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let mut index = start;
        while index + 3 < end {
            if tokens.is(index, &Token::LParen) {
                index = tokens.partner(index);
            } else if tokens.is_word(index, "WINDOW")
                && tokens.word(index + 1).is_some()
                && tokens.is_word(index + 2, "AS")
                && tokens.is(index + 3, &Token::LParen)
            {
                return Err(Diagnostic::new("not supported: WINDOW in a pipe step")
                    .at(tokens.span(index))
                    .with_hint("write the window where it is used: sum(x) OVER (PARTITION BY k)"));
            }
            index += 1;
        }
        Ok(())
    }

    /// Refuses `GROUP BY ALL`, `ROLLUP (…)` and their like, from `at` on.
    pub(super) fn refuse_grouping_forms(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let mut index = at;
        let mut begins_key = true;
        while index < end {
            let opens = index + 1 < end && tokens.is(index + 1, &Token::LParen);
            let opens_nothing =
                tokens.is(index, &Token::LParen) && tokens.partner(index) == index + 1;
            let last = match tokens.word(index).as_deref().filter(|_| begins_key) {
                Some("ALL") if !opens && !tokens.is(index + 1, &Token::Period) => Some(index),
                Some("ROLLUP" | "CUBE") if opens => Some(index),
                Some("GROUPING") if tokens.is_word(index + 1, "SETS") => Some(index + 1),
                None if begins_key && opens_nothing => Some(index + 1),
                _ => None,
            };
            if let Some(last) = last {
                return Err(self.grouping_form(index, last));
            }
            if tokens.is(index, &Token::LParen) {
                index = tokens.partner(index);
            }
            begins_key = tokens.is(index, &Token::Comma);
            index += 1;
        }
        Ok(())
    }

    /// For one of them, at `first..=last`.
    fn grouping_form(&self, first: usize, last: usize) -> Diagnostic {
        let place = self.tokens.span_of(first..last + 1);
        let form = self.tokens.script.slice(place).to_uppercase();
        let (what, hint) = match form.as_str() {
            "ALL" => ("GROUP BY ALL", "write the columns: GROUP BY a, b".to_string()),
            form if form.starts_with('(') => {
                ("GROUP BY ()", "without GROUP BY there is one group".to_string())
            }
            form => (
                form,
                format!("classic SQL has it: SELECT a, b, count(*) FROM … GROUP BY {form} (…)"),
            ),
        };
        Diagnostic::new(format!("not supported: {what} in AGGREGATE")).at(place).with_hint(hint)
    }
}
