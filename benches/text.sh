#!/usr/bin/env bash
# Writes a text of words to standard output: the same for the same number of lines.
#
#   benches/text.sh [LINES] > text.txt        (3,380,000 lines are 300 MB)
#
# 20,000 words of two to five syllables, of which few are frequent; digits, commas and stops between.
set -euo pipefail

LC_ALL=C awk -v lines="${1:-3380000}" '
    # The minimal standard generator of Park and Miller, whose products fit into a double.
    function random(below) {
        seed = (seed * 16807) % 2147483647
        return seed % below
    }
    BEGIN {
        seed = 7
        split("ka lo mi ne ru sa ti vo Be Da fe gu hi jo pe qua zu xi wo ya", syllables, " ")
        split(", | | | | | | |. |; |-|/", marks, "|")
        for (word = 0; word < 20000; word++) {
            text = word % 50 ? "" : word
            for (n = 1 + random(4); n >= 0; n--) text = text syllables[1 + random(20)]
            words[word] = text
        }
        for (line = 0; line < lines; line++) {
            text = ""
            # The smallest of three draws: the first words are far more frequent than the last.
            for (n = 4 + random(14); n > 0; n--) {
                word = random(1 + random(1 + random(20000)))
                text = text words[word] marks[1 + random(11)]
            }
            print text
        }
    }'
