#!/bin/sh
# zig.sh DIR: Zig in DIR/ziglang, once: the C compiler and the linker of the static binary.
set -eu

dir=$1/ziglang
here=$(cd "$(dirname "$0")" && pwd)
! cmp -s "$here/zig.txt" "$dir/zig.txt" || exit 0

python3 -m pip --version >/dev/null 2>&1 || "$here/../../../tests/tools/install.sh" python3-pip
rm -rf "$dir" "$1/zig.new"
PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --target "$1/zig.new" --requirement "$here/zig.txt"
# Whole or not at all.
cp "$here/zig.txt" "$1/zig.new/ziglang"
mv "$1/zig.new/ziglang" "$dir"
rm -rf "$1/zig.new"
