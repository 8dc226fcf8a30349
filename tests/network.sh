#!/usr/bin/env bash
# Agents on a network of their own: three network namespaces on a bridge, a driver in a fourth, TLS and a
# token; then the link of one agent is taken down in the middle of a query. Nothing outside of this machine
# is contacted, and the namespaces go with the script.
#
# Usage: tests/network.sh PATH-OF-gleam-sql

set -euo pipefail

readonly LOSS_LIMIT_MS=5000
readonly IDLE_LIMIT_SECONDS=15
readonly QUERY_LIMIT_SECONDS=120
readonly AGENTS=(1 2 3)
readonly DRIVER=9
# Different for each run, and short enough for the names of links.
readonly RUN=$(($$ % 100000))

skip() { echo "skipped: $1"; exit 0; }
fail() { echo "FAILED: $1" >&2; exit 1; }
namespace() { echo "gs$RUN-$1"; }
inside() { local number=$1; shift; ip netns exec "$(namespace "$number")" "$@"; }
now_ms() { date +%s%3N; }

[ $# -eq 1 ] || { echo "usage: $0 PATH-OF-gleam-sql" >&2; exit 2; }
GLEAM=$(realpath "$1")
[ -x "$GLEAM" ] || fail "$1 is no program"
command -v ip >/dev/null || skip "there is no ip(8)"
[ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
ip netns add "$(namespace 0)" 2>/dev/null || skip "this system makes no network namespaces"

WORK=$(mktemp -d)

clean_up() {
    local number
    for number in 0 "${AGENTS[@]}" "$DRIVER"; do
        ip netns pids "$(namespace "$number")" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
        ip netns del "$(namespace "$number")" 2>/dev/null || true
    done
    rm -rf "$WORK"
}
trap clean_up EXIT

# The bridge stands in namespace 0, so that the machine's own network stays as it is.
lay_out() {
    local number
    inside 0 ip link add bridge type bridge || skip "this system makes no bridges"
    inside 0 ip link set bridge up
    for number in "${AGENTS[@]}" "$DRIVER"; do
        ip netns add "$(namespace "$number")"
        inside "$number" ip link set lo up
        inside "$number" ip link add eth0 type veth peer name "port$number" netns "$(namespace 0)" \
            || skip "this system makes no veth pairs"
        inside 0 ip link set "port$number" master bridge up
        inside "$number" ip address add "10.77.0.$number/24" dev eth0
        inside "$number" ip link set eth0 up
    done
}

make_files() {
    local name=() number
    for number in "${AGENTS[@]}"; do name+=(--name "10.77.0.$number"); done
    "$GLEAM" agent certs --out "$WORK/certs" "${name[@]}" --name driver 2>"$WORK/certs.err" \
        || { cat "$WORK/certs.err" >&2; fail "no certificates"; }
    (umask 077; od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$WORK/token")
    awk 'BEGIN { for (i = 0; i < 60000; i++) printf "10.0.%d.%d GET /page/%d %d bytes\n", i % 7, i % 251, i % 1013, i }' \
        >"$WORK/access.log"
}

peer_options() {
    echo --token-file "$WORK/token" --tls-ca "$WORK/certs/ca.crt" \
        --tls-cert "$WORK/certs/$1.crt" --tls-key "$WORK/certs/$1.key"
}

start_agent() {
    local number=$1 address="10.77.0.$1"
    # shellcheck disable=SC2046 # The options are words.
    (cd "$WORK" && inside "$number" "$GLEAM" agent --listen "$address:4711" --slots 2 \
        --grace-period 2s $(peer_options "$address") </dev/null 2>"$WORK/agent$number.err") &
    local deadline=$((SECONDS + 20))
    until grep -q "listens on $address:4711" "$WORK/agent$number.err" 2>/dev/null; do
        [ $SECONDS -lt $deadline ] || { cat "$WORK/agent$number.err" >&2; fail "agent $address does not start"; }
        sleep 0.05
    done
}

on_agents() {
    # shellcheck disable=SC2046
    (cd "$WORK" && inside "$DRIVER" timeout "$QUERY_LIMIT_SECONDS" "$GLEAM" \
        --agents 10.77.0.1:4711,10.77.0.2:4711,10.77.0.3:4711 $(peer_options driver) --format csv -c "$1")
}

alone() { (cd "$WORK" && timeout "$QUERY_LIMIT_SECONDS" "$GLEAM" --format csv -c "$1"); }

# What works in a namespace beside the agent and the process that outlives it to end its children.
busy() {
    local process
    for process in $(ip netns pids "$(namespace "$1")"); do
        tr '\0' ' ' <"/proc/$process/cmdline" 2>/dev/null | grep -v -e ' agent --listen' -e guardian || true
    done
}

all_busy() { local number; for number in "${AGENTS[@]}" "$DRIVER"; do busy "$number"; done; }
all_processes() { local number; for number in "${AGENTS[@]}" "$DRIVER"; do ip netns pids "$(namespace "$number")"; done; }

none_within() {
    local limit=$1 what=$2 start; start=$(now_ms)
    while [ -n "$("$what")" ]; do
        [ $(($(now_ms) - start)) -lt $((limit * 1000)) ] || { "$what" >&2; fail "processes are left after $limit s"; }
        sleep 0.05
    done
    echo "  nothing of it is left after $(($(now_ms) - start)) ms"
}

wait_for_work() {
    local deadline=$((SECONDS + 60))
    until busy "$1" | grep -q "$2"; do
        [ $SECONDS -lt $deadline ] || { cat "$WORK/query.err" >&2; fail "agent $1 gets no work"; }
        sleep 0.05
    done
}

wait_for_text() {
    local file=$1 text=$2 deadline=$((SECONDS + 60))
    until grep -q "$text" "$file"; do
        [ $SECONDS -lt $deadline ] && [ -d "/proc/$QUERY" ] || { cat "$file" >&2; fail "stderr never says '$text'"; }
        sleep 0.02
    done
}

readonly SPREAD="SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1;"
readonly WORDS="FROM 'access.log' |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word) |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word |> LIMIT 50"
readonly SLOW="FROM 'access.log' |> MAP LUA 'function(line) local n = 0 for i = 1, 30000 do n = n + #line % i end return n end' AS (n BIGINT) |> AGGREGATE count(*) AS rows, sum(n) AS total"
readonly PIPED="FROM 'access.log' |> PIPE 'sleep 60; cat' |> AGGREGATE count(*)"

same_answers() {
    local query
    for query in "SELECT count(*) FROM 'access.log'" "$WORDS"; do
        alone "$query" >"$WORK/local.csv"
        on_agents "$SPREAD $query" >"$WORK/spread.csv" 2>"$WORK/query.err" \
            || { cat "$WORK/query.err" >&2; fail "the query failed: $query"; }
        cmp "$WORK/local.csv" "$WORK/spread.csv" || fail "another answer on agents: $query"
        echo "  the same $(wc -l <"$WORK/spread.csv") lines on three agents as on none"
    done
    on_agents "$SPREAD EXPLAIN $WORDS" >"$WORK/plan" 2>&1
    grep -q '3 tasks' "$WORK/plan" || { cat "$WORK/plan" >&2; fail "the work is not divided"; }
}

cut() { inside 0 ip link set "port$1" down; }
mend() { inside 0 ip link set "port$1" up; }

cut_with_pipe() {
    local start took status=0
    on_agents "$SPREAD $PIPED" >"$WORK/query.csv" 2>"$WORK/query.err" & QUERY=$!
    wait_for_work 2 'sleep 60'
    start=$(now_ms); cut 2
    wait "$QUERY" || status=$?
    took=$(($(now_ms) - start))
    echo "  exit status $status after $took ms:"
    sed 's/^/    /' "$WORK/query.err"
    [ "$status" -eq 1 ] || fail "the exit status is $status"
    [ "$took" -le "$LOSS_LIMIT_MS" ] || fail "it took $took ms"
    grep -q 'agent 10.77.0.2:4711.*stage' "$WORK/query.err" || fail "agent and stage are not named"
    [ ! -s "$WORK/query.csv" ] || fail "a part of an answer was printed"
    none_within "$IDLE_LIMIT_SECONDS" all_busy
    mend 2
}

cut_with_retry() {
    local start announced status=0
    alone "$SLOW" >"$WORK/local.csv"
    on_agents "$SPREAD $SLOW" >"$WORK/query.csv" 2>"$WORK/query.err" & QUERY=$!
    wait_for_work 3 '__lua-child'
    start=$(now_ms); cut 3
    wait_for_text "$WORK/query.err" 'again on the other agents'
    announced=$(($(now_ms) - start))
    wait "$QUERY" || status=$?
    echo "  announced after $announced ms, exit status $status after $(($(now_ms) - start)) ms:"
    sed 's/^/    /' "$WORK/query.err"
    [ "$status" -eq 0 ] || fail "the exit status is $status"
    [ "$announced" -le "$LOSS_LIMIT_MS" ] || fail "it took $announced ms"
    grep -q 'agent 10.77.0.3:4711' "$WORK/query.err" || fail "the agent is not named"
    cmp "$WORK/local.csv" "$WORK/query.csv" || fail "another answer after the retry"
    none_within "$IDLE_LIMIT_SECONDS" all_busy
    mend 3
}

cut_driver() {
    on_agents "$SPREAD $PIPED" >"$WORK/query.csv" 2>"$WORK/query.err" & QUERY=$!
    wait_for_work 1 'sleep 60'
    cut "$DRIVER"
    wait "$QUERY" && fail "a driver that is cut off succeeds"
    none_within "$IDLE_LIMIT_SECONDS" all_busy
    mend "$DRIVER"
}

end_all() {
    local number process
    for number in "${AGENTS[@]}"; do
        for process in $(ip netns pids "$(namespace "$number")"); do
            grep -q guardian "/proc/$process/cmdline" 2>/dev/null || kill -TERM "$process" 2>/dev/null || true
        done
    done
    none_within "$IDLE_LIMIT_SECONDS" all_processes
}

lay_out
make_files
for number in "${AGENTS[@]}"; do start_agent "$number"; done
echo "three agents with TLS in three network namespaces"; same_answers
echo "a link that goes down under a query with a PIPE"; cut_with_pipe
echo "a link that goes down before the first row"; cut_with_retry
echo "the link of the driver goes down"; cut_driver
echo "agents are told to end"; end_all
echo "passed"
