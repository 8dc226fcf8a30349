#!/usr/bin/env python3
"""gleam-sql beside what people would take instead: the same work on the same input in the same run.

    benches/yardstick.py [--data DIR] [--runs N] [--case NAME]… [--program NAME]… [--lines N]

Writes the inputs into DIR where they are not there yet (1 GB of access log, the same as eight gzip files,
300 MB of text), runs every case with every program that is installed, compares the answers, and prints a
table in Markdown: the median time of a whole process, its processor time, the peak memory of its tree of
processes, and the time as a multiple of gleam-sql's. Ends with 1 when an answer differs or a program fails.

Peers that are not installed are left out, and named at the end:

    pip install duckdb chdb polars datafusion pyarrow pandas pyspark       (Spark also wants Java 17)
    apt install coreutils gawk mawk parallel ripgrep luajit
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = os.cpu_count()
# No configuration of the user's bears on a measurement.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GLEAM_")}
ENVIRONMENT["XDG_CONFIG_HOME"] = "/nonexistent"
# A command that takes longer than this is run once.
SLOW_SECONDS = 10.0

STATUS = """
    SELECT string_agg(concat(status, ',', n, ',', b), ' ' ORDER BY status) FROM (
      SELECT status, count(*) AS n, coalesce(sum(bytes), 0) AS b FROM '{file}' PARSE COMBINED GROUP BY status)"""
WORDS = """
    SELECT concat(count(*), ' ', sum(n), ' ',
      array_to_string(array_slice(array_agg(concat(word, ',', n) ORDER BY n DESC, word), 1, 3), ' '))
    FROM ({counts})"""

GLEAM = {
    "select1": "SELECT 1",
    "count": "SELECT count(*) FROM 'access.log'",
    "literal": "SELECT count(*) FROM 'access.log' WHERE contains(line, 'ExampleBot')",
    "status": STATUS.format(file="access.log"),
    "gzip": STATUS.format(file="gz/*.gz"),
    "words": WORDS.format(
        counts="""SELECT word, count(*) AS n
          FROM (SELECT unnest(regexp_extract_all(line, '[A-Za-z0-9]+')) AS word FROM 'words.txt') GROUP BY word"""
    ),
    "words_lua": WORDS.format(
        counts="""SELECT word, count(*) AS n
          FROM 'words.txt' FLATMAP LUA $$ function(line) return line:gmatch('%w+') end $$ AS (word) GROUP BY word"""
    ),
    "checksum": """
        SELECT sum(h) FROM 'access.log' MAP LUA $$
          function(line)
            local path = line:match('^%S+ %S+ %S+ %S+ %S+ %S+ (%S+)')
            local h = 0
            for i = 1, #path do h = (h * 31 + path:byte(i)) % 2147483647 end
            return h
          end $$ AS (h BIGINT)""",
    "pipe": """
        SELECT count(DISTINCT ip) FROM 'access.log' PIPE $$ grep -v bot | cut -d' ' -f1 $$ AS (ip)""",
}

# The programs of a shell: each with what it needs, and its commands by case. {cores} and the files of the
# data's directory stand in them; each prints its answer as the last line.
SORTED = r"""sort | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $0 } END { print "" }'"""
AWK_STATUS = r"""{ split($3, p, " "); n[p[1]]++; b[p[1]] += p[2] } END { for (s in n) printf "%s,%d,%.0f\n", s, n[s], b[s] }"""
AWK_MERGE = r"""{ n[$1] += $2; b[$1] += $3 } END { for (s in n) printf "%s,%d,%.0f\n", s, n[s], b[s] }"""
LUA_CHECKSUM = r"""
    local sum = 0
    for line in io.lines() do
      local path = line:match("^%S+ %S+ %S+ %S+ %S+ %S+ (%S+)")
      local h = 0
      for i = 1, #path do h = (h * 31 + path:byte(i)) % 2147483647 end
      sum = sum + h
    end
    print(string.format("%.0f", sum))"""
LUA_WORDS = r"""
    local n = {}
    for line in io.lines() do
      for word in line:gmatch("%w+") do n[word] = (n[word] or 0) + 1 end
    end
    for word, count in pairs(n) do print(count, word) end"""
TOP = r"""LC_ALL=C sort -k1,1nr -k2,2 | awk '{ total += $1; if (NR <= 3) top = top " " $2 "," $1 }
    END { printf "%d %.0f%s\n", NR, total, top }'"""
TOTAL = r"""awk '{ s += $1 } END { printf "%.0f\n", s }'"""
MERGE_WORDS = r"""awk '{ n[$2] += $1 } END { for (w in n) print n[w], w }'"""

