#!/usr/bin/env bash
# How fast a log goes through an operator, beside the nearest plain program on the same file.
#
#   benches/throughput.sh LOG [RUNS]
#
# Needs a release build of gleam-sql (GLEAM_SQL names another one) and, for the peers, luajit.
# Prints the median seconds of RUNS (5) runs (and the fastest and slowest), rows per second, and the
# peak memory of the whole process tree in MiB, sampled every 20 ms in a run before those.
set -euo pipefail

log=${1:?usage: $0 LOG [RUNS]}
runs=${2:-5}
gleam=${GLEAM_SQL:-${CARGO_TARGET_DIR:-target}/release/gleam-sql}
rows=$(wc -l <"$log")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

source "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

cat >"$scratch/length.lua" <<'LUA'
local total = 0
for line in io.lines(arg[1]) do total = total + #line end
print(total)
LUA

echo "$(nproc) cores, $rows lines, $(($(stat -c %s "$log") / 1000000)) MB, median of $runs runs"
measure "gleam-sql count(*)" "$gleam" -c "SELECT count(*) FROM '$log'"
measure "wc -l" sh -c "wc -l <'$log'"
measure "gleam-sql PIPE 'cat'" "$gleam" -c "FROM '$log' |> PIPE 'cat' |> AGGREGATE count(*)"
measure "cat | wc -l" sh -c "cat '$log' | wc -l"
measure "gleam-sql MAP LUA #line" "$gleam" -c \
    "FROM '$log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> AGGREGATE sum(n)"
if command -v luajit >/dev/null; then
    measure "luajit #line" luajit "$scratch/length.lua" "$log"
fi
