#!/bin/sh
# closing_line.sh RECORD...: says how many tests the records of run_tests.sh hold; fails where one of them holds none.
set -eu

for record in "$@"; do
    # cargo test:    test result: ok. 12 passed; 0 failed; 1 ignored; ...
    # cargo nextest:      Summary [   5.165s] 12 tests run: 12 passed, 1 skipped
    awk -v record="$record" '
        /^test result: / || /^ *Summary \[/ {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) passed += $(i - 1)
                if ($i ~ /^(ignored|skipped)/) left_out += $(i - 1)
            }
        }
        END {
            name = record
            sub(/.*\//, "", name)
            sub(/\.log$/, "", name)
            printf "%s: %d passed, %d left out\n", name, passed, left_out
            exit !passed
        }' "$record"
done
echo 'All tests passed.'