SHELL = {
    # It counts nothing: what reading takes.
    "cat": ("cat", {"count": "cat access.log > /dev/null; echo {lines}"}),
    "wc": ("wc", {"count": "wc -l < access.log"}),
    "parallel wc": (
        "parallel wc",
        {"count": f"parallel -j{{cores}} --pipepart -a access.log --block -1 wc -l | {TOTAL}"},
    ),
    "grep": ("grep", {"literal": "LC_ALL=C grep -cF ExampleBot access.log"}),
    "parallel grep": (
        "parallel grep",
        {
            "literal": "parallel -j{cores} --pipepart -a access.log --block -1 LC_ALL=C grep -cF ExampleBot"
            f" | {TOTAL}"
        },
    ),
    "rg": ("rg", {"literal": "rg -c -F ExampleBot access.log"}),
    "mawk": (
        "mawk",
        {
            "status": f"mawk -F'\"' '{AWK_STATUS}' access.log | {SORTED}",
            "gzip": f"zcat gz/*.gz | mawk -F'\"' '{AWK_STATUS}' | {SORTED}",
        },
    ),
    "parallel mawk": (
        "parallel mawk",
        {
            "status": f"parallel -j{{cores}} --pipepart -a access.log --block -1 mawk -F\\'\\\"\\' -f status.awk"
            f" | mawk -F, '{AWK_MERGE}' | {SORTED}",
            "gzip": f"parallel -j{{cores}} \"zcat {{}} | mawk -F'\\\"' -f status.awk\" ::: gz/*.gz"
            f" | mawk -F, '{AWK_MERGE}' | {SORTED}",
        },
    ),
    "luajit": (
        "luajit",
        {
            "checksum": "luajit checksum.lua < access.log",
            "words": f"luajit words.lua < words.txt | {TOP}",
            "words_lua": f"luajit words.lua < words.txt | {TOP}",
        },
    ),
    "parallel luajit": (
        "parallel luajit",
        {
            "checksum": "parallel -j{cores} --pipepart -a access.log --block -1 luajit checksum.lua"
            f" | {TOTAL}",
            "words": f"parallel -j{{cores}} --pipepart -a words.txt --block -1 luajit words.lua | {MERGE_WORDS} | {TOP}",
            "words_lua": f"parallel -j{{cores}} --pipepart -a words.txt --block -1 luajit words.lua | {MERGE_WORDS} | {TOP}",
        },
    ),
    "shell": (
        "grep cut sort uniq tr",
        {
            "pipe": "LC_ALL=C; export LC_ALL; grep -v bot access.log | cut -d' ' -f1 | sort -u | wc -l",
            "words": f"LC_ALL=C; export LC_ALL; tr -cs A-Za-z0-9 '\\n' < words.txt | grep . | sort | uniq -c | {TOP}",
        },
    ),
    "parallel shell": (
        "parallel grep cut sort",
        {
            "pipe": "LC_ALL=C; export LC_ALL; parallel -j{cores} --pipepart -a access.log --block -1"
            " \"grep -v bot | cut -d' ' -f1 | sort -u\" | sort -u | wc -l",
            "words": "LC_ALL=C; export LC_ALL; parallel -j{cores} --pipepart -a words.txt --block -1"
            f" \"tr -cs A-Za-z0-9 '\\n' | grep . | sort | uniq -c\" | {MERGE_WORDS} | {TOP}",
        },
    ),
}

# The cases of the peers in Python, by the cases here: several where there is more than one usual way.
PEER_CASES = {"status": ["status_regex", "status_split"]}
PYTHON_PEERS = {
    "duckdb": {"select1", "count", "literal", "status_regex", "status_split", "gzip", "words", "checksum"},
    "chdb": {"select1", "count", "literal", "status_regex", "status_split", "gzip", "words", "checksum", "pipe"},
    "polars": {"select1", "count", "literal", "status_split", "gzip", "words", "checksum"},
    "datafusion": {"select1", "count", "literal", "status_regex", "status_split", "gzip", "words", "checksum"},
    "spark": {"select1", "count", "literal", "status_regex", "status_split", "gzip", "words", "checksum", "pipe"},
}
MODULES = {"spark": "pyspark"}


def prepare(data, lines):
    """Writes the inputs that are not in `data` yet, and the small programs of the shell's peers."""
    os.makedirs(data, exist_ok=True)

    def shell(command):
        subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=data, check=True)

    if not os.path.exists(f"{data}/access.log"):
        print(f"writing {data}/access.log", file=sys.stderr)
        shell(f"'{HERE}/access_log.sh' {lines} > new && mv new access.log")
    if not os.path.exists(f"{data}/words.txt"):
        print(f"writing {data}/words.txt", file=sys.stderr)
        shell(f"'{HERE}/text.sh' {lines * 338 // 470} > new && mv new words.txt")
    if not os.path.exists(f"{data}/gz"):
        print(f"writing {data}/gz", file=sys.stderr)
        shell("rm -rf new && mkdir new && split -n l/8 -d --filter='gzip > $FILE.log.gz' access.log new/part. && mv new gz")
    for name, text in {"status.awk": AWK_STATUS, "checksum.lua": LUA_CHECKSUM, "words.lua": LUA_WORDS}.items():
        with open(f"{data}/{name}", "w") as f:
            f.write(text + "\n")


