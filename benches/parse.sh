#!/usr/bin/env bash
# The rows and bytes of each status of an access log: gleam-sql's PARSE beside what people would take.
#
#   benches/parse.sh LOG [RUNS]
#
# LOG is an access log such as benches/access_log.sh writes. Needs a release build of gleam-sql
# (GLEAM_SQL names another one) and mawk; a Python with duckdb and chdb (PYTHON names it) where they
# are to be measured. All answers are compared. CORES (default 1) is what each may use.
set -euo pipefail

log=${1:?usage: $0 LOG [RUNS]}
runs=${2:-5}
gleam=${GLEAM_SQL:-${CARGO_TARGET_DIR:-target}/release/gleam-sql}
python=${PYTHON:-python3}
cores=${CORES:-1}
rows=$(wc -l <"$log")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

cat >"$scratch/with_duckdb.py" <<'PYTHON'
import sys
import duckdb

log, cores = sys.argv[1:]
duckdb.execute(f"SET threads = {cores}")
rows = duckdb.execute(
    """
    WITH lines AS (
      SELECT * FROM read_csv(?, columns={'line': 'VARCHAR'}, delim='\x01', quote='', escape='', header=false)
    ), parts AS (
      SELECT regexp_extract(line, '^(\\S+) (\\S+) (\\S+) \\[([^\\]]+)\\] "([^"]*)" (\\d+) (\\S+)',
                            ['ip', 'ident', 'user', 'ts', 'request', 'status', 'bytes']) AS p
      FROM lines
    )
    SELECT p.status, count(*), coalesce(sum(try_cast(p.bytes AS BIGINT)), 0) FROM parts GROUP BY 1 ORDER BY 1
    """,
    [log],
).fetchall()
print(" ".join(f"{s},{n},{int(b)}" for s, n, b in rows))
PYTHON

cat >"$scratch/with_chdb.py" <<'PYTHON'
import sys
import chdb

log, cores = sys.argv[1:]
print(
    chdb.query(
        f"""
        SELECT arrayStringConcat(groupArray(concat(s, ',', toString(n), ',', toString(b))), ' ') FROM (
          SELECT p[1] AS s, count() AS n, sum(toInt64OrZero(p[2])) AS b
          FROM (SELECT extractGroups(line, '" (\\\\d{{3}}) (\\\\S+)') AS p FROM file('{log}', LineAsString, 'line String'))
          GROUP BY s ORDER BY s
        ) SETTINGS max_threads = {cores}
        """,
        "TSVRaw",
    ),
    end="",
)
PYTHON

sql="SET datafusion.execution.target_partitions = $cores;
     SELECT string_agg(s, ' ' ORDER BY s) FROM (
       SELECT concat(status, ',', count(*), ',', coalesce(sum(bytes), 0)) AS s
       FROM '$log' PARSE COMBINED GROUP BY status)"

echo "$(nproc) cores, of which $cores used, $rows lines, $(($(stat -c %s "$log") / 1000000)) MB, median of $runs runs"
measure "wc -l" sh -c "wc -l < '$log'"
measure "gleam-sql PARSE COMBINED" sh -c '"$1" --format tsv -c "$2" | tail -n +2' sh "$gleam" "$sql"
measure "mawk" mawk -F'"' '{ split($3, p, " "); n[p[1]]++; b[p[1]] += p[2] }
    END { for (s in n) printf "%s,%d,%.0f\n", s, n[s], b[s] | "sort | paste -sd\" \""; close("sort | paste -sd\" \"") }' "$log"
if "$python" -c 'import duckdb' 2>/dev/null; then
    measure "duckdb" "$python" "$scratch/with_duckdb.py" "$log" "$cores"
fi
if "$python" -c 'import chdb' 2>/dev/null; then
    measure "chdb" "$python" "$scratch/with_chdb.py" "$log" "$cores"
fi
