#!/usr/bin/env bash
# A consumer that sleeps while much wants to come: the memory of the driver and of each agent stays flat,
# and every row comes when it wakes.
#
#   tests/sleeping_consumer.sh PATH-OF-gleam-sql [MEGABYTES-OF-THE-LOG] [TIMES] [SECONDS-OF-SLEEP]
#
# The log is that of benches/access_log.sh; a glob reads it TIMES times by as many names. The defaults are
# those of a release build: 1000 MB ten times, and 20 s.
set -euo pipefail

readonly GLEAM=$(realpath "${1:?usage: $0 PATH-OF-gleam-sql [MEGABYTES] [TIMES] [SECONDS]}")
readonly MEGABYTES=${2:-1000}
readonly TIMES=${3:-10}
readonly SLEEP=${4:-20}
readonly AGENTS=2
readonly BYTES_OF_A_LINE=213
# What a process may grow by between the fifth second of the sleep and its end.
readonly GROWTH_LIMIT_KIB=8192
readonly SETTLED=5

fail() { echo "FAILED: $1" >&2; exit 1; }

WORK=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$WORK"' EXIT
cd "$WORK"
mkdir logs
"$OLDPWD/$(dirname "$0")/../benches/access_log.sh" $((MEGABYTES * 1000000 / BYTES_OF_A_LINE)) >one.log
for ((copy = 1; copy <= TIMES; copy++)); do ln -s ../one.log "logs/$copy.log"; done
# One line more is the header.
want_lines=$(($(wc -l <one.log) * TIMES + 1))
want_bytes=$(($(stat -c %s one.log) * TIMES + 5))

children() { pgrep -P "$1" || true; }
is_agent() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q -- "--for-parent"; }
resident_kib() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status" 2>/dev/null || true; }

mkfifo rows
{ sleep "$SLEEP"; exec wc -lc; } <rows >arrived &
reader=$!
"$GLEAM" --local-agents "$AGENTS" --format tsv -c "FROM 'logs/*.log' |> SELECT line" >rows &
driver=$!

# The second column is the driver, the others are the agents.
declare -A settled
echo "seconds  resident KiB of the driver and of each agent"
for ((second = 1; second < SLEEP; second++)); do
    sleep 1
    kill -0 "$driver" 2>/dev/null || fail "the query ended while its reader slept"
    row="$second"
    for process in "$driver" $(children "$driver"); do
        [ "$process" = "$driver" ] || is_agent "$process" || continue
        kib=$(resident_kib "$process")
        row="$row  ${kib:-0}"
        if [ "$second" -eq "$SETTLED" ]; then settled[$process]=$kib; fi
    done
    echo "$row"
done
[ "${#settled[@]}" -eq $((AGENTS + 1)) ] || fail "not all agents were seen: ${!settled[*]}"
for process in "${!settled[@]}"; do
    grown=$(($(resident_kib "$process") - settled[$process]))
    [ "$grown" -le "$GROWTH_LIMIT_KIB" ] || fail "process $process grew by $grown KiB"
done

wait "$driver" || fail "the query failed with status $?"
wait "$reader" || fail "the reader failed"
read -r lines bytes <arrived
[ "$lines $bytes" = "$want_lines $want_bytes" ] || fail "$lines lines of $bytes bytes came, not $want_lines of $want_bytes"
echo "the query completed: $((lines - 1)) rows, $bytes bytes"
