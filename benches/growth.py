#!/usr/bin/env python3
"""How time and memory of gleam-sql grow: with bytes, files, columns, groups, and the length of lines.

    benches/growth.py [--data DIR] [--gleam PATH] [--runs N]

Makes its inputs of the access log of yardstick.py in DIR (10 GB of it are needed, and as much for the
largest). Prints a table in Markdown: the median time of a process and the peak memory of its tree.
"""

import argparse
import os
import statistics
import subprocess
import sys

from yardstick import CORES, peak, prepare, run

STATUS = "SELECT status, count(*), sum(bytes) FROM {file} PARSE COMBINED GROUP BY status"
MAP = "SELECT count(*) FROM {file} MAP LUA $$ function(line) return #line end $$ AS (n INT)"
LINES = "SELECT count(*), max(length(line)) FROM {file}"


def shell(data, command):
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=data, check=True)


def cases(data):
    """(what grows, how much, the query), each after its input has been made."""
    for times, size in [(0.1, "0.1 GB"), (1, "1 GB"), (10, "10 GB")]:
        name = f"grown-{times}.log"
        if not os.path.exists(f"{data}/{name}"):
            lines = "head -n 470000 access.log" if times < 1 else f"for _ in $(seq {times}); do cat access.log; done"
            shell(data, f"({lines}) > new && mv new {name}")
        yield "bytes, PARSE", size, STATUS.format(file=f"'{name}'")
        yield "bytes, MAP LUA", size, MAP.format(file=f"'{name}'")
        if times == 10:
            os.remove(f"{data}/{name}")
    for files in [1, 100, 10_000]:
        folder = f"files-{files}"
        if not os.path.exists(f"{data}/{folder}"):
            shell(data, f"rm -rf new && mkdir new && split -n l/{files} -a 4 -d grown-0.1.log new/part. && mv new {folder}")
        yield "files, 0.1 GB together", f"{files:,}", STATUS.format(file=f"text('{folder}/*')")
    for columns in [1, 10, 100, 1000]:
        name = f"columns-{columns}.txt"
        if not os.path.exists(f"{data}/{name}"):
            row = ",".join(["{i}"] * columns)
            with open(f"{data}/{name}", "w") as f:
                for i in range(10_000_000 // columns):
                    f.write(row.replace("{i}", str(i % 1000)) + "\n")
        pattern = ",".join(f"<c{k}>" for k in range(columns))
        total = "sum(CAST(c0 AS INT))" if columns == 1 else f"sum(CAST(c0 AS INT)), max(c{columns - 1})"
        yield "columns of 10 M fields, two used", f"{columns:,}", f"SELECT {total} FROM '{name}' PARSE PATTERN '{pattern}'"
    for groups in [1, 1_000, 100_000, 10_000_000]:
        query = f"SELECT count(*), max(n) FROM (SELECT value % {groups} AS k, count(*) AS n FROM generate_series(1, 20000000) GROUP BY k)"
        yield "groups of 20 M rows", f"{groups:,}", query
    limit = "SET datafusion.runtime.memory_limit = '100M'; "
    yield "the same, limited to 100 MB", f"{groups:,}", limit + query
    for length in [1_000, 1_000_000, 500_000_000]:
        name = f"long-{length}.txt"
        if not os.path.exists(f"{data}/{name}"):
            with open(f"{data}/{name}", "w") as f:
                for _ in range(500_000_000 // length):
                    f.write("x" * (length - 1) + "\n")
        yield "bytes of a line, 0.5 GB together", f"{length:,}", LINES.format(file=f"'{name}'")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", default="target/yardstick", help="the directory of the inputs")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--gleam", default=os.environ.get("GLEAM_SQL", "target/release/gleam-sql"))
    options = arguments.parse_args()
    gleam, data = os.path.abspath(options.gleam), os.path.abspath(options.data)
    prepare(data, 4_700_000)
    print(f"{CORES} cores; median of {options.runs} runs; memory is the tree's peak\n")
    print("| what grows | to | s | CPU s | MiB |\n|---|---|---|---|---|", flush=True)
    failed = False
    for what, size, query in cases(data):
        argv = [gleam, "--format", "tsv", "-c", query]
        try:
            memory = peak(argv, data)
            runs = [run(argv, data) for _ in range(options.runs)]
        except RuntimeError as error:
            failed = True
            print(f"| {what} | {size} | failed: {error} |", flush=True)
            continue
        seconds, cpu = statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs)
        print(f"| {what} | {size} | {seconds:.2f} | {cpu:.2f} | {memory:.0f} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
