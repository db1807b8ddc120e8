#!/bin/sh
# binary.sh ARCH: the program for the box, target/box/ARCH/archivista: static, small, checked.
set -eu

arch=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
case $arch in
    x86_64 | aarch64) ;;
    *) echo "binary.sh: no architecture $arch; there are x86_64 and aarch64." >&2 && exit 1 ;;
esac

# No time gets into the program; C code would be built anew for each one.
unset SOURCE_DATE_EPOCH
cd "$root"
"$here/cargo.sh" "$arch" build --locked --profile box --package archivista --bin archivista
built=target/static/$arch/$arch-unknown-linux-musl/box/archivista
"$here/check.sh" "$arch" "$built"
# Only what was checked lies there, whole.
mkdir -p "target/box/$arch"
cp "$built" "target/box/$arch/archivista.new"
mv "target/box/$arch/archivista.new" "target/box/$arch/archivista"
