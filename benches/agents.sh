#!/usr/bin/env bash
# The same queries in one process, on two agents of one core each, and in Spark where it is installed.
#
#   benches/agents.sh LOG [RUNS]
#
# LOG is an access log such as benches/access_log.sh writes. Needs a release build of gleam-sql
# (GLEAM_SQL names another one); for Spark, a Python with pyspark (PYTHON names it) and Java.
# Prints what throughput.sh prints; the memory is that of all agents and children together.
set -euo pipefail

log=${1:?usage: $0 LOG [RUNS]}
runs=${2:-5}
gleam=${GLEAM_SQL:-${CARGO_TARGET_DIR:-target}/release/gleam-sql}
python=${PYTHON:-python3}
rows=$(wc -l <"$log")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

cat >"$scratch/spark.py" <<'PYTHON'
import sys
from pyspark.sql import SparkSession, functions as F

log, query, cores = sys.argv[1:]
spark = (
    SparkSession.builder.master(f"local[{cores}]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.shuffle.partitions", cores)
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
lines = spark.read.text(log)
if query == "count":
    answer = [(lines.count(),)]
elif query == "clients":
    client = F.split("value", " ", 2)[0].alias("client")
    counts = lines.select(client).groupBy("client").count()
    answer = counts.orderBy(F.desc("count"), "client").limit(3).collect()
elif query == "pipe":
    # It starts no shell of its own.
    command = "sh -c \"grep -v ExampleBot | cut -d' ' -f1\""
    piped = lines.rdd.map(lambda row: row[0]).pipe(command)
    answer = [(piped.distinct().count(),)]
print(",".join(str(value) for value in answer[-1]))
PYTHON

compare() {
    local name=$1 sql=$2
    measure "$name, local" "$gleam" -c "$sql"
    measure "$name, 2 agents" "$gleam" --local-agents 2 -c "$sql"
    if "$python" -c 'import pyspark' 2>/dev/null; then
        measure "$name, Spark" "$python" "$scratch/spark.py" "$log" "$name" 2
    fi
}

echo "$(nproc) cores, $rows lines, $(($(stat -c %s "$log") / 1000000)) MB, median of $runs runs"
compare count "SELECT count(*) FROM '$log'"
compare clients "FROM '$log' |> PIPE 'cut -d\" \" -f1' |> AGGREGATE count(*) AS n GROUP BY line |> ORDER BY n DESC, line |> LIMIT 3"
compare pipe "FROM '$log' |> PIPE 'grep -v ExampleBot | cut -d\" \" -f1' |> AGGREGATE count(DISTINCT line)"
