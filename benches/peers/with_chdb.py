"""The cases of ../yardstick.py in ClickHouse: with_chdb.py CASE DIRECTORY CORES."""

import os
import stat
import sys
import tempfile

import chdb

case, data, cores = sys.argv[1:]


def lines(name):
    return f"file('{data}/{name}', LineAsString, 'line String')"


def status(parsed):
    return f"""
        SELECT arrayStringConcat(arraySort(groupArray(concat(s, ',', toString(n), ',', toString(b)))), ' ') FROM (
          SELECT p[1] AS s, count() AS n, sum(toInt64OrZero(p[2])) AS b FROM ({parsed}) GROUP BY s)"""


def by_split(name):
    return status(f"SELECT splitByChar(' ', substring(splitByChar('\"', line)[3], 2)) AS p FROM {lines(name)}")



def checksum(path):
    h = 0
    for byte in path.encode():
        h = (h * 31 + byte) % 2147483647
    return h


if case == "checksum":
    chdb.create_function("checksum", checksum, ["String"], "Int64")

PIPE = "#!/bin/bash\ngrep -v bot | cut -d' ' -f1\n"

sql = {
    "count": f"SELECT count() FROM {lines('access.log')}",
    "literal": f"SELECT count() FROM {lines('access.log')} WHERE position(line, 'ExampleBot') > 0",
    "status_regex": status(
        f"""SELECT extractGroups(line, '^\\\\S+ \\\\S+ \\\\S+ \\\\[[^\\\\]]+\\\\] "[^"]*" (\\\\d+) (\\\\S+)') AS p
            FROM {lines('access.log')}"""
    ),
    "status_split": by_split("access.log"),
    "gzip": by_split("gz/*.gz"),
    "words": f"""
        WITH counts AS (
          SELECT arrayJoin(extractAll(line, '[A-Za-z0-9]+')) AS word, count() AS n
          FROM {lines('words.txt')} GROUP BY word)
        SELECT concat(toString(count()), ' ', toString(sum(n)), ' ', arrayStringConcat(
          arrayMap(x -> concat(x.2, ',', toString(-x.1)), arraySlice(arraySort(groupArray((-toInt64(n), word))), 1, 3)),
          ' ')) FROM counts""",
    "checksum": f"SELECT sum(checksum(splitByChar(' ', line)[7])) FROM {lines('access.log')}",
    "pipe": f"SELECT uniqExact(ip) FROM executable('program', TSVRaw, 'ip String', (SELECT line FROM {lines('access.log')}))",
    "select1": "SELECT 1",
}[case]

with tempfile.TemporaryDirectory() as scripts:
    program = os.path.join(scripts, "program")
    with open(program, "w") as f:
        f.write(PIPE)
    os.chmod(program, stat.S_IRWXU)
    print(chdb.query(f"{sql} SETTINGS max_threads = {cores}", "TSVRaw", udf_path=scripts), end="")