def installed(program, python):
    if program in PYTHON_PEERS:
        module = MODULES.get(program, program)
        return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
    return all(shutil.which(each) for each in SHELL[program][0].split())


def commands(case, gleam, python, data, lines):
    """What runs `case`: (program, label, argv) for every program that has it."""
    if case in GLEAM:
        yield "gleam-sql", "gleam-sql", [gleam, "--format", "tsv", "-c", GLEAM[case]]
    for program, cases in PYTHON_PEERS.items():
        for each in PEER_CASES.get(case, [case]):
            if each in cases:
                label = program + each.removeprefix(case).replace("_", " by ")
                yield program, label, [python, f"{HERE}/peers/with_{program}.py", each, ".", str(CORES)]
    for program, (_, cases) in SHELL.items():
        if cases.get(case):
            command = cases[case].replace("{cores}", str(CORES)).replace("{lines}", str(lines))
            yield program, program, ["bash", "-c", command]


def answer_of(out):
    """The last line that is not empty."""
    lines = [line for line in out.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def run(argv, data):
    """One run: (seconds, processor seconds of the tree, answer). Raises RuntimeError when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(argv, cwd=data, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            raise RuntimeError(f"status {child.returncode}: {err.read()[-300:].decode(errors='replace')}")
        return seconds, usage.ru_utime + usage.ru_stime, answer_of(out.read())


def pss_of_tree(pid):
    """The proportional memory of a process and all below it in KiB (/proc/PID/smaps_rollup)."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total = next((int(line.split()[1]) for line in f if line.startswith("Pss:")), 0)
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                total += sum(pss_of_tree(child) for child in f.read().split())
    except (OSError, ValueError):
        pass  # It has ended.
    return total


def peak(argv, data):
    """The peak memory of the tree in MiB, looked at every 20 ms: a run of its own, since looking costs time."""
    with open(os.devnull, "w") as null:
        child = subprocess.Popen(argv, cwd=data, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=null, stderr=null)
    highest = 0
    while child.poll() is None:
        highest = max(highest, pss_of_tree(child.pid))
        time.sleep(0.02)
    if child.returncode:
        raise RuntimeError(f"status {child.returncode}")
    return highest / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", default="target/yardstick", help="the directory of the inputs")
    arguments.add_argument("--lines", type=int, default=4_700_000, help="lines of the access log where it is written")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--case", action="append", choices=list(GLEAM))
    arguments.add_argument("--program", action="append", help="gleam-sql is always measured")
    arguments.add_argument("--gleam", default=os.environ.get("GLEAM_SQL", "target/release/gleam-sql"))
    arguments.add_argument("--python", default=sys.executable, help="the Python that has the peers")
    options = arguments.parse_args()

    gleam, data = os.path.abspath(options.gleam), os.path.abspath(options.data)
    python = os.path.abspath(options.python)
    prepare(data, options.lines)
    with open(f"{data}/access.log", "rb") as log:
        lines = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
    chosen = options.program or [*PYTHON_PEERS, *SHELL]
    missing = [program for program in chosen if not installed(program, python)]
    print(f"{CORES} cores; access.log {lines} lines, {os.path.getsize(data + '/access.log') / 1e6:.0f} MB; "
          f"words.txt {os.path.getsize(data + '/words.txt') / 1e6:.0f} MB; median of {options.runs} runs, "
          f"one where a run takes over {SLOW_SECONDS:.0f} s; memory is the tree's peak\n")
    failed = False
    for case in options.case or GLEAM:
        print(f"| {case} | s | (min–max) | CPU s | MiB | × gleam-sql |\n|---|---|---|---|---|---|", flush=True)
        first = expected = None
        for program, label, argv in commands(case, gleam, python, data, lines):
            if program != "gleam-sql" and (program not in chosen or program in missing):
                continue
            try:
                memory = peak(argv, data)  # It warms the page cache as well.
                runs = []
                while len(runs) < options.runs and not (runs and runs[0][0] > SLOW_SECONDS):
                    runs.append(run(argv, data))
            except RuntimeError as error:
                failed = True
                print(f"| {label} | failed: {error} |", flush=True)
                continue
            seconds = statistics.median(each[0] for each in runs)
            answers = {each[2] for each in runs}
            if program == "gleam-sql":
                first = seconds
            expected = expected or runs[0][2]
            ratio = f"{seconds / first:.2f}" if first else "–"
            note = ""
            if answers != {expected}:
                failed = True
                note = f" **another answer: {sorted(answers)}, not {expected}**"
            print(f"| {label}{note} | {seconds:.2f} | {min(runs)[0]:.2f}–{max(runs)[0]:.2f} | "
                  f"{statistics.median(each[1] for each in runs):.2f} | {memory:.0f} | {ratio} |", flush=True)
        print(f"\n{expected}\n", flush=True)
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
