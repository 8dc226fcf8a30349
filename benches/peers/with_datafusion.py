"""The cases of ../yardstick.py in DataFusion: with_datafusion.py CASE DIRECTORY CORES."""

import sys

import pyarrow as pa
from datafusion import SessionConfig, SessionContext, udf

case, data, cores = sys.argv[1:]
context = SessionContext(SessionConfig().with_target_partitions(int(cores)))


def lines(name):
    """Every line of a file as one column: no byte of a log is the delimiter, and none quotes."""
    compressed = "'format.compression' 'gzip', " if name == "gz/" else ""
    context.sql(
        f"""CREATE EXTERNAL TABLE lines (line VARCHAR NOT NULL) STORED AS CSV LOCATION '{data}/{name}'
            OPTIONS ({compressed}'format.has_header' 'false', 'format.delimiter' E'\\x01', 'format.quote' E'\\x02')"""
    )


def checksum(paths: pa.Array) -> pa.Array:
    sums = []
    for path in paths:
        h = 0
        for byte in path.as_py().encode():
            h = (h * 31 + byte) % 2147483647
        sums.append(h)
    return pa.array(sums, pa.int64())


if case != "select1":
    lines({"words": "words.txt", "gzip": "gz/"}.get(case, "access.log"))
if case == "checksum":
    context.register_udf(udf(checksum, [pa.string_view()], pa.int64(), "stable", name="checksum"))


def status(parsed):
    return f"""
        SELECT string_agg(concat(s, ',', n, ',', b), ' ' ORDER BY s) FROM (
          SELECT s, count(*) AS n, coalesce(sum(try_cast(b AS BIGINT)), 0) AS b FROM ({parsed}) GROUP BY s)"""


split = status(
    """SELECT split_part(part, ' ', 2) AS s, split_part(part, ' ', 3) AS b FROM (
         SELECT split_part(line, '"', 3) AS part FROM lines)"""
)
sql = {
    "count": "SELECT count(*) FROM lines",
    "literal": "SELECT count(*) FROM lines WHERE contains(line, 'ExampleBot')",
    "status_regex": status(
        r"""SELECT p[1] AS s, p[2] AS b FROM (
              SELECT regexp_match(line, '^\S+ \S+ \S+ \[[^\]]+\] "[^"]*" (\d+) (\S+)') AS p FROM lines)"""
    ),
    "status_split": split,
    "gzip": split,
    "words": """
        SELECT concat(count(*), ' ', sum(n), ' ',
          array_to_string(array_slice(array_agg(concat(word, ',', n) ORDER BY n DESC, word), 1, 3), ' ')) FROM (
          SELECT word, count(*) AS n FROM (
            SELECT unnest(string_to_array(regexp_replace(line, '[^A-Za-z0-9]+', ' ', 'g'), ' ')) AS word FROM lines)
          WHERE word <> '' GROUP BY word)""",
    "checksum": "SELECT sum(checksum(arrow_cast(split_part(line, ' ', 7), 'Utf8View'))) FROM lines",
    "select1": "SELECT 1",
}[case]
print(context.sql(sql).collect()[0].column(0)[0].as_py())
