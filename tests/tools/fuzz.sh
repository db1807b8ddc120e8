#!/bin/bash
# fuzz.sh DIR SECONDS [TARGET...]: fuzzes each target of tests/fuzz for so long, all of them where none is named, with what is
# kept in DIR: the programs, and the inputs that led somewhere new, from which the next run goes on. An input that breaks a
# promise ends it; it is shown in hexadecimal and lies in DIR/findings. The compiler is the usual one: what libFuzzer needs
# to see are passes that it has. Sanitizers would need another, and our own code has nothing unsafe for them to find.
set -euo pipefail

mkdir -p "$1"
dir=$(cd "$1" && pwd)
seconds=$2
shift 2
targets=("$@")
[ $# -gt 0 ] || targets=(pack split join head file query)
fuzz=$(cd "$(dirname "$0")/../fuzz" && pwd)

# The versions that are released; what only the fuzzer needs is added by cargo.
cp "$fuzz/../../Cargo.lock" "$fuzz/Cargo.lock"
host=$(rustc -vV | sed -n 's/^host: //p')
passes="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
passes="$passes -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=4"
# With a target named, the flags are for it alone and not for build scripts.
RUSTFLAGS=$passes CARGO_TARGET_DIR=$dir/building CARGO_INCREMENTAL=0 \
    cargo build --quiet --release --manifest-path "$fuzz/Cargo.toml" --target "$host"

# Packs are read from files: from memory where there is such a folder.
memory=/dev/shm
[ -w "$memory" ] || memory=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d "$memory/fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

passed=0
failed=0
for target in "${targets[@]}"; do
    program=$dir/building/$host/release/$target
    corpus=$dir/corpus/$target
    mkdir -p "$corpus" "$dir/findings"
    FUZZ_SEEDS=$corpus "$program" 2>"$dir/$target.log" || { cat "$dir/$target.log"; exit 1; }
    echo "$target: $seconds s"
    if "$program" -max_total_time="$seconds" -max_len=32768 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="$dir/findings/$target-" "$corpus" >"$dir/$target.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 40 "$dir/$target.log"
        for finding in "$dir/findings/$target-"*; do
            echo "$finding:"
            od -An -v -tx1 "$finding" | tr -d ' \n'
            echo
        done
    fi
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb)' "$dir/$target.log" || true
    grep -E ' cov: ' "$dir/$target.log" | tail -n 1
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
