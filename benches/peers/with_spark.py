"""The cases of ../yardstick.py in Spark: with_spark.py CASE DIRECTORY CORES."""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import LongType

case, data, cores = sys.argv[1:]
os.environ["PYSPARK_PYTHON"] = sys.executable
spark = (
    SparkSession.builder.master(f"local[{cores}]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", cores)
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def lines(name):
    return spark.read.text(f"{data}/{name}").withColumnRenamed("value", "line")


def status(name, status, size):
    table = lines(name).select(status.alias("s"), size.alias("b"))
    table = table.groupBy("s").agg(f.count("*"), f.coalesce(f.sum("b"), f.lit(0)))
    return " ".join(f"{s},{n},{b}" for s, n, b in sorted(table.collect()))


def by_split(name):
    part = f.split(f.split("line", '"').getItem(2), " ")
    return status(name, part.getItem(1), part.getItem(2).try_cast("bigint"))


def by_regex(name):
    pattern = r'^\S+ \S+ \S+ \[[^\]]+\] "[^"]*" (\d+) (\S+)'
    return status(
        name, f.regexp_extract("line", pattern, 1), f.regexp_extract("line", pattern, 2).try_cast("bigint")
    )


def words():
    word = f.explode(f.expr("regexp_extract_all(line, '[A-Za-z0-9]+', 0)")).alias("word")
    counts = lines("words.txt").select(word).groupBy("word").count().cache()
    distinct, total = counts.agg(f.count("*"), f.sum("count")).first()
    top = counts.orderBy(f.desc("count"), "word").take(3)
    return f"{distinct} {total} " + " ".join(f"{word},{n}" for word, n in top)


def checksum(path):
    h = 0
    for byte in path.encode():
        h = (h * 31 + byte) % 2147483647
    return h


def pipe():
    rows = lines("access.log").rdd.map(lambda row: row.line).pipe("bash -c \"grep -v bot | cut -d' ' -f1\"")
    return rows.distinct().count()


print(
    {
        "count": lambda: lines("access.log").count(),
        "literal": lambda: lines("access.log").filter(f.contains("line", f.lit("ExampleBot"))).count(),
        "status_regex": lambda: by_regex("access.log"),
        "status_split": lambda: by_split("access.log"),
        "gzip": lambda: by_split("gz/*.gz"),
        "words": words,
        "checksum": lambda: lines("access.log")
        .select(f.udf(checksum, LongType())(f.split("line", " ").getItem(6)).alias("h"))
        .agg(f.sum("h"))
        .first()[0],
        "pipe": pipe,
        "select1": lambda: spark.sql("SELECT 1").first()[0],
    }[case]()
)
