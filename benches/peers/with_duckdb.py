"""The cases of ../yardstick.py in DuckDB: with_duckdb.py CASE DIRECTORY CORES."""

import sys

import duckdb

case, data, cores = sys.argv[1:]
db = duckdb.connect(config={"threads": int(cores)})


def lines(name):
    """Every line of a file as one column: no byte of a log is the delimiter, and none quotes."""
    return (
        f"read_csv('{data}/{name}', columns={{'line': 'VARCHAR'}}, delim='\\x01', quote='', escape='', header=false, "
        "auto_detect=false)"
    )


def status(parsed):
    return f"""
        SELECT string_agg(concat(s, ',', n, ',', b), ' ' ORDER BY s) FROM (
          SELECT s, count(*) AS n, coalesce(sum(try_cast(b AS BIGINT)), 0) AS b FROM ({parsed}) GROUP BY s)"""


def by_regex(name):
    return status(
        f"""SELECT p.status AS s, p.bytes AS b FROM (
              SELECT regexp_extract(line, '^\\S+ \\S+ \\S+ \\[[^\\]]+\\] "[^"]*" (\\d+) (\\S+)',
                ['status', 'bytes']) AS p FROM {lines(name)})"""
    )


def by_split(name):
    return status(
        f"""SELECT split_part(part, ' ', 2) AS s, split_part(part, ' ', 3) AS b FROM (
              SELECT split_part(line, '"', 3) AS part FROM {lines(name)})"""
    )


def checksum(path: str) -> int:
    h = 0
    for byte in path.encode():
        h = (h * 31 + byte) % 2147483647
    return h


if case == "checksum":
    db.create_function("checksum", checksum)

sql = {
    "count": f"SELECT count(*) FROM {lines('access.log')}",
    "literal": f"SELECT count(*) FROM {lines('access.log')} WHERE contains(line, 'ExampleBot')",
    "status_regex": by_regex("access.log"),
    "status_split": by_split("access.log"),
    "gzip": by_split("gz/*.gz"),
    "words": f"""
        WITH counts AS (
          SELECT word, count(*) AS n FROM (
            SELECT unnest(regexp_extract_all(line, '[A-Za-z0-9]+')) AS word FROM {lines('words.txt')}) GROUP BY word)
        SELECT concat((SELECT count(*) FROM counts), ' ', (SELECT sum(n) FROM counts), ' ',
          (SELECT string_agg(concat(word, ',', n), ' ' ORDER BY n DESC, word)
           FROM (SELECT * FROM counts ORDER BY n DESC, word LIMIT 3)))""",
    "checksum": f"SELECT sum(checksum(split_part(line, ' ', 7))) FROM {lines('access.log')}",
    "select1": "SELECT 1",
}[case]
print(db.execute(sql).fetchone()[0])
