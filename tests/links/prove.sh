#!/bin/sh
# prove.sh ARCH…: builds this crate as the static program of the box is built, for each ARCH, and runs it, under QEMU where
# this machine is another one.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
for arch in "$@"; do
    board/common/static/cargo.sh "$arch" build --locked --profile box --manifest-path tests/links/Cargo.toml
    program=target/static/$arch/$arch-unknown-linux-musl/box/links
    board/common/static/check.sh "$arch" "$program"
    if [ "$arch" = "$(uname -m)" ]; then "$program"; else "qemu-$arch-static" "$program"; fi
done
