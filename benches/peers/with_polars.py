"""The cases of ../yardstick.py in Polars: with_polars.py CASE DIRECTORY CORES."""

import os
import sys

case, data, cores = sys.argv[1:]
os.environ["POLARS_MAX_THREADS"] = cores

import polars as pl

line = pl.col("line")


def lines(name):
    return pl.scan_lines(f"{data}/{name}", name="line")


def status(name):
    part = line.str.splitn('"', 4).struct[2].str.splitn(" ", 4)
    table = (
        lines(name)
        .select(part.struct[1].alias("s"), part.struct[2].cast(pl.Int64, strict=False).alias("b"))
        .group_by("s")
        .agg(pl.len().alias("n"), pl.col("b").sum())
        .collect(engine="streaming")
    )
    return " ".join(f"{s},{n},{b}" for s, n, b in sorted(table.rows()))


def words():
    table = (
        lines("words.txt")
        .select(line.str.extract_all("[A-Za-z0-9]+").alias("word"))
        .explode("word")
        .drop_nulls()
        .group_by("word")
        .agg(pl.len().alias("n"))
        .collect(engine="streaming")
    )
    top = " ".join(f"{word},{n}" for word, n in table.sort("n", "word", descending=[True, False]).head(3).rows())
    return f"{len(table)} {table['n'].sum()} {top}"


def checksum(path):
    h = 0
    for byte in path.encode():
        h = (h * 31 + byte) % 2147483647
    return h


def one(query):
    return query.collect(engine="streaming").item()


print(
    {
        "count": lambda: one(lines("access.log").select(pl.len())),
        "literal": lambda: one(
            lines("access.log").filter(line.str.contains("ExampleBot", literal=True)).select(pl.len())
        ),
        "status_split": lambda: status("access.log"),
        "gzip": lambda: status("gz/*.gz"),
        "words": words,
        "checksum": lambda: one(
            lines("access.log").select(
                line.str.splitn(" ", 8).struct[6].map_elements(checksum, return_dtype=pl.Int64).sum()
            )
        ),
        "select1": lambda: one(pl.LazyFrame({"a": [1]})),
    }[case]()
)
