# What the benchmarks share, to be sourced: times and peak memory of whole process trees.
# Wants $runs, $rows (of the input) and $scratch (a directory).

# The sum of the resident memory of a process and all below it, in KiB.
tree_kib() {
    local total=0 pid=$1 child
    if read -r _ pages _ 2>/dev/null <"/proc/$pid/statm"; then total=$((pages * 4)); fi
    for child in $(cat "/proc/$pid/task/"*"/children" 2>/dev/null); do
        total=$((total + $(tree_kib "$child")))
    done
    echo "$total"
}

# The milliseconds that a command takes.
timed_run() {
    local start
    start=$(date +%s%N)
    "$@" >"$scratch/out"
    echo $((($(date +%s%N) - start) / 1000000))
}

# The peak memory of a command's process tree in MiB; a run of its own, since looking costs time.
peak_run() {
    local pid peak=0 now
    "$@" >"$scratch/out" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        now=$(tree_kib "$pid")
        if [ "$now" -gt "$peak" ]; then peak=$now; fi
        sleep 0.02
    done
    wait "$pid"
    echo $((peak / 1024))
}

measure() {
    local name=$1 run peak
    shift
    peak=$(peak_run "$@")
    for ((run = 0; run < runs; run++)); do timed_run "$@"; done | sort -n >"$scratch/runs"
    awk -v name="$name" -v rows="$rows" -v peak="$peak" -v answer="$(tail -1 "$scratch/out")" '
        { ms[NR] = $1 }
        END {
            median = ms[int((NR + 1) / 2)]
            printf "%-26s %7.2f s (%.2f-%.2f)  %6.2f M rows/s  %5d MiB  -> %s\n",
                name, median / 1000, ms[1] / 1000, ms[NR] / 1000, rows / median / 1000, peak, answer
        }' "$scratch/runs"
}
