#!/bin/sh
# release.sh ARCH SUITE PROGRAM OUT: makes all that is handed out of the box for ARCH in OUT: the image in its formats, what
# it is made of (sbom.cdx.json), and the sums; with DISK_ONLY set, only disk.img. SOURCE_DATE_EPOCH is the time of everything in it.
set -eu

arch=$1 suite=$2 out=$4
here=$(dirname "$0")
# shellcheck source=SCRIPTDIR/../x86_64/board
. "$here/../$arch/board"
[ -x "$3" ] || {
    echo "release.sh: there is no program $3. Run first: make binary ARCH=$arch" >&2
    exit 1
}
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml" | head -n 1)
export VERSION

rm -f "$out"/archivista-box-* "$out/SHA256SUMS" "$out/sbom.cdx.json"
"$here/image.sh" "$@"
# Enough to start a virtual machine from.
[ -z "${DISK_ONLY:-}" ] || exit 0
"$here/sbom.py" "$arch" "$suite" "$out/work/packages/.packages" "$out/sbom.cdx.json"
# The formats are words on purpose.
# shellcheck disable=SC2086
"$here/formats.sh" "$arch" "$out/disk.img" "$out" $formats
rm -r "$out/work"
ls -l "$out"
