//! The words of the language, by where they stand.

/// What begins a statement.
pub(super) const STATEMENTS: &[&str] = &[
    "FROM", "SELECT", "WITH", "EXPLAIN", "EXPLAIN ANALYZE", "CREATE VIEW", "CREATE TABLE",
    "CREATE FUNCTION", "CREATE EXTERNAL TABLE", "CREATE OR REPLACE", "COPY", "DESCRIBE", "DROP VIEW",
    "DROP TABLE", "DROP FUNCTION", "INSERT INTO", "RESET", "SET", "SHOW", "SHOW ALL",
    "SHOW FUNCTIONS", "SHOW TABLES", "VALUES",
];

/// What follows `|>`.
pub(super) const STEPS: &[&str] = &[
    "AGGREGATE", "AS", "CROSS JOIN", "DISTINCT", "DROP", "EXCEPT", "EXTEND", "FILTER LUA",
    "FLATMAP LUA", "FULL JOIN", "INTERSECT", "JOIN", "LEFT JOIN", "LIMIT", "MAP LUA", "ORDER BY",
    "PIPE", "REDUCE LUA", "RENAME", "RIGHT JOIN", "SELECT", "SET", "TABLESAMPLE", "UNION ALL",
    "WHERE",
];

/// What stands in the middle of a statement.
pub(super) const KEYWORDS: &[&str] = &[
    "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CROSS JOIN", "DESC", "DISTINCT",
    "ELSE", "END", "EXCEPT", "EXISTS", "FALSE", "FILTER LUA", "FLATMAP LUA", "FORMAT CSV",
    "FORMAT JSON", "FORMAT RAW", "FORMAT TSV", "FROM", "FULL JOIN", "GROUP BY", "HAVING", "ILIKE",
    "IN", "INTERSECT", "INTERVAL", "IS NOT NULL", "IS NULL", "JOIN", "LANGUAGE LUA", "LEFT JOIN",
    "LIKE", "LIMIT", "MAP LUA", "NOT", "NULL", "OFFSET", "OK EXIT", "ON", "ON ERROR FAIL",
    "ON ERROR NULL", "ON ERROR SKIP", "OR", "ORDER BY", "OVER", "PARTITION BY", "PER ROW", "PIPE",
    "REDUCE LUA", "RETURNS", "RIGHT JOIN", "SELECT", "SINGLE", "THEN", "TIMEOUT", "TO", "TRUE",
    "UNION ALL", "USING", "VALUES", "WHEN", "WHERE", "WITH",
];

/// What may stand for a table besides its name.
pub(super) const SOURCES: &[&str] = &["text("];

/// Words behind which a table stands.
pub(super) const BEFORE_TABLES: &[&str] = &["FROM", "JOIN", "INTO", "TABLE", "VIEW", "DESCRIBE"];
