#!/bin/bash
# run_tests.sh RECORD ARGUMENT...: runs the tests that the arguments of `cargo test` choose and keeps what they print in
# RECORD. cargo-nextest runs the same tests, several at a time; it is used where it is installed. Many of them wait for
# something most of their time, so there are twice as many at a time as there are cores, or TEST_THREADS.
set -euo pipefail

record=$1
shift
if cargo nextest --version >/dev/null 2>&1; then
    runner=(nextest run --no-tests=pass --test-threads "${TEST_THREADS:-$((2 * $(nproc)))}")
else
    runner=(test)
fi
cargo "${runner[@]}" --no-fail-fast "$@" 2>&1 | tee "$record"
