#!/bin/sh
# unpack.sh SUITE ARCH CACHE LINK PACKAGE…: downloads Debian packages, unpacks them below CACHE, anew only when one has
# changed, and makes LINK lead there. Modules are unpacked as well, and modules.dep is made.
set -eu

suite=$1 arch=$2 cache=$3 link=$4
here=$(dirname "$0")
tree=$cache/$suite-$arch-$(basename "$link")
shift 4
"$here/debs.sh" "$suite" "$arch" "$cache/$suite-$arch" "$@" | LC_ALL=C sort >"$tree.list"
if ! cmp -s "$tree.list" "$tree/.packages"; then
    rm -rf "$tree" "$tree.new"
    mkdir -p "$tree.new"
    while read -r deb; do dpkg-deb -x "$deb" "$tree.new"; done <"$tree.list"
    modules=$(find "$tree.new" -path '*/lib/modules' -prune)
    if [ -n "$modules" ]; then
        find "$modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 100 -P 2 xz -d
        depmod -b "${modules%/lib/modules}" "$(basename "$modules"/*)"
    fi
    cp "$tree.list" "$tree.new/.packages"
    mv "$tree.new" "$tree"
fi
ln -sfn "$tree" "$link"
