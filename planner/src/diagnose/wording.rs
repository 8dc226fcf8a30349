//! What DataFusion's messages mean to the user of gleam-sql.

use gleam_sql_parser::Diagnostic;

use super::{between, lower_first, quoted_words};

/// Our words for a message, if we have better ones.
pub(super) fn reword(message: &str) -> Option<Diagnostic> {
    const MESSAGES: [fn(&str) -> Option<Diagnostic>; 11] = [
        aggregate_without_aggregates,
        aggregate_in_where,
        correlated_subquery,
        function_call,
        window_function,
        two_columns,
        not_grouped,
        wrong_types,
        arithmetic,
        wrong_arguments,
        file_format,
    ];
    MESSAGES.iter().find_map(|reword| reword(message))
}

/// The parser adds HAVING true to an AGGREGATE in which it sees no aggregate function.
fn aggregate_without_aggregates(message: &str) -> Option<Diagnostic> {
    message.contains("HAVING clause references: Boolean(true)").then(|| {
        Diagnostic::new("AGGREGATE needs an aggregate function such as count(*), or GROUP BY")
            .with_hint("EXTEND computes a value for each row")
    })
}

fn aggregate_in_where(message: &str) -> Option<Diagnostic> {
    message.contains("not allowed in the WHERE clause").then(|| {
        Diagnostic::new("an aggregate function is not allowed in WHERE")
            .with_hint("filter behind the aggregation: |> AGGREGATE … |> WHERE …, or HAVING")
    })
}

fn correlated_subquery(message: &str) -> Option<Diagnostic> {
    let kinds = ["Exists(", "ScalarSubquery(", "InSubquery("];
    let is_left = |kind: &&str| message.contains(&format!("logical expression {kind}"));
    kinds.iter().any(is_left).then(|| {
        Diagnostic::new(
            "not supported: a subquery that uses columns of the outer query across an operator, \
             a Lua function or a LIMIT",
        )
        .with_hint("JOIN its result, grouped by what the outer query needs")
    })
}

fn function_call(message: &str) -> Option<Diagnostic> {
    let function = between(message, "LuaFunction { name: \"", "\"")?;
    let diagnostic =
        Diagnostic::new(format!("the Lua function `{function}` cannot be called here"));
    Some(diagnostic.with_hint("use it in a SELECT"))
}

fn window_function(message: &str) -> Option<Diagnostic> {
    message.contains("logical expression WindowFunction").then(|| {
        Diagnostic::new("a window function is not allowed here")
            .with_hint("compute it first: |> EXTEND … AS name |> WHERE name …")
    })
}

/// A step gives a column a name that another has.
fn two_columns(message: &str) -> Option<Diagnostic> {
    let name = between(message, "unqualified field name ", " which would be ambiguous")?;
    message.contains("contains qualified field name").then(|| {
        Diagnostic::new(format!("two columns would be called `{name}`")).with_hint(format!(
            "|> SET {name} = … replaces a column; a new one needs a name of its own, \
             and a side of a join an alias"
        ))
    })
}

fn not_grouped(message: &str) -> Option<Diagnostic> {
    let column = between(message, "'", "' must appear in GROUP BY")?;
    let column = column.rsplit('.').next().unwrap_or(column);
    let hint = format!(
        "add it to GROUP BY, or take any_value({column}); \
         an aggregate beside every row is written with OVER ()"
    );
    let message = format!("column `{column}` is neither grouped nor aggregated");
    Some(Diagnostic::new(message).with_hint(hint))
}

fn wrong_types(message: &str) -> Option<Diagnostic> {
    let (before, reasons) = message.split_once("failed to match any signature, errors: ")?;
    let function = quoted_words(before).next()?;
    let given = sql_types(between(reasons, "(DataType: ", ")").unwrap_or("these types"));
    let hint = match given.as_str() {
        "TEXT" => "convert it: CAST (x AS BIGINT), CAST (x AS DOUBLE), CAST (x AS TIMESTAMP)",
        _ => "convert it with CAST",
    };
    Some(Diagnostic::new(format!("`{function}` does not take {given}")).with_hint(hint))
}

fn arithmetic(message: &str) -> Option<Diagnostic> {
    let operation = between(message, "annot coerce arithmetic expression ", " to valid types")?;
    let diagnostic = Diagnostic::new(format!("cannot compute {}", sql_types(operation)));
    Some(diagnostic.with_hint("convert one side: CAST (x AS BIGINT), CAST (x AS DOUBLE)"))
}

/// The reason alone, and the forms that the function has.
fn wrong_arguments(message: &str) -> Option<Diagnostic> {
    let (reason, candidates) = message.split_once(" No function matches")?;
    let reason = reason.rsplit("Error during planning: ").next().unwrap_or(reason);
    let diagnostic = Diagnostic::new(match coercion(reason) {
        Some((function, given)) => format!("`{function}` does not take ({given})"),
        None => lower_first(reason.trim_end_matches('.')),
    });
    let forms = candidates.split("Candidate functions:").nth(1).unwrap_or_default();
    let forms: Vec<&str> = forms
        .lines()
        .map(str::trim)
        .filter(|form| !form.is_empty() && !form.contains("UserDefined"))
        .collect();
    Some(match forms.as_slice() {
        [] => diagnostic,
        forms => {
            let forms: Vec<String> = forms.iter().map(|form| sql_types(form)).collect();
            diagnostic.with_hint(format!("it is called as {}", forms.join(" or ")))
        }
    })
}

/// The function and the types that it was given.
fn coercion(reason: &str) -> Option<(&str, String)> {
    let function = between(reason, "satisfy a call to '", "' function")?;
    let given = between(reason, "coercion from ", " to the signature")?;
    Some((function, sql_types(given)))
}

fn file_format(message: &str) -> Option<Diagnostic> {
    const FOR_COPY: &str =
        "the extension says csv, tsv, json, parquet or arrow; or write TO 'file' STORED AS CSV";
    if let Some(format) = message.split_once("nable to find factory for ").map(|(_, rest)| rest) {
        let diagnostic = Diagnostic::new(format!("there is no table format `{format}`"));
        return Some(diagnostic.with_hint(
            "formats are CSV, JSON, PARQUET and ARROW; text needs no table: \
             FROM 'path', or CREATE VIEW name AS FROM 'path'",
        ));
    }
    let unknown = message.strip_prefix("there is no registered file format with ext ");
    if let Some(extension) = unknown {
        let message = format!("COPY cannot tell a format from the extension `{extension}`");
        return Some(Diagnostic::new(message).with_hint(FOR_COPY));
    }
    message.starts_with("format not explicitly set").then(|| {
        Diagnostic::new("COPY cannot tell a format without an extension").with_hint(FOR_COPY)
    })
}

/// SQL's names of the types that a message names.
fn sql_types(text: &str) -> String {
    const NAMES: [(&str, &str); 11] = [
        ("Utf8View", "TEXT"),
        ("LargeUtf8", "TEXT"),
        ("Utf8", "TEXT"),
        ("UInt64", "BIGINT UNSIGNED"),
        ("Int64", "BIGINT"),
        ("Int32", "INT"),
        ("Float64", "DOUBLE"),
        ("Float32", "FLOAT"),
        ("Boolean", "BOOLEAN"),
        ("Timestamp(ns)", "TIMESTAMP"),
        ("Date32", "DATE"),
    ];
    NAMES.iter().fold(text.to_owned(), |text, (arrow, sql)| text.replace(arrow, sql))
}
