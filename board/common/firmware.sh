#!/bin/sh
# firmware.sh ARCH BUILDROOT OUT: builds everything from source with Buildroot, below OUT: compiler, kernel, BusyBox, GRUB and the
# program. BUILDROOT is a tree of Buildroot; where it is empty, the release below is cloned to OUT/../buildroot.
# SOURCE_DATE_EPOCH is the time of everything in it.
set -eu

arch=$1 buildroot=$2 out=$3
release=2026.05.1
commit=cb857ba4c87a93e5265a9e4a3f32071abf39e14a
source=https://gitlab.com/buildroot.org/buildroot.git

here=$(cd "$(dirname "$0")" && pwd)
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml" | head -n 1)
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [ -z "$buildroot" ]; then
    buildroot=${out%/*}/buildroot-$release
    if [ ! -d "$buildroot" ]; then
        rm -rf "$buildroot.new"
        git -c advice.detachedHead=false clone --quiet --depth 1 --branch "$release" "$source" "$buildroot.new"
        found=$(git -C "$buildroot.new" rev-parse HEAD)
        if [ "$found" != "$commit" ]; then
            echo "firmware.sh: $source has $found as $release, not $commit. It is not used." >&2
            exit 1
        fi
        mv "$buildroot.new" "$buildroot"
    fi
fi

# Downloads are the same for both architectures.
export BR2_DL_DIR="${BR2_DL_DIR:-${out%/*}/downloads}" VERSION SOURCE_DATE_EPOCH
run() { make -C "$buildroot" O="$out" BR2_EXTERNAL="$here/../../buildroot" "$@"; }
run "archivista_${arch}_defconfig"
# Buildroot copies a changed tree, but builds it anew only when told to.
[ ! -d "$out/build/archivista" ] || run archivista-dirclean
run

# shellcheck source=SCRIPTDIR/../x86_64/board
. "$here/../$arch/board"
images=$out/images
run --no-print-directory -s show-info | "$buildroot/utils/generate-cyclonedx" >"$images/sbom.cdx.json"
# Words on purpose.
# shellcheck disable=SC2086
PATH=$out/host/bin:$PATH "$here/formats.sh" "$arch" "$images/disk.img" "$images" $formats
