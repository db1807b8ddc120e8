#!/bin/bash
# run_tests.sh RECORD ARGUMENT...: runs the tests that the arguments of `cargo test` choose and keeps what they print in
# RECORD. cargo-nextest runs the same tests, several files at a time; it is used where it is installed.
set -euo pipefail

record=$1
shift
if cargo nextest --version >/dev/null 2>&1; then
    runner=(nextest run --no-tests=pass)
else
    runner=(test)
fi
cargo "${runner[@]}" --no-fail-fast "$@" 2>&1 | tee "$record"
