#!/usr/bin/env bash
# Writes an access log in the combined format to standard output: the same for the same number of lines.
#
#   benches/access_log.sh [LINES] > access.log        (4,700,000 lines are 1 GB)
#
# 50,000 clients of which few ask often, 30 days in order of time, one request in ten by a bot.
set -euo pipefail

awk -v lines="${1:-4700000}" '
    # The minimal standard generator of Park and Miller, whose products fit into a double.
    function random(below) {
        seed = (seed * 16807) % 2147483647
        return seed % below
    }
    BEGIN {
        seed = 42
        split("/ /index.html /favicon.ico /blog/logs /blog/sql?page=2 /images/logo.png /docs/start /docs/faq /api/v1/items /api/v1/users /search?q=error /feed.xml", paths, " ")
        split("200 200 200 200 200 200 200 304 304 301 404 500", statuses, " ")
        agents[0] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
        agents[1] = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15"
        agents[2] = "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example/about.html)"
        for (line = 0; line < lines; line++) {
            client = random(50000)
            if (random(2)) client = random(client + 1)
            second = int(line * 2592000 / lines)
            status = statuses[1 + random(12)]
            bytes = status == 304 ? "-" : random(100000)
            agent = agents[random(10) ? random(2) : 2]
            printf "10.%d.%d.%d - - [%02d/Nov/2025:%02d:%02d:%02d +0000] \"%s %s HTTP/1.1\" %s %s \"http://www.example.com/from/%d\" \"%s\"\n",
                int(client / 2500) + 1, int(client / 50) % 50, client % 50 + 1,
                1 + int(second / 86400), int(second / 3600) % 24, int(second / 60) % 60, second % 60,
                random(20) ? "GET" : "POST", paths[1 + random(12)], status, bytes, random(1000), agent
        }
    }'
