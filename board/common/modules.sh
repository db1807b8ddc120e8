#!/bin/sh
# modules.sh KERNEL FILE…: the modules named in the FILEs and all that they need, as paths below KERNEL, one a line.
# KERNEL is an unpacked kernel package with modules.dep. What is built into the kernel, or missing from it, is left out.
set -eu

kernel=$1
shift
version=$(basename "$kernel"/lib/modules/*)
sed '/^#/d;/^$/d' "$@" | while read -r name; do
    modprobe -d "$kernel" -S "$version" --show-depends "$name" 2>/dev/null || echo "modules.sh: $version has no $name" >&2
done | sed -n "s,^insmod $kernel/\([^ ]*\).*,\1,p" | LC_ALL=C sort -u
