#!/bin/sh
# twice.sh ARCH SUITE PROGRAM OUT: makes the image twice, in folders of OUT with names of different lengths, and ends with 1
# if any file differs.
set -eu

arch=$1 suite=$2 program=$3 out=$4
here=$(dirname "$0")
mkdir -p "$out"
[ -e "$out/debs" ] || ln -s ../debs "$out/debs"
"$here/release.sh" "$arch" "$suite" "$program" "$out/$arch-1"
"$here/release.sh" "$arch" "$suite" "$program" "$out/$arch-again"
if diff -r "$out/$arch-1" "$out/$arch-again"; then
    echo "Twice the same bytes:"
    cat "$out/$arch-1/SHA256SUMS"
fi
